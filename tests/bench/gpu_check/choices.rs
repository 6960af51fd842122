//! What the planner of launches chooses among, all of it timed: the tiles of convolutions, and how Lite layers are run.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use pollster::block_on;
use webreid::graph::frozen::{Choices, GpuDevice, GpuError, GpuRunner, Lite, Map, Step, Timed};
use webreid::kernels::frozen::{Stored, VEC, conv, lite};
use webreid::step::{Convolution, Operation};

use crate::frozen_cases::noise;
use crate::networks::{Network, devices, networks, smallest};
use crate::report::{Choice, Row};
use crate::section::Context;
use crate::speed::{BATCHES, launches};

/// How often launches are timed.
const TIMES: usize = 3;
const QUICK_TIMES: usize = 1;
const QUICK_BATCHES: [usize; 1] = [1];
/// How long a GPU works before anything is timed: its clock is slow when it has slept.
const WARM: Duration = Duration::from_secs(1);

/// Layers of the same sizes, for a batch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Layer {
    batch: usize,
    of: &'static str,
    name: String,
    /// What the planner takes.
    planned: String,
}

/// How many layers there are, and their time by the choice.
type Layers = BTreeMap<Layer, (usize, BTreeMap<String, f64>)>;

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    let devices = devices(context)?;
    let networks = networks(context, false)?;
    if let (Some(network), [(_, gpu), ..]) = (networks.last(), &devices[..]) {
        let (runner, image) = (block_on(GpuRunner::new(gpu, &network.frozen))?, noise(network.image(), 7));
        let begun = Instant::now();
        while begun.elapsed() < WARM && !context.quick {
            block_on(runner.run(&image, 1))?;
        }
    }
    for network in &networks {
        for (precision, gpu) in &devices {
            if context.cuts(|| format!("{} in {precision}, and what comes after it", network.name)) {
                return Ok(());
            }
            time(context, network, precision, gpu)?;
        }
    }
    Ok(())
}

/// The choices of each run. Tiles and Lite layers have nothing to do with each other, so that a run serves one of both; but where
/// the layers are two convolutions, the planner tiles these.
fn runs() -> Vec<Choices> {
    let mut lites = (1..=lite::MOST_PIXELS).map(Lite::Tiles).chain([Lite::Strips]);
    let mut runs: Vec<Choices> =
        conv::TILES.into_iter().map(|(tile, _)| Choices { tile: Some(tile), lite: lites.next() }).collect();
    runs.extend(lites.chain([Lite::Apart]).map(|lite| Choices { tile: None, lite: Some(lite) }));
    runs
}

fn name_of(tile: conv::Tile) -> String {
    let conv::Tile { pixels, outputs, threads: [along, across], depth } = tile;
    let depth = match depth {
        conv::Depth::Shared(1) => String::new(),
        conv::Depth::Shared(threads) => format!("×{threads}"),
        conv::Depth::Staged(depth) => format!(", {} deep", VEC * depth),
    };
    format!("{pixels}×{outputs} by {along}×{across}{depth}")
}

fn name_of_lite(lite: Lite) -> String {
    match lite {
        Lite::Tiles(pixels) => format!("{pixels} pixels"),
        Lite::Strips => "strips".to_owned(),
        Lite::Apart => "apart".to_owned(),
    }
}

