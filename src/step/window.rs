//! Windows that move over a map.

use serde::{Deserialize, Serialize};

/// Rows and columns put around a map, in pixels. Written as `[vertical, horizontal]` where opposite sides are equal, else as
/// `[top, left, bottom, right]`; both are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Padding {
    pub top: usize,
    pub left: usize,
    pub bottom: usize,
    pub right: usize,
}

impl Padding {
    pub const NONE: Self = Self { top: 0, left: 0, bottom: 0, right: 0 };

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

/// A pooling window. With `ceil` a last, partial window counts as well (its padding lies outside the map). Padding counts as
/// zeros in a mean, unless `count_padding` says that it does not count at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding,
    pub ceil: bool,
    #[serde(default = "counted", skip_serializing_if = "is_counted")]
    pub count_padding: bool,
}

fn counted() -> bool {
    true
}

fn is_counted(count_padding: &bool) -> bool {
    *count_padding
}

impl Pool {
    /// Height and width of what it makes of a map; `None` where the map is too small, or a window lies in the padding alone
    /// and has no maximum.
    pub fn output(&self, map: [usize; 2]) -> Option<[usize; 2]> {
        let along = |i: usize| {
            let (kernel, stride) = (self.kernel[i], self.stride[i]);
            let padding = self.padding.along(i);
            let fits = padding.iter().all(|&padding| padding <= kernel / 2);
            fits.then(|| windows(map[i], kernel, stride, padding, self.ceil)).flatten()
        };
        Some([along(0)?, along(1)?])
    }
}

/// How many windows fit along one axis, with so much padding before and after (PyTorch's rule: with `ceil`, the last window
/// must begin inside the map or its padding before).
pub(crate) fn windows(
    size: usize,
    kernel: usize,
    stride: usize,
    [before, after]: [usize; 2],
    ceil: bool,
) -> Option<usize> {
    let span = before.checked_add(after)?.checked_add(size)?.checked_sub(kernel)?;
    let last = span.checked_div(stride).filter(|_| kernel > 0)?;
    if !ceil || span % stride == 0 {
        return Some(last + 1);
    }
    Some(if (last + 1) * stride >= size + before { last + 1 } else { last + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_pytorch() {
        let equal = |size, kernel, stride, padding, ceil| windows(size, kernel, stride, [padding; 2], ceil);
        assert_eq!(equal(128, 3, 2, 1, false), Some(64));
        // fast-reid's max pool: no padding, ceil.
        assert_eq!(equal(128, 3, 2, 0, true), Some(64));
        assert_eq!(equal(127, 3, 2, 0, true), Some(63));
        assert_eq!(equal(2, 3, 1, 0, false), None);
        // As TensorFlow pads a stride of 2.
        assert_eq!(windows(128, 3, 2, [0, 1], false), Some(64));
        // Nothing that a file may say ends in a panic.
        for (kernel, stride, padding) in
            [(3, 0, 1), (0, 1, 0), (3, 1, usize::MAX), (usize::MAX, 2, 1), (3, usize::MAX, 1)]
        {
            for ceil in [false, true] {
                let _ = equal(128, kernel, stride, padding, ceil);
            }
        }
        assert_eq!((equal(128, 3, 0, 1, true), equal(128, 0, 1, 0, false)), (None, None));
    }

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

    #[test]
    fn a_pool_is_written_as_before_padding_had_a_choice() {
        let mut pool =
            Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::all(1), ceil: false, count_padding: true };
        let text = r#"{"kernel":[3,3],"stride":[2,2],"padding":[1,1],"ceil":false}"#;
        assert_eq!(serde_json::to_string(&pool).expect("plain data"), text);
        assert_eq!(serde_json::from_str::<Pool>(text).expect("plain data"), pool);
        pool.count_padding = false;
        let text = serde_json::to_string(&pool).expect("plain data");
        assert_eq!(serde_json::from_str::<Pool>(&text).expect("plain data"), pool);
    }
}
