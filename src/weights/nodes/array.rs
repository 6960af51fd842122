//! Constants, and what moves their numbers.

use std::rc::Rc;

use super::{Refusal, damaged};
use crate::graph::budget::Budget;

/// Numbers in a shape, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array<T> {
    pub shape: Vec<usize>,
    pub values: Rc<[T]>,
    /// The file's.
    pub name: Rc<str>,
}

/// The places in memory that steps along several dimensions lead to, the last dimension first; each is a size and the
/// distance of neighbours.
pub(super) fn places(dims: &[(usize, isize)], start: usize) -> Vec<usize> {
    let mut list = vec![start];
    for &(size, step) in dims {
        list = list
            .into_iter()
            .flat_map(|at| (0..size).map(move |along| at.wrapping_add_signed(step.wrapping_mul(along as isize))))
            .collect();
    }
    list
}

/// The numbers of a shape; more than the memory has where they cannot be counted.
pub(super) fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1_usize, |count, &size| count.saturating_mul(size))
}

/// How far neighbours along each dimension lie apart.
pub(super) fn steps(shape: &[usize]) -> Vec<(usize, isize)> {
    let mut length = 1_usize;
    let mut steps: Vec<(usize, isize)> = shape
        .iter()
        .rev()
        .map(|&size| {
            let step = length as isize;
            length = length.saturating_mul(size);
            (size, step)
        })
        .collect();
    steps.reverse();
    steps
}

impl<T: Clone> Array<T> {
    pub fn new(shape: Vec<usize>, values: impl Into<Rc<[T]>>) -> Self {
        Self { shape, values: values.into(), name: "".into() }
    }

    pub fn list(values: impl Into<Rc<[T]>>) -> Self {
        let values = values.into();
        Self { shape: vec![values.len()], values, name: "".into() }
    }

    /// The only one.
    pub fn single(&self) -> Option<&T> {
        if let [value] = &self.values[..] { Some(value) } else { None }
    }

    fn moved(&self, dims: &[(usize, isize)], start: usize, budget: &mut Budget) -> Result<Self, Refusal> {
        let shape: Vec<usize> = dims.iter().map(|(size, _)| *size).collect();
        budget.spend(count(&shape))?;
        let values = if count(&shape) == 0 { Vec::new() } else { places(dims, start) };
        let values = values.into_iter().map(|at| self.values[at].clone());
        Ok(Self { values: values.collect(), shape, name: self.name.clone() })
    }

    pub fn reshaped(&self, shape: Vec<usize>) -> Result<Self, Refusal> {
        if count(&shape) != self.values.len() {
            return damaged("changes the number of constants");
        }
        Ok(Self { shape, ..self.clone() })
    }

    pub fn transposed(&self, order: &[usize], budget: &mut Budget) -> Result<Self, Refusal> {
        let steps = steps(&self.shape);
        let dims: Vec<(usize, isize)> = order.iter().map(|&along| steps[along]).collect();
        self.moved(&dims, 0, budget)
    }

    /// `length` along an axis, each `step`-th from `start`.
    pub fn sliced(
        &self,
        axis: usize,
        (start, length): (usize, usize),
        step: i64,
        budget: &mut Budget,
    ) -> Result<Self, Refusal> {
        let mut dims = steps(&self.shape);
        let each = dims[axis].1;
        dims[axis] = (length, each.saturating_mul(step as isize));
        let start = if length == 0 { 0 } else { start * each.unsigned_abs() };
        self.moved(&dims, start, budget)
    }

    /// Those at the places `at` along an axis (negative ones are counted from the end), in `at`'s shape.
    pub fn gathered(&self, axis: usize, at: &Array<i64>, budget: &mut Budget) -> Result<Self, Refusal> {
        let (before, size) = (&self.shape[..axis], self.shape[axis]);
        let inner = count(&self.shape[axis + 1..]);
        let shape = [before, &at.shape, &self.shape[axis + 1..]].concat();
        budget.spend(count(&shape))?;
        let mut values = Vec::with_capacity(count(&shape));
        for outer in 0..count(before) {
            for &place in &at.values[..] {
                let place = super::axis(place, size).map_err(|_| Refusal::Damaged("reads beyond its input".into()))?;
                values.extend_from_slice(&self.values[(outer * size + place) * inner..][..inner]);
            }
        }
        Ok(Self { shape, values: values.into(), name: self.name.clone() })
    }

