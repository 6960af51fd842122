//! The number formats of stored tensors.

use half::{bf16, f16};

/// What one element of a stored tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    /// An integer or a bool of so many bytes: never a weight.
    Integer(usize),
}

impl Element {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Integer(size) => size,
        }
    }

    /// Every element of `bytes` as f32; integers give nothing. An f64 beyond f32's range becomes infinite.
    pub fn decode(self, bytes: &[u8], big_endian: bool) -> Vec<f32> {
        match self {
            Self::F16 => map(bytes, big_endian, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => map(bytes, big_endian, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F32 => map(bytes, big_endian, f32::from_le_bytes),
            Self::F64 => map(bytes, big_endian, |b| f64::from_le_bytes(b) as f32),
            Self::Integer(_) => Vec::new(),
        }
    }

    /// Every integer of `bytes`, the lowest byte first; one of a byte has no sign. Floats give nothing.
    pub fn integers(self, bytes: &[u8]) -> Vec<i64> {
        match self {
            Self::Integer(8) => bytes.as_chunks().0.iter().map(|&number| i64::from_le_bytes(number)).collect(),
            Self::Integer(4) => bytes.as_chunks().0.iter().map(|&number| i32::from_le_bytes(number).into()).collect(),
            Self::Integer(1) => bytes.iter().map(|&number| number.into()).collect(),
            _ => Vec::new(),
        }
    }
}

fn map<const N: usize>(bytes: &[u8], big_endian: bool, read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let elements = bytes.as_chunks::<N>().0.iter();
    let ordered = elements.map(|&element| {
        let mut element = element;
        if big_endian {
            element.reverse();
        }
        element
    });
    ordered.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_decodes_in_either_byte_order() {
        // 1.5 in each format, from its IEEE bits.
        for (element, bits) in [
            (Element::F16, &[0x3e, 0x00][..]),
            (Element::Bf16, &[0x3f, 0xc0]),
            (Element::F32, &[0x3f, 0xc0, 0, 0]),
            (Element::F64, &[0x3f, 0xf8, 0, 0, 0, 0, 0, 0]),
        ] {
            let little: Vec<u8> = bits.iter().rev().copied().collect();
            assert_eq!(element.decode(bits, true), [1.5], "{element:?}");
            assert_eq!(element.decode(&little, false), [1.5], "{element:?}");
            assert_eq!(element.size(), bits.len());
        }
    }
}
