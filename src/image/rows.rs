//! Pictures as rows: what looks at one row after another needs no second copy of the picture.

use super::Rgba;

/// An upright picture that shows itself row by row.
pub trait Rows {
    fn width(&self) -> u32;
    fn height(&self) -> u32;
    /// Calls `take` with each row from the top, `4 · width` bytes: R, G, B and a fourth that means nothing.
    fn for_each_row(&self, take: impl FnMut(&[u8]));
}

impl Rows for Rgba {
    fn width(&self) -> u32 {
        self.width
    }

    fn height(&self) -> u32 {
        self.height
    }

    fn for_each_row(&self, take: impl FnMut(&[u8])) {
        self.pixels.chunks_exact(4 * self.width.max(1) as usize).for_each(take);
    }
}
