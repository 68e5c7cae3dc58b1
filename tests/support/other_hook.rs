//! Puts another hook and the libraries of both programs into the tree of a case, which becomes its root. Must not know
//! what the hook should do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{programs, scene::HOOK};

/// Puts the hook under test into a tree; the result is its path inside.
pub fn install(root: &Path) -> PathBuf {
    let inside = PathBuf::from("/usr/bin").join(HOOK);
    let hook = programs::hook_under_test().expect("HOOK_UNDER_TEST");
    copy(&hook, root, &inside);
    for library in libraries(&hook) {
        copy(library, root, library);
    }
    inside
}

fn copy(from: &Path, root: &Path, inside: &Path) {
    let place = root.join(inside.strip_prefix("/").unwrap());
    if !place.exists() {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(from, &place).unwrap();
    }
}

/// The libraries of the hook and of the fake, as `ldd` names them; none of a static program.
fn libraries(hook: &Path) -> &'static [PathBuf] {
    static LIBRARIES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let mut all: Vec<PathBuf> = [hook, &programs::fake()].into_iter().flat_map(named_by_ldd).collect();
        all.sort();
        all.dedup();
        all
    })
}

fn named_by_ldd(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().expect("ldd, which names the libraries of a program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .collect()
}
