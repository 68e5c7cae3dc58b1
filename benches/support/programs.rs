//! The programs that are measured: the hook as it is released, with either C library, and the C programs for
//! comparison. Must not know scenarios.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::scenes::Result;

/// The name under which the hook is released, which is also the name of its package.
const HOOK: &str = "nvidia-container-runtime-hook";
/// The processor in the names of targets.
const PROCESSOR: &str = std::env::consts::ARCH;

/// The C library in a static program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Library {
    /// The GNU C library.
    Glibc,
    /// The C library of the release.
    Musl,
}

impl Library {
    /// Both.
    pub const ALL: [Library; 2] = [Library::Glibc, Library::Musl];

    /// The libraries that are measured: all, or the one that `BENCH_LIBRARY` names.
    pub fn chosen() -> impl Iterator<Item = Library> {
        let only = variable("BENCH_LIBRARY");
        Library::ALL
            .into_iter()
            .filter(move |library| only.as_deref().is_none_or(|name| name == Path::new(library.name())))
    }

    /// Its name in tables and in the budget.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Library::Glibc => "glibc",
            Library::Musl => "musl",
        }
    }

    /// The static release build of the hook, built now unless `HOOK_BIN` or `HOOK_BIN_MUSL` names one.
    pub fn hook(self) -> Result<PathBuf> {
        let (given, target) = match self {
            Library::Glibc => ("HOOK_BIN", format!("{PROCESSOR}-unknown-linux-gnu")),
            Library::Musl => ("HOOK_BIN_MUSL", format!("{PROCESSOR}-unknown-linux-musl")),
        };
        if let Some(path) = variable(given) {
            return Ok(path);
        }
        let cargo = variable("CARGO").unwrap_or_else(|| "cargo".into());
        let (mut build, alias) = match self {
            Library::Glibc => (Command::new(cargo), "static"),
            Library::Musl => {
                let mut build = Command::new(workspace().join(".ci/musl"));
                build.arg(cargo);
                (build, "static-musl")
            }
        };
        let alias = if PROCESSOR == "x86_64" { alias.to_owned() } else { format!("{alias}-{PROCESSOR}") };
        // Built by its package, like a release: otherwise the hook would also get the features that other packages ask
        // for.
        run(build.args([&alias, "--quiet", "--package", HOOK]))?;
        let directory = variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        Ok(workspace().join(directory).join(target).join("release").join(HOOK))
    }

    /// The compiler of C programs with this library.
    fn compiler(self) -> PathBuf {
        match self {
            Library::Glibc => variable("CC").unwrap_or_else(|| "cc".into()),
            Library::Musl => variable("MUSL_CC").unwrap_or_else(|| "musl-gcc".into()),
        }
    }
}

/// Another hook to measure in addition to ours, if `HOOK_UNDER_TEST` names one.
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
        let programs = CPrograms { directory: directory.to_path_buf() };
        for name in ["chain", "target", "measure"] {
            programs.compile(Library::Glibc, name, name)?;
        }
        Ok(programs)
    }

    /// Compiles the floor, which reads the three files and executes the target, and returns its path.
    pub fn floor(&self, library: Library) -> Result<PathBuf> {
        self.compile(library, "floor", &format!("floor-{}", library.name()))
    }

    /// The program that executes its arguments at once.
    pub fn chain(&self) -> PathBuf {
        self.directory.join("chain")
    }

    /// The program that ends at once.
    pub fn target(&self) -> PathBuf {
        self.directory.join("target")
    }

    /// The program that prints the page faults and peak memory of what it runs.
    pub fn measure(&self) -> PathBuf {
        self.directory.join("measure")
    }

    fn compile(&self, library: Library, source: &str, name: &str) -> Result<PathBuf> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(source).with_extension("c");
        let program = self.directory.join(name);
        let mut compiler = Command::new(library.compiler());
        run(compiler.args(["-O2", "-static", "-Wall", "-Werror", "-o"]).arg(&program).arg(source))?;
        Ok(program)
    }
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The path in an environment variable; `None` if the variable is unset or empty.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Runs a build command, which must succeed.
fn run(command: &mut Command) -> Result<()> {
    let status = command
        .current_dir(workspace())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
