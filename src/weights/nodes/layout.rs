//! Where a file sees the numbers of a value.
//!
//! A value of ours is a table of places by channels: a map's pixels, tokens, or the one place of a vector. A file sees the
//! same numbers in shapes of its own, which its reshapes, transposes and slices change. As long as each of its dimensions is
//! made of steps along the batch, the places and the channels, nothing moves: a [`Layout`] says which steps.

use super::array;
use crate::graph::Shape;

/// What a step goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Batch,
    Place,
    Channel,
    /// Row and column of the weights that an attention computes.
    Row,
    Column,
    /// Nowhere: the same number again.
    Same,
}

/// `size` steps along one axis; neighbours are `step` apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Atom {
    pub axis: Axis,
    pub size: u64,
    pub step: i64,
}

/// The dimensions as the file sees them: each is a product of atoms, of which the first goes the slowest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub dims: Vec<Vec<Atom>>,
    /// The first place and the first channel.
    pub place: i64,
    pub channel: i64,
}

/// Stands for a batch that is open: no size that occurs is a multiple.
pub(super) const OPEN: u64 = 1_000_003;

fn atom(axis: Axis, size: usize, step: usize) -> Vec<Atom> {
    tidy(vec![Atom { axis, size: size as u64, step: step as i64 }])
}

/// Without steps that are none, and with neighbours that go on where the other ends put together.
fn tidy(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut tidied: Vec<Atom> = Vec::with_capacity(atoms.len());
    for atom in atoms.into_iter().filter(|atom| atom.size != 1) {
        match tidied.last_mut() {
            Some(outer) if outer.axis == atom.axis && outer.step == atom.step.wrapping_mul(atom.size as i64) => {
                *outer = Atom { size: outer.size.saturating_mul(atom.size), ..atom };
            }
            _ => tidied.push(atom),
        }
    }
    tidied
}

pub(super) fn size(atoms: &[Atom]) -> u64 {
    atoms.iter().fold(1_u64, |size, atom| size.saturating_mul(atom.size))
}

impl Layout {
    /// A value as it lies in our graph, `[batch, channels, height, width]`, `[batch, tokens, channels]` or `[batch, channels]`.
    /// `batch` is 1 where the file's is: then it is no dimension that the values know of.
    pub fn of(shape: Shape, batch: u64) -> Self {
        let mut dims = vec![tidy(vec![Atom { axis: Axis::Batch, size: batch, step: 1 }])];
        match shape {
            Shape::Map([channels, height, width]) => dims.extend([
                atom(Axis::Channel, channels, 1),
                atom(Axis::Place, height, width),
                atom(Axis::Place, width, 1),
            ]),
            Shape::Tokens([tokens, channels]) => {
                dims.extend([atom(Axis::Place, tokens, 1), atom(Axis::Channel, channels, 1)])
            }
            Shape::Vector(channels) => dims.push(atom(Axis::Channel, channels, 1)),
        }
        Self { dims, place: 0, channel: 0 }
    }

    pub fn sizes(&self) -> Vec<u64> {
        self.dims.iter().map(|atoms| size(atoms)).collect()
    }

    /// The same numbers in the same order in other dimensions; `None` where one of these would begin within a step.
    pub fn reshape(&self, target: &[u64]) -> Option<Self> {
        let mut rest: Vec<Atom> = tidy(self.dims.concat());
        rest.reverse();
        let mut dims = Vec::with_capacity(target.len());
        for &wanted in target {
            let mut atoms = Vec::new();
            let mut open = wanted;
            while open > 1 {
                let atom = rest.pop()?;
                if open.is_multiple_of(atom.size) {
                    open /= atom.size;
                    atoms.push(atom);
                } else if atom.size.is_multiple_of(open) {
                    let inner = atom.size / open;
                    atoms.push(Atom { size: open, step: atom.step.checked_mul(i64::try_from(inner).ok()?)?, ..atom });
                    rest.push(Atom { size: inner, ..atom });
                    open = 1;
                } else {
                    return None;
                }
            }
            (open == 1).then_some(())?;
            dims.push(tidy(atoms));
        }
        rest.is_empty().then_some(Self { dims, ..*self })
    }

    pub fn transpose(&self, order: &[usize]) -> Self {
        Self { dims: order.iter().map(|&place| self.dims[place].clone()).collect(), ..*self }
    }

    /// `length` of a dimension, each `step`-th from `start`; `None` where that is no even step.
    pub fn slice(&self, dim: usize, start: usize, step: i64, length: usize) -> Option<Self> {
        let mut cut = self.clone();
        let atoms = &mut cut.dims[dim];
        if (start, step, length as u64) == (0, 1, size(atoms)) {
            return Some(cut);
        }
        if length == 1 {
            // One place of each step.
            let mut rest = start as u64;
            for atom in std::mem::take(atoms).iter().rev() {
                cut.shift(atom, (rest % atom.size) as i64)?;
                rest /= atom.size;
            }
            return Some(cut);
        }
        let (&outer, inner) = self.dims[dim].split_first()?;
        let block = size(inner);
        let is_whole = inner.is_empty() || (step == 1 && (start as u64 | length as u64).is_multiple_of(block));
        if !is_whole || !(start as u64).is_multiple_of(block) || !(length as u64).is_multiple_of(block) {
            return None;
        }
        cut.shift(&outer, (start as u64 / block) as i64)?;
        let sliced = Atom { size: length as u64 / block, step: outer.step.checked_mul(step)?, ..outer };
        cut.dims[dim] = tidy([&[sliced], inner].concat());
        Some(cut)
    }

