//! The whole numbers that files compute shapes and places with: the batch is known by name only, everything else by value.

use std::rc::Rc;

use super::operators::{Arithmetic, Refusal, unsupported};
use crate::graph::budget::Budget;

/// One number of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Known(i64),
    /// So many times the batch.
    Batch(i64),
}

/// An array of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sizes {
    pub shape: Vec<usize>,
    /// Row by row.
    pub list: Rc<[Size]>,
}

/// Places in the values of all images, laid in a row: those of image `n` are `step · n + first`. The batch stands first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    pub step: i64,
    pub first: Rc<[i64]>,
    /// Without the batch.
    pub shape: Vec<usize>,
}

impl Sizes {
    pub fn list(list: impl Into<Rc<[Size]>>) -> Self {
        let list = list.into();
        Self { shape: vec![list.len()], list }
    }

    /// The shape of a value of the network.
    pub fn of_view(view: &[usize]) -> Self {
        Self::list([Size::Batch(1)].into_iter().chain(view.iter().map(|&size| known(size))).collect::<Vec<_>>())
    }

    /// The only one.
    pub fn single(&self) -> Option<Size> {
        if let [size] = self.list[..] { Some(size) } else { None }
    }

    /// Without the batch; `None` where there is one.
    pub fn known(&self) -> Option<Vec<i64>> {
        let number = |size: &Size| if let Size::Known(number) = size { Some(*number) } else { None };
        self.list.iter().map(number).collect()
    }

    /// The parts one after the other. What is joined again and again doubles each time: all is `budget`'s.
    pub fn joined(parts: &[Self], budget: &mut Budget) -> Result<Self, Refusal> {
        let count = parts.iter().fold(0_usize, |count, part| count.saturating_add(part.list.len()));
        budget.spend(count)?;
        Ok(Self::list(parts.iter().flat_map(|part| part.list.iter().copied()).collect::<Vec<_>>()))
    }

    /// Those at the places `at` (negative ones are counted from the end), in `at`'s shape.
    pub fn gathered(&self, at: &Self) -> Result<Self, Refusal> {
        let places = at.known().ok_or_else(|| Refusal::Unsupported("at places that depend on the batch".into()))?;
        let get = |index: i64| {
            let index = if index < 0 { index.saturating_add(self.list.len() as i64) } else { index };
            usize::try_from(index).ok().and_then(|index| self.list.get(index).copied())
        };
        let list: Option<Vec<Size>> = places.into_iter().map(get).collect();
        let list = list.ok_or_else(|| Refusal::Damaged("reads beyond its input".into()))?;
        Ok(Self { shape: at.shape.clone(), list: list.into() })
    }

    /// Number by number, either stretched to the other as numpy does it.
    pub fn zip(
        &self,
        other: &Self,
        budget: &mut Budget,
        of: impl Fn(Size, Size) -> Result<Size, Refusal>,
    ) -> Result<Self, Refusal> {
        let (shape, a) = stretch(&self.shape, &other.shape, budget)?;
        let (shape, b) = stretch(&other.shape, &shape, budget)?;
        let list = a.into_iter().zip(b).map(|(a, b)| of(self.list[a], other.list[b]));
        Ok(Self { list: list.collect::<Result<Vec<Size>, _>>()?.into(), shape })
    }
}

impl Places {
    /// `0 … batch − 1`
    pub fn batch() -> Self {
        Self { step: 1, first: [0].into(), shape: Vec::new() }
    }

