//! The program `nvidia-container-runtime-hook`: a C `main`, since the Rust runtime's own would ignore SIGPIPE on behalf
//! of the program that is executed, and costs about ten system calls. All else is in the library.
#![no_main]

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use nvidia_container_runtime_hook::invocation::Environ;

/// The entry point that the C runtime calls.
#[expect(unsafe_code, reason = "the linker knows it by this name, and the C runtime hands over raw pointers")]
// SAFETY: no other item of the program is called `main`.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    // SAFETY: the C runtime gives two arrays of C strings, each ended by a null pointer, that live as long as the
    // process and that nothing here changes.
    let (argv, envp) = unsafe { (strings(argv), strings(envp)) };
    let arguments: Vec<&OsStr> = argv.iter().skip(1).map(|word| OsStr::from_bytes(word.to_bytes())).collect();
    // SAFETY: nothing here closes standard input. Where the runtime has closed it, reading says so.
    let stdin = unsafe { BorrowedFd::borrow_raw(nix::libc::STDIN_FILENO) };
    nvidia_container_runtime_hook::run::run(&arguments, Environ(&envp), stdin).into()
}

/// The C strings of a null-terminated array.
///
/// # Safety
/// `array` must be null, or such an array that lives as long as the process and does not change.
#[expect(unsafe_code, reason = "reads an array whose length only its end tells")]
unsafe fn strings(array: *const *const c_char) -> Vec<&'static CStr> {
    let mut strings = Vec::new();
    if !array.is_null() {
        // SAFETY: by the contract of this function each place up to the null pointer may be read.
        while let Some(string) = std::ptr::NonNull::new(unsafe { *array.add(strings.len()) }.cast_mut()) {
            // SAFETY: and holds a C string.
            strings.push(unsafe { CStr::from_ptr(string.as_ptr()) });
        }
    }
    strings
}
