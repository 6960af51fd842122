//! One channel's convolution with a kernel of its own: the inner loops of depthwise convolution.

use pulp::Arch;

/// So many values are worked on at once; what is done for the surplus is thrown away.
const LANES: usize = 16;

/// A plane with a border of zeros. Every tap of a kernel then reads the same plane, shifted by a constant, and a
/// convolution is a loop over one long row, whatever the width; the border's columns come out as garbage. The widths at
/// which networks use 3×3 kernels have loops of their own over rows, without garbage and without a copy of the result.
pub struct Padded {
    kernel: [usize; 2],
    border: [usize; 2],
    /// Of the plane inside.
    map: [usize; 2],
    output: [usize; 2],
    /// Of a row with its border.
    width: usize,
    /// Of the loop: all of the output's rows with their garbage, in whole lanes.
    length: usize,
    values: Vec<f32>,
    /// What the loop makes, or the other factor of [`Padded::products`].
    long: Vec<f32>,
}

impl Padded {
    /// For planes of this height and width and outputs of those.
    pub fn new(kernel: [usize; 2], border: [usize; 2], map: [usize; 2], output: [usize; 2]) -> Self {
        let width = map[1] + 2 * border[1];
        let length = (output[0] * width).next_multiple_of(LANES);
        // The last tap reads so far beyond the loop's place.
        let reach = (kernel[0] - 1) * width + kernel[1] - 1;
        let values = vec![0.0; length + reach];
        Self { kernel, border, map, output, width, length, values, long: vec![0.0; length] }
    }

    /// The plane under a kernel: `out[p] = Σ weight[t] · plane[p + t]`.
    pub fn correlate(&mut self, plane: &[f32], weight: impl Iterator<Item = f32>, out: &mut [f32]) {
        self.fill(plane);
        let mut weight = weight;
        let nine = self.kernel == [3; 2];
        let mut weights = [0.0; 9];
        if nine {
            weights.iter_mut().zip(&mut weight).for_each(|(to, from)| *to = from);
        }
        let arch = Arch::new();
        match self.common_width() {
            Some(16) => return arch.dispatch(|| correlate_rows::<16>(&self.values, &weights, out)),
            Some(32) => return arch.dispatch(|| correlate_rows::<32>(&self.values, &weights, out)),
            _ => {}
        }
        let shifts = self.shifts();
        let (values, result) = (&self.values, &mut self.long);
        if nine {
            let mut taps = [(0, 0.0); 9];
            taps.iter_mut().zip(shifts.zip(weights)).for_each(|(to, tap)| *to = tap);
            arch.dispatch(|| correlate_nine(values, taps, result));
        } else {
            result.fill(0.0);
            for (shift, weight) in shifts.zip(weight) {
                let row = values[shift..].iter();
                result.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        copy_rows(&self.long, self.width, out, self.output[1], self.output[1]);
    }

    /// Adds to `sums`, for each tap, the sum of `grad` · the plane under that tap.
    pub fn products(&mut self, plane: &[f32], grad: &[f32], sums: &mut [f32]) {
        self.fill(plane);
        let arch = Arch::new();
        let values = &self.values;
        let nine = match self.common_width() {
            Some(4) => Some(arch.dispatch(|| products_of_rows::<4, 4>(values, grad))),
            Some(8) => Some(arch.dispatch(|| products_of_rows::<8, 8>(values, grad))),
            Some(16) => Some(arch.dispatch(|| products_of_rows::<16, 8>(values, grad))),
            Some(32) => Some(arch.dispatch(|| products_of_rows::<32, 8>(values, grad))),
            _ => None,
        };
        if let Some(nine) = nine {
            sums.iter_mut().zip(nine).for_each(|(sum, product)| *sum += product);
            return;
        }
        self.long.fill(0.0);
        copy_rows(grad, self.output[1], &mut self.long, self.width, self.output[1]);
        arch.dispatch(|| {
            for (sum, shift) in sums.iter_mut().zip(self.shifts()) {
                *sum += dot(&self.long, &self.values[shift..][..self.length]);
            }
        });
    }

    fn fill(&mut self, plane: &[f32]) {
        let start = self.border[0] * self.width + self.border[1];
        copy_rows(plane, self.map[1], &mut self.values[start..], self.width, self.map[1]);
    }

    /// The width, where the kernel is 3×3 and the output as large as the map.
    fn common_width(&self) -> Option<usize> {
        (self.kernel == [3; 2] && self.border == [1; 2]).then_some(self.map[1])
    }

    /// How far each tap is from the first.
    fn shifts(&self) -> impl Iterator<Item = usize> + use<> {
        let ([rows, columns], width) = (self.kernel, self.width);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| y * width + x))
    }
}

