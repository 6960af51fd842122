//! The [`conv`](super::conv) of 3×3 pixels side by side once more, with fewer products: Winograd's minimal filtering, as Lavin and
//! Gray have it for networks. There is no shader for it.
//!
//! A tile of M × M pixels of the output comes of N × N pixels of the input, N = M + 2. Seen as polynomials, both are taken to
//! their values at N places along each axis, where a convolution is one product; and N² products instead of 9·M² for each input
//! and output are what is left: 2.25 times less for tiles of 2 × 2, 4 times for 4 × 4. What they cost is exactness, which
//! depends on the places: for tiles of 4 × 4 those here have twice the error of plain sums, the usual ±1 and ±2 five times that.
//!
//! The tiles of a block are taken there, at each of the N² places all their channels are multiplied with that place's weights —
//! a matrix product — and the sums are taken back.

use pulp::{Arch, Simd, WithSimd};

use super::conv::{Product, panel_order};
use super::{Finish, LANES, Stored, bands, padded};
use crate::kernels::parallel::for_each_chunk_with_part;
use crate::step::{Convolution, Padding};

/// Values of a block of tiles, at their places before and after the products: what stays in a processor's second cache. But
/// fewer than so many tiles would read the weights too often.
const BLOCK_VALUES: usize = 100_000;
const FEWEST_TILES: usize = 12;
const MOST_TILES: usize = 48;
/// As many rows as the product takes at once.
const BLOCK_STEP: usize = super::conv::PIXELS;
/// Values between what is read at once, so that it does not lie at the same places of the caches.
const APART: usize = 16;

/// The sides of a tile of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Two,
    Four,
}

impl Side {
    fn pixels(self) -> usize {
        match self {
            Self::Two => Two::PIXELS,
            Self::Four => Four::PIXELS,
        }
    }

    fn places(self) -> usize {
        self.pixels() + 2
    }
}

/// With fewer channels the way there and back takes longer than the products.
const FEWEST_CHANNELS: usize = 16;

/// The tiles for a convolution, where they pay (measured in WebAssembly, from 104 × 104 pixels of 16 channels to 16 × 8 of 512).
pub fn side(c: &Convolution, input: Stored, output: Stored) -> Option<Side> {
    let fits = (c.kernel, c.stride, c.dilation, c.groups) == ([3; 2], [1; 2], [1; 2], 1);
    // The image's pixels lie without gaps: of as many channels as there are, and not in whole vectors.
    if !fits || input.pitch.min(output.pitch) < FEWEST_CHANNELS || !input.pitch.is_multiple_of(LANES) {
        return None;
    }
    let tiles = |side: Side| output.height.div_ceil(side.pixels()) * output.width.div_ceil(side.pixels());
    // Of each pair of channels the products, and in their measure the way there and back.
    let cost = |side: Side| match side {
        Side::Two => 20 * tiles(side),
        Side::Four => 50 * tiles(side),
    };
    // Weights become 16 or 36 of 9, which memory has to hold. Where a map has few tiles, reading so many takes the time that
    // large tiles save, or any.
    let may = |side: &Side| {
        let weights = side.places().pow(2) * input.pitch * output.pitch;
        let most = if *side == Side::Two { 200_000 } else { 50_000 };
        weights / tiles(*side).max(1) < most
    };
    let best = [Side::Two, Side::Four].into_iter().filter(may).min_by_key(|side| cost(*side))?;
    (cost(best) < 9 * output.area()).then_some(best)
}

/// A convolution packed.
#[derive(Clone, Debug)]
pub struct Packed {
    side: Side,
    padding: Padding,
    input: Stored,
    output: Stored,
    /// Of one of the places.
    product: Product,
    /// The weights of each place, in panels.
    panels: Vec<f32>,
    bias: Vec<f32>,
    finish: Finish,
    /// Tiles along a row of the output.
    across: usize,
    /// Where each tile of a block begins among the values before the products.
    tiles: Vec<u32>,
    /// A pixel beyond the map.
    beyond: Vec<f32>,
}

