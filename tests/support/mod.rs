//! What the tests share: a case as data ([`scene`]), put on disk ([`tree`]) and run with the real programs ([`run`]), or
//! put in memory ([`memory`]) and run through the pure core ([`core`]). Must not know what the right outcome is, except
//! where a module says so ([`expected`], [`recorded`]).

pub mod base64;
pub mod bless;
pub mod case;
pub mod core;
pub mod differences;
pub mod expected;
pub mod explained;
pub mod host_toml;
pub mod launch;
pub mod ldcache;
pub mod memory;
pub mod other_hook;
pub mod outcome;
pub mod programs;
pub mod recorded;
pub mod run;
pub mod scene;
pub mod schema;
pub mod tree;
