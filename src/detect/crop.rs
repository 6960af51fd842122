//! People cut out of their photo.

use super::PersonBox;
use crate::image::{Rgba, Rows};

/// What is taken along around a box, as a part of its sides: detectors cut hands and feet off, and re-identification learns
/// from crops with some air around.
const MARGIN: f32 = 0.05;

/// The pictures of people in a photo, each its box with a margin of a twentieth on each side, as far as the photo goes; at
/// least a pixel. They are cut in one pass over the photo.
pub fn crop(photo: &impl Rows, boxes: &[PersonBox]) -> Vec<Rgba> {
    let size = [photo.width(), photo.height()];
    let parts: Vec<[std::ops::Range<usize>; 2]> = boxes.iter().map(|person| part(person, size)).collect();
    let empty = |[columns, rows]: &[std::ops::Range<usize>; 2]| Rgba {
        width: columns.len() as u32,
        height: rows.len() as u32,
        pixels: Vec::with_capacity(4 * columns.len() * rows.len()),
    };
    let mut crops: Vec<Rgba> = parts.iter().map(empty).collect();
    let mut y = 0;
    photo.for_each_row(|row| {
        for ([columns, rows], crop) in parts.iter().zip(&mut crops) {
            if rows.contains(&y) {
                crop.pixels.extend_from_slice(&row[4 * columns.start..4 * columns.end]);
            }
        }
        y += 1;
    });
    crops
}

/// Columns and rows of a crop; no pixels of a photo that has none.
fn part(person: &PersonBox, photo: [u32; 2]) -> [std::ops::Range<usize>; 2] {
    let side = |start: f32, length: f32, limit: u32| {
        let margin = length.max(0.0) * MARGIN;
        // What is no number becomes 0.
        let first = ((start - margin).floor() as u32).min(limit.saturating_sub(1));
        let end = ((start + length + margin).ceil() as u32).clamp(first.saturating_add(1).min(limit), limit);
        first as usize..end as usize
    };
    [side(person.x, person.width, photo[0]), side(person.y, person.height, photo[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_has_a_margin_and_ends_at_the_photo() {
        let pixels = (0..60 * 100).flat_map(|at| [(at % 60) as u8, (at / 60) as u8, 0, 255]).collect();
        let photo = Rgba { width: 60, height: 100, pixels };
        // Left, top, width and height of what is cut out.
        for (of, expected) in [
            ([20.0, 40.0, 20.0, 40.0], [19, 38, 22, 44]),
            ([20.4, 40.0, 20.0, 40.0], [19, 38, 23, 44]),
            ([0.0, 0.0, 60.0, 100.0], [0, 0, 60, 100]),
            ([50.0, 90.0, 30.0, 30.0], [48, 88, 12, 12]),
            ([200.0, 300.0, 5.0, 5.0], [59, 99, 1, 1]),
            ([-50.0, -9.0, 5.0, 5.0], [0, 0, 1, 1]),
            ([30.0, 30.0, 0.0, 0.0], [30, 30, 1, 1]),
            ([f32::NAN, 30.0, 20.0, 10.0], [0, 29, 1, 12]),
            ([5.0, 30.0, f32::INFINITY, 10.0], [0, 29, 60, 12]),
        ] {
            let [x, y, width, height] = of;
            let [crop] = &crop(&photo, &[PersonBox { x, y, width, height }])[..] else { panic!("one") };
            let (first, last) = (&crop.pixels[..2], &crop.pixels[crop.pixels.len() - 4..][..2]);
            let found = [u32::from(first[0]), u32::from(first[1]), crop.width, crop.height];
            assert_eq!(found, expected, "{of:?}");
            assert_eq!(crop.pixels.len() as u32, 4 * crop.width * crop.height);
            let end = [found[0] + found[2] - 1, found[1] + found[3] - 1].map(|at| at as u8);
            assert_eq!(last, end, "{of:?}");
        }
    }

    #[test]
    fn of_no_pixels_none_are_cut() {
        let nothing = Rgba { width: 0, height: 0, pixels: Vec::new() };
        let crops = crop(&nothing, &[PersonBox { x: 1.0, y: 1.0, width: 1.0, height: 1.0 }]);
        assert_eq!(crops, [nothing]);
    }
}
