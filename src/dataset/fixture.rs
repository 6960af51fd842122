//! Small folders of images for the tests of datasets.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with those files, all empty: for whoever reads only names.
pub fn files(names: &[impl AsRef<str>]) -> TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    names.iter().for_each(|name| write(&root, name.as_ref(), b""));
    root
}

/// A folder with those files: PNGs of 4×8 pixels in one grey each, the value given.
#[cfg(feature = "train")]
pub fn folder(files: &[(&str, u8)]) -> TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (file, grey) in files {
        let path = root.path().join(file);
        create_parent(&path);
        image::RgbImage::from_pixel(4, 8, image::Rgb([*grey; 3])).save(path).expect("writes");
    }
    root
}

/// A file that is no picture.
#[cfg(feature = "train")]
pub fn broken(root: &TempDir, file: &str) {
    write(root, file, b"not a picture");
}

/// A file with those bytes.
pub fn write(root: &TempDir, file: &str, bytes: &[u8]) {
    let path = root.path().join(file);
    create_parent(&path);
    fs::write(path, bytes).expect("writes");
}

fn create_parent(path: &Path) {
    fs::create_dir_all(path.parent().expect("has one")).expect("creates");
}
