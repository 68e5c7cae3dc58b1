//! The same paths on a real machine. Compiled with the feature `hardware` only, and then never green by accident: what is
//! missing is a failure that says what.
//!
//! - `start`: the hook and the real nvidia-container-cli give containers what they ask for;
//! - `driver`: doctor says of the machine what nvidia-smi says, and the simulator, given the same machine, what the driver does.
//!
//! `cargo test --features hardware --test hardware`; `... hardware::driver` alone needs no nvidia-container-cli and no root. Nothing here
//! changes a setting of a GPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests make the world that the hook reads")]

mod hardware {
    mod driver;
    mod start;
}