impl Packed {
    /// Packs the weights of a convolution from one stored map, with so many channels, to another.
    pub fn new(c: &Convolution, channels: usize, input: Stored, output: Stored, side: Side) -> Self {
        let places = side.places() * side.places();
        let product = Product::new(input.pitch, output.pitch);
        let block = BLOCK_VALUES / (places * (input.pitch + output.pitch));
        let block = block.clamp(FEWEST_TILES, MOST_TILES).next_multiple_of(BLOCK_STEP);
        let length = places * input.pitch + APART;
        Self {
            side,
            padding: c.padding,
            input,
            output,
            panels: match side {
                Side::Two => panels::<Two, 2, 4>(c, channels, &product),
                Side::Four => panels::<Four, 4, 6>(c, channels, &product),
            },
            product,
            bias: padded(&c.bias, output.pitch),
            finish: Finish::new(&c.activation, output.pitch),
            across: output.width.div_ceil(side.pixels()),
            tiles: (0..block).map(|tile| (tile * length) as u32).collect(),
            beyond: vec![0.0; input.pitch],
        }
    }

    /// One image, in as many bands as there are threads for it.
    pub fn run(&self, x: &[f32], residual: Option<&[f32]>, scratch: &mut Vec<f32>, threads: usize, out: &mut [f32]) {
        let Self { side, input, output, across, .. } = *self;
        let rows = output.height.div_ceil(side.pixels());
        let rows_of_band = bands(rows, across.saturating_mul(self.panels.len()), threads);
        let length = rows_of_band * side.pixels() * output.width * output.pitch;
        let values = self.tiles.len() * (side.places() * side.places() * (input.pitch + output.pitch) + 2 * APART)
            + side.places() * side.places() * APART;
        let needed = rows.div_ceil(rows_of_band) * values;
        if scratch.len() < needed {
            scratch.resize(needed, 0.0);
        }
        for_each_chunk_with_part(out, length, &mut scratch[..needed], values, |band, out, scratch| {
            if let Some(residual) = residual {
                out.copy_from_slice(&residual[band * length..][..out.len()]);
            }
            let (first, adds) = (band * rows_of_band, residual.is_some());
            Arch::new().dispatch(Run { packed: self, x, first, adds, scratch, out });
            self.finish.apply_rest(output.pitch, out);
        });
    }
}

/// The weights at each place, in panels.
fn panels<F: Form<M, N>, const M: usize, const N: usize>(
    c: &Convolution,
    channels: usize,
    product: &Product,
) -> Vec<f32> {
    let size = product.size();
    let mut panels = vec![0.0; N * N * size];
    for (first, width, begin) in panel_order(product.pitch(), size / product.pitch()) {
        for output in first..(first + width).min(c.bias.len()) {
            let weights = &c.weight[output * 9 * channels..][..9 * channels];
            for channel in 0..channels {
                let row = |y: usize| std::array::from_fn(|x| f64::from(weights[(3 * y + x) * channels + channel]));
                let rows: [[f64; N]; 3] = std::array::from_fn(|y| F::of_weights(row(y)));
                for x in 0..N {
                    for (y, value) in F::of_weights(rows.map(|row| row[x])).into_iter().enumerate() {
                        panels[(y * N + x) * size + begin + channel * width + output - first] = value as f32;
                    }
                }
            }
        }
    }
    panels
}

/// Along one axis, for `M` pixels of the output from `N` of the input.
trait Form<const M: usize, const N: usize> {
    const PIXELS: usize = M;

    fn of_weights(weights: [f64; 3]) -> [f64; N];
    fn of_pixels<S: Simd>(simd: S, pixels: [S::f32s; N]) -> [S::f32s; N];
    fn to_pixels<S: Simd>(simd: S, sums: [S::f32s; N]) -> [S::f32s; M];
}

/// At 0, 1, −1 and infinity.
struct Two;

impl Form<2, 4> for Two {
    fn of_weights([a, b, c]: [f64; 3]) -> [f64; 4] {
        [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c]
    }

