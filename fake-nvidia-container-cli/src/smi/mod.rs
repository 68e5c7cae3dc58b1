//! The stand-in for `nvidia-smi`: this program under that name, answering for the devices of the place it runs in.
//!
//! In a container it reads what the container was given; elsewhere it shows the whole machine of the settings. What it
//! prints is data: `data/layouts.toml` has the tables by driver branch, `data/log.txt` the tree of `-q` and `-x`,
//! `data/fields.txt` and `data/queries.txt` the fields of queries, `data/rest.toml` the subcommands without a module
//! here. It does not know nvidia-container-cli's options.

mod answer;
mod change;
mod clocks;
mod csv;
mod dtd;
mod failing;
mod given;
mod help;
mod layout;
mod log;
mod mig;
mod monitor;
mod nvlink;
mod options;
mod rest;
mod scene;
mod store;
mod table;
mod text;
mod topo;
mod tree;
mod words;

pub use answer::run;
pub use failing::asked;
pub use given::Given;
pub use scene::Host;
pub use store::{DEFAULT as CHANGES, Lost, Store};

use crate::outcome::{Outcome, Stop};

/// The folder of the stand-ins, below /proc/driver.
pub const FOLDER: &str = ".fake-nvidia";
/// The file in it that says what a container was given.
pub const FILE: &str = "given.json";
/// The file beside it in which changes are kept.
pub const STATE: &str = "state.json";

fn ok(stdout: String) -> Outcome {
    Outcome { stdout, ..Outcome::default() }
}

/// nvidia-smi reports its errors on standard output.
fn told(what: &str, exit: i32) -> Outcome {
    Outcome { stdout: format!("{what}\n"), exit, ..Outcome::default() }
}

/// A fault of the simulator or of its settings.
fn internal(why: String) -> Outcome {
    Stop::Internal(why).outcome("")
}
