//! A kernel that slides over planes, as those of convolution and pooling do.

/// The sizes of both planes and of what slides; along the map's height first, then along its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the input.
    pub map: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Window {
    pub fn input_area(&self) -> usize {
        self.map[0] * self.map[1]
    }

    pub fn output_area(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Calls `run` for every row of output of which a tap of the kernel sees some pixels within the input: with the tap,
    /// the place of the first such pixel in the output and in the input, and their number. In the output they follow each
    /// other, in the input they are a stride apart. Tap by tap, row by row, so every output sees its taps in order.
    #[inline(always)]
    pub fn each_run(&self, mut run: impl FnMut(usize, usize, usize, usize)) {
        let ([height, width], [out_height, out_width]) = (self.map, self.output);
        let ([stride_y, stride_x], [padding_y, padding_x]) = (self.stride, self.padding);
        for (ky, kx) in (0..self.kernel[0]).flat_map(|ky| (0..self.kernel[1]).map(move |kx| (ky, kx))) {
            // The output's columns whose pixel x · stride + kx − padding lies within the input.
            let first = padding_x.saturating_sub(kx).div_ceil(stride_x);
            let end = (width + padding_x).saturating_sub(kx).div_ceil(stride_x).min(out_width);
            for y in 0..out_height {
                let from = y * stride_y + ky;
                if first < end && (padding_y..height + padding_y).contains(&from) {
                    let pixel = (from - padding_y) * width + first * stride_x + kx - padding_x;
                    run(ky * self.kernel[1] + kx, y * out_width + first, pixel, end - first);
                }
            }
        }
    }
}
