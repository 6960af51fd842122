//! Comparing people by features that are there already, and keeping them: no model, no pictures.

mod evaluate;
mod failure;
mod feature_index;
mod gallery;
mod objects;
mod options;
mod photos;
mod progress;
mod rank_all;
mod tree;

pub use feature_index::FeatureIndex;
pub use gallery::{Gallery, content_hash};
pub use photos::Photos;
pub use tree::Tree;
