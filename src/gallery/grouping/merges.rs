//! Average linkage: the two groups that are alike most, on average over their photos, become one, again and again.
//!
//! Of features of length 1 the mean distance of two groups is 1 − the product of their means, so that a group is the sum of
//! its features and no matrix of distances is held. Which groups may become one is looked up on a graph of nearest
//! neighbours, drawn anew whenever half of the groups are gone: memory grows with the photos and their neighbours.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

use crate::gallery::Links;
use crate::ranking::{Features, Neighbours, Progress, RankingError, dot};

/// Each group's nearest groups in the graph.
const NEIGHBOURS: usize = 24;

/// Two groups become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// A photo of each.
    pub a: u32,
    pub b: u32,
    /// The mean distance of their photos, 1 − cosine: 0…2; never less than of the merges before.
    pub distance: f32,
}

/// The merges of photos into ever larger groups, nearest first, until none is left whose groups are neighbours and may be
/// merged. Those of photos that are the same by `links` come first, at distance 0.
///
/// # Errors
/// [`RankingError::Cancelled`]; [`RankingError::Index`] for links to photos that there are not.
pub fn merges(features: &Features, links: &Links, progress: Progress) -> Result<Vec<Merge>, RankingError> {
    let count = features.count();
    let linked = links.same.iter().flatten().chain(links.different.iter().flatten()).chain(&links.named);
    if let Some(&index) = linked.into_iter().find(|&&index| index >= count) {
        return Err(RankingError::Index { index, count });
    }
    let mut groups = Groups::new(features, links);
    while groups.alive.len() > 1 {
        let alive = groups.alive.len();
        let done = groups.merges.len();
        groups.draw(progress)?;
        groups.merge_until(alive / 2);
        if groups.merges.len() == done {
            break;
        }
    }
    Ok(groups.merges)
}

/// The group of each photo after some merges: numbered from 0 in the order of their first photos.
pub fn labels<'a>(count: usize, merges: impl IntoIterator<Item = &'a Merge>) -> Vec<u32> {
    let mut parents: Vec<u32> = (0..count as u32).collect();
    for merge in merges {
        let [a, b] = [merge.a, merge.b].map(|photo| root(&mut parents, photo));
        parents[a.max(b) as usize] = a.min(b);
    }
    let mut names = vec![u32::MAX; count];
    let mut next = 0;
    (0..count as u32)
        .map(|photo| {
            let root = root(&mut parents, photo) as usize;
            if names[root] == u32::MAX {
                names[root] = next;
                next += 1;
            }
            names[root]
        })
        .collect()
}

/// The group of each photo when photos that are the same by `links` are together, and no others.
pub fn said(count: usize, links: &Links) -> Vec<u32> {
    let pairs = links.same.iter().flat_map(|same| same.windows(2));
    let merges: Vec<Merge> = pairs.map(|pair| Merge { a: pair[0] as u32, b: pair[1] as u32, distance: 0.0 }).collect();
    labels(count, &merges)
}

pub(super) fn root(parents: &mut [u32], mut photo: u32) -> u32 {
    while parents[photo as usize] != photo {
        let above = parents[parents[photo as usize] as usize];
        parents[photo as usize] = above;
        photo = above;
    }
    photo
}

/// Groups on their way. A group lives in the place of one of its photos.
struct Groups {
    dim: usize,
    /// `[count, dim]`: of each group the sum of its features.
    sums: Vec<f32>,
    sizes: Vec<u32>,
    /// Counts a group's changes, so that distances from before are known to be stale; odd when it is gone.
    ages: Vec<u32>,
    alive: BTreeSet<u32>,
    parents: Vec<u32>,
    /// Groups that are someone else.
    others: Vec<BTreeSet<u32>>,
    /// Groups with a name: no two are one.
    named: Vec<bool>,
    neighbours: Vec<Vec<u32>>,
    queue: BinaryHeap<Pair>,
    merges: Vec<Merge>,
}

/// Two groups that could become one.
#[derive(PartialEq)]
struct Pair {
    distance: f32,
    groups: [u32; 2],
    ages: [u32; 2],
}

impl Eq for Pair {}

