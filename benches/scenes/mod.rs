//! The containers that the benches start, as texts and on disk. Must know programs only by their paths.
#![allow(dead_code, reason = "each bench uses its part")]

pub mod grown;
pub mod large;
pub mod scenario;

/// Any failure of a bench, in words.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
