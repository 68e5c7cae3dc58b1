//! The recipes of docs/fake-cli.md, run as they are pasted: each `sh` block that is marked as tested, in a shell that stops
//! at the first failing command, with the programs of this tree in PATH.
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "shared with suites that ask for more")]
mod programs;

/// The blocks behind a mark.
fn recipes(mark: &str) -> Vec<String> {
    let manual = fs::read_to_string(programs::source("docs/fake-cli.md")).unwrap();
    let opening = format!("<!-- {mark} -->\n```sh\n");
    let blocks = manual.split(&opening).skip(1);
    blocks.map(|block| block.split_once("\n```\n").unwrap().0.to_owned()).collect()
}

fn paste(recipe: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, program) in
        [("fake-nvidia-container-cli", programs::fake()), ("nvidia-container-runtime-hook", programs::hook())]
    {
        symlink(program, folder.path().join(name)).unwrap();
    }
    let path = programs::search_path(folder.path());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-e", "-c", recipe]).env_clear().env("PATH", path).env("TMPDIR", folder.path());
    let output = shell.env("FAKE_NVIDIA_CONFIG", "/dev/null").current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{recipe}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn recipes_work_as_pasted() {
    let recipes = recipes("tested");
    assert_eq!(recipes.len(), 2);
    recipes.iter().for_each(|recipe| paste(recipe));
}

#[test]
fn the_recipe_for_a_hook_works_as_pasted() {
    let recipes = recipes("tested with the hook");
    assert_eq!(recipes.len(), 1);
    recipes.iter().for_each(|recipe| paste(recipe));
}
