//! From features as a model gives them to distances that suit the photos at hand: cameras centred, features expanded,
//! rankings re-ranked, each as asked for or where the features show that it helps.

use super::centring::PRIOR;
use super::distances::{Distances, Progress};
use super::expansion::{CENTRALISED, Expansion, centralise, expand};
use super::transitivity::ENOUGH;
use super::{Cameras, Centring, Features, Neighbours, RankingError, Rerank, Reranking, Transitivity, nearest};
use crate::kernels::parallel;
use crate::words::words;

/// Whether rankings are re-ranked with k-reciprocal neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reranked {
    #[default]
    Never,
    /// Where the features show that people have many photos.
    Auto,
    Always,
}

/// How features learn from those nearest to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Expand {
    #[default]
    None,
    /// Neighbour feature centralisation, where the features show that people have many photos.
    Auto,
    /// Neighbour feature centralisation.
    Nfc,
    /// α-query-expansion.
    Aqe,
}

words! {
    Expand: "none" => None, "auto" => Auto, "nfc" => Nfc, "aqe" => Aqe;
    /// A word that is no [`Expand`].
    UnknownExpand, "'{0}' is no way to expand features; choose none, nfc, aqe or auto"
}

/// What is done to features before they are ranked. By default nothing, which is the published protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Adaptation {
    pub cameras: Cameras,
    pub expand: Expand,
    pub rerank: Reranked,
}

impl Adaptation {
    /// About how many bytes ranking so many images takes at most, their features included.
    pub fn bytes(self, count: usize, dim: usize) -> u64 {
        let parameters = Rerank::default();
        // Features as given, adapted and packed; with re-ranking neighbours, and two sparse matrices whose rows have been
        // seen to hold up to twice k1 · k2 entries, in the making twice.
        let features = 3 * 4 * dim;
        let sparse = 2 * 2 * 2 * parameters.k1 * parameters.k2 * 8;
        let reranking = 4 * Reranking::neighbours(parameters) + sparse;
        let each = features + if self.rerank == Reranked::Never { 0 } else { reranking };
        // The blocks of distances.
        (count as u64).saturating_mul(each as u64).saturating_add(64 << 20)
    }

    /// How often at most [`Adapted::new`] and [`Adapted::rank`] go through the images, telling `progress` of it each time.
    pub fn passes(self) -> usize {
        let expands = self.expand != Expand::None;
        let reranks = self.rerank != Reranked::Never;
        1 + usize::from(self.looks_at_neighbours())
            + usize::from(self.expand == Expand::Aqe)
            + usize::from(expands && reranks)
    }

    fn looks_at_neighbours(self) -> bool {
        self.rerank != Reranked::Never || matches!(self.expand, Expand::Auto | Expand::Nfc)
    }

    fn decides(self) -> bool {
        self.rerank == Reranked::Auto || self.expand == Expand::Auto
    }
}

/// Photos with their features, and which of them are searched with and among.
#[derive(Clone, Copy, Debug)]
pub struct Photos<'a> {
    /// `[n, dim]`, as the model gives them.
    pub rows: &'a [f32],
    pub dim: usize,
    /// Of each photo, where it is known.
    pub cameras: &'a [Option<i32>],
    /// Indices of photos. One may be both.
    pub queries: &'a [usize],
    pub gallery: &'a [usize],
}

/// Photos made ready to be ranked.
pub struct Adapted<'a> {
    photos: Photos<'a>,
    features: Features,
    reranking: Option<Reranking>,
    /// Whether an image's own distances are left as they are by re-ranking.
    plain: Vec<bool>,
    /// What was decided and why, a sentence each.
    said: Vec<String>,
}

impl<'a> Adapted<'a> {
    /// Adapts the features. `progress` is told of images compared.
    ///
    /// # Errors
    /// [`RankingError`] for features, cameras and indices that do not fit together, or when `progress` ends it.
    pub fn new(photos: Photos<'a>, adaptation: Adaptation, progress: Progress) -> Result<Self, RankingError> {
        Self::named(photos, adaptation, |camera| (camera + 1).to_string(), progress)
    }

