//! Where the programs and the fixtures are: named by the environment, so that a package build can test what it
//! installs, otherwise those that cargo has just built.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The hook: `HOOK_BIN`, or the one that cargo has built for the caller.
pub fn hook(built: &str) -> PathBuf {
    program("HOOK_BIN", built)
}

/// The program that a variable names, or the one that cargo has built for the caller.
pub fn program(variable: &str, built: &str) -> PathBuf {
    place(variable).unwrap_or_else(|| PathBuf::from(built))
}

/// The stand-in for nvidia-container-cli, if the environment names one: `FAKE_NVIDIA_CONTAINER_CLI`. Without it, a test
/// program that starts through `nvidia_hook_conformance::entry!` is its own.
pub fn fake() -> Option<PathBuf> {
    place("FAKE_NVIDIA_CONTAINER_CLI")
}

/// The simulator as one static file, which runs in an image without a C library: `FAKE_NVIDIA_CONTAINER_CLI`, or one
/// that is built now, beside what cargo builds for this machine.
pub fn static_simulator() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| fake().unwrap_or_else(build_static_simulator));
    &PROGRAM
}

fn build_static_simulator() -> PathBuf {
    let root = source("");
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = root.join("target/static");
    let mut build = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    build.args(["build", "--quiet", "--package", "fake-nvidia-container-cli", "--target", &target, "--target-dir"]);
    build.arg(&folder).env("RUSTFLAGS", "-C target-feature=+crt-static").current_dir(&root);
    assert!(build.status().is_ok_and(|status| status.success()), "the static build failed");
    folder.join(target).join("debug/fake-nvidia-container-cli")
}

/// Another hook to compare with the expectations, if there is one.
pub fn hook_under_test() -> Option<PathBuf> {
    place("HOOK_UNDER_TEST")
}

/// The folder with the cases.
pub fn fixtures() -> PathBuf {
    place("FIXTURES_DIR").unwrap_or_else(|| source("fixtures"))
}

/// A file of the source tree, by its path from the top.
pub fn source(path: &str) -> PathBuf {
    let package = place("CARGO_MANIFEST_DIR").unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let is_top = |folder: &&Path| folder.join("docs").is_dir() || folder.join("fixtures").is_dir();
    package.ancestors().find(is_top).unwrap_or(&package).join(path)
}

/// `PATH` with a folder in front, for shells, because not every machine has its programs in /usr/bin.
pub fn search_path(folder: &Path) -> OsString {
    let path = from_environment("PATH").unwrap_or_else(|| PathBuf::from("/usr/bin:/bin"));
    [folder.as_os_str(), path.as_os_str()].join(OsStr::new(":"))
}

/// Whether to rewrite expectations.
pub fn bless() -> bool {
    from_environment("BLESS").is_some_and(|value| value.as_os_str() != "0")
}

/// A path that the environment names, made absolute because suites run programs in other folders.
fn place(name: &str) -> Option<PathBuf> {
    from_environment(name).map(|path| std::path::absolute(&path).unwrap_or(path))
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
