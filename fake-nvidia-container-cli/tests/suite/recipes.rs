//! The recipes of docs/fake-cli.md, run as pasted: each `sh` block that is marked as tested, in a shell that stops at
//! the first failing command, with the program of this tree in PATH. The hook's own tests run the recipe that has a
//! hook.

use super::programs;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

/// The blocks after a mark.
fn recipes(mark: &str) -> Vec<String> {
    let manual = fs::read_to_string(programs::source("../docs/fake-cli.md")).unwrap();
    let opening = format!("<!-- {mark} -->\n```sh\n");
    let blocks = manual.split(&opening).skip(1);
    blocks.map(|block| block.split_once("\n```\n").unwrap().0.to_owned()).collect()
}

fn paste(recipe: &str) {
    let folder = tempfile::tempdir().unwrap();
    symlink(programs::fake(), folder.path().join("fake-nvidia-container-cli")).unwrap();
    let path = programs::search_path(folder.path());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-e", "-c", recipe]).env_clear().env("PATH", path).env("TMPDIR", folder.path());
    let output = shell.env("FAKE_NVIDIA_CONFIG", "/dev/null").current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{recipe}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn recipes_work_as_pasted() {
    let recipes = recipes("tested");
    assert_eq!(recipes.len(), 3);
    recipes.iter().for_each(|recipe| paste(recipe));
}
