//! Checkpoints from their bytes: every form that torch.save writes, and files that lie.
//! The fixtures come from tests/fixtures/make_weights.py.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use webreid::weights::{Checkpoint, Tensor, WeightsError};

const FIXTURES: [&str; 7] = [
    "zip_f32.pt",
    "zip_f16.pt",
    "zip_bf16.pt",
    "zip_training.pth",
    "zip_packed_again.pth",
    "legacy_f64.pth",
    "legacy_training.pth",
];

fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/weights", name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn refusal(bytes: &[u8]) -> String {
    Checkpoint::read(bytes).expect_err("refused").to_string()
}

/// What make_weights.py's `state_dict` holds, by the row-major ramp −3, −2.75, −2.5 …
fn expected() -> BTreeMap<String, Tensor> {
    let ramp = |indices: &[usize]| indices.iter().map(|&index| index as f32 * 0.25 - 3.0).collect();
    let counted = |count: usize| ramp(&(0..count).collect::<Vec<_>>());
    let tensors: [(&str, &[usize], Vec<f32>); 11] = [
        ("conv.weight", &[2, 3, 2, 2], counted(24)),
        ("transposed", &[3, 2], ramp(&[0, 3, 1, 4, 2, 5])),
        ("slice", &[3, 2], ramp(&[1, 2, 5, 6, 9, 10])),
        ("tied.a", &[4], counted(4)),
        ("tied.b", &[2], ramp(&[2, 3])),
        ("expanded", &[3], ramp(&[0, 0, 0])),
        ("scalar", &[], vec![1.5]),
        ("channels_last", &[1, 2, 2, 2], counted(8)),
        ("empty", &[0, 3], vec![]),
        ("parameter", &[3], counted(3)),
        ("last", &[2], counted(2)),
    ];
    tensors.map(|(name, shape, values)| (name.to_owned(), Tensor { shape: shape.to_vec(), values })).into()
}

