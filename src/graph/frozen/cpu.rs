//! Running the frozen form on the CPU: image by image, natively on all threads; where there are fewer images than threads,
//! the steps of each are spread.

use std::borrow::Cow;

use super::{Buffers, Frozen, Map, Operation, Step, ValueId};
use crate::kernels::frozen::{
    LANES, Stored, attention, channel_pool,
    concatenate::copy_channels,
    conv, depthwise, elementwise, gate, gather, gather_channels, global_pool,
    group_norm::{self, Norm},
    grouped, nhwc_input, padded_pixels, pool, resize, transpose, winograd,
};
use crate::kernels::parallel;
use crate::step::{Activation, Part, ResizeFilter};

/// A frozen network with its weights packed.
#[derive(Clone, Debug)]
pub struct CpuRunner {
    steps: Vec<(Packed, Vec<ValueId>, ValueId)>,
    values: Vec<Stored>,
    /// The channels of each value, without the padding.
    channels: Vec<usize>,
    buffers: Buffers,
    outputs: Vec<ValueId>,
}

#[derive(Clone, Debug)]
enum Packed {
    Convolution(conv::Packed),
    Winograd(winograd::Packed),
    Grouped(grouped::Packed),
    Depthwise(depthwise::Packed),
    Gate(gate::Packed),
    Pool(pool::Packed),
    GlobalPool(global_pool::Packed),
    GroupNorm(group_norm::Packed),
    Attention(Box<attention::Packed>),
    Elementwise(elementwise::Packed),
    /// With the numbers for an image.
    Constant(elementwise::Packed, Vec<f32>),
    ChannelPool {
        maximum: bool,
    },
    Slice(usize),
    Concatenate,
    GatherChannels(Vec<u32>),
    Gather(Vec<u32>),
    /// Of each part the numbers, if it is none of the inputs.
    JoinPlaces(Vec<Option<Vec<f32>>>),
    Transpose,
    /// By the table of places.
    Resize(Vec<u32>),
}

/// The memory of a run.
struct Memory {
    buffers: Vec<Vec<f32>>,
    scratch: Vec<f32>,
}

