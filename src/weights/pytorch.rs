//! What `torch.save` writes: the zip form (since PyTorch 1.6) and the one before it.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::pickle::{Object, Pickle, Storage, TensorView};
use super::state_dict::{StateDict, state_dict};
use super::{Checkpoint, Tensor, WeightsError};
use crate::graph::budget::Budget;

/// `torch.serialization.MAGIC_NUMBER`, as a pickle holds it.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// A file begins with a pickle of the magic number: a few opcodes and the number.
const LEGACY_MAGIC_WITHIN: usize = 32;
/// How many times longer than the file an entry of a compressed archive may be. Weights hardly shrink, their names do.
const MAX_EXPANSION: usize = 4;
/// What every entry may have.
const MIN_ENTRY: usize = 1 << 20;

fn damaged(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged { format: "PyTorch", reason: reason.into() }
}

/// Whether `bytes` begin like a file of `torch.save` before the zip form.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LEGACY_MAGIC_WITHIN)];
    head.windows(LEGACY_MAGIC.len()).any(|window| window == LEGACY_MAGIC)
}

/// The zip form: `name/data.pkl`, a file `name/data/KEY` a storage, and `name/byteorder`.
pub(super) fn read_zip(bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    // The directory lies where its record says. Looked for, it can be found in the wrong place: torch.save's entries are as
    // long as the records behind it when the file's name has 21 letters.
    let config = zip::read::Config { archive_offset: zip::read::ArchiveOffset::Known(0) };
    let archive = ZipArchive::with_config(config, Cursor::new(bytes));
    let mut archive = archive.map_err(|error| damaged(error.to_string()))?;
    let names = archive.file_names().filter_map(Result::ok);
    let folder = names.filter_map(|name| Some(name.strip_suffix("data.pkl")?.to_owned())).min_by_key(String::len);
    let folder = folder.ok_or_else(|| no_pickle(&archive))?;
    let limit = bytes.len().saturating_mul(MAX_EXPANSION).max(MIN_ENTRY);
    let pickle = entry(&mut archive, &format!("{folder}data.pkl"), limit)?;
    let byteorder = format!("{folder}byteorder");
    let big_endian =
        archive.index_for_name(&byteorder).is_some() && entry(&mut archive, &byteorder, limit)?.trim_ascii() == b"big";
    let pickle = Pickle::read(&pickle)?;
    let StateDict { mut tensors, words } = state_dict(&pickle)?;
    // Tensors of one storage are read together, so that no storage is kept.
    tensors.sort_by_key(|(_, view)| view.storage.key);
    let mut loader = Loader::new(bytes.len(), big_endian, words);
    for group in tensors.chunk_by(|(_, a), (_, b)| a.storage.key == b.storage.key) {
        let Some((_, first)) = group.first() else { continue };
        let stored = entry(&mut archive, &format!("{folder}data/{}", first.storage.key), limit)?;
        for (name, view) in group {
            loader.load(name, view, &stored)?;
        }
    }
    Ok(loader.checkpoint)
}

/// What a zip archive is that torch.save did not write.
fn no_pickle(archive: &ZipArchive<Cursor<&[u8]>>) -> WeightsError {
    const EXPORTED: [&str; 3] = ["archive_format", "models/", "serialized_exported_program"];
    let is_exported = |name: std::borrow::Cow<'_, str>| EXPORTED.iter().any(|part| name.contains(part));
    if archive.file_names().filter_map(Result::ok).any(is_exported) {
        return WeightsError::Unsupported(
            "this is a program that torch.export wrote (.pt2); save its weights, \
             torch.save(exported.state_dict, path), or write the network as ONNX"
                .into(),
        );
    }
    WeightsError::UnknownFormat("this is a zip archive without the data.pkl of a PyTorch file".into())
}

/// The whole of one entry, of at most `limit` bytes.
fn entry(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limit: usize) -> Result<Vec<u8>, WeightsError> {
    let unreadable = |error: &dyn std::fmt::Display| damaged(format!("{name}: {error}"));
    let packed = |how: &dyn std::fmt::Display| {
        WeightsError::Unsupported(format!(
            "the archive is packed in a way that is not read ({how}); unpack it and zip it again without compression"
        ))
    };
    let file = archive.by_name(name).map_err(|error| match error {
        ZipError::UnsupportedArchive(_) => packed(&error),
        error => unreadable(&error),
    })?;
    if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(packed(&file.compression()));
    }
    let size = usize::try_from(file.size()).ok().filter(|&size| size <= limit);
    let size = size.ok_or_else(|| unreadable(&"it is far longer than the file"))?;
    let mut content = Vec::with_capacity(size);
    file.take(limit as u64).read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    Ok(content)
}

