//! What runs of batches of one size share: buffers, parameters and bind groups.

use std::sync::Arc;

use wgpu::{BufferUsages, util::DeviceExt};

use super::device::{GpuDevice, Pipelines};
use super::plan::{Binding, Plan};
use super::word_bytes;
use crate::graph::frozen::Map;

/// The memory of activations, for batches of up to so many images.
#[derive(Default)]
pub struct Arena {
    pub batch: usize,
    images: Option<wgpu::Buffer>,
    buffers: Vec<wgpu::Buffer>,
}

/// Everything that a batch of a size needs, made once.
pub struct Batch {
    batch: usize,
    arena: Arc<Arena>,
    pub launches: Vec<Ready>,
    params: wgpu::Buffer,
    /// The buffers of the outputs and the bytes of them that are read.
    outputs: Vec<(usize, u64)>,
}

/// A launch with all that it needs.
pub struct Ready {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 3],
}

impl Ready {
    pub fn encode(&self, pass: &mut wgpu::ComputePass) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Arena {
    pub fn new(gpu: &GpuDevice, plan: &Plan, input: Map, batch: usize) -> Self {
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage: usage | BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        };
        let images = word_bytes(input.area() * input.channels * batch);
        let images = buffer("images", images, BufferUsages::COPY_DST);
        let activations = |&size: &usize| buffer("activations", gpu.bytes(size * batch), BufferUsages::COPY_SRC);
        Self { batch, images: Some(images), buffers: plan.buffers.sizes.iter().map(activations).collect() }
    }

    pub fn bytes(&self) -> u64 {
        self.images.iter().chain(&self.buffers).map(wgpu::Buffer::size).sum()
    }
}

impl Batch {
    pub fn new(
        gpu: &GpuDevice,
        plan: &Plan,
        weights: &[wgpu::Buffer],
        pipelines: &Pipelines,
        arena: Arc<Arena>,
        batch: usize,
    ) -> Self {
        let sizes: Vec<_> = plan.launches.iter().map(|launch| (launch.size)(batch)).collect();
        // All parameters in one buffer, each where a binding may begin.
        let alignment = gpu.device.limits().min_uniform_buffer_offset_alignment as usize / size_of::<u32>();
        let (mut words, mut starts) = (Vec::new(), Vec::new());
        for (_, dispatch) in &sizes {
            starts.push((words.len(), dispatch.params.len().next_multiple_of(4)));
            words.extend(&dispatch.params);
            words.resize(words.len().next_multiple_of(alignment.max(4)), 0);
        }
        let params = gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("parameters"),
            contents: bytemuck::cast_slice(&words),
            usage: BufferUsages::UNIFORM,
        });
        let bound = |buffer, offset, size| wgpu::BufferBinding { buffer, offset, size: std::num::NonZero::new(size) };
        let binding = |binding: &Binding| match *binding {
            Binding::Images => arena.images.as_ref().map(|images| bound(images, 0, word_bytes(plan.image * batch))),
            Binding::Value(id) => {
                let size = gpu.bytes(plan.sizes[id] * batch);
                arena.buffers.get(plan.buffers.of[id]).map(|buffer| bound(buffer, 0, size))
            }
            Binding::Weights(place) => weights.get(place).map(|buffer| bound(buffer, 0, 0)),
        };
        let mut launches = Vec::with_capacity(sizes.len());
        for ((launch, (variant, dispatch)), (start, length)) in plan.launches.iter().zip(sizes).zip(starts) {
            let params = bound(&params, word_bytes(start), word_bytes(length));
            let bindings = launch.bindings.iter().filter_map(binding).chain([params]);
            let entries: Vec<_> = bindings
                .zip(0..)
                .map(|(buffer, binding)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(buffer),
                })
                .collect();
            let pipeline = pipelines[&variant].clone();
            let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(variant.kernel.name),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            launches.push(Ready { pipeline, bind_group, workgroups: dispatch.workgroups });
        }
        let output = |&id: &usize| (plan.buffers.of[id], gpu.bytes(plan.sizes[id] * batch));
        let outputs = plan.outputs.iter().map(output).collect();
        Self { batch, arena, launches, params, outputs }
    }

    /// A buffer that the outputs of a run can be read from, one after the other.
    pub fn readback(&self, gpu: &GpuDevice) -> wgpu::Buffer {
        gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: self.outputs.iter().map(|(_, size)| size).sum(),
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Bytes beside the arena's.
    pub fn bytes(&self) -> u64 {
        self.params.size()
    }

    pub fn dispatches(&self) -> usize {
        self.launches.len()
    }

    /// Writes the images and submits one command buffer, which leaves the outputs in `readback`.
    pub fn submit(&self, gpu: &GpuDevice, images: &[f32], readback: &wgpu::Buffer) {
        debug_assert!(self.batch <= self.arena.batch);
        if let Some(buffer) = &self.arena.images {
            gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(images));
        }
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            self.launches.iter().for_each(|launch| launch.encode(&mut pass));
        }
        let mut first = 0;
        for &(buffer, size) in &self.outputs {
            encoder.copy_buffer_to_buffer(&self.arena.buffers[buffer], 0, readback, first, size);
            first += size;
        }
        gpu.queue.submit([encoder.finish()]);
    }
}
