//! How long ranking and grouping take, and how much memory, on made features: `tests/bench-ranking.py` runs this beside numpy.
//!
//!     bench-ranking rank FILE QUERIES GALLERY DIM [--rerank]     features [QUERIES + GALLERY, DIM], then a person each, then a
//!                                                                camera each: little-endian f32 and i32
//!     bench-ranking group PHOTOS DIM

use std::error::Error;
use std::time::Instant;
use std::{env, fs};

use webreid::gallery::Links;
use webreid::gallery::grouping::{self, Tree};
use webreid::ranking::{Adaptation, Adapted, Cameras, Label, Photos, Reranked, Shots, Tally, quiet};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["rank", file, queries, gallery, dim, ref more @ ..] => {
            rank(file, queries.parse()?, gallery.parse()?, dim.parse()?, more.contains(&"--rerank"))
        }
        ["group", photos, dim] => group(photos.parse()?, dim.parse()?),
        _ => Err("usage: bench-ranking rank FILE QUERIES GALLERY DIM [--rerank] | group PHOTOS DIM".into()),
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
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

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

/// The most memory that this process has held, in MB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
