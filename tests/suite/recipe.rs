//! The recipe of docs/fake-cli.md that tests a hook, run as pasted, with the programs of this tree in PATH. The
//! simulator's suite runs the other recipes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use hook_test_support::programs;
use libtest_mimic::Trial;

use crate::test;

/// The tests.
pub fn tests() -> Vec<Trial> {
    vec![test("docs: the recipe for a hook works as pasted", the_recipe_for_a_hook_works_as_pasted)]
}

fn the_recipe_for_a_hook_works_as_pasted() {
    let manual = fs::read_to_string(programs::source("docs/fake-cli.md")).unwrap();
    let (_, block) = manual.split_once("<!-- tested with the hook -->\n```sh\n").unwrap();
    let recipe = block.split_once("\n```\n").unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    crate::put_cli(&folder.path().join("fake-nvidia-container-cli"));
    symlink(crate::hook(), folder.path().join("nvidia-container-runtime-hook")).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-e", "-c", recipe]).env_clear().env("PATH", programs::search_path(folder.path()));
    shell.env("TMPDIR", folder.path()).env("FAKE_NVIDIA_CONFIG", "/dev/null").current_dir(folder.path());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{recipe}\n{}", String::from_utf8_lossy(&output.stderr));
}
