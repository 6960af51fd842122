//! 2-D convolution on the CPU, forward and backward: matrix products for pointwise and general ones, a loop over whole
//! planes for depthwise ones. Maps are `[batch, channels, height, width]`, weights `[outputs, inputs / groups, kh, kw]`.

use gemm::Parallelism;
use pulp::Arch;

use super::parallel;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub batch: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    pub groups: usize,
    /// Height and width of the input.
    pub map: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Sizes {
    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        std::array::from_fn(|i| (self.map[i] + 2 * self.padding[i] - self.kernel[i]) / self.stride[i] + 1)
    }

    fn input_area(&self) -> usize {
        self.map[0] * self.map[1]
    }

    fn output_area(&self) -> usize {
        self.output().into_iter().product()
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    fn group(&self) -> (usize, usize) {
        (self.inputs / self.groups, self.outputs / self.groups)
    }

    /// A matrix product over the channels, pixel by pixel.
    fn is_pointwise(&self) -> bool {
        self.taps() == 1 && self.stride == [1; 2] && self.padding == [0; 2] && self.groups == 1
    }

    /// Each channel by itself and no pixel left out: what [`Padded`] can do.
    fn is_depthwise(&self) -> bool {
        let narrow = self.padding[0] < self.kernel[0] && self.padding[1] < self.kernel[1];
        self.groups == self.inputs && self.outputs == self.inputs && self.stride == [1; 2] && narrow
    }
}

/// The output `[batch, outputs, oh, ow]`.
pub fn forward(sizes: Sizes, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (area, out_area) = (sizes.input_area(), sizes.output_area());
    let mut out = vec![0.0; sizes.batch * sizes.outputs * out_area];
    let image_in = sizes.inputs * area;
    parallel::for_each_chunk(&mut out, sizes.outputs * out_area, |n, out| {
        let x = &x[n * image_in..][..image_in];
        if sizes.is_pointwise() {
            let (m, k) = (sizes.outputs, sizes.inputs);
            multiply([m, out_area, k], Matrix::rows(weight, k), Matrix::rows(x, area), out, 0.0);
        } else if sizes.is_depthwise() {
            let mut padded = Padded::new(&sizes, sizes.padding, sizes.map, sizes.output());
            for (channel, out) in out.chunks_exact_mut(out_area).enumerate() {
                padded.fill(&x[channel * area..][..area]);
                let weight = &weight[channel * sizes.taps()..][..sizes.taps()];
                padded.correlate(weight.iter().copied(), out);
            }
        } else {
            let mut columns = Columns::new(&sizes);
            let (inputs, outputs) = sizes.group();
            let depth = inputs * sizes.taps();
            for (group, out) in out.chunks_exact_mut(outputs * out_area).enumerate() {
                columns.gather(&x[group * inputs * area..][..inputs * area]);
                let weight = &weight[group * outputs * depth..][..outputs * depth];
                let columns = Matrix::rows(&columns.values, out_area);
                multiply([outputs, out_area, depth], Matrix::rows(weight, depth), columns, out, 0.0);
            }
        }
    });
    out
}

/// The gradient by the input, `[batch, inputs, h, w]`, given that by the output.
pub fn gradient_x(sizes: Sizes, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    let (area, out_area) = (sizes.input_area(), sizes.output_area());
    let mut out = vec![0.0; sizes.batch * sizes.inputs * area];
    let image_out = sizes.outputs * out_area;
    parallel::for_each_chunk(&mut out, sizes.inputs * area, |n, out| {
        let grad = &grad[n * image_out..][..image_out];
        if sizes.is_pointwise() {
            let (m, k) = (sizes.inputs, sizes.outputs);
            multiply([m, area, k], Matrix::columns(weight, m), Matrix::rows(grad, area), out, 0.0);
        } else if sizes.is_depthwise() {
            // The other way round: the kernel turned, the border as wide as the kernel lets it be.
            let border = std::array::from_fn(|i| sizes.kernel[i] - 1 - sizes.padding[i]);
            let mut padded = Padded::new(&sizes, border, sizes.output(), sizes.map);
            for (channel, out) in out.chunks_exact_mut(area).enumerate() {
                padded.fill(&grad[channel * out_area..][..out_area]);
                let weight = &weight[channel * sizes.taps()..][..sizes.taps()];
                padded.correlate(weight.iter().rev().copied(), out);
            }
        } else {
            let mut columns = Columns::new(&sizes);
            let (inputs, outputs) = sizes.group();
            let depth = inputs * sizes.taps();
            for (group, out) in out.chunks_exact_mut(inputs * area).enumerate() {
                let weight = Matrix::columns(&weight[group * outputs * depth..][..outputs * depth], depth);
                let grad = Matrix::rows(&grad[group * outputs * out_area..][..outputs * out_area], out_area);
                multiply([depth, out_area, outputs], weight, grad, &mut columns.values, 0.0);
                columns.scatter(out);
            }
        }
    });
    out
}

