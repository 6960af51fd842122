//! Checkpoints from their bytes: every form that torch.save writes, and files that lie.
//! The fixtures come from tests/fixtures/make_weights.py.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use webreid::weights::{Checkpoint, Tensor, WeightsError};

const FIXTURES: [&str; 6] =
    ["zip_f32.pt", "zip_f16.pt", "zip_bf16.pt", "zip_training.pth", "legacy_f64.pth", "legacy_training.pth"];

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
    let cases: [(&[u8], &str); 9] = [
        (b"", "the file is empty"),
        (b"conv1.weight 0.1 0.2", "this is no checkpoint"),
        (&[0; 100], "this is no checkpoint"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (&[0x1f, 0x8b, 8, 0], "gzip"),
        (b"\x80\x04K\x01.", "torch.save did not write"),
        (&tar, "before 0.1.10"),
        (&zip, "without the data.pkl"),
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

/// `{"w": tensor}` over a storage "0" of f32.
fn one_tensor(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let tuple =
        |sizes: &[i64]| [b"(".to_vec(), sizes.iter().flat_map(|&size| int(size)).collect(), b"t".to_vec()].concat();
    [
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec(),
        b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04NtQ".to_vec(),
        int(offset),
        tuple(shape),
        tuple(strides),
        b"\x89NtRs.".to_vec(),
    ]
    .concat()
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