    /// The same with what [`said`](Self::said) is to call each camera, where it is not counted from 1.
    ///
    /// # Errors
    /// As [`Adapted::new`].
    pub fn named(
        photos: Photos<'a>,
        adaptation: Adaptation,
        name: impl Fn(i32) -> String,
        progress: Progress,
    ) -> Result<Self, RankingError> {
        let Photos { rows, dim, cameras, queries, gallery } = photos;
        let count = rows.len() / dim.max(1);
        if let Some(&index) = queries.iter().chain(gallery).find(|&&index| index >= count) {
            return Err(RankingError::Index { index, count });
        }
        let mut said = Vec::new();
        let centring = (adaptation.cameras != Cameras::None).then(|| {
            let mut among = vec![false; count];
            gallery.iter().for_each(|&image| among[image] = true);
            Centring::fit(rows, dim, cameras, &among, adaptation.cameras)
        });
        let centring = centring.transpose()?;
        let mut features = match &centring {
            None => Features::new(rows, dim)?,
            Some(centring) => {
                let mut rows = rows.to_vec();
                centring.apply(&mut rows, cameras)?;
                said.push(centred(centring, name));
                Features::new(&rows, dim)?
            }
        };

        let k = Reranking::neighbours(Rerank::default()).max(Transitivity::NEIGHBOURS).max(CENTRALISED + 1);
        let neighbours = |features: &Features, progress: Progress| Neighbours::of(features, k, progress);
        let mut near =
            if adaptation.looks_at_neighbours() { neighbours(&features, progress)? } else { Neighbours::default() };
        let transitivity = adaptation.decides().then(|| Transitivity::of(&near));
        let enough = transitivity.as_ref().is_some_and(Transitivity::is_enough);
        said.extend(transitivity.as_ref().map(|transitivity| seen(transitivity, adaptation)));
        let around =
            |image: usize| transitivity.as_ref().is_some_and(|transitivity| transitivity.is_enough_around(image));

        let expanded = match adaptation.expand {
            Expand::Nfc => Some(centralise(&features, &near, |_| true)),
            Expand::Auto if enough => Some(centralise(&features, &near, around)),
            Expand::Aqe => Some(with_gallery(&features, queries, gallery, progress)?),
            Expand::None | Expand::Auto => None,
        };
        let rerank = adaptation.rerank == Reranked::Always || adaptation.rerank == Reranked::Auto && enough;
        if let Some(expanded) = expanded {
            features = expanded;
            if rerank {
                near = neighbours(&features, progress)?;
            }
        }
        let reranking = rerank.then(|| Reranking::new(&near, |a, b| features.distance(a, b), Rerank::default()));
        let plain = match adaptation.rerank {
            Reranked::Auto => (0..count).map(|image| !around(image)).collect(),
            _ => vec![false; count],
        };
        if adaptation.rerank == Reranked::Auto && rerank {
            let kept = queries.iter().filter(|&&query| plain[query]).count();
            if kept > 0 {
                said.push(format!(
                    "{kept} of {} queries keep their plain ranking: few of the photos near them know each other.",
                    queries.len()
                ));
            }
        }
        Ok(Self { photos, features, reranking, plain, said })
    }

