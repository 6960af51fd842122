//! Writing results so that a failure leaves what was there before.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::command::error::CliError;

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
    write_whole(path, bytes).map_err(|source| CliError::Write { path: path.into(), source })
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link, a device or a pipe is written to.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if target.exists() && !target.is_file() {
        return File::options().write(true).open(&target)?.write_all(bytes);
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = folder(&target).join(name);
    let written = File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, &target));
    if written.is_err() {
        // The first failure is the one to report.
        let _ = fs::remove_file(&partial);
    }
    written
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
