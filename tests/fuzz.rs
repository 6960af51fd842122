//! Every reader of foreign files on what its fuzzing begins with, on what that once found, and on some changed files, the
//! same ones in every run. `make fuzz` looks further.
#![cfg(not(target_arch = "wasm32"))]

#[path = "fuzz/src/readers.rs"]
mod readers;

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use readers::READERS;

/// Changed files for a reader.
const CASES: u64 = 4000;
/// What lengths, offsets and counts go wrong with.
const NUMBERS: [u64; 12] =
    [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff];

/// A seed with a few changes.
fn changed(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let mut file = seeds.choose(&mut rng).expect("a seed").clone();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=file.len());
        let length = rng.random_range(0..=(file.len() - at).min(64));
        let value = NUMBERS.choose(&mut rng).expect("a number");
        match rng.random_range(0..8) {
            0 => file.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << rng.random_range(0..8)),
            1 => file.get_mut(at).into_iter().for_each(|byte| *byte = rng.random()),
            2 => {
                let size = [1, 2, 4, 8][rng.random_range(0..4)];
                let big = rng.random_bool(0.5);
                let bytes = if big { value.to_be_bytes() } else { value.to_le_bytes() };
                let bytes = if big { &bytes[8 - size..] } else { &bytes[..size] };
                file.get_mut(at..at + size).into_iter().for_each(|to| to.copy_from_slice(bytes));
            }
            // A number in words.
            3 => {
                let digit = |byte: &u8| byte.is_ascii_digit();
                let Some(first) = file[at..].iter().position(digit).map(|first| at + first) else { continue };
                let end = file[first..].iter().position(|byte| !digit(byte)).map_or(file.len(), |end| first + end);
                file.splice(first..end, value.to_string().into_bytes());
            }
            4 => file.truncate(at),
            5 => drop(file.drain(at..at + length)),
            6 => {
                let copy = file[at..at + length].to_vec();
                let to = rng.random_range(0..=file.len());
                file.splice(to..to, copy);
            }
            _ => {
                let other = seeds.choose(&mut rng).expect("a seed");
                file.truncate(at);
                file.extend(&other[rng.random_range(0..=other.len())..]);
            }
        }
    }
    file
}

/// Names the input of a panic.
struct Case(String);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("on {}", self.0);
        }
    }
}

fn check(name: &str) {
    let reader = READERS.into_iter().find(|reader| reader.name == name).expect("a reader");
    let seeds = reader.seeds();
    assert!(!seeds.is_empty());
    for (number, seed) in seeds.iter().enumerate() {
        let _case = Case(format!("the seed {number} of {name}"));
        (reader.read)(seed);
    }
    for number in 0..CASES {
        let _case = Case(format!("the changed file {number} of {name}"));
        (reader.read)(&changed(&seeds, number));
    }
}

macro_rules! check_readers {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_reader_is_checked() {
            assert_eq!(READERS.map(|reader| reader.name), [$(stringify!($name)),*]);
        }
    };
}

check_readers!(pytorch pickle safetensors config dialect onnx openvino tfjs detector jpeg png others gallery);
