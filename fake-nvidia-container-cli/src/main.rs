//! The program `fake-nvidia-container-cli`: its entry point, and nothing else; the rest is in the library beside this
//! file.
//!
//! The entry point is C's `main`, because Rust's own start-up code changes what a record must show: it sets SIGPIPE to
//! ignored and opens closed descriptors, so a hook that leaks either could not be caught.
#![no_main]

use nix::sys::signal::{SigHandler, Signal};
use std::ffi::{CStr, c_char, c_int};

/// What the C library calls first.
// SAFETY: `main` is the only symbol of this name in the program, and has the signature that the C library expects.
#[expect(unsafe_code, reason = "an exported symbol named main is the only way past Rust's start-up code")]
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, argv: *const *const c_char) -> c_int {
    let mut words: Vec<&[u8]> = Vec::new();
    if !argv.is_null() {
        // SAFETY: the C library passes an array of C strings that ends with a null pointer: each place up to it may be
        // read.
        while let Some(word) = std::ptr::NonNull::new(unsafe { *argv.add(words.len()) }.cast_mut()) {
            // SAFETY: the place holds a C string, which lives as long as the process and does not change.
            words.push(unsafe { CStr::from_ptr(word.as_ptr()) }.to_bytes());
        }
    }
    fake_nvidia_container_cli::main_with(&words, restore)
}

/// Restores the default action of a signal.
#[expect(unsafe_code, reason = "only a raw call changes what a signal does")]
fn restore(signal: Signal) {
    // SAFETY: the default action is no function, so nothing runs when the signal comes.
    let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
}
