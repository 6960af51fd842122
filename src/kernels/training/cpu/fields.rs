//! The receptive fields of a convolution as the rows of a matrix, for a few hundred pixels at a time: small enough for the
//! cache, and of several images where their maps are small, so that the products with the weights are worth their while.

use pulp::Arch;

use super::window::Window;

/// The values of a matrix of fields that a core's cache holds beside everything else.
const VALUES: usize = 1 << 16;
/// More pixels than this make no product faster.
const PIXELS: usize = 256;

/// Some rows of one image's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The image's place in its chunk.
    pub image: usize,
    /// The first pixel of the output, and how many follow; both whole rows.
    pub start: usize,
    pub count: usize,
}

/// Scratch for the fields of a tile `[pixels, kh · kw · channels]`, channels last.
pub struct Fields {
    window: Window,
    channels: usize,
    /// An image with its border of zeros, channels last.
    padded: Vec<f32>,
    pub values: Vec<f32>,
    /// The other side of the product, `[outputs, pixels]`.
    pub pixels: Vec<f32>,
}

impl Fields {
    pub fn new(window: Window, channels: usize, outputs: usize) -> Self {
        let [height, width] = padded(&window);
        let tile = tile(&window, channels);
        Self {
            window,
            channels,
            padded: vec![0.0; height * width * channels],
            values: vec![0.0; tile * window.taps() * channels],
            pixels: vec![0.0; tile * outputs],
        }
    }

    /// How many images fill a tile, at least 1.
    pub fn images(window: &Window, channels: usize) -> usize {
        (tile(window, channels) / window.output_area().max(1)).max(1)
    }

    /// Cuts the outputs of so many images into tiles, each of whole rows and as large as the scratch.
    pub fn tiles(&self, images: usize) -> Vec<Vec<Segment>> {
        let [height, width] = self.window.output;
        let most = tile(&self.window, self.channels) / width;
        let mut tiles: Vec<Vec<Segment>> = Vec::new();
        let mut left = 0;
        for image in 0..images {
            let mut row = 0;
            while row < height {
                if left < (height - row).min(most) {
                    tiles.push(Vec::new());
                    left = most;
                }
                let rows = (height - row).min(left);
                let segment = Segment { image, start: row * width, count: rows * width };
                tiles.last_mut().into_iter().for_each(|tile| tile.push(segment));
                (row, left) = (row + rows, left - rows);
            }
        }
        tiles
    }

