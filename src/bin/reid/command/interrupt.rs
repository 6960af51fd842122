//! Ctrl-C: ends the command at once, but for what is being written, which becomes whole first. A second one quits whatever is.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::command::error::CliError;

/// The exit code of a command that a Ctrl-C ended: 128 and the number of the signal.
pub const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

static STATE: Mutex<State> = Mutex::new(State { writing: false, in_steps: false, passing: Vec::new() });

/// What a Ctrl-C meets.
struct State {
    /// A file is being written.
    writing: bool,
    /// The command asks by itself, and saves what it has.
    in_steps: bool,
    /// Files that go with the command.
    passing: Vec<PathBuf>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes Ctrl-C over for the rest of the process.
pub fn install() -> Result<(), CliError> {
    let handler = || {
        // Held to the end: nobody begins to write now.
        let state = state();
        let again = REQUESTED.swap(true, Ordering::SeqCst);
        if again || !(state.writing || state.in_steps) {
            for path in &state.passing {
                // What stays holds nobody up.
                let _ = fs::remove_file(path);
            }
            process::exit(EXIT_CODE.into());
        }
        let rest = if state.in_steps { "finishing the step and saving" } else { "finishing what is being written" };
        eprintln!("\nreid: {rest}; Ctrl-C again quits at once");
    };
    ctrlc::set_handler(handler).map_err(CliError::Interrupt)
}

/// From now on the command asks whether to [stop](requested), and ends by itself.
pub fn in_steps() {
    state().in_steps = true;
}

/// Writes something that a Ctrl-C does not leave half written.
pub fn whole<T>(write: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    state().writing = true;
    let written = write();
    let mut state = state();
    state.writing = false;
    if requested() && !state.in_steps { written.and(Err(CliError::Interrupted)) } else { written }
}

/// A file that is not to outlast the command; [`passed`] when it is gone.
pub fn passing(path: &Path) {
    state().passing.push(path.into());
}

/// A file that was to go is gone.
pub fn passed(path: &Path) {
    state().passing.retain(|other| other != path);
}

/// For long computations to go on or not.
pub fn progress(_done: usize, _total: usize) -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Whether there was a Ctrl-C.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
