//! Which files in a folder are pictures.

use std::fs;
use std::path::{Path, PathBuf};

use super::DatasetError;

/// The endings of pictures. Some cannot be read here: better that decoding says so than that they are passed over.
const ENDINGS: [&str; 13] =
    ["avif", "bmp", "gif", "heic", "heif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/// Every picture under a folder by the ending of its name, sorted by path; a path that is no folder stands for itself.
/// Hidden files are passed over, links to folders are not followed.
pub fn image_files(path: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let mut found = images_in(path)?;
    for folder in subfolders(path)? {
        found.extend(image_files(&folder)?);
    }
    found.sort();
    Ok(found)
}

/// The pictures directly in a folder, sorted.
pub(super) fn images_in(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let is_image = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    };
    Ok(entries(folder)?.into_iter().filter(|path| is_image(path) && !path.is_dir()).collect())
}

/// The folders directly in a folder, sorted.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink()).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let failed = |source| DatasetError::Read { path: folder.into(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_at_any_depth_sorted() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(root.path().join("b/deep")).expect("creates");
        for name in ["z.JPG", "b/deep/1.webp", "b/2.heic", "a.txt", ".hidden.png", "c.png"] {
            fs::write(root.path().join(name), "").expect("writes");
        }
        let found = image_files(root.path()).expect("reads");
        let expected = ["b/2.heic", "b/deep/1.webp", "c.png", "z.JPG"].map(|name| root.path().join(name));
        assert_eq!(found, expected);
        assert_eq!(image_files(Path::new("gone.png")).expect("itself"), [PathBuf::from("gone.png")]);
    }
}