#[test]
fn every_form_of_torch_save_gives_the_same_tensors() {
    for name in FIXTURES {
        let checkpoint = Checkpoint::read(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(checkpoint.tensors, expected(), "{name}");
    }
}

/// The entry of the zip's directory that comes first is as long as the two records behind the directory.
#[test]
fn a_name_of_21_letters_is_as_good_as_any() {
    assert_eq!(Checkpoint::read(&fixture("osnet_x0_0_market1501.pth")).expect("readable").tensors, expected());
}

/// Configs, paths, dates, sets, enums, optimisers, tensors of other kinds … none of it is made, and none is in the way.
#[test]
fn what_lies_beside_the_weights_keeps_nobody_from_them() {
    for name in ["zip_beside.pth", "legacy_beside.pth"] {
        let checkpoint = Checkpoint::read(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(checkpoint.tensors, expected(), "{name}");
        assert_eq!(checkpoint.words, [""; 0], "{name}");
    }
}

#[test]
fn the_tensors_of_a_whole_module_are_read_by_their_names() {
    let expected: BTreeMap<_, _> = expected().into_iter().filter(|(name, _)| name != "parameter").collect();
    for (name, class) in [("zip_module.pth", "project.model.Block"), ("script.pt", "__torch__.project.model.Block")] {
        let checkpoint = Checkpoint::read(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let names: Vec<_> = checkpoint.tensors.keys().map(String::as_str).collect();
        assert_eq!(names, ["conv.weight", "scalar", "tied.a", "tied.b"], "{name}");
        for (part, tensor) in &checkpoint.tensors {
            assert_eq!(tensor, &expected[part], "{name}: {part}");
        }
        let [word] = &checkpoint.words[..] else { panic!("{name}: {:?}", checkpoint.words) };
        assert!(word.contains("a whole module") && word.contains(class), "{name}: {word}");
    }
}

#[test]
fn a_big_endian_zip_is_read() {
    let little = fixture("zip_f32.pt");
    let mut archive = zip::ZipArchive::new(Cursor::new(little)).expect("a zip");
    let mut big = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut content = Vec::new();
        let mut file = archive.by_index(index).expect("an entry");
        let name = file.name().expect("UTF-8").into_owned();
        file.read_to_end(&mut content).expect("readable");
        if name.ends_with("byteorder") {
            content = b"big".to_vec();
        } else if name.contains("/data/") && content.len() % 4 == 0 {
            content.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        }
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        big.start_file(name, stored).expect("writable");
        big.write_all(&content).expect("writable");
    }
    let big = big.finish().expect("writable").into_inner();
    assert_eq!(Checkpoint::read(&big).expect("readable").tensors, expected());
}

#[test]
fn code_in_a_pickle_is_named_and_not_run() {
    for name in ["malicious_zip.pt", "malicious_legacy.pth"] {
        match Checkpoint::read(&fixture(name)) {
            Err(WeightsError::Code { global }) => assert_eq!(global, "posix.system", "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(!std::path::Path::new("code-ran").exists());
}

#[test]
fn files_cut_anywhere_are_refused() {
    for name in FIXTURES {
        let whole = fixture(name);
        for length in 0..whole.len() {
            let cut = Checkpoint::read(&whole[..length]);
            assert!(cut.is_err(), "{name} cut to {length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn no_single_wrong_byte_makes_a_panic() {
    for name in FIXTURES {
        let mut bytes = fixture(name);
        for index in 0..bytes.len() {
            let right = bytes[index];
            for wrong in [0, 0xff, right ^ 1] {
                bytes[index] = wrong;
                // Some bytes do not matter; either answer is good, but there must be one.
                let _ = Checkpoint::read(&bytes);
            }
            bytes[index] = right;
        }
    }
}

#[test]
fn an_archive_packed_otherwise_is_said_to_be() {
    let mut packed = fixture("zip_packed_again.pth");
    let headers: Vec<_> = (0..packed.len() - 4).filter(|&at| packed[at..].starts_with(b"PK\x01\x02")).collect();
    // The method of every entry: from deflate (8) to bzip2.
    headers.iter().for_each(|at| packed[at + 10] = 12);
    let message = refusal(&packed);
    assert!(headers.len() > 3 && message.contains("zip it again without compression"), "{message}");
}

#[test]
fn what_is_no_checkpoint_is_called_by_its_name() {
    let mut tar = vec![0; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(
        "cat.txt",
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    )
    .expect("writable");
    let zip = zip.finish().expect("writable").into_inner();
    let mut exported = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["osnet/archive_format", "osnet/models/model.json", "osnet/data/weights/weight_0"] {
        exported.start_file(name, zip::write::SimpleFileOptions::default()).expect("writable");
    }
    let exported = exported.finish().expect("writable").into_inner();
    let cases: [(&[u8], &str); 10] = [
        (b"", "the file is empty"),
        (b"conv1.weight 0.1 0.2", "this is no checkpoint"),
        (&[0; 100], "this is no checkpoint"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (&[0x1f, 0x8b, 8, 0], "gzip"),
        (b"\x80\x04K\x01.", "torch.save did not write"),
        (&tar, "before 0.1.10"),
        (&zip, "without the data.pkl"),
        (&exported, "torch.export"),
    ];
    for (bytes, said) in cases {
        let message = refusal(bytes);
        assert!(message.contains(said), "{message}");
    }
}

/// A legacy file around hand-written pickles: the object, the storages' keys, and what follows them.
fn legacy(object: &[u8], keys: &[u8], storages: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    for part in [object, keys, storages] {
        file.extend_from_slice(part);
    }
    file
}

fn int(value: i64) -> Vec<u8> {
    [&[0x8a, 8][..], &value.to_le_bytes()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = entries.iter().map(|(key, value)| [&text(key)[..], value, b"s"].concat());
    [b"}".to_vec(), entries.collect::<Vec<_>>().concat()].concat()
}

/// A pickle of one object.
fn pickle(object: &[u8]) -> Vec<u8> {
    [b"\x80\x02", object, b"."].concat()
}

/// A tensor over a storage "0" of f32.
fn tensor(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let tuple =
        |sizes: &[i64]| [b"(".to_vec(), sizes.iter().flat_map(|&size| int(size)).collect(), b"t".to_vec()].concat();
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec(),
        b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04NtQ".to_vec(),
        int(offset),
        tuple(shape),
        tuple(strides),
        b"\x89NtR".to_vec(),
    ]
    .concat()
}

fn one_tensor(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    pickle(&dict(&[("w", tensor(offset, shape, strides))]))
}

const KEYS: &[u8] = b"\x80\x02]X\x01\0\0\x000a.";
const NO_KEYS: &[u8] = b"\x80\x02].";

fn four_numbers() -> Vec<u8> {
    let values = [1_f32, 2.0, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes());
    4_i64.to_le_bytes().into_iter().chain(values).collect()
}

#[test]
fn tensors_that_lie_about_their_storage_are_refused() {
    let good = legacy(&one_tensor(1, &[3], &[1]), KEYS, &four_numbers());
    assert_eq!(Checkpoint::read(&good).expect("good").tensors["w"].values, [2.0, 3.0, 4.0]);

    let huge = 1 << 40;
    for (offset, shape, strides) in [
        (2, &[3][..], &[1][..]),
        (huge, &[1], &[1]),
        (i64::MAX, &[1], &[1]),
        (-1, &[1], &[1]),
        (0, &[-1], &[1]),
        (0, &[2], &[4]),
        (0, &[2], &[i64::MAX]),
        (0, &[3, 3], &[i64::MAX, i64::MAX]),
        (0, &[huge, huge], &[0, 0]),
        (0, &[2, 2], &[1]),
        (0, &[1; 9], &[1; 9]),
    ] {
        let bytes = legacy(&one_tensor(offset, shape, strides), KEYS, &four_numbers());
        assert!(refusal(&bytes).contains("damaged"), "{offset} {shape:?} {strides:?}");
    }
    // One number over and over.
    let expanded = legacy(&one_tensor(0, &[huge], &[0]), KEYS, &four_numbers());
    let said = format!("tensor `w` asks for {huge} numbers, with all before it, and {} is the bound", expanded.len());
    assert!(refusal(&expanded).starts_with(&said), "{}", refusal(&expanded));
    // The stride of a dimension of one says nothing.
    let odd = legacy(&one_tensor(0, &[2, 1], &[1, i64::MAX]), KEYS, &four_numbers());
    assert_eq!(Checkpoint::read(&odd).expect("good").tensors["w"].values, [1.0, 2.0]);
}

#[test]
fn lengths_that_lie_are_refused_before_anything_is_allocated() {
    let count = |count: i64| [&count.to_le_bytes()[..], &[0; 16]].concat();
    for lying in [i64::MAX, i64::MIN, -1, 5, 1 << 61] {
        let bytes = legacy(&one_tensor(0, &[1], &[1]), KEYS, &count(lying));
        assert!(refusal(&bytes).contains("within the storage 0"), "{lying}");
    }
    let pickles: [&[u8]; 6] = [
        b"\x80\x02X\xff\xff\xff\xffw.",
        b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffw.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x02B\xff\xff\xff\xff.",
        b"\x80\x02T\xff\xff\xff\xff.",
        b"\x80\x02j\xff\xff\xff\xff.",
    ];
    for pickle in pickles {
        assert!(refusal(&legacy(pickle, KEYS, b"")).contains("damaged"), "{pickle:?}");
    }
    for header in [u64::MAX, u64::MAX - 7, 1 << 40, 99_000_000, 3] {
        let bytes =
            [&header.to_le_bytes()[..], b"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}0000"]
                .concat();
        assert!(refusal(&bytes).contains("safetensors file is damaged"), "{header}");
    }
    for info in ["[4294967296,4294967296]", "[18446744073709551615,2]", "[1000000]"] {
        let header = format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":{info},\"data_offsets\":[0,4]}}}}");
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), b"0000"].concat();
        assert!(refusal(&bytes).contains("safetensors file is damaged"), "{info}");
    }
}

#[test]
fn a_pickle_cannot_take_all_memory_or_the_stack() {
    // A million lists in one another, and a list that holds itself.
    let deep = [b"\x80\x02".to_vec(), b"]".repeat(1_000_000), b"a".repeat(999_999), b".".to_vec()].concat();
    assert!(refusal(&legacy(&deep, NO_KEYS, b"")).contains("no tensors"));
    let own = b"\x80\x02}q\x00X\x05\0\0\0modelh\x00s.";
    assert!(refusal(&legacy(own, NO_KEYS, b"")).contains("no tensors"));
    // Too many opcodes; and copies of a long list, whose number grows with the square of the file's length.
    let long = [b"\x80\x02".to_vec(), b"N0".repeat(2_000_000), b"}.".to_vec()].concat();
    assert!(refusal(&legacy(&long, KEYS, b"")).contains("more objects than any model has"));
    let pairs = [b"\x80\x02](".to_vec(), b"NN\x86".repeat(100_000), b"eq\x00".to_vec()].concat();
    let copies = b"0ccollections\nOrderedDict\nh\x00\x85R".repeat(10_000);
    let square = [pairs, copies, b".".to_vec()].concat();
    assert!(refusal(&legacy(&square, KEYS, b"")).contains("more objects than any model has"));
}

#[test]
fn a_file_without_weights_says_what_it_has() {
    let epochs = legacy(b"\x80\x02}(X\x05\0\0\0epochK\x01X\x04\0\0\0archX\x05\0\0\0osnetu.", NO_KEYS, b"");
    let message = refusal(&epochs);
    assert!(message.contains("it has epoch, arch and no state_dict"), "{message}");
}

/// A file of the older form with four numbers in its storage.
fn file_of(object: &[u8]) -> Vec<u8> {
    legacy(&pickle(object), KEYS, &four_numbers())
}

/// A state dict of one tensor, which begins at this number.
fn weights(offset: i64) -> Vec<u8> {
    dict(&[("layer.w", tensor(offset, &[2], &[1]))])
}

const NET: &[u8] = b"cproject.model\nNet\n)\x81";

#[test]
fn the_state_dict_is_found_under_the_name_that_a_script_gave_it() {
    let read = |object: &[u8]| {
        let checkpoint = Checkpoint::read(&file_of(object)).expect("readable");
        (checkpoint.tensors["layer.w"].values.clone(), checkpoint.words)
    };
    let keys = [
        "state_dict",
        "model_state_dict",
        "model",
        "net_dict",
        "net",
        "network",
        "weights",
        "params",
        "model_state",
        "model_dict",
        "module",
        "ema",
        "ema_state_dict",
        "state_dict_ema",
        "model_ema",
        "params_ema",
        "mine",
    ];
    for key in keys {
        let beside = [("epoch", int(3)), (key, weights(1)), ("best", tensor(0, &[], &[]))];
        assert_eq!(read(&dict(&beside)), (vec![2.0, 3.0], vec![]), "{key}");
        let within = dict(&[("checkpoint", dict(&beside)), ("optimizer", weights(0)), ("center_loss", weights(0))]);
        assert_eq!(read(&within), (vec![2.0, 3.0], vec![]), "{key}");
    }
    let (values, words) = read(&dict(&[("ema", weights(0)), ("net", weights(2))]));
    assert_eq!(values, [3.0, 4.0]);
    assert_eq!(words, ["The file holds weights under ema as well; those under net are read."]);
    // A sparse or quantised tensor, say.
    let (_, words) = read(&[weights(0), text("layer.q"), NET.to_vec(), b"s".to_vec()].concat());
    assert_eq!(words, ["Not read, as these are no plain tensors: layer.q."]);
    // A class that takes entries is a dictionary.
    let tagged = [&b"cproject\nTagged\n)\x81"[..], &text("layer.w"), &tensor(2, &[2], &[1]), b"s"].concat();
    assert_eq!(read(&tagged), (vec![3.0, 4.0], vec![]));
    // The older form says a module's class so, and then its parts.
    let class =
        [b"(", &text("module")[..], b"cproject.model\nNet\n", &text("net.py"), &text("class Net"), b"tQ)\x81"].concat();
    let inner =
        [&class[..], &dict(&[("_parameters", dict(&[("w", tensor(1, &[2], &[1]))])), ("_modules", dict(&[]))]), b"b"]
            .concat();
    let module = [&class[..], &dict(&[("_modules", dict(&[("layer", inner)]))]), b"b"].concat();
    let (values, words) = read(&module);
    assert_eq!(values, [2.0, 3.0]);
    assert!(words[0].contains("a whole module (project.model.Net)"), "{words:?}");
}

#[test]
fn weights_that_cannot_be_told_apart_or_read_are_named() {
    let several = refusal(&file_of(&dict(&[("student", weights(0)), ("teacher", weights(1))])));
    assert!(several.contains("under several names, student, teacher"), "{several}");
    for object in [NET.to_vec(), dict(&[("epoch", int(3)), ("model", NET.to_vec())])] {
        let opaque = refusal(&legacy(&pickle(&object), NO_KEYS, b""));
        assert!(opaque.contains("a project.model.Net, in which no tensors are found"), "{opaque}");
    }
}

/// What a file must not ask for is refused wherever it stands; what is only unknown is not.
#[test]
fn only_what_runs_programs_is_code() {
    let calling = |module: &str, name: &str| {
        let call = format!("c{module}\n{name}\n(X\x02\0\0\0lstR").into_bytes();
        Checkpoint::read(&file_of(&dict(&[("config", call), ("model", weights(0))])))
    };
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("nt", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("__builtin__", "execfile"),
        ("runpy", "run_path"),
        ("importlib", "import_module"),
        ("importlib.util", "module_from_spec"),
        ("pickle", "loads"),
    ] {
        let refused = calling(module, name);
        assert!(
            matches!(&refused, Err(WeightsError::Code { global }) if *global == format!("{module}.{name}")),
            "{refused:?}"
        );
    }
    for (module, name) in
        [("builtins", "getattr"), ("oslo.config", "Config"), ("system.evaluate", "Average"), ("posix", "uname_result")]
    {
        assert_eq!(calling(module, name).expect("readable").tensors["layer.w"].values, [1.0, 2.0]);
    }
    assert!(!std::path::Path::new("code-ran").exists());
}

/// Dictionaries that hold one another over and over, and modules that do.
#[test]
fn a_search_for_weights_ends() {
    let mut wide = b"}q\x00".to_vec();
    for index in 0..300 {
        wide.extend([&text(&format!("k{index}"))[..], b"h\x00s"].concat());
    }
    assert!(refusal(&legacy(&pickle(&wide), NO_KEYS, b"")).contains("more objects than any model has"));
    let own = [NET, b"q\x00", &dict(&[("_modules", dict(&[("part", b"h\x00".to_vec())]))]), b"b"].concat();
    assert!(refusal(&legacy(&pickle(&own), NO_KEYS, b"")).contains("a name of more than 256 letters"));
}
