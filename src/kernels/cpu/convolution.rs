//! 2-D convolution on the CPU, forward and backward: matrix products for pointwise and general ones, loops over planes
//! for depthwise ones. Maps are `[batch, channels, height, width]`, weights `[outputs, inputs / groups, kh, kw]`.

use gemm::Parallelism;
use pulp::Arch;

use super::{depthwise::Padded, parallel, window::Window};

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

    fn window(&self) -> Window {
        Window { map: self.map, output: self.output(), kernel: self.kernel, stride: self.stride, padding: self.padding }
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
    let (area, out_area) = (sizes.window().input_area(), sizes.window().output_area());
    let (inputs, outputs) = sizes.group();
    let depth = inputs * sizes.taps();
    let mut out = vec![0.0; sizes.batch * sizes.outputs * out_area];
    let (image_in, image_out) = (sizes.inputs * area, sizes.outputs * out_area);
    let image = |n: usize| &x[n * image_in..][..image_in];
    if sizes.is_pointwise() {
        parallel::for_each_chunk(&mut out, image_out, |n, out| {
            multiply([outputs, area, inputs], Matrix::rows(weight, inputs), Matrix::rows(image(n), area), out, 0.0);
        });
    } else if sizes.is_depthwise() {
        let padded = || Padded::new(sizes.kernel, sizes.padding, sizes.map, sizes.output());
        parallel::for_each_chunk_with(&mut out, image_out, padded, |padded, n, out| {
            let planes = out.chunks_exact_mut(out_area).zip(image(n).chunks_exact(area));
            for ((out, plane), weight) in planes.zip(weight.chunks_exact(depth)) {
                padded.correlate(plane, weight.iter().copied(), out);
            }
        });
    } else {
        parallel::for_each_chunk_with(
            &mut out,
            image_out,
            || Columns::new(&sizes),
            |columns, n, out| {
                let groups = out.chunks_exact_mut(outputs * out_area).zip(image(n).chunks_exact(inputs * area));
                for ((out, x), weight) in groups.zip(weight.chunks_exact(outputs * depth)) {
                    columns.gather(x);
                    let columns = Matrix::rows(&columns.values, out_area);
                    multiply([outputs, out_area, depth], Matrix::rows(weight, depth), columns, out, 0.0);
                }
            },
        );
    }
    out
}

/// The gradient by the input, `[batch, inputs, h, w]`, given that by the output.
pub fn gradient_x(sizes: Sizes, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    let (area, out_area) = (sizes.window().input_area(), sizes.window().output_area());
    let (inputs, outputs) = sizes.group();
    let depth = inputs * sizes.taps();
    let mut out = vec![0.0; sizes.batch * sizes.inputs * area];
    let (image_in, image_out) = (sizes.inputs * area, sizes.outputs * out_area);
    let image = |n: usize| &grad[n * image_out..][..image_out];
    if sizes.is_pointwise() {
        parallel::for_each_chunk(&mut out, image_in, |n, out| {
            multiply([inputs, area, outputs], Matrix::columns(weight, inputs), Matrix::rows(image(n), area), out, 0.0);
        });
    } else if sizes.is_depthwise() {
        // The other way round: the kernel turned, the border as wide as the kernel lets it be.
        let border = std::array::from_fn(|i| sizes.kernel[i] - 1 - sizes.padding[i]);
        let padded = || Padded::new(sizes.kernel, border, sizes.output(), sizes.map);
        parallel::for_each_chunk_with(&mut out, image_in, padded, |padded, n, out| {
            let planes = out.chunks_exact_mut(area).zip(image(n).chunks_exact(out_area));
            for ((out, plane), weight) in planes.zip(weight.chunks_exact(depth)) {
                padded.correlate(plane, weight.iter().rev().copied(), out);
            }
        });
    } else {
        parallel::for_each_chunk_with(
            &mut out,
            image_in,
            || Columns::new(&sizes),
            |columns, n, out| {
                let groups = out.chunks_exact_mut(inputs * area).zip(image(n).chunks_exact(outputs * out_area));
                for ((out, grad), weight) in groups.zip(weight.chunks_exact(outputs * depth)) {
                    let (weight, grad) = (Matrix::columns(weight, depth), Matrix::rows(grad, out_area));
                    multiply([depth, out_area, outputs], weight, grad, &mut columns.values, 0.0);
                    columns.scatter(out);
                }
            },
        );
    }
    out
}

