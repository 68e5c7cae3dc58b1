//! The process that becomes ldconfig: it enters the container, confines itself there, gives up its rights, and
//! executes. The steps and their order are the real program's, since an image's ldconfig, or the host's on an image's
//! files, is no more trustworthy here than there.
//!
//! It knows what its parent wrote on its command line, and nothing about plans.

use super::calls;
use crate::rootfs::{DIRECTORY, Root};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{
    Gid, Uid, chroot, close, execve, fchdir, fexecve, pivot_root, setgroups, setresgid, setresuid, symlinkat,
};
use nvidia_simulated_machine::text::Text;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, capabilities, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits, set_no_new_privs,
};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// What the parent wrote on the command line.
struct Order {
    namespace: OwnedFd,
    host: Option<OwnedFd>,
    rootfs: Text,
    identity: (u64, u64),
    user: u32,
    group: u32,
    pivot: bool,
    /// The program's path and the folders to look into.
    words: Vec<Text>,
}

/// Becomes ldconfig, or returns the exit code of a process that could not. A file that is missing in the container is
/// not a failure: the container then has no libraries to find.
#[must_use]
pub fn confined(words: &[Text]) -> i32 {
    close_all_but(words);
    match read(words).ok_or(Errno::EINVAL).and_then(|order| become_it(&order)) {
        Ok(()) | Err(Errno::ENOENT) => 0,
        Err(_) => 1,
    }
}

/// Closes descriptors that an engine may have left open: ldconfig needs none of them, and the image's own ldconfig must
/// not get them.
fn close_all_but(words: &[Text]) {
    let kept: Vec<i32> = words.iter().take(2).filter_map(|number| number.parse().ok()).collect();
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for number in open.into_iter().filter(|number| *number > 2 && !kept.contains(number)) {
        let _ = close(number);
    }
}

fn read(words: &[Text]) -> Option<Order> {
    let [namespace, host, rootfs, device, file, user, group, way, rest @ ..] = words else { return None };
    let handle = |number: &Text| -> Option<OwnedFd> {
        let number = number.parse::<i32>().ok()?;
        // Reopened so that it closes on exec; the inherited one is closed now.
        let name = format!("/proc/self/fd/{number}");
        let handle = open(name.as_str(), OFlag::O_CLOEXEC, Mode::empty()).ok();
        let _ = close(number);
        handle
    };
    Some(Order {
        namespace: handle(namespace)?,
        host: if host.as_str() == "-" { None } else { Some(handle(host)?) },
        rootfs: rootfs.clone(),
        identity: (device.parse().ok()?, file.parse().ok()?),
        user: user.parse().ok()?,
        group: group.parse().ok()?,
        pivot: way.as_str() == "pivot",
        words: rest.to_vec(),
    })
}

fn become_it(order: &Order) -> Result<(), Errno> {
    setns(&order.namespace, CloneFlags::CLONE_NEWNS)?;
    drop_bounds(order)?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC)?;
    change_root(order)?;
    hide(order)?;
    limit()?;
    drop_user(order)?;
    calls::limit()?;
    execute(order)
}

/// Drops the capabilities that an exec could still give, except the one that some distributions need for reading
/// folders.
fn drop_bounds(order: &Order) -> Result<(), Errno> {
    let kept = if order.host.is_some() { CapabilitySet::DAC_OVERRIDE } else { CapabilitySet::empty() };
    let mut sets = capabilities(None).map_err(errno)?;
    sets.inheritable = kept & sets.permitted;
    set_capabilities(None, sets).map_err(errno)?;
    if order.user != 0 && !sets.inheritable.is_empty() {
        // ldconfig may work without it; the real program goes on too.
        let _ = configure_capability_in_ambient_set(CapabilitySet::DAC_OVERRIDE, true);
    }
    for bit in 0..64 {
        let Some(one) = CapabilitySet::from_bits(1 << bit) else { continue };
        match remove_capability_from_bounding_set(one) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(why) => return Err(errno(why)),
        }
    }
    Ok(())
}

