//! Code that the tests and benches of the hook share and that knows the hook's library: a scene decided by the pure
//! core ([`core`]) on a machine in memory ([`memory`]). Also where programs and fixtures are ([`programs`]), machines
//! of case folders on disk ([`machine`]), and daemons that engines need ([`daemon`]). `nvidia-hook-conformance` has the
//! cases and runs them.

pub mod core;
pub mod daemon;
pub mod machine;
pub mod memory;
pub mod programs;
