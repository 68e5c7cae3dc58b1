//! The files and folders of a plan, without mounting anything: needs no privilege, and the tree can be looked at.

use crate::plan::{Action, Kind, Op, Plan};
use nvidia_simulated_machine::text::path;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Makes everything that would appear in the container's root. The error names the path.
pub fn files(plan: &Plan) -> Result<(), String> {
    for action in &plan.actions {
        let at = match action {
            Action::Folder(at) | Action::Remove(at) | Action::Link { at, .. } | Action::File { at, .. } => at,
            Action::Op(Op::Tmpfs { dst, .. } | Op::Bind { dst, .. }) => dst,
            Action::Op(_) => continue,
        };
        let at = path(at);
        make(action, &at).map_err(|why| format!("files: {}: {why}", at.display()))?;
    }
    Ok(())
}

fn make(action: &Action, at: &Path) -> io::Result<()> {
    match action {
        Action::Folder(_) | Action::Op(Op::Tmpfs { .. }) => fs::create_dir_all(at),
        Action::Op(Op::Bind { kind: Kind::Folder | Kind::GpuFolder(_), .. }) => fs::create_dir_all(at),
        Action::Remove(_) => {
            remove(at);
            Ok(())
        }
        Action::Link { to, .. } => {
            parents(at)?;
            unless_there(symlink(to, at))
        }
        Action::File { content, .. } => {
            parents(at)?;
            OpenOptions::new().write(true).create(true).truncate(true).open(at)?.write_all(content.as_bytes())
        }
        Action::Op(_) => touch(at),
    }
}

/// Only what is empty, so that no content of an image is lost.
fn remove(at: &Path) {
    let _ = match fs::symlink_metadata(at) {
        Ok(found) if found.is_dir() => fs::remove_dir(at),
        Ok(found) if found.is_file() && found.len() == 0 => fs::remove_file(at),
        _ => Ok(()),
    };
}

/// An empty file, unless there is something.
pub(super) fn touch(at: &Path) -> io::Result<()> {
    parents(at)?;
    unless_there(OpenOptions::new().write(true).create_new(true).open(at).map(drop))
}

fn parents(at: &Path) -> io::Result<()> {
    at.parent().map_or(Ok(()), fs::create_dir_all)
}

fn unless_there(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
