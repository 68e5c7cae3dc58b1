//! How a program of this crate starts: as itself, as the launcher of a hook, or, if a hook executed a marked copy of
//! it, as nvidia-container-cli. So conformance needs only one file. Must not know what is tested.
//!
//! The entry is C's `main`, because Rust's start-up code changes what a record must show: it ignores SIGPIPE and opens
//! closed descriptors, so a hook that leaks either could not be caught.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::{SigHandler, Signal, signal};

use crate::launch;
use crate::tree::set_mode;

/// Ends a marked copy. The text between [`START`] and this is the role.
const END: &[u8] = b"\nnvidia-hook-conformance: a copy with a role\n";
const START: &[u8] = b"\nrole: ";
/// The longest role, with both markers.
const LONGEST: usize = 4096;
/// The role of the stand-in for nvidia-container-cli.
const CLI: &str = "nvidia-container-cli";

/// Makes a [`Run`] function the `main` of a program that can also be its own launcher and nvidia-container-cli. The
/// program needs `#![no_main]`. A second function, an [`Other`], gets the roles of other copies ([`copy_as`]).
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        $crate::entry!($run, $crate::entry::no_other_role);
    };
    ($run:path, $other:path) => {
        // SAFETY: `main` is the one symbol of this name in the program, and has the signature that the C library expects.
        #[expect(unsafe_code, reason = "an exported symbol named main is the only way past Rust's start-up code")]
        #[unsafe(no_mangle)]
        extern "C" fn main(_argc: std::ffi::c_int, argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: the C library gives an array of C strings that a null pointer ends.
            #[expect(unsafe_code, reason = "reads what the C library gives")]
            unsafe {
                $crate::entry::start(argv, $run, $other)
            }
        }
    };
}

/// A program: takes its words, its name first, and returns its exit status.
pub type Run = fn(Vec<OsString>) -> u8;
/// A program in a role: takes the role and its words, and returns its exit status.
pub type Other = fn(&str, Vec<OsString>) -> u8;

/// Called by [`entry!`].
///
/// # Safety
/// `argv` must be null, or an array of C strings that a null pointer ends and that lives as long as the process.
#[expect(unsafe_code, reason = "C's main has its words in an array whose length only its end tells")]
pub unsafe fn start(argv: *const *const c_char, run: Run, other: Other) -> c_int {
    let mut words: Vec<&[u8]> = Vec::new();
    if !argv.is_null() {
        // SAFETY: by the contract of this function each place up to the null pointer may be read.
        while let Some(word) = std::ptr::NonNull::new(unsafe { *argv.add(words.len()) }.cast_mut()) {
            // SAFETY: and holds a C string.
            words.push(unsafe { CStr::from_ptr(word.as_ptr()) }.to_bytes());
        }
    }
    begin(&words, run, other)
}

fn begin(words: &[&[u8]], run: Run, other: Other) -> c_int {
    let owned = || words.iter().map(|word| OsStr::from_bytes(word).to_owned()).collect::<Vec<_>>();
    if let Some(role) = role() {
        return if role == CLI { fake_nvidia_container_cli::main(words) } else { other(&role, owned()).into() };
    }
    // SAFETY: no function of this program becomes a handler.
    #[expect(unsafe_code, reason = "what Rust's own start-up code does: writing to a hook that has ended is an error")]
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    let status = launch::if_launcher(words).unwrap_or_else(|| run(owned()));
    let _ = std::io::stdout().flush();
    status.into()
}

/// The second function of a program without other roles.
pub fn no_other_role(_role: &str, _words: Vec<OsString>) -> u8 {
    2
}

/// Makes a copy of this program that runs as nvidia-container-cli.
pub fn copy_as_cli(place: &Path) -> Result<()> {
    copy_as(CLI, place)
}

/// Makes a copy of this program that starts in a role.
pub fn copy_as(role: &str, place: &Path) -> Result<()> {
    let program = PathBuf::from("/proc/self/exe");
    let copy = || -> Result<()> {
        fs::copy(program, place)?;
        set_mode(place, 0o755)?;
        let mut file = OpenOptions::new().append(true).open(place)?;
        file.write_all(&[START, role.as_bytes(), END].concat())?;
        Ok(())
    };
    copy().with_context(|| format!("copy this program to {}", place.display()))
}

/// The role of this process, read from the end of its program's file.
fn role() -> Option<String> {
    let mut file = File::open("/proc/self/exe").ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LONGEST as u64))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let body = tail.strip_suffix(END)?;
    let at = body.windows(START.len()).rposition(|part| part == START)?;
    String::from_utf8(body.split_at(at + START.len()).1.to_vec()).ok()
}
