//! Puts a scene on disk: a directory tree that stands for the machine. Must not start anything.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;

use super::scene::{Node, Scene};

/// The path of a scene below a root.
pub fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Makes the tree of a scene below `root`, with `cli` as nvidia-container-cli.
pub fn make(root: &Path, scene: &Scene, cli: &Path) {
    for (path, node) in &scene.files {
        let place = below(root, path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        put(path, &place, node, cli);
    }
    fs::create_dir_all(below(root, &scene.cwd)).unwrap();
    // Last, and children first: a directory may forbid what is still to be done in it.
    let mut modes: Vec<_> = scene.files.iter().filter_map(|(path, node)| Some((path, mode(node)?))).collect();
    modes.sort_by_key(|(path, _)| std::cmp::Reverse(path.matches('/').count()));
    for (path, mode) in modes {
        fs::set_permissions(below(root, path), fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn put(path: &str, place: &Path, node: &Node, cli: &Path) {
    match node {
        Node::File { content, .. } => fs::write(place, content).unwrap(),
        // A link, since copying the program for each case would take longer than the cases.
        Node::Cli { mode: 0o755 } if fs::hard_link(cli, place).is_ok() => {}
        Node::Cli { .. } => drop(fs::copy(cli, place).unwrap()),
        Node::Directory { .. } => fs::create_dir_all(place).unwrap(),
        // Upwards to the root and down again, so that the link leads nowhere else, wherever the root is.
        Node::Symlink(target) if target.starts_with('/') => {
            symlink("../".repeat(path.matches('/').count() - 1) + target.trim_start_matches('/'), place).unwrap();
        }
        Node::Symlink(target) => symlink(target, place).unwrap(),
        Node::Fifo => nix::unistd::mkfifo(place, Mode::from_bits_truncate(0o644)).unwrap(),
    }
}

fn mode(node: &Node) -> Option<u32> {
    match node {
        Node::File { mode, .. } | Node::Directory { mode } => Some(*mode),
        Node::Cli { mode } => Some(*mode).filter(|mode| *mode != 0o755),
        Node::Symlink(_) | Node::Fifo => None,
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
