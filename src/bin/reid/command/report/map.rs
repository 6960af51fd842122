//! Photos in a plane, so that those with features alike lie together: t-SNE (van der Maaten 2014).

use bhtsne::{Neighbor, tSNE};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use webreid::dataset::DISTRACTOR;
use webreid::ranking::{Distances, Features, nearest, quiet};

/// The most photos that are mapped: more are a blot, and take minutes.
pub const MOST: usize = 2000;
/// Fewer have no neighbourhoods.
const FEWEST: usize = 8;
/// How many neighbours a photo is to keep, about.
const PERPLEXITY: usize = 20;
/// How far forces are summed up, as the method's author has it.
const THETA: f32 = 0.5;

/// Where photos lie.
pub struct Map {
    pub spots: Vec<Spot>,
}

/// A photo on the map, 0…1 from the left and from the top.
pub struct Spot {
    /// The row of its features.
    pub row: usize,
    pub x: f32,
    pub y: f32,
}

impl Map {
    /// Maps photos person by person, as long as there is room; `persons` are those of each row. The same features give the same map.
    pub fn of(features: &Features, persons: &[i32]) -> Self {
        let rows = chosen(persons);
        let spots = if rows.len() < FEWEST { Vec::new() } else { spots(&features.select(&rows)) };
        Self { spots: rows.into_iter().zip(spots).map(|(row, [x, y])| Spot { row, x, y }).collect() }
    }
}

/// The rows that are mapped: person by person, nobody in particular last.
fn chosen(persons: &[i32]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..persons.len()).collect();
    rows.sort_by_key(|&row| (persons[row] == DISTRACTOR, persons[row]));
    rows.truncate(MOST);
    rows
}

/// A place for each feature; none where there is no telling them apart.
fn spots(features: &Features) -> Vec<[f32; 2]> {
    let count = features.count();
    let k = (3 * PERPLEXITY).min(count - 1);
    let mut neighbours: Vec<Vec<Neighbor<f32>>> = Vec::with_capacity(count);
    let collected = Distances::to(features).blocks(features, &mut quiet, |first, rows| {
        for (place, row) in rows.iter().enumerate() {
            let others = nearest(row, k + 1).into_iter().filter(|&other| other != first + place).take(k);
            neighbours.push(others.map(|index| Neighbor { index, distance: row[index].sqrt() }).collect());
        }
    });
    // On one thread: how several add up differs from run to run.
    let Ok(thread) = rayon::ThreadPoolBuilder::new().num_threads(1).build() else { return Vec::new() };
    if collected.is_err() {
        return Vec::new();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let start: Vec<f32> = (0..2 * count).map(|_| rng.random_range(-1e-4..1e-4)).collect();
    let places = vec![(); count];
    let values = thread.install(|| {
        let mut map: tSNE<'_, f32, ()> = tSNE::new(&places);
        map.perplexity(k as f32 / 3.0).initial_embedding(start);
        map.barnes_hut_with_neighbors(THETA, &neighbours).embedding()
    });
    if values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let (points, _) = values.as_chunks::<2>();
    let ends = |axis: usize| {
        points.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], point| {
            [low.min(point[axis]), high.max(point[axis])]
        })
    };
    let ends = [ends(0), ends(1)];
    let wide = ends.map(|[low, high]| high - low).into_iter().fold(f32::MIN_POSITIVE, f32::max);
    let within = |axis: usize, value: f32| 0.5 + (value - (ends[axis][0] + ends[axis][1]) / 2.0) / wide;
    points.iter().map(|&[x, y]| [within(0, x), within(1, y)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three persons of `each` photos, far from each other.
    fn features(each: usize) -> (Features, Vec<i32>) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let persons: Vec<i32> = (0..3 * each).map(|i| (i % 3) as i32 + 1).collect();
        let rows =
            persons.iter().flat_map(|person| (1..=3).map(|i| f32::from(u8::from(i == *person))).collect::<Vec<_>>());
        let rows: Vec<f32> = rows.map(|value| value + rng.random_range(-0.1..0.1)).collect();
        (Features::new(&rows, 3).expect("a matrix"), persons)
    }

    #[test]
    fn a_person_lies_together_and_the_map_is_the_same_again() {
        let (features, persons) = features(30);
        let map = Map::of(&features, &persons);
        assert_eq!(map.spots.len(), 90);
        let nearest = |spot: &Spot| {
            let far = |other: &&Spot| ((other.x - spot.x).powi(2) + (other.y - spot.y).powi(2)).to_bits();
            map.spots.iter().filter(|other| other.row != spot.row).min_by_key(far).map(|other| persons[other.row])
        };
        let alone = map.spots.iter().filter(|spot| nearest(spot) != Some(persons[spot.row])).count();
        assert_eq!(alone, 0, "of 90 next to somebody else");
        assert!(map.spots.iter().all(|spot| (0.0..=1.0).contains(&spot.x) && (0.0..=1.0).contains(&spot.y)));
        let again = Map::of(&features, &persons);
        assert!(map.spots.iter().zip(&again.spots).all(|(a, b)| (a.x, a.y) == (b.x, b.y)));
    }

    #[test]
    fn few_photos_and_photos_all_alike_do_no_harm() {
        assert!(Map::of(&features(2).0, &[1; 6]).spots.is_empty());
        let alike = Features::new(&[1.0; 60], 3).expect("a matrix");
        assert!(Map::of(&alike, &[1; 20]).spots.iter().all(|spot| spot.x.is_finite()));
    }

    #[test]
    fn whole_persons_are_mapped_and_nobody_in_particular_last() {
        assert_eq!(chosen(&[2, 0, 1, 2, 0, 1]), [2, 5, 0, 3, 1, 4]);
        let many = chosen(&[[0; 10].as_slice(), &[7; MOST]].concat());
        assert_eq!((many.len(), many[0]), (MOST, 10));
    }
}