    /// The places of an array of known numbers whose first dimension is the batch's; `None` where the images differ by more
    /// than their distance.
    pub fn of(sizes: &Sizes) -> Option<Self> {
        let (&batch, shape) = sizes.shape.split_first()?;
        let places = sizes.known()?;
        let length = places.len().checked_div(batch).filter(|&length| length > 0)?;
        let mut images = places.chunks_exact(length);
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
    pub fn with(&self, how: Arithmetic, other: &Sizes, budget: &mut Budget) -> Result<Self, Refusal> {
        let wrong = || Refusal::Unsupported("of the images' numbers and what is no constant".into());
        let known = other.known().ok_or_else(wrong)?;
        let overflow = || Refusal::Damaged("computes no place".into());
        match (how, &known[..]) {
            (Arithmetic::Multiply, &[by]) => {
                let first = self.first.iter().map(|place| place.checked_mul(by)).collect::<Option<Vec<i64>>>();
                let (step, first) = self.step.checked_mul(by).zip(first).ok_or_else(overflow)?;
                Ok(Self { step, first: first.into(), shape: self.shape.clone() })
            }
            (Arithmetic::Add, _) => {
                // The batch's dimension is 1 in what is added.
                let own: Vec<usize> = [1].into_iter().chain(self.shape.iter().copied()).collect();
                let own = Sizes { shape: own, list: self.first.iter().map(|&place| Size::Known(place)).collect() };
                let sum = own.zip(other, budget, |a, b| arithmetic(Arithmetic::Add, a, b, None))?;
                match sum.shape.split_first() {
                    Some((1, shape)) if sum.shape.len() == own.shape.len() => {
                        let first = sum.known().ok_or_else(wrong)?;
                        Ok(Self { step: self.step, first: first.into(), shape: shape.to_vec() })
                    }
                    _ => unsupported("of the images' numbers and an array of another shape"),
                }
            }
            _ => unsupported("of the images' numbers"),
        }
    }
}

pub(super) fn known(size: usize) -> Size {
    Size::Known(i64::try_from(size).unwrap_or(i64::MAX))
}

/// `a` and `b` put together. A batch that `batch` gives may be computed with; one that is open only be counted.
pub(super) fn arithmetic(how: Arithmetic, a: Size, b: Size, batch: Option<i64>) -> Result<Size, Refusal> {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    use Size::{Batch, Known};
    let known = |a: i64, b: i64| match how {
        Add => a.checked_add(b),
        Subtract => a.checked_sub(b),
        Multiply => a.checked_mul(b),
        Divide => a.checked_div(b),
    };
    let symbolic = match (how, a, b) {
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
    let computed = || {
        let number = |size| match size {
            Known(number) => Some(number),
            Batch(times) => batch?.checked_mul(times),
        };
        known(number(a)?, number(b)?).map(Known)
    };
    let size = symbolic.or_else(computed).ok_or_else(|| Refusal::Unsupported("it depends on the batch".into()))?;
    Ok(if size == Batch(0) { Known(0) } else { size })
}

/// Whether two sizes are equal, as 1 or 0.
pub(super) fn is_equal(a: Size, b: Size, batch: Option<i64>) -> Result<Size, Refusal> {
    use Size::{Batch, Known};
    let equal = match (a, b) {
        (Known(a), Known(b)) | (Batch(a), Batch(b)) => a == b,
        (Batch(times), Known(number)) | (Known(number), Batch(times)) => match batch.and_then(|b| b.checked_mul(times))
        {
            Some(size) => size == number,
            // A batch has images.
            None if number <= 0 => false,
            None => return unsupported("it depends on the batch"),
        },
    };
    Ok(Known(equal.into()))
}

/// The shape of two arrays together, as numpy stretches them.
fn stretched(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Refusal> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], place: usize| (place + shape.len()).checked_sub(rank).map_or(1, |place| shape[place]);
    let together = |place| match (size(a, place), size(b, place)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    let shape: Option<Vec<usize>> = (0..rank).map(together).collect();
    shape.ok_or_else(|| Refusal::Damaged(format!("has arrays of {a:?} and {b:?}, which do not go together")))
}

/// The shape of an array that is laid over another shape as numpy does it, and the place that each number of it comes from.
pub(super) fn stretch(shape: &[usize], to: &[usize], budget: &mut Budget) -> Result<(Vec<usize>, Vec<usize>), Refusal> {
    let to = stretched(shape, to)?;
    let count = to.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)).unwrap_or(usize::MAX);
    budget.spend(count)?;
    let steps = Steps::new(shape, &to);
    let places = (0..count).map(|place| steps.at(place)).collect();
    Ok((to, places))
}

/// The way through an array that is stretched to another shape.
struct Steps {
    /// For each dimension from the last: its size, and how far its places are apart in the array.
    dims: Vec<(usize, usize)>,
}

