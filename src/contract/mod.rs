//! The words of the contract: configuration keys, variables, driver capabilities, CDI names, the versions of the
//! executed program, and where a value came from. Values only: no input or output, and no decision about a container.

pub mod capabilities;
pub mod cdi;
pub mod cli_version;
pub mod keys;
pub mod origin;
pub mod variables;

/// The release of the NVIDIA Container Toolkit whose contract the hook keeps, for inventories that look for releases
/// with known faults. docs/differences.md lists the deliberate differences.
pub const TOOLKIT_RELEASE: &str = "1.20.0";