/// Makes the container's root this process's own, in a mount namespace that nothing else sees.
fn change_root(order: &Order) -> Result<(), Errno> {
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_PRIVATE | MsFlags::MS_REC, nothing)?;
    fchdir(root(order)?)?;
    mount(Some("."), ".", nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)?;
    let new = root(order)?;
    if order.pivot {
        let old = open("/", DIRECTORY, Mode::empty())?;
        fchdir(&new)?;
        pivot_root(".", ".")?;
        fchdir(old)?;
        umount2(".", MntFlags::MNT_DETACH)?;
        fchdir(new)?;
    } else {
        fchdir(&new)?;
        mount(Some("."), "/", nothing, MsFlags::MS_MOVE, nothing)?;
    }
    chroot(".")?;
    std::env::set_current_dir("/").map_err(|why| Errno::from_raw(why.raw_os_error().unwrap_or_default()))
}

/// The container's root as this namespace shows it: looked up by its name, and accepted only if it is the one that the
/// parent holds.
fn root(order: &Order) -> Result<OwnedFd, Errno> {
    let root = Root::open("/", "/").and_then(|view| view.open_below(&order.rootfs)).map_err(|_| Errno::ENOENT)?;
    let handle = root.handle().ok_or(Errno::ENOENT)?;
    let found = fstat(handle)?;
    if (found.st_dev, found.st_ino) != order.identity {
        return Err(Errno::ESTALE);
    }
    handle.try_clone_to_owned().map_err(|why| Errno::from_raw(why.raw_os_error().unwrap_or_default()))
}

/// Hides what an ldconfig has no business with. The host's is executed by its handle, for which the C library may need
/// /proc. It gets its own, which shows no other process.
fn hide(order: &Order) -> Result<(), Errno> {
    let nothing = None::<&str>;
    let read_only = MsFlags::MS_RDONLY;
    let proc = order.host.as_ref().map(|_| mount(nothing, "/proc", Some("proc"), read_only, nothing));
    match proc {
        Some(Ok(())) => {}
        // A user namespace can forbid a new /proc; most C libraries do without.
        None | Some(Err(Errno::EPERM)) => mount(nothing, "/proc", Some("tmpfs"), read_only, nothing)?,
        Some(Err(why)) => return Err(why),
    }
    mount(nothing, "/sys", Some("tmpfs"), read_only, nothing)?;
    mount(nothing, "/dev", Some("tmpfs"), MsFlags::empty(), nothing)?;
    let dev = open("/dev", DIRECTORY, Mode::empty())?;
    symlinkat("/proc/self/fd", &dev, "fd")?;
    mount(nothing, "/dev", Some("tmpfs"), MsFlags::MS_REMOUNT | read_only, nothing)
}

fn limit() -> Result<(), Errno> {
    const MIB: u64 = 1024 * 1024;
    let limits = [
        (Resource::RLIMIT_CPU, 10),
        (Resource::RLIMIT_AS, 2048 * MIB),
        (Resource::RLIMIT_NOFILE, 64),
        (Resource::RLIMIT_FSIZE, 2 * MIB),
    ];
    limits.into_iter().try_for_each(|(what, limit)| setrlimit(what, limit, limit))
}

/// Becomes the user that owns the container's process, for good.
fn drop_user(order: &Order) -> Result<(), Errno> {
    if order.user != 0 {
        let _ = set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP);
    }
    let (user, group) = (Uid::from_raw(order.user), Gid::from_raw(order.group));
    // A user namespace can forbid this; then there are no groups to lose.
    match setgroups(&[group]) {
        Ok(()) | Err(Errno::EPERM) => {}
        Err(why) => return Err(why),
    }
    setresgid(group, group, group)?;
    setresuid(user, user, user)?;
    set_no_new_privs(true).map_err(errno)
}

fn execute(order: &Order) -> Result<(), Errno> {
    let string = |word: &str| CString::new(nvidia_simulated_machine::text::bytes(word)).map_err(|_| Errno::EINVAL);
    let Some((path, folders)) = order.words.split_first() else { return Err(Errno::EINVAL) };
    let mut words = vec![string(path)?];
    for word in ["-f", "/etc/ld.so.conf", "-C", "/etc/ld.so.cache"] {
        words.push(string(word)?);
    }
    for folder in folders {
        words.push(string(folder)?);
    }
    let environment: [CString; 0] = [];
    match &order.host {
        Some(host) => fexecve(host.as_fd(), &words, &environment).map(|_| ()),
        None => execve(&string(path)?, &words, &environment).map(|_| ()),
    }
}

fn errno(why: rustix::io::Errno) -> Errno {
    Errno::from_raw(why.raw_os_error())
}
