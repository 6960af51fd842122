//! What a GPU computes right, and how fast, kernel by kernel, natively through wgpu (`make gpu-check`). It is one program that
//! needs no other file, to be carried to where a GPU is, and takes less than six minutes there.
//!
//!     gpu-check [--quick] [--out FILE] [--weights FOLDER] [SECTION …]
//!
//! `--quick` is for software that imitates a GPU: fewer and smaller sizes. FOLDER has published checkpoints and
//! `reference_features.safetensors`; without them networks at random are held against the CPU. Launches are planned as for
//! hardware everywhere. Every section is a process of its own with a time limit: one that crashes, hangs or loses the device
//! is reported, and the others go on. The exit status is 1 when something is computed wrong or a section failed.
//!
//! A table goes to the terminal, and into FILE (`gpu-check.json`)
//!
//! ```text
//! {
//!   "version", "quick", "seconds"      of webreid; whether it was `--quick`; what it took
//!   "sections": [{"name", "seconds", "end"}]
//!                                      end: "done", or why not all of it is there
//!   "adapter":  {"name", "software", "f16", "timestamps", "largest_buffer"}
//!   "parity":   [{"of", "precision", "cases", "worst", "wrong"}]
//!                                      cases of a kind held against the CPU; worst: the largest error, of what is allowed;
//!                                      wrong: a sentence for each case that is worse
//!   "features": [{"network", "precision", "against", "images", "error", "cosine", "allowed", "right"}]
//!                                      error: of the largest value; cosine: the smallest of an image's features
//!   "peaks":    [{"what", "precision", "how", "rate", "right"}]
//!                                      what: "product" (rate in FLOP/s) or "copy" (in bytes/s, read and written)
//!   "speeds":   [{"network", "precision", "batch", "ms", "images_per_second", "kernels"}]
//!                                      ms: the median of calls, with upload and readback; kernels: null without timestamps
//!     "kernels": [{"kernel", "launches", "ms", "gflops", "gbytes"}]       gflops, gbytes: a second
//!   "choices":  [{"network", "precision", "batch", "layer", "layers", "of", "planned", "us"}]
//!                                      of: "tile" or "lite"; us: for each choice the time of all such layers together
//!   "better":   [{"network", "precision", "batch", "layer", "of", "planned", "best", "faster", "share"}]
//!                                      what follows from the choices; faster: times; share: of the network's time that it saves
//!   "tuning":   [{"depth", "images", "ms"}]
//!                                      a step of a fine-tune of the bundled model
//!   "training": [{"network", "batch", "images_per_second"}]               as `reid train` does it
//!   "notes":    [{"section", "text"}]  what could not be had
//! }
//! ```

mod choices;
#[path = "../../common/mod.rs"]
mod common;
mod features;
#[path = "../../common/frozen_cases.rs"]
mod frozen_cases;
#[cfg(feature = "gpu")]
#[path = "../../common/kernel_checks.rs"]
mod kernel_checks;
mod networks;
mod parity;
mod peak;
mod report;
#[cfg(feature = "gpu")]
#[path = "../../common/resize_cases.rs"]
mod resize_cases;
#[cfg(feature = "gpu")]
#[path = "../../common/samples.rs"]
mod samples;
mod section;
mod speed;
mod table;
#[cfg(feature = "gpu")]
mod training;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use report::{Ended, Note, Report};
use section::{Context, Section};

/// All together less than six minutes on hardware.
const SECTIONS: &[Section] = &[
    Section { name: "adapter", run: networks::adapter, seconds: 10, quick: 20 },
    Section { name: "parity", run: parity::run, seconds: 70, quick: 60 },
    Section { name: "features", run: features::run, seconds: 30, quick: 60 },
    Section { name: "peak", run: peak::run, seconds: 40, quick: 25 },
    Section { name: "speed", run: speed::run, seconds: 60, quick: 60 },
    Section { name: "choices", run: choices::run, seconds: 90, quick: 60 },
    #[cfg(feature = "gpu")]
    Section { name: "training", run: training::run, seconds: 60, quick: 90 },
];

/// What was asked for.
pub struct Asked {
    quick: bool,
    out: PathBuf,
    weights: Option<PathBuf>,
    sections: Vec<&'static Section>,
    /// To run the section in this process, for so many seconds.
    here: Option<u64>,
}

fn main() -> ExitCode {
    let asked = match Asked::read(env::args().skip(1)) {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("gpu-check: {error}\nusage: gpu-check [--quick] [--out FILE] [--weights FOLDER] [SECTION …]");
            return ExitCode::from(2);
        }
    };
    if let (Some(seconds), &[section]) = (asked.here, &asked.sections[..]) {
        let context = Context::new(asked.quick, asked.weights.clone(), Duration::from_secs(seconds));
        section.run_here(&context);
        return ExitCode::SUCCESS;
    }
    match check(&asked) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gpu-check: {}: {error}", asked.out.display());
            ExitCode::FAILURE
        }
    }
}

/// Whether all is right.
fn check(asked: &Asked) -> std::io::Result<bool> {
    let start = Instant::now();
    let mut report = Report { version: env!("CARGO_PKG_VERSION"), quick: asked.quick, ..Report::default() };
    if !cfg!(feature = "gpu") {
        let text = "the program was built without the feature \"gpu\"".to_owned();
        report.notes.push(Note { section: "training", text });
    }
    for section in &asked.sections {
        eprintln!("gpu-check: {} …", section.name);
        let begun = Instant::now();
        let end = section.run_apart(asked, &mut |row| report.add(section.name, row));
        report.sections.push(Ended { name: section.name, seconds: begun.elapsed().as_secs_f64(), end });
        report.finish(start.elapsed().as_secs_f64());
        // After each, so that nothing is lost.
        fs::write(&asked.out, serde_json::to_vec_pretty(&report)?)?;
    }
    println!("{}", table::of(&report));
    Ok(report.is_right())
}

impl Asked {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let beside = Path::new("../shared/weights");
        let mut asked = Self {
            quick: false,
            out: "gpu-check.json".into(),
            weights: beside.is_dir().then(|| beside.into()),
            sections: Vec::new(),
            here: None,
        };
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(format!("{word} needs a value"));
            match &word[..] {
                "--quick" => asked.quick = true,
                "--out" => asked.out = next()?.into(),
                "--weights" => asked.weights = Some(next()?.into()),
                section::HERE => asked.here = Some(next()?.parse().map_err(|error| format!("{word}: {error}"))?),
                name => {
                    let found = SECTIONS.iter().find(|section| section.name == name);
                    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
                    asked.sections.push(found.ok_or(format!("{name} is no section: {}", names.join(", ")))?);
                }
            }
        }
        if asked.sections.is_empty() {
            asked.sections = SECTIONS.iter().collect();
        } else if asked.here.is_none() && asked.sections[0].name != SECTIONS[0].name {
            // On what it was is of use with any other.
            asked.sections.insert(0, &SECTIONS[0]);
        }
        Ok(asked)
    }
}
