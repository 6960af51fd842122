//! What the steps of a frozen network compute, as plain loops in f64.

use webreid::graph::frozen::{Frozen, Step};
use webreid::step::{
    Activation, Affine, Attention, Combine, Convolution, Gate, GeluForm, Map, Operation, Part, Pool, Reduce,
    ResizeFilter, ResizeRule, Weighting,
};

/// A value of one image, channels last, without padding.
type Values = Vec<f64>;

/// The outputs for images `[n, channels, height, width]`, as the runners give them.
pub fn run(frozen: &Frozen, images: &[f32]) -> Vec<Vec<f64>> {
    let from = frozen.values[0];
    let mut outputs = vec![Vec::new(); frozen.outputs.len()];
    for image in images.chunks_exact(from.area() * from.channels) {
        let place = |i: usize| f64::from(image[i % from.channels * from.area() + i / from.channels]);
        let mut values: Vec<Values> = vec![Vec::new(); frozen.values.len()];
        values[0] = (0..image.len()).map(place).collect();
        for step in &frozen.steps {
            let inputs: Vec<(Map, &[f64])> =
                step.inputs.iter().map(|&id| (frozen.values[id], &values[id][..])).collect();
            let to = frozen.values[step.output];
            let made = self::step(step, &inputs, to);
            assert_eq!(made.len(), to.area() * to.channels, "{:?}", step.operation);
            values[step.output] = made;
        }
        outputs.iter_mut().zip(&frozen.outputs).for_each(|(output, &id)| output.extend(&values[id]));
    }
    outputs
}

