//! Feeds one reader, which `FUZZ_READER` names, with what libFuzzer thinks of. `FUZZ_CORPUS` is the folder that it starts
//! from and keeps its inputs in.
#![no_main]

mod readers;

use std::{env, fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use readers::{READERS, Reader};

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let name = env::var("FUZZ_READER").unwrap_or_default();
    let names = || READERS.iter().map(|reader| reader.name).collect::<Vec<_>>().join(", ");
    READERS
        .into_iter()
        .find(|reader| reader.name == name)
        .unwrap_or_else(|| panic!("FUZZ_READER is none of {}", names()))
});

fuzz_target!(
    init: {
        let folder = PathBuf::from(env::var_os("FUZZ_CORPUS").expect("FUZZ_CORPUS names a folder"));
        fs::create_dir_all(&folder).expect("a folder");
        for (number, seed) in READER.seeds().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).expect("writable");
        }
    },
    |input: &[u8]| (READER.read)(input)
);
