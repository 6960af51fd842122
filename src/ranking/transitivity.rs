//! Whether people have many photos here, seen from the features alone.

use super::Neighbours;

/// Neighbours looked at, the image itself apart.
const K: usize = 8;
/// Below it so many neighbours are a good part of all, and know each other by chance.
const FEWEST: usize = 100;
/// The share of neighbours that know each other from which on neighbours help. On PKU-Reid and Market-1501, with three models,
/// it was 0.20–0.30 with one photo a person and camera, where re-ranking costs 10 to 24 points of rank-1, and 0.47–0.77 with
/// eight, where it gives 0.5 to 4.5 of rank-1 and 5 to 18 of mAP.
pub const ENOUGH: f32 = 0.45;
/// The same about one image, below which it keeps its own distances: some people have many photos, others one.
pub const ENOUGH_AROUND: f32 = 0.25;

/// How many of the pairs that an image's mutual neighbours make are mutual neighbours themselves. Photos of one person all
/// know each other; where everybody has a photo or two, an image's neighbours are people who look like it in various ways,
/// and do not. (Clustering coefficient, Watts and Strogatz 1998; transitivity, Newman 2003.)
#[derive(Clone, Debug, PartialEq)]
pub struct Transitivity {
    /// Of all images together, less what chance gives: 0…1, and below 0 by chance. `None` with too few images to tell.
    pub whole: Option<f32>,
    /// About each image: of it and its mutual neighbours together, 0…1; 0 where there are no pairs.
    pub around: Vec<f32>,
}

impl Transitivity {
    /// How many neighbours of each image have to be known.
    pub const NEIGHBOURS: usize = K + 1;

    pub fn of(neighbours: &Neighbours) -> Self {
        let count = neighbours.count();
        let knows = |a: u32, b: u32| neighbours.others(a as usize, K).any(|other| other == b);
        let mutual: Vec<Vec<u32>> = (0..count as u32)
            .map(|image| neighbours.others(image as usize, K).filter(|&other| knows(other, image)).collect())
            .collect();
        // Ordered pairs of mutual neighbours, and those of them who are such themselves.
        let pairs = |mutual: &[u32]| mutual.len() * mutual.len().saturating_sub(1);
        let closed = |those: &[u32]| {
            let both = |a: u32| those.iter().filter(|&&b| mutual[a as usize].contains(&b)).count();
            those.iter().map(|&a| both(a)).sum::<usize>()
        };
        let counts: Vec<[usize; 2]> = mutual.iter().map(|mutual| [closed(mutual), pairs(mutual)]).collect();
        let share = |images: &mut dyn Iterator<Item = usize>| {
            let [closed, pairs] = images.fold([0, 0], |sum, image| {
                let [closed, pairs] = counts[image];
                [sum[0] + closed, sum[1] + pairs]
            });
            if pairs == 0 { 0.0 } else { closed as f32 / pairs as f32 }
        };
        let around = (0..count)
            .map(|image| share(&mut mutual[image].iter().map(|&other| other as usize).chain([image])))
            .collect();
        let chance = K as f32 / count as f32;
        let whole = (count >= FEWEST).then(|| (share(&mut (0..count)) - chance) / (1.0 - chance));
        Self { whole, around }
    }

    /// Whether neighbours help here.
    pub fn is_enough(&self) -> bool {
        self.whole.is_some_and(|whole| whole >= ENOUGH)
    }

    /// Whether they help this image, where they help at all.
    pub fn is_enough_around(&self, image: usize) -> bool {
        self.around[image] >= ENOUGH_AROUND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::Features;
    use crate::ranking::distances::quiet;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// Unit vectors about `people` directions, `photos` of each.
    fn crowd(people: usize, photos: usize, spread: f32) -> Transitivity {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let dim = 32;
        let mut random = || (0..dim).map(|_| rng.random_range(-1.0..1.0_f32)).collect::<Vec<_>>();
        let rows: Vec<f32> = (0..people)
            .flat_map(|_| {
                let person = random();
                let photos: Vec<f32> = (0..photos)
                    .flat_map(|_| {
                        random()
                            .into_iter()
                            .zip(person.clone())
                            .map(|(off, own)| own + spread * off)
                            .collect::<Vec<_>>()
                    })
                    .collect();
                photos
            })
            .collect();
        let features = Features::new(&rows, dim).expect("fits");
        Transitivity::of(&Neighbours::of(&features, Transitivity::NEIGHBOURS, &mut quiet).expect("not cancelled"))
    }

    #[test]
    fn photos_of_one_person_know_each_other() {
        let many = crowd(20, 9, 0.3);
        assert!(many.whole.is_some_and(|whole| whole > 0.95) && many.is_enough(), "{:?}", many.whole);
        assert!((0..180).all(|image| many.is_enough_around(image)));
    }

    #[test]
    fn people_with_a_photo_or_two_do_not() {
        for photos in [1, 2] {
            let few = crowd(180 / photos, photos, 0.5);
            assert!(few.whole.is_some_and(|whole| whole < 0.35) && !few.is_enough(), "{photos}: {:?}", few.whole);
        }
    }

    #[test]
    fn a_handful_of_photos_tells_nothing() {
        let handful = crowd(3, 9, 0.1);
        assert_eq!((handful.whole, handful.is_enough()), (None, false));
        assert!(Transitivity::of(&Neighbours::default()).around.is_empty());
    }
}
