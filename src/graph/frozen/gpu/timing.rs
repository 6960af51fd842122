//! How long each launch of a network takes, for who measures it.

use wgpu::BufferUsages;

use super::plan::Binding;
use super::readback::read_as;
use super::{GpuError, GpuRunner, word_bytes};

/// A launch of a network, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    pub kernel: &'static str,
    /// The place in [`Frozen::steps`](crate::graph::frozen::Frozen::steps) of what it is for, of a Lite layer the second; the
    /// images' own is for none.
    pub step: Option<usize>,
    /// Of the values that it reads or makes.
    pub bytes: u64,
    pub seconds: f64,
}

/// WebGPU's limit of the queries of a set.
const MOST_QUERIES: usize = 4096;

impl GpuRunner {
    /// Runs the network once more on the images of the last run, and times each of its launches. `None` where the device was
    /// opened without timestamps, or launches are more than can be timed at once.
    ///
    /// # Errors
    /// As [`GpuRunner::run`].
    #[doc(hidden)]
    pub async fn timed(&self, batch: usize) -> Result<Option<Vec<Timed>>, GpuError> {
        let (gpu, device) = (&self.gpu, &self.gpu.device);
        let count = 2 * self.plan.launches.len();
        if batch == 0 || count > MOST_QUERIES || !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let plans = self.batch(batch).await?;
        let size = (count * size_of::<u64>()) as u64;
        let buffer =
            |usage| wgpu::BufferDescriptor { label: Some("timestamps"), size, usage, mapped_at_creation: false };
        let submit = || {
            let (kind, label) = (wgpu::QueryType::Timestamp, Some("timestamps"));
            let queries = device.create_query_set(&wgpu::QuerySetDescriptor { label, ty: kind, count: count as u32 });
            let resolved = device.create_buffer(&buffer(BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC));
            let readback = device.create_buffer(&buffer(BufferUsages::MAP_READ | BufferUsages::COPY_DST));
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            for (launch, query) in plans.launches.iter().zip((0..).step_by(2)) {
                let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(query),
                    end_of_pass_write_index: Some(query + 1),
                });
                let pass = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
                launch.encode(&mut encoder.begin_compute_pass(&pass));
            }
            encoder.resolve_query_set(&queries, 0..count as u32, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &readback, 0, size);
            gpu.queue.submit([encoder.finish()]);
            readback
        };
        let readback = gpu.scoped(submit).await?;
        let stamps = |bytes: &[u8]| bytemuck::pod_collect_to_vec::<u8, u64>(bytes);
        let stamps = read_as(gpu, &readback, self.patience(batch), stamps).await?;
        let period = f64::from(gpu.queue.get_timestamp_period()) * 1e-9;
        let sizes = self.plan.launches.iter().zip(stamps.chunks_exact(2));
        let timed = sizes.map(|(launch, stamps)| Timed {
            kernel: (launch.size)(batch).0.kernel.name,
            step: launch.step,
            bytes: self.bytes_of(&launch.bindings, batch),
            seconds: stamps[1].saturating_sub(stamps[0]) as f64 * period,
        });
        Ok(Some(timed.collect()))
    }

    fn bytes_of(&self, bindings: &[Binding], batch: usize) -> u64 {
        let bytes = |binding: &Binding| match *binding {
            Binding::Images => word_bytes(self.plan.image * batch),
            Binding::Value(id) => self.gpu.bytes(self.plan.sizes[id] * batch),
            Binding::Weights(place) => self.weights.get(place).map_or(0, wgpu::Buffer::size),
        };
        // What stands in for a binding that is not there is another one.
        bindings
            .iter()
            .enumerate()
            .filter(|(i, binding)| !bindings[..*i].contains(binding))
            .map(|(_, b)| bytes(b))
            .sum()
    }
}
