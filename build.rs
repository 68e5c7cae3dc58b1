//! Passes the function order in `src/start.ld` to the linker of a static program. Must not know anything else.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "cargo speaks to a build script that way")]

/// Only static programs get the script: a program that loads its C library contains none of that library's code to
/// order, and has little to gain.
fn main() {
    println!("cargo::rerun-if-changed=src/start.ld");
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bins=-T{}/src/start.ld", env!("CARGO_MANIFEST_DIR"));
    }
}
