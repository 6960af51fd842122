//! Every reader of files that come from somewhere, from bytes to an answer that holds together. Panics, endless loops and
//! memory beyond what the file's size explains are finds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use webreid::gallery::{Act, Answer, ContentHash, Gallery, Model, NewPhoto, Photo};
use webreid::image::decode;
use webreid::model::{PRESETS, ReIdentifierConfig, preset};
use webreid::ranking::Cameras;
use webreid::weights::{
    Checkpoint, Precision, Recognised, RecognisedDetector, Tensor, WeightsError, detector_to_safetensors,
    initial_tensors, read, read_detector, read_openvino, read_our_detector, read_tfjs, recognise, tfjs_shards, to_onnx,
    to_safetensors,
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// A reader, and what to begin with.
#[derive(Clone, Copy)]
pub struct Reader {
    pub name: &'static str,
    pub read: fn(&[u8]),
    /// Under `tests/fixtures`: a file, or all of a folder.
    fixtures: &'static [&'static str],
    /// Other first inputs.
    made: fn() -> Vec<Vec<u8>>,
}

pub const READERS: [Reader; 13] = [
    Reader { name: "pytorch", read: weights, fixtures: &["weights"], made: Vec::new },
    Reader { name: "pickle", read: pickle, fixtures: &[], made: pickles },
    Reader { name: "safetensors", read: weights, fixtures: &["losses.safetensors"], made: small_safetensors },
    Reader { name: "config", read: config, fixtures: &[], made: configs },
    Reader { name: "dialect", read: dialect, fixtures: &[], made: || vec![vec![0; 8], vec![1; 9]] },
    Reader { name: "onnx", read: weights, fixtures: &["onnx/dynamo.onnx", "onnx/torchscript.onnx"], made: Vec::new },
    Reader { name: "openvino", read: openvino, fixtures: &[], made: openvinos },
    Reader { name: "tfjs", read: tfjs, fixtures: &[], made: tfjss },
    Reader { name: "detector", read: detector, fixtures: &["detectors"], made: detectors },
    Reader { name: "jpeg", read: picture, fixtures: &["pictures/jpeg"], made: Vec::new },
    Reader { name: "png", read: picture, fixtures: &["pictures/png"], made: Vec::new },
    Reader { name: "others", read: picture, fixtures: &["pictures/webp", "pictures/bmp"], made: Vec::new },
    Reader { name: "gallery", read: gallery, fixtures: &[], made: galleries },
];

impl Reader {
    /// What fuzzing begins with: good files, and those that once were finds (`tests/fixtures/finds`).
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let fixtures = self.fixtures.iter().map(|name| (*name).to_owned()).chain([format!("finds/{}", self.name)]);
        fixtures.flat_map(|name| files(&fixture(&name))).chain((self.made)()).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = ["tests/fixtures", "../fixtures"].map(|folder| package.join(folder)).into_iter().find(|f| f.is_dir());
    folder.expect("the fixtures").join(name)
}

/// A file, or those of a folder; nothing where there is none.
fn files(path: &Path) -> Vec<Vec<u8>> {
    let Ok(folder) = fs::read_dir(path) else { return fs::read(path).into_iter().collect() };
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("readable")).collect()
}

// Memory.

/// Counts what this thread holds, and ends the process where it is more than allowed.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    /// Below 0 where it frees what other threads made.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static LIMIT: Cell<isize> = const { Cell::new(isize::MAX) };
}

