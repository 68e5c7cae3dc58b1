//! The recipe of docs/fake-cli.md that tests a hook, run as it is pasted, with the programs of this tree in PATH. The other
//! recipes are run by the suite of the simulator.
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "shared with suites that ask for more")]
mod programs;

#[test]
fn the_recipe_for_a_hook_works_as_pasted() {
    let manual = fs::read_to_string(programs::source("docs/fake-cli.md")).unwrap();
    let (_, block) = manual.split_once("<!-- tested with the hook -->\n```sh\n").unwrap();
    let recipe = block.split_once("\n```\n").unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    symlink(programs::fake(), folder.path().join("fake-nvidia-container-cli")).unwrap();
    symlink(programs::hook(), folder.path().join("nvidia-container-runtime-hook")).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-e", "-c", recipe]).env_clear().env("PATH", programs::search_path(folder.path()));
    shell.env("TMPDIR", folder.path()).env("FAKE_NVIDIA_CONFIG", "/dev/null").current_dir(folder.path());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{recipe}\n{}", String::from_utf8_lossy(&output.stderr));
}
