//! Where a picture lies in a network's input.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What becomes of a picture of other proportions than the network's input. As text `stretch`, or `letterbox:#727272`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Fit {
    /// It takes the input's.
    #[default]
    Stretch,
    /// It keeps its own, as large as the input holds it, in the middle; the colour (red, green, blue) is around it.
    Letterbox { colour: [u8; 3] },
}

/// The text, as TypeScript knows it.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
const TYPE: &str = r#"
/**
 * What becomes of a picture of other proportions than the network's input: it takes these, or it keeps its own, in the middle
 * of a colour, which is grey if none is given.
 */
export type Fit = "stretch" | "letterbox" | `letterbox:#${string}`;
"#;

impl Fit {
    /// Keeps proportions, with the grey around the picture that most detectors are trained with; it is near ImageNet's mean.
    pub const LETTERBOX: Self = Self::Letterbox { colour: [114; 3] };

    /// Where a picture of `from` pixels lies in an input of `to`, both `[width, height]` and none of them 0.
    ///
    /// A letterbox is that of Pillow's `ImageOps.pad`: the side that has room left is rounded to whole pixels, and so is
    /// half of that room, each half to even; the picture is at least a pixel wide and high.
    pub fn placement(self, from: [usize; 2], to: [usize; 2]) -> Placement {
        let [width, height] = match self {
            Self::Stretch => to,
            Self::Letterbox { .. } => contained(from, to),
        };
        let middle = |room: usize| (room as f64 * 0.5).round_ties_even() as usize;
        Placement {
            scale: [width as f64 / from[0] as f64, height as f64 / from[1] as f64],
            left: middle(to[0] - width),
            top: middle(to[1] - height),
            width,
            height,
        }
    }

    /// What is around the picture; a stretched one leaves nothing.
    pub fn colour(self) -> [u8; 3] {
        match self {
            Self::Stretch => [0; 3],
            Self::Letterbox { colour } => colour,
        }
    }

    pub(crate) fn is_stretch(&self) -> bool {
        *self == Self::Stretch
    }
}

/// The largest size of the proportions of `from` in `to`.
fn contained(from: [usize; 2], to: [usize; 2]) -> [usize; 2] {
    let ratio = |[width, height]: [usize; 2]| width as f64 / height as f64;
    // The proportion first: so Pillow rounds.
    let side = |proportion: f64, other: usize| ((proportion * other as f64).round_ties_even() as usize).max(1);
    let [width, height] = from.map(|side| side as f64);
    if ratio(from) > ratio(to) {
        [to[0], side(height / width, to[0]).min(to[1])]
    } else if ratio(from) < ratio(to) {
        [side(width / height, to[1]).min(to[0]), to[1]]
    } else {
        to
    }
}

/// A picture's place in a network's input, in pixels of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Pixels of the input for one of the picture, across and down.
    pub scale: [f64; 2],
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl Placement {
    /// A box `[x, y, width, height]` of the input in pixels of the picture, beyond whose edges it may reach.
    pub fn to_picture(&self, [x, y, width, height]: [f32; 4]) -> [f32; 4] {
        let [across, down] = self.scale;
        let length = |pixels: f64, scale: f64| (pixels / scale) as f32;
        [
            length(f64::from(x) - self.left as f64, across),
            length(f64::from(y) - self.top as f64, down),
            length(width.into(), across),
            length(height.into(), down),
        ]
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretch => f.write_str("stretch"),
            Self::Letterbox { colour: [red, green, blue] } => write!(f, "letterbox:#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// A word that says no fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no fit; choose stretch, letterbox, or letterbox with the colour around the picture, as in letterbox:#727272"
)]
pub struct UnknownFit(String);

impl FromStr for Fit {
    type Err = UnknownFit;

    fn from_str(word: &str) -> Result<Self, UnknownFit> {
        match word {
            "stretch" => Ok(Self::Stretch),
            "letterbox" => Ok(Self::LETTERBOX),
            _ => {
                let colour = word.strip_prefix("letterbox:#").and_then(colour);
                colour.map(|colour| Self::Letterbox { colour }).ok_or_else(|| UnknownFit(word.to_owned()))
            }
        }
    }
}

/// Red, green and blue of six hexadecimal digits.
fn colour(digits: &str) -> Option<[u8; 3]> {
    let is_colour = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_colour)?;
    let [_, colour @ ..] = number.to_be_bytes();
    Some(colour)
}