fn step(step: &Step, inputs: &[(Map, &[f64])], to: Map) -> Values {
    let (from, x) = inputs[0];
    let finish = |values: Values, affine: Option<&Affine>, activation: &Activation| -> Values {
        let channel = |i: usize| i % to.channels;
        let scaled = values.into_iter().enumerate().map(|(i, value)| match affine {
            Some(Affine { scale, shift }) => value * f64::from(scale[channel(i)]) + f64::from(shift[channel(i)]),
            None => value,
        });
        scaled.enumerate().map(|(i, value)| activated(activation, channel(i), value)).collect()
    };
    match &step.operation {
        Operation::Convolution(c) => {
            let mut sums = convolution(c, from, x, to);
            if let Some((_, residual)) = inputs.get(1) {
                sums.iter_mut().zip(*residual).for_each(|(sum, value)| *sum += value);
            }
            finish(sums, None, &c.activation)
        }
        Operation::Depthwise(c) => {
            // As groups of one channel, whose weights lie the other way.
            let taps = c.kernel[0] * c.kernel[1];
            let weight = (0..to.channels * taps).map(|i| c.weight[i % taps * to.channels + i / taps]).collect();
            let c = Convolution { weight, groups: to.channels, ..c.clone() };
            finish(convolution(&c, from, x, to), None, &c.activation)
        }
        Operation::Gate(gate) => {
            let mut sums = vec![0.0; x.len()];
            for (_, stream) in inputs {
                let scales = gate_scales(gate, to, stream);
                for (i, (sum, value)) in sums.iter_mut().zip(*stream).enumerate() {
                    *sum += value * scales[i % to.channels];
                }
            }
            sums
        }
        Operation::Pool { maximum, window } => pool(*maximum, window, from, x, to),
        Operation::GlobalPool { reduce, affine, activation } => {
            let pooled = (0..from.channels).map(|channel| {
                let values = x.iter().skip(channel).step_by(from.channels).copied();
                let area = from.area() as f64;
                match *reduce {
                    Reduce::Mean => values.sum::<f64>() / area,
                    Reduce::Maximum => values.fold(f64::NEG_INFINITY, f64::max),
                    Reduce::Generalised { exponent, eps } => {
                        let p = f64::from(exponent);
                        (values.map(|value| value.max(eps.into()).powf(p)).sum::<f64>() / area).powf(1.0 / p)
                    }
                }
            });
            finish(pooled.collect(), affine.as_ref(), activation)
        }
        Operation::ChannelPool { maximum } => {
            let pool = |pixel: &[f64]| match maximum {
                true => pixel.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                false => pixel.iter().sum::<f64>() / pixel.len() as f64,
            };
            x.chunks_exact(from.channels).map(pool).collect()
        }
        Operation::GroupNorm { groups, eps, affine, activation } => {
            let length = from.channels / groups;
            let mut out = x.to_vec();
            for group in 0..*groups {
                let places: Vec<usize> = (0..x.len()).filter(|i| i % from.channels / length == group).collect();
                normalise(&places, *eps, &mut out);
            }
            finish(out, Some(affine), activation)
        }
        Operation::LayerNorm { eps, affine, activation } => {
            let mut out = x.to_vec();
            for pixel in 0..from.area() {
                let places: Vec<usize> = (pixel * from.channels..(pixel + 1) * from.channels).collect();
                normalise(&places, *eps, &mut out);
            }
            finish(out, Some(affine), activation)
        }
        Operation::UnitLength { eps } => {
            let length = |pixel: &[f64]| pixel.iter().map(|value| value * value).sum::<f64>().sqrt().max((*eps).into());
            let unit = |pixel: &[f64]| pixel.iter().map(|value| value / length(pixel)).collect::<Vec<_>>();
            x.chunks_exact(from.channels).flat_map(unit).collect()
        }
        Operation::Constant { combine, values } => {
            let pairs = x.iter().zip(values).map(|(x, value)| (x, f64::from(*value)));
            match combine {
                Combine::Add => pairs.map(|(x, value)| x + value).collect(),
                _ => pairs.map(|(x, value)| x * value).collect(),
            }
        }
        Operation::GatherChannels { channels } => {
            let pixel = |pixel: &'_ [f64]| channels.iter().map(|&channel| pixel[channel as usize]).collect::<Vec<_>>();
            x.chunks_exact(from.channels).flat_map(pixel).collect()
        }
        Operation::Gather { places } => {
            places.iter().flat_map(|&place| &x[place as usize * from.channels..][..from.channels]).copied().collect()
        }
        Operation::JoinPlaces { parts } => {
            let mut inputs = inputs.iter();
            let part = |part: &Part| match part {
                Part::Input => inputs.next().unwrap().1.to_vec(),
                Part::Constant(values) => values.iter().map(|&value| value.into()).collect(),
            };
            parts.iter().flat_map(part).collect()
        }
        Operation::Transpose => (0..x.len()).map(|i| x[i % to.channels * from.channels + i / to.channels]).collect(),
        Operation::Resize { filter, rule } => resize(*filter, *rule, from, x, to),
        Operation::Attention(a) => attention(a, inputs, to),
        Operation::Elementwise { combine, affine, activation } => {
            let second = |i: usize| inputs[1].1[i];
            let value = |i: usize| match combine {
                Combine::One => x[i],
                Combine::Add => x[i] + second(i),
                Combine::Subtract => x[i] - second(i),
                Combine::Place => x[i] * second(i / to.channels),
                Combine::Multiply => x[i] * second(i),
                Combine::Scale => x[i] * second(i % to.channels),
            };
            finish((0..x.len()).map(value).collect(), affine.as_ref(), activation)
        }
        Operation::Slice { start } => {
            x.chunks_exact(from.channels).flat_map(|pixel| &pixel[*start..][..to.channels]).copied().collect()
        }
        Operation::Concatenate => {
            let pixel = |i: usize| inputs.iter().flat_map(move |(map, x)| &x[i * map.channels..][..map.channels]);
            (0..to.area()).flat_map(pixel).copied().collect()
        }
    }
}

fn normalise(places: &[usize], eps: f32, x: &mut [f64]) {
    let count = places.len() as f64;
    let mean = places.iter().map(|&i| x[i]).sum::<f64>() / count;
    let variance = places.iter().map(|&i| (x[i] - mean).powi(2)).sum::<f64>() / count;
    places.iter().for_each(|&i| x[i] = (x[i] - mean) / (variance + f64::from(eps)).sqrt());
}

