//! safetensors files: anyone's in, ours out.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ::safetensors::{Dtype, SafeTensors, View};
use half::f16;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::element::Element;
use super::{Checkpoint, Fingerprint, Tensor, WeightsError, detector};
use crate::graph::Parameter;
use crate::graph::budget::{self, DESCRIPTION};
use crate::model::{ConfigError, ReIdentifierConfig};
use crate::tensor::Precision;

/// The key of a file's metadata under which [`Description`] stands, as JSON. It is one entry because safetensors writes
/// several in no fixed order, and the same model shall give the same bytes.
pub(super) const METADATA_KEY: &str = "webreid";
/// The newest version of [`Description`]. A file says the oldest that can say its network.
pub(super) const VERSION: u32 = 2;

/// What a file of ours says about itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Description {
    pub version: u32,
    pub config: ReIdentifierConfig,
    pub provenance: BTreeMap<String, String>,
    /// Of the model that the file gives when it is read, for other programs to know it by. Nothing here believes it: whoever
    /// extracts computes the fingerprint again.
    #[serde(skip_deserializing)]
    pub fingerprint: Option<String>,
}

/// The version alone: a newer file may describe models that cannot be parsed here.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

/// What a file of ours says about itself, of which `newest` is the newest version that is known.
pub(super) fn described<D: DeserializeOwned>(json: &str, newest: u32) -> Result<D, WeightsError> {
    match (serde_json::from_str::<Version>(json), serde_json::from_str(json)) {
        (Ok(Version { version }), _) if version > u64::from(newest) => Err(WeightsError::Unsupported(format!(
            "the file was written by a newer webreid (version {version} of the format, {newest} is known here); update this one"
        ))),
        (_, Ok(description)) => Ok(description),
        (_, Err(error)) => Err(WeightsError::Damaged { format: "webreid", reason: error.to_string() }),
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    let damaged = |error: ::safetensors::SafeTensorError| WeightsError::Damaged {
        format: "safetensors",
        reason: error.to_string(),
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let described =
        |key: &str| header.metadata().as_ref().and_then(|metadata| metadata.get(key)).map_or(0, String::len);
    for key in [METADATA_KEY, detector::KEY] {
        let length = described(key) as u64;
        budget::within(|| "the description of the model".into(), length, "bytes", DESCRIPTION as u64)?;
    }
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(damaged)?.iter() {
        let element = match view.dtype() {
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::BOOL | Dtype::I8 | Dtype::U8 | Dtype::I16 | Dtype::U16 => continue,
            Dtype::I32 | Dtype::U32 | Dtype::I64 | Dtype::U64 => continue,
            other => {
                return Err(WeightsError::Unsupported(format!(
                    "tensor `{name}` is stored as {other}; f32, f16, bf16 and f64 are read"
                )));
            }
        };
        let values = element.decode(view.data(), false);
        tensors.insert(name.to_owned(), Tensor { shape: view.shape().to_vec(), values });
    }
    Ok(Checkpoint { tensors, metadata, ..Checkpoint::default() })
}

/// A file that [`Checkpoint::read`] and [`recognise`](super::recognise) turn back into the same model: `tensors` by our own
/// names with `config`, `provenance` (free text, such as `source` and `dialect`) and the model's [`Fingerprint`] in its
/// metadata. The same model gives the same bytes.
///
/// `tensors` must be the parameters of `config`'s graph, no fewer, no more, in their shapes.
pub fn to_safetensors(
    config: &ReIdentifierConfig,
    tensors: &BTreeMap<String, Tensor>,
    provenance: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let graph = config.graph()?;
    let shapes = graph.shapes(config.input.height, config.input.width).map_err(ConfigError::from)?;
    check(&graph.parameters(), tensors)?;
    let fingerprint = match precision {
        Precision::F32 => Fingerprint::of(config, tensors)?,
        Precision::F16 => {
            let read = tensors.iter().map(|(name, tensor)| (name.clone(), Stored::new(tensor, precision).read()));
            Fingerprint::of(config, &read.collect())?
        }
    };
    let description = Description {
        version: graph.file_version(&shapes).max(config.input.file_version()),
        config: config.clone(),
        provenance: provenance.clone(),
        fingerprint: Some(fingerprint.to_string()),
    };
    write(tensors, METADATA_KEY, &description, precision)
}

/// That the tensors are these parameters, no fewer, no more, in their shapes.
pub(super) fn check(parameters: &[Parameter], tensors: &BTreeMap<String, Tensor>) -> Result<(), WeightsError> {
    for parameter in parameters {
        let missing = || WeightsError::Unsupported(format!("there is no tensor `{}` to write", parameter.name));
        let tensor = tensors.get(&parameter.name).ok_or_else(missing)?;
        if tensor.shape != parameter.shape || tensor.values.len() != parameter.shape.iter().product::<usize>() {
            return Err(WeightsError::Shape {
                tensor: parameter.name.clone(),
                found: tensor.shape.clone(),
                expected: parameter.shape.clone(),
            });
        }
    }
    if tensors.len() != parameters.len() {
        let known = |name: &&String| !parameters.iter().any(|parameter| parameter.name == **name);
        let foreign: Vec<_> = tensors.keys().filter(known).collect();
        return Err(WeightsError::Unsupported(format!("the network has no {}", super::error::list(&foreign))));
    }
    Ok(())
}

/// A file of these tensors that says what it is under `key`.
pub(super) fn write(
    tensors: &BTreeMap<String, Tensor>,
    key: &str,
    description: &impl Serialize,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let unwritable = |error: &dyn std::fmt::Display| WeightsError::Unsupported(format!("could not write: {error}"));
    let description = serde_json::to_string(description).map_err(|error| unwritable(&error))?;
    let views = tensors.iter().map(|(name, tensor)| (name, Stored::new(tensor, precision)));
    ::safetensors::serialize(views, Some(HashMap::from([(key.to_owned(), description)])))
        .map_err(|error| unwritable(&error))
}

/// A tensor as it will lie in the file.
struct Stored<'a> {
    tensor: &'a Tensor,
    dtype: Dtype,
}

impl<'a> Stored<'a> {
    fn new(tensor: &'a Tensor, precision: Precision) -> Self {
        let fits = || tensor.values.iter().all(|value| f16::from_f32(*value).is_finite());
        let dtype = if precision == Precision::F16 && fits() { Dtype::F16 } else { Dtype::F32 };
        Self { tensor, dtype }
    }

    /// The tensor as it will be read from the file.
    fn read(&self) -> Tensor {
        let mut tensor = self.tensor.clone();
        if self.dtype == Dtype::F16 {
            tensor.values.iter_mut().for_each(|value| *value = f16::from_f32(*value).to_f32());
        }
        tensor
    }
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.tensor.values.iter();
        match self.dtype {
            Dtype::F16 => values.flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
            _ => values.flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        self.tensor.values.len() * if self.dtype == Dtype::F16 { 2 } else { 4 }
    }
}
/// The file with the entries of its header in the order of their names, so that the same content is the same bytes: `serialize`
/// writes its metadata in another order each time. What is no such file stays as it is.
pub fn in_order(mut file: Vec<u8>) -> Vec<u8> {
    let Some((length, rest)) = file.split_first_chunk_mut::<8>() else { return file };
    let header = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| rest.get_mut(..length));
    let Some(header) = header else { return file };
    type Header = BTreeMap<String, BTreeMap<String, serde_json::Value>>;
    let sorted = serde_json::from_slice::<Header>(header).and_then(|header| serde_json::to_vec(&header));
    if let Ok(sorted) = sorted
        && sorted.len() <= header.len()
    {
        header[..sorted.len()].copy_from_slice(&sorted);
        header[sorted.len()..].fill(b' ');
    }
    file
}
