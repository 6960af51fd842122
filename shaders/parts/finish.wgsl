
// What becomes of four channels at the end of a step: 0 nothing, 1 ReLU, 2 sigmoid, 3 PReLU with the slopes p, and with the
// parameters p.x and p.y 4 ELU, 5 SiLU, 6 GELU by tanh, 7 GELU, 8 hard sigmoid, 9 hard swish, 10 clip, 11 tanh, 12 Mish,
// 13 softplus, 14 the exponential function.
fn finish(value: vec4<f32>, activation: u32, p: vec4<f32>) -> vec4<f32> {
    switch activation {
        // By comparison, so that a NaN stays one.
        case 1u: {
            return select(value, vec4<f32>(), value < vec4<f32>());
        }
        case 2u: {
            return 1.0 / (1.0 + exp(-value));
        }
        case 3u: {
            return select(value, value * p, value < vec4<f32>());
        }
        case 4u: {
            return select(value, p.x * (exp(value) - 1.0), value < vec4<f32>());
        }
        case 5u: {
            return value / (1.0 + exp(-p.x * value));
        }
        case 6u: {
            return value / (1.0 + exp(-1.5957691 * (value + 0.044715 * value * value * value)));
        }
        case 7u: {
            // The error function after Abramowitz and Stegun, 7.1.26.
            let z = abs(value) * 0.70710678;
            let t = 1.0 / (1.0 + 0.3275911 * z);
            let sum = ((((1.0614054 * t - 1.453152) * t + 1.4214137) * t - 0.28449674) * t + 0.2548296) * t;
            let rest = 0.5 * sum * exp(-z * z);
            return value * select(1.0 - rest, rest, value < vec4<f32>());
        }
        case 8u: {
            return within(0.0, 1.0, value * p.x + p.y);
        }
        case 9u: {
            return value * within(0.0, 1.0, value * p.x + p.y);
        }
        case 10u: {
            return within(p.x, p.y, value);
        }
        case 11u: {
            return 1.0 - 2.0 / (exp(2.0 * select(value, vec4(20.0), value > vec4(20.0))) + 1.0);
        }
        case 12u: {
            let e = exp(select(value, vec4(20.0), value > vec4(20.0)));
            let n = e * (e + 2.0);
            return value * (n / (n + 2.0));
        }
        case 13u: {
            return select(value, vec4<f32>(), value < vec4<f32>()) + log(1.0 + exp(-abs(value)));
        }
        case 14u: {
            return exp(value);
        }
        default: {
            return value;
        }
    }
}

fn within(least: f32, most: f32, value: vec4<f32>) -> vec4<f32> {
    let raised = select(value, vec4(least), value < vec4(least));
    return select(raised, vec4(most), raised > vec4(most));
}
