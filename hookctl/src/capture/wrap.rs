//! Runs a hook with its input and output passed through as they come, and keeps a copy of them up to a limit. The only
//! place in nvidia-hookctl that starts a program. Must not know what the copy is for.
#![expect(clippy::disallowed_methods, reason = "stands between a runtime and a hook, which is what it is for")]

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// How many bytes of the container state and of each output are kept.
const KEPT: usize = 256 << 10;
const CHUNK: usize = 64 << 10;

/// How a hook ended, and what passed through.
#[derive(Debug, Default)]
pub struct Passed {
    /// The exit status, or 128 and the number of the signal that ended it.
    pub status: u8,
    /// Standard input, as far as it was kept.
    pub stdin: Vec<u8>,
    /// Standard error, as far as it was kept.
    pub stderr: Vec<u8>,
    /// Whether all of the input was kept.
    pub is_whole: bool,
}

/// Runs a program with arguments; its environment and working directory are this process's.
///
/// # Errors
/// The program cannot be started.
pub fn run(program: &OsString, arguments: &[OsString]) -> io::Result<Passed> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdin = Arc::new(Mutex::new(Vec::new()));
    if let Some(to) = child.stdin.take() {
        let kept = Arc::clone(&stdin);
        // Never joined: a runtime may keep its end open after the hook has ended.
        thread::spawn(move || relay(io::stdin(), to, &kept));
    }
    let (out, err) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let outputs = [
        child.stdout.take().map(|from| {
            let kept = Arc::clone(&out);
            thread::spawn(move || relay(from, io::stdout(), &kept))
        }),
        child.stderr.take().map(|from| {
            let kept = Arc::clone(&err);
            thread::spawn(move || relay(from, io::stderr(), &kept))
        }),
    ];
    let status = child.wait()?;
    for output in outputs.into_iter().flatten() {
        // A thread that failed has nothing more to pass on.
        let _ = output.join();
    }
    let taken = |kept: &Mutex<Vec<u8>>| kept.lock().map(|kept| kept.clone()).unwrap_or_default();
    let stdin = taken(&stdin);
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Passed {
        status: u8::try_from(code).unwrap_or(u8::MAX),
        is_whole: stdin.len() < KEPT,
        stdin,
        stderr: taken(&err),
    })
}

/// Passes bytes on as they come, until either end is closed.
fn relay(mut from: impl Read, mut to: impl Write, kept: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let got = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let Some(bytes) = buffer.get(..got) else { return };
        if let Ok(mut kept) = kept.lock() {
            let room = KEPT.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        if to.write_all(bytes).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

/// The working directory, against which relative paths on the hook's command line resolve; `/` if it is not known.
#[must_use]
pub fn working_directory() -> String {
    std::env::current_dir()
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .unwrap_or_else(|| "/".to_owned())
}
