//! OSNet's aggregation gate: streams added up, each scaled channel by channel with what two small layers make of its mean.
//!
//! Buffers: four streams (the first again where there are fewer), the scales that [`gate_scales`](super::gate_scales)
//! makes, out. More than four streams are added up in several launches.

use super::gate_scales::{STREAMS, scales, step};
use super::{Stored, words};
use crate::kernels::simd::{multiply_add, vectorised};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::Gate;

pub const KERNEL: Kernel = Kernel { name: "gate", wgsl: wgsl!("frozen/gate") };

/// With `accumulate` they are added to what `out` has.
pub fn dispatch(batch: usize, streams: usize, accumulate: bool, gate: &Gate, map: Stored) -> Dispatch {
    assert!(streams <= STREAMS, "a launch takes {STREAMS} streams");
    let size = map.area() * map.vecs();
    let mut params = words([batch * size, size, map.vecs(), streams, step(gate, map)]);
    params.push(u32::from(accumulate));
    Dispatch::threads(params, batch * size)
}

/// A gate packed for the twin.
#[derive(Clone, Debug)]
pub struct Packed {
    gate: Gate,
    map: Stored,
}

impl Packed {
    pub fn new(gate: &Gate, map: Stored) -> Self {
        Self { gate: gate.clone(), map }
    }

    /// One image. `scratch` will hold the scales.
    pub fn run(&self, streams: &[&[f32]], scratch: &mut Vec<f32>, out: &mut [f32]) {
        let pitch = self.map.pitch;
        scales(&self.gate, self.map, streams, scratch);
        let scales = &*scratch;
        vectorised(
            #[inline(always)]
            || match *streams {
                // OSNet's four in one pass.
                [a, b, c, d] => {
                    let [wa, wb, wc, wd] = [0, 1, 2, 3].map(|stream| &scales[stream * pitch..][..pitch]);
                    let pixels = [a, b, c, d].map(|stream| stream.chunks_exact(pitch));
                    let [a, b, c, d] = pixels;
                    for ((((out, a), b), c), d) in out.chunks_exact_mut(pitch).zip(a).zip(b).zip(c).zip(d) {
                        for i in 0..pitch {
                            let sum = multiply_add(wb[i], b[i], wa[i] * a[i]);
                            out[i] = multiply_add(wd[i], d[i], multiply_add(wc[i], c[i], sum));
                        }
                    }
                }
                _ => {
                    out.fill(0.0);
                    for (stream, scale) in streams.iter().zip(scales.chunks_exact(pitch)) {
                        for (out, pixel) in out.chunks_exact_mut(pitch).zip(stream.chunks_exact(pitch)) {
                            for ((out, value), scale) in out.iter_mut().zip(pixel).zip(scale) {
                                *out = multiply_add(*value, *scale, *out);
                            }
                        }
                    }
                }
            },
        );
    }
}
