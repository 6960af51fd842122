//! The devices and the networks that are looked at.

use std::error::Error;
use std::fs;
use std::path::Path;

use pollster::block_on;
use webreid::graph::frozen::{Frozen, GpuDevice, GpuError, Timed};
use webreid::model::preset;
use webreid::step::Operation;
use webreid::weights::{BUNDLED, Checkpoint, Precision, Recognised, Tensor, bundled, recognise};

use crate::frozen_cases::noisy;
use crate::report::{Adapter, Row};
use crate::section::Context;

/// A network, with feature and embedding as outputs.
pub struct Network {
    pub name: String,
    pub frozen: Frozen,
    /// Images and the embeddings that were published for them.
    pub published: Option<[Tensor; 2]>,
}

const PUBLISHED: [&str; 2] = ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"];

pub fn adapter(context: &Context) -> Result<(), Box<dyn Error>> {
    let gpu = open(Precision::F32)?;
    let (device, _) = gpu.wgpu();
    let limits = device.limits();
    context.tell(Row::Adapter(Adapter {
        name: gpu.name().to_owned(),
        software: gpu.is_software(),
        f16: open(Precision::F16).is_ok(),
        timestamps: device.features().contains(wgpu::Features::TIMESTAMP_QUERY),
        largest_buffer: limits.max_buffer_size.min(limits.max_storage_buffer_binding_size),
    }));
    Ok(())
}

fn open(precision: Precision) -> Result<GpuDevice, GpuError> {
    block_on(GpuDevice::open_to_measure(Some(precision)))
}

/// The GPU by its precisions, with the launches of hardware.
pub fn devices(context: &Context) -> Result<Vec<(&'static str, GpuDevice)>, GpuError> {
    let mut devices = vec![("f32", open(Precision::F32)?.as_hardware())];
    match open(Precision::F16) {
        Ok(gpu) => devices.push(("f16", gpu.as_hardware())),
        Err(error) => context.tell(Row::Note(format!("nothing in f16: {error}"))),
    }
    Ok(devices)
}

/// `published`: all of those that were, and not only the first.
pub fn networks(context: &Context, all_published: bool) -> Result<Vec<Network>, Box<dyn Error>> {
    let mut networks = Vec::new();
    match &context.weights {
        Some(folder) => {
            for file in &PUBLISHED[..if all_published { PUBLISHED.len() } else { 1 }] {
                networks.push(published(folder, file)?);
            }
        }
        None => networks.push(at_random("osnet_x0_25", [256, 128])?),
    }
    networks.push(Network { name: BUNDLED.to_owned(), frozen: freeze(&bundled()?)?, published: None });
    // Of the same layers.
    networks.push(at_random("reid_resnet50", if context.quick { [64, 32] } else { [256, 128] })?);
    Ok(networks)
}

fn published(folder: &Path, file: &str) -> Result<Network, Box<dyn Error>> {
    let read = |name: &str| -> Result<Checkpoint, Box<dyn Error>> {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Checkpoint::read(&bytes)?)
    };
    let name = file.split('.').next().unwrap_or(file);
    let mut reference = read("reference_features.safetensors")?.tensors;
    let published = reference.remove("input").zip(reference.remove(name)).map(<[Tensor; 2]>::from);
    Ok(Network { name: name.to_owned(), frozen: freeze(&recognise(read(file)?)?)?, published })
}

fn at_random(name: &str, [height, width]: [usize; 2]) -> Result<Network, Box<dyn Error>> {
    let config = preset(name, 0).ok_or(format!("there is no {name}"))?;
    let name = format!("{name} at random, {height}×{width}");
    Ok(Network { name, frozen: noisy(&config, height, width), published: None })
}

fn freeze(Recognised { config, tensors, .. }: &Recognised) -> Result<Frozen, Box<dyn Error>> {
    let graph = config.graph()?;
    let outputs = [graph.feature, graph.embedding];
    Ok(Frozen::new(&graph, &outputs, tensors, config.input.height, config.input.width)?)
}

impl Network {
    /// Values of an image.
    pub fn image(&self) -> usize {
        self.frozen.input().area() * self.frozen.input().channels
    }

    /// The multiplications of a launch, for one image.
    pub fn products(&self, launch: &Timed) -> u64 {
        let Some(step) = launch.step.map(|place| &self.frozen.steps[place]) else { return 0 };
        let own = self.frozen.products_of(step);
        // A Lite layer is two steps in one launch.
        let is_lite = launch.kernel != "depthwise" && matches!(step.operation, Operation::Depthwise(_));
        let first = self.frozen.steps.iter().find(|first| is_lite && first.output == step.inputs[0]);
        own + first.map_or(0, |first| self.frozen.products_of(first))
    }
}

/// The median; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The smallest; 0 of none.
pub fn smallest(values: Vec<f64>) -> f64 {
    values.into_iter().reduce(f64::min).unwrap_or_default()
}
