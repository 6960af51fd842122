//! From photos to the people in them: a detector looks at the whole photo and, if that is large, at tiles of it, and each
//! person is one box. It needs no burn.
//!
//! ```no_run
//! # async fn run(file: &[u8], photo: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! use webreid::detect::{DetectOptions, Detector, crop};
//! use webreid::graph::frozen::DeviceChoice;
//!
//! let detector = Detector::open(&webreid::weights::read_detector(file, None)?, DeviceChoice::Auto).await?;
//! let photo = webreid::image::decode_picture(photo)?;
//! let people = detector.detect(&photo, DetectOptions::default()).await?;
//! let crops = crop(&photo, &people.iter().map(|person| person.person_box).collect::<Vec<_>>());
//! # Ok(()) }
//! ```

mod crop;
mod decode;
mod detector;
mod person;
mod suppress;
mod tiles;
mod view;

pub use crop::crop;
pub use detector::{DetectError, DetectOptions, Detector};
pub use person::{Person, PersonBox};
pub use tiles::{Tiles, TooManyTiles, UnknownTiles};