/// Copies rows of `width` that lie `from_step` apart to where they lie `to_step` apart. A call for every short row would
/// take longer than the copy; of a width that the compiler knows it makes a few moves.
fn copy_rows(from: &[f32], from_step: usize, to: &mut [f32], to_step: usize, width: usize) {
    #[inline(always)]
    fn copy(from: &[f32], from_step: usize, to: &mut [f32], to_step: usize, width: usize) {
        for (from, to) in from.chunks(from_step).zip(to.chunks_mut(to_step)) {
            to[..width].copy_from_slice(&from[..width]);
        }
    }
    match width {
        4 => copy(from, from_step, to, to_step, 4),
        8 => copy(from, from_step, to, to_step, 8),
        16 => copy(from, from_step, to, to_step, 16),
        32 => copy(from, from_step, to, to_step, 32),
        _ => copy(from, from_step, to, to_step, width),
    }
}

/// [`Padded::correlate`] of a 3×3 kernel, row by row.
#[inline(always)]
fn correlate_rows<const WIDTH: usize>(values: &[f32], weight: &[f32; 9], out: &mut [f32]) {
    for (y, out) in out.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        let rows = &values[y * (WIDTH + 2)..][..3 * (WIDTH + 2)];
        for (x, out) in out.iter_mut().enumerate() {
            let mut sum = 0.0;
            for (tap, weight) in weight.iter().enumerate() {
                sum += weight * rows[tap / 3 * (WIDTH + 2) + tap % 3 + x];
            }
            *out = sum;
        }
    }
}

/// [`Padded::products`] of a 3×3 kernel: all taps in one pass, each with partial sums of its own.
#[inline(always)]
fn products_of_rows<const WIDTH: usize, const LANES: usize>(values: &[f32], grad: &[f32]) -> [f32; 9] {
    let mut sums = [[0.0; LANES]; 9];
    for (y, grad) in grad.as_chunks::<WIDTH>().0.iter().enumerate() {
        let rows = &values[y * (WIDTH + 2)..][..3 * (WIDTH + 2)];
        for (at, grad) in grad.as_chunks::<LANES>().0.iter().enumerate() {
            for (tap, sum) in sums.iter_mut().enumerate() {
                let row = &rows[tap / 3 * (WIDTH + 2) + tap % 3 + at * LANES..][..LANES];
                for lane in 0..LANES {
                    sum[lane] += grad[lane] * row[lane];
                }
            }
        }
    }
    sums.map(|sum| sum.iter().sum())
}

/// [`Padded::correlate`] of a 3×3 kernel over the long row.
#[inline(always)]
fn correlate_nine(values: &[f32], taps: [(usize, f32); 9], result: &mut [f32]) {
    let rows = taps.map(|(shift, _)| values[shift..][..result.len()].as_chunks::<LANES>().0);
    for (i, result) in result.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut sum = [0.0; LANES];
        for (row, (_, weight)) in rows.iter().zip(taps) {
            let row = &row[i];
            for lane in 0..LANES {
                sum[lane] += weight * row[lane];
            }
        }
        *result = sum;
    }
}

/// The sum of products of two slices whose length is a multiple of [`LANES`].
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}
