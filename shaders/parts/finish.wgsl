
// What becomes of four channels at the end of a step: 0 nothing, 1 ReLU, 2 sigmoid, 3 PReLU with these slopes.
fn finish(value: vec4<f32>, activation: u32, slope: vec4<f32>) -> vec4<f32> {
    switch activation {
        // By comparison, so that a NaN stays one.
        case 1u: {
            return select(value, vec4<f32>(), value < vec4<f32>());
        }
        case 2u: {
            return 1.0 / (1.0 + exp(-value));
        }
        case 3u: {
            return select(value, value * slope, value < vec4<f32>());
        }
        default: {
            return value;
        }
    }
}
