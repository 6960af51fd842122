//! Which parts of a photo a detector looks at, beside the whole: people who are small in it are too small for the network
//! once all of it is at the network's size.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Tiles overlap their neighbours by this part of their side: who stands on the border of one is whole in another, unless
/// larger than that.
const OVERLAP: f64 = 0.25;
/// Of photos up to so many times the network's input, the whole is enough: people a twelfth as high are found.
const LARGE: u32 = 4;
/// How many times the network's input the side of a tile is, unless there would be too many.
const REDUCTION: u32 = 2;
/// How many tiles a photo is cut into unless a side is asked for.
const MOST_AUTO: u64 = 16;
/// How many it may be cut into at all: minutes of work.
const MOST: u64 = 1024;

/// How a photo is cut into tiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tiles {
    /// Photos whose longer side is more than four times the network's input, in tiles of twice its input or, where these
    /// would be more than 16, the smallest of which there are no more. Others as a whole alone.
    #[default]
    Auto,
    /// The whole photo alone.
    Off,
    /// In squares of this side, in pixels of the photo; photos that are no larger, as a whole.
    Side(NonZeroU32),
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::Side(side) => side.fmt(f),
        }
    }
}

/// A word that says no tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' says no tiles; choose auto, off, or the side of a tile in pixels, as in 416")]
pub struct UnknownTiles(String);

impl FromStr for Tiles {
    type Err = UnknownTiles;

    fn from_str(word: &str) -> Result<Self, UnknownTiles> {
        match word {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => word.parse().map(Self::Side).map_err(|_| UnknownTiles(word.to_owned())),
        }
    }
}

/// Tiles that would be too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tiles of {side} pixels would be {count} in a photo of {}×{}, and {MOST} are the most; take larger ones", photo[0], photo[1])]
pub struct TooManyTiles {
    pub side: u32,
    pub count: u64,
    pub photo: [u32; 2],
}

/// A part of a photo, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl Part {
    pub fn whole([width, height]: [u32; 2]) -> Self {
        Self { left: 0, top: 0, width, height }
    }

    pub fn right(self) -> u32 {
        self.left + self.width
    }

    pub fn bottom(self) -> u32 {
        self.top + self.height
    }
}

impl Tiles {
    /// The tiles of a photo of `[width, height]` for a network whose input's longer side is `input` pixels, row by row;
    /// none where the whole is enough.
    pub(super) fn of(self, photo: [u32; 2], input: u32) -> Result<Vec<Part>, TooManyTiles> {
        let longer = photo[0].max(photo[1]);
        let side = match self {
            Self::Off => return Ok(Vec::new()),
            Self::Side(side) => side.get(),
            Self::Auto if longer <= LARGE.saturating_mul(input) => return Ok(Vec::new()),
            Self::Auto => smallest(photo, REDUCTION.saturating_mul(input)),
        };
        if longer <= side {
            return Ok(Vec::new());
        }
        let count = count(photo, side);
        if count > MOST {
            return Err(TooManyTiles { side, count, photo });
        }
        let [width, height] = photo.map(|length| length.min(side));
        let [columns, rows] = photo.map(|length| starts(length, side));
        let row = |&top: &u32| columns.iter().map(move |&left| Part { left, top, width, height });
        Ok(rows.iter().flat_map(row).collect())
    }
}

/// The smallest side from `least` on of which there are no more tiles than are made unasked.
fn smallest(photo: [u32; 2], least: u32) -> u32 {
    let (mut low, mut high) = (least, least.max(photo[0]).max(photo[1]));
    while low < high {
        let middle = low + (high - low) / 2;
        if count(photo, middle) <= MOST_AUTO { high = middle } else { low = middle + 1 }
    }
    low
}

fn count(photo: [u32; 2], side: u32) -> u64 {
    photo.into_iter().map(|length| along(length, side)).product()
}

/// How many tiles lie along a side of a photo.
fn along(length: u32, side: u32) -> u64 {
    let rest = f64::from(length.saturating_sub(side));
    (rest / (f64::from(side) * (1.0 - OVERLAP))).ceil() as u64 + 1
}

/// Where they begin: evenly from one edge to the other.
fn starts(length: u32, side: u32) -> Vec<u32> {
    let last = along(length, side) - 1;
    let rest = u64::from(length.saturating_sub(side));
    // Within the length.
    (0..=last).map(|place| (rest * place).checked_div(last).unwrap_or_default() as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(side: u32) -> Tiles {
        Tiles::Side(NonZeroU32::new(side).expect("a side"))
    }

    fn shape(tiles: Tiles, photo: [u32; 2]) -> (usize, Option<[u32; 2]>) {
        let parts = tiles.of(photo, 416).expect("tiles");
        (parts.len(), parts.first().map(|part| [part.width, part.height]))
    }

    #[test]
    fn tiles_cover_the_photo_and_overlap_by_a_quarter() {
        for (photo, length) in
            [([768, 576], 416), ([1000, 90], 100), ([8064, 6048], 832), ([101, 100], 100), ([5, 9], 2)]
        {
            let parts = side(length).of(photo, 416).expect("tiles");
            for (axis, limit) in photo.into_iter().enumerate() {
                let spans = parts.iter().map(|p| if axis == 0 { (p.left, p.right()) } else { (p.top, p.bottom()) });
                let mut spans: Vec<_> = spans.collect();
                spans.sort_unstable();
                spans.dedup();
                assert_eq!((spans[0].0, spans[spans.len() - 1].1), (0, limit));
                for pair in spans.windows(2) {
                    let shared = pair[0].1 - pair[1].0;
                    assert!(f64::from(shared) >= (OVERLAP * f64::from(length)).floor(), "{photo:?} {pair:?}");
                }
            }
        }
        assert_eq!(shape(side(416), [768, 576]), (6, Some([416, 416])));
        assert_eq!(shape(side(100), [1000, 90]), (13, Some([100, 90])));
    }

    #[test]
    fn photos_are_cut_when_they_are_large_and_into_few() {
        for (photo, expected) in [
            ([1, 1], (0, None)),
            ([1664, 900], (0, None)),
            ([1665, 900], (6, Some([832, 832]))),
            ([1920, 1080], (6, Some([832, 832]))),
            ([4032, 3024], (15, Some([1210, 1210]))),
            ([8064, 6048], (15, Some([2420, 2420]))),
            // Panoramas: a row of tiles as high as they are.
            ([20_000, 1000], (16, Some([1633, 1000]))),
            ([60_000, 1], (16, Some([4898, 1]))),
        ] {
            assert_eq!(shape(Tiles::Auto, photo), expected, "{photo:?}");
        }
        assert_eq!(shape(Tiles::Off, [8064, 6048]), (0, None));
        assert_eq!(shape(side(9000), [8064, 6048]), (0, None));
    }

    #[test]
    fn tiles_without_end_are_refused() {
        let error = side(1).of([8064, 6048], 416).expect_err("too many");
        assert!(error.to_string().starts_with("tiles of 1 pixels would be 86"), "{error}");
        assert!(side(100).of([100, u32::MAX], 416).is_err());
    }

    #[test]
    fn tiles_are_said_in_a_word() {
        for tiles in [Tiles::Auto, Tiles::Off, side(416)] {
            assert_eq!(tiles.to_string().parse(), Ok(tiles));
        }
        for word in ["", "0", "-3", "on", "4e2"] {
            assert!(word.parse::<Tiles>().expect_err(word).to_string().contains("auto, off"));
        }
    }
}
