//! What a network sees of a photo: the whole of it or a tile, at the size of its input.

use super::decode::Found;
use super::tiles::Part;
use super::{PersonBox, suppress::Candidate};
use crate::kernels::frozen::preprocess::{Frame, Resizer};
use crate::step::Placement;

/// A box that ends so near to an inner border of a tile, in pixels of the network's input, is taken for cut off there.
const BORDER: f32 = 4.0;

/// A part of a photo, and where it lies in the network's input.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    part: Part,
    place: Placement,
    frame: Frame,
}

impl View {
    pub fn new(part: Part, frame: Frame) -> Self {
        let size = [part.width, part.height].map(|side| side as usize);
        Self { part, place: frame.fit.placement(size, [frame.width, frame.height]), frame }
    }

    /// Takes it out of the photo's rows.
    pub fn taker(&self) -> Taker {
        let (columns, rows) = self.frame.axes(self.part.width as usize, self.part.height as usize);
        Taker { part: self.part, resizer: Resizer::new(columns, rows, self.frame.fit.colour()) }
    }

    /// Somebody in this view, the `place`th of a photo of `[width, height]`, in its pixels; `None` if an inner border cuts
    /// through them: another view has all of them.
    pub fn candidate(&self, found: Found, place: usize, photo: [u32; 2]) -> Option<Candidate> {
        let Part { left, top, .. } = self.part;
        let (right, bottom) = (self.part.right(), self.part.bottom());
        let [x, y, width, height] = found.area;
        let ends = |start: f32, end: f32, first: usize, length: usize, [is_start, is_end]: [bool; 2]| {
            let limit = (first + length) as f32;
            (is_start && start < first as f32 + BORDER) || (is_end && end > limit - BORDER)
        };
        let across = ends(x, x + width, self.place.left, self.place.width, [left > 0, right < photo[0]]);
        let down = ends(y, y + height, self.place.top, self.place.height, [top > 0, bottom < photo[1]]);
        if across || down {
            return None;
        }
        let [x, y, width, height] = self.place.to_picture(found.area);
        let whole = PersonBox { x: x + left as f32, y: y + top as f32, width, height };
        Some(Candidate { person_box: whole.clipped(photo)?, score: found.score, view: place })
    }
}

/// A view on its way to the network.
#[derive(Debug)]
pub(super) struct Taker {
    part: Part,
    resizer: Resizer,
}

impl Taker {
    /// Looks at the photo's row `y`.
    pub fn push(&mut self, y: u32, row: &[u8]) {
        let Part { left, top, .. } = self.part;
        if (top..self.part.bottom()).contains(&y) {
            self.resizer.push(&row[4 * left as usize..4 * self.part.right() as usize]);
        }
    }

    /// The bytes of `[3, height, width]`, red first.
    pub fn finish(self) -> Vec<u8> {
        self.resizer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::frozen::preprocess::Filter;
    use crate::step::Fit;

    #[test]
    fn who_is_cut_by_a_tiles_inner_border_is_left_to_another_view() {
        let frame = Frame { width: 64, height: 64, filter: Filter::Bilinear, fit: Fit::LETTERBOX };
        let photo = [400, 300];
        // The middle of the photo, half as wide as high: in the input it is 32 wide, from 16 on.
        let middle = View::new(Part { left: 100, top: 50, width: 64, height: 128 }, frame);
        let found =
            |view: &View, area| view.candidate(Found { area, score: 0.7 }, 3, photo).map(|c| c.person_box.to_array());
        assert_eq!(found(&middle, [20.0, 4.0, 20.0, 56.0]), Some([108.0, 58.0, 40.0, 112.0]));
        for cut in [[19.0, 4.0, 20.0, 56.0], [20.0, 3.0, 20.0, 56.0], [20.0, 4.0, 25.0, 56.0], [20.0, 4.0, 20.0, 57.0]]
        {
            assert_eq!(found(&middle, cut), None, "{cut:?}");
        }
        // The photo's own edges cut nobody off.
        let whole = View::new(Part::whole(photo), frame);
        assert_eq!(found(&whole, [-3.0, 5.0, 80.0, 90.0]), Some([0.0, 0.0, 400.0, 300.0]));
        let corner = View::new(Part { left: 336, top: 172, width: 64, height: 128 }, frame);
        assert_eq!(found(&corner, [30.0, 20.0, 30.0, 50.0]), Some([364.0, 212.0, 36.0, 88.0]));
        assert_eq!(found(&corner, [18.0, 20.0, 30.0, 50.0]), None);
        // All of it in the letterbox.
        assert_eq!(found(&whole, [10.0, -20.0, 10.0, 20.0]), None);
    }
}