impl CpuRunner {
    /// Packs a network's weights. A network that is given away is let go step by step, so that its weights do not lie in
    /// memory twice.
    pub fn new<'a>(frozen: impl Into<Cow<'a, Frozen>>) -> Self {
        let frozen = frozen.into();
        // The image keeps its three channels where only convolutions read it, which need no padding.
        let image_only =
            |step: &Step| !step.inputs.contains(&0) || matches!(&step.operation, Operation::Convolution(_));
        let bare = frozen.steps.iter().all(image_only);
        let stored = |(id, &map)| Stored::new(map, if id == 0 && bare { 1 } else { LANES });
        let values: Vec<Stored> = frozen.values.iter().enumerate().map(stored).collect();
        let buffers = Buffers::plan(&frozen, |value| values[value].size());
        let (maps, outputs) = (frozen.values.clone(), frozen.outputs.clone());
        let pack = |step: &Step| (pack(&maps, &values, step), step.inputs.clone(), step.output);
        let steps = match frozen {
            Cow::Borrowed(frozen) => frozen.steps.iter().map(pack).collect(),
            Cow::Owned(frozen) => {
                // The last are the largest of most networks: packed first, none of them lies beside all that is packed.
                let mut steps: Vec<_> = frozen.steps.into_iter().rev().map(|step| pack(&step)).collect();
                steps.reverse();
                steps
            }
        };
        Self { steps, buffers, channels: maps.iter().map(|map| map.channels).collect(), outputs, values }
    }

    /// The outputs for images `[n, 3, height, width]`: for each `[n, height · width · channels]`, a vector's channels.
    ///
    /// # Panics
    /// When the images have another size than the network was frozen for.
    pub fn run(&self, images: &[f32]) -> Vec<Vec<f32>> {
        let size = self.values[0].area() * self.channels[0];
        assert!(images.len().is_multiple_of(size), "the images are of the size that the network was frozen for");
        let lengths: Vec<usize> = self.outputs.iter().map(|&id| self.values[id].area() * self.channels[id]).collect();
        let together: usize = lengths.iter().sum();
        let count = images.len() / size;
        let mut out = vec![0.0; count * together];
        // For each image.
        let threads = (parallel::threads() / count.max(1)).max(1);
        parallel::for_each_chunk_with(
            &mut out,
            together,
            || self.memory(),
            |memory, n, out| {
                parallel::awake(threads, || self.image(&images[n * size..][..size], memory, threads, out));
            },
        );
        let mut first = 0;
        let part = |&length: &usize| {
            first += length;
            out.chunks_exact(together).flat_map(|row| row[first - length..first].iter().copied()).collect()
        };
        lengths.iter().map(part).collect()
    }

    fn memory(&self) -> Memory {
        let buffers = self.buffers.sizes.iter().map(|&size| vec![0.0; size]).collect();
        Memory { buffers, scratch: Vec::new() }
    }

    fn image(&self, image: &[f32], memory: &mut Memory, threads: usize, out: &mut [f32]) {
        nhwc_input::run(image, self.values[0], &mut memory.buffers[0]);
        for (packed, inputs, output) in &self.steps {
            let buffer = self.buffers.of[*output];
            // Never one that the step reads.
            let mut made = std::mem::take(&mut memory.buffers[buffer]);
            self.step(packed, inputs, *output, &memory.buffers, (&mut memory.scratch, threads), &mut made);
            memory.buffers[buffer] = made;
        }
        let mut rest = out;
        for &id in &self.outputs {
            let (channels, pitch) = (self.channels[id], self.values[id].pitch);
            let value = &memory.buffers[self.buffers.of[id]][..self.values[id].size()];
            let (to, after) = rest.split_at_mut(self.values[id].area() * channels);
            copy_channels(channels, (value, pitch, 0), (to, channels, 0));
            rest = after;
        }
    }

    fn step(
        &self,
        packed: &Packed,
        inputs: &[ValueId],
        output: ValueId,
        buffers: &[Vec<f32>],
        (scratch, threads): (&mut Vec<f32>, usize),
        made: &mut [f32],
    ) {
        let value = |id: ValueId| &buffers[self.buffers.of[id]][..self.values[id].size()];
        let x = value(inputs[0]);
        let out = &mut made[..self.values[output].size()];
        match packed {
            Packed::Convolution(packed) => packed.run(x, inputs.get(1).map(|&id| value(id)), scratch, threads, out),
            Packed::Winograd(packed) => packed.run(x, inputs.get(1).map(|&id| value(id)), scratch, threads, out),
            Packed::Grouped(packed) => packed.run(x, inputs.get(1).map(|&id| value(id)), scratch, threads, out),
            Packed::Depthwise(packed) => packed.run(x, scratch, threads, out),
            Packed::Gate(packed) => {
                let streams: Vec<&[f32]> = inputs.iter().map(|&id| value(id)).collect();
                packed.run(&streams, scratch, out);
            }
            Packed::Pool(packed) => packed.run(x, threads, out),
            Packed::GlobalPool(packed) => packed.run(x, out),
            Packed::GroupNorm(packed) => packed.run(x, scratch, out),
            Packed::Elementwise(packed) => {
                let inputs: Vec<&[f32]> = inputs.iter().map(|&id| value(id)).collect();
                packed.run(&inputs, out);
            }
            Packed::Constant(packed, values) => packed.run(&[x, values], out),
            Packed::Attention(packed) => {
                let inputs = std::array::from_fn(|i| value(inputs[i]));
                packed.run(inputs, scratch, threads, out);
            }
            &Packed::ChannelPool { maximum } => {
                let (from, to) = (self.values[inputs[0]], self.values[output]);
                channel_pool::run(x, maximum, self.channels[inputs[0]], from, to, out);
            }
            Packed::GatherChannels(channels) => {
                gather_channels::run(x, channels, self.values[inputs[0]], self.values[output], out);
            }
            Packed::Gather(places) => gather::run(x, places, self.values[output].pitch, out),
            Packed::JoinPlaces(parts) => {
                let (mut inputs, mut rest) = (inputs.iter().map(|&id| value(id)), out);
                for part in parts {
                    let Some(from) = part.as_deref().or_else(|| inputs.next()) else { break };
                    let (to, after) = rest.split_at_mut(from.len());
                    to.copy_from_slice(from);
                    rest = after;
                }
            }
            Packed::Transpose => transpose::run(x, self.values[inputs[0]], self.values[output], out),
            Packed::Resize(table) => resize::run(x, table, self.values[inputs[0]], self.values[output], out),
            Packed::Slice(start) => {
                out.fill(0.0);
                let from = (x, self.values[inputs[0]].pitch, *start);
                copy_channels(self.channels[output], from, (out, self.values[output].pitch, 0));
            }
            Packed::Concatenate => {
                out.fill(0.0);
                let mut first = 0;
                for &id in inputs {
                    let from = (value(id), self.values[id].pitch, 0);
                    copy_channels(self.channels[id], from, (&mut *out, self.values[output].pitch, first));
                    first += self.channels[id];
                }
            }
        }
    }
}

