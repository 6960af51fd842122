//! Labels in file names.

use std::path::Path;

/// The person id of detections that show nobody properly.
pub const JUNK: i32 = -1;

/// Person and camera (from 0) of a file named as in Market-1501, `([-\d]+)_c(\d+)`: `0002_c1s1_000451_00.jpg` is person 2, camera 0.
pub fn person_and_camera(path: &Path) -> Option<(i32, i32)> {
    let name = path.file_name()?.to_str()?;
    candidates(name).find_map(|(before, camera)| {
        let run = &before[before.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()).len()..];
        // A dash before anything but junk's 1 belongs to a name in front.
        let person = if run == "-1" { JUNK } else { run.rsplit('-').next()?.parse().ok()? };
        Some((person, camera))
    })
}

/// The camera (from 0) of a file whose person is known otherwise: the first `_cC`.
pub fn camera(path: &Path) -> Option<i32> {
    candidates(path.file_name()?.to_str()?).map(|(_, camera)| camera).next()
}

/// What stands before each `_c` and the number after it, less one.
fn candidates(name: &str) -> impl Iterator<Item = (&str, i32)> {
    name.match_indices("_c").filter_map(move |(at, mark)| {
        let after = &name[at + mark.len()..];
        let digits = &after[..after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        Some((&name[..at], digits.parse::<i32>().ok()? - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_they_are_found() {
        let of = |name: &str| person_and_camera(Path::new(name));
        assert_eq!(of("some_c9/0002_c1s1_000451_00.jpg"), Some((2, 0)));
        assert_eq!(of("-1_c3s2_000001_05.jpg"), Some((-1, 2)));
        assert_eq!(of("0000_c6s1_000151_01.jpg"), Some((0, 5)));
        assert_eq!(of("0074_c2_o8.png"), Some((74, 1)));
        assert_eq!(of("0301_c12_f01.png"), Some((301, 11)));
        assert_eq!(of("site-0012_c2.png"), Some((12, 1)));
        assert_eq!(of("my_cat_12_c4.png"), Some((12, 3)));
        assert_eq!(of("0002.jpg"), None);
        assert_eq!(of("_c1.jpg"), None);
        assert_eq!(of("12_c.jpg"), None);
        assert_eq!(of("99999999999_c1.jpg"), None);
        assert_eq!(camera(Path::new("x_c2.png")), Some(1));
    }
}