impl Steps {
    fn new(shape: &[usize], to: &[usize]) -> Self {
        let mut length = 1;
        let own = shape.iter().rev().map(|&size| {
            let step = if size == 1 { 0 } else { length };
            length *= size;
            step
        });
        Self { dims: to.iter().rev().copied().zip(own.chain(std::iter::repeat(0))).collect() }
    }

    fn at(&self, mut place: usize) -> usize {
        let mut at = 0;
        for &(size, step) in &self.dims {
            at += place % size * step;
            place /= size;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::Arithmetic::{Add, Divide, Multiply, Subtract};
    use super::Size::{Batch, Known};
    use super::*;

    fn array(shape: &[usize], list: &[i64]) -> Sizes {
        Sizes { shape: shape.to_vec(), list: list.iter().map(|&number| Known(number)).collect() }
    }

    #[test]
    fn a_batch_is_counted_and_computed_with_only_when_it_is_known() {
        let of = |how, a, b, batch| arithmetic(how, a, b, batch).ok();
        assert_eq!(of(Multiply, Batch(1), Known(4), None), Some(Batch(4)));
        assert_eq!(of(Divide, Batch(4), Known(2), None), Some(Batch(2)));
        assert_eq!(of(Divide, Batch(4), Batch(2), None), Some(Known(2)));
        assert_eq!(of(Subtract, Batch(1), Batch(1), None), Some(Known(0)));
        assert_eq!(of(Add, Batch(1), Known(1), None), None);
        assert_eq!(of(Add, Batch(1), Known(1), Some(16)), Some(Known(17)));
        assert_eq!(of(Divide, Known(7), Known(0), Some(16)), None);
        assert_eq!(of(Multiply, Known(i64::MAX), Known(2), None), None);
        let equal = |a, b, batch| is_equal(a, b, batch).ok();
        assert_eq!(equal(Batch(1), Known(-1), None), Some(Known(0)));
        assert_eq!((equal(Batch(1), Known(4), None), equal(Batch(1), Known(4), Some(4))), (None, Some(Known(1))));
    }

    #[test]
    fn arrays_are_stretched_as_numpy_does_it() {
        let mut budget = Budget::numbers(0);
        let mut sum = |a: &Sizes, b: &Sizes| a.zip(b, &mut budget, |a, b| arithmetic(Add, a, b, None));
        let columns = array(&[2, 1], &[10, 20]);
        let all = sum(&columns, &array(&[3], &[1, 2, 3])).expect("goes together");
        assert_eq!(all, array(&[2, 3], &[11, 12, 13, 21, 22, 23]));
        assert_eq!(sum(&array(&[], &[5]), &columns).expect("a scalar"), array(&[2, 1], &[15, 25]));
        assert!(matches!(sum(&array(&[2], &[1, 2]), &array(&[3], &[1, 2, 3])), Err(Refusal::Damaged(_))));
        let long = array(&[1 << 16, 1], &[0; 1 << 16]);
        assert!(matches!(sum(&long, &array(&[1 << 16], &[0; 1 << 16])), Err(Refusal::TooMuch(_))), "4 milliard");
    }

    #[test]
    fn places_of_all_images_are_those_of_the_first_and_a_step() {
        let mut budget = Budget::numbers(0);
        let batch = Places::batch().with(Multiply, &array(&[], &[6]), &mut budget).expect("a step");
        let spread = Places { shape: vec![1, 1], ..batch };
        let places = spread.with(Add, &array(&[1, 3, 1], &[0, 2, 4]), &mut budget).expect("goes together");
        assert_eq!(places, Places { step: 6, first: [0, 2, 4].into(), shape: vec![3, 1] });
        // The same as constants for a batch of 2, and of 1.
        assert_eq!(Places::of(&array(&[2, 3, 1], &[0, 2, 4, 6, 8, 10])), Some(places));
        assert_eq!(Places::of(&array(&[1, 3], &[0, 1, 2])).map(|places| places.step), Some(3));
        assert_eq!(Places::of(&array(&[2, 3], &[0, 2, 4, 6, 8, 11])), None);
        assert_eq!(Places::of(&array(&[0, 3], &[])), None);
        assert!(spread.with(Add, &array(&[2, 1, 1], &[0, 1]), &mut budget).is_err(), "differs from image to image");
    }
}
