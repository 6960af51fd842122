//! Whole networks, in both precisions, against the CPU and against what was published.

use std::error::Error;

use pollster::block_on;
use webreid::graph::frozen::{CpuRunner, GpuRunner};

use crate::common::relative_error;
use crate::frozen_cases::{HALF_NETWORK, TOLERANCE, noise};
use crate::networks::{devices, networks};
use crate::report::{Feature, Row};
use crate::section::Context;

/// Images where none were published.
const IMAGES: usize = 5;

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    let devices = devices(context)?;
    for network in networks(context, true)? {
        if context.cuts(|| network.name.clone()) {
            break;
        }
        let images = match &network.published {
            Some([images, _]) => images.values.clone(),
            None => noise(IMAGES * network.image(), 7),
        };
        let batch = images.len() / network.image();
        let embeddings = |outputs: Vec<Vec<f32>>| outputs.into_iter().nth(1).unwrap_or_default();
        let cpu = embeddings(CpuRunner::new(&network.frozen).run(&images));
        for (precision, gpu) in &devices {
            let allowed = if gpu.is_half() { HALF_NETWORK } else { 2.0 * TOLERANCE };
            let runner = block_on(GpuRunner::new(gpu, &network.frozen))?;
            let found = embeddings(block_on(runner.run(&images, batch))?);
            let published = network.published.as_ref().map(|[_, features]| ("published", &features.values));
            for (against, expected) in [("CPU", &cpu)].into_iter().chain(published) {
                let error = relative_error(&found, expected);
                context.tell(Row::Feature(Feature {
                    network: network.name.clone(),
                    precision: (*precision).to_owned(),
                    against: against.to_owned(),
                    images: batch,
                    error: Some(error).filter(|error| error.is_finite()),
                    cosine: smallest_cosine(&found, expected, found.len() / batch),
                    allowed,
                    right: error <= allowed,
                }));
            }
        }
    }
    Ok(())
}

/// Of rows of so many values.
fn smallest_cosine(a: &[f32], b: &[f32], row: usize) -> Option<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let rows = a.chunks_exact(row).zip(b.chunks_exact(row));
    let cosines = rows.map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    cosines.reduce(f64::min).map(|cosine| cosine as f32).filter(|cosine| cosine.is_finite())
}
