//! From a detector's file to people in photos.

use std::env;
use std::path::{Path, PathBuf};

use webreid::detect::{DetectError, DetectOptions, Detector, Person, Tiles};
use webreid::extract::{DeviceChoice, Extractor};
use webreid::image::Rows;

use crate::command::error::CliError;
use crate::command::weights;

/// Names the detector's file where no option does.
const VARIABLE: &str = "WEBREID_DETECTOR";

/// How closely photos are looked at.
#[derive(clap::Args)]
pub struct Looking {
    /// The least score of somebody who is told, 0 to 1 [default: 0.4, of those whom only tiles show 0.55]
    #[arg(long, value_name = "SCORE", value_parser = score)]
    min_score: Option<f32>,
    /// The least height of somebody who is told, in pixels of the photo [default: 36]
    #[arg(long, value_name = "PIXELS", value_parser = height)]
    min_height: Option<f32>,
    /// Look also at tiles of the photo, which overlap by a quarter, for people who are small in it: auto (photos whose longer
    /// side is over four times the network's input, up to 16 tiles), off, or the side of a tile in pixels, as in 416
    /// [default: auto]
    #[arg(long, value_name = "TILES")]
    tiles: Option<Tiles>,
}

fn score(word: &str) -> Result<f32, String> {
    let value: Result<f32, _> = word.parse();
    value.ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "give a number from 0 to 1".into())
}

fn height(word: &str) -> Result<f32, String> {
    let value: Result<f32, _> = word.parse();
    value.ok().filter(|value| *value >= 0.0).ok_or_else(|| "give a number of pixels".into())
}

/// Whole photos where images of one person each are wanted otherwise.
#[derive(clap::Args)]
pub struct Whole {
    /// The images are whole photos: each person in them is found first, and is an image of its own then, called PHOTO#1, PHOTO#2
    /// and so on, whom the detector is surest of first. People of one photo are never taken for the same
    #[arg(long)]
    whole_photos: bool,
    /// With --whole-photos: the detector, as `reid detect` has it
    #[arg(long, value_name = "FILE", requires = "whole_photos")]
    detector: Option<PathBuf>,
    #[command(flatten)]
    looking: Looking,
}

impl Whole {
    /// What finds people, where the photos are whole, on the device of another model.
    pub async fn finder(&self, extractor: &Extractor) -> Result<Option<Finder>, CliError> {
        if !self.whole_photos {
            return Ok(None);
        }
        let (path, detector) = weights::detector(self.detector.as_deref(), "--detector")?;
        let opened = Detector::open_on(&detector, extractor.device()).await;
        Ok(Some(Finder::new(path, opened, &self.looking)?))
    }
}

/// Finds people in photos.
pub struct Finder {
    detector: Detector,
    /// The detector's file.
    path: PathBuf,
    options: DetectOptions,
}

impl Finder {
    /// With the detector of a file, or the one that is there.
    pub async fn open(path: Option<&Path>, looking: &Looking, choice: DeviceChoice) -> Result<Self, CliError> {
        let (path, detector) = weights::detector(path, "--weights")?;
        let finder = Self::new(path, Detector::open(&detector, choice).await, looking)?;
        let fallback = weights::fallback(finder.detector.device().fallback());
        fallback.iter().for_each(|word| eprintln!("reid: {word}"));
        Ok(finder)
    }

    fn new(path: PathBuf, opened: Result<Detector, DetectError>, looking: &Looking) -> Result<Self, CliError> {
        let detector = opened.map_err(|source| CliError::Detector { path: path.clone(), source })?;
        let usual = DetectOptions::default();
        let options = DetectOptions {
            min_score: looking.min_score,
            min_height: looking.min_height.unwrap_or(usual.min_height),
            tiles: looking.tiles.unwrap_or(usual.tiles),
        };
        Ok(Self { detector, path, options })
    }

    /// The people in the photo of a file.
    pub async fn people(&self, photo: &impl Rows, file: &Path) -> Result<Vec<Person>, CliError> {
        self.detector.detect(photo, self.options).await.map_err(|source| match source {
            DetectError::NotANumber => CliError::NotANumber(self.path.clone()),
            source @ (DetectError::Tiles(_) | DetectError::Image(_)) => CliError::Detect { path: file.into(), source },
            source => CliError::Detector { path: self.path.clone(), source },
        })
    }
}

/// Where the detector lies that no option names: what the variable says, else where it is fetched to.
pub fn usual() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")));
    set(VARIABLE).or_else(|| Some(cache()?.join("webreid/detector/nanodet-g.safetensors")))
}
