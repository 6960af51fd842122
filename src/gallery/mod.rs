//! Galleries: people and their photos.

mod bcubed;
pub mod grouping;

pub use bcubed::{BCubed, bcubed};
