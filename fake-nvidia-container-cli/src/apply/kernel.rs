//! Mounting on handles. The kernel takes only names, so a handle is named by its number in this process's own folder of
//! descriptors, which leads to the very file that it holds.

use crate::rootfs::{DIRECTORY, Folder, number};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, readlinkat};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, fstat, fstatat, lstat};
use nix::unistd::fchdir;
use nvidia_simulated_machine::text::path;
use rustix::mount::{MoveMountFlags, move_mount};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How often a mount point that is moved again and again is looked for.
const ATTEMPTS: u32 = 1000;

/// The way to mount on handles.
#[derive(Debug)]
pub(super) struct Kernel {
    /// This process's /proc/self/fd. Inside the container, /proc is another one, or something from the image.
    descriptors: OwnedFd,
}

impl Kernel {
    /// Opens the folder of descriptors, outside of any container.
    pub(super) fn new() -> Result<Self, Errno> {
        Ok(Self { descriptors: nix::fcntl::open("/proc/self/fd", DIRECTORY, Mode::empty())? })
    }

    /// Mounts a tmpfs on a folder, and returns the folder that is there now.
    pub(super) fn tmpfs(&self, at: (&Folder, &str), options: &str, flags: MsFlags) -> Result<OwnedFd, Errno> {
        let target = at.0.pin(at.1)?;
        fchdir(&self.descriptors)?;
        mount(Some("tmpfs"), number(target.as_fd()).as_str(), Some("tmpfs"), flags, Some(options))?;
        at.0.pin(at.1).inspect_err(|_| unmount_at(at, target.as_fd()))
    }

    /// Bind-mounts a source on a name in a folder, with flags, and returns a handle to the mounted file or folder.
    pub(super) fn bind(&self, source: BorrowedFd<'_>, at: (&Folder, &str), flags: MsFlags) -> Result<OwnedFd, Errno> {
        let target = at.0.pin(at.1)?;
        let wanted = identity(source)?;
        fchdir(&self.descriptors)?;
        let (from, to) = (number(source), number(target.as_fd()));
        mount(Some(from.as_str()), to.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        let mounted = at.0.pin(at.1).inspect_err(|_| unmount_at(at, target.as_fd()))?;
        // The flags are set on a name that is looked up again, so only if it still shows the source. If not, somebody
        // has moved the mount point away, and with it the mount.
        if identity(mounted.as_fd())? != wanted {
            self.unmount_moved(target.as_fd(), wanted);
            return Err(Errno::ESTALE);
        }
        self.set(mounted.as_fd(), flags)?;
        Ok(mounted)
    }

    /// Mounts a tree that was taken from another mount namespace on a name in a folder, with flags.
    pub(super) fn attach(&self, tree: BorrowedFd<'_>, at: (&Folder, &str), flags: MsFlags) -> Result<(), Errno> {
        let target = at.0.pin(at.1)?;
        fchdir(&self.descriptors)?;
        let by_handles = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(tree, "", target.as_fd(), "", by_handles).map_err(|why| Errno::from_raw(why.raw_os_error()))?;
        self.set(tree, flags)
    }

    /// Sets the flags of a mount, or unmounts it.
    fn set(&self, mounted: BorrowedFd<'_>, flags: MsFlags) -> Result<(), Errno> {
        let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags;
        let set = mount(None::<&str>, number(mounted).as_str(), None::<&str>, again, None::<&str>);
        set.inspect_err(|_| self.unmount(mounted))
    }

    /// Unmounts a source from a mount point that somebody has moved away, and may move again meanwhile.
    fn unmount_moved(&self, target: BorrowedFd<'_>, source: (u64, u64)) {
        for _ in 0..ATTEMPTS {
            let Ok(at) = readlinkat(&self.descriptors, number(target).as_str()) else { return };
            let shown = lstat(at.as_os_str());
            let is_source = shown.is_ok_and(|shown| (shown.st_dev, shown.st_ino) == source);
            let flags = MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW;
            if is_source && umount2(at.as_os_str(), flags).is_ok() {
                return;
            }
        }
    }

    /// Unmounts what [`Kernel::tmpfs`] or [`Kernel::bind`] returned.
    pub(super) fn unmount(&self, mounted: BorrowedFd<'_>) {
        let _ = fchdir(&self.descriptors);
        let _ = umount2(number(mounted).as_str(), MntFlags::MNT_DETACH);
    }
}

/// Unmounts what was just mounted on a name, if no handle to it could be opened. A name that still shows the mount point
/// itself has nothing mounted on it.
fn unmount_at((folder, name): (&Folder, &str), target: BorrowedFd<'_>) {
    let name = path(name);
    let shown = fstatat(folder.handle(), &name, AtFlags::AT_SYMLINK_NOFOLLOW);
    let is_mounted = shown.is_ok_and(|shown| identity(target) != Ok((shown.st_dev, shown.st_ino)));
    if is_mounted && fchdir(folder.handle()).is_ok() {
        let _ = umount2(&name, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW);
    }
}

/// The device and inode, which tell one file from another.
fn identity(handle: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    fstat(handle).map(|stat| (stat.st_dev, stat.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_file_is_told_from_every_other() {
        let top = tempfile::tempdir().unwrap();
        for name in ["one", "another"] {
            std::fs::write(top.path().join(name), "").unwrap();
            let file = std::fs::File::open(top.path().join(name)).unwrap();
            let status = file.metadata().unwrap();
            assert_eq!(identity(file.as_fd()), Ok((status.dev(), status.ino())));
        }
    }
}
