//! People without names: photos in groups that are one person each, as far as features and answers tell.

mod cut;
mod judge;
mod merges;
mod parts;
mod suggest;
mod within;

use crate::gallery::Links;
use crate::ranking::{Cameras, Centring, Features, Progress, RankingError};
use cut::{cut, up_to};
pub use judge::{Judge, Judged, Judgement, Verdict};
use merges::{Merge, labels, merges, said};
pub use suggest::Question;
use within::Whitening;

/// Of the way from the cut to where strangers are, on average, a photo alone is in doubt.
const DOUBT: f32 = 0.25;

/// Photos to be grouped.
#[derive(Clone, Copy, Debug)]
pub struct Photos<'a> {
    /// `[n, dim]`, as the model gives them.
    pub rows: &'a [f32],
    pub dim: usize,
    /// Of each photo, where it is known.
    pub cameras: &'a [Option<i32>],
}

/// Where photos are compared: the means of their cameras taken off, and what varies within groups made small.
#[derive(Clone, Debug)]
pub struct Space {
    centring: Centring,
    /// Whether cameras are told apart.
    cameras: bool,
    whitening: Option<Whitening>,
}

impl Space {
    /// Features as the model gives them, `[n, dim]`, where they are comparable: rows of length 1.
    ///
    /// # Errors
    /// [`RankingError`] for rows that are no matrix, or not as many cameras.
    pub fn place(&self, rows: &[f32], dim: usize, cameras: &[Option<i32>]) -> Result<Features, RankingError> {
        let mut rows = rows.to_vec();
        let unknown = vec![None; cameras.len()];
        self.centring.apply(&mut rows, if self.cameras { cameras } else { &unknown })?;
        let features = Features::new(&rows, dim)?;
        Ok(self.whitening.as_ref().map_or_else(|| features.clone(), |whitening| whitening.apply(&features)))
    }
}

/// Every grouping of some photos, from each photo alone to the coarsest, and where to cut.
pub struct Tree {
    space: Space,
    features: Features,
    merges: Vec<Merge>,
    links: Links,
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
        let (known, how) = match cameras {
            Cameras::None => (&unknown[..], Cameras::Centre),
            _ => (of, cameras),
        };
        let centring = Centring::fit(rows, dim, known, &vec![true; of.len()], how)?;
        let mut space = Space { centring, cameras: cameras != Cameras::None, whitening: None };
        let centred = space.place(rows, dim, of)?;
        let first = merges(&centred, links, progress)?;
        let rough = cut(&centred, &first)?;
        space.whitening =
            Whitening::of(&centred, &labels(centred.count(), up_to(&first, rough)), &said(centred.count(), links));
        let features = space.whitening.as_ref().map_or_else(|| centred.clone(), |whitening| whitening.apply(&centred));
        drop(centred);
        let merges = merges(&features, links, progress)?;
        let cut = cut(&features, &merges)?;
        Ok(Self { space, features, merges, links: links.clone(), cut })
    }

    /// Where the photos were compared.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The photos there.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// How strict it is by itself, 0…1.
    pub fn strictness(&self) -> f32 {
        1.0 - self.cut
    }

    /// The groups at a strictness, 0…1, or at the photos' own.
    pub fn groups(&self, strictness: Option<f32>) -> Groups {
        let cut = strictness.map_or(self.cut, |strictness| 1.0 - strictness.clamp(0.0, 1.0));
        let labels = labels(self.features.count(), up_to(&self.merges, cut));
        let mut groups = groups_of(&labels);
        let unsure = self.unsure(&groups, &labels, cut);
        // In order, as groups are.
        groups.retain(|group| unsure.binary_search(&group[0]).is_err());
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        Groups { groups, unsure, strictness: 1.0 - cut }
    }

    /// Photos that are alone and would join someone at a cut [`DOUBT`] of the way to the strangers, ascending.
    fn unsure(&self, groups: &[Vec<usize>], labels: &[u32], cut: f32) -> Vec<usize> {
        let wider = up_to(&self.merges, cut + DOUBT * (1.0 - cut));
        let mut joins = vec![false; groups.len()];
        for merge in &wider[up_to(&self.merges, cut).len()..] {
            [merge.a, merge.b].iter().for_each(|&photo| joins[labels[photo as usize] as usize] = true);
        }
        let alone = groups.iter().zip(joins).filter(|(group, joins)| *joins && group.len() == 1);
        alone.map(|(group, _)| group[0]).collect()
    }
}