fn time(context: &Context, network: &Network, precision: &str, gpu: &GpuDevice) -> Result<(), Box<dyn Error>> {
    let mut layers = Layers::new();
    let (mut batches, times) =
        if context.quick { (QUICK_BATCHES.to_vec(), QUICK_TIMES) } else { (BATCHES.to_vec(), TIMES) };
    let images = noise(batches.iter().max().map_or(0, |batch| batch * network.image()), 7);
    let mut lite_layers = None;
    for choices in runs() {
        let chosen = || choices.tile.map(name_of).into_iter().chain(choices.lite.map(name_of_lite));
        let what = || format!("{} in {precision}: {}", network.name, chosen().collect::<Vec<_>>().join(", "));
        if context.cuts(what) {
            break;
        }
        let runner = block_on(GpuRunner::choosing(gpu, &network.frozen, choices))?;
        for (place, &batch) in batches.iter().enumerate() {
            let ran = block_on(runner.run(&images[..batch * network.image()], batch));
            let timed = match ran.and_then(|_| launches(&runner, batch, times, smallest)) {
                Ok(Some(timed)) => timed,
                Ok(None) => return Err("without timestamps no launch can be timed".into()),
                Err(error @ (GpuError::OutOfMemory | GpuError::TooLarge { .. })) => {
                    context.tell(Row::Note(format!("{}, batch {batch}: {error}", what())));
                    batches.truncate(place);
                    break;
                }
                Err(error) => return Err(format!("{}, batch {batch}: {error}", what()).into()),
            };
            // The first run has them in one launch.
            let lite_layers = lite_layers.get_or_insert_with(|| of_lite_layers(network, &timed));
            add(network, batch, &timed, lite_layers, choices, &mut layers);
        }
    }
    for (Layer { batch, of, name, planned }, (count, us)) in layers {
        context.tell(Row::Choice(Choice {
            network: network.name.clone(),
            precision: precision.to_owned(),
            batch,
            layer: name,
            layers: count,
            of: of.to_owned(),
            planned,
            us,
        }));
    }
    Ok(())
}

/// The steps of Lite layers, each with the layer's second.
fn of_lite_layers(network: &Network, timed: &[Timed]) -> BTreeMap<usize, usize> {
    let steps = &network.frozen.steps;
    let seconds = timed.iter().filter(|launch| launch.kernel.starts_with("lite")).filter_map(|launch| launch.step);
    let of_layer = |second: usize| {
        let first = steps.iter().position(|step| step.output == steps[second].inputs[0]);
        first.into_iter().chain([second]).map(move |step| (step, second))
    };
    seconds.flat_map(of_layer).collect()
}

/// Adds what a run took.
fn add(
    network: &Network,
    batch: usize,
    timed: &[Timed],
    lite_layers: &BTreeMap<usize, usize>,
    choices: Choices,
    layers: &mut Layers,
) {
    let mut counts = BTreeMap::new();
    for (place, launch) in timed.iter().filter_map(|launch| Some((launch.step?, launch))) {
        let second = lite_layers.get(&place);
        let step = &network.frozen.steps[*second.unwrap_or(&place)];
        let (choice, layer) = match (&step.operation, second) {
            (_, Some(_)) => (choices.lite.map(name_of_lite), lite_layer(network, batch, step)),
            (Operation::Convolution(c), None) if c.groups == 1 => {
                let inputs = Stored::new(network.frozen.values[step.inputs[0]], VEC).vecs();
                let tile = choices.tile.filter(|tile| tile.fits(inputs));
                (tile.map(name_of), convolution(network, batch, step, c))
            }
            _ => continue,
        };
        let Some(choice) = choice else { continue };
        if second.is_none_or(|&second| second == place) {
            *counts.entry(layer.clone()).or_insert(0) += 1;
        }
        *layers.entry(layer).or_default().1.entry(choice).or_default() += launch.seconds * 1e6;
    }
    for (layer, count) in counts {
        layers.entry(layer).or_default().0 = count;
    }
}

fn size(Map { height, width, channels }: Map) -> String {
    format!("{height}×{width}×{channels}")
}

fn convolution(network: &Network, batch: usize, step: &Step, c: &Convolution) -> Layer {
    let [from, to] = [step.inputs[0], step.output].map(|id| network.frozen.values[id]);
    let Convolution { kernel: [height, width], stride, .. } = *c;
    let stride = if stride == [1; 2] { String::new() } else { format!(" / {}", stride[0]) };
    let residual = if step.inputs.len() > 1 { " + residual" } else { "" };
    let [inputs, outputs] = [from, to].map(|map| Stored::new(map, VEC).vecs());
    let tile = conv::tile(height * width, inputs, batch * to.area(), outputs, false);
    Layer {
        batch,
        of: "tile",
        name: format!("{} to {}, {height}×{width}{stride}{residual}", size(from), size(to)),
        planned: name_of(tile),
    }
}

fn lite_layer(network: &Network, batch: usize, second: &Step) -> Layer {
    let from = network.frozen.values[second.inputs[0]];
    Layer { batch, of: "lite", name: size(from), planned: name_of_lite(Lite::Tiles(lite::PLANNED_PIXELS)) }
}
