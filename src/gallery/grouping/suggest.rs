//! The questions whose answers tell most: are these two groups one person?

use super::merges::{Merge, root};
use super::{Groups, Tree, mean, up_to};
use crate::ranking::{Distances, Features, RankingError, dot, nearest, quiet};

/// Photos that are shown of each side.
const SHOWN: usize = 4;
/// Groups near a group that are asked about.
const NEAR: usize = 5;
/// How fast the doubt of two groups fades with their distance from the cut, beyond it and within: of PKU-Reid, ConReID and persons
/// of Market-1501 about half of the pairs at the cut are one person, a third of the sides that are 0.05 nearer are two.
const BEYOND: f32 = 0.04;
const WITHIN: f32 = 0.06;
/// An answer on the few photos that are shown parts two sides of a group half as well as it joins two groups.
const PARTS: f32 = 0.5;

/// Are these one person?
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Places of photos to show, the most typical first; they are in two groups, or in two halves of one.
    pub a: Vec<usize>,
    pub b: Vec<usize>,
    /// Whether they are in one group now.
    pub together: bool,
    /// How many photos would find their place by the answer, on average over what it may be.
    pub tells: f32,
}

impl Tree {
    /// The questions that tell most, at most `count` of them. None is asked whose groups hold a pair of photos `asked`
    /// about before.
    ///
    /// # Errors
    /// [`RankingError`] of the distances.
    pub fn questions(
        &self,
        groups: &Groups,
        asked: &[[usize; 2]],
        count: usize,
    ) -> Result<Vec<Question>, RankingError> {
        let cut = 1.0 - groups.strictness;
        let sides: Vec<&[usize]> =
            groups.groups.iter().map(Vec::as_slice).chain(groups.unsure.iter().map(std::slice::from_ref)).collect();
        let known = |a: &[usize], b: &[usize]| {
            asked.iter().any(|[x, y]| a.contains(x) && b.contains(y) || a.contains(y) && b.contains(x))
        };
        let sizes = Sizes::of(&sides);
        let moved = |[a, b]: [usize; 2]| 2.0 * (a * b) as f32 / (a + b) as f32;
        let mut questions: Vec<(f32, &[usize], &[usize], bool)> = Vec::new();

        let means = sides.iter().flat_map(|photos| mean(&self.features, photos));
        let means = Features::as_they_are(means, self.features.dim());
        Distances::to(&means).blocks(&means, &mut quiet, |first, rows| {
            for (place, row) in rows.iter().enumerate() {
                let a = first + place;
                for b in nearest(row, NEAR + 1).into_iter().filter(|&b| b != a).take(NEAR) {
                    let sized = [sides[a].len(), sides[b].len()];
                    let one = logistic((cut - row[b] / 2.0) / BEYOND + sizes.odds(sized));
                    let tells = one * moved(sized);
                    questions.push((tells, sides[a.min(b)], sides[a.max(b)], false));
                }
            }
        })?;
        // Any merge of a group may have been wrong, the last ones most likely.
        let merges = up_to(&self.merges, cut);
        let dendrogram = Dendrogram::of(self.features.count(), merges);
        // Those at no distance are what is known, or copies of one photo.
        for (place, merge) in merges.iter().enumerate().filter(|(_, merge)| merge.distance > 0.0) {
            let (a, b) = dendrogram.sides(place);
            let sized = [a.len(), b.len()];
            let two = logistic((merge.distance - cut) / WITHIN - sizes.odds(sized));
            let tells = PARTS * two * moved(sized);
            questions.push((tells, a, b, true));
        }
        questions.sort_by(|x, y| y.0.total_cmp(&x.0).then_with(|| x.1.cmp(y.1)).then_with(|| x.2.cmp(y.2)));
        questions.dedup_by(|x, y| x.1 == y.1 && x.2 == y.2);
        let open = questions.into_iter().filter(|(_, a, b, _)| !known(a, b)).take(count);
        Ok(open
            .map(|(tells, a, b, together)| Question { a: self.typical(a), b: self.typical(b), together, tells })
            .collect())
    }

