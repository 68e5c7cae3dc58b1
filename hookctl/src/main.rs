//! The program `nvidia-hookctl`: hands its command line and environment to the library, and prints the answer. Must not
//! know any command.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the process and prints")]

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use nvidia_container_runtime_hook::invocation::Environ;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let entry = |(name, value): (OsString, OsString)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat());
    let environ: Vec<CString> = std::env::vars_os().filter_map(|variable| entry(variable).ok()).collect();
    let environ: Vec<_> = environ.iter().map(CString::as_c_str).collect();
    let answer = nvidia_hookctl::run(&words, Environ(&environ));
    // A closed stderr must not change the exit status; a closed stdout means that the answer did not arrive.
    let _ = io::stderr().write_all(answer.err.as_bytes());
    let printed = io::stdout().write_all(answer.out.as_bytes()).and_then(|()| io::stdout().flush());
    ExitCode::from(answer.status.max(u8::from(printed.is_err())))
}
