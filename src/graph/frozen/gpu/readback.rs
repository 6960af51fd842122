//! Reading a buffer without blocking the page; natively the device is polled.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use half::f16;

use super::answer::within;
use super::{GpuDevice, GpuError};

/// What the callback of a mapping leaves for who waits.
#[derive(Default)]
struct Mapped {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

/// The activations in a buffer, once the work that was submitted is done, which may take so long.
pub async fn read(gpu: &GpuDevice, buffer: &wgpu::Buffer, limit: Duration) -> Result<Vec<f32>, GpuError> {
    let activations = |bytes: &[u8]| {
        if gpu.is_half() {
            let values: Vec<u16> = bytemuck::pod_collect_to_vec(bytes);
            values.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect()
        } else {
            bytemuck::pod_collect_to_vec(bytes)
        }
    };
    read_as(gpu, buffer, limit, activations).await
}

/// What `decode` makes of a buffer's bytes, once the work that was submitted is done, which may take so long.
pub async fn read_as<T>(
    gpu: &GpuDevice,
    buffer: &wgpu::Buffer,
    limit: Duration,
    decode: impl FnOnce(&[u8]) -> T,
) -> Result<T, GpuError> {
    let mapped = Arc::new(Mutex::new(Mapped::default()));
    let told = mapped.clone();
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        let mut mapped = told.lock().unwrap_or_else(PoisonError::into_inner);
        mapped.result = Some(result);
        mapped.waker.take().into_iter().for_each(Waker::wake);
    });
    #[cfg(not(target_arch = "wasm32"))]
    match gpu.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(limit) }) {
        Ok(_) => {}
        Err(wgpu::PollError::Timeout) => return Err(GpuError::Silent(limit.as_secs())),
        Err(error) => {
            gpu.check()?;
            return Err(GpuError::Refused(error.to_string()));
        }
    }
    let result = poll_fn(|context| {
        let mut mapped = mapped.lock().unwrap_or_else(PoisonError::into_inner);
        mapped.waker = Some(context.waker().clone());
        mapped.result.take().map_or(Poll::Pending, Poll::Ready)
    });
    let result = within(limit, result).await;
    gpu.check()?;
    let result = result?;
    result.map_err(|error| GpuError::Refused(error.to_string()))?;
    let view = buffer.get_mapped_range(..).map_err(|error| GpuError::Refused(error.to_string()))?;
    let values = decode(&view);
    drop(view);
    buffer.unmap();
    Ok(values)
}