/// The gradient by the weight, `[outputs, inputs / groups, kh, kw]`, given that by the output.
pub fn gradient_weight(sizes: Sizes, grad: &[f32], x: &[f32]) -> Vec<f32> {
    let (area, out_area) = (sizes.input_area(), sizes.output_area());
    let (inputs, outputs) = sizes.group();
    let depth = inputs * sizes.taps();
    parallel::sum(sizes.batch, sizes.outputs * depth, |n, sum| {
        let x = &x[n * sizes.inputs * area..][..sizes.inputs * area];
        let grad = &grad[n * sizes.outputs * out_area..][..sizes.outputs * out_area];
        if sizes.is_pointwise() {
            let x = Matrix::columns(x, area);
            multiply([outputs, inputs, area], Matrix::rows(grad, area), x, sum, 1.0);
        } else if sizes.is_depthwise() {
            let mut padded = Padded::new(&sizes, sizes.padding, sizes.map, sizes.output());
            let mut spread = vec![0.0; padded.length];
            for (channel, sum) in sum.chunks_exact_mut(depth).enumerate() {
                padded.fill(&x[channel * area..][..area]);
                padded.products(&grad[channel * out_area..][..out_area], &mut spread, sum);
            }
        } else {
            let mut columns = Columns::new(&sizes);
            for (group, sum) in sum.chunks_exact_mut(outputs * depth).enumerate() {
                columns.gather(&x[group * inputs * area..][..inputs * area]);
                let grad = Matrix::rows(&grad[group * outputs * out_area..][..outputs * out_area], out_area);
                multiply([outputs, depth, out_area], grad, Matrix::columns(&columns.values, out_area), sum, 1.0);
            }
        }
    })
}

/// A matrix as it lies in a slice: how far it is to the next row and column.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row, each of `length`.
    fn rows(values: &'a [f32], length: usize) -> Self {
        Self { values, row: length, column: 1 }
    }

    /// Column after column, each of `length`: the transpose of what lies there.
    fn columns(values: &'a [f32], length: usize) -> Self {
        Self { values, row: 1, column: length }
    }

    /// Whether rows × columns of it lie within the slice.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows == 0 || columns == 0 || (rows - 1) * self.row + (columns - 1) * self.column < self.values.len()
    }
}

/// `out` `[m, n]` = `beta` · `out` + `a` `[m, k]` · `b` `[k, n]`.
#[expect(unsafe_code, reason = "the gemm crate takes pointers and strides")]
fn multiply([m, n, k]: [usize; 3], a: Matrix, b: Matrix, out: &mut [f32], beta: f32) {
    assert!(a.holds(m, k) && b.holds(k, n) && out.len() >= m * n, "the matrices are as large as said");
    // SAFETY: the assertion above keeps every element that strides and sizes reach within the three slices, and `out`
    // overlaps neither input, being borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            beta != 0.0,
            a.values.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.values.as_ptr(),
            b.column as isize,
            b.row as isize,
            beta,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The receptive fields of one group of an image as the columns of a matrix `[inputs / groups · taps, output area]`.
struct Columns<'a> {
    sizes: &'a Sizes,
    values: Vec<f32>,
}

impl<'a> Columns<'a> {
    fn new(sizes: &'a Sizes) -> Self {
        Self { sizes, values: vec![0.0; sizes.group().0 * sizes.taps() * sizes.output_area()] }
    }

    fn gather(&mut self, x: &[f32]) {
        let (values, stride) = (&mut self.values, self.sizes.stride[1]);
        values.fill(0.0);
        each_run(self.sizes, |place, pixel, count| {
            let x = x[pixel..].iter().step_by(stride);
            values[place..][..count].iter_mut().zip(x).for_each(|(value, x)| *value = *x);
        });
    }

    fn scatter(&self, out: &mut [f32]) {
        let (values, stride) = (&self.values, self.sizes.stride[1]);
        each_run(self.sizes, |place, pixel, count| {
            let out = out[pixel..].iter_mut().step_by(stride);
            values[place..][..count].iter().zip(out).for_each(|(value, out)| *out += *value);
        });
    }
}

