//! Puts a scene on disk: a directory tree that stands for the machine. A scene can come from anyone, as in
//! `nvidia-hookctl replay`: whatever names and links it has, nothing is made or changed outside the tree. Must not
//! start anything.

use std::fs;
use std::io::{self, Write};
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
        let place = place(root, path).with_context(|| format!("make the folder of {path}"))?;
        put(path, &place, node, cli).with_context(|| format!("make {path}"))?;
    }
    folder(root, &scene.cwd).with_context(|| format!("make {}", scene.cwd))?;
    // Permissions come last, and children first: a directory can forbid work that is still to be done in it.
    let mut modes: Vec<_> = scene.files.iter().filter_map(|(path, node)| Some((path, mode(node)?))).collect();
    modes.sort_by_key(|(path, _)| std::cmp::Reverse(path.matches('/').count()));
    for (path, mode) in modes {
        set_mode(&place(root, path)?, mode)?;
    }
    Ok(())
}

/// Where a path of a scene is made, in a folder of the tree, which is made if missing. The last name is not resolved.
///
/// # Errors
/// `..` in the path, or a link on the way that leads out of the tree.
pub fn place(root: &Path, path: &str) -> Result<PathBuf> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "" | "." => folder(root, path),
        ".." => bail!("{path} leads out of the tree"),
        name => Ok(folder(root, folders)?.join(name)),
    }
}

/// A folder of the tree, made if missing.
fn folder(root: &Path, path: &str) -> Result<PathBuf> {
    let top = root.canonicalize()?;
    let mut place = top.clone();
    for name in path.split('/').filter(|name| !["", "."].contains(name)) {
        place.push(name);
        match place.symlink_metadata() {
            // Below a folder without links in its path, only a link leads elsewhere.
            Ok(found) if found.is_symlink() => place = place.canonicalize()?,
            Ok(_) => {}
            Err(_) => fs::create_dir(&place)?,
        }
        if name == ".." || !place.starts_with(&top) {
            bail!("{path} leads out of the tree");
        }
    }
    Ok(place)
}

/// Gives a file or directory these permissions, whatever the user's umask is.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("set the permissions of {}", path.display()))
}

fn put(path: &str, place: &Path, node: &Node, cli: &Path) -> Result<()> {
    match node {
        // Fails if anything is there already: no link is followed.
        Node::File { content, .. } => fs::File::create_new(place)?.write_all(content)?,
        // A hard link, because copying the program for each case would take longer than the cases.
        Node::Cli { mode: 0o755 } if fs::hard_link(cli, place).is_ok() => {}
        Node::Cli { .. } => drop(io::copy(&mut fs::File::open(cli)?, &mut fs::File::create_new(place)?)?),
        Node::Directory { .. } if place.symlink_metadata().is_ok_and(|found| found.is_dir()) => {}
        Node::Directory { .. } => fs::create_dir(place)?,
        // Upwards to the root and down again, so that the link leads nowhere else, wherever the root is.
        Node::Symlink(target) if target.starts_with('/') => {
            let up = "../".repeat(path.matches('/').count().saturating_sub(1));
            symlink(up + target.trim_start_matches('/'), place)?;
        }
        Node::Symlink(target) => symlink(target, place)?,
        Node::Fifo => nix::unistd::mkfifo(place, Mode::from_bits_truncate(0o644))?,
        Node::Fails(_) => bail!("{UNMAKABLE}"),
        Node::Zeros(size) => fs::File::create_new(place)?.set_len(*size)?,
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

/// Removes a tree, whatever its permissions are.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, Node)], cwd: &str) -> (tempfile::TempDir, Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        let files = files.iter().map(|(path, node)| ((*path).to_owned(), node.clone())).collect();
        let scene = Scene { files, cwd: cwd.to_owned(), ..Scene::default() };
        let result = make(&folder.path().join("root"), &scene, Path::new("/nothing"));
        (folder, result)
    }

    #[test]
    fn nothing_is_made_outside_of_the_tree() {
        let file = || Node::File { content: b"x".to_vec(), mode: 0o644 };
        let link = |target: &str| Node::Symlink(target.to_owned());
        for files in [
            vec![("/a", link("../outside")), ("/a/new", file())],
            vec![("/a", link("../outside/new")), ("/a", file())],
            vec![("/a", link("../outside/new")), ("/a/b", file())],
            vec![("/../outside/new", file())],
            vec![("/a/../../outside/new", file())],
            vec![("/a", link("../outside")), ("/a", Node::Directory { mode: 0o700 })],
            vec![("/a", link("../outside")), ("/a/new", Node::Zeros(1))],
            vec![("/a", link("../outside")), ("/a/new", Node::Fifo)],
            vec![("/a", link("../outside")), ("/a/new", link("/"))],
            vec![("/a", link("..")), ("/a/new/b", file())],
        ] {
            let names: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            let (folder, result) = made(&files, "/");
            assert!(result.is_err(), "{names:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{names:?}");
            assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 0, "{names:?}");
        }
        assert!(made(&[], "/../outside/new").1.is_err());
    }

    #[test]
    fn links_within_the_tree_are_followed() {
        let file = Node::File { content: b"x".to_vec(), mode: 0o600 };
        let files = [
            ("/usr/lib", Node::Directory { mode: 0o755 }),
            ("/lib", Node::Symlink("usr/lib".to_owned())),
            ("/lib/a", file),
        ];
        let (folder, result) = made(&files, "/lib/./work");
        result.unwrap();
        assert_eq!(fs::read(folder.path().join("root/usr/lib/a")).unwrap(), b"x");
        assert!(folder.path().join("root/usr/lib/work").is_dir());
    }
}
