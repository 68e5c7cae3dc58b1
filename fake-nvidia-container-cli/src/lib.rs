//! A stand-in for `nvidia-container-cli` on simulated GPUs.

use std::process::ExitCode;

/// Runs the program on this process's arguments and environment.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
