//! Which images go into a batch: P persons with K images each, from different cameras where there are some.

use std::collections::VecDeque;

use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::random::{Purpose, generator};

/// How a batch is made up and how long an epoch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerConfig {
    /// P: different persons in a batch.
    pub people: usize,
    /// K: images of each of them.
    pub images: usize,
    /// About how many images an epoch shows, as many whole batches as go into it; `None`: as many as there are.
    pub images_per_epoch: Option<usize>,
    pub visits: Visits,
}

/// How often a person comes up in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visits {
    /// In proportion to the person's images, counted as K at least.
    ByImages,
    /// As often as everyone else.
    Equal,
}

impl Default for SamplerConfig {
    /// 16 persons with 4 images each.
    fn default() -> Self {
        Self { people: 16, images: 4, images_per_epoch: None, visits: Visits::ByImages }
    }
}

/// Why images do not make up batches.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamplerError {
    #[error("a batch of {people} persons with {images} images each needs both to be at least 1")]
    EmptyBatch { people: usize, images: usize },
    #[error("a batch shall show {asked} different persons and there are {found}: ask for fewer, or add persons")]
    TooFewPeople { asked: usize, found: usize },
    #[error("there are {people} person labels and {cameras} cameras, and each image needs one of both")]
    Length { people: usize, cameras: usize },
}

/// The order of images. It keeps no state: that of an epoch follows from the seed and the epoch's number.
#[derive(Clone, Debug)]
pub struct Sampler {
    config: SamplerConfig,
    seed: u64,
    /// The images of each person.
    images: Vec<Vec<usize>>,
    /// The camera of each image.
    cameras: Vec<Option<usize>>,
}

impl Sampler {
    /// `people` and `cameras` belong to the images; persons are labelled from 0, and an unknown camera counts as one camera.
    ///
    /// # Errors
    /// When there are fewer persons than a batch shall show, or the lengths differ.
    pub fn new(
        people: &[usize],
        cameras: &[Option<usize>],
        config: SamplerConfig,
        seed: u64,
    ) -> Result<Self, SamplerError> {
        if people.len() != cameras.len() {
            return Err(SamplerError::Length { people: people.len(), cameras: cameras.len() });
        }
        if config.people == 0 || config.images == 0 {
            return Err(SamplerError::EmptyBatch { people: config.people, images: config.images });
        }
        let mut images = vec![Vec::new(); people.iter().max().map_or(0, |&last| last + 1)];
        for (image, &person) in people.iter().enumerate() {
            images[person].push(image);
        }
        images.retain(|images| !images.is_empty());
        if images.len() < config.people {
            return Err(SamplerError::TooFewPeople { asked: config.people, found: images.len() });
        }
        Ok(Self { config, seed, images, cameras: cameras.to_vec() })
    }

    /// At least 1.
    pub fn batches_per_epoch(&self) -> usize {
        let images = self.config.images_per_epoch.unwrap_or(self.cameras.len());
        (images / (self.config.people * self.config.images)).max(1)
    }

    /// The batches of an epoch, each the indices of P·K images, those of one person side by side.
    ///
    /// A person's anchor is one of the images that the epoch showed least so far; K−1 images of other cameras follow, then
    /// of the same camera, again the least shown first. Only a person with fewer than K images shows one twice.
    pub fn epoch(&self, epoch: usize) -> Vec<Vec<usize>> {
        let mut rng = generator(self.seed, Purpose::Order, epoch as u64, 0);
        let turns = self.turns(&mut rng);
        let mut shown = vec![0; self.cameras.len()];
        let batches = self.deal(turns, &mut rng);
        let pick = |batch: Vec<usize>| batch.iter().flat_map(|&p| self.pick(p, &mut shown, &mut rng)).collect();
        batches.into_iter().map(pick).collect()
    }

    /// Persons in the order in which they come up: each as often as is due, spread over the epoch.
    fn turns(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let weight = |person: &usize| match self.config.visits {
            Visits::ByImages => self.images[*person].len().max(self.config.images) as f64,
            Visits::Equal => 1.0,
        };
        let mut people: Vec<usize> = (0..self.images.len()).collect();
        people.shuffle(rng);
        let total: f64 = people.iter().map(weight).sum();
        let turns = (self.batches_per_epoch() * self.config.people) as f64;
        // Systematic sampling: a comb with a random start is laid over the persons' shares, so that everyone gets the whole
        // part of the share, and one more with the probability of the rest.
        let start: f64 = rng.random();
        let teeth = |share: f64| (share / total * turns - start).ceil().max(0.0) as usize;
        let mut before = 0.0;
        let mut due = Vec::new();
        for person in people {
            let after = before + weight(&person);
            let count = teeth(after) - teeth(before);
            before = after;
            for turn in 0..count {
                due.push(((turn as f64 + rng.random::<f64>()) / count as f64, person));
            }
        }
        due.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        due.into_iter().map(|(_, person)| person).collect()
    }

