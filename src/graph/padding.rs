//! What lies around a map when windows move over it.

use serde::{Deserialize, Serialize};

/// Rows and columns put around a map, in pixels. Written as `[vertical, horizontal]` where opposite sides are equal, else as
/// `[top, left, bottom, right]`; both are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Padding {
    pub top: usize,
    pub left: usize,
    pub bottom: usize,
    pub right: usize,
}

impl Padding {
    /// The same on all sides.
    pub fn all(size: usize) -> Self {
        [size; 2].into()
    }

    /// Vertical and horizontal, where opposite sides are equal.
    pub fn symmetric(self) -> Option<[usize; 2]> {
        (self.top == self.bottom && self.left == self.right).then_some([self.top, self.left])
    }

    /// Before and after the map along an axis, vertical or horizontal.
    pub fn along(self, axis: usize) -> [usize; 2] {
        if axis == 0 { [self.top, self.bottom] } else { [self.left, self.right] }
    }
}

impl From<[usize; 2]> for Padding {
    fn from([vertical, horizontal]: [usize; 2]) -> Self {
        Self { top: vertical, left: horizontal, bottom: vertical, right: horizontal }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Symmetric([usize; 2]),
    Sides([usize; 4]),
}

impl From<Written> for Padding {
    fn from(written: Written) -> Self {
        match written {
            Written::Symmetric(sides) => sides.into(),
            Written::Sides([top, left, bottom, right]) => Self { top, left, bottom, right },
        }
    }
}

impl From<Padding> for Written {
    fn from(padding: Padding) -> Self {
        let Padding { top, left, bottom, right } = padding;
        padding.symmetric().map_or(Self::Sides([top, left, bottom, right]), Self::Symmetric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sides_are_written_as_two_numbers() {
        let json = |padding: Padding| serde_json::to_string(&padding).expect("plain data");
        let sides = Padding { top: 0, left: 1, bottom: 1, right: 2 };
        assert_eq!((json([1, 2].into()).as_str(), json(sides).as_str()), ("[1,2]", "[0,1,1,2]"));
        for padding in [Padding::all(3), sides] {
            assert_eq!(serde_json::from_str::<Padding>(&json(padding)).expect("ours"), padding);
        }
        assert!(serde_json::from_str::<Padding>("[1,2,3]").is_err());
    }
}
