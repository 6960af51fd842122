//! How much memory it takes to find people: no copy of the photo.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/counting_allocator.rs"]
mod counting_allocator;
#[path = "common/red_detector.rs"]
#[allow(dead_code, reason = "the photo is made otherwise")]
mod red_detector;

use std::sync::atomic::Ordering;

use counting_allocator::{MOST, USED};
use pollster::block_on;
use red_detector::red_detector;
use webreid::detect::{DetectOptions, Detector, crop};
use webreid::graph::frozen::DeviceChoice;
use webreid::image::Rows;

/// 48 megapixels that are made as they are looked at, grey with a red square.
struct Large;

const SQUARE: [std::ops::Range<usize>; 2] = [3000..3900, 2000..2900];

impl Rows for Large {
    fn width(&self) -> u32 {
        8000
    }

    fn height(&self) -> u32 {
        6000
    }

    fn for_each_row(&self, mut take: impl FnMut(&[u8])) {
        let grey = [128; 4].repeat(8000);
        let mut red = grey.clone();
        red[4 * SQUARE[0].start..4 * SQUARE[0].end].copy_from_slice(&[255, 0, 0, 255].repeat(SQUARE[0].len()));
        (0..6000).for_each(|y| take(if SQUARE[1].contains(&y) { &red } else { &grey }));
    }
}

#[test]
fn people_in_48_megapixels_take_a_few_megabytes() {
    let detector = block_on(Detector::open(&red_detector(), DeviceChoice::Cpu)).unwrap();
    let mut peaks = [0.0; 2];
    for peak in &mut peaks {
        let before = USED.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let people = block_on(detector.detect(&Large, DetectOptions::default())).unwrap();
        *peak = (MOST.load(Ordering::Relaxed) - before) as f64 / 1e6;
        assert!(!people.is_empty());
        let crops = crop(&Large, &[people[0].person_box]);
        assert_eq!(crops[0].pixels.len() as u32, 4 * crops[0].width * crops[0].height);
        drop((people, crops));
        let left = USED.load(Ordering::Relaxed).saturating_sub(before) as f64 / 1e6;
        assert!(left < 0.5, "{left} MB are kept");
    }
    println!("{peaks:?} MB");
    // The photo is 192 MB.
    assert!(peaks.iter().all(|peak| *peak < 10.0), "{peaks:?} MB");
}