/// The older form: pickles of the magic number, the protocol, the machine, the object and the storages' keys; then for each
/// key the number of its elements (i64) and its bytes.
pub(super) fn read_legacy(bytes: &[u8]) -> Result<Checkpoint, WeightsError> {
    let mut rest = bytes;
    let mut next = || {
        let pickle = Pickle::read(rest)?;
        rest = rest.get(pickle.length..).unwrap_or_default();
        Ok::<_, WeightsError>(pickle)
    };
    let (_magic, _protocol, machine, object, keys) = (next()?, next()?, next()?, next()?, next()?);
    let little_endian = machine.entries(machine.root()).find(|(key, _)| *key == "little_endian");
    let big_endian = matches!(little_endian, Some((_, Object::Bool(false))));

    let mut storages: HashMap<&str, &[u8]> = HashMap::new();
    let Object::List(list) = keys.root() else { return Err(damaged("the list of storages is missing")) };
    for &key in list {
        let Object::Text(key) = keys.get(key) else { return Err(damaged("a storage without a name")) };
        let element = object.storages.get(key).ok_or_else(|| damaged(format!("no tensor has the storage {key}")))?;
        let (count, after) = rest.split_first_chunk::<8>().ok_or_else(|| damaged("it ends before its numbers"))?;
        let count = if big_endian { i64::from_be_bytes(*count) } else { i64::from_le_bytes(*count) };
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(element.size()));
        let split = length.and_then(|length| after.split_at_checked(length));
        let (stored, after) = split.ok_or_else(|| damaged(format!("it ends within the storage {key}")))?;
        storages.insert(key, stored);
        rest = after;
    }
    let StateDict { tensors, words } = state_dict(&object)?;
    let mut loader = Loader::new(bytes.len(), big_endian, words);
    for (name, view) in tensors {
        let key = view.storage.key;
        let stored = storages.get(key).ok_or_else(|| damaged(format!("the storage {key} is missing")))?;
        loader.load(&name, view, stored)?;
    }
    Ok(loader.checkpoint)
}

/// Decodes tensors out of storages.
struct Loader {
    checkpoint: Checkpoint,
    big_endian: bool,
    /// Tensors may share a storage, so a small file could otherwise ask for any number.
    budget: Budget,
}

impl Loader {
    fn new(file_length: usize, big_endian: bool, words: Vec<String>) -> Self {
        Self {
            checkpoint: Checkpoint { words, ..Checkpoint::default() },
            big_endian,
            budget: Budget::stored(file_length),
        }
    }

    /// Adds the tensor that `view` shows of the bytes of its storage; integers are left out.
    fn load(&mut self, name: &str, view: &TensorView<'_>, stored: &[u8]) -> Result<(), WeightsError> {
        let Storage { element, start, .. } = view.storage;
        if let super::element::Element::Integer(_) = element {
            return Ok(());
        }
        let outside = || damaged(format!("tensor `{name}` reaches beyond its storage"));
        let count = view.shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)).ok_or_else(outside)?;
        let mut values = Vec::new();
        if count > 0 {
            // The elements from the first to the last that the view shows.
            let span = view
                .shape
                .iter()
                .zip(&view.strides)
                .try_fold(1_usize, |span, (&size, &stride)| span.checked_add((size - 1).checked_mul(stride)?));
            let span = span.ok_or_else(outside)?;
            let bytes = |elements: usize| elements.checked_mul(element.size());
            let from = start.checked_add(view.offset).and_then(bytes);
            let (from, length) = from.zip(bytes(span)).ok_or_else(outside)?;
            let window = from.checked_add(length).and_then(|to| stored.get(from..to)).ok_or_else(outside)?;
            self.budget.spend(count.max(span)).map_err(|error| error.of(format!("tensor `{name}`")))?;
            values = gather(element.decode(window, self.big_endian), view, count);
        }
        self.checkpoint.tensors.insert(name.to_owned(), Tensor { shape: view.shape.clone(), values });
        Ok(())
    }
}

/// The `count` elements of a view in row-major order, from the elements that it spans.
fn gather(spanned: Vec<f32>, view: &TensorView<'_>, count: usize) -> Vec<f32> {
    let mut contiguous = 1;
    let is_contiguous = view.shape.iter().zip(&view.strides).rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == contiguous;
        contiguous *= size;
        fits
    });
    if is_contiguous {
        return spanned;
    }
    let mut index = vec![0; view.shape.len()];
    let mut at = 0;
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        values.push(spanned[at]);
        for axis in (0..index.len()).rev() {
            if index[axis] + 1 < view.shape[axis] {
                index[axis] += 1;
                at += view.strides[axis];
                break;
            }
            at -= view.strides[axis] * index[axis];
            index[axis] = 0;
        }
    }
    values
}
