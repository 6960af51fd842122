//! Galleries as files on a disk, written whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file::Opened;
use super::{Gallery, GalleryError};

impl Gallery {
    /// Reads a `.reid` file.
    ///
    /// # Errors
    /// [`GalleryError::Read`], and those of [`from_bytes`](Self::from_bytes).
    pub fn load(path: &Path) -> Result<Opened, GalleryError> {
        let unreadable =
            |error: io::Error| GalleryError::Read { path: path.display().to_string(), reason: error.to_string() };
        Self::from_bytes(&fs::read(path).map_err(unreadable)?)
    }

    /// Writes the gallery so that the file is the old one or the new one, whole, whatever happens meanwhile.
    ///
    /// # Errors
    /// [`GalleryError::Write`]; the file is as it was.
    pub fn save(&self, path: &Path) -> Result<(), GalleryError> {
        let unwritable =
            |error: io::Error| GalleryError::Write { path: path.display().to_string(), reason: error.to_string() };
        write_whole(path, &self.to_bytes()?).map_err(unwritable)
    }
}

/// Writes a file beside its place, and moves it there once it is whole and on the disk. What a killed process left beside it
/// is cleared away. A link stays a link; a device or a pipe is written to.
///
/// # Errors
/// The system's; what was there before is untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if target.exists() && !target.is_file() {
        return File::options().write(true).open(&target)?.write_all(bytes);
    }
    let name = target.file_name().unwrap_or_default().to_owned();
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    clear(&folder, &name);
    let (partial, file) = begin(&folder, &name)?;
    let written = write_all(&file, bytes).and_then(|()| fs::rename(&partial, &target));
    if written.is_err() {
        // The first failure is the one to report.
        let _ = fs::remove_file(&partial);
    }
    written?;
    // Where folders cannot be synchronised, as on Windows, a rename lasts by itself.
    if let Ok(folder) = File::open(&folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// What a file is called before it is whole, after its name and the process.
const PARTIAL: &str = ".partial";

/// A new file beside `name`, locked, which tells others that somebody is at it.
fn begin(folder: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0_u32;
    loop {
        let mut partial = name.to_owned();
        partial.push(format!(".{}.{attempt}{PARTIAL}", std::process::id()));
        let partial = folder.join(partial);
        match File::create_new(&partial) {
            // Of another thread, or of the same process number on another machine.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < u32::MAX => attempt += 1,
            Err(error) => return Err(error),
            Ok(file) => {
                // Some file systems have no locks.
                let _ = file.try_lock();
                return Ok((partial, file));
            }
        }
    }
}

fn write_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes what killed processes left of a file: partial ones that nobody holds.
fn clear(folder: &Path, name: &OsStr) {
    let Some(name) = name.to_str() else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.file_name();
        let process =
            other.to_str().and_then(|other| other.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(PARTIAL));
        if process.is_some_and(|process| {
            !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        }) && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