fn pack(maps: &[Map], values: &[Stored], step: &Step) -> Packed {
    let input = step.inputs[0];
    let (from, to) = (values[input], values[step.output]);
    let channels = maps[step.output].channels;
    let norm = |norm, eps, affine, activation| {
        Packed::GroupNorm(group_norm::Packed::new(norm, eps, channels, affine, activation, to))
    };
    match &step.operation {
        Operation::Convolution(c) if c.groups > 1 || c.dilation != [1; 2] => {
            Packed::Grouped(grouped::Packed::new(c, maps[input].channels, from, to))
        }
        Operation::Convolution(c) => match winograd::side(c, from, to) {
            Some(side) => Packed::Winograd(winograd::Packed::new(c, maps[input].channels, from, to, side)),
            None => Packed::Convolution(conv::Packed::new(c, maps[input], from, to)),
        },
        Operation::Depthwise(c) => Packed::Depthwise(depthwise::Packed::new(c, from, to)),
        Operation::Gate(gate) => Packed::Gate(gate::Packed::new(gate, to)),
        Operation::Pool { maximum, window } => Packed::Pool(pool::Packed::new(*maximum, *window, from, to)),
        Operation::GlobalPool { reduce, affine, activation } => {
            Packed::GlobalPool(global_pool::Packed::new(*reduce, affine.as_ref(), activation, from))
        }
        &Operation::ChannelPool { maximum } => Packed::ChannelPool { maximum },
        Operation::GroupNorm { groups, eps, affine, activation } => {
            norm(Norm::Groups(*groups), *eps, Some(affine), activation)
        }
        Operation::LayerNorm { eps, affine, activation } => norm(Norm::Layer, *eps, Some(affine), activation),
        Operation::UnitLength { eps } => norm(Norm::UnitLength, *eps, None, &Activation::None),
        Operation::Elementwise { combine, affine, activation } => {
            Packed::Elementwise(elementwise::Packed::new(*combine, affine.as_ref(), activation, to))
        }
        Operation::Constant { combine, values } => {
            let packed = elementwise::Packed::new(*combine, None, &Activation::None, to);
            Packed::Constant(packed, padded_pixels(values, channels, to.pitch))
        }
        Operation::Slice { start } => Packed::Slice(*start),
        Operation::Concatenate => Packed::Concatenate,
        Operation::GatherChannels { channels } => Packed::GatherChannels(channels.clone()),
        Operation::Gather { places } => Packed::Gather(places.clone()),
        Operation::JoinPlaces { parts } => {
            let part = |part: &Part| match part {
                Part::Input => None,
                Part::Constant(values) => Some(padded_pixels(values, channels, to.pitch)),
            };
            Packed::JoinPlaces(parts.iter().map(part).collect())
        }
        Operation::Transpose => Packed::Transpose,
        Operation::Resize { filter: ResizeFilter::Nearest, rule } => Packed::Gather(resize::nearest(*rule, from, to)),
        Operation::Resize { filter: ResizeFilter::Bilinear, rule } => Packed::Resize(resize::table(*rule, from, to)),
        Operation::Attention(attention) => {
            let inputs = std::array::from_fn(|i| values[step.inputs[i]]);
            Packed::Attention(Box::new(attention::Packed::new(attention, channels, inputs, to)))
        }
    }
}
