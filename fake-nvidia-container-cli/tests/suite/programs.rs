//! Where the program and the test files are: named by the environment, so that a package build can test what it
//! installs, otherwise in this tree.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The program under test.
pub(crate) fn fake() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_fake-nvidia-container-cli"));
    place("FAKE_NVIDIA_CONTAINER_CLI").unwrap_or_else(built)
}

/// The folder with recorded runs.
#[allow(dead_code, reason = "only the recorded runs ask for it")]
pub(crate) fn fixtures() -> PathBuf {
    place("FIXTURES_DIR").unwrap_or_else(|| source("../fixtures"))
}

/// A file by its path from the package's folder.
pub(crate) fn source(path: &str) -> PathBuf {
    place("CARGO_MANIFEST_DIR").unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))).join(path)
}

/// `PATH` with a folder in front: for shells, since not every machine has its programs in /usr/bin.
#[allow(dead_code, reason = "the recorded runs start no shell")]
pub(crate) fn search_path(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    [folder.as_os_str(), path.as_os_str()].join(OsStr::new(":"))
}

/// A path that the environment names: absolute, since tests run the program in their own folders.
fn place(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)?;
    Some(std::path::absolute(&path).unwrap_or(path))
}