fn take(bytes: isize) {
    let held = HELD.get().wrapping_add(bytes);
    HELD.set(held);
    if held > LIMIT.get() {
        let limit = LIMIT.replace(isize::MAX);
        // Not `eprintln`, of which a test harness would keep what it says until the end.
        let _ = writeln!(std::io::stderr(), "{held} bytes are asked for where {limit} are allowed");
        std::process::abort();
    }
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its interface")]
// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size() as isize);
        // SAFETY: the caller's promises are those that it needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        take(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Does something with a file of so many bytes.
///
/// # Aborts
/// When that takes more than 64 MiB and 64 times the file.
fn bounded<T>(file: usize, work: impl FnOnce() -> T) -> T {
    LIMIT.set(HELD.get() + (64 << 20) + 64 * file as isize);
    let made = work();
    LIMIT.set(isize::MAX);
    made
}

// Weights.

fn weights(input: &[u8]) {
    check(bounded(input.len(), || read(input)));
}

/// An answer is an error with words, or a model that can be written and read again.
fn check(answer: Result<Recognised, WeightsError>) {
    let model = match answer {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let Recognised { config, tensors, provenance, .. } = &model;
    assert!(tensors.values().all(|tensor| tensor.values.iter().all(|value| value.is_finite())));
    let _ = config.graph().expect("a graph").shapes(config.input.height, config.input.width);
    let _ = to_onnx(config, tensors);
    let file = to_safetensors(config, tensors, provenance, Precision::F32).expect("writable");
    let again = Checkpoint::read(&file).and_then(recognise).expect("ours");
    assert_eq!((&again.config, &again.tensors), (config, tensors));
}

/// The length of a pickle (u16), the pickle, and the bytes of every storage: as the zip that they would lie in.
fn pickle(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk::<2>() else { return };
    let (pickle, storage) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, stored).expect("writable");
        archive.write_all(content).expect("writable");
    };
    add("archive/data.pkl", pickle);
    for key in 0..STORAGES {
        add(&format!("archive/data/{key}"), storage);
    }
    weights(&archive.finish().expect("writable").into_inner());
}

const STORAGES: usize = 4;

fn pickles() -> Vec<Vec<u8>> {
    let archives = files(&fixture("weights")).into_iter().filter_map(|file| ZipArchive::new(Cursor::new(file)).ok());
    let pickles = archives.map(|mut archive| {
        let mut content = |end: &str| {
            let name = archive.file_names().filter_map(Result::ok).find(|name| name.ends_with(end));
            let name = name.expect("an entry").into_owned();
            let mut content = Vec::new();
            archive.by_name(&name).expect("an entry").read_to_end(&mut content).expect("readable");
            content
        };
        let (pickle, storage) = (content("data.pkl"), content("data/0"));
        let length = u16::try_from(pickle.len()).expect("a small pickle").to_le_bytes();
        [&length[..], &pickle, &storage].concat()
    });
    pickles.collect()
}

fn safetensors(header: &serde_json::Value, numbers: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), numbers].concat()
}

