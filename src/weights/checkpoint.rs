//! A checkpoint as it lies in a file: named tensors, before anyone knows whose they are.

use std::collections::BTreeMap;

use super::{WeightsError, is_onnx, is_openvino, is_tfjs, pytorch, safetensors};
use crate::tensor::Tensor;

/// The float tensors of a file by their names, and what the file says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    pub tensors: BTreeMap<String, Tensor>,
    pub metadata: BTreeMap<String, String>,
    /// What else the file holds that could have been meant, a sentence each.
    pub words: Vec<String>,
}

/// What `nn.DataParallel` and `torch.compile` put before every name.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];
/// The most of them that are taken off: a name of nothing else would keep us busy.
const MOST_WRAPPERS: usize = 8;

impl Checkpoint {
    /// Reads a safetensors file or what `torch.save` wrote, the zip form as well as the older one; the first bytes decide.
    ///
    /// f16, bf16 and f64 become f32; integer tensors (`num_batches_tracked`) are left out. Of a PyTorch file only the state
    /// dict is read, bare or wherever training scripts put it (`state_dict`, `model`, `net` …); or, where a whole module was
    /// saved, the tensors in it by their names. A prefix `module.` of every name is dropped.
    pub fn read(bytes: &[u8]) -> Result<Self, WeightsError> {
        let mut checkpoint = match bytes {
            [] => return Err(WeightsError::Empty),
            [b'P', b'K', 3, 4, ..] => pytorch::read_zip(bytes)?,
            [0x80, ..] if pytorch::is_legacy(bytes) => pytorch::read_legacy(bytes)?,
            [_, _, _, _, _, _, _, _, b'{', ..] => safetensors::read(bytes)?,
            _ if is_openvino(bytes) => {
                return Err(WeightsError::Unsupported(
                    "this .xml describes an OpenVINO model, whose numbers lie in a .bin file of the same name; give both"
                        .into(),
                ));
            }
            _ if is_tfjs(bytes) => {
                let shards = super::tfjs_shards(bytes)?;
                return Err(WeightsError::Unsupported(format!(
                    "this .json describes a TensorFlow.js model, whose numbers lie in {}; give both",
                    super::error::list(&shards)
                )));
            }
            _ if is_onnx(bytes) => {
                return Err(WeightsError::Unsupported(
                    "this is an ONNX file, which holds a whole network and not tensors alone".into(),
                ));
            }
            _ => return Err(unknown(bytes)),
        };
        if checkpoint.tensors.is_empty() {
            return Err(WeightsError::NoTensors("save the model's state_dict()".into()));
        }
        for _ in 0..MOST_WRAPPERS {
            let is_everywhere = |wrapper: &&str| checkpoint.tensors.keys().all(|name| name.starts_with(wrapper));
            let Some(wrapper) = WRAPPERS.into_iter().find(is_everywhere) else { break };
            let tensors = std::mem::take(&mut checkpoint.tensors).into_iter();
            checkpoint.tensors = tensors.map(|(name, tensor)| (name[wrapper.len()..].to_owned(), tensor)).collect();
        }
        Ok(checkpoint)
    }
}

/// The files that people give by mistake.
fn unknown(bytes: &[u8]) -> WeightsError {
    let starts = |prefix: &str| {
        let start = bytes.get(..prefix.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(prefix.as_bytes())
    };
    if bytes.get(257..262) == Some(b"ustar") {
        return WeightsError::Unsupported(
            "this is a tar file, the form that PyTorch wrote before 0.1.10; load it there and torch.save it again"
                .into(),
        );
    }
    let what = if starts("<!doctype") || starts("<html") {
        "this is a web page: the address gave a page and not the file"
    } else if starts("version https://git-lfs") {
        "this is a Git LFS pointer: the weights themselves were not downloaded (git lfs pull)"
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        "this file is gzip-compressed; unpack it first"
    } else if bytes.starts_with(&[0x80]) {
        "this is a Python pickle that torch.save did not write"
    } else {
        "this is no checkpoint"
    };
    WeightsError::UnknownFormat(what.into())
}
