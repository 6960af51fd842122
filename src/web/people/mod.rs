//! Comparing people by features that are there already: no model, no pictures.

mod evaluate;
mod options;
mod photos;
mod progress;
mod rank_all;

pub use photos::Photos;
