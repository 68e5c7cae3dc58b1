//! The same paths on a real machine. Compiled only with the feature `hardware`, and never green by accident: whatever
//! is missing is a failure that names it.
//!
//! - `start`: the hook and the real nvidia-container-cli give containers what they ask for;
//! - `driver`: doctor says what nvidia-smi says, and the simulator, given the same machine, what the driver says.
//!
//! `cargo test --features hardware --test hardware`; `... hardware::driver` alone needs neither nvidia-container-cli
//! nor root. Nothing here changes a setting of a GPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests make the world that the hook reads")]

mod hardware {
    mod driver;
    mod start;
}
