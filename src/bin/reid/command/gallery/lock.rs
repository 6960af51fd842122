//! One command at a time changes a gallery: what two read and both write, one would lose.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use same_file::Handle;

use crate::command::error::CliError;
use crate::command::interrupt;

/// Held while a command changes a gallery. A file beside it, which goes with the command; what a killed one leaves holds
/// nobody up.
pub struct Lock {
    file: Option<File>,
    path: PathBuf,
}

impl Lock {
    /// Waits until nobody else has it.
    pub fn of(gallery: &Path) -> Result<Self, CliError> {
        let target = fs::canonicalize(gallery).unwrap_or_else(|_| gallery.into());
        let mut path: OsString = target.into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |source| CliError::Write { path: path.clone(), source };
        loop {
            let file = File::create(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    eprintln!("reid: waiting for another command to finish with {}", gallery.display());
                    file.lock().map_err(failed)?;
                }
                // Some file systems have no locks.
                Err(TryLockError::Error(_)) => return Ok(Self { file: None, path }),
            }
            // Who had it before has taken the file away: the next to come would lock another.
            let held = file.try_clone().and_then(Handle::from_file).map_err(failed)?;
            if Handle::from_path(&path).is_ok_and(|there| there == held) {
                interrupt::passing(&path);
                return Ok(Self { file: Some(file), path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.is_some() {
            // What stays is an empty file.
            let _ = fs::remove_file(&self.path);
            interrupt::passed(&self.path);
        }
    }
}
