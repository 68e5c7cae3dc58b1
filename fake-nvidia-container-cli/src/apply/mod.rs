//! Carries out a plan: as plain files to look at, or as mounts for a container to use.
//!
//! It decides nothing: a plan's names were resolved when it was made. It acts below the container's root through
//! handles of directories, and undoes what it did if it fails.

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

/// The error for a file or folder that cannot be made.
fn creation(path: &str, why: Errno) -> Stop {
    Stop::error(CLASS, format!("file creation failed: {path}: {}", words(why)))
}

/// The error for a mount that fails.
fn mounting(path: &str, why: Errno) -> Stop {
    Stop::error(CLASS, format!("mount operation failed: {path}: {}", words(why)))
}
