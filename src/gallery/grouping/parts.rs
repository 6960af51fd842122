//! The people that photos fall into which were taken for one.

use super::cut::{silhouette, speakers};
use super::merges::{labels, merges};
use super::{Tree, groups_of, mean};
use crate::gallery::Links;
use crate::ranking::{RankingError, dot, quiet};

/// More people than these are not looked for.
const MOST: usize = 10;

impl Tree {
    /// The people that some of the photos fall into, looked at by themselves: two or more, as many as the silhouette is largest
    /// for, the largest first; each in order. Photos known to be different are not in one. What is known to be the same is
    /// not looked at: it is what is in doubt. One photo is one part.
    ///
    /// # Errors
    /// [`RankingError::Index`] for photos that there are not.
    pub fn parts(&self, photos: &[usize]) -> Result<Vec<Vec<usize>>, RankingError> {
        let count = self.features.count();
        if let Some(&index) = photos.iter().find(|&&photo| photo >= count) {
            return Err(RankingError::Index { index, count });
        }
        let mut photos = photos.to_vec();
        photos.sort_unstable();
        photos.dedup();
        if photos.len() < 2 {
            return Ok(vec![photos]);
        }
        let place = |photo: usize| photos.binary_search(&photo).ok();
        let different = self.links.different.iter().filter_map(|&[a, b]| Some([place(a)?, place(b)?]));
        let links = Links { different: different.collect(), ..Links::default() };
        let features = self.features.select(&photos);
        let merges = merges(&features, &links, &mut quiet)?;
        let speakers = speakers(photos.len(), &merges);
        let mut best = (f32::NEG_INFINITY, Vec::new());
        let fewest = (photos.len() - merges.len()).max(2);
        for parts in fewest..=photos.len().min(MOST.max(fewest)) {
            let labels = labels(photos.len(), &merges[..photos.len() - parts]);
            let silhouette = silhouette(&features, &speakers, &labels, parts)?;
            if silhouette > best.0 {
                best = (silhouette, labels);
            }
        }
        let mut parts = groups_of(&best.1);
        // A photo that is like nobody here is nearest to somebody, where there are two to choose from.
        if parts.iter().filter(|part| part.len() > 1).count() > 1 {
            let (mut large, alone): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.len() > 1);
            let means: Vec<Vec<f32>> = large.iter().map(|part| mean(&features, part)).collect();
            for photo in alone.into_iter().flatten() {
                let allowed = |part: &[usize]| {
                    !links
                        .different
                        .iter()
                        .any(|pair| pair.contains(&photo) && pair.iter().any(|other| part.contains(other)))
                };
                let near = |&part: &usize| dot(&means[part], features.row(photo));
                let nearest =
                    (0..large.len()).filter(|&part| allowed(&large[part])).max_by(|a, b| near(a).total_cmp(&near(b)));
                match nearest {
                    Some(part) => large[part].push(photo),
                    None => large.push(vec![photo]),
                }
            }
            parts = large;
        }
        parts.iter_mut().for_each(|part| part.sort_unstable());
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Ok(parts.into_iter().map(|part| part.into_iter().map(|place| photos[place]).collect()).collect())
    }
}
