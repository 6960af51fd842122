//! Made-up photos to learn from.

use webreid::image::Rgba;
use webreid::training::Samples;

/// `people` persons with `images` noisy pictures of a colour of their own each.
pub fn coloured(people: usize, images: usize) -> Samples {
    let mut samples = Samples::default();
    for (person, image) in (0..people).flat_map(|person| (0..images).map(move |image| (person, image))) {
        let noise = |i: usize| ((i * 31 + image * 17) % 23) as u8;
        let value =
            |i: usize| if i % 4 == 3 { 255 } else { noise(i) + (person * 70 + 40 * (i % 4) * person % 97) as u8 };
        samples.images.push(Rgba { width: 16, height: 32, pixels: (0..16 * 32 * 4).map(value).collect() });
        samples.people.push(person);
        samples.cameras.push(Some(image % 2));
    }
    samples
}
