//! What a start of the hook costs, in figures that a busy machine does not blur: system calls, instructions, page
//! faults, peak memory, binary size, with either C library. Each has a budget in `budget.toml`; an exceeded budget or a
//! missing tool ends the bench with status 1. `cargo bench --bench counts`; docs/performance.md says how to read the
//! table.
#![allow(clippy::disallowed_methods, reason = "a bench makes files, starts programs and reads the clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this program is for")]

mod scenes;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use scenes::Result;
use scenes::large::Large;
use scenes::scenario::{Scenario, Variant, Workplace};
use support::programs::{CPrograms, Library};

/// The budgets.
const BUDGET: &str = include_str!("budget.toml");

/// Figures of a scenario by name and C library.
type Figures = BTreeMap<(&'static str, Library), u64>;

/// How often figures that vary by a little (with where the kernel puts things) are measured; the least counts.
const REPEATS: usize = 9;

fn main() -> ExitCode {
    match measure_all().and_then(|measured| compare(&measured)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("counts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures every scenario.
fn measure_all() -> Result<BTreeMap<&'static str, Figures>> {
    for tool in ["strace", "valgrind"] {
        let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
        if !found {
            return Err(format!("{tool} is missing: install it, the budgets cannot be checked without").into());
        }
    }
    let workplace = Workplace::new()?;
    let c = CPrograms::build(&workplace.path().join("c"))?;
    let mut measured = BTreeMap::<_, Figures>::new();
    for library in Library::chosen() {
        // The path is an argument of the program, so it must have the same length everywhere.
        let hook = workplace.path().join("hook");
        std::fs::copy(library.hook()?, &hook)?;
        let size = std::fs::metadata(&hook)?.len();
        measured.entry("binary").or_default().insert(("size", library), size);
        for variant in Variant::SMALL.into_iter().chain([Variant::Rootless]).chain(Large::ALL.map(Variant::Large)) {
            let scenario = Scenario::make(&workplace, variant, &c.target())?;
            let measurement =
                Measurement { scenario: &scenario, hook: &hook, c: &c, log: workplace.path().join("log") };
            let figures = measurement.take()?.into_iter().map(|(figure, value)| ((figure, library), value));
            measured.entry(variant.name()).or_default().extend(figures);
        }
    }
    Ok(measured)
}

/// A hook in a scenario.
struct Measurement<'a> {
    scenario: &'a Scenario,
    hook: &'a Path,
    c: &'a CPrograms,
    log: PathBuf,
}

impl Measurement<'_> {
    fn take(&self) -> Result<Vec<(&'static str, u64)>> {
        let (faults, memory) = self.usage()?;
        let mut figures = vec![("peak-memory", memory), ("system-calls", self.system_calls()?)];
        if !matches!(self.scenario.variant, Variant::Large(_)) {
            figures.extend([("page-faults", faults), ("instructions", self.instructions()?)]);
        }
        Ok(figures)
    }

    /// Page faults of the whole process, the executed program included, and peak memory in bytes.
    fn usage(&self) -> Result<(u64, u64)> {
        let mut least = (u64::MAX, u64::MAX);
        for _ in 0..REPEATS {
            let mut command = self.scenario.command(&self.c.measure())?;
            let output = command.arg(self.hook).arg("-config").arg(self.scenario.config()).arg("prestart").output()?;
            let text = String::from_utf8(output.stdout)?;
            let numbers = text.split_whitespace().map(str::parse).collect::<std::result::Result<Vec<u64>, _>>()?;
            let [faults, kibibytes] = numbers.as_slice() else {
                return Err(format!("measure printed {text:?}").into());
            };
            if !output.status.success() {
                return Err(format!("the hook failed: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            least = (least.0.min(*faults), least.1.min(kibibytes * 1024));
        }
        Ok(least)
    }

    /// System calls after the hook's own `execve`, up to the program's `execve`, or including the end of the process.
    fn system_calls(&self) -> Result<u64> {
        let log = self.logged("strace", &["-f", "-qq", "--signal=none", "-o"])?;
        let calls = log.lines().map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' '));
        let calls = calls.filter(|call| !call.starts_with("<...")).skip(1);
        Ok(calls.take_while(|call| !call.starts_with("execve(")).count() as u64)
    }

    /// Instructions up to the program's `execve` or the end of the process. Lackey writes each as it happens; callgrind
    /// writes its sums at the end, and an `execve` loses them.
    fn instructions(&self) -> Result<u64> {
        let log = self.logged("valgrind", &["--tool=lackey", "--trace-mem=yes", "--log-file"])?;
        Ok(log.lines().filter(|line| line.starts_with("I ")).count() as u64)
    }

    /// Runs the hook under a tool and returns the log that the tool writes.
    fn logged(&self, tool: &str, options: &[&str]) -> Result<String> {
        let mut command = self.scenario.command(&which(tool)?)?;
        match options.split_last() {
            Some((last, options)) if last.starts_with("--") => {
                command.args(options).arg(format!("{last}={}", self.log.display()))
            }
            _ => command.args(options).arg(&self.log),
        };
        let output = command.arg(self.hook).arg("-config").arg(self.scenario.config()).arg("prestart").output()?;
        if !output.status.success() {
            return Err(format!("{tool}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(std::fs::read_to_string(&self.log)?)
    }
}

/// A tool's path, because the tool is started with another `PATH`.
fn which(tool: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|file| file.is_file());
    found.ok_or_else(|| format!("{tool} is not in PATH").into())
}

/// Prints each measured figure next to its budget; returns true if all budgets are kept.
fn compare(measured: &BTreeMap<&'static str, Figures>) -> Result<bool> {
    let budget: toml::de::DeTable<'_> = toml::de::DeTable::parse(BUDGET)?.into_inner();
    let mut kept = true;
    println!("{:<24} {:<14} {:<7} {:>12} {:>12}", "scenario", "figure", "library", "measured", "budget");
    for (scenario, figures) in measured {
        for ((figure, library), value) in figures {
            let library = library.name();
            let limits = budget.get(*scenario).and_then(|row| row.get_ref().get(*figure));
            let limit = limits
                .and_then(|limits| limits.get_ref().get(library))
                .and_then(|limit| limit.get_ref().as_integer())
                .and_then(|limit| limit.as_str().replace('_', "").parse::<u64>().ok());
            let limit = limit.ok_or_else(|| format!("budget.toml has no number for {scenario}.{figure}.{library}"))?;
            let verdict = if *value > limit { "OVER" } else { "" };
            kept &= *value <= limit;
            println!("{scenario:<24} {figure:<14} {library:<7} {value:>12} {limit:>12} {verdict}");
        }
    }
    Ok(kept)
}
