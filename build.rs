//! Hands the order of functions to the linker of a static program. Must not know anything else.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "cargo speaks to a build script that way")]

/// A program that loads its C library has nothing of it to order, and little to gain: only static ones get the script.
fn main() {
    println!("cargo::rerun-if-changed=src/start.ld");
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bins=-T{}/src/start.ld", env!("CARGO_MANIFEST_DIR"));
    }
}
