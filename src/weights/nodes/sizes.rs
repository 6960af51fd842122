//! The whole numbers that files compute shapes and places with: a batch that is open is known by name only, everything else
//! by value.

use std::rc::Rc;

use super::array::{Array, count};
use super::{Refusal, unsupported};
use crate::graph::budget::Budget;

/// One number of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Known(i64),
    /// So many times the batch.
    Batch(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Places in the values of all images, laid in a row: those of image `n` are `step · n + first`. The batch stands first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    pub step: i64,
    pub first: Rc<[i64]>,
    /// Without the batch.
    pub shape: Vec<usize>,
}

impl Size {
    pub fn known(self) -> Option<i64> {
        if let Self::Known(number) = self { Some(number) } else { None }
    }

    /// How often the batch, or how many, as a number to multiply with.
    pub fn times(self) -> i64 {
        let (Self::Known(number) | Self::Batch(number)) = self;
        number
    }
}

pub(super) fn known(size: usize) -> Size {
    Size::Known(i64::try_from(size).unwrap_or(i64::MAX))
}

impl Array<Size> {
    /// Without the batch; `None` where there is one.
    pub fn known(&self) -> Option<Array<i64>> {
        let values: Option<Vec<i64>> = self.values.iter().map(|size| size.known()).collect();
        Some(Array::new(self.shape.clone(), values?))
    }
}

impl Places {
    /// `0 … batch − 1`
    pub fn batch() -> Self {
        Self { step: 1, first: [0].into(), shape: Vec::new() }
    }

    /// The places of an array of known numbers whose first dimension is the batch's; `None` where the images differ by more
    /// than their distance.
    pub fn of(places: &Array<i64>) -> Option<Self> {
        let (&batch, shape) = places.shape.split_first()?;
        let length = places.values.len().checked_div(batch).filter(|&length| length > 0)?;
        let mut images = places.values.chunks_exact(length);
        let first = images.next()?;
        let step = images.clone().next().map_or(Some(length as i64), |second| second[0].checked_sub(first[0]))?;
        let is_next = |(n, image): (usize, &[i64])| {
            let by = step.checked_mul(n as i64 + 1);
            by.is_some_and(|by| image.iter().zip(first).all(|(place, first)| first.checked_add(by) == Some(*place)))
        };
        let alike = images.enumerate().all(is_next);
        alike.then(|| Self { step, first: first.into(), shape: shape.to_vec() })
    }

    /// With something done to each.
    pub fn with(&self, how: Arithmetic, other: &Array<Size>, budget: &mut Budget) -> Result<Self, Refusal> {
        let wrong = || Refusal::Unsupported("of the images' numbers and what is no constant".into());
        let known = other.known().ok_or_else(wrong)?;
        let overflow = || Refusal::Damaged("computes no place".into());
        match (how, &known.values[..]) {
            (Arithmetic::Multiply, &[by]) => {
                let first = self.first.iter().map(|place| place.checked_mul(by)).collect::<Option<Vec<i64>>>();
                let (step, first) = self.step.checked_mul(by).zip(first).ok_or_else(overflow)?;
                Ok(Self { step, first: first.into(), shape: self.shape.clone() })
            }
            (Arithmetic::Add, _) => {
                // The batch's dimension is 1 in what is added.
                let own: Vec<usize> = [1].into_iter().chain(self.shape.iter().copied()).collect();
                let rank = own.len();
                let sum = Array::new(own, self.first.clone())
                    .zip(&known, budget, |a: &i64, b: &i64| a.checked_add(*b).ok_or_else(overflow))?;
                match sum.shape.split_first() {
                    Some((1, shape)) if sum.shape.len() == rank => {
                        Ok(Self { step: self.step, first: sum.values, shape: shape.to_vec() })
                    }
                    _ => unsupported("of the images' numbers and an array of another shape"),
                }
            }
            _ => unsupported("of the images' numbers"),
        }
    }

    /// In another shape, of which the first dimension is the batch's.
    pub fn reshaped(&self, shape: Vec<usize>) -> Result<Self, Refusal> {
        if count(&shape) != self.first.len() {
            return unsupported("of the images' numbers");
        }
        Ok(Self { shape, ..self.clone() })
    }
}

