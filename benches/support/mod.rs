//! What the benches share: scenarios, the programs that are compared, and generated input. Measures nothing itself.
#![allow(dead_code, reason = "each bench uses its part")]

pub mod large;
pub mod plot;
pub mod programs;
pub mod random;
pub mod scenario;

/// Any failure of a bench, in words.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The directory of the repository's benches.
#[must_use]
pub fn benches() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches")
}
