//! Doing what a plan says: as plain files for looking at, or as mounts for a container to use.
//!
//! It decides nothing; every path was resolved inside the container's root when the plan was made.

mod elf;
mod files;
mod mounts;
mod standins;

pub use files::files;
pub use mounts::mounts;
