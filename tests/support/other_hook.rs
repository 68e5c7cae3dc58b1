//! Puts another hook and the libraries of both programs into the tree of a case, which becomes its root. Must not know
//! what the hook should do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{programs, scene::HOOK};

/// The path of the hook inside a tree.
pub fn inside() -> PathBuf {
    PathBuf::from("/usr/bin").join(HOOK)
}

/// Copies the hook under test and the libraries to a place from which trees can link them.
pub fn prepare(store: &Path) {
    let hook = programs::hook_under_test().expect("HOOK_UNDER_TEST");
    copy(&hook, store, &inside());
    for library in [&hook, &programs::fake()].into_iter().flat_map(|program| named_by_ldd(program)) {
        copy(&library, store, &library);
    }
}

/// Links what was prepared into a tree, except where the case has something itself.
pub fn install(store: &Path, root: &Path) {
    for file in super::case::files(store) {
        let place = root.join(file.strip_prefix(store).unwrap());
        if !place.exists() {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::hard_link(file, &place).unwrap();
        }
    }
}

fn copy(from: &Path, root: &Path, inside: &Path) {
    let place = root.join(inside.strip_prefix("/").unwrap());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(from, &place).unwrap();
}

/// The libraries of a program; none of a static one.
fn named_by_ldd(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().expect("ldd, which names the libraries of a program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .collect()
}