/// The gradient by the weight, `[outputs, inputs / groups, kh, kw]`, given that by the output.
pub fn gradient_weight(sizes: Sizes, grad: &[f32], x: &[f32]) -> Vec<f32> {
    let (area, out_area) = (sizes.window().input_area(), sizes.window().output_area());
    let (inputs, outputs) = sizes.group();
    let depth = inputs * sizes.taps();
    let (image_in, image_out) = (sizes.inputs * area, sizes.outputs * out_area);
    let image = |n: usize| (&x[n * image_in..][..image_in], &grad[n * image_out..][..image_out]);
    let length = sizes.outputs * depth;
    if sizes.is_pointwise() {
        parallel::sum(
            sizes.batch,
            length,
            || (),
            |(), n, sum| {
                let (x, grad) = image(n);
                multiply([outputs, inputs, area], Matrix::rows(grad, area), Matrix::columns(x, area), sum, 1.0);
            },
        )
    } else if sizes.is_depthwise() {
        let padded = || Padded::new(sizes.kernel, sizes.padding, sizes.map, sizes.output());
        parallel::sum(sizes.batch, length, padded, |padded, n, sum| {
            let (x, grad) = image(n);
            let planes = x.chunks_exact(area).zip(grad.chunks_exact(out_area));
            for ((plane, grad), sum) in planes.zip(sum.chunks_exact_mut(depth)) {
                padded.products(plane, grad, sum);
            }
        })
    } else {
        parallel::sum(
            sizes.batch,
            length,
            || Columns::new(&sizes),
            |columns, n, sum| {
                let (x, grad) = image(n);
                let groups = x.chunks_exact(inputs * area).zip(grad.chunks_exact(outputs * out_area));
                for ((x, grad), sum) in groups.zip(sum.chunks_exact_mut(outputs * depth)) {
                    columns.gather(x);
                    let columns = Matrix::columns(&columns.values, out_area);
                    multiply([outputs, depth, out_area], Matrix::rows(grad, out_area), columns, sum, 1.0);
                }
            },
        )
    }
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
struct Columns {
    window: Window,
    values: Vec<f32>,
}

impl Columns {
    fn new(sizes: &Sizes) -> Self {
        let window = sizes.window();
        Self { window, values: vec![0.0; sizes.group().0 * sizes.taps() * window.output_area()] }
    }

    /// What lies outside the input stays 0, as [`Columns::new`] made it.
    fn gather(&mut self, x: &[f32]) {
        let (window, values) = (self.window, &mut self.values);
        let channels = values.chunks_exact_mut(window.taps() * window.output_area());
        Arch::new().dispatch(|| {
            for (values, x) in channels.zip(x.chunks_exact(window.input_area())) {
                window.each_run(|tap, place, pixel, count| {
                    let run = &mut values[tap * window.output_area() + place..][..count];
                    gather_run(run, &x[pixel..], window.stride[1]);
                });
            }
        });
    }

    fn scatter(&self, out: &mut [f32]) {
        let (window, values) = (self.window, &self.values);
        let channels = values.chunks_exact(window.taps() * window.output_area());
        for (values, out) in channels.zip(out.chunks_exact_mut(window.input_area())) {
            window.each_run(|tap, place, pixel, count| {
                let out = out[pixel..].iter_mut().step_by(window.stride[1]);
                values[tap * window.output_area() + place..][..count]
                    .iter()
                    .zip(out)
                    .for_each(|(value, out)| *out += *value);
            });
        }
    }
}

/// Every `stride`-th value of `x`. Written out for a stride of 2, the stems', in a form that vector units can do.
#[inline(always)]
fn gather_run(run: &mut [f32], x: &[f32], stride: usize) {
    if stride == 2 {
        let pairs = x.as_chunks::<2>().0;
        let paired = run.len().min(pairs.len());
        for (value, [x, _]) in run[..paired].iter_mut().zip(pairs) {
            *value = *x;
        }
        // The very last value of a map has no other beside it.
        run[paired..].iter_mut().zip(&x[2 * paired..]).for_each(|(value, x)| *value = *x);
    } else {
        run.iter_mut().zip(x.iter().step_by(stride)).for_each(|(value, x)| *value = *x);
    }
}
