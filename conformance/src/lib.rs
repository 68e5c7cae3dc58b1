//! The contract of `nvidia-container-runtime-hook` as data, and what runs any hook over it.
//!
//! [`fixtures`] are files; [`case`] and [`recorded`] make [`scene`]s and expectations of them; [`run`] puts a scene on
//! disk and starts the hook in it; [`judge`] says what of the [`outcome`] is wrong; [`report`] tells it. [`program`]
//! puts these together. Nothing here knows
//! the library of this project's hook: a hook is a program that is started.

pub mod arguments;
pub mod case;
pub mod elf;
pub mod entry;
pub mod expected;
pub mod fixtures;
pub mod host_toml;
pub mod judge;
pub mod launch;
mod ldcache;
pub mod outcome;
pub mod overrides;
mod private_root;
pub mod program;
pub mod recorded;
pub mod release;
pub mod report;
pub mod requirement;
pub mod rules;
pub mod run;
pub mod scene;
mod snapshot;
pub mod subject;
pub mod tree;
mod trees;
