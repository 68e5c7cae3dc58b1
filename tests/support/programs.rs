//! Where the programs and the fixtures are: named by the environment, so that a package build can test what it
//! installs, else those that cargo has just built.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The hook.
pub fn hook() -> PathBuf {
    place("HOOK_BIN").unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook")))
}

/// The fake nvidia-container-cli: a program of another package, so cargo names it to none of these tests.
pub fn fake() -> PathBuf {
    place("FAKE_NVIDIA_CONTAINER_CLI").unwrap_or_else(|| beside_the_tests("fake-nvidia-container-cli"))
}

/// A program of this workspace, which cargo puts into the folder above that of the test programs.
fn beside_the_tests(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join(name);
    assert!(program.is_file(), "{} is not built: cargo build --package {name}", program.display());
    program
}

/// Another hook that is to be compared with the expectations, if there is one.
pub fn hook_under_test() -> Option<PathBuf> {
    place("HOOK_UNDER_TEST")
}

/// The folder with the cases.
pub fn fixtures() -> PathBuf {
    place("FIXTURES_DIR").unwrap_or_else(|| source("fixtures"))
}

/// A file of the source tree.
pub fn source(path: &str) -> PathBuf {
    place("CARGO_MANIFEST_DIR").unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))).join(path)
}

/// `PATH` with a folder in front: for shells, since not every machine has its programs in /usr/bin.
#[allow(dead_code, reason = "for the suites of the fake")]
pub fn search_path(folder: &Path) -> OsString {
    let path = from_environment("PATH").unwrap_or_else(|| PathBuf::from("/usr/bin:/bin"));
    [folder.as_os_str(), path.as_os_str()].join(OsStr::new(":"))
}

/// Whether expectations are to be rewritten.
pub fn bless() -> bool {
    from_environment("BLESS").is_some_and(|value| value.as_os_str() != "0")
}

/// A path that the environment names: absolute, since suites run programs in folders of their own.
fn place(name: &str) -> Option<PathBuf> {
    from_environment(name).map(|path| std::path::absolute(&path).unwrap_or(path))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the tests read their environment")]
fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
