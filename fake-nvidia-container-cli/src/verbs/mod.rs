//! The commands for people: they exist only under a name that begins with `fake-`, since the real program does not know
//! them.

mod cdi;
mod driver_root;
mod explain;
mod libraries;
mod require;
mod set;
mod show;

use crate::outcome::{Outcome, Stop};
use crate::settings::Settings;
use clap::{Parser, Subcommand};
use nvidia_simulated_machine::text::{self, Text};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The words that are commands for people.
pub const VERBS: [&str; 10] =
    ["explain", "require", "topologies", "libraries", "driver-root", "cdi", "failures", "record-path", "schema", "set"];

/// A simulator of nvidia-container-cli. `--help` shows the simulated program's options; these are the verbs beside them.
#[derive(Debug, Parser)]
#[command(name = "fake-nvidia-container-cli", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print what a command line would do, by capability, MIG and IMEX; touches nothing
    Explain {
        /// A built-in topology or a file; FAKE_NVIDIA_TOPOLOGY otherwise
        #[arg(long)]
        topology: Option<String>,
        /// The command line, from its first option on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<OsString>,
    },
    /// Evaluate a requirement, show what decided, and warn of traps
    Require {
        /// The requirement, e.g. 'cuda>=12.4 brand=tesla,driver>=470'
        expression: String,
        /// A built-in topology or a file; FAKE_NVIDIA_TOPOLOGY otherwise
        #[arg(long)]
        topology: Option<String>,
        /// The devices, as for configure
        #[arg(long, default_value = "all")]
        device: String,
    },
    /// List the built-in topologies, or print one in full
    Topologies {
        /// A built-in topology or a file
        name: Option<String>,
    },
    /// Write libnvidia-ml.so and libcuda.so into a folder, for programs that run with LD_LIBRARY_PATH set to it
    Libraries {
        /// The folder; it is made if it is not there
        folder: std::path::PathBuf,
        /// A built-in topology or a file; FAKE_NVIDIA_TOPOLOGY otherwise
        #[arg(long)]
        topology: Option<String>,
        /// The devices that they answer for, as for configure; all of the host if left out
        #[arg(long)]
        device: Option<String>,
        /// Let CUDA initialize and tell which devices there are; nothing computes on them
        #[arg(long)]
        cuda: bool,
    },
    /// Lay the whole machine out in a folder: libraries, programs, linker's cache, /proc, /sys, /dev
    DriverRoot {
        /// The folder; it is made if it is not there, and replaced if it is of this program
        folder: std::path::PathBuf,
        /// A built-in topology or a file; FAKE_NVIDIA_TOPOLOGY otherwise
        #[arg(long)]
        topology: Option<String>,
        /// Make real device nodes, as root
        #[arg(long)]
        nodes: bool,
    },
    /// Write the CDI specification of a machine in a folder, as nvidia-ctk does for a real one
    Cdi(cdi::Words),
    /// List the named failures, or explain one
    Failures {
        /// A failure of the table; all of them if left out
        name: Option<String>,
        /// As a table for a document
        #[arg(long)]
        markdown: bool,
    },
    /// Print the file that records go to
    RecordPath,
    /// Print the JSON schema of topologies
    Schema,
    /// Change what a GPU shows, or print what was changed
    Set(set::Words),
}

/// Runs a verb, if the program has its own name and the first word is a verb.
#[must_use]
pub fn run(argv: &[Text], settings: &Result<Settings, String>) -> Option<Outcome> {
    let own = argv.first()?.rsplit('/').next()?.starts_with("fake-");
    if !own || !VERBS.contains(&argv.get(1)?.as_str()) {
        return None;
    }
    let words = argv.iter().map(|word| OsString::from_vec(text::bytes(word)));
    Some(match Cli::try_parse_from(words) {
        Ok(cli) => answer(cli.verb, settings),
        // The message contains what was typed.
        Err(why) if why.use_stderr() => {
            let plain =
                |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
            Outcome { stderr: why.to_string().chars().map(plain).collect(), exit: 2, ..Outcome::default() }
        }
        Err(help) => Outcome { stdout: help.to_string(), ..Outcome::default() },
    })
}

/// A path that was asked for, on a line of its own with all of its bytes.
fn line(path: &Path) -> String {
    format!("{}\n", Text::new(path.as_os_str().as_bytes()))
}

fn answer(verb: Verb, settings: &Result<Settings, String>) -> Outcome {
    let settings = match settings {
        Ok(settings) => settings,
        Err(why) => return Stop::Internal(why.clone()).outcome(""),
    };
    let of = |given: Option<String>| given.or_else(|| settings.topology.clone());
    let done = match verb {
        Verb::Explain { topology, words } => explain::run(settings, of(topology).as_deref(), &words),
        Verb::Require { expression, topology, device } => {
            require::run(settings, of(topology).as_deref(), &expression, &device)
        }
        Verb::Topologies { name } => show::topologies(name.as_deref()),
        Verb::Libraries { folder, topology, device, cuda } => {
            libraries::run(settings, of(topology).as_deref(), &folder, (device.as_deref(), cuda || settings.cuda))
        }
        Verb::DriverRoot { folder, topology, nodes } => driver_root::run(of(topology).as_deref(), &folder, nodes),
        Verb::Cdi(words) => cdi::run(&words),
        Verb::Failures { name, markdown } => show::failures(name.as_deref(), markdown),
        Verb::RecordPath => Ok(show::record_path(settings)),
        Verb::Schema => Ok(show::schema()),
        Verb::Set(words) => set::run(settings, &words),
    };
    done.unwrap_or_else(|stop| stop.outcome("nvidia-container-cli"))
}

pub use show::{failure_table, schema_text};
