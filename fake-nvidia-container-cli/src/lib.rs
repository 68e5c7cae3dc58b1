//! A stand-in for `nvidia-container-cli` on simulated GPUs.
//!
//! The path of a run is [`main`]: look at the process, read the settings, read the command line, take the steps of the
//! real program in its order, apply the plan, record, end. Each step is a module; none of them knows the hook.

pub mod apply;
pub mod argp;
pub mod cdi;
pub mod cli;
pub mod debug_log;
pub mod driver;
pub mod driver_root;
pub mod failure;
pub mod libraries;
pub mod outcome;
pub mod plan;
pub mod record;
pub mod replace;
pub mod rootfs;
mod run;
pub mod settings;
pub mod simulate;
pub mod smi;
pub mod verbs;

pub use run::{main, main_with};