impl TryFrom<String> for Fit {
    type Error = UnknownFit;

    fn try_from(word: String) -> Result<Self, UnknownFit> {
        word.parse()
    }
}

impl From<Fit> for String {
    fn from(fit: Fit) -> Self {
        fit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_proportions_in_a_letterbox() {
        // Of Pillow's `ImageOps.pad`: left, top, width and height.
        for (from, to, expected) in [
            ([640, 480], [416, 416], [0, 52, 416, 312]),
            ([48, 128], [128, 256], [16, 0, 96, 256]),
            ([64, 128], [128, 256], [0, 0, 128, 256]),
            // Half a pixel: 3.5 are 4 and 4.5 are 4; half of a room of 1 is 0, of 3 it is 2.
            ([7, 16], [8, 8], [2, 0, 4, 8]),
            ([9, 16], [8, 8], [2, 0, 4, 8]),
            ([7, 8], [8, 8], [0, 0, 7, 8]),
            ([8, 5], [8, 8], [0, 2, 8, 5]),
            ([10_000, 1], [128, 256], [0, 128, 128, 1]),
            ([1, 10_000], [128, 256], [64, 0, 1, 256]),
            ([1000, 1001], [64, 64], [0, 0, 64, 64]),
        ] {
            let Placement { scale, left, top, width, height } = Fit::LETTERBOX.placement(from, to);
            assert_eq!([left, top, width, height], expected, "{from:?} in {to:?}");
            assert_eq!(scale, [width as f64 / from[0] as f64, height as f64 / from[1] as f64]);
        }
    }

    #[test]
    fn a_stretched_picture_fills_the_input() {
        let filled = Placement { scale: [0.5, 2.0], left: 0, top: 0, width: 128, height: 256 };
        assert_eq!(Fit::Stretch.placement([256, 128], [128, 256]), filled);
    }

    #[test]
    fn boxes_come_back_to_the_picture() {
        let placement = Fit::LETTERBOX.placement([640, 480], [416, 416]);
        assert_eq!(placement.to_picture([0.0, 52.0, 416.0, 312.0]), [0.0, 0.0, 640.0, 480.0]);
        assert_eq!(placement.to_picture([65.0, 117.0, 26.0, 52.0]), [100.0, 100.0, 40.0, 80.0]);
        assert_eq!(placement.to_picture([-6.5, 0.0, 13.0, 6.5]), [-10.0, -80.0, 20.0, 10.0]);
        let stretched = Fit::Stretch.placement([640, 480], [320, 320]);
        assert_eq!(stretched.to_picture([10.0, 20.0, 30.0, 40.0]), [20.0, 30.0, 60.0, 60.0]);
    }

    #[test]
    fn a_fit_is_said_in_a_word() {
        let said = |word: &str| word.parse::<Fit>();
        let red = Fit::Letterbox { colour: [255, 0, 16] };
        assert_eq!(said("letterbox"), Ok(Fit::Letterbox { colour: [114, 114, 114] }));
        assert_eq!(said("letterbox:#FF0010"), Ok(red));
        for fit in [Fit::Stretch, Fit::LETTERBOX, red] {
            assert_eq!(said(&fit.to_string()), Ok(fit));
        }
        for wrong in
            ["", "pad", "letterbox:", "letterbox:#fff", "letterbox:#+ff001", "letterbox:#ff00100", "letterbox:#ééé"]
        {
            assert!(said(wrong).is_err(), "{wrong}");
        }
    }
}
