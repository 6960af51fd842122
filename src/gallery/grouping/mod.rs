//! People without names: photos in groups that are one person each, as far as features and answers tell.

mod cut;
mod merges;
mod suggest;
mod within;

use crate::ranking::{Cameras, Centring, Features, Progress, RankingError};
pub use cut::{cut, up_to};
pub use merges::{Links, Merge, labels, merges};
pub use suggest::Question;
pub use within::whitened;

/// Photos to be grouped.
#[derive(Clone, Copy, Debug)]
pub struct Photos<'a> {
    /// `[n, dim]`, as the model gives them.
    pub rows: &'a [f32],
    pub dim: usize,
    /// Of each photo, where it is known.
    pub cameras: &'a [Option<i32>],
}

/// Every grouping of some photos, from each photo alone to the coarsest, and where to cut.
pub struct Tree {
    features: Features,
    merges: Vec<Merge>,
    cut: f32,
}

/// Photos in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// Places of photos; the largest group first, of equals the one with the first photo; each in order.
    pub groups: Vec<Vec<usize>>,
    /// Photos that are alone, though a group is nearly as near as if it were theirs.
    pub unsure: Vec<usize>,
    /// How strict this was, 0 (all one person) to 1 (nobody alike).
    pub strictness: f32,
}

impl Tree {
    /// Groups photos by average linkage, after the means of their cameras are taken off (with [`Cameras::None`] the mean of
    /// all), obeying what is known. `progress` is told of photos compared.
    ///
    /// # Errors
    /// [`RankingError`] for features, cameras and links that do not fit together, or when `progress` ends it.
    pub fn grow(photos: Photos, cameras: Cameras, links: &Links, progress: Progress) -> Result<Self, RankingError> {
        let Photos { rows, dim, cameras: of } = photos;
        let unknown = vec![None; of.len()];
        let of = if cameras == Cameras::None { &unknown } else { of };
        let how = if cameras == Cameras::None { Cameras::Centre } else { cameras };
        // Features of one length first: a bright photo's may be longer.
        let centring = Centring::fit(rows, dim, of, &vec![true; of.len()], how)?;
        let mut rows = rows.to_vec();
        centring.apply(&mut rows, of)?;
        let centred = Features::new(&rows, dim)?;
        drop(rows);

        let first = merges(&centred, links, progress)?;
        let rough = cut(&centred, &first)?;
        let features = whitened(&centred, &labels(centred.count(), up_to(&first, rough)));
        let merges = merges(&features, links, progress)?;
        let cut = cut(&features, &merges)?;
        Ok(Self { features, merges, cut })
    }

    /// How strict it is by itself, 0…1.
    pub fn strictness(&self) -> f32 {
        1.0 - self.cut
    }

    /// The groups at a strictness, 0…1, or at the photos' own.
    pub fn groups(&self, strictness: Option<f32>) -> Groups {
        let cut = strictness.map_or(self.cut, |strictness| 1.0 - strictness.clamp(0.0, 1.0));
        let labels = labels(self.features.count(), up_to(&self.merges, cut));
        let count = labels.iter().max().map_or(0, |&last| last as usize + 1);
        let mut groups = vec![Vec::new(); count];
        labels.iter().enumerate().for_each(|(photo, &label)| groups[label as usize].push(photo));
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        Groups { groups, unsure: Vec::new(), strictness: 1.0 - cut }
    }
}
