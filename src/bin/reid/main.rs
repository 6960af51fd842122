//! `reid`: person re-identification from the command line.

#[cfg(not(target_arch = "wasm32"))]
mod command;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    command::main()
}

/// The command is native; browser tests build every binary nevertheless.
#[cfg(target_arch = "wasm32")]
fn main() {}
