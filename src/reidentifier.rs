//! The short way: from a model's file and pictures to how alike they are.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::{ReadImageError, read_image};
use crate::extract::{DeviceChoice, ExtractError, Extractor, normalise};
use crate::image::{Rgba, Rows};
use crate::weights::{self, InputOptions, ModelFileError, Recognised};

/// Images that go through the network together.
const BATCH: usize = 16;

/// Why there is no model, no feature, or no comparison: what was wrong, with which file, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Model(#[from] ModelFileError),
    #[error("{}: {source}", path.display())]
    Image { path: PathBuf, source: ReadImageError },
    /// The device fails or there is none, the file does not make up a model, or an image has no pixels.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(
        "these features are of two models (fingerprints {first} and {second}) and cannot be compared; extract both with one"
    )]
    OtherModel { first: String, second: String },
}

/// A re-identification model on a device.
#[derive(Debug)]
pub struct ReIdentifier {
    extractor: Extractor,
    words: Vec<String>,
}

impl ReIdentifier {
    /// Reads a model from its file and puts it on the device: a checkpoint of any project that is known ([`weights`]), an ONNX
    /// file, the `.xml` of an OpenVINO model or the `model.json` of a TensorFlow.js model. Nothing in a file is run.
    ///
    /// # Errors
    /// [`Error::Model`] when the file cannot be read or holds no model that is known, [`Error::Extract`] when there is no such
    /// device or it fails.
    pub async fn open(path: impl AsRef<Path>, device: DeviceChoice) -> Result<Self, Error> {
        Self::on(weights::read_file(path.as_ref(), &InputOptions::default())?, device).await
    }

    /// The model that comes along: small, weak on cameras that it does not know, and for research and teaching only.
    ///
    /// # Errors
    /// [`Error::Extract`] when there is no such device or it fails.
    #[cfg(feature = "bundled")]
    pub async fn bundled(device: DeviceChoice) -> Result<Self, Error> {
        let path = || weights::BUNDLED.into();
        let model = weights::bundled().map_err(|source| ModelFileError::Weights { path: path(), source })?;
        Self::on(model, device).await
    }

    /// A model that was read before: from bytes ([`weights::read`]), or with what you say of its images
    /// ([`weights::read_with`]).
    ///
    /// # Errors
    /// [`Error::Extract`] when there is no such device or it fails, or the tensors do not make up the model.
    pub async fn on(mut model: Recognised, device: DeviceChoice) -> Result<Self, Error> {
        let words = model.words();
        Ok(Self { extractor: Extractor::take(&mut model, device).await?, words })
    }

    /// What whoever uses the features has to know of the model: what its file does not say and was assumed, and what of it was
    /// left out. A sentence each.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The model's config and fingerprint, its device, and the features before they are brought to length 1.
    pub fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// The features of images in memory, in their order. Each shows one person, upright and cropped close; of any size.
    ///
    /// # Errors
    /// [`Error::Extract`] when an image has no pixels, the device fails, or the model gives no numbers.
    pub async fn extract<I: Rows>(&self, images: &[I]) -> Result<Vec<Feature>, Error> {
        let mut features = Vec::with_capacity(images.len());
        for batch in images.chunks(BATCH) {
            let fitted = batch.iter().map(|image| self.extractor.fitted(image));
            let fitted: Vec<Rgba> = fitted.collect::<Result<_, _>>().map_err(ExtractError::from)?;
            self.add(&mut features, &fitted).await?;
        }
        Ok(features)
    }

    /// The features of PNG, JPEG, WebP and BMP files, in their order, as [`ReIdentifier::extract`]. They are decoded on every
    /// core, and only a few at a time are in memory.
    ///
    /// # Errors
    /// [`Error::Image`] for the first file that is no picture or cannot be read; as [`ReIdentifier::extract`].
    pub async fn extract_files<P: AsRef<Path> + Sync>(&self, files: &[P]) -> Result<Vec<Feature>, Error> {
        let read = |file: &P| {
            let path = file.as_ref();
            let image = read_image(path).map_err(|source| Error::Image { path: path.into(), source })?;
            Ok(self.extractor.fitted(&image).map_err(ExtractError::from)?)
        };
        let mut features = Vec::with_capacity(files.len());
        for batch in files.chunks(BATCH) {
            let fitted: Vec<Result<Rgba, Error>> = batch.par_iter().map(read).collect();
            self.add(&mut features, &fitted.into_iter().collect::<Result<Vec<_>, _>>()?).await?;
        }
        Ok(features)
    }

    async fn add(&self, features: &mut Vec<Feature>, fitted: &[Rgba]) -> Result<(), Error> {
        let extracted = self.extractor.extract(fitted).await.map_err(|error| match error {
            ExtractError::NotANumber(place) => ExtractError::NotANumber(features.len() + place),
            error => error,
        })?;
        let fingerprint = self.extractor.fingerprint().to_string();
        features.extend(extracted.into_iter().map(|mut values| {
            normalise(&mut values);
            Feature { values, fingerprint: fingerprint.clone() }
        }));
        Ok(())
    }
}

/// What the network makes of one image of a person: a direction in space. Alike people point alike. Keep it as carefully as a
/// photo: under many laws it is biometric data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// `features_dim` values, of length 1 together.
    pub values: Vec<f32>,
    /// The model's, in 32 hexadecimal digits: features of two models say nothing of each other.
    pub fingerprint: String,
}

impl Feature {
    /// Cosine of the angle between two features, −1…1: the higher, the more alike. Not a probability. A feature of zeros is like
    /// nothing: 0.
    ///
    /// # Errors
    /// [`Error::OtherModel`] for features of two models.
    pub fn similarity(&self, other: &Self) -> Result<f32, Error> {
        if (&self.fingerprint, self.values.len()) != (&other.fingerprint, other.values.len()) {
            let (first, second) = (self.fingerprint.clone(), other.fingerprint.clone());
            return Err(Error::OtherModel { first, second });
        }
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let length = (product(&self.values, &self.values) * product(&other.values, &other.values)).sqrt();
        let cosine = if length > 0.0 { product(&self.values, &other.values) / length } else { 0.0 };
        Ok(cosine.clamp(-1.0, 1.0) as f32)
    }
}
