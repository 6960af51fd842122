//! Writing results so that a failure leaves what was there before.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use webreid::gallery::write_whole;

use crate::command::error::CliError;
use crate::command::interrupt;

/// Refuses an output file that cannot become one, before any work is done for it.
pub fn check(path: &Path) -> Result<(), CliError> {
    let refuse = |reason| Err(CliError::Output { path: path.into(), reason });
    if path.is_dir() {
        return refuse("this is a folder");
    }
    if path.file_name().is_none() || !folder(path).is_dir() {
        return refuse("its folder does not exist");
    }
    Ok(())
}

/// Writes a file beside its place and moves it there once it is whole and on the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    interrupt::whole(|| write_whole(path, bytes).map_err(|source| CliError::Write { path: path.into(), source }))
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.into(),
        _ => PathBuf::from("."),
    }
}

/// Prints a result as one line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    print(&serde_json::to_string(value).map_err(|error| CliError::Print(error.into()))?)
}

/// Prints a result. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Print(error)),
        _ => Ok(()),
    }
}
