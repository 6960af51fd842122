//! The weights that a model has when no checkpoint gives any: what training begins with.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Precision, Tensor, WeightsError, to_safetensors};
use crate::graph::{Init, Parameter};
use crate::model::{ConfigError, PRESETS, ReIdentifierConfig, preset};

/// Every tensor of a fresh model by its name. The same seed gives the same numbers on every machine.
///
/// # Errors
/// When the config describes no network.
pub fn initial_tensors(config: &ReIdentifierConfig, seed: u64) -> Result<BTreeMap<String, Tensor>, ConfigError> {
    let parameters = config.graph()?.parameters();
    let fill = |(index, parameter): (usize, Parameter)| {
        let tensor = initial_tensor(&parameter, index, seed);
        (parameter.name, tensor)
    };
    Ok(parameters.into_iter().enumerate().map(fill).collect())
}

/// A preset's network with the weights that training begins with, as a file of ours: for measuring how fast it runs. Its
/// features mean nothing.
///
/// # Errors
/// When there is no such preset.
pub fn untrained(name: &str, seed: u64) -> Result<Vec<u8>, WeightsError> {
    let unknown =
        || WeightsError::Unsupported(format!("there is no network \"{name}\"; there are {}", PRESETS.join(", ")));
    let config = preset(name, 0).ok_or_else(unknown)?;
    let provenance = BTreeMap::from([("source".to_owned(), format!("untrained, seed {seed}"))]);
    to_safetensors(&config, &initial_tensors(&config, seed)?, &provenance, Precision::F32)
}

/// The start of the parameter that is the graph's `index`th. Each has its own random stream, so that a new head leaves the
/// backbone's numbers as they were.
pub(crate) fn initial_tensor(parameter: &Parameter, index: usize, seed: u64) -> Tensor {
    let count = parameter.shape.iter().product();
    let values = match parameter.init {
        Init::Constant(value) => vec![value; count],
        Init::Normal(std) => {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(index as u64);
            let normal = Distribution::<f32>::sample_iter(StandardNormal, &mut rng);
            normal.take(count).map(|value| value * std).collect()
        }
    };
    Tensor { shape: parameter.shape.clone(), values }
}
