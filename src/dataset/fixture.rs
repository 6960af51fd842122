//! Small folders of images for the tests of training data.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// A folder with those files: PNGs of 4×8 pixels in one grey each, the value given.
pub fn folder(files: &[(&str, u8)]) -> TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (file, grey) in files {
        let path = root.path().join(file);
        create_parent(&path);
        RgbImage::from_pixel(4, 8, Rgb([*grey; 3])).save(path).expect("writes");
    }
    root
}

/// A file that is no picture.
pub fn broken(root: &TempDir, file: &str) {
    let path = root.path().join(file);
    create_parent(&path);
    fs::write(path, "not a picture").expect("writes");
}

fn create_parent(path: &Path) {
    fs::create_dir_all(path.parent().expect("has one")).expect("creates");
}
