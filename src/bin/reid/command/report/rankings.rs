//! What was ranked first for each query, and where its person came.

use webreid::ranking::{Label, nearest};

/// How many of a ranking are kept.
const TOP: usize = 10;

/// A ranked image: its place in the gallery, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub place: usize,
    pub distance: f32,
}

/// The ranking of a query that has a true match.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The first ones, without those that never count (the query's person and camera).
    pub top: Vec<Hit>,
    /// The first true match, wherever it is ranked.
    pub truth: Hit,
}

/// Collects rankings, query by query.
pub struct Rankings<'a> {
    queries: &'a [Label],
    gallery: &'a [Label],
    rankings: Vec<Ranking>,
}

impl<'a> Rankings<'a> {
    pub fn new(queries: &'a [Label], gallery: &'a [Label]) -> Self {
        Self { queries, gallery, rankings: Vec::new() }
    }

    /// Takes the distances of a query to the gallery.
    pub fn add(&mut self, query: usize, distances: &[f32]) {
        let label = self.queries[query];
        let hits = distances.iter().zip(self.gallery).enumerate();
        let kept: Vec<Hit> = hits
            .filter(|(_, (_, image))| **image != label)
            .map(|(place, (&distance, _))| Hit { place, distance })
            .collect();
        let own = kept.iter().filter(|hit| self.gallery[hit.place].person == label.person);
        let Some(&truth) = own.min_by(|a, b| a.distance.total_cmp(&b.distance)) else { return };
        let distances: Vec<f32> = kept.iter().map(|hit| hit.distance).collect();
        let top = nearest(&distances, TOP).into_iter().map(|place| kept[place]).collect();
        self.rankings.push(Ranking { top, truth });
    }

    /// Of the queries that count, in their order.
    pub fn finish(self) -> Vec<Ranking> {
        self.rankings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_is_left_out_and_the_first_true_match_is_known() {
        let label = |person, camera| Label { person, camera };
        let gallery = [label(1, 0), label(2, 1), label(1, 1), label(1, 2)];
        let queries = [label(1, 0), label(9, 0)];
        let mut rankings = Rankings::new(&queries, &gallery);
        rankings.add(0, &[0.0, 0.5, 0.7, 0.7]);
        rankings.add(1, &[0.0, 0.5, 0.7, 0.7]);
        let [ranking] = &rankings.finish()[..] else { panic!("the second query has no match") };
        assert_eq!(ranking.top.iter().map(|hit| hit.place).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(ranking.truth, Hit { place: 2, distance: 0.7 });
    }
}
