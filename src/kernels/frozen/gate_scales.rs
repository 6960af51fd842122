//! What an aggregation gate scales its streams with: of each stream the mean of every channel, and what two small layers
//! make of it.
//!
//! Buffers: four streams (the first again where there are fewer), the layers, and the scales
//! `[n, streams, pitch + hidden]`, with room for the hidden layer behind each stream's.

use super::global_pool::mean;
use super::{Stored, VEC, conv, lanes, padded, sigmoid, words};
use crate::kernels::{Dispatch, Kernel, shader::wgsl};
use crate::step::Gate;

pub const KERNEL: Kernel = Kernel { name: "gate_scales", wgsl: wgsl!("frozen/gate_scales") };

/// Streams of a launch: with the other buffers as many as WebGPU lets every shader bind.
pub const STREAMS: usize = 4;

/// `vec4`s of the hidden layer.
fn hidden(gate: &Gate) -> usize {
    gate.bias1.len().div_ceil(VEC)
}

/// `vec4`s from one stream's scales to the next's.
pub fn step(gate: &Gate, map: Stored) -> usize {
    map.vecs() + hidden(gate)
}

/// Both layers, weights before biases.
pub fn weights(gate: &Gate, pitch: usize) -> Vec<f32> {
    let Gate { fc1, bias1, fc2, bias2 } = gate;
    let inner = hidden(gate) * VEC;
    let layer = |weight: &[f32], bias: &[f32], inputs: (usize, usize), outputs: usize| {
        let packed = conv::packed(weight, 1, inputs, (bias.len(), outputs), 1);
        [packed, padded(bias, outputs)].concat()
    };
    [layer(fc1, bias1, (bias2.len(), pitch), inner), layer(fc2, bias2, (bias1.len(), inner), pitch)].concat()
}

pub fn dispatch(batch: usize, streams: usize, gate: &Gate, map: Stored) -> Dispatch {
    assert!(streams <= STREAMS, "a launch takes {STREAMS} streams");
    let params = words([batch, streams, map.area(), map.vecs(), hidden(gate), lanes(map.vecs())]);
    Dispatch::new(params, batch * streams)
}

/// The twin: the scales of one image, `[streams, pitch]`.
pub fn scales(gate: &Gate, map: Stored, streams: &[&[f32]], scales: &mut Vec<f32>) {
    scales.clear();
    scales.resize(streams.len() * map.pitch, 0.0);
    for (stream, scale) in streams.iter().zip(scales.chunks_exact_mut(map.pitch)) {
        mean(stream, map, scale);
        layers(gate, scale);
    }
}

/// From a mean to a scale.
fn layers(gate: &Gate, values: &mut [f32]) {
    let Gate { fc1, bias1, fc2, bias2 } = gate;
    let (channels, hidden) = (bias2.len(), bias1.len());
    let dot = |weights: &[f32], values: &[f32]| weights.iter().zip(values).map(|(w, v)| w * v).sum::<f32>();
    let layer = |row: &[f32], bias: &f32| (dot(row, values) + bias).max(0.0);
    let middle: Vec<f32> = fc1.chunks_exact(channels).zip(bias1).map(|(row, bias)| layer(row, bias)).collect();
    for ((value, row), bias) in values.iter_mut().zip(fc2.chunks_exact(hidden)).zip(bias2) {
        *value = sigmoid(dot(row, &middle) + bias);
    }
}
