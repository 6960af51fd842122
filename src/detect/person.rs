//! Somebody in a photo.

use serde::{Deserialize, Serialize};

/// Where a person stands in a photo, in pixels of the upright image, from its left upper corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct PersonBox {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl PersonBox {
    /// As `[x, y, width, height]`.
    pub fn to_array(self) -> [f32; 4] {
        [self.x, self.y, self.width, self.height]
    }

    /// How much two boxes are the same: the area that they share over the area that they cover, 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let shared = self.shared(other);
        let covered = self.area() + other.area() - shared;
        if covered > 0.0 { shared / covered } else { 0.0 }
    }

    /// The area that both cover, in pixels.
    pub(super) fn shared(&self, other: &Self) -> f32 {
        let across = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let down = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        across.max(0.0) * down.max(0.0)
    }

    pub(super) fn area(&self) -> f32 {
        self.width * self.height
    }

    /// What lies in a photo of `[width, height]` of it; `None` if that is nothing.
    pub(super) fn clipped(self, photo: [u32; 2]) -> Option<Self> {
        let side = |start: f32, length: f32, limit: u32| {
            let limit = limit as f32;
            let [start, end] = [start, start + length].map(|at| at.clamp(0.0, limit));
            (end > start).then_some((start, end - start))
        };
        let ((x, width), (y, height)) = (side(self.x, self.width, photo[0])?, side(self.y, self.height, photo[1])?);
        Some(Self { x, y, width, height })
    }
}

/// Somebody whom a detector found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Person {
    #[serde(rename = "box")]
    pub person_box: PersonBox,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of([x, y, width, height]: [f32; 4]) -> PersonBox {
        PersonBox { x, y, width, height }
    }

    #[test]
    fn overlap_is_shared_over_covered() {
        let whole = of([0.0, 0.0, 4.0, 2.0]);
        for (other, overlap) in [
            ([0.0, 0.0, 4.0, 2.0], 1.0),
            ([2.0, 0.0, 2.0, 2.0], 0.5),
            ([2.0, 1.0, 4.0, 2.0], 2.0 / 14.0),
            ([4.0, 0.0, 1.0, 1.0], 0.0),
            ([9.0, 9.0, 1.0, 1.0], 0.0),
        ] {
            assert_eq!(whole.overlap(&of(other)), overlap, "{other:?}");
            assert_eq!(of(other).overlap(&whole), overlap, "{other:?}");
        }
        let nothing = of([1.0, 1.0, 0.0, 0.0]);
        assert_eq!(nothing.overlap(&nothing), 0.0);
    }

    #[test]
    fn what_reaches_beyond_the_photo_is_cut_off() {
        assert_eq!(of([-2.0, 1.0, 5.0, 9.0]).clipped([10, 8]), Some(of([0.0, 1.0, 3.0, 7.0])));
        assert_eq!(of([1.5, 1.0, 2.0, 3.0]).clipped([10, 8]), Some(of([1.5, 1.0, 2.0, 3.0])));
        for outside in [[-3.0, 0.0, 3.0, 3.0], [10.0, 0.0, 2.0, 2.0], [1.0, 9.0, 2.0, 2.0], [f32::NAN, 0.0, 1.0, 1.0]] {
            assert_eq!(of(outside).clipped([10, 8]), None, "{outside:?}");
        }
        assert_eq!(of([-1e30, -1e30, 2e30, f32::INFINITY]).clipped([10, 8]), Some(of([0.0, 0.0, 10.0, 8.0])));
    }
}
