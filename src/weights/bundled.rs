//! The model that comes along, so that everything works with nothing loaded.

#[cfg(feature = "bundled")]
use super::{Checkpoint, Recognised, WeightsError, recognise};

/// What the model is called where a file's name is asked for.
pub const BUNDLED: &str = "webreid-small";

/// The model that comes along, for research and teaching only: the crate `webreid-small` has its card and its licence.
///
/// # Errors
/// None that a test would not have found: the file is part of the program.
#[cfg(feature = "bundled")]
pub fn bundled() -> Result<Recognised, WeightsError> {
    recognise(Checkpoint::read(webreid_small::WEIGHTS)?)
}

#[cfg(all(test, feature = "bundled"))]
mod tests {
    /// What a page loads at its start.
    const MAX_BYTES: usize = 1_300_000;

    #[test]
    fn the_bundled_model_is_small_and_whole() {
        let model = super::bundled().expect("readable");
        assert!(model.missing.is_empty() && model.unexpected.is_empty());
        assert!(model.config.head.is_none(), "the persons it was trained on are left out");
        assert_eq!(model.config.features_dim(), 256);
        let bytes = webreid_small::WEIGHTS.len();
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }
}
