//! Windows that move over a map.

use serde::{Deserialize, Serialize};

/// A pooling window. With `ceil` a last, partial window counts as well (its padding lies outside the map).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub ceil: bool,
}

impl Pool {
    /// Height and width of what it makes of a map; `None` where the map is too small, or a window lies in the padding alone
    /// and has no maximum.
    pub fn output(&self, map: [usize; 2]) -> Option<[usize; 2]> {
        let along = |i: usize| {
            let (kernel, padding) = (self.kernel[i], self.padding[i]);
            (padding <= kernel / 2).then(|| windows(map[i], kernel, self.stride[i], padding, self.ceil)).flatten()
        };
        Some([along(0)?, along(1)?])
    }
}

/// How many windows fit along one axis (PyTorch's rule: with `ceil`, the last window must begin inside the map or its left padding).
pub(crate) fn windows(size: usize, kernel: usize, stride: usize, padding: usize, ceil: bool) -> Option<usize> {
    let span = padding.checked_mul(2)?.checked_add(size)?.checked_sub(kernel)?;
    let last = span.checked_div(stride).filter(|_| kernel > 0)?;
    if !ceil || span % stride == 0 {
        return Some(last + 1);
    }
    Some(if (last + 1) * stride >= size + padding { last + 1 } else { last + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_pytorch() {
        assert_eq!(windows(128, 3, 2, 1, false), Some(64));
        // fast-reid's max pool: no padding, ceil.
        assert_eq!(windows(128, 3, 2, 0, true), Some(64));
        assert_eq!(windows(127, 3, 2, 0, true), Some(63));
        assert_eq!(windows(2, 3, 1, 0, false), None);
        // Nothing that a file may say ends in a panic.
        for (kernel, stride, padding) in
            [(3, 0, 1), (0, 1, 0), (3, 1, usize::MAX), (usize::MAX, 2, 1), (3, usize::MAX, 1)]
        {
            for ceil in [false, true] {
                let _ = windows(128, kernel, stride, padding, ceil);
            }
        }
        assert_eq!((windows(128, 3, 0, 1, true), windows(128, 0, 1, 0, false)), (None, None));
    }
}
