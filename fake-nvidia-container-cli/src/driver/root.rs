//! The driver root of `--root`, as the driver query finds it: an existing folder of the host, which contains a driver
//! if it contains anything.
//!
//! An empty folder represents the root of the described machine, whose contents are in the topology.

use crate::rootfs::{Root, words};
use nix::errno::Errno;
use nix::unistd::AccessFlags;

/// Where distributions keep the library that the query loads.
const FOLDERS: [&str; 6] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib", "/lib"];

/// Checks whether the driver below a root can be queried. The error is the detail of a message.
pub fn check(root: &str) -> Result<(), String> {
    let file = nvidia_simulated_machine::text::path(root);
    let kind = nix::sys::stat::stat(&file).and_then(|stat| match stat.st_mode & 0o170_000 {
        0o040_000 => Ok(()),
        _ => Err(Errno::ENOTDIR),
    });
    let enter = || nix::unistd::access(&file, AccessFlags::X_OK);
    kind.and_then(|()| enter()).map_err(|why| format!("change root failed: {}", words(why)))?;
    let Ok(root) = Root::open(root, root) else { return Ok(()) };
    if is_the_machines(&file) || root.is_empty() {
        return Ok(());
    }
    let is_library = |name: &String| name.starts_with("libnvidia-ml.so.");
    if !FOLDERS.iter().any(|folder| root.list(folder).is_ok_and(|names| names.iter().any(is_library))) {
        return Err(
            "load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory"
                .to_owned(),
        );
    }
    let loaded = ["/dev/nvidiactl", "/proc/driver/nvidia"];
    if !loaded.iter().any(|path| root.exists(path).unwrap_or_default()) {
        return Err("nvml error: driver not loaded".to_owned());
    }
    Ok(())
}

/// Whether a folder is this machine's own root, under any name.
fn is_the_machines(folder: &std::path::Path) -> bool {
    let identity = |stat: nix::sys::stat::FileStat| (stat.st_dev, stat.st_ino);
    match (nix::sys::stat::stat(folder), nix::sys::stat::stat("/")) {
        (Ok(one), Ok(other)) => identity(one) == identity(other),
        _ => false,
    }
}
