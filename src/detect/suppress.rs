//! One box a person: of those that a network gives for one, and that the views of a photo give, the best.

use super::PersonBox;

/// Boxes that share more than this part of what they cover are one person's.
const SAME: f32 = 0.5;
/// Of two views, a box of which more than this part lies in a better one is a piece of the same person: one view has only
/// legs where the other has all. Within a view it may be a child before its mother.
const WITHIN: f32 = 0.7;
/// More candidates than people stand in any photo; the best are taken.
const MOST: usize = 10_000;

/// What a network takes for somebody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub person_box: PersonBox,
    pub score: f32,
    /// Which of the photo's views it is in.
    pub view: usize,
}

/// Non-maximum suppression: the candidates of which none that is better is the same person, best first; of equal ones first
/// the one further left, then up.
pub(super) fn suppress(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| {
        let place = |c: &Candidate| c.person_box.to_array();
        let by_place = place(a).into_iter().zip(place(b)).map(|(a, b)| a.total_cmp(&b));
        b.score.total_cmp(&a.score).then(by_place.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then))
    });
    candidates.truncate(MOST);
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if !kept.iter().any(|better| is_same(better, &candidate)) {
            kept.push(candidate);
        }
    }
    kept
}

fn is_same(better: &Candidate, other: &Candidate) -> bool {
    let (a, b) = (&better.person_box, &other.person_box);
    a.overlap(b) > SAME || (better.view != other.view && a.shared(b) > WITHIN * b.area())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate([x, y, width, height]: [f32; 4], score: f32, view: usize) -> Candidate {
        Candidate { person_box: PersonBox { x, y, width, height }, score, view }
    }

    #[test]
    fn the_best_of_each_person_is_kept() {
        let best = candidate([10.0, 10.0, 40.0, 100.0], 0.9, 0);
        let same = candidate([14.0, 12.0, 40.0, 100.0], 0.8, 0);
        let beside = candidate([45.0, 10.0, 40.0, 100.0], 0.7, 0);
        let child = candidate([20.0, 60.0, 20.0, 45.0], 0.6, 0);
        assert_eq!(suppress(vec![child, same, beside, best]), [best, beside, child]);
        let legs = Candidate { view: 1, ..child };
        assert_eq!(suppress(vec![legs, same, beside, best]), [best, beside]);
        // What is worse and around is not known to be the same.
        let all = candidate([10.0, 10.0, 40.0, 100.0], 0.5, 0);
        assert_eq!(suppress(vec![all, legs]), [legs, all]);
        assert_eq!(suppress(Vec::new()), []);
    }

    #[test]
    fn the_order_they_come_in_does_not_matter() {
        let tied = |x: f32, y: f32| candidate([x, y, 10.0, 10.0], 0.5, 0);
        // Each overlaps the next by more than half, so whoever comes first decides.
        let chain = [tied(0.0, 0.0), tied(3.0, 0.0), tied(6.0, 0.0), tied(0.0, 30.0), tied(50.0, 0.0)];
        let expected = [chain[0], chain[3], chain[2], chain[4]];
        for turn in 0..chain.len() {
            let mut turned = chain;
            turned.rotate_left(turn);
            assert_eq!(suppress(turned.into()), expected);
        }
    }
}