fn small_safetensors() -> Vec<Vec<u8>> {
    let header = serde_json::json!({
        "__metadata__": { "format": "pt" },
        "module.a": { "dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8] },
        "module.b": { "dtype": "BF16", "shape": [3], "data_offsets": [8, 14] },
        "module.c": { "dtype": "I64", "shape": [], "data_offsets": [14, 22] },
        "module.d": { "dtype": "F64", "shape": [0, 7], "data_offsets": [22, 22] },
    });
    let name = "module.".repeat(20_000);
    let wrapped = serde_json::json!({ name: { "dtype": "F32", "shape": [1], "data_offsets": [0, 4] } });
    vec![safetensors(&header, &[1; 22]), safetensors(&wrapped, &[0; 4])]
}

/// The JSON of a [`ReIdentifierConfig`]: in a file of ours with a number too few, and with all that it asks for.
fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let description = format!(r#"{{"version":1,"config":{text},"provenance":{{}}}}"#);
    let header = serde_json::json!({
        "__metadata__": { "webreid": description },
        "a": { "dtype": "F32", "shape": [1], "data_offsets": [0, 4] },
    });
    weights(&safetensors(&header, &[0; 4]));

    let Ok(config) = serde_json::from_str::<ReIdentifierConfig>(&text) else { return };
    let Ok(graph) = bounded(input.len(), || config.graph()) else { return };
    let numbers = graph.parameters().iter().map(|p| p.shape.iter().product::<usize>()).fold(0, usize::saturating_add);
    if numbers > 1 << 18 {
        return;
    }
    let tensors = initial_tensors(&config, 0).expect("a graph");
    let file = to_safetensors(&config, &tensors, &BTreeMap::new(), Precision::F32).expect("writable");
    weights(&file);
}

fn configs() -> Vec<Vec<u8>> {
    let presets = PRESETS.iter().map(|name| preset(name, 3).expect("a preset"));
    let checkpoints = ["tiny_osnet.safetensors", "../../models/webreid-small.safetensors"];
    let read = |name: &str| read(&fs::read(fixture(name)).expect("readable")).expect("a model").config;
    let configs = presets.chain(checkpoints.map(read)).chain(openvinos().into_iter().map(|file| {
        let (xml, bin) = two(&file);
        read_openvino(xml, bin).expect("a model").config
    }));
    configs.map(|config| serde_json::to_vec(&config).expect("JSON")).collect()
}

/// Models of a few kinds, the first byte says which, with changes of four bytes each: what, to which tensor (u16), and how.
fn dialect(input: &[u8]) {
    static MODELS: LazyLock<Vec<BTreeMap<String, Tensor>>> = LazyLock::new(models);
    const PARTS: [(&str, &str); 16] = [
        ("backbone.", "base."),
        ("backbone.", ""),
        ("", "module."),
        ("head.", "classifier."),
        ("head.", "heads."),
        ("bottleneck.", "heads.bottleneck.0."),
        ("pool.p", "heads.pool_layer.p"),
        ("layer", "layer1"),
        (".0.", ".1."),
        (".1.", ".2."),
        ("conv1", "conv2"),
        ("conv2", "conv3"),
        ("bn1", "bn1.IN"),
        ("bn1", "bn1.BN"),
        ("weight", "bias"),
        ("conv", "0.conv"),
    ];
    let Some((&kind, changes)) = input.split_first() else { return };
    let mut tensors = MODELS[usize::from(kind) % MODELS.len()].clone();
    for &[what, low, high, how] in changes.as_chunks::<4>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % tensors.len().max(1);
        let Some(name) = tensors.keys().nth(place).cloned() else { return };
        let part = PARTS[usize::from(how) % PARTS.len()];
        match what % 8 {
            0 => drop(tensors.remove(&name)),
            1 => {
                let tensor = tensors[&name].clone();
                tensors.insert(name.replacen(part.0, part.1, 1), tensor);
            }
            2 => {
                let Some(tensor) = tensors.remove(&name) else { return };
                tensors.insert(name.replacen(part.0, part.1, 1), tensor);
            }
            3 => {
                let all = std::mem::take(&mut tensors).into_iter();
                tensors = all.map(|(name, tensor)| (name.replacen(part.0, part.1, 1), tensor)).collect();
            }
            4 => tensors.retain(|name, _| !name.contains(part.0) || part.0.is_empty()),
            5 => {
                let Some(tensor) = tensors.get_mut(&name) else { return };
                let axis = usize::from(how >> 5) % tensor.shape.len().max(1);
                tensor.shape.get_mut(axis).into_iter().for_each(|size| *size = usize::from(how & 31));
                tensor.values.resize(tensor.shape.iter().product(), 1.0);
            }
            6 => {
                let Some(tensor) = tensors.get_mut(&name) else { return };
                if how & 1 == 1 {
                    tensor.shape.push(1);
                } else if tensor.shape.last() == Some(&1) {
                    tensor.shape.pop();
                }
            }
            _ => {
                let tensor = tensors.get_mut(&name).map(|tensor| &mut tensor.values);
                tensor.and_then(|values| values.last_mut()).into_iter().for_each(|value| *value = f32::NAN);
            }
        }
    }
    let size = tensors.iter().map(|(name, tensor)| name.len() + 8 * tensor.shape.len() + 4 * tensor.values.len()).sum();
    match bounded(size, || recognise(Checkpoint { tensors, ..Checkpoint::default() })) {
        Ok(model) => assert!(model.config.graph().is_ok()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn models() -> Vec<BTreeMap<String, Tensor>> {
    let tiny = Checkpoint::read(&fs::read(fixture("tiny_osnet.safetensors")).expect("readable")).expect("readable");
    let resnet = |changes: serde_json::Value| {
        let mut config = serde_json::to_value(preset("reid_resnet18", 3).expect("a preset")).expect("JSON");
        config["backbone"]["resnet"]["width"] = 2.into();
        for (key, value) in changes.as_object().expect("changes") {
            *config.pointer_mut(key).expect("a key") = value.clone();
        }
        let config: ReIdentifierConfig = serde_json::from_value(config).expect("a config");
        initial_tensors(&config, 1).expect("a model")
    };
    vec![
        tiny.tensors,
        resnet(serde_json::json!({})),
        resnet(serde_json::json!({ "/bottleneck": { "dim": 4, "bias": false }, "/pooling": "gem" })),
        resnet(serde_json::json!({ "/neck": false, "/head": { "num_classes": 3, "bias": true } })),
    ]
}

/// The `.xml`, a zero byte, and the `.bin`.
fn openvino(input: &[u8]) {
    let (xml, bin) = two(input);
    check(bounded(input.len(), || read_openvino(xml, bin)));
}

fn two(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|&byte| byte == 0).unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

fn openvinos() -> Vec<Vec<u8>> {
    let file = |end: &str| fs::read(fixture(&format!("openvino/small-reid.{end}"))).expect("readable");
    vec![[file("xml"), vec![0], file("bin")].concat()]
}

/// As a re-identification model and as a detector.
fn tfjs(input: &[u8]) {
    let (json, bin) = two(input);
    check(bounded(input.len(), || read_tfjs(json, bin)));
    check_detector(bounded(input.len(), || read_detector(json, Some(bin))));
    let _ = tfjs_shards(json);
}

fn tfjss() -> Vec<Vec<u8>> {
    let file = |name: &str| fs::read(fixture(&format!("tfjs/{name}"))).expect("readable");
    let both = |name: &str| [file(&format!("{name}.json")), vec![0], file(&format!("{name}.bin"))].concat();
    vec![both("reid"), both("detector")]
}

fn detector(input: &[u8]) {
    check_detector(bounded(input.len(), || read_detector(input, None)));
}

/// An answer is an error with words, or a detector that can be made ready, written and read again.
fn check_detector(answer: Result<RecognisedDetector, WeightsError>) {
    let model = match answer {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(model.tensors.values().all(|tensor| tensor.values.iter().all(|value| value.is_finite())));
    model.config.freeze(&model.tensors).expect("a network");
    let file = detector_to_safetensors(&model, Precision::F32).expect("writable");
    let again = read_our_detector(&file).expect("ours");
    assert_eq!((&again.config, &again.tensors), (&model.config, &model.tensors));
}

fn detectors() -> Vec<Vec<u8>> {
    let file = |end: &str| fs::read(fixture(&format!("tfjs/detector.{end}"))).expect("readable");
    let model = read_detector(&file("json"), Some(&file("bin"))).expect("a detector");
    vec![detector_to_safetensors(&model, Precision::F32).expect("writable")]
}

// Pictures.

fn picture(input: &[u8]) {
    let mut file = input.to_vec();
    shrink(&mut file);
    match bounded(file.len(), || decode(&file)) {
        Ok(picture) => assert_eq!(picture.pixels.len(), 4 * picture.width as usize * picture.height as usize),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Makes the sizes that the headers state small, and PNG's checksums right: large pictures may take what they say, and most
/// of what a fuzzer changes would be refused for its checksum alone.
fn shrink(file: &mut [u8]) {
    let mask = |bytes: Option<&mut [u8]>, masks: &[u8]| {
        bytes.into_iter().flat_map(|bytes| bytes.iter_mut().zip(masks)).for_each(|(byte, mask)| *byte &= mask);
    };
    if file.starts_with(b"\x89PNG") {
        mask(file.get_mut(16..24), &[0, 0, 3, 0xff, 0, 0, 3, 0xff]);
        let mut at = 8;
        while let Some(&[a, b, c, d]) = file.get(at..at + 4).and_then(|length| length.first_chunk()) {
            let end = at + 8 + u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(sum) = file.get(at + 4..end).map(crc32) else { return };
            file.get_mut(end..end + 4).into_iter().for_each(|to| to.copy_from_slice(&sum.to_be_bytes()));
            at = end + 4;
        }
    } else if file.starts_with(b"BM") {
        mask(file.get_mut(18..22), &[0xff, 3, 0, 0]);
        // Negative where the rows come from the top.
        let top_down = file.get(25).is_some_and(|&byte| byte >= 0x80);
        mask(file.get_mut(22..26), &[0xff, 3, 0, 0]);
        if top_down && let Some(height) = file.get_mut(22..26).and_then(|height| height.first_chunk_mut::<4>()) {
            *height = (-i32::from_le_bytes(*height)).to_le_bytes();
        }
    } else if file.starts_with(b"RIFF") {
        for at in 12..file.len() {
            match file.get(at..at + 4) {
                Some(b"VP8 ") => mask(file.get_mut(at + 14..at + 18), &[0xff, 3, 0xff, 3]),
                Some(b"VP8L") => mask(file.get_mut(at + 9..at + 13), &[0xff, 0xc3, 0xff, 0xf0]),
                Some(b"VP8X") => mask(file.get_mut(at + 12..at + 18), &[0xff, 3, 0, 0xff, 3, 0]),
                Some(b"ANMF") => mask(file.get_mut(at + 14..at + 20), &[0xff, 3, 0, 0xff, 3, 0]),
                _ => {}
            }
        }
    } else if file.starts_with(b"\xff\xd8") {
        for at in 2..file.len() {
            if let Some([0xff, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf]) = file.get(at..at + 2) {
                mask(file.get_mut(at + 5..at + 9), &[3, 0xff, 3, 0xff]);
            }
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

// Galleries.

/// A `.reid` file, or the `gallery.json` of one.
fn gallery(input: &[u8]) {
    if input.starts_with(b"PK") {
        return check_gallery(input);
    }
    let sample = sample_gallery().to_bytes().expect("writable");
    let mut sample = ZipArchive::new(Cursor::new(sample)).expect("a zip");
    let mut features = Vec::new();
    sample.by_name("features.safetensors").expect("there").read_to_end(&mut features).expect("readable");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("gallery.json", input), ("features.safetensors", &features)] {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, stored).expect("writable");
        archive.write_all(content).expect("writable");
    }
    check_gallery(&archive.finish().expect("writable").into_inner());
}

/// An answer is an error with words, or a gallery with which everything can be done, and which is the same when it was saved.
fn check_gallery(file: &[u8]) {
    let mut gallery = match bounded(file.len(), || Gallery::from_bytes(file)) {
        Ok(opened) => opened.gallery,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let again = Gallery::from_bytes(&gallery.to_bytes().expect("writable")).expect("ours");
    assert_eq!((&again.gallery, again.losses.len()), (&gallery, 0));
    let photos: Vec<_> = gallery.photos().map(|view| view.id).collect();
    for cameras in [Cameras::None, Cameras::Centre] {
        let search = gallery.searching(cameras).expect("checked features");
        photos.iter().for_each(|&photo| _ = search.photos_like(photo, 3));
        gallery.people().iter().for_each(|person| _ = search.photos_like_person(person.id, 3));
    }
    let _ = (gallery.links(&photos), gallery.unsure(), gallery.to_csv(), gallery.to_json(), gallery.to_npy());
    let (mut undone, mut redone) = (gallery.clone(), 0);
    while undone.undo().is_some() {}
    while undone.redo().is_some() {
        redone += 1;
    }
    assert_eq!(redone, gallery.done().count() + gallery.undone().count());
    let groups: Vec<Vec<_>> = photos.chunks(2).map(<[_]>::to_vec).collect();
    let people = gallery.set_groups(groups, vec![]).expect("all of the gallery");
    if let [first, second, ..] = people[..] {
        let _ = gallery.act(Act::Merge { into: first, from: second, despite: true });
    }
    if let [a, b, ..] = photos[..] {
        let _ = gallery.act(Act::Answer { a: vec![a], b: vec![b], answer: Answer::Same, despite: true });
        let _ = gallery.act(Act::Remove { photos: vec![a] });
    }
    while gallery.undo().is_some() {}
}

fn sample_gallery() -> Gallery {
    let fingerprint = "00112233445566778899aabbccddeeff";
    let mut gallery = Gallery::new(Model { fingerprint: fingerprint.into(), dim: 2 }, Precision::F32);
    let photos = (0_u8..4).map(|number| NewPhoto {
        photo: Photo {
            camera: (number < 2).then(|| "gate".into()),
            time: Some(i64::from(number)),
            quality: Some(0.5),
            ..Photo::new(format!("{number}.jpg"), ContentHash::of(&[number]))
        },
        feature: Some(vec![f32::from(number), 1.0]),
        thumbnail: Some(vec![0xff, 0xd8, number]),
    });
    let photos = gallery.add(fingerprint, photos.collect()).expect("photos");
    let acts = [
        Act::Enrol { name: Some("Ada".into()), photos: photos[..1].to_vec(), despite: false },
        Act::Group { groups: vec![photos[..2].to_vec(), photos[2..].to_vec()], unsure: vec![] },
        Act::Answer { a: photos[..1].to_vec(), b: photos[2..3].to_vec(), answer: Answer::Different, despite: false },
        Act::Remove { photos: photos[3..].to_vec() },
    ];
    acts.into_iter().for_each(|act| _ = gallery.act(act).expect("done"));
    gallery.undo();
    gallery
}

fn galleries() -> Vec<Vec<u8>> {
    let file = sample_gallery().to_bytes().expect("writable");
    let mut archive = ZipArchive::new(Cursor::new(&file[..])).expect("a zip");
    let mut document = Vec::new();
    archive.by_name("gallery.json").expect("there").read_to_end(&mut document).expect("readable");
    vec![file, document]
}
