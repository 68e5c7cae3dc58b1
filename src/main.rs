//! The program `nvidia-container-runtime-hook`: a C `main`, because the startup code of Rust's runtime would make the
//! executed program ignore SIGPIPE, and costs about ten system calls. Everything else is in the library.
#![no_main]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use nvidia_container_runtime_hook::invocation::Environ;

/// The allocator. musl's own allocator calls the kernel at nearly every step of a start.
#[cfg(target_env = "musl")]
const SOURCE: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
/// The allocator.
#[cfg(not(target_env = "musl"))]
const SOURCE: std::alloc::System = std::alloc::System;

/// Allocates memory, or ends the hook as any failure does. The standard library would end it with SIGABRT.
struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

#[expect(unsafe_code, reason = "the interface of an allocator; and a message that needs none")]
// SAFETY: all calls go to an allocator, and its answers are returned as they are.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises what the allocator requires.
        given(unsafe { SOURCE.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { SOURCE.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { SOURCE.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { SOURCE.realloc(memory, layout, size) })
    }
}

/// Returns allocated memory. Without it the hook ends here, where nothing may allocate more.
fn given(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        nvidia_container_runtime_hook::run::out_of_memory();
    }
    memory
}

/// The entry point that the C runtime calls.
#[expect(unsafe_code, reason = "the linker knows it by this name, and the C runtime hands over raw pointers")]
// SAFETY: no other item of the program is called `main`.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    // SAFETY: the C runtime passes two arrays of C strings, each ended by a null pointer. They live as long as the
    // process, and nothing here changes them.
    let (argv, envp) = unsafe { (strings(argv), strings(envp)) };
    let arguments: Vec<&OsStr> = argv.iter().skip(1).map(|word| OsStr::from_bytes(word.to_bytes())).collect();
    // SAFETY: nothing here closes standard input. If the runtime has closed it, reading fails.
    let stdin = unsafe { BorrowedFd::borrow_raw(nix::libc::STDIN_FILENO) };
    // SAFETY: looks up a number that the kernel left for this process at its start. This costs no system call.
    let is_root = unsafe { nix::libc::getauxval(nix::libc::AT_EUID) } == 0;
    nvidia_container_runtime_hook::run::run(&arguments, Environ(&envp), is_root, stdin).into()
}

/// The C strings of a null-terminated array.
///
/// # Safety
/// `array` must be null, or a null-terminated array of C strings that lives as long as the process and does not change.
#[expect(unsafe_code, reason = "reads an array whose length only its end tells")]
unsafe fn strings(array: *const *const c_char) -> Vec<&'static CStr> {
    let mut strings = Vec::new();
    if !array.is_null() {
        // SAFETY: by the contract of this function, each element up to the null pointer may be read.
        while let Some(string) = std::ptr::NonNull::new(unsafe { *array.add(strings.len()) }.cast_mut()) {
            // SAFETY: by the same contract, the element is a C string.
            strings.push(unsafe { CStr::from_ptr(string.as_ptr()) });
        }
    }
    strings
}
