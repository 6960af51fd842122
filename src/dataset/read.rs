//! A picture from a file.

use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::Path;

use crate::image::{ImageError, Picture, decode_picture};

/// The largest file that is read as an image, in MB.
const MAX_MEGABYTES: u64 = 512;

/// Why a file gave no picture. The messages go on after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum ReadImageError {
    #[error("cannot be read ({0}); check the path and its permissions")]
    File(#[from] std::io::Error),
    #[error("has more than the {MAX_MEGABYTES} MB that are read as an image; make it smaller")]
    TooLarge,
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the decoder failed on it")]
    Decoder,
}

/// Reads and decodes a file.
///
/// # Errors
/// When it cannot be read or is no picture. A panic of a decoder is an error, too.
pub fn read_image(path: &Path) -> Result<Picture, ReadImageError> {
    let mut bytes = Vec::new();
    let limit = MAX_MEGABYTES << 20;
    let length = File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if length as u64 > limit {
        return Err(ReadImageError::TooLarge);
    }
    Ok(catch_unwind(|| decode_picture(&bytes)).map_err(|_| ReadImageError::Decoder)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_no_picture_says_why() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let reason = |name: &str| read_image(&root.path().join(name)).expect_err("no picture").to_string();
        std::fs::write(root.path().join("text.jpg"), "hello").expect("writes");
        assert!(reason("text.jpg").starts_with("this is text, not an image"), "{}", reason("text.jpg"));
        assert!(reason("gone.jpg").starts_with("cannot be read ("), "{}", reason("gone.jpg"));
    }
}