    #[inline(always)]
    fn of_pixels<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(d, b)]
    }

    #[inline(always)]
    fn to_pixels<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
        [simd.add_f32s(a, simd.add_f32s(b, c)), simd.add_f32s(simd.sub_f32s(b, c), d)]
    }
}

/// At 0, ±3/4, ±3/2 and infinity.
struct Four;

const P: f32 = 0.75;
const Q: f32 = 1.5;

impl Form<4, 6> for Four {
    fn of_weights([a, b, c]: [f64; 3]) -> [f64; 6] {
        let [p, q] = [P, Q].map(f64::from);
        let [by_p, by_q] = [2.0 * p * p * (p * p - q * q), 2.0 * q * q * (q * q - p * p)];
        let at = |place: f64| a + place * (b + place * c);
        [a / (p * p * q * q), at(p) / by_p, at(-p) / by_p, at(q) / by_q, at(-q) / by_q, c]
    }

    #[inline(always)]
    fn of_pixels<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 6] {
        let [even_p, odd_p] = [times::<S>(simd, c, -Q * Q, e), times::<S>(simd, b, -Q * Q, d)];
        let [even_q, odd_q] = [times::<S>(simd, c, -P * P, e), times::<S>(simd, b, -P * P, d)];
        [
            times::<S>(simd, a, P * P * Q * Q, times::<S>(simd, c, -P * P - Q * Q, e)),
            times::<S>(simd, odd_p, P, even_p),
            times::<S>(simd, odd_p, -P, even_p),
            times::<S>(simd, odd_q, Q, even_q),
            times::<S>(simd, odd_q, -Q, even_q),
            times::<S>(simd, b, P * P * Q * Q, times::<S>(simd, d, -P * P - Q * Q, f)),
        ]
    }

    #[inline(always)]
    fn to_pixels<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 4] {
        let [even_p, odd_p] = [simd.add_f32s(b, c), simd.sub_f32s(b, c)];
        let [even_q, odd_q] = [simd.add_f32s(d, e), simd.sub_f32s(d, e)];
        [
            simd.add_f32s(a, simd.add_f32s(even_p, even_q)),
            times::<S>(simd, odd_p, P, simd.mul_f32s(odd_q, simd.splat_f32s(Q))),
            times::<S>(simd, even_p, P * P, simd.mul_f32s(even_q, simd.splat_f32s(Q * Q))),
            times::<S>(simd, odd_p, P * P * P, times::<S>(simd, odd_q, Q * Q * Q, f)),
        ]
    }
}

/// `value · factor + sum`
#[inline(always)]
fn times<S: Simd>(simd: S, value: S::f32s, factor: f32, sum: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(value, simd.splat_f32s(factor), sum)
}