/// The photos of each label, in order.
fn groups_of(labels: &[u32]) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); labels.iter().max().map_or(0, |&last| last as usize + 1)];
    labels.iter().enumerate().for_each(|(photo, &label)| groups[label as usize].push(photo));
    groups
}

/// The mean of some photos' features.
fn mean(features: &Features, photos: &[usize]) -> Vec<f32> {
    let mut mean = vec![0.0; features.dim()];
    for &photo in photos {
        mean.iter_mut().zip(features.row(photo)).for_each(|(sum, value)| *sum += value / photos.len() as f32);
    }
    mean
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;
    use crate::gallery::bcubed;
    use crate::ranking::quiet;

    const DIM: usize = 32;

    /// What made photos of people are made of: each is the sum of what is the person's, what its camera adds to all photos, and
    /// these.
    #[derive(Clone, Copy, Default)]
    struct Made {
        people: usize,
        /// Photos of each, by two cameras in turn.
        each: usize,
        /// What is a photo's alone.
        noise: f32,
        /// What a person shows each camera only.
        view: f32,
        /// One thing, such as light, of which each photo has more or less.
        light: f32,
        /// So many photos in a row are near copies.
        copies: usize,
    }

    impl Made {
        fn new(people: usize, each: usize, noise: f32) -> Self {
            Self { people, each, noise, copies: 1, ..Self::default() }
        }

        /// Rows, cameras, persons.
        fn photos(self) -> (Vec<f32>, Vec<Option<i32>>, Vec<usize>) {
            let Self { people, each, noise, view, light, copies } = self;
            let mut random = ChaCha8Rng::seed_from_u64(11);
            let mut more = ChaCha8Rng::seed_from_u64(12);
            let draw = |random: &mut ChaCha8Rng, size: f32| -> Vec<f32> {
                (0..DIM).map(|_| size * random.random_range(-1.0..1.0)).collect()
            };
            let cameras = [draw(&mut random, 1.0), draw(&mut random, 1.0)];
            let lamp = draw(&mut more, 1.0);
            let mut rows = Vec::new();
            for _ in 0..people {
                let own = draw(&mut random, 1.0);
                let views = [draw(&mut more, view), draw(&mut more, view)];
                let mut moment = Vec::new();
                for photo in 0..each {
                    if photo % (2 * copies) == 0 {
                        moment = vec![draw(&mut random, noise), draw(&mut random, noise)];
                    }
                    let camera = photo % 2;
                    let (shade, grain) = (draw(&mut more, light)[0], draw(&mut more, 0.02 * (copies > 1) as u8 as f32));
                    rows.extend((0..DIM).map(|value| {
                        let fixed = own[value] + cameras[camera][value] + views[camera][value];
                        fixed + moment[camera][value] + grain[value] + shade * lamp[value]
                    }));
                }
            }
            let all = 0..people * each;
            let cameras = all.clone().map(|photo| Some((photo % each % 2) as i32)).collect();
            (rows, cameras, all.map(|photo| photo / each).collect())
        }
    }

    fn photos(people: usize, each: usize, noise: f32) -> (Vec<f32>, Vec<Option<i32>>, Vec<usize>) {
        Made::new(people, each, noise).photos()
    }

    fn grow(rows: &[f32], cameras: &[Option<i32>], how: Cameras, links: &Links) -> Tree {
        Tree::grow(Photos { rows, dim: DIM, cameras }, how, links, &mut quiet).expect("fits")
    }

    fn f(groups: &Groups, persons: &[usize]) -> f64 {
        let alone = groups.unsure.iter().map(std::slice::from_ref);
        let all = groups.groups.iter().map(Vec::as_slice).chain(alone);
        let known: Vec<Vec<usize>> = all.map(|group| group.iter().map(|&photo| persons[photo]).collect()).collect();
        bcubed(&known).expect("photos").f
    }

    #[test]
    fn people_are_found_with_nothing_set() {
        let made = Made::new(20, 12, 0.3);
        for (what, made, least) in [
            ("some of many photos", Made::new(12, 10, 0.7), 0.97),
            ("many of few photos", Made::new(40, 4, 0.6), 0.97),
            ("few of many photos", Made::new(5, 60, 0.8), 0.97),
            ("people who look different to each camera", Made { view: 0.8, ..made }, 0.95),
            // The silhouette alone parts what one camera sees of a person from what the other does.
            ("few who look different to each camera", Made { people: 10, each: 30, view: 1.2, ..made }, 0.97),
            // Without whitening light and dark photos of a person are two.
            ("photos in any light", Made { light: 1.0, noise: 0.6, ..made }, 0.97),
            // If every photo spoke, the many copies would be all that is heard.
            ("tracks of near copies", Made { people: 12, each: 80, noise: 0.7, copies: 10, ..made }, 0.97),
        ] {
            let (rows, cameras, persons) = made.photos();
            let groups = grow(&rows, &cameras, Cameras::Centre, &Links::default()).groups(None);
            let f = f(&groups, &persons);
            assert!(f > least, "{what}: {f}, {} groups of {}", groups.groups.len(), made.people);
        }
    }

    /// A photo that is half noise is somebody's, then in doubt, then nobody's, the stricter it is.
    #[test]
    fn who_is_nearly_somebody_is_unsure() {
        let (mut rows, mut cameras, _) = photos(12, 10, 0.6);
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let blurred: Vec<f32> = rows[..DIM].iter().map(|own| own + random.random_range(-2.0..2.0)).collect();
        rows.extend(blurred);
        cameras.push(Some(0));
        let tree = grow(&rows, &cameras, Cameras::Centre, &Links::default());
        let mut fates: Vec<&str> = (0..=40)
            .map(|step| {
                let groups = tree.groups(Some(step as f32 / 40.0));
                match groups.groups.iter().find(|group| group.contains(&120)) {
                    Some(group) if group.len() > 1 => "somebody",
                    Some(_) => "alone",
                    None => "unsure",
                }
            })
            .collect();
        fates.dedup();
        assert_eq!(fates, ["somebody", "unsure", "alone"]);
    }

    /// What people answered moves the curve where they answered: strangers who look alike.
    #[test]
    fn answers_weigh_more_than_groups() {
        let (rows, cameras, persons) = photos(12, 8, 0.9);
        let judged = |links: &Links| {
            let tree = grow(&rows, &cameras, Cameras::Centre, links);
            tree.judge(&tree.groups(Some(0.5))).expect("groups").probability(0.45)
        };
        let tree = grow(&rows, &cameras, Cameras::Centre, &Links::default());
        let pairs = (0..96).flat_map(|a| (0..a).map(move |b| [a, b]));
        let alike = |&[a, b]: &[usize; 2]| persons[a] != persons[b] && tree.features().distance(a, b) < 1.1;
        let different: Vec<[usize; 2]> = pairs.filter(alike).collect();
        let links = Links { different, ..Links::default() };
        let (before, after) = (judged(&Links::default()), judged(&links));
        assert!(after < before - 0.1, "{before} {after} of {}", links.different.len());
    }

    #[test]
    fn strictness_goes_from_one_person_to_all_alone() {
        let (rows, cameras, _) = photos(10, 6, 0.5);
        let tree = grow(&rows, &cameras, Cameras::None, &Links::default());
        let count = |strictness: f32| {
            let groups = tree.groups(Some(strictness));
            groups.groups.len() + groups.unsure.len()
        };
        let counts: Vec<usize> = (0..=20).map(|step| count(step as f32 / 20.0)).collect();
        assert!(counts.is_sorted() && counts[20] == 60 && counts[0] < 10, "{counts:?}");
        let own = tree.groups(None);
        assert_eq!((own.strictness, own), (tree.strictness(), tree.groups(Some(tree.strictness()))));
    }

    #[test]
    fn every_photo_is_in_one_place() {
        let (rows, cameras, _) = photos(30, 3, 1.0);
        let groups = grow(&rows, &cameras, Cameras::Centre, &Links::default()).groups(None);
        let mut all: Vec<usize> = groups.groups.iter().flatten().chain(&groups.unsure).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..90).collect::<Vec<_>>());
        assert!(groups.groups.is_sorted_by_key(|group| std::cmp::Reverse(group.len())));
    }

    /// What users say of some shows how little it means to be seen by another camera, for all.
    #[test]
    fn answers_about_some_people_help_with_others() {
        let (rows, cameras, persons) = photos(24, 10, 0.3);
        let others = |links: &Links| {
            let mut groups = grow(&rows, &cameras, Cameras::None, links).groups(None);
            groups.groups.iter_mut().chain([&mut groups.unsure]).for_each(|group| group.retain(|&photo| photo >= 40));
            groups.groups.retain(|group| !group.is_empty());
            f(&groups, &persons)
        };
        let same = (0..4).map(|person| (10 * person..10 * person + 10).collect()).collect();
        let (before, after) = (others(&Links::default()), others(&Links { same, ..Links::default() }));
        assert!(before < 0.5 && after > 0.9, "{before} {after}");
    }

    #[test]
    fn answers_are_obeyed_and_never_asked_again() {
        let (rows, cameras, persons) = photos(12, 8, 1.1);
        let mut links = Links::default();
        let mut asked: Vec<[usize; 2]> = Vec::new();
        let mut scores = Vec::new();
        for _ in 0..12 {
            let tree = grow(&rows, &cameras, Cameras::Centre, &links);
            let groups = tree.groups(None);
            scores.push(f(&groups, &persons));
            let questions = tree.questions(&groups, &asked, 3).expect("fits");
            assert!(questions.is_sorted_by(|a, b| a.tells >= b.tells));
            let Some(question) = questions.first() else { break };
            let pairs = question.a.iter().flat_map(|&a| question.b.iter().map(move |&b| [a, b]));
            for [a, b] in pairs {
                assert!(!asked.contains(&[a, b]) && !asked.contains(&[b, a]), "{a} and {b} again");
                asked.push([a, b]);
                if persons[a] == persons[b] { links.same.push(vec![a, b]) } else { links.different.push([a, b]) }
            }
        }
        let (first, last) = (scores[0], scores[scores.len() - 1]);
        assert!(first < 0.97 && last > first + 0.02, "{scores:?}");
    }

    #[test]
    fn a_verdict_is_a_probability() {
        let (rows, cameras, persons) = photos(20, 8, 0.9);
        let tree = grow(&rows, &cameras, Cameras::Centre, &Links::default());
        let judge = tree.judge(&tree.groups(None)).expect("groups");
        // Of the pairs of which it is about that sure, as many are one person, within 15 points.
        let (mut sure, mut right, mut sum) = (0.0, 0.0, 0.0);
        for a in 0..160 {
            for b in 0..a {
                let probability = judge.probability(tree.features().distance(a, b) / 2.0);
                if probability > 0.5 {
                    sure += 1.0;
                    sum += f64::from(probability);
                    right += f64::from(u8::from(persons[a] == persons[b]));
                }
            }
        }
        let Judgement { same, different, wrong_same, wrong_different, unsure } = judge.judgement();
        assert_eq!([same, different], [Judge::SAME, Judge::DIFFERENT]);
        // What is said to be wrong is: of the pairs that are the same, or different, by the judge, within 5 points and 1.
        let wrong = |verdict: Verdict| {
            let pairs = (0..160).flat_map(|a| (0..a).map(move |b| [a, b]));
            let at = |&[a, b]: &[usize; 2]| Judge::verdict(judge.probability(tree.features().distance(a, b) / 2.0));
            let said: Vec<[usize; 2]> = pairs.filter(|pair| at(pair) == verdict).collect();
            let count = |same: bool| said.iter().filter(|[a, b]| (persons[*a] == persons[*b]) == same).count();
            [false, true].map(|same| count(same) as f32 / said.len() as f32)
        };
        let (same, different) = (wrong_same.expect("some are"), wrong_different.expect("some are"));
        assert!((wrong(Verdict::Same)[0] - same).abs() < 0.05 && same < 0.1, "{same} {:?}", wrong(Verdict::Same));
        assert!((wrong(Verdict::Different)[1] - different).abs() < 0.01 && different < 0.1, "{different}");
        assert!(unsure > 0.0 && unsure < 0.2, "{unsure}");
        assert!(sure > 100.0 && (right / sure - sum / sure).abs() < 0.15, "{} of {sure}: {}", right / sure, sum / sure);
        assert!(judge.probability(0.0) > 0.95 && judge.probability(1.5) < 0.01);
        assert_eq!([0.95, 0.5, 0.01].map(Judge::verdict), [Verdict::Same, Verdict::Unsure, Verdict::Different]);
        let alone = grow(&rows[..DIM], &cameras[..1], Cameras::None, &Links::default());
        assert_eq!(alone.judge(&alone.groups(None)), None);
    }

    #[test]
    fn photos_from_elsewhere_find_their_place() {
        let (rows, cameras, _) = photos(12, 8, 0.5);
        let tree = grow(&rows, &cameras, Cameras::Centre, &Links::default());
        let placed = tree.space().place(&rows[..2 * DIM], DIM, &cameras[..2]).expect("fits");
        let apart: f32 = (0..DIM).map(|value| (placed.row(1)[value] - tree.features().row(1)[value]).abs()).sum();
        assert!(apart < 1e-4, "{apart}");
    }

    /// Two people so alike that they are one group: whether they are is asked, half against half.
    #[test]
    fn a_group_of_two_people_is_asked_about() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut vector = |size: f32| -> Vec<f32> { (0..DIM).map(|_| size * random.random_range(-1.0..1.0)).collect() };
        let mut people: Vec<Vec<f32>> = (0..12).map(|_| vector(1.0)).collect();
        people[1] = people[0].iter().zip(vector(0.6)).map(|(own, other)| own + other).collect();
        let rows: Vec<f32> = (0..120)
            .flat_map(|photo| {
                people[photo / 10].iter().zip(vector(0.4)).map(|(own, noise)| own + noise).collect::<Vec<_>>()
            })
            .collect();
        let tree = grow(&rows, &[None; 120], Cameras::None, &Links::default());
        // As strict as can be with the two together.
        let mut groups = (0..200).rev().map(|step| tree.groups(Some(step as f32 / 200.0)));
        let groups = groups.find(|groups| groups.groups.first() == Some(&(0..20).collect())).expect("alike");
        let questions = tree.questions(&groups, &[], 100).expect("fits");
        let whose = |side: &[usize]| side.iter().map(|&photo| photo / 10).collect::<Vec<_>>();
        let halves = |question: &&Question| {
            let sides = [whose(&question.a), whose(&question.b)];
            question.together && (sides == [[0; 4], [1; 4]] || sides == [[1; 4], [0; 4]])
        };
        let question = questions.iter().find(halves).expect("it is asked");
        let shown = question.a.iter().flat_map(|&a| question.b.iter().map(move |&b| [a, b]));
        let links = Links { different: shown.collect(), ..Links::default() };
        let told = grow(&rows, &[None; 120], Cameras::None, &links).groups(Some(groups.strictness));
        let persons: Vec<usize> = (0..120).map(|photo| photo / 10).collect();
        let (before, after) = (f(&groups, &persons), f(&told, &persons));
        assert!(before < 0.96 && after > 0.97, "{before} {after}");
    }

    #[test]
    fn somebody_made_of_two_people_falls_into_the_two() {
        let (rows, cameras, _) = photos(12, 10, 0.7);
        // The first two were taken for one, and the third is one.
        let links = Links { same: vec![(0..20).collect()], ..Links::default() };
        let tree = grow(&rows, &cameras, Cameras::Centre, &Links::default());
        let parts = tree.parts(&(0..20).rev().collect::<Vec<_>>()).expect("there");
        assert_eq!(parts, [(0..10).collect::<Vec<_>>(), (10..20).collect()]);
        // What was said of them is what is in doubt; what is different stays so.
        let links = Links { different: vec![[20, 23]], ..links };
        let tree = grow(&rows, &cameras, Cameras::Centre, &links);
        assert_eq!(tree.parts(&(0..20).collect::<Vec<_>>()).expect("there"), parts);
        let two = tree.parts(&[20, 22, 23, 25]).expect("there");
        assert!(two.len() > 1 && two.iter().all(|part| !(part.contains(&20) && part.contains(&23))), "{two:?}");
        assert_eq!(tree.parts(&[7]).expect("there"), [[7]]);
        assert_eq!(tree.parts(&[7, 120]), Err(RankingError::Index { index: 120, count: 120 }));
    }

    #[test]
    fn nothing_and_nonsense() {
        let none = grow(&[], &[], Cameras::Centre, &Links::default()).groups(None);
        assert!(none.groups.is_empty() && none.unsure.is_empty());
        let grown = Tree::grow(
            Photos { rows: &[f32::NAN, 1.0], dim: 2, cameras: &[None] },
            Cameras::None,
            &Links::default(),
            &mut quiet,
        );
        assert_eq!(grown.err(), Some(RankingError::NotFinite { row: 0, column: 0 }));
    }
}
