//! `--cameras`, `--expand` and `--rerank`: what is done to features before they are ranked.

use std::path::{Path, PathBuf};

use webreid::dataset::CameraFrom;
use webreid::ranking::{Adaptation, Adapted, Cameras, Expand, Photos, Reranked};

use crate::command::error::CliError;
use crate::command::interrupt;

#[derive(clap::Args)]
pub struct Adapt {
    /// What to do with the cameras' means: none, centre (each camera's mean is taken off its photos' features) or standardise
    /// (and each value divided by the camera's deviation)
    #[arg(long, value_name = "HOW", default_value_t)]
    cameras: Cameras,
    /// Where a photo's camera is known from: folder (that it lies in), exif (make, model and serial number), or name:REGEX, whose
    /// first group is the camera [default: the name, as PPPP_cC…]
    #[arg(long, value_name = "WHERE")]
    camera_from: Option<CameraFrom>,
    /// Features learn from those nearest to them: none, nfc (mutual nearest neighbours), aqe (α-query-expansion) or auto (nfc
    /// where people have many photos)
    #[arg(long, value_name = "HOW", default_value_t)]
    expand: Expand,
    /// Re-rank with k-reciprocal neighbours (k1 20, k2 6, λ 0.3); `--rerank auto` does where people have many photos
    #[arg(long, value_name = "auto", num_args = 0..=1, default_missing_value = "always", value_parser = reranked)]
    rerank: Option<Reranked>,
}

fn reranked(word: &str) -> Result<Reranked, String> {
    match word {
        "auto" => Ok(Reranked::Auto),
        "always" => Ok(Reranked::Always),
        _ => Err("give --rerank alone, or --rerank auto".into()),
    }
}

impl Adapt {
    pub fn adaptation(&self) -> Adaptation {
        Adaptation { cameras: self.cameras, expand: self.expand, rerank: self.rerank.unwrap_or_default() }
    }

    /// The camera of each file, and what has to be said of them. `named` are those that a dataset tells by itself.
    pub fn cameras(&self, files: &[PathBuf], named: Option<&[Option<i32>]>) -> Result<Vec<Option<i32>>, CliError> {
        match (&self.camera_from, named) {
            (Some(from), _) => {
                if self.cameras == Cameras::None {
                    eprintln!("reid: --camera-from changes nothing without --cameras centre or standardise");
                }
                Ok(from.cameras(files)?)
            }
            (None, Some(named)) => Ok(named.to_vec()),
            (None, None) if self.cameras == Cameras::None => Ok(vec![None; files.len()]),
            (None, None) => Ok(CameraFrom::default().cameras(files)?),
        }
    }

    /// Says before hours of extraction what would not fit afterwards.
    pub fn check_memory(&self, count: usize, dim: usize) -> Result<(), CliError> {
        let needed = self.adaptation().bytes(count, dim);
        match available() {
            Some(available) if needed > available => Err(CliError::Memory { count, needed, available }),
            _ => Ok(()),
        }
    }
}

/// Adapts features, tells on stderr what was decided, and stops at Ctrl-C.
pub fn adapt(photos: Photos<'_>, adaptation: Adaptation) -> Result<Adapted<'_>, CliError> {
    let adapted = Adapted::new(photos, adaptation, &mut interrupt::progress)?;
    adapted.said().iter().for_each(|said| eprintln!("reid: {said}"));
    Ok(adapted)
}

/// Bytes of memory that can be had, where the system tells.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string(Path::new("/proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
