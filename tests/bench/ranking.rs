//! How long ranking and grouping take, and how much memory, on made features: `tests/bench-ranking.py` runs this beside numpy.
//!
//!     bench-ranking rank FILE QUERIES GALLERY DIM [--rerank]     features [QUERIES + GALLERY, DIM], then a person each, then a
//!                                                                camera each: little-endian f32 and i32
//!     bench-ranking group PHOTOS DIM
//!     bench-ranking ask FEATURES.safetensors none|centre         what `reid extract` wrote of files named PPPP_cC…: BCubed's F
//!                                                                after each of 30 answers to what is asked, and of 30 to pairs
//!                                                                of photos at random

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fs};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use webreid::dataset::{CameraFrom, Person, persons};
use webreid::gallery::grouping::{self, Tree};
use webreid::gallery::{Links, bcubed};
use webreid::ranking::{Adaptation, Adapted, Cameras, Label, Photos, Reranked, Shots, Tally, quiet};
use webreid::weights::{Checkpoint, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["rank", file, queries, gallery, dim, ref more @ ..] => {
            rank(file, queries.parse()?, gallery.parse()?, dim.parse()?, more.contains(&"--rerank"))
        }
        ["group", photos, dim] => group(photos.parse()?, dim.parse()?),
        ["ask", features, cameras] => ask(features, cameras.parse()?),
        _ => Err(
            "usage: bench-ranking rank FILE QUERIES GALLERY DIM [--rerank] | group PHOTOS DIM | ask FEATURES CAMERAS"
                .into(),
        ),
    }
}

fn rank(file: &str, queries: usize, gallery: usize, dim: usize, rerank: bool) -> Result<(), Box<dyn Error>> {
    let count = queries + gallery;
    let bytes = fs::read(file)?;
    let (words, _) = bytes.as_chunks::<4>();
    let rows: Vec<f32> = words[..count * dim].iter().map(|&word| f32::from_le_bytes(word)).collect();
    let number = |place: usize| i32::from_le_bytes(words[count * dim + place]);
    let labels: Vec<Label> =
        (0..count).map(|photo| Label { person: number(photo), camera: number(count + photo) }).collect();
    drop(bytes);
    let cameras: Vec<Option<i32>> = labels.iter().map(|label| Some(label.camera)).collect();
    let places: Vec<usize> = (0..count).collect();
    let (query, among) = places.split_at(queries);
    let start = Instant::now();
    let photos = Photos { rows: &rows, dim, cameras: &cameras, queries: query, gallery: among };
    let rerank = if rerank { Reranked::Always } else { Reranked::Never };
    let adapted = Adapted::new(photos, Adaptation { rerank, ..Adaptation::default() }, &mut quiet)?;
    let mut tally = Tally::new(&labels[..queries], &labels[queries..], adapted.largest(), Shots::All);
    adapted.rank(&mut quiet, |query, distances| tally.add(query, distances))?;
    let scores = tally.finish()?.scores;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        r#"{{"seconds": {seconds:.2}, "rank1": {}, "map": {}, "peak_mb": {}}}"#,
        scores.rank1,
        scores.map,
        peak()?
    );
    Ok(())
}

/// People of ten photos each by two cameras.
fn group(photos: usize, dim: usize) -> Result<(), Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut vector = |size: f32| -> Vec<f32> { (0..dim).map(|_| size * random.random_range(-1.0..1.0)).collect() };
    let mut rows = Vec::with_capacity(photos * dim);
    let mut own = Vec::new();
    for photo in 0..photos {
        if photo % 10 == 0 {
            own = vector(1.0);
        }
        rows.extend(own.iter().zip(vector(0.9)).map(|(own, noise)| own + noise));
    }
    let cameras: Vec<Option<i32>> = (0..photos).map(|photo| Some((photo % 2) as i32)).collect();
    let start = Instant::now();
    let made = grouping::Photos { rows: &rows, dim, cameras: &cameras };
    let tree = Tree::grow(made, Cameras::Centre, &Links::default(), &mut quiet)?;
    let groups = tree.groups(None).groups.len();
    let seconds = start.elapsed().as_secs_f64();
    println!(r#"{{"seconds": {seconds:.2}, "groups": {groups}, "people": {}, "peak_mb": {}}}"#, photos / 10, peak()?);
    Ok(())
}

/// Answers go by whom most of the shown photos show; what is the same links those photos.
fn ask(file: &str, cameras: Cameras) -> Result<(), Box<dyn Error>> {
    let features = Checkpoint::read(&fs::read(file)?)?;
    let Tensor { values: rows, shape } = features.tensors.get("features").ok_or("no features")?;
    let names: Vec<String> = serde_json::from_str(features.metadata.get("names").ok_or("no names")?)?;
    let names: Vec<&str> = names.iter().map(|name| name.rsplit('/').next().unwrap_or_default()).collect();
    let who = persons(&names).ok_or("no persons")?;
    let who: Option<Vec<&Person>> = who.iter().map(Option::as_ref).collect();
    let who = who.ok_or("a file's name tells nobody")?;
    let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    let of = CameraFrom::Name.cameras(&paths)?;
    let made = grouping::Photos { rows, dim: shape[1], cameras: &of };
    let most = |photos: &[usize]| {
        let count = |person: &Person| photos.iter().filter(|&&photo| who[photo] == person).count();
        photos.iter().map(|&photo| who[photo]).max_by_key(|person| count(person)).cloned()
    };
    for chosen in [true, false] {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (mut links, mut asked, mut strictness) = (Links::default(), Vec::new(), None);
        let mut curve = Vec::new();
        for _ in 0..=30 {
            let tree = Tree::grow(made, cameras, &links, &mut quiet)?;
            let groups = tree.groups(Some(*strictness.get_or_insert(tree.strictness())));
            let alone = groups.unsure.iter().map(std::slice::from_ref);
            let all = groups.groups.iter().map(Vec::as_slice).chain(alone);
            let people: Vec<Vec<&Person>> = all.map(|group| group.iter().map(|&photo| who[photo]).collect()).collect();
            curve.push(format!("{:.1}", bcubed(&people).ok_or("no photos")?.f * 100.0));
            let (a, b) = if chosen {
                let Some(question) = tree.questions(&groups, &asked, 1)?.pop() else { break };
                (question.a, question.b)
            } else {
                (vec![random.random_range(0..who.len())], vec![random.random_range(0..who.len())])
            };
            let person = most(&a);
            if person == most(&b) {
                let theirs = a.iter().chain(&b).copied().filter(|&photo| Some(who[photo]) == person.as_ref());
                links.same.push(theirs.collect());
            } else {
                let pairs = a.iter().flat_map(|&a| b.iter().map(move |&b| [a, b]));
                links.different.extend(pairs.filter(|&[a, b]| who[a] != who[b]));
            }
            asked.extend(a.iter().flat_map(|&a| b.iter().map(move |&b| [a, b])));
        }
        println!("{}: {}", if chosen { "asked " } else { "random" }, curve.join(" "));
    }
    Ok(())
}

/// The most memory that this process has held, in MB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
