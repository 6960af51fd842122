//! The numbers of a network as they lie in memory and in files.

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// How numbers are written, to a file or to a GPU's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    F32,
    /// Half the size, 11 bits of precision. In a file a tensor that leaves f16's range (±65504) stays f32.
    F16,
}
