//! 2-D convolution on the CPU, forward and backward: matrix products for pointwise and general ones, loops over planes
//! for depthwise ones. Maps are `[batch, channels, height, width]`, weights `[outputs, inputs / groups, kh, kw]`.

use gemm::Parallelism;

use super::depthwise::Padded;
use super::fields::{self, Fields, taps_outside};
use super::window::Window;
use crate::kernels::parallel;

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

    /// How many images a thread takes at a time.
    fn together(&self) -> usize {
        // Not so many that threads are left without.
        Fields::images(&self.window(), self.group().0).min(self.batch.div_ceil(8)).max(1)
    }

    fn fields(&self) -> Fields {
        let (inputs, outputs) = self.group();
        Fields::new(self.window(), inputs, outputs)
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
        let weight = taps_outside(weight, inputs, sizes.taps());
        let together = sizes.together();
        parallel::for_each_chunk_with(
            &mut out,
            together * image_out,
            || sizes.fields(),
            |fields, chunk, out| {
                let tiles = fields.tiles(out.len() / image_out);
                for (group, weight) in weight.chunks_exact(outputs * depth).enumerate() {
                    let image = |n| &image(chunk * together + n)[group * inputs * area..][..inputs * area];
                    for tile in &tiles {
                        fields.gather(tile, image);
                        let Fields { values, pixels, .. } = &mut *fields;
                        let count = fields::count(tile);
                        let columns = Matrix::columns(values, depth);
                        multiply([outputs, count, depth], Matrix::rows(weight, depth), columns, pixels, 0.0);
                        fields::each_run(tile, outputs, |place, output, segment| {
                            let plane = segment.image * image_out + (group * outputs + output) * out_area;
                            out[plane + segment.start..][..segment.count]
                                .copy_from_slice(&pixels[place..][..segment.count]);
                        });
                    }
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
        let weight = taps_outside(weight, inputs, sizes.taps());
        let together = sizes.together();
        parallel::for_each_chunk_with(
            &mut out,
            together * image_in,
            || sizes.fields(),
            |fields, chunk, out| {
                let tiles = fields.tiles(out.len() / image_in);
                for (group, weight) in weight.chunks_exact(outputs * depth).enumerate() {
                    let image = |n| &image(chunk * together + n)[group * outputs * out_area..][..outputs * out_area];
                    let mut rest = &mut *out;
                    for tile in &tiles {
                        fields.take(tile, outputs, image);
                        let Fields { values, pixels, .. } = &mut *fields;
                        let count = fields::count(tile);
                        let grad = Matrix::columns(pixels, count);
                        multiply([count, depth, outputs], grad, Matrix::rows(weight, depth), values, 0.0);
                        fields.scatter(tile, |_| {
                            let image = rest.split_off_mut(..image_in).unwrap_or_default();
                            &mut image[group * inputs * area..][..inputs * area]
                        });
                    }
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
        let together = sizes.together();
        let sum = parallel::sum(
            sizes.batch.div_ceil(together),
            length,
            || sizes.fields(),
            |fields, chunk, sum| {
                let first = chunk * together;
                let tiles = fields.tiles(together.min(sizes.batch - first));
                for (group, sum) in sum.chunks_exact_mut(outputs * depth).enumerate() {
                    for tile in &tiles {
                        fields.gather(tile, |n| &image(first + n).0[group * inputs * area..][..inputs * area]);
                        fields.take(tile, outputs, |n| {
                            &image(first + n).1[group * outputs * out_area..][..outputs * out_area]
                        });
                        let count = fields::count(tile);
                        let (grad, values) = (Matrix::rows(&fields.pixels, count), Matrix::rows(&fields.values, depth));
                        multiply([outputs, depth, count], grad, values, sum, 1.0);
                    }
                }
            },
        );
        // The taps inside again.
        taps_outside(&sum, sizes.taps(), inputs)
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
