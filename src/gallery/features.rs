//! The features of a gallery's photos, all of one model.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ::safetensors::tensor::{Dtype, TensorView};
use ::safetensors::{SafeTensorError, serialize};
use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

use super::{GalleryError, PhotoId};
use crate::weights::{Precision, in_order};

/// The model that features are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its [`Fingerprint`](crate::weights::Fingerprint), as that is written.
    pub fingerprint: String,
    /// The values of a feature.
    pub dim: usize,
}

/// Features as the model gives them, not normalised, by photo.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FeatureStore {
    pub model: Model,
    /// Whose feature each row is.
    photos: Vec<PhotoId>,
    rows: HashMap<PhotoId, usize>,
    values: Values,
}

/// Row after row.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    /// Half the memory; similarities move by less than 0.001.
    F16(Vec<f16>),
}

impl FeatureStore {
    pub fn new(model: Model, precision: Precision) -> Self {
        let values = match precision {
            Precision::F32 => Values::F32(Vec::new()),
            Precision::F16 => Values::F16(Vec::new()),
        };
        Self { model, photos: Vec::new(), rows: HashMap::new(), values }
    }

    pub fn precision(&self) -> Precision {
        match self.values {
            Values::F32(_) => Precision::F32,
            Values::F16(_) => Precision::F16,
        }
    }

    /// Refuses what is no feature of this model; `name` tells the user whose it is.
    pub fn check(&self, name: &str, feature: &[f32]) -> Result<(), GalleryError> {
        if feature.len() != self.model.dim {
            return Err(GalleryError::Dimension { expected: self.model.dim, found: feature.len() });
        }
        let fits = |value: f32| match self.values {
            Values::F32(_) => value.is_finite(),
            Values::F16(_) => f16::from_f32(value).is_finite(),
        };
        if feature.iter().all(|&value| fits(value)) { Ok(()) } else { Err(GalleryError::NotANumber(name.to_owned())) }
    }

    /// Keeps a feature that was checked; one that there was is replaced.
    pub fn set(&mut self, photo: PhotoId, feature: &[f32]) {
        let dim = self.model.dim;
        if let Some(&row) = self.rows.get(&photo) {
            match &mut self.values {
                Values::F32(values) => values[row * dim..][..dim].copy_from_slice(feature),
                Values::F16(values) => values[row * dim..][..dim].convert_from_f32_slice(feature),
            }
            return;
        }
        self.rows.insert(photo, self.photos.len());
        self.photos.push(photo);
        match &mut self.values {
            Values::F32(values) => values.extend_from_slice(feature),
            Values::F16(values) => values.extend(feature.iter().copied().map(f16::from_f32)),
        }
    }

    pub fn has(&self, photo: PhotoId) -> bool {
        self.rows.contains_key(&photo)
    }

    pub fn get(&self, photo: PhotoId) -> Option<Cow<'_, [f32]>> {
        let (row, dim) = (*self.rows.get(&photo)?, self.model.dim);
        Some(match &self.values {
            Values::F32(values) => Cow::Borrowed(&values[row * dim..][..dim]),
            Values::F16(values) => Cow::Owned(values[row * dim..][..dim].to_f32_vec()),
        })
    }

    /// The features of these photos, which all have one: `[photos.len(), dim]`.
    pub fn gather(&self, photos: &[PhotoId]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(photos.len() * self.model.dim);
        photos.iter().filter_map(|&photo| self.get(photo)).for_each(|row| rows.extend_from_slice(&row));
        rows
    }

    /// Lets go of the features of all other photos.
    pub fn retain(&mut self, photos: &BTreeSet<PhotoId>) {
        if self.photos.iter().all(|photo| photos.contains(photo)) {
            return;
        }
        let kept: Vec<PhotoId> = self.photos.iter().copied().filter(|photo| photos.contains(photo)).collect();
        *self = self.of(&kept);
    }

    /// Those of some photos, in that order.
    pub fn of(&self, photos: &[PhotoId]) -> Self {
        let mut features = Self::new(self.model.clone(), self.precision());
        for &photo in photos {
            if let Some(row) = self.get(photo) {
                features.set(photo, &row);
            }
        }
        features
    }

    /// The photos in the order of their rows.
    pub fn photos(&self) -> &[PhotoId] {
        &self.photos
    }

    /// A safetensors file of `features` `[photos, dim]`, in their precision, and `photos` `[photos]`, u32, whose they are.
    pub fn to_safetensors(&self, metadata: HashMap<String, String>) -> Result<Vec<u8>, GalleryError> {
        let numbers: Vec<u8> = self.photos.iter().flat_map(|photo| photo.0.to_le_bytes()).collect();
        let values = self.to_le_bytes();
        let dtype = match self.precision() {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        };
        let unwritable = |error: SafeTensorError| GalleryError::Unwritable(error.to_string());
        let features = TensorView::new(dtype, vec![self.photos.len(), self.model.dim], &values).map_err(unwritable)?;
        let numbers = TensorView::new(Dtype::U32, vec![self.photos.len()], &numbers).map_err(unwritable)?;
        serialize([("features", features), ("photos", numbers)], Some(metadata)).map(in_order).map_err(unwritable)
    }

    /// All rows as little-endian bytes in their precision.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match &self.values {
            Values::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::F16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(precision: Precision) -> FeatureStore {
        FeatureStore::new(Model { fingerprint: "m".into(), dim: 2 }, precision)
    }

    #[test]
    fn features_are_kept_replaced_and_let_go() {
        for precision in [Precision::F32, Precision::F16] {
            let mut features = store(precision);
            features.set(PhotoId(4), &[1.0, 0.5]);
            features.set(PhotoId(2), &[0.25, 2.0]);
            features.set(PhotoId(4), &[3.0, 4.0]);
            assert_eq!(features.get(PhotoId(4)).expect("kept").as_ref(), [3.0, 4.0]);
            assert_eq!(features.gather(&[PhotoId(2), PhotoId(4)]), [0.25, 2.0, 3.0, 4.0]);
            features.retain(&[PhotoId(2)].into());
            assert_eq!((features.has(PhotoId(4)), features.photos()), (false, &[PhotoId(2)][..]));
            assert_eq!(features.get(PhotoId(2)).expect("kept").as_ref(), [0.25, 2.0]);
            assert_eq!(features.precision(), precision);
        }
    }

    #[test]
    fn what_is_no_feature_is_refused() {
        let check = |precision, feature: &[f32]| store(precision).check("a.jpg", feature).map_err(|error| error.code());
        assert_eq!(check(Precision::F32, &[1.0]), Err("bad-input"));
        assert_eq!(check(Precision::F32, &[1.0, f32::NAN]), Err("bad-weights"));
        assert_eq!(check(Precision::F32, &[1.0, 1e9]), Ok(()));
        assert_eq!(check(Precision::F16, &[1.0, 1e9]), Err("bad-weights"), "beyond f16");
    }
}
