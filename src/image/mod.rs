//! Pictures in: decoding with limits and typed errors, and a score of how much a crop can tell.

mod decode;
mod quality;

pub use decode::{ImageError, MAX_PIXELS, Rgba, decode};
pub use quality::quality;
