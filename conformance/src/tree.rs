//! Puts a scene on disk: a directory tree that stands for the machine. Must not start anything.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::stat::Mode;

use crate::scene::{Node, Scene};

/// Why a scene in which something fails cannot be run.
pub const UNMAKABLE: &str = "no tree on disk can be made to fail like this";

/// The path of a scene below a root.
pub fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Makes the tree of a scene below `root`, with `cli` as nvidia-container-cli.
pub fn make(root: &Path, scene: &Scene, cli: &Path) -> Result<()> {
    for (path, node) in &scene.files {
        let place = below(root, path);
        fs::create_dir_all(place.parent().unwrap_or(root)).with_context(|| format!("make the folder of {path}"))?;
        put(path, &place, node, cli).with_context(|| format!("make {path}"))?;
    }
    fs::create_dir_all(below(root, &scene.cwd)).with_context(|| format!("make {}", scene.cwd))?;
    // Last, and children first: a directory may forbid what is still to be done in it.
    let mut modes: Vec<_> = scene.files.iter().filter_map(|(path, node)| Some((path, mode(node)?))).collect();
    modes.sort_by_key(|(path, _)| std::cmp::Reverse(path.matches('/').count()));
    for (path, mode) in modes {
        set_mode(&below(root, path), mode)?;
    }
    Ok(())
}

/// Gives a file or directory these permissions, whatever the mask of the user is.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("set the permissions of {}", path.display()))
}

fn put(path: &str, place: &Path, node: &Node, cli: &Path) -> Result<()> {
    match node {
        Node::File { content, .. } => fs::write(place, content)?,
        // A link, since copying the program for each case would take longer than the cases.
        Node::Cli { mode: 0o755 } if fs::hard_link(cli, place).is_ok() => {}
        Node::Cli { .. } => drop(fs::copy(cli, place)?),
        Node::Directory { .. } => fs::create_dir_all(place)?,
        // Upwards to the root and down again, so that the link leads nowhere else, wherever the root is.
        Node::Symlink(target) if target.starts_with('/') => {
            let up = "../".repeat(path.matches('/').count().saturating_sub(1));
            symlink(up + target.trim_start_matches('/'), place)?;
        }
        Node::Symlink(target) => symlink(target, place)?,
        Node::Fifo => nix::unistd::mkfifo(place, Mode::from_bits_truncate(0o644))?,
        Node::Fails(_) => bail!("{UNMAKABLE}"),
        Node::Zeros(size) => fs::File::create(place)?.set_len(*size)?,
    }
    Ok(())
}

fn mode(node: &Node) -> Option<u32> {
    match node {
        Node::File { mode, .. } | Node::Directory { mode } => Some(*mode),
        Node::Cli { mode } => Some(*mode).filter(|mode| *mode != 0o755),
        Node::Symlink(_) | Node::Fifo | Node::Fails(_) | Node::Zeros(_) => None,
    }
}

/// Removes a tree, whatever its permissions say.
pub fn remove(root: &Path) {
    if fs::remove_dir_all(root).is_err() {
        unlock(root);
        let _ = fs::remove_dir_all(root);
    }
}

fn unlock(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            unlock(&entry.path());
        }
    }
}