    /// Calls `each` with the place of each query and its distances to the gallery, in order. They are squared distances of
    /// vectors of length 1, up to [`largest`](Self::largest); re-ranked ones lie within 0…1.
    ///
    /// # Errors
    /// [`RankingError::Cancelled`].
    pub fn rank(&self, progress: Progress, mut each: impl FnMut(usize, &[f32])) -> Result<(), RankingError> {
        let Photos { queries, gallery, .. } = self.photos;
        let distances = Distances::to(&self.features.select(gallery));
        distances.blocks(&self.features.select(queries), progress, |first, rows| {
            let Some(reranking) = &self.reranking else {
                rows.iter().enumerate().for_each(|(place, row)| each(first + place, row));
                return;
            };
            let mut block: Vec<Vec<f32>> = rows.iter().map(<[f32]>::to_vec).collect();
            parallel::for_each_chunk_with(&mut block, 1, Vec::new, |overlap, place, row| {
                let query = queries[first + place];
                if self.plain[query] {
                    reranking.plain_row(query, &mut row[0]);
                } else {
                    reranking.row(query, gallery, &mut row[0], overlap);
                }
            });
            block.iter().enumerate().for_each(|(place, row)| each(first + place, row));
        })
    }

    /// The largest distance that there can be.
    pub fn largest(&self) -> f32 {
        if self.reranking.is_some() { 1.0 } else { 4.0 }
    }

    /// How alike images at a distance are: the cosine, −1…1, of vectors of length 1, of which |a − b|² is 2 − 2 a·b. Re-ranked
    /// ones have no cosine: 1 is the same image, 0 nothing in common.
    pub fn similarity(&self, distance: f32) -> f32 {
        if self.is_reranked() { 1.0 - distance } else { (1.0 - distance / 2.0).clamp(-1.0, 1.0) }
    }

    /// Whether distances are re-ranked.
    pub fn is_reranked(&self) -> bool {
        self.reranking.is_some()
    }

    /// The features that are compared, those of all photos.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// What was decided and why, a sentence each.
    pub fn said(&self) -> &[String] {
        &self.said
    }
}

/// α-query-expansion of the queries with the gallery.
fn with_gallery(
    features: &Features,
    queries: &[usize],
    gallery: &[usize],
    progress: Progress,
) -> Result<Features, RankingError> {
    let Expansion { k, alpha } = Expansion::default();
    let mut found = Vec::with_capacity(queries.len());
    Distances::to(&features.select(gallery)).blocks(&features.select(queries), progress, |first, rows| {
        for (place, row) in rows.iter().enumerate() {
            let others = nearest(row, k + 1).into_iter().map(|place| gallery[place]);
            let others = others.filter(|&other| other != queries[first + place]).take(k);
            found.push(others.map(|other| other as u32).collect());
        }
    })?;
    Ok(expand(features, queries, &found, alpha))
}

fn centred(centring: &Centring, name: impl Fn(i32) -> String) -> String {
    let (mut among_gallery, mut among_queries, mut few) = (Vec::new(), Vec::new(), Vec::new());
    for (camera, seen) in centring.seen() {
        if (seen.photos as f64) < PRIOR {
            few.push(name(camera));
        }
        let list = if seen.among_queries { &mut among_queries } else { &mut among_gallery };
        let photos = if seen.photos == 1 { "1 photo".to_owned() } else { format!("{} photos", seen.photos) };
        list.push(format!("{} ({photos})", name(camera)));
    }
    let mut said = match (&among_gallery[..], &among_queries[..]) {
        ([], []) => return "No camera is known: the mean of all photos was taken off.".to_owned(),
        ([], _) => String::from("The mean of each camera was taken off:"),
        _ => format!(
            "The mean of each camera was taken off, of the gallery's photos for camera {}{}",
            among_gallery.join(", "),
            if among_queries.is_empty() { "" } else { "," }
        ),
    };
    if !among_queries.is_empty() {
        said += &format!(" of the queries' own for camera {}", among_queries.join(", "));
    }
    said += ".";
    if !few.is_empty() {
        said +=
            &format!(" A mean of fewer than {PRIOR} photos leans on that of all photos: camera {}.", few.join(", "));
    }
    said
}