fn resize(filter: ResizeFilter, rule: ResizeRule, from: Map, x: &[f64], to: Map) -> Values {
    // The two places and the share of the second.
    let along = |place: usize, from: usize, to: usize| -> [(usize, f64); 2] {
        let scale = from as f64 / to as f64;
        let at = match rule {
            ResizeRule::HalfPixel => (place as f64 + 0.5) * scale - 0.5,
            ResizeRule::AlignCorners if to == 1 => 0.0,
            ResizeRule::AlignCorners => place as f64 * (from as f64 - 1.0) / (to as f64 - 1.0),
            ResizeRule::Asymmetric => place as f64 * scale,
        };
        let at = at.clamp(0.0, from as f64 - 1.0);
        let share = at - at.floor();
        let nearest = if rule == ResizeRule::Asymmetric { 0.0 } else { f64::from(u8::from(share > 0.5 + 1e-9)) };
        let share = if filter == ResizeFilter::Nearest { nearest } else { share };
        [(at as usize, 1.0 - share), ((at as usize + 1).min(from - 1), share)]
    };
    let mut out = Vec::new();
    for (y, x_) in pixels(to) {
        for channel in 0..to.channels {
            let mut sum = 0.0;
            for (row, down) in along(y, from.height, to.height) {
                for (column, across) in along(x_, from.width, to.width) {
                    sum += down * across * x[(row * from.width + column) * from.channels + channel];
                }
            }
            out.push(sum);
        }
    }
    out
}

fn attention(a: &Attention, inputs: &[(Map, &[f64])], to: Map) -> Values {
    let [queries, keys] = [0, 1].map(|i| inputs[i].0.area() / a.windows);
    let size = to.channels / a.heads;
    let mut out = vec![0.0; to.area() * to.channels];
    for (window, head, query) in
        (0..a.windows).flat_map(|w| (0..a.heads).flat_map(move |h| (0..queries).map(move |q| (w, h, q))))
    {
        let values = |input: usize, place: usize| {
            let (map, x) = inputs[input];
            &x[place * map.channels + a.starts[input] + head * size..][..size]
        };
        let q = values(0, window * queries + query);
        let mut weights: Vec<f64> = (0..keys)
            .map(|key| {
                let k = values(1, window * keys + key);
                let bias = a.bias.as_ref().map_or(0.0, |bias| {
                    let table = (window * a.heads + head) % (bias.len() / (queries * keys));
                    f64::from(bias[(table * queries + query) * keys + key])
                });
                q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() * f64::from(a.scale) + bias
            })
            .collect();
        if a.weighting == Weighting::Softmax {
            let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            weights.iter_mut().for_each(|weight| *weight = (*weight - most).exp());
            let total = weights.iter().sum::<f64>();
            weights.iter_mut().for_each(|weight| *weight /= total);
        } else {
            weights.iter_mut().for_each(|weight| *weight /= keys as f64);
        }
        let to = &mut out[(window * queries + query) * to.channels + head * size..][..size];
        for (key, weight) in weights.iter().enumerate() {
            to.iter_mut().zip(values(2, window * keys + key)).for_each(|(to, value)| *to += weight * value);
        }
    }
    out
}

fn convolution(c: &Convolution, from: Map, x: &[f64], to: Map) -> Values {
    let (inputs, outputs) = (from.channels / c.groups, to.channels / c.groups);
    let mut sums = Vec::new();
    for (y, x_) in pixels(to) {
        for output in 0..to.channels {
            let mut sum = f64::from(c.bias[output]);
            for (ky, kx) in (0..c.kernel[0]).flat_map(|ky| (0..c.kernel[1]).map(move |kx| (ky, kx))) {
                let row = (y * c.stride[0] + ky * c.dilation[0]).checked_sub(c.padding.top);
                let column = (x_ * c.stride[1] + kx * c.dilation[1]).checked_sub(c.padding.left);
                let (Some(row), Some(column)) = (row, column) else { continue };
                if row >= from.height || column >= from.width {
                    continue;
                }
                for input in 0..inputs {
                    let value = x[(row * from.width + column) * from.channels + output / outputs * inputs + input];
                    let place = ((output * c.kernel[0] + ky) * c.kernel[1] + kx) * inputs + input;
                    sum += value * f64::from(c.weight[place]);
                }
            }
            sums.push(sum);
        }
    }
    sums
}

