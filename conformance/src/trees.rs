//! The trees in which scenes are run. A tree in which a start left nothing serves the next scene of the same shape:
//! only the content of its files is rewritten, because making and removing files costs more than the rest of a run.
//! Must not know what is started.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use nix::fcntl::OFlag;

use crate::scene::{Inherited, Node, Scene};
use crate::tree;

/// How many trees wait for another scene; the last used ones are kept.
const MOST: usize = 16;

/// The trees below a folder.
#[derive(Debug)]
pub(crate) struct Trees {
    base: PathBuf,
    next: AtomicUsize,
    idle: Mutex<Vec<Tree>>,
}

/// The tree of a scene.
#[derive(Debug)]
pub(crate) struct Tree {
    /// A folder for files that belong to the start and not to the machine.
    pub(crate) place: PathBuf,
    /// The machine.
    pub(crate) root: PathBuf,
    /// The scene that it was made for.
    scene: Scene,
    /// Where the regular files of the scene are, in its order.
    files: Vec<PathBuf>,
}

impl Trees {
    /// Trees below a folder that holds nvidia-container-cli as the file `cli`.
    pub(crate) fn new(base: &Path) -> Trees {
        Trees { base: base.to_owned(), next: AtomicUsize::new(0), idle: Mutex::default() }
    }

    /// A tree for a scene: one that was given back, or a new one.
    pub(crate) fn take(&self, scene: &Scene) -> Result<Tree> {
        let mut idle = self.idle();
        let found = idle.iter().rposition(|tree| tree.fits(scene)).map(|at| idle.remove(at));
        drop(idle);
        if let Some(tree) = found {
            if tree.write(scene).is_ok() {
                return Ok(tree);
            }
            tree.remove();
        }
        self.make(scene)
    }

    fn make(&self, scene: &Scene) -> Result<Tree> {
        let place = self.base.join(format!("case-{}", self.next.fetch_add(1, Ordering::Relaxed)));
        let mut tree = Tree { root: place.join("root"), place, scene: scene.clone(), files: Vec::new() };
        let made = || -> Result<()> {
            fs::create_dir_all(&tree.root)?;
            tree::set_mode(&tree.root, 0o777)?;
            tree::make(&tree.root, scene, &self.base.join("cli"))
        };
        if let Err(why) = made() {
            tree.remove();
            return Err(why);
        }
        tree.files = regular(scene).filter_map(|(path, _)| tree::place(&tree.root, path).ok()).collect();
        Ok(tree)
    }

    /// Takes a tree back after a start that left nothing behind.
    pub(crate) fn give_back(&self, tree: Tree) {
        if !tree.can_serve_again() {
            return tree.remove();
        }
        let mut idle = self.idle();
        idle.push(tree);
        let oldest = (idle.len() > MOST).then(|| idle.remove(0));
        drop(idle);
        oldest.into_iter().for_each(Tree::remove);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Tree>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree {
    /// Removes it.
    pub(crate) fn remove(self) {
        tree::remove(&self.place);
    }

    /// Whether it is the tree of a scene except for the content of its files. The record stays, and can show what a
    /// start inherits and its user.
    fn fits(&self, scene: &Scene) -> bool {
        let (ours, theirs) = (&self.scene.files, &scene.files);
        let is_same = |(our, their): (&(String, Node), &(String, Node))| match (&our.1, &their.1) {
            (Node::File { mode: our_mode, .. }, Node::File { mode, .. }) => our.0 == their.0 && our_mode == mode,
            _ => our == their,
        };
        (self.scene.unprivileged, &self.scene.cwd) == (scene.unprivileged, &scene.cwd)
            && scene.inherited == Inherited::default()
            && ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(is_same)
    }

    /// Whether every file can be rewritten, and the start inherited nothing that the record could show.
    fn can_serve_again(&self) -> bool {
        self.scene.inherited == Inherited::default() && self.files.len() == regular(&self.scene).count()
    }

    /// Writes the files of a scene that the tree fits.
    fn write(&self, scene: &Scene) -> Result<()> {
        for (place, (_, content)) in self.files.iter().zip(regular(scene)) {
            overwrite(place, content)?;
        }
        Ok(())
    }
}

/// The regular files of a scene.
fn regular(scene: &Scene) -> impl Iterator<Item = (&str, &[u8])> {
    scene.files.iter().filter_map(|(path, node)| match node {
        Node::File { content, .. } => Some((path.as_str(), content.as_slice())),
        _ => None,
    })
}

/// Makes this the content of a file, which may exist. The file is not truncated first: file systems write what replaces
/// a truncated file to disk at once.
pub(crate) fn overwrite(place: &Path, content: &[u8]) -> Result<()> {
    let flags = OFlag::O_NOFOLLOW.bits();
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(false).custom_flags(flags).open(place)?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(config: &str) -> Scene {
        let files = vec![("/etc/config".to_owned(), Node::text(config)), ("/run/pipe".to_owned(), Node::Fifo)];
        Scene { files, cwd: "/".to_owned(), ..Scene::default() }
    }

    #[test]
    fn a_tree_serves_the_next_scene_of_its_shape() {
        let folder = tempfile::tempdir().unwrap();
        let trees = Trees::new(folder.path());
        let tree = trees.take(&scene("a longer text")).unwrap();
        let root = tree.root.clone();
        let other = trees.take(&scene("x")).unwrap();
        assert_ne!(other.root, root, "one that is in use");
        trees.give_back(tree);
        let again = trees.take(&scene("short")).unwrap();
        assert_eq!(again.root, root);
        assert_eq!(fs::read(root.join("etc/config")).unwrap(), b"short");
    }

    #[test]
    fn no_other_scene_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let trees = Trees::new(folder.path());
        let mut others = vec![scene(""); 8];
        others[0].put("/etc/config", Node::File { content: Vec::new(), mode: 0o600 });
        others[1].put("/run/pipe", Node::text(""));
        others[2].put("/etc/more", Node::Fifo);
        others[3].files.pop();
        others[4].files[0].0 = "/etc/other".to_owned();
        others[5].cwd = "/work".to_owned();
        others[6].unprivileged = true;
        others[7].inherited.umask = Some(0o077);
        for other in &others {
            let tree = trees.take(&scene("")).unwrap();
            let root = tree.root.clone();
            trees.give_back(tree);
            let of_other = trees.take(other).unwrap();
            assert_ne!(of_other.root, root, "{other:?}");
            trees.give_back(of_other);
        }
        assert_eq!(trees.idle().iter().filter(|tree| tree.fits(&others[7])).count(), 0);
    }

    #[test]
    fn few_wait_and_a_file_that_cannot_be_written_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let trees = Trees::new(folder.path());
        let taken: Vec<Tree> = (0..=MOST).map(|_| trees.take(&scene("x")).unwrap()).collect();
        taken.into_iter().for_each(|tree| trees.give_back(tree));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST);
        for tree in trees.idle().iter() {
            fs::remove_file(tree.root.join("etc/config")).unwrap();
            std::os::unix::fs::symlink(folder.path().join("outside"), tree.root.join("etc/config")).unwrap();
        }
        let tree = trees.take(&scene("y")).unwrap();
        assert_eq!(fs::read(tree.root.join("etc/config")).unwrap(), b"y");
        assert!(!folder.path().join("outside").exists());
    }
}
