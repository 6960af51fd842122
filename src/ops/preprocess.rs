//! RGBA bytes to a network's input.

use burn::{
    backend::Dispatch,
    tensor::{DType, Device, Int, Tensor, TensorData},
};

use super::{OpError, ReidOps};
use crate::kernels::frozen::preprocess::{Axis, Frame, Plan, Rgba};

/// The pixels that WebGPU's default largest storage buffer of 128 MiB holds.
const MAX_PIXELS: usize = 1 << 25;

/// Resizes and normalises an image on the device: `[1, 3, height, width]` of the plan's frame, the resize being Pillow's of 8-bit
/// RGB to the bit. Images make a batch by `Tensor::cat`.
pub fn preprocess(image: Rgba, plan: &Plan, device: &Device) -> Result<Tensor<4>, OpError> {
    let pixels = image.width() * image.height();
    if pixels > MAX_PIXELS {
        return Err(OpError::ImageTooLarge { pixels, limit: MAX_PIXELS });
    }
    let Frame { width, height, .. } = plan.frame;
    if width == 0 || height == 0 {
        return Err(OpError::Empty { what: "the planned input", shape: vec![height, width] });
    }
    let words = TensorData::from_bytes_vec(image.bytes().to_vec(), [image.height(), image.width()], DType::I32);
    let words = Tensor::<2, Int>::from_data(words, (device, DType::I32));
    let table = |Axis { stride, table }: Axis| {
        let lines = table.len() / stride;
        Tensor::<2, Int>::from_data(TensorData::new(table, [lines, stride]), (device, DType::I32))
    };
    let (columns, rows) = plan.axes(image);
    Ok(Tensor::from_dispatch(Dispatch::preprocess(
        words.into_dispatch(),
        table(columns).into_dispatch(),
        table(rows).into_dispatch(),
        *plan,
    )))
}