fn seen(transitivity: &Transitivity, adaptation: Adaptation) -> String {
    let what = match (adaptation.rerank == Reranked::Auto, adaptation.expand == Expand::Auto) {
        (true, false) => "re-ranking",
        (false, _) => "expansion",
        (true, true) => "re-ranking and expansion",
    };
    match transitivity.whole {
        None => format!("Too few photos to tell whether {what} would help: left off."),
        Some(whole) => format!(
            "Of the photos near a photo {:.0} % are near each other (beyond chance; {:.0} % is where it begins to help): {} {what}.",
            whole * 100.0,
            ENOUGH * 100.0,
            if transitivity.is_enough() {
                "people have many photos here, so there is"
            } else {
                "people have few photos here, so there is no"
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::ranking::distances::quiet;

    /// Three photos of each of 40 people, by two cameras.
    fn rows() -> (Vec<f32>, Vec<Option<i32>>) {
        let value =
            |photo: usize, i: usize| (photo / 3 * 7 + i * i * 31) as f32 % 17.0 + (photo * 13 + i * 5) as f32 % 3.0;
        (
            (0..120).flat_map(|photo| (0..8).map(move |i| value(photo, i))).collect(),
            (0..120).map(|i| Some(i % 2)).collect(),
        )
    }

    #[test]
    fn there_are_no_more_passes_than_was_said_and_as_many_where_nothing_is_left_open() {
        let (rows, cameras) = rows();
        let all: Vec<usize> = (0..120).collect();
        let photos = Photos { rows: &rows, dim: 8, cameras: &cameras, queries: &all[..7], gallery: &all };
        for expand in [Expand::None, Expand::Auto, Expand::Nfc, Expand::Aqe] {
            for rerank in [Reranked::Never, Reranked::Auto, Reranked::Always] {
                let adaptation = Adaptation { expand, rerank, ..Adaptation::default() };
                let mut passes = 0;
                let mut progress = |done, total| {
                    passes += usize::from(done == total);
                    ControlFlow::Continue(())
                };
                let adapted = Adapted::new(photos, adaptation, &mut progress).expect("fits");
                adapted.rank(&mut progress, |_, _| {}).expect("not cancelled");
                let most = adaptation.passes();
                assert!(if adaptation.decides() { passes <= most } else { passes == most }, "{adaptation:?}: {passes}");
            }
        }
    }

    #[test]
    fn cameras_are_told_by_the_names_that_they_are_given() {
        let (rows, cameras) = rows();
        let all: Vec<usize> = (0..120).collect();
        let photos = Photos { rows: &rows, dim: 8, cameras: &cameras, queries: &all, gallery: &all[..60] };
        let centre = Adaptation { cameras: Cameras::Centre, ..Adaptation::default() };
        let name = |camera: i32| ["door", "hall"][camera as usize].to_owned();
        let said = |adapted: Result<Adapted, RankingError>| adapted.expect("fits").said().to_vec();
        assert_eq!(
            said(Adapted::named(photos, centre, name, &mut quiet)),
            [
                "The mean of each camera was taken off, of the gallery's photos for camera door (30 photos), hall (30 photos). \
                A mean of fewer than 50 photos leans on that of all photos: camera door, hall."
            ]
        );
        assert!(
            said(Adapted::new(photos, centre, &mut quiet))[0]
                .contains("for camera 1 (30 photos), 2 (30 photos). A mean of fewer")
        );
    }

    #[test]
    fn similarities_are_cosines_or_of_neighbourhoods() {
        let photos = Photos { rows: &[1.0, 0.0, 0.0, 1.0], dim: 2, cameras: &[], queries: &[0], gallery: &[0, 1] };
        let of = |rerank| {
            let adapted =
                Adapted::new(photos, Adaptation { rerank, ..Adaptation::default() }, &mut quiet).expect("fits");
            [0.0, 0.5, 4.0].map(|distance| adapted.similarity(distance))
        };
        assert_eq!(of(Reranked::Never), [1.0, 0.75, -1.0]);
        assert_eq!(of(Reranked::Always)[..2], [1.0, 0.5]);
    }
}