    /// Begins so many steps further on; `None` for images, of which all are taken.
    fn shift(&mut self, atom: &Atom, steps: i64) -> Option<()> {
        let by = atom.step.checked_mul(steps)?;
        match atom.axis {
            Axis::Place => self.place = self.place.checked_add(by)?,
            Axis::Channel => self.channel = self.channel.checked_add(by)?,
            Axis::Same => {}
            _ => return None,
        }
        Some(())
    }

    /// Laid over a larger shape: dimensions of 1 have the same number again and again.
    pub fn expand(&self, target: &[u64]) -> Option<Self> {
        let missing = target.len().checked_sub(self.dims.len())?;
        let mut dims = vec![Vec::new(); missing];
        dims.extend(self.dims.iter().cloned());
        for (atoms, &wanted) in dims.iter_mut().zip(target) {
            match size(atoms) {
                own if own == wanted => {}
                1 => *atoms = vec![Atom { axis: Axis::Same, size: wanted, step: 0 }],
                _ => return None,
            }
        }
        Some(Self { dims, ..*self })
    }

    /// Dimensions that have the same number again and again are 1.
    pub fn narrow(mut self) -> Self {
        for atoms in &mut self.dims {
            if atoms.iter().all(|atom| atom.axis == Axis::Same) {
                atoms.clear();
            }
        }
        self
    }

    /// With the steps of each dimension that go on where others end put together.
    pub fn tidied(mut self) -> Self {
        for atoms in &mut self.dims {
            *atoms = tidy(std::mem::take(atoms));
        }
        self
    }

    /// The atoms of some dimensions along an axis.
    pub fn along(&self, dims: impl IntoIterator<Item = usize>, axis: Axis) -> Vec<Atom> {
        dims.into_iter().flat_map(|dim| &self.dims[dim]).filter(|atom| atom.axis == axis).copied().collect()
    }

    pub fn has(&self, dim: usize, axis: Axis) -> bool {
        self.dims[dim].iter().any(|atom| atom.axis == axis)
    }

    /// Whether the numbers are those of a value of so many places and channels, each once.
    pub fn is_whole(&self, places: usize, channels: usize) -> bool {
        let all = self.dims.concat();
        let of = |axis: Axis| size(&all.iter().filter(|atom| atom.axis == axis).copied().collect::<Vec<_>>());
        of(Axis::Same) == 1 && of(Axis::Place) == places as u64 && of(Axis::Channel) == channels as u64
    }
}

/// Where the steps of some atoms lead to from `first`, the last one the fastest.
pub(super) fn list(atoms: &[Atom], first: i64) -> Vec<usize> {
    let dims: Vec<(usize, isize)> = atoms.iter().map(|atom| (atom.size as usize, atom.step as isize)).collect();
    array::places(&dims, first.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Layout {
        Layout::of(Shape::Map([6, 4, 8]), OPEN)
    }

    #[test]
    fn reshapes_follow_the_steps() {
        let flat = map().reshape(&[OPEN, 6, 32]).expect("a list of pixels");
        assert_eq!(flat.dims[2], [Atom { axis: Axis::Place, size: 32, step: 1 }]);
        assert_eq!(flat.reshape(&[OPEN, 6, 4, 8]), Some(map()));
        assert_eq!(flat.reshape(&[OPEN, 1, 6, 4, 1, 8, 1]).map(|layout| layout.dims.len()), Some(7));
        assert_eq!((flat.reshape(&[OPEN, 5, 4, 8]), flat.reshape(&[OPEN, 6, 4])), (None, None));
        assert_eq!(flat.reshape(&[OPEN, 4, 48]), None, "4 does not divide 6 channels");
        // Two rows of heads and the batch between them.
        let heads = flat.reshape(&[OPEN, 2, 3, 32]).expect("heads").transpose(&[1, 0, 3, 2]);
        assert_eq!(heads.sizes(), [2, OPEN, 32, 3]);
        assert_eq!(heads.dims[0], [Atom { axis: Axis::Channel, size: 2, step: 3 }]);
    }

    #[test]
    fn windows_are_steps_over_steps() {
        let windows = map().reshape(&[OPEN, 6, 2, 2, 2, 4]).expect("windows").transpose(&[0, 2, 4, 3, 5, 1]);
        let windows = windows.reshape(&[4 * OPEN, 8, 6]).expect("together with the batch");
        let all = windows.along([0], Axis::Place);
        assert_eq!(list(&all, 0), [0, 4, 16, 20]);
        assert_eq!(list(&windows.along([1], Axis::Place), 0), [0, 1, 2, 3, 8, 9, 10, 11]);
        assert!(windows.is_whole(32, 6));
    }

    #[test]
    fn slices_go_in_even_steps() {
        let turned = map().slice(1, 5, -1, 6).expect("the channels from the last");
        assert_eq!(list(&turned.along([1], Axis::Channel), turned.channel), [5, 4, 3, 2, 1, 0]);
        let row = map().slice(2, 3, 1, 1).expect("a row");
        assert_eq!((row.place, row.sizes()), (24, vec![OPEN, 6, 1, 8]));
        let pixels = map().reshape(&[OPEN, 6, 32]).expect("pixels").slice(2, 1, 2, 16).expect("each second");
        assert_eq!((pixels.place, pixels.dims[2][0].step), (1, 2));
        assert_eq!(map().slice(0, 0, 1, 1), None, "all images are taken");
        let both = map().reshape(&[OPEN, 192]).expect("a list");
        assert_eq!(both.slice(1, 32, 1, 64).map(|cut| cut.channel), Some(1), "two channels whole");
        assert_eq!(both.slice(1, 33, 1, 64), None);
        assert_eq!(both.slice(1, 33, 1, 1).map(|cut| (cut.channel, cut.place)), Some((1, 1)));
    }
}