    /// Turns to batches of different persons: who is in a batch already waits for the next one.
    fn deal(&self, turns: Vec<usize>, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
        let mut turns = turns.into_iter();
        let mut waiting = VecDeque::new();
        let mut batches = Vec::new();
        for _ in 0..self.batches_per_epoch() {
            let mut batch = Vec::with_capacity(self.config.people);
            let mut still_waiting = VecDeque::new();
            while batch.len() < self.config.people {
                let Some(person) = waiting.pop_front().or_else(|| turns.next()) else { break };
                if batch.contains(&person) { still_waiting.push_back(person) } else { batch.push(person) }
            }
            still_waiting.append(&mut waiting);
            waiting = still_waiting;
            // Only the last batches run short, when the rest of the turns are of too few persons.
            while batch.len() < self.config.people {
                let others: Vec<usize> = (0..self.images.len()).filter(|person| !batch.contains(person)).collect();
                batch.extend(others.choose(rng));
            }
            batches.push(batch);
        }
        batches
    }

    /// K images of a person.
    fn pick(&self, person: usize, shown: &mut [u32], rng: &mut ChaCha8Rng) -> Vec<usize> {
        let mut images: Vec<(u32, usize)> = self.images[person].iter().map(|&image| (rng.next_u32(), image)).collect();
        images.sort_unstable_by_key(|&(random, image)| (shown[image], random));
        let anchor = self.cameras[images[0].1];
        images[1..].sort_by_key(|&(_, image)| self.cameras[image] == anchor);
        let picked: Vec<usize> = images.iter().map(|&(_, image)| image).cycle().take(self.config.images).collect();
        picked.iter().for_each(|&image| shown[image] += 1);
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Images as (person, camera).
    fn sampler(images: &[(usize, usize)], config: SamplerConfig) -> Sampler {
        let people: Vec<usize> = images.iter().map(|image| image.0).collect();
        let cameras: Vec<Option<usize>> = images.iter().map(|image| Some(image.1)).collect();
        Sampler::new(&people, &cameras, config, 7).expect("a sampler")
    }

    fn config(people: usize, images: usize) -> SamplerConfig {
        SamplerConfig { people, images, ..SamplerConfig::default() }
    }

    /// How often each of `count` images comes up in an epoch.
    fn shown(batches: &[Vec<usize>], count: usize) -> Vec<usize> {
        (0..count).map(|image| batches.iter().flatten().filter(|&&shown| shown == image).count()).collect()
    }

    /// Ten persons with 3 to 21 images each, of three cameras.
    fn crowd() -> Vec<(usize, usize)> {
        (0..10).flat_map(|person| (0..3 + 2 * person).map(move |image| (person, image % 3))).collect()
    }

    #[test]
    fn batches_are_p_persons_with_k_images_each() {
        let images = crowd();
        let sampler = sampler(&images, config(4, 4));
        // 120 images and 16 a batch.
        assert_eq!(sampler.batches_per_epoch(), 7);
        for epoch in 0..20 {
            let batches = sampler.epoch(epoch);
            assert_eq!(batches.len(), 7);
            for batch in &batches {
                let groups: Vec<&[usize]> = batch.chunks(4).collect();
                let people: BTreeSet<usize> = groups.iter().map(|group| images[group[0]].0).collect();
                assert_eq!((groups.len(), people.len()), (4, 4));
                for group in groups {
                    assert!(group.iter().all(|&image| images[image].0 == images[group[0]].0));
                    let different: BTreeSet<&usize> = group.iter().collect();
                    // Person 0 has three images, everyone else enough.
                    assert_eq!(different.len(), if images[group[0]].0 == 0 { 3 } else { 4 });
                }
            }
        }
    }

    #[test]
    fn other_cameras_come_first() {
        // Two persons; camera 0 took five images, camera 1 two.
        let images: Vec<(usize, usize)> =
            (0..2).flat_map(|person| [0, 0, 0, 0, 0, 1, 1].map(|camera| (person, camera))).collect();
        let batches: Vec<Vec<usize>> = (0..50).flat_map(|epoch| sampler(&images, config(2, 4)).epoch(epoch)).collect();
        let mut anchors = [0; 2];
        for group in batches.iter().flat_map(|batch| batch.chunks(4)) {
            let cameras: Vec<usize> = group.iter().map(|&image| images[image].1).collect();
            anchors[cameras[0]] += 1;
            // Three of the other camera after an anchor of camera 1; after one of camera 0 both that there are, then one of its own.
            let expected: &[usize] = if cameras[0] == 1 { &[1, 0, 0, 0] } else { &[0, 1, 1, 0] };
            assert_eq!(cameras, expected);
        }
        assert!(anchors[0] > 20 && anchors[1] > 5, "{anchors:?}");
    }

    #[test]
    fn a_person_with_one_image_repeats_it() {
        let sampler = sampler(&[(0, 0), (1, 0), (1, 1)], config(2, 4));
        let batch = &sampler.epoch(0)[0];
        let mut groups: Vec<Vec<usize>> = batch.chunks(4).map(<[usize]>::to_vec).collect();
        groups.iter_mut().for_each(|group| group.sort());
        groups.sort();
        assert_eq!(groups, [[0, 0, 0, 0], [1, 1, 2, 2]]);
    }

    #[test]
    fn an_epoch_shows_persons_in_proportion_to_their_images() {
        let images = crowd();
        let config = SamplerConfig { images_per_epoch: Some(960), ..config(4, 4) };
        let visits = |config: &SamplerConfig| {
            let shown = shown(&sampler(&images, config.clone()).epoch(3), images.len());
            let of = |person| images.iter().zip(&shown).filter(move |(image, _)| image.0 == person).map(|(_, n)| n);
            (0..10).map(|person| of(person).sum::<usize>() / 4).collect::<Vec<usize>>()
        };
        // 240 turns; person p has 3 + 2 p of 120 images, person 0's three count as four: 240 · n / 121, up or down.
        for (person, visits) in visits(&config).into_iter().enumerate() {
            let share = 240.0 * (3 + 2 * person).max(4) as f64 / 121.0;
            assert!((visits as f64 - share).abs() < 1.0, "{visits} visits of person {person} and {share} due");
        }
        assert_eq!(visits(&SamplerConfig { visits: Visits::Equal, ..config }), [24; 10]);
    }

    #[test]
    fn epochs_leave_no_image_out() {
        let images: Vec<(usize, usize)> = (0..6).flat_map(|person| [(person, 0); 8]).collect();
        let batches = sampler(&images, config(3, 4)).epoch(1);
        assert_eq!(shown(&batches, 48), [1; 48]);
        // Of two cameras, the one anchor against three others leaves some for the next epoch.
        let images: Vec<(usize, usize)> = (0..48).map(|image| (image / 8, image % 2)).collect();
        let sampler = sampler(&images, config(3, 4));
        let often: Vec<Vec<usize>> = (0..4).map(|epoch| shown(&sampler.epoch(epoch), 48)).collect();
        assert!(often.iter().flatten().all(|&times| times <= 2));
        assert!((0..48).all(|image| often.iter().any(|epoch| epoch[image] > 0)));
    }

    #[test]
    fn the_order_follows_from_seed_and_epoch() {
        let images = crowd();
        let sampler = |seed| {
            let (people, cameras): (Vec<usize>, Vec<Option<usize>>) =
                images.iter().map(|&(person, camera)| (person, Some(camera))).unzip();
            Sampler::new(&people, &cameras, config(2, 2), seed).expect("a sampler")
        };
        let one = sampler(1);
        let before = one.epoch(5);
        one.epoch(6);
        assert_eq!(one.epoch(5), before);
        assert_ne!(one.epoch(6), before);
        assert_ne!(sampler(2).epoch(5), before);
        // A run must go on in the browser, and after an update, as it began: these are the numbers of rand 0.10.
        assert_eq!(before[..3], [[79, 75, 80, 93], [57, 53, 108, 100], [110, 117, 40, 47]]);
    }

    #[test]
    fn who_has_most_of_the_images_is_still_in_a_batch_once() {
        let images: Vec<(usize, usize)> = (0..100).map(|image| (usize::from(image >= 90), 0)).collect();
        let batches = sampler(&images, config(2, 4)).epoch(0);
        assert_eq!(batches.len(), 12);
        for batch in batches {
            let people: BTreeSet<usize> = batch.iter().map(|&image| images[image].0).collect();
            assert_eq!(people.len(), 2);
        }
    }

    #[test]
    fn what_makes_no_batch_is_refused() {
        let new =
            |people: &[usize], cameras: &[Option<usize>], config| Sampler::new(people, cameras, config, 0).map(|_| ());
        // Labels may have gaps: 2 is nobody.
        let error = new(&[0, 1, 3], &[None; 3], config(4, 2)).expect_err("three persons");
        assert_eq!(error, SamplerError::TooFewPeople { asked: 4, found: 3 });
        let error = new(&[0, 1], &[None], config(2, 2)).expect_err("one camera");
        assert_eq!(error, SamplerError::Length { people: 2, cameras: 1 });
        let error = new(&[0, 1], &[None; 2], config(2, 0)).expect_err("no image");
        assert_eq!(error, SamplerError::EmptyBatch { people: 2, images: 0 });
        assert!(new(&[], &[], config(1, 1)).is_err());
    }
}
