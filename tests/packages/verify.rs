//! The commands of docs/verify.md that are marked as tested, run as they are shown: in the folder of a release, and in
//! a clone that has the files of a release.

use std::fs;
use std::path::Path;
use std::process::Command;

use hook_test_support::programs;
use tempfile::TempDir;

use super::documents::blocks;
use super::release::{about, file, folder, names};
use super::root::{printed, said, text};

fn copy(to: &Path) {
    for name in names(&folder("RELEASE_DIR")) {
        fs::copy(folder("RELEASE_DIR").join(&name), to.join(&name)).unwrap();
    }
}

fn run(block: &str, folder: &Path, more: &[(&str, &Path)]) -> String {
    let words = ["sh", "-euc", block];
    let mut shell = Command::new(words[0]);
    shell.args(&words[1..]).current_dir(folder).envs(more.iter().copied());
    // Variables of this build.
    for variable in ["VERSION", "MACHINE", "BUILDER_ID", "RELEASE_DIR", "OLDER_RELEASE_DIR", "CARGO_MANIFEST_DIR"] {
        shell.env_remove(variable);
    }
    printed(&words, &shell.output().unwrap())
}

#[test]
fn what_is_shown_for_the_files_works() {
    let release = TempDir::new().unwrap();
    copy(release.path());
    for block in blocks("docs/verify.md", "tested in the folder of a release") {
        run(&block, release.path(), &[]);
    }
}

#[test]
fn a_file_that_was_changed_is_found() {
    let release = TempDir::new().unwrap();
    copy(release.path());
    let tarball = file("nvidia-prestart-hook-", ".tar.gz");
    let place = release.path().join(tarball.file_name().unwrap());
    fs::write(&place, [fs::read(&place).unwrap(), vec![0]].concat()).unwrap();
    let mut check = Command::new("sha256sum");
    let output = check.args(["--check", &about()[0]]).current_dir(release.path()).output().unwrap();
    let failed = format!("{}: FAILED", tarball.file_name().unwrap().to_str().unwrap());
    assert!(String::from_utf8_lossy(&output.stdout).contains(&failed) && !output.status.success());
}

/// With the programs of the release; `.ci/reproducible compare` shows that these can be made again.
#[test]
fn what_is_shown_for_making_it_again_works() {
    let work = TempDir::new().unwrap();
    let (clone, unpacked) = (work.path().join("clone"), work.path().join("unpacked"));
    fs::create_dir(&unpacked).unwrap();
    said("git", &["clone", "--quiet", text(&programs::source("")), text(&clone)], None);
    let tarball = file("nvidia-prestart-hook-", ".tar.gz");
    said("tar", &["-xzf", text(&tarball), "-C", text(&unpacked), "--strip-components=1"], None);
    copy(&clone);
    // A separate folder, so that what cargo built here stays.
    let target = programs::source("target/again");
    let given = [("PROGRAMS_DIR", unpacked.join("bin")), ("CARGO_TARGET_DIR", target)];
    let given: Vec<(&str, &Path)> = given.iter().map(|(name, path)| (*name, path.as_path())).collect();
    for block in blocks("docs/verify.md", "tested in a clone") {
        run(&block, &clone, &given);
    }
}
