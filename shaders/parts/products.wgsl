
// Four values times rows of weights, summed as they are stored.
fn products(
    values: vec4<real>,
    first: vec4<real>,
    second: vec4<real>,
    third: vec4<real>,
    fourth: vec4<real>,
) -> vec4<f32> {
    var sum = values.x * first;
    sum = fma(vec4<real>(values.y), second, sum);
    sum = fma(vec4<real>(values.z), third, sum);
    sum = fma(vec4<real>(values.w), fourth, sum);
    return vec4<f32>(sum);
}
