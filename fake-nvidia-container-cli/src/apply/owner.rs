//! Makes files as another user: in a user namespace that an engine made, a file of this process's own user cannot even
//! exist.

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, getegid, geteuid, setfsgid, setfsuid};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Does something as the user and group that own the container's process.
pub(super) fn as_owner<T>(owner: Option<(u32, u32)>, work: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    let own = (geteuid().as_raw(), getegid().as_raw());
    let Some(owner) = owner.filter(|owner| *owner != own) else { return work() };
    let done = become_user(owner).and_then(|()| work());
    become_user(own)?;
    done
}

fn become_user((user, group): (u32, u32)) -> Result<(), Errno> {
    setfsgid(Gid::from_raw(group));
    setfsuid(Uid::from_raw(user));
    // Neither call reports an error; a second one, which changes nothing, returns what the first one set.
    let now = (setfsuid(Uid::from_raw(u32::MAX)).as_raw(), setfsgid(Gid::from_raw(u32::MAX)).as_raw());
    if now != (user, group) {
        return Err(Errno::EPERM);
    }
    // The kernel has taken away the right to override modes, which an image's folders may need even from their own
    // user.
    if let Ok(mut sets) = capabilities(None)
        && sets.permitted.contains(CapabilitySet::DAC_OVERRIDE)
        && !sets.effective.contains(CapabilitySet::DAC_OVERRIDE)
    {
        sets.effective |= CapabilitySet::DAC_OVERRIDE;
        set_capabilities(None, sets).map_err(|why| Errno::from_raw(why.raw_os_error()))?;
    }
    Ok(())
}