/// Calls `run` with the place in [`Columns::values`], the input's pixel and the number of output pixels of every row of
/// output that a tap of the kernel sees within the input.
fn each_run(sizes: &Sizes, mut run: impl FnMut(usize, usize, usize)) {
    let ([height, width], [out_height, out_width]) = (sizes.map, sizes.output());
    let ([stride_y, stride_x], [padding_y, padding_x]) = (sizes.stride, sizes.padding);
    for channel in 0..sizes.group().0 {
        for (ky, kx) in (0..sizes.kernel[0]).flat_map(|ky| (0..sizes.kernel[1]).map(move |kx| (ky, kx))) {
            let row = (channel * sizes.kernel[0] + ky) * sizes.kernel[1] + kx;
            // The output's columns whose pixel x · stride + kx − padding lies within the input.
            let first = padding_x.saturating_sub(kx).div_ceil(stride_x);
            let end = (width + padding_x).saturating_sub(kx).div_ceil(stride_x).min(out_width);
            for y in 0..out_height {
                let from = y * stride_y + ky;
                if first < end && (padding_y..height + padding_y).contains(&from) {
                    let pixel = (channel * height + from - padding_y) * width + first * stride_x + kx - padding_x;
                    run((row * out_height + y) * out_width + first, pixel, end - first);
                }
            }
        }
    }
}

/// So many values are worked on at once; what is done for the surplus is thrown away.
const LANES: usize = 16;

/// A plane with a border of zeros. Every tap of a kernel then reads the same plane, shifted by a constant, and a
/// convolution is a loop over one long row, whatever the width; the border's columns come out as garbage.
struct Padded {
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
    result: Vec<f32>,
}

impl Padded {
    fn new(sizes: &Sizes, border: [usize; 2], map: [usize; 2], output: [usize; 2]) -> Self {
        let width = map[1] + 2 * border[1];
        let length = (output[0] * width).next_multiple_of(LANES);
        // The last tap reads so far beyond the loop's place.
        let reach = (sizes.kernel[0] - 1) * width + sizes.kernel[1] - 1;
        let values = vec![0.0; length + reach];
        Self { kernel: sizes.kernel, border, map, output, width, length, values, result: vec![0.0; length] }
    }

    fn fill(&mut self, plane: &[f32]) {
        for (y, row) in plane.chunks_exact(self.map[1]).enumerate() {
            let start = (y + self.border[0]) * self.width + self.border[1];
            self.values[start..][..row.len()].copy_from_slice(row);
        }
    }

    /// How far each tap is from the first.
    fn shifts(&self) -> impl Iterator<Item = usize> + use<> {
        let ([rows, columns], width) = (self.kernel, self.width);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| y * width + x))
    }

    /// The plane under a kernel: `out[p] = Σ weight[t] · plane[p + t]`.
    fn correlate(&mut self, weight: impl Iterator<Item = f32>, out: &mut [f32]) {
        let mut taps = self.shifts().zip(weight);
        let (values, result) = (&self.values, &mut self.result);
        if let ([3, 3], Some(taps)) = (self.kernel, nine(&mut taps)) {
            Arch::new().dispatch(|| correlate_nine(values, taps, result));
        } else {
            result.fill(0.0);
            for (shift, weight) in taps {
                let row = values[shift..].iter();
                result.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        let rows = result.chunks(self.width);
        for (out, row) in out.chunks_exact_mut(self.output[1]).zip(rows) {
            out.copy_from_slice(&row[..out.len()]);
        }
    }

    /// Adds to `sums`, for each tap, the sum of `grad` · the plane under that tap. `spread` is scratch of zeros.
    fn products(&self, grad: &[f32], spread: &mut [f32], sums: &mut [f32]) {
        for (spread, row) in spread.chunks_mut(self.width).zip(grad.chunks_exact(self.output[1])) {
            spread[..row.len()].copy_from_slice(row);
        }
        Arch::new().dispatch(|| {
            for (sum, shift) in sums.iter_mut().zip(self.shifts()) {
                *sum += dot(spread, &self.values[shift..][..spread.len()]);
            }
        });
    }
}

fn nine(taps: &mut impl Iterator<Item = (usize, f32)>) -> Option<[(usize, f32); 9]> {
    let mut nine = [(0, 0.0); 9];
    for tap in &mut nine {
        *tap = taps.next()?;
    }
    Some(nine)
}

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