/// `a` and `b` put together: a batch may only be counted.
pub(super) fn arithmetic(how: Arithmetic, a: Size, b: Size) -> Result<Size, Refusal> {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    use Size::{Batch, Known};
    let known = |a: i64, b: i64| match how {
        Add => a.checked_add(b),
        Subtract => a.checked_sub(b),
        Multiply => a.checked_mul(b),
        Divide => a.checked_div(b),
    };
    let size = match (how, a, b) {
        (_, Known(a), Known(b)) => {
            return known(a, b).map(Known).ok_or_else(|| Refusal::Unsupported("it computes no size".into()));
        }
        (Add | Subtract, Batch(a), Batch(b)) => known(a, b).map(Batch),
        (Add | Subtract, Batch(a), Known(0)) | (Add, Known(0), Batch(a)) => Some(Batch(a)),
        (Multiply, Batch(a), Known(b)) | (Multiply, Known(b), Batch(a)) => known(a, b).map(Batch),
        (Divide, Batch(a), Known(b)) if a.checked_rem(b) == Some(0) => known(a, b).map(Batch),
        (Divide, Batch(a), Batch(b)) if a.checked_rem(b) == Some(0) => known(a, b).map(Known),
        _ => None,
    };
    let size = size.ok_or_else(|| Refusal::Unsupported("it depends on the batch".into()))?;
    Ok(if size == Batch(0) { Known(0) } else { size })
}

/// Whether two sizes are equal, as 1 or 0.
pub(super) fn is_equal(a: Size, b: Size) -> Result<Size, Refusal> {
    use Size::{Batch, Known};
    let equal = match (a, b) {
        (Known(a), Known(b)) | (Batch(a), Batch(b)) => a == b,
        // A batch has images.
        (Batch(_), Known(number)) | (Known(number), Batch(_)) if number <= 0 => false,
        _ => return unsupported("it depends on the batch"),
    };
    Ok(Known(equal.into()))
}

#[cfg(test)]
mod tests {
    use super::Arithmetic::{Add, Divide, Multiply, Subtract};
    use super::Size::{Batch, Known};
    use super::*;

    fn array(shape: &[usize], list: &[i64]) -> Array<i64> {
        Array::new(shape.to_vec(), list.to_vec())
    }

    fn sizes(shape: &[usize], list: &[i64]) -> Array<Size> {
        Array::new(shape.to_vec(), list.iter().map(|&number| Known(number)).collect::<Vec<_>>())
    }

    #[test]
    fn a_batch_is_counted() {
        let of = |how, a, b| arithmetic(how, a, b).ok();
        assert_eq!(of(Multiply, Batch(1), Known(4)), Some(Batch(4)));
        assert_eq!(of(Divide, Batch(4), Known(2)), Some(Batch(2)));
        assert_eq!(of(Divide, Batch(4), Batch(2)), Some(Known(2)));
        assert_eq!(of(Subtract, Batch(1), Batch(1)), Some(Known(0)));
        assert_eq!((of(Add, Batch(1), Known(1)), of(Divide, Batch(4), Known(3))), (None, None));
        assert_eq!((of(Divide, Known(7), Known(0)), of(Multiply, Known(i64::MAX), Known(2))), (None, None));
        let equal = |a, b| is_equal(a, b).ok();
        assert_eq!((equal(Batch(1), Known(-1)), equal(Batch(1), Known(4))), (Some(Known(0)), None));
    }

    #[test]
    fn places_of_all_images_are_those_of_the_first_and_a_step() {
        let mut budget = Budget::numbers(0);
        let batch = Places::batch().with(Multiply, &sizes(&[], &[6]), &mut budget).expect("a step");
        let spread = Places { shape: vec![1, 1], ..batch };
        let places = spread.with(Add, &sizes(&[1, 3, 1], &[0, 2, 4]), &mut budget).expect("goes together");
        assert_eq!(places, Places { step: 6, first: [0, 2, 4].into(), shape: vec![3, 1] });
        // The same as constants for a batch of 2, and of 1.
        assert_eq!(Places::of(&array(&[2, 3, 1], &[0, 2, 4, 6, 8, 10])), Some(places));
        assert_eq!(Places::of(&array(&[1, 3], &[0, 1, 2])).map(|places| places.step), Some(3));
        assert_eq!(Places::of(&array(&[2, 3], &[0, 2, 4, 6, 8, 11])), None);
        assert_eq!(Places::of(&array(&[0, 3], &[])), None);
        assert!(spread.with(Add, &sizes(&[2, 1, 1], &[0, 1]), &mut budget).is_err(), "differs from image to image");
    }
}