    /// The parts one after the other along an axis. What is joined again and again doubles each time: all is `budget`'s.
    pub fn joined(parts: &[Self], axis: usize, budget: &mut Budget) -> Result<Self, Refusal> {
        let Some(first) = parts.first() else { return damaged("has no input") };
        let others = |shape: &[usize]| [&shape[..axis], &shape[axis + 1..]].concat();
        if parts.iter().any(|part| part.shape.len() != first.shape.len() || others(&part.shape) != others(&first.shape))
        {
            return damaged("joins arrays that do not go together");
        }
        let mut shape = first.shape.clone();
        shape[axis] = parts.iter().fold(0_usize, |size, part| size.saturating_add(part.shape[axis]));
        budget.spend(count(&shape))?;
        let mut values = Vec::with_capacity(count(&shape));
        for outer in 0..count(&shape[..axis]) {
            for part in parts {
                let each = count(&part.shape[axis..]);
                values.extend_from_slice(&part.values[outer * each..][..each]);
            }
        }
        Ok(Self { shape, values: values.into(), name: first.name.clone() })
    }

    /// Laid over another shape as numpy does it.
    pub fn stretched(&self, to: &[usize], budget: &mut Budget) -> Result<Self, Refusal> {
        let to = stretched(&self.shape, to)?;
        if to == self.shape {
            return Ok(self.clone());
        }
        let missing = to.len() - self.shape.len();
        let own = steps(&self.shape);
        let dims: Vec<(usize, isize)> = to
            .iter()
            .enumerate()
            .map(|(place, &size)| match place.checked_sub(missing).map(|place| own[place]) {
                Some((own, step)) if own != 1 => (size, step),
                _ => (size, 0),
            })
            .collect();
        self.moved(&dims, 0, budget)
    }

    /// Number by number, either stretched to the other as numpy does it.
    pub fn zip<U: Clone, V>(
        &self,
        other: &Array<U>,
        budget: &mut Budget,
        of: impl Fn(&T, &U) -> Result<V, Refusal>,
    ) -> Result<Array<V>, Refusal> {
        let a = self.stretched(&other.shape, budget)?;
        let b = other.stretched(&a.shape, budget)?;
        budget.spend(a.values.len())?;
        let values = a.values.iter().zip(&b.values[..]).map(|(a, b)| of(a, b));
        let name = if self.name.is_empty() { other.name.clone() } else { self.name.clone() };
        Ok(Array { values: values.collect::<Result<Vec<V>, _>>()?.into(), shape: a.shape, name })
    }
}

/// The shape of two arrays together, as numpy stretches them.
pub(super) fn stretched(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize]) -> Array<i64> {
        Array::new(shape.to_vec(), (0..count(shape) as i64).collect::<Vec<_>>())
    }

    fn check(found: Result<Array<i64>, Refusal>, shape: &[usize], values: &[i64]) {
        let found = found.expect("goes together");
        assert_eq!((&found.shape[..], &found.values[..]), (shape, values));
    }

    #[test]
    fn moves_are_numpys() {
        let budget = &mut Budget::numbers(0);
        let a = array(&[2, 3]);
        check(a.transposed(&[1, 0], budget), &[3, 2], &[0, 3, 1, 4, 2, 5]);
        check(array(&[2, 1, 3]).transposed(&[2, 0, 1], budget), &[3, 2, 1], &[0, 3, 1, 4, 2, 5]);
        check(a.sliced(1, (2, 3), -1, budget), &[2, 3], &[2, 1, 0, 5, 4, 3]);
        check(a.sliced(1, (0, 2), 2, budget), &[2, 2], &[0, 2, 3, 5]);
        check(a.sliced(0, (2, 0), 1, budget), &[0, 3], &[]);
        check(a.gathered(1, &Array::new(vec![2, 1], vec![-1, 0]), budget), &[2, 2, 1], &[2, 0, 5, 3]);
        assert!(a.gathered(0, &Array::list(vec![2]), budget).is_err());
        check(Array::joined(&[a.clone(), array(&[2, 1])], 1, budget), &[2, 4], &[0, 1, 2, 0, 3, 4, 5, 1]);
        assert!(Array::joined(&[a.clone(), array(&[3, 1])], 1, budget).is_err());
        check(array(&[2, 1]).stretched(&[2, 2, 2], budget), &[2, 2, 2], &[0, 0, 1, 1, 0, 0, 1, 1]);
        let sum = array(&[2, 1]).zip(&array(&[3]), budget, |a, b| Ok(10 * a + b));
        check(sum, &[2, 3], &[0, 1, 2, 10, 11, 12]);
        let long = Array::new(vec![1 << 16, 1], vec![0_i64; 1 << 16]);
        let table = long.zip(&Array::new(vec![1 << 16], vec![0_i64; 1 << 16]), budget, |a, _| Ok(*a));
        assert!(matches!(table, Err(Refusal::TooMuch(_))), "4 milliard");
    }
}