impl Ord for Pair {
    /// Nearest is greatest, of equals the first photos.
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then_with(|| other.groups.cmp(&self.groups))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Groups {
    fn new(features: &Features, links: &Links) -> Self {
        let count = features.count();
        let mut groups = Self {
            dim: features.dim(),
            sums: (0..count).flat_map(|photo| features.row(photo)).copied().collect(),
            sizes: vec![1; count],
            ages: vec![0; count],
            alive: (0..count as u32).collect(),
            parents: (0..count as u32).collect(),
            others: vec![BTreeSet::new(); count],
            named: vec![false; count],
            neighbours: vec![Vec::new(); count],
            queue: BinaryHeap::new(),
            merges: Vec::with_capacity(count.saturating_sub(1)),
        };
        for same in &links.same {
            for pair in same.windows(2) {
                let [a, b] = [pair[0], pair[1]].map(|photo| root(&mut groups.parents, photo as u32));
                if a != b {
                    groups.merge(a, b, 0.0);
                }
            }
        }
        for &photo in &links.named {
            let group = root(&mut groups.parents, photo as u32);
            groups.named[group as usize] = true;
        }
        for &[a, b] in &links.different {
            let [a, b] = [a, b].map(|photo| root(&mut groups.parents, photo as u32));
            if a != b {
                groups.others[a as usize].insert(b);
                groups.others[b as usize].insert(a);
            }
        }
        groups
    }

    fn sum(&self, group: u32) -> &[f32] {
        &self.sums[group as usize * self.dim..][..self.dim]
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        let sizes = self.sizes[a as usize] as f32 * self.sizes[b as usize] as f32;
        1.0 - dot(self.sum(a), self.sum(b)) / sizes
    }

    /// Draws the graph of the groups that there are.
    fn draw(&mut self, progress: Progress) -> Result<(), RankingError> {
        let alive: Vec<u32> = self.alive.iter().copied().collect();
        let means = alive.iter().flat_map(|&group| {
            let size = self.sizes[group as usize] as f32;
            self.sum(group).iter().map(move |sum| sum / size)
        });
        let means = Features::as_they_are(means, self.dim);
        let near = Neighbours::of(&means, NEIGHBOURS + 1, progress)?;
        self.queue.clear();
        self.neighbours.iter_mut().for_each(Vec::clear);
        for (place, &group) in alive.iter().enumerate() {
            let found = near.others(place, NEIGHBOURS).map(|other| alive[other as usize]);
            self.neighbours[group as usize].extend(found);
        }
        // Who is near is a neighbour, whether or not it is mutual.
        for &group in &alive {
            for other in self.neighbours[group as usize].clone() {
                self.neighbours[other as usize].push(group);
            }
        }
        for &group in &alive {
            let mut near = std::mem::take(&mut self.neighbours[group as usize]);
            near.sort_unstable();
            near.dedup();
            near.iter().filter(|&&other| other > group).for_each(|&other| self.consider(group, other));
            self.neighbours[group as usize] = near;
        }
        Ok(())
    }

    fn consider(&mut self, a: u32, b: u32) {
        let groups = [a.min(b), a.max(b)];
        let ages = groups.map(|group| self.ages[group as usize]);
        self.queue.push(Pair { distance: self.distance(a, b), groups, ages });
    }

    /// Merges the nearest until so few groups are left, or none may be merged.
    fn merge_until(&mut self, left: usize) {
        while self.alive.len() > left.max(1)
            && let Some(Pair { distance, groups: [a, b], ages }) = self.queue.pop()
        {
            let stale = [a, b].map(|group| self.ages[group as usize]) != ages;
            if stale || self.are_two(a, b) {
                continue;
            }
            let before = self.merges.last().map_or(0.0, |merge| merge.distance);
            self.merge(a, b, distance.max(before));
            let mut near = std::mem::take(&mut self.neighbours[a as usize]);
            near.append(&mut self.neighbours[b as usize]);
            near.iter_mut().for_each(|group| *group = root(&mut self.parents, *group));
            near.sort_unstable();
            near.dedup();
            near.retain(|&group| group != a);
            for &group in &near {
                self.neighbours[group as usize].push(a);
                self.consider(a, group);
            }
            self.neighbours[a as usize] = near;
        }
    }

    /// Whether they are known to be two people.
    fn are_two(&self, a: u32, b: u32) -> bool {
        let named = |group: u32| self.named[group as usize];
        named(a) && named(b) || self.others[a as usize].contains(&b)
    }

    /// Two groups become the first of them.
    fn merge(&mut self, a: u32, b: u32, distance: f32) {
        let [from, to] = [b, a].map(|group| group as usize * self.dim);
        for value in 0..self.dim {
            self.sums[to + value] += self.sums[from + value];
        }
        self.sizes[a as usize] += self.sizes[b as usize];
        self.parents[b as usize] = a;
        self.named[a as usize] |= self.named[b as usize];
        self.alive.remove(&b);
        self.ages[a as usize] += 2;
        self.ages[b as usize] += 1;
        for other in std::mem::take(&mut self.others[b as usize]) {
            self.others[other as usize].remove(&b);
            self.others[other as usize].insert(a);
            self.others[a as usize].insert(other);
        }
        self.merges.push(Merge { a, b, distance });
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;
    use crate::ranking::quiet;

    fn noise(count: usize, dim: usize) -> Features {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let rows: Vec<f32> = (0..count * dim).map(|_| random.random_range(-1.0..1.0)).collect();
        Features::new(&rows, dim).expect("fits")
    }

    /// Average linkage by its definition: the nearest two by the mean of all their photos' distances, again and again.
    fn by_definition(features: &Features) -> Vec<f32> {
        let mut groups: Vec<Vec<usize>> = (0..features.count()).map(|photo| vec![photo]).collect();
        let mut heights = Vec::new();
        while groups.len() > 1 {
            let mut best = (f32::INFINITY, 0, 0);
            for a in 0..groups.len() {
                for b in 0..a {
                    let all = groups[a].iter().flat_map(|&x| groups[b].iter().map(move |&y| (x, y)));
                    let sum: f32 = all.map(|(x, y)| features.distance(x, y) / 2.0).sum();
                    let mean = sum / (groups[a].len() * groups[b].len()) as f32;
                    if mean < best.0 {
                        best = (mean, a, b);
                    }
                }
            }
            let gone = groups.swap_remove(best.1);
            groups[best.2].extend(gone);
            heights.push(best.0);
        }
        heights
    }

    /// So few photos are all neighbours of each other: nothing is left out.
    #[test]
    fn average_linkage_by_its_definition() {
        let features = noise(24, 5);
        let found = merges(&features, &Links::default(), &mut quiet).expect("not cancelled");
        let expected = by_definition(&features);
        assert_eq!(found.len(), 23);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.distance - expected).abs() < 1e-5, "{} {expected}", found.distance);
        }
    }

    /// Far more near copies of a photo than a photo has neighbours: those of one person find each other all the same.
    #[test]
    fn tracks_of_near_copies_become_one_person() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let rows: Vec<f32> = (0..400)
            .flat_map(|photo| {
                let (person, track) = (photo / 200, photo / 100 % 2);
                let noise: [f32; 4] = std::array::from_fn(|_| random.random_range(-0.01..0.01));
                let base = [person as f32, 1.0 - person as f32, 0.3 * track as f32, 0.0];
                std::array::from_fn::<f32, 4, _>(|value| base[value] + noise[value])
            })
            .collect();
        let features = Features::new(&rows, 4).expect("fits");
        let found = merges(&features, &Links::default(), &mut quiet).expect("not cancelled");
        let labels = labels(400, found.iter().filter(|merge| merge.distance < 0.5));
        assert!(labels[..200].iter().all(|&label| label == 0) && labels[200..].iter().all(|&label| label == 1));
    }

    #[test]
    fn what_is_known_is_obeyed() {
        let features = noise(40, 3);
        let links =
            Links { same: vec![vec![0, 7, 9], vec![9, 3]], different: vec![[3, 5], [8, 1]], named: vec![7, 2, 30] };
        let found = merges(&features, &links, &mut quiet).expect("not cancelled");
        assert_eq!(found[..3].iter().map(|merge| merge.distance).sum::<f32>(), 0.0);
        for merged in [3, found.len()] {
            let labels = labels(40, &found[..merged]);
            assert!([7, 9, 3].iter().all(|&photo| labels[photo] == labels[0]), "{labels:?}");
            assert!(labels[0] != labels[5] && labels[8] != labels[1], "{labels:?}");
            assert!(labels[7] != labels[2] && labels[7] != labels[30] && labels[2] != labels[30], "{labels:?}");
        }
        let wrong = Links { same: vec![vec![0, 40]], ..Links::default() };
        assert_eq!(merges(&features, &wrong, &mut quiet), Err(RankingError::Index { index: 40, count: 40 }));
    }

    /// However groups grow into each other, what is known of their photos stays known.
    #[test]
    fn no_merge_breaks_what_is_known() {
        let features = noise(80, 3);
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let mut photo = || random.random_range(0..80);
        let different: Vec<[usize; 2]> = (0..60).map(|_| [photo(), photo()]).filter(|[a, b]| a != b).collect();
        let links = Links { different: different.clone(), ..Links::default() };
        let found = merges(&features, &links, &mut quiet).expect("not cancelled");
        let labels = labels(80, &found);
        assert!(different.iter().all(|&[a, b]| labels[a] != labels[b]), "{labels:?}");
        assert!(labels.iter().max().is_some_and(|&last| last < 20), "they merge all the same: {labels:?}");
    }

    #[test]
    fn one_photo_and_none() {
        assert_eq!(merges(&noise(1, 3), &Links::default(), &mut quiet), Ok(vec![]));
        assert_eq!(merges(&noise(0, 3), &Links::default(), &mut quiet), Ok(vec![]));
        assert_eq!(labels(2, []), [0, 1]);
    }
}
