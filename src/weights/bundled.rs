//! The model that comes along, so that everything works with nothing loaded.

use super::{Checkpoint, Recognised, WeightsError, recognise};

/// What the model is called where a file's name is asked for.
pub const BUNDLED: &str = "webreid-small";

/// The model of `models/MODEL_CARD.md`, trained by `reid train` with the configs beside it.
///
/// # Errors
/// None that a test would not have found: the file is part of the program.
pub fn bundled() -> Result<Recognised, WeightsError> {
    recognise(Checkpoint::read(include_bytes!("../../models/webreid-small.safetensors"))?)
}

#[cfg(test)]
mod tests {
    /// What a page loads at its start.
    const MAX_BYTES: usize = 1_300_000;

    #[test]
    fn the_bundled_model_is_small_and_whole() {
        let model = super::bundled().expect("readable");
        assert!(model.missing.is_empty() && model.unexpected.is_empty());
        assert!(model.config.head.is_none(), "the persons it was trained on are left out");
        assert_eq!(model.config.features_dim(), 256);
        let bytes = include_bytes!("../../models/webreid-small.safetensors").len();
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }
}
