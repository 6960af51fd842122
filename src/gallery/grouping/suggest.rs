//! The questions whose answers tell most: are these two groups one person?

use super::merges::root;
use super::{Groups, Tree, up_to};
use crate::ranking::{Distances, Features, RankingError, dot, nearest, quiet};

/// Photos that are shown of each side.
const SHOWN: usize = 4;
/// Groups near a group that are asked about.
const NEAR: usize = 5;
/// How fast certainty grows with the distance from the cut: of ten to two hundred pairs of groups, the nearest are far more often
/// one person than those at the cut.
const SCALE: f32 = 0.02;
/// A group's own last merge is wrong so much less often than its distance says.
const TRUSTED: f32 = 1.0 / 3.0;

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
        let mut of = vec![0; self.features.count()];
        sides.iter().enumerate().for_each(|(side, photos)| photos.iter().for_each(|&photo| of[photo] = side));
        let known = |a: &[usize], b: &[usize]| {
            asked.iter().any(|[x, y]| a.contains(x) && b.contains(y) || a.contains(y) && b.contains(x))
        };
        let surprise = |distance: f32, together: bool| {
            let apart = if together { distance - cut } else { cut - distance };
            (if together { TRUSTED } else { 1.0 }) / (1.0 + (-apart / SCALE).exp())
        };
        let moved = |a: usize, b: usize| 2.0 * (a * b) as f32 / (a + b) as f32;
        let mut questions: Vec<(f32, Vec<usize>, Vec<usize>, bool)> = Vec::new();

        let means = Features::as_they_are(sides.iter().flat_map(|photos| self.mean(photos)), self.features.dim());
        Distances::to(&means).blocks(&means, &mut quiet, |first, rows| {
            for (place, row) in rows.iter().enumerate() {
                let a = first + place;
                for b in nearest(row, NEAR + 1).into_iter().filter(|&b| b != a).take(NEAR) {
                    let tells = surprise(row[b] / 2.0, false) * moved(sides[a].len(), sides[b].len());
                    questions.push((tells, sides[a.min(b)].to_vec(), sides[a.max(b)].to_vec(), false));
                }
            }
        })?;
        // A group's last merge is where it is weakest.
        let merges = up_to(&self.merges, cut);
        let mut last = vec![None; sides.len()];
        merges.iter().enumerate().for_each(|(place, merge)| last[of[merge.a as usize]] = Some(place));
        let mut places: Vec<usize> = last.into_iter().flatten().collect();
        places.sort_unstable();
        let mut parents: Vec<u32> = (0..self.features.count() as u32).collect();
        let mut merged = 0;
        for place in places {
            // The two sides are what they were before that merge.
            for merge in &merges[merged..place] {
                let [a, b] = [merge.a, merge.b].map(|photo| root(&mut parents, photo));
                parents[a.max(b) as usize] = a.min(b);
            }
            merged = place;
            let merge = merges[place];
            let mut side = |photo: u32| -> Vec<usize> {
                let own = root(&mut parents, photo);
                let all = sides[of[photo as usize]].iter().copied();
                all.filter(|&other| root(&mut parents, other as u32) == own).collect()
            };
            let (a, b) = (side(merge.a), side(merge.b));
            let tells = surprise(merge.distance, true) * moved(a.len(), b.len());
            questions.push((tells, a, b, true));
        }
        questions.sort_by(|x, y| y.0.total_cmp(&x.0).then_with(|| x.1.cmp(&y.1)).then_with(|| x.2.cmp(&y.2)));
        questions.dedup_by(|x, y| x.1 == y.1 && x.2 == y.2);
        let open = questions.into_iter().filter(|(_, a, b, _)| !known(a, b)).take(count);
        Ok(open
            .map(|(tells, a, b, together)| Question { a: self.typical(&a), b: self.typical(&b), together, tells })
            .collect())
    }

    fn mean(&self, photos: &[usize]) -> Vec<f32> {
        let mut mean = vec![0.0; self.features.dim()];
        for &photo in photos {
            mean.iter_mut().zip(self.features.row(photo)).for_each(|(sum, value)| *sum += value / photos.len() as f32);
        }
        mean
    }

    /// The photos nearest to the mean of all.
    fn typical(&self, photos: &[usize]) -> Vec<usize> {
        let mean = self.mean(photos);
        let distances: Vec<f32> = photos.iter().map(|&photo| 1.0 - dot(&mean, self.features.row(photo))).collect();
        nearest(&distances, SHOWN).into_iter().map(|place| photos[place]).collect()
    }
}
