//! What a user says of a model's input.

use serde::{Deserialize, Serialize};

use super::images::Range;
use super::{Recognised, WeightsError};
use crate::kernels::frozen::preprocess::Filter;
use crate::model::{BackboneConfig, ChannelOrder, IMAGE, InputConfig};
use crate::step::Fit;
use crate::words::words;

/// What a user says of the input of a model, where its file does not tell it or tells it wrong. What is left out stays as the
/// file has it, or as it is taken for granted.
///
/// Order and range are those of the images that the file's network takes, before any step of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct InputOptions {
    /// The order of the colours.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "ChannelOrder | undefined"))]
    pub order: Option<ChannelOrder>,
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "PixelRange | undefined"))]
    pub range: Option<PixelRange>,
    /// What images are resized to, in pixels, 16…4096. A network that takes one size only refuses another.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub height: Option<usize>,
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "number | undefined"))]
    pub width: Option<usize>,
    /// How images are resized: `bilinear` or `bicubic` as in Pillow, or `linear` as in OpenCV.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "Filter | undefined"))]
    pub filter: Option<Filter>,
    /// What becomes of images of other proportions: they take the network's, or keep their own with a colour around them.
    #[cfg_attr(target_arch = "wasm32", tsify(optional, type = "Fit | undefined"))]
    pub fit: Option<Fit>,
}

/// The numbers that pixels come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub enum PixelRange {
    #[serde(rename = "0-1")]
    Unit,
    #[serde(rename = "0-255")]
    Bytes,
    /// 0–1, less ImageNet's mean and divided by its standard deviation.
    #[serde(rename = "imagenet")]
    ImageNet,
}

impl PixelRange {
    /// What is taken from pixels of 0–1 and what they are divided by then, for each channel in this order.
    pub(super) fn mean_and_std(self, order: ChannelOrder) -> [[f32; 3]; 2] {
        let InputConfig { mean, std, .. } = InputConfig::default();
        let mut both = match self {
            Self::Unit => [[0.0; 3], [1.0; 3]],
            Self::Bytes => [[0.0; 3], [1.0 / 255.0; 3]],
            Self::ImageNet => [mean, std],
        };
        if order == ChannelOrder::Bgr {
            both.iter_mut().for_each(|values| values.reverse());
        }
        both
    }
}

words! {
    PixelRange: "0-1" => Unit, "0-255" => Bytes, "imagenet" => ImageNet;
    /// A word that names no range of pixels.
    UnknownRange, "'{0}' is no range of pixels; choose 0-1, 0-255 or imagenet"
}

impl InputOptions {
    /// Refuses a size that no network has.
    pub(super) fn check(&self) -> Result<(), WeightsError> {
        for (what, size) in [("height", self.height), ("width", self.width)] {
            if let Some(size) = size.filter(|size| !IMAGE.contains(size)) {
                let (least, most) = IMAGE.into_inner();
                return Err(WeightsError::Input(format!(
                    "the input's {what} cannot be {size}; {least} to {most} pixels it can"
                )));
            }
        }
        Ok(())
    }

    /// The network's height and width, where its file has these, or leaves them open: then `usual`.
    pub(super) fn size(&self, file: [Option<usize>; 2], usual: [usize; 2]) -> Result<[usize; 2], WeightsError> {
        self.check()?;
        let differs =
            |said: Option<usize>, file: Option<usize>| said.zip(file).is_some_and(|(said, file)| said != file);
        if differs(self.height, file[0]) || differs(self.width, file[1]) {
            let side = |size: Option<usize>| size.map_or("any".into(), |size| size.to_string());
            return Err(WeightsError::Input(format!(
                "the file's network takes images of {}×{} pixels (height × width) and no others; leave the size away, \
                 or export the model for another",
                side(file[0]),
                side(file[1])
            )));
        }
        Ok([0, 1].map(|side| [self.height, self.width][side].or(file[side]).unwrap_or(usual[side])))
    }

    /// The word for a size that neither the file nor the user says.
    pub(super) fn size_assumed(&self, file: [Option<usize>; 2], [height, width]: [usize; 2]) -> Option<String> {
        let open = (file[0].is_none() && self.height.is_none()) || (file[1].is_none() && self.width.is_none());
        open.then(|| {
            format!(
                "The file leaves the size of the images open: {height}×{width} (height × width) is taken for granted."
            )
        })
    }
}

impl Recognised {
    /// The model with another input than its file, a checkpoint, states. What is said wins over the file; where they differ
    /// [`Recognised::words`] tells it.
    ///
    /// # Errors
    /// [`WeightsError::Input`] for a size that this network cannot have.
    pub fn with_input(mut self, said: &InputOptions) -> Result<Self, WeightsError> {
        if *said == InputOptions::default() {
            return Ok(self);
        }
        let input = &mut self.config.input;
        let size = match self.config.backbone {
            // Its layers may depend on the size.
            BackboneConfig::Imported(_) | BackboneConfig::Vit(_) => {
                said.size([Some(input.height), Some(input.width)], [input.height, input.width])?
            }
            _ => {
                said.check()?;
                [said.height.unwrap_or(input.height), said.width.unwrap_or(input.width)]
            }
        };
        [input.height, input.width] = size;
        input.filter = said.filter.unwrap_or(input.filter);
        input.fit = said.fit.unwrap_or(input.fit);
        let before = described(input);
        let order = said.order.unwrap_or(input.order);
        if order != input.order {
            // The numbers are the colours'.
            input.mean.reverse();
            input.std.reverse();
            input.order = order;
        }
        if let Some(range) = said.range {
            [input.mean, input.std] = range.mean_and_std(order);
        }
        let after = described(input);
        let graph = self.config.graph()?;
        let fits = graph.shapes(size[0], size[1]);
        fits.map_err(|_| WeightsError::Input(format!("{}×{} pixels are too few for this network", size[0], size[1])))?;
        if (said.order.is_some() || said.range.is_some()) && before != after {
            self.assumed.push(format!("The file's own input is {before}; it is given {after}, as was said."));
        }
        self.summary += &format!(" As was said, its input is {after}, {}×{}.", size[0], size[1]);
        Ok(self)
    }
}

/// `RGB of 0 to 255`
pub(super) fn described(input: &InputConfig) -> String {
    let order = order_name(input.order);
    let known = [PixelRange::Unit, PixelRange::Bytes, PixelRange::ImageNet].into_iter();
    let near = |range: &PixelRange| {
        let close =
            |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * b.abs().max(1e-3));
        let [mean, std] = range.mean_and_std(input.order);
        close(&input.mean, &mean) && close(&input.std, &std)
    };
    match known.into_iter().find(near) {
        Some(range) => format!("{order} {}", Range::from(range)),
        None => format!("{order} less {:?} and divided by {:?}", input.mean, input.std),
    }
}

pub(super) fn order_name(order: ChannelOrder) -> &'static str {
    match order {
        ChannelOrder::Rgb => "RGB",
        ChannelOrder::Bgr => "BGR",
    }
}
