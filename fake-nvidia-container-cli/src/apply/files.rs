//! The files and folders of a plan, without mounting anything. It needs no privilege, and the tree can be inspected.

use super::creation;
use crate::outcome::Stop;
use crate::plan::{Action, Kind, Op, Plan};
use crate::rootfs::{Ledger, Root};
use nix::errno::Errno;
use nvidia_simulated_machine::text::bytes;

/// Makes everything that would appear in the container's root.
pub fn files(plan: &Plan, root: &Root) -> Result<(), Stop> {
    let mut ledger = Ledger::blank();
    plan.actions.iter().try_for_each(|action| make(action, root, &mut ledger))
}

/// Makes what one action leaves in the container's files; a mount leaves its mount point.
pub(super) fn make(action: &Action, root: &Root, ledger: &mut Ledger) -> Result<(), Stop> {
    let at = match action {
        Action::Folder(at) | Action::Remove(at) | Action::Link { at, .. } | Action::File { at, .. } => at,
        Action::Op(Op::Tmpfs { dst, .. } | Op::Bind { dst, .. }) => dst,
        Action::Op(_) => return Ok(()),
    };
    let inner = root.inside(at).unwrap_or_default();
    make_at(action, inner, root, ledger).map_err(|why| creation(at, why))
}

fn make_at(action: &Action, inner: &str, root: &Root, ledger: &mut Ledger) -> Result<(), Errno> {
    if let Action::Remove(_) = action {
        if let Ok((folder, name)) = root.place(inner, None) {
            folder.remove_empty(&name);
        }
        return Ok(());
    }
    if inner.trim_matches('/').is_empty() {
        // The root itself exists.
        return Ok(());
    }
    let (folder, name) = root.place(inner, Some(ledger))?;
    match action {
        Action::Folder(_) | Action::Op(Op::Tmpfs { .. }) => folder.make_folder(&name, 0o755, ledger),
        Action::Op(Op::Bind { kind: Kind::Folder | Kind::GpuFolder(_), .. }) => {
            folder.make_folder(&name, 0o755, ledger)
        }
        Action::Op(Op::Bind { kind, .. }) => folder.touch(&name, kind.mode(), ledger),
        Action::Link { to, .. } => folder.link(&name, to, ledger),
        Action::File { content, mode, .. } => folder.write(&name, &bytes(content), *mode, ledger),
        Action::Op(_) | Action::Remove(_) => Ok(()),
    }
}