fn pool(maximum: bool, window: &Pool, from: Map, x: &[f64], to: Map) -> Values {
    let mut out = Vec::new();
    for (y, x_) in pixels(to) {
        for channel in 0..to.channels {
            let (mut largest, mut sum, mut inside, mut whole) = (f64::NEG_INFINITY, 0.0, 0, 0);
            for (ky, kx) in (0..window.kernel[0]).flat_map(|ky| (0..window.kernel[1]).map(move |kx| (ky, kx))) {
                let (row, column) = (y * window.stride[0] + ky, x_ * window.stride[1] + kx);
                let [top, bottom] = window.padding.along(0);
                let [left, right] = window.padding.along(1);
                if row >= from.height + top + bottom || column >= from.width + left + right {
                    continue;
                }
                whole += 1;
                if (top..from.height + top).contains(&row) && (left..from.width + left).contains(&column) {
                    let value = x[((row - top) * from.width + column - left) * from.channels + channel];
                    largest = largest.max(value);
                    sum += value;
                    inside += 1;
                }
            }
            let count = if window.count_padding { whole } else { inside };
            out.push(if maximum { largest } else { sum / f64::from(count) });
        }
    }
    out
}

fn pixels(map: Map) -> impl Iterator<Item = (usize, usize)> {
    (0..map.height).flat_map(move |y| (0..map.width).map(move |x| (y, x)))
}

fn gate_scales(gate: &Gate, map: Map, stream: &[f64]) -> Vec<f64> {
    let layer = |weight: &[f32], bias: &[f32], values: &[f64]| -> Vec<f64> {
        let rows = weight.chunks_exact(values.len()).zip(bias);
        rows.map(|(row, bias)| f64::from(*bias) + row.iter().zip(values).map(|(w, v)| f64::from(*w) * v).sum::<f64>())
            .collect()
    };
    let mean = |channel: usize| stream.iter().skip(channel).step_by(map.channels).sum::<f64>() / map.area() as f64;
    let means: Vec<f64> = (0..map.channels).map(mean).collect();
    let hidden: Vec<f64> = layer(&gate.fc1, &gate.bias1, &means).iter().map(|value| value.max(0.0)).collect();
    layer(&gate.fc2, &gate.bias2, &hidden).iter().map(|value| 1.0 / (1.0 + (-value).exp())).collect()
}

fn activated(activation: &Activation, channel: usize, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let leaky = |slope: f32| if x < 0.0 { x * f64::from(slope) } else { x };
    match *activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Sigmoid => sigmoid(x),
        Activation::PRelu(ref slopes) => leaky(slopes[channel]),
        Activation::LeakyRelu(slope) => leaky(slope),
        Activation::Elu(alpha) => {
            if x < 0.0 {
                f64::from(alpha) * x.exp_m1()
            } else {
                x
            }
        }
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu(GeluForm::Exact) => x * normal(x),
        Activation::Gelu(GeluForm::Tanh) => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x / 2.0 * (1.0 + inner.tanh())
        }
        Activation::Gelu(GeluForm::Quick) => x * sigmoid(1.702 * x),
        Activation::HardSigmoid { slope, offset } => (x * f64::from(slope) + f64::from(offset)).clamp(0.0, 1.0),
        Activation::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Activation::Clip { min, max } => x.clamp(min.into(), max.into()),
        Activation::Tanh => x.tanh(),
        Activation::Exp => x.exp(),
        Activation::Mish => x * x.exp().ln_1p().tanh(),
        Activation::Softplus => x.exp().ln_1p(),
    }
}

/// Φ: the normal density summed after Simpson.
fn normal(x: f64) -> f64 {
    const STEPS: i32 = 200;
    let end = x.clamp(-9.0, 9.0);
    let density = |i: i32| (-(end * f64::from(i) / f64::from(STEPS)).powi(2) / 2.0).exp();
    let weight = |i: i32| if i == 0 || i == STEPS { 1.0 } else { f64::from(2 + i % 2 * 2) };
    let sum: f64 = (0..=STEPS).map(|i| weight(i) * density(i)).sum();
    0.5 + sum * end / f64::from(3 * STEPS) / (2.0 * std::f64::consts::PI).sqrt()
}
