//! Doing what a plan says: as plain files for looking at, or as mounts for a container to use.
//!
//! It decides nothing: a plan's names were resolved when it was made. It acts below the container's root by handles of
//! directories, and takes back what it did when it fails.

mod cgroup;
mod files;
mod kernel;
mod ldconfig;
mod libraries;
mod live;
mod mounts;
mod namespace;
mod owner;
mod standins;

pub use files::files;
pub use ldconfig::{NAME as LDCONFIG, confined as ldconfig};
pub use libraries::{fill, given};
pub use live::Live;
pub use mounts::mounts;

use crate::outcome::Stop;
use crate::rootfs::words;
use nix::errno::Errno;

const CLASS: &str = "mount error";

/// The error about a file or folder that cannot be made.
fn creation(path: &str, why: Errno) -> Stop {
    Stop::error(CLASS, format!("file creation failed: {path}: {}", words(why)))
}

/// The error about a mount.
fn mounting(path: &str, why: Errno) -> Stop {
    Stop::error(CLASS, format!("mount operation failed: {path}: {}", words(why)))
}
