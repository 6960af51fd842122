//! Ctrl-C: the first asks for a stop at the next good moment, the second quits at once.

use std::ops::ControlFlow;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::command::error::CliError;

/// The exit code of a command that a Ctrl-C ended: 128 and the number of the signal.
pub const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Takes Ctrl-C over for the rest of the process.
pub fn install() -> Result<(), CliError> {
    let handler = || {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            process::exit(EXIT_CODE.into());
        }
        eprintln!("\nreid: finishing the step and saving; Ctrl-C again quits at once");
    };
    ctrlc::set_handler(handler).map_err(CliError::Interrupt)
}

/// For long computations to go on or not.
pub fn progress(_done: usize, _total: usize) -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Whether there was a Ctrl-C.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
