//! What the tests and benches of the hook share and what knows the hook's library: a scene decided by the pure core
//! ([`core`]) on a machine in memory ([`memory`]). Where programs and fixtures are ([`programs`]) is here as well, and
//! machines of case folders on disk ([`machine`]), and daemons that engines need ([`daemon`]). Cases, and running them, are `nvidia-hook-conformance`.

pub mod core;
pub mod daemon;
pub mod machine;
pub mod memory;
pub mod programs;