/// A band of the output.
struct Run<'a> {
    packed: &'a Packed,
    /// The whole map.
    x: &'a [f32],
    /// The band's first row of tiles.
    first: usize,
    /// To what is there: a residual.
    adds: bool,
    scratch: &'a mut [f32],
    out: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.packed.side {
            Side::Two => self.blocks::<S, Two, 2, 4>(simd),
            Side::Four => self.blocks::<S, Four, 4, 6>(simd),
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn blocks<S: Simd, F: Form<M, N>, const M: usize, const N: usize>(mut self, simd: S) {
        let Packed { input, output, product, panels, across, tiles, .. } = self.packed;
        let count = self.out.len().div_ceil(M * output.width * output.pitch) * across;
        // Of nearly the same size.
        let block = count.div_ceil(count.div_ceil(tiles.len())).next_multiple_of(BLOCK_STEP);
        let length = N * N * input.pitch + APART;
        let scratch = std::mem::take(&mut self.scratch);
        let (before, after) = scratch.split_at_mut(tiles.len() * length);
        let place_length = tiles.len() * output.pitch + APART;
        for start in (0..count).step_by(block) {
            let block = start..count.min(start + block);
            for (tile, to) in block.clone().zip(before.chunks_exact_mut(length)) {
                self.read::<S, F, M, N>(simd, [tile / across, tile % across], to);
            }
            let sums = after.chunks_exact_mut(place_length).zip(panels.chunks_exact(product.size()));
            for (place, (sums, panels)) in sums.enumerate().take(N * N) {
                let sums = &mut sums[..block.len() * output.pitch];
                product.run(panels, &before[place * input.pitch..], &tiles[..block.len()], sums);
            }
            for (place, tile) in block.enumerate() {
                self.write::<S, F, M, N>(
                    simd,
                    [tile / across, tile % across],
                    &after[place * output.pitch..],
                    place_length,
                );
            }
        }
    }

    /// Takes a tile's pixels to the places.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn read<S: Simd, F: Form<M, N>, const M: usize, const N: usize>(
        &self,
        simd: S,
        [row, column]: [usize; 2],
        to: &mut [f32],
    ) {
        let Packed { input, padding, beyond, .. } = self.packed;
        let (top, left) = ((self.first + row) * M, column * M);
        let vectors = input.pitch / S::F32_LANES;
        let pixels: [[&[S::f32s]; N]; N] = std::array::from_fn(
            #[inline(always)]
            |y| {
                let y = (top + y).wrapping_sub(padding.top);
                std::array::from_fn(
                    #[inline(always)]
                    |x| {
                        let x = (left + x).wrapping_sub(padding.left);
                        let inside = y < input.height && x < input.width;
                        let pixel = if inside { &self.x[(y * input.width + x) * input.pitch..] } else { beyond };
                        &S::as_simd_f32s(&pixel[..input.pitch]).0[..vectors]
                    },
                )
            },
        );
        let mut places = S::as_mut_simd_f32s(to).0.chunks_exact_mut(vectors);
        let to: [[&mut [S::f32s]; N]; N] = std::array::from_fn(
            #[inline(always)]
            |_| {
                std::array::from_fn(
                    #[inline(always)]
                    |_| places.next().unwrap_or_default(),
                )
            },
        );
        for vector in 0..vectors {
            let columns: [[S::f32s; N]; N] = std::array::from_fn(
                #[inline(always)]
                |x| {
                    F::of_pixels(
                        simd,
                        std::array::from_fn(
                            #[inline(always)]
                            |y| pixels[y][x][vector],
                        ),
                    )
                },
            );
            for y in 0..N {
                let row = F::of_pixels(
                    simd,
                    std::array::from_fn(
                        #[inline(always)]
                        |x| columns[x][y],
                    ),
                );
                for x in 0..N {
                    to[y][x][vector] = row[x];
                }
            }
        }
    }

    /// Takes a tile's sums from the places to its pixels.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn write<S: Simd, F: Form<M, N>, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        [row, column]: [usize; 2],
        sums: &[f32],
        place_length: usize,
    ) {
        let Packed { output, bias, finish, .. } = self.packed;
        let vectors = output.pitch / S::F32_LANES;
        let (line, begin) = (output.width * output.pitch, column * M * output.pitch);
        let sums: [[&[S::f32s]; N]; N] = std::array::from_fn(
            #[inline(always)]
            |y| {
                std::array::from_fn(
                    #[inline(always)]
                    |x| &S::as_simd_f32s(&sums[(y * N + x) * place_length..][..output.pitch]).0[..vectors],
                )
            },
        );
        let mut lines = self.out[row * M * line..].chunks_exact_mut(line);
        // Those beyond the map are none.
        let mut pixels: [[Option<&mut [S::f32s]>; M]; M] = std::array::from_fn(
            #[inline(always)]
            |_| {
                let mut pixels = lines.next().map(|line| line[begin..].chunks_exact_mut(output.pitch));
                std::array::from_fn(
                    #[inline(always)]
                    |_| {
                        let pixel = pixels.as_mut().and_then(Iterator::next);
                        pixel.map(
                            #[inline(always)]
                            |pixel| &mut S::as_mut_simd_f32s(pixel).0[..vectors],
                        )
                    },
                )
            },
        );
        let bias = &S::as_simd_f32s(bias).0[..vectors];
        let zero = simd.splat_f32s(0.0);
        let relu = matches!(finish, Finish::Relu);
        for vector in 0..vectors {
            let columns: [[S::f32s; M]; N] = std::array::from_fn(
                #[inline(always)]
                |x| {
                    F::to_pixels(
                        simd,
                        std::array::from_fn(
                            #[inline(always)]
                            |y| sums[y][x][vector],
                        ),
                    )
                },
            );
            for y in 0..M {
                let row = F::to_pixels(
                    simd,
                    std::array::from_fn(
                        #[inline(always)]
                        |x| columns[x][y],
                    ),
                );
                for x in 0..M {
                    let Some(pixel) = &mut pixels[y][x] else { continue };
                    let sum = simd.add_f32s(row[x], bias[vector]);
                    let sum = if self.adds { simd.add_f32s(sum, pixel[vector]) } else { sum };
                    // In this order a NaN stays one.
                    pixel[vector] = if relu { simd.max_f32s(zero, sum) } else { sum };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conv;
    use super::*;
    use crate::step::{Activation, Map};

    /// Seeded noise, −1…1.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(747_796_405);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    struct Case {
        /// Height, width and channels of the input.
        input: [usize; 3],
        outputs: usize,
        padding: Padding,
        activation: Activation,
        residual: bool,
    }

    impl Case {
        fn convolution(&self) -> Convolution {
            Convolution {
                kernel: [3; 2],
                stride: [1; 2],
                padding: self.padding,
                dilation: [1; 2],
                groups: 1,
                weight: noise(self.outputs * 9 * self.input[2], 1),
                bias: noise(self.outputs, 2),
                activation: self.activation.clone(),
            }
        }

        /// The largest error of either, of the largest value: of tiles of each side, and of plain sums in f32.
        fn errors(&self) -> [f32; 3] {
            let [height, width, channels] = self.input;
            let Padding { top, left, bottom, right } = self.padding;
            let from = Map { height, width, channels };
            let to = Map { height: height + top + bottom - 2, width: width + left + right - 2, channels: self.outputs };
            let [input, output] = [from, to].map(|map| Stored::new(map, LANES));
            let c = self.convolution();
            let x = super::super::padded_pixels(&noise(height * width * channels, 3), channels, input.pitch);
            let residual = noise(output.area() * self.outputs, 4);
            let residual = super::super::padded_pixels(&residual, self.outputs, output.pitch);
            let residual = self.residual.then_some(&residual[..]);
            let expected = self.expected(&c, &x, residual, [input, output]);
            let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            let error = |out: &[f32]| {
                let apart = out.iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
                let (error, nan) = (apart.fold(0.0, f64::max), out.iter().any(|value| value.is_nan()));
                if nan { f32::NAN } else { (error / largest) as f32 }
            };
            // What was there before does not matter.
            let mut scratch = vec![f32::NAN; 7];
            let mut out = vec![f32::NAN; output.size()];
            let mut tiled = |side| {
                let packed = Packed::new(&c, channels, input, output, side);
                packed.run(&x, residual, &mut scratch, 1, &mut out);
                let alone = out.clone();
                scratch.fill(f32::NAN);
                packed.run(&x, residual, &mut scratch, 3, &mut out);
                assert!(alone == out, "it depends on the number of threads");
                error(&out)
            };
            let tiles = [Side::Two, Side::Four].map(&mut tiled);
            conv::Packed::new(&c, from, input, output).run(&x, residual, &mut scratch, 1, &mut out);
            [tiles[0], tiles[1], error(&out)]
        }

        fn expected(&self, c: &Convolution, x: &[f32], residual: Option<&[f32]>, [from, to]: [Stored; 2]) -> Vec<f64> {
            let channels = self.input[2];
            let mut out = vec![0.0; to.size()];
            for (place, out) in out.iter_mut().enumerate() {
                let (pixel, output) = (place / to.pitch, place % to.pitch);
                if output >= self.outputs {
                    continue;
                }
                let mut sum = f64::from(c.bias[output]);
                for tap in 0..9 {
                    let y = (pixel / to.width + tap / 3).wrapping_sub(self.padding.top);
                    let x_ = (pixel % to.width + tap % 3).wrapping_sub(self.padding.left);
                    if y < from.height && x_ < from.width {
                        let values = &x[(y * from.width + x_) * from.pitch..][..channels];
                        let weights = &c.weight[(output * 9 + tap) * channels..][..channels];
                        sum += values.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>();
                    }
                }
                sum += residual.map_or(0.0, |residual| f64::from(residual[place]));
                *out = match c.activation {
                    Activation::Relu => sum.max(0.0),
                    Activation::LeakyRelu(slope) if sum < 0.0 => sum * f64::from(slope),
                    _ => sum,
                };
            }
            out
        }
    }

    #[test]
    fn tiles_are_taken_where_they_save_more_than_they_cost() {
        let side = |height, width, [inputs, outputs]: [usize; 2], change: &dyn Fn(&mut Convolution)| {
            let [input, output] = [inputs, outputs].map(|pitch| Stored { height, width, pitch });
            let case = Case {
                input: [height, width, 1],
                outputs: 1,
                padding: Padding::all(1),
                activation: Activation::None,
                residual: false,
            };
            let mut c = case.convolution();
            change(&mut c);
            super::side(&c, input, output)
        };
        let usual = |height, width, channels| side(height, width, [channels; 2], &|_| {});
        let maps = [(104, 104, 16), (52, 52, 128), (13, 13, 128), (64, 32, 64), (32, 16, 128), (12, 6, 64)];
        assert_eq!(maps.map(|(height, width, channels)| usual(height, width, channels)), [Some(Side::Four); 6]);
        let maps = [(13, 13, 256), (16, 8, 256), (16, 8, 512), (6, 6, 64), (4, 2, 64)];
        assert_eq!(maps.map(|(height, width, channels)| usual(height, width, channels)), [Some(Side::Two); 5]);
        let maps = [(8, 4, 512), (1, 1, 64), (3, 1, 64), (52, 52, 8)];
        assert_eq!(maps.map(|(height, width, channels)| usual(height, width, channels)), [None; 4]);
        let others: [&dyn Fn(&mut Convolution); 5] =
            [&|c| c.stride = [2; 2], &|c| c.stride = [1, 2], &|c| c.dilation = [2; 2], &|c| c.groups = 2, &|c| {
                c.kernel = [3, 1]
            }];
        assert_eq!(others.map(|change| side(52, 52, [64; 2], change)), [None; 5]);
    }

    #[test]
    fn tiles_give_what_plain_sums_give() {
        let padding = |top, left, bottom, right| Padding { top, left, bottom, right };
        let ones = padding(1, 1, 1, 1);
        for (input, outputs, padding) in [
            ([13, 13, 16], 16, ones),
            ([52, 20, 32], 24, ones),
            ([16, 8, 64], 64, ones),
            ([5, 7, 3], 5, ones),
            ([3, 3, 9], 1, padding(0, 0, 0, 0)),
            ([1, 1, 8], 8, ones),
            ([4, 9, 17], 31, padding(0, 1, 1, 0)),
            ([9, 4, 40], 12, padding(2, 0, 0, 3)),
            ([6, 31, 8], 8, padding(0, 2, 2, 1)),
            ([30, 6, 130], 8, ones),
        ] {
            for (activation, residual) in [
                (Activation::None, false),
                (Activation::Relu, true),
                (Activation::LeakyRelu(0.1), false),
                (Activation::LeakyRelu(0.1), true),
            ] {
                let title = format!("{input:?} to {outputs} with {padding:?}, {activation:?}, residual: {residual}");
                let [two, four, plain] = Case { input, outputs, padding, activation, residual }.errors();
                println!("{two:.1e} {four:.1e} {plain:.1e} {title}");
                assert!(two < 1e-6 && four < 3e-6 && plain < 2e-6, "{two:e}, {four:e}, {plain:e}: {title}");
            }
        }
    }
}
