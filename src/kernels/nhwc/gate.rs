//! OSNet's aggregation gate: streams added up, each scaled channel by channel with what two small layers make of its mean.

use super::global_pool::mean;
use super::simd::{multiply_add, vectorised};
use super::{Stored, sigmoid};
use crate::graph::frozen::Gate;

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

    /// One image. `scales` is scratch.
    pub fn run(&self, streams: &[&[f32]], scales: &mut Vec<f32>, out: &mut [f32]) {
        let pitch = self.map.pitch;
        scales.clear();
        scales.resize(streams.len() * pitch, 0.0);
        for (stream, scale) in streams.iter().zip(scales.chunks_exact_mut(pitch)) {
            mean(stream, self.map, scale);
            self.layers(scale);
        }
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

    /// From a mean to a scale.
    fn layers(&self, values: &mut [f32]) {
        let Gate { fc1, bias1, fc2, bias2 } = &self.gate;
        let (channels, hidden) = (bias2.len(), bias1.len());
        let dot = |weights: &[f32], values: &[f32]| weights.iter().zip(values).map(|(w, v)| w * v).sum::<f32>();
        let layer = |row: &[f32], bias: &f32| (dot(row, values) + bias).max(0.0);
        let middle: Vec<f32> = fc1.chunks_exact(channels).zip(bias1).map(|(row, bias)| layer(row, bias)).collect();
        for ((value, row), bias) in values.iter_mut().zip(fc2.chunks_exact(hidden)).zip(bias2) {
            *value = sigmoid(dot(row, &middle) + bias);
        }
    }
}
