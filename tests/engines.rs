//! The scenarios of fixtures/engines under each engine: the engine starts the hook, the hook starts the simulator, and
//! the container looks around. A test is one scenario under one engine. What an engine cannot do, and an engine that is
//! not installed, is skipped with its reason; the results are compared with docs/engines.md. Needs root and what
//! `.ci/run` installs. Must not look into the hook, only at what an engine, its user and a container see.
//!
//! `cargo test --features engines --test engines [ENGINE/SCENARIO]`; with `BLESS=1` it writes docs/engines.md. With
//! `NVIDIA_HOOK_ENGINES_CGROUP=2` engines find only version 2 of control groups, even on a machine that has both.
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and a skip says why"
)]

mod engines {
    pub mod calls;
    pub mod containerd;
    pub mod docker;
    pub mod document;
    pub mod engine;
    pub mod host;
    pub mod hpc;
    pub mod image;
    pub mod judge;
    pub mod look;
    pub mod lxc;
    pub mod machine;
    pub mod oci;
    pub mod podman;
    pub mod runner;
    pub mod sandbox;
    pub mod scenario;
}

fn main() -> std::process::ExitCode {
    // Engines that call a runtime of ours call this program by that name.
    if let Some(code) = engines::oci::wrapping_runtime() {
        return code;
    }
    if let Some(code) = engines::sandbox::enter() {
        return code;
    }
    engines::runner::run()
}
