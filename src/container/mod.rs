//! The container as its runtime describes it: the state on standard input and the bundle's `config.json`
//! (OCI runtime specification, "State" and "Configuration"). Must not know the hook's configuration.

pub mod image;
mod json_dialect;
pub mod mounts;
mod privilege;
pub mod spec;
pub mod state;

pub use image::ImageEnvironment;
pub use spec::Spec;
pub use state::State;