    /// Fills `values` with the tile's fields, of the images whose `[channels, h, w]` `image` gives. An image's segments come
    /// in order, in one or several tiles.
    pub fn gather<'a>(&mut self, tile: &[Segment], image: impl Fn(usize) -> &'a [f32]) {
        let size = self.window.taps() * self.channels;
        let mut filled = 0;
        for segment in tile {
            if segment.start == 0 {
                self.load(image(segment.image));
            }
            let mut runs = self.values[filled * size..].chunks_exact_mut(self.window.kernel[1] * self.channels);
            let padded = &self.padded;
            each_place(&self.window, self.channels, segment, |from| {
                if let Some(run) = runs.next() {
                    run.copy_from_slice(&padded[from..][..run.len()]);
                }
            });
            filled += segment.count;
        }
    }

    /// Adds the fields in `values` up to images, `[channels, h, w]` each. An image's segments come in order, in one or
    /// several tiles.
    pub fn scatter<'a>(&mut self, tile: &[Segment], mut image: impl FnMut(usize) -> &'a mut [f32]) {
        let size = self.window.taps() * self.channels;
        let mut filled = 0;
        for segment in tile {
            if segment.start == 0 {
                self.padded.fill(0.0);
            }
            let mut runs = self.values[filled * size..].chunks_exact(self.window.kernel[1] * self.channels);
            let padded = &mut self.padded;
            Arch::new().dispatch(|| {
                each_place(&self.window, self.channels, segment, |to| {
                    if let Some(run) = runs.next() {
                        padded[to..][..run.len()].iter_mut().zip(run).for_each(|(sum, value)| *sum += value);
                    }
                });
            });
            if segment.start + segment.count == self.window.output_area() {
                self.store(image(segment.image));
            }
            filled += segment.count;
        }
    }

    /// Fills `pixels` with the tile's part of maps `[outputs, oh, ow]` that `image` gives.
    pub fn take<'a>(&mut self, tile: &[Segment], outputs: usize, image: impl Fn(usize) -> &'a [f32]) {
        let (area, pixels) = (self.window.output_area(), &mut self.pixels);
        each_run(tile, outputs, |place, output, segment| {
            let plane = &image(segment.image)[output * area..];
            pixels[place..][..segment.count].copy_from_slice(&plane[segment.start..][..segment.count]);
        });
    }

    fn load(&mut self, image: &[f32]) {
        let (window, channels) = (self.window, self.channels);
        for (channel, plane) in image.chunks_exact(window.input_area()).enumerate() {
            for (y, row) in plane.chunks_exact(window.map[1]).enumerate() {
                let to = inside(&window, y) * channels + channel;
                let pixels = self.padded[to..].iter_mut().step_by(channels);
                pixels.zip(row).for_each(|(to, from)| *to = *from);
            }
        }
    }

    fn store(&self, image: &mut [f32]) {
        let (window, channels) = (self.window, self.channels);
        for (channel, plane) in image.chunks_exact_mut(window.input_area()).enumerate() {
            for (y, row) in plane.chunks_exact_mut(window.map[1]).enumerate() {
                let from = inside(&window, y) * channels + channel;
                let pixels = self.padded[from..].iter().step_by(channels);
                row.iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// Weights `[outputs, channels, taps]` with the taps outside, `[outputs, taps, channels]`, as the fields have them.
pub fn taps_outside(weight: &[f32], channels: usize, taps: usize) -> Vec<f32> {
    let mut out = vec![0.0; weight.len()];
    for (out, weight) in out.chunks_exact_mut(channels * taps).zip(weight.chunks_exact(channels * taps)) {
        for (place, to) in out.iter_mut().enumerate() {
            *to = weight[place % channels * taps + place / channels];
        }
    }
    out
}

/// Copies `[outputs, pixels]` between a tile and the images: calls `copy` with the range of a tile's pixels of one output
/// and the segment they belong to.
pub fn each_run(tile: &[Segment], outputs: usize, mut copy: impl FnMut(usize, usize, &Segment)) {
    let pixels = count(tile);
    for output in 0..outputs {
        let mut place = output * pixels;
        for segment in tile {
            copy(place, output, segment);
            place += segment.count;
        }
    }
}

/// The pixels of a tile.
pub fn count(tile: &[Segment]) -> usize {
    tile.iter().map(|segment| segment.count).sum()
}

/// The most pixels of a tile: at least one row.
fn tile(window: &Window, channels: usize) -> usize {
    let [height, width] = window.output;
    let most = (VALUES / (window.taps() * channels).max(1)).min(PIXELS) / width.max(1);
    // A whole image, or several, or some rows of one.
    if most >= height { most / height * height * width } else { most.max(1) * width }
}

/// Height and width with the border.
fn padded(window: &Window) -> [usize; 2] {
    std::array::from_fn(|i| window.map[i] + 2 * window.padding[i])
}

/// Where row `y` of an image begins in one with a border, in pixels.
fn inside(window: &Window, y: usize) -> usize {
    (y + window.padding[0]) * padded(window)[1] + window.padding[1]
}

/// Calls `visit` with where the runs of a segment's fields begin in the padded image: pixel by pixel, one for each row of the
/// kernel.
#[inline(always)]
fn each_place(window: &Window, channels: usize, segment: &Segment, mut visit: impl FnMut(usize)) {
    let (width, [_, out_width]) = (padded(window)[1], window.output);
    let [stride_y, stride_x] = window.stride;
    for y in segment.start / out_width..(segment.start + segment.count) / out_width {
        for x in 0..out_width {
            let pixel = y * stride_y * width + x * stride_x;
            for ky in 0..window.kernel[0] {
                visit((pixel + ky * width) * channels);
            }
        }
    }
}
