//! How a map gets another size.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeFilter {
    Nearest,
    Bilinear,
}

/// Where a place of the output lies in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeRule {
    /// `(place + 1/2) · from / to − 1/2`
    HalfPixel,
    /// `place · (from − 1) / (to − 1)`
    AlignCorners,
    /// `place · from / to`
    Asymmetric,
}
