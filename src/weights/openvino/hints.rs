//! What an OpenVINO file says of its input beside the network: the type of the numbers, the parameters it was converted with,
//! and what an application is told to do with images first.

use roxmltree::Node;

use super::file::{Layer, child};
use crate::model::ChannelOrder;
use crate::weights::images::{Hints, Range};
use crate::weights::input::PixelRange;

/// The networks of the Open Model Zoo, which document BGR of 0…255 whatever their files hold.
const ZOO: &str = "person-reidentification-retail-";

/// Of the file's `root` and the name and layers of its network.
pub(super) fn hints(root: Node, name: &str, layers: &[Layer]) -> Hints {
    let image = layers.iter().find(|layer| layer.kind == "Parameter");
    let is_bytes = image.is_some_and(|image| image.attribute("element_type") == Some("u8"));
    let stated = is_bytes.then_some(Range::Bytes);
    if name.starts_with(ZOO) {
        return Hints { stated, range: Some(Range::Bytes), order: Some(ChannelOrder::Bgr), ..Default::default() };
    }
    let info = child(root, "rt_info");
    // Version 11 and version 10: what was given to the converter, which put it into the network, perhaps into the weights
    // of its first convolution.
    let parameters = info
        .and_then(|info| child(info, "conversion_parameters"))
        .or_else(|| child(root, "meta_data").and_then(|data| child(data, "cli_parameters")));
    if let Some(parameters) = parameters {
        let numbers = |name| value(parameters, name).map(numbers).unwrap_or_default();
        let [mean, scale] = ["mean_values", "scale_values"].map(numbers);
        let scale = if scale.is_empty() { numbers("scale") } else { scale };
        let is_told = mean.iter().any(|mean| *mean != 0.0) || scale.iter().any(|scale| *scale != 1.0);
        let is_small = mean.iter().chain(&scale).all(|number| *number <= 1.5);
        let range = is_told.then_some(if is_small { Range::Unit } else { Range::Bytes });
        let order = is(parameters, "reverse_input_channels").then_some(ChannelOrder::Bgr);
        if range.is_some() || order.is_some() {
            return Hints { stated, range, order, ..Default::default() };
        }
    }
    // OpenVINO's Model API: what the application does before the network.
    let Some(model) = info.and_then(|info| child(info, "model_info")) else {
        return Hints { stated, ..Default::default() };
    };
    let three = |name| <[f32; 3]>::try_from(value(model, name).map(numbers).unwrap_or_default()).ok();
    let (mean, scale) = (three("mean_values"), three("scale_values"));
    let range =
        (mean.is_some() || scale.is_some()).then(|| scaled(mean.unwrap_or([0.0; 3]), scale.unwrap_or([1.0; 3])));
    let range = range.flatten();
    // It turns the BGR of OpenCV round.
    let order = is(model, "reverse_input_channels").then_some(ChannelOrder::Rgb);
    Hints { stated, range, order, ..Default::default() }
}

/// What an application makes of pixels of 0…255; nothing where the numbers are none.
fn scaled(mean: [f32; 3], scale: [f32; 3]) -> Option<Range> {
    let is_good =
        mean.iter().all(|mean| mean.is_finite()) && scale.iter().all(|scale| *scale > 0.0 && scale.is_finite());
    let imagenet = PixelRange::ImageNet.mean_and_std(ChannelOrder::Rgb).map(|values| values.map(|value| 255.0 * value));
    let near = |(found, known): (&f32, &f32)| (found - known).abs() <= 0.01 * known;
    let is_imagenet = [mean, scale].iter().flatten().zip(imagenet.iter().flatten()).all(near);
    is_good.then_some(if is_imagenet { Range::Normalised } else { Range::Scaled(mean, scale) })
}

fn value<'a>(parameters: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    child(parameters, name)?.attribute("value")
}

fn is(parameters: Node, name: &str) -> bool {
    value(parameters, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// `data[123.675,116.28,103.53]`, `123.675 116.28 103.53`
fn numbers(text: &str) -> Vec<f32> {
    let inside = text.rsplit(['[', '(']).next().unwrap_or(text);
    inside.split([',', ' ', ']', ')']).filter_map(|number| number.trim().parse().ok()).collect()
}