    /// The photos nearest to the mean of all.
    fn typical(&self, photos: &[usize]) -> Vec<usize> {
        let mean = mean(&self.features, photos);
        let distances: Vec<f32> = photos.iter().map(|&photo| 1.0 - dot(&mean, self.features.row(photo))).collect();
        nearest(&distances, SHOWN).into_iter().map(|place| photos[place]).collect()
    }
}

/// How many photos groups have, in order.
struct Sizes(Vec<usize>);

impl Sizes {
    fn of(groups: &[&[usize]]) -> Self {
        let mut sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        sizes.sort_unstable();
        Self(sizes)
    }

    /// What the sizes of two groups say for their being one person, as the logarithm of odds: people have about as many photos as
    /// others. Of groups as large as the larger as many are as large as both together; half is neither for nor against.
    fn odds(&self, [a, b]: [usize; 2]) -> f32 {
        let at_least = |size: usize| (self.0.len() - self.0.partition_point(|&other| other < size)) as f32 + 0.5;
        (2.0 * at_least(a + b) / at_least(a.max(b))).ln()
    }
}

fn logistic(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

/// Photos in an order in which the two sides of each merge lie side by side.
struct Dendrogram {
    order: Vec<usize>,
    /// Of each merge where its first side begins, where its second does, and where that ends.
    bounds: Vec<[usize; 3]>,
}

impl Dendrogram {
    fn of(count: usize, merges: &[Merge]) -> Self {
        let mut parents: Vec<u32> = (0..count as u32).collect();
        // Groups are lists that begin with their first photos: of each photo the next, of each group the last and how many.
        let mut next: Vec<Option<usize>> = vec![None; count];
        let mut last: Vec<usize> = (0..count).collect();
        let mut sizes = vec![1; count];
        let mut joined = Vec::with_capacity(merges.len());
        for merge in merges {
            let [a, b] = [merge.a, merge.b].map(|photo| root(&mut parents, photo));
            parents[a.max(b) as usize] = a.min(b);
            let [first, second] = [a.min(b), a.max(b)].map(|photo| photo as usize);
            joined.push((first, sizes[first], sizes[second]));
            next[last[first]] = Some(second);
            last[first] = last[second];
            sizes[first] += sizes[second];
        }
        let mut order = Vec::with_capacity(count);
        let mut places = vec![0; count];
        for group in (0..count).filter(|&photo| parents[photo] as usize == photo) {
            let mut photo = Some(group);
            while let Some(own) = photo {
                places[own] = order.len();
                order.push(own);
                photo = next[own];
            }
        }
        let bounds = joined.into_iter().map(|(first, own, other)| {
            let begin = places[first];
            [begin, begin + own, begin + own + other]
        });
        Self { order, bounds: bounds.collect() }
    }

    /// The two sides of a merge.
    fn sides(&self, merge: usize) -> (&[usize], &[usize]) {
        let [begin, middle, end] = self.bounds[merge];
        (&self.order[begin..middle], &self.order[middle..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four groups of at least 8 two have 16, and none 32.
    #[test]
    fn people_have_about_as_many_photos_as_others() {
        let photos: Vec<usize> = (0..16).collect();
        let sizes = Sizes::of(&[&photos[..8], &photos, &photos[..8], &photos, &photos[..1]]);
        for (groups, odds) in [([8, 8], 2.0 * 2.5 / 4.5), ([16, 1], 2.0 * 0.5 / 2.5), ([1, 1], 2.0 * 4.5 / 5.5)] {
            let found: f32 = sizes.odds(groups).exp();
            assert!((found - odds).abs() < 1e-5, "{groups:?} {found}");
        }
    }

    #[test]
    fn the_sides_of_a_merge_are_the_groups_before_it() {
        let merges = [[4, 1], [0, 3], [1, 3]].map(|[a, b]| Merge { a, b, distance: 0.5 });
        let dendrogram = Dendrogram::of(5, &merges);
        assert_eq!(dendrogram.sides(0), (&[1][..], &[4][..]));
        assert_eq!(dendrogram.sides(1), (&[0][..], &[3][..]));
        assert_eq!(dendrogram.sides(2), (&[0, 3][..], &[1, 4][..]));
    }
}
