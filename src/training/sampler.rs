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
