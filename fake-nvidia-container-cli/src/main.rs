//! The program `fake-nvidia-container-cli`: its entry, and nothing else; all of it is in the library beside this file.
//!
//! The entry is C's `main`, because Rust's own start-up code changes what a record must tell: it sets SIGPIPE to
//! ignored and opens closed descriptors, so a hook that leaks either could not be caught.
#![no_main]

/// What the C library calls first.
// SAFETY: `main` is the one symbol of this name in the program, and has the signature that the C library expects.
#[expect(unsafe_code, reason = "an exported symbol named main is the only way past Rust's start-up code")]
#[unsafe(no_mangle)]
pub extern "C" fn main(_argc: i32, _argv: *const *const u8) -> i32 {
    fake_nvidia_container_cli::main()
}
