//! The contract of `nvidia-container-runtime-hook` as data, and the code that runs any hook over it.
//!
//! [`fixtures`] holds the files; [`case`] and [`recorded`] make [`scene`]s and expectations of them. [`run`] puts a
//! scene on disk and starts the hook in it, [`judge`] says what is wrong with the [`outcome`], and [`report`] reports
//! it. [`program`] puts these together. Nothing here knows this project's hook library: a hook is a program to start.

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
mod talk;
pub mod tree;
mod trees;
