//! The NVIDIA container runtime prestart hook, as a library: everything but the C entry point. All of this code runs as
//! root before every container, and the library holds no other code.
//!
//! The main path is [`prestart::decide`], a list of steps from the command line to a [`plan::Plan`]. The folders are
//! those steps: [`config`], [`container`], [`request`], [`mode`], [`plan`]. [`run`] carries out the plan.
//!
//! The library is internal to this project: nvidia-hookctl explains decisions with the code that makes them. Its
//! interface may change with any version. The contract is the program's command line, configuration and messages
//! (docs/specification.md).
//!
//! Invariants that hold across the crate:
//!
//! - *Decide, then do.* `config`, `container`, `request`, `mode`, `plan` and `error` turn values into values. Only
//!   [`host`] reads the machine, only [`exec`] replaces the process, only [`run`] prints, only [`note`] writes files.
//! - *Every argument of the plan has an origin* ([`contract::origin::Origin`]), so it can be explained.
//! - *Bad input is an [`error::Error`]*, never a panic; an error means exit status 1 and no container.
//! - *The image only chooses values of known arguments*, never an argument, a path, a program or a variable of the
//!   executed program.

/// The version of the hook whose rules this library implements.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod config;
pub mod container;
pub mod contract;
pub mod error;
pub mod exec;
pub mod host;
pub mod invocation;
pub mod mode;
pub mod note;
pub mod plan;
pub mod prestart;
pub mod request;
pub mod run;
pub mod signals;
pub mod text;
