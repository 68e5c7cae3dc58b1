//! The programs that are measured: the hook as it is released, and the C programs beside it. Must not know scenarios.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Result, benches};

/// The name under which the hook is released.
const HOOK: &str = "nvidia-container-runtime-hook";
/// The target of the static build on this machine.
const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// The hook: `HOOK_BIN`, or else the static release build, made now.
pub fn hook() -> Result<PathBuf> {
    if let Some(path) = variable("HOOK_BIN") {
        return Ok(path);
    }
    let alias = if cfg!(target_arch = "aarch64") { "static-aarch64" } else { "static" };
    let cargo = variable("CARGO").unwrap_or_else(|| "cargo".into());
    // By its package, as a release is built: else the features that other packages ask for would be the hook's as well.
    run(Command::new(cargo).args([alias, "--quiet", "--package", HOOK]))?;
    let target = variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join(TARGET).join("release").join(HOOK))
}

/// Another hook to measure beside ours, if `HOOK_UNDER_TEST` names one.
pub fn under_test() -> Option<PathBuf> {
    variable("HOOK_UNDER_TEST")
}

/// The static C programs of `benches/c`.
pub struct CPrograms {
    directory: PathBuf,
}

impl CPrograms {
    /// Compiles them into a directory.
    pub fn build(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let compiler = variable("CC").unwrap_or_else(|| "cc".into());
        for name in ["floor", "chain", "target", "measure"] {
            let source = benches().join("c").join(name).with_extension("c");
            run(Command::new(&compiler)
                .args(["-O2", "-static", "-Wall", "-Werror", "-o"])
                .arg(directory.join(name))
                .arg(source))?;
        }
        Ok(CPrograms { directory: directory.to_path_buf() })
    }

    /// Reads the three files and executes.
    pub fn floor(&self) -> PathBuf {
        self.directory.join("floor")
    }

    /// Executes at once.
    pub fn chain(&self) -> PathBuf {
        self.directory.join("chain")
    }

    /// Ends at once.
    pub fn target(&self) -> PathBuf {
        self.directory.join("target")
    }

    /// Prints page faults and peak memory of what it runs.
    pub fn measure(&self) -> PathBuf {
        self.directory.join("measure")
    }
}

/// A path that an environment variable gives.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Runs a command of a build, which must succeed.
fn run(command: &mut Command) -> Result<()> {
    let status = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
