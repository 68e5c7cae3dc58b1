//! The stand-in of `nvidia-smi`: this program under that name, answering for the devices of the place it runs in.
//!
//! In a container it reads what the container was given; elsewhere it shows the whole machine of the settings. It knows
//! no option of nvidia-container-cli.

mod given;
mod query;
mod table;
mod trouble;

pub use given::Given;
pub use trouble::Trouble;

use crate::outcome::Outcome;

/// The folder of the stand-ins, below /proc/driver.
pub const FOLDER: &str = ".fake-nvidia";
/// The file in it that says what a container was given.
pub const FILE: &str = "given.json";

/// Runs nvidia-smi with the words after its name.
#[must_use]
pub fn run(words: &[String], given: &Given) -> Outcome {
    if let Some(Trouble { text, exit }) = &given.broken {
        return told(text, *exit);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => ok(table::overview(given)),
        ["-L" | "--list-gpus"] if given.gpus.is_empty() => told("No devices found.", 6),
        ["-L" | "--list-gpus"] => ok(table::list(given)),
        ["-h" | "--help"] => ok(HELP.to_owned()),
        ["mig", "-lgi" | "--list-gpu-instances"] => instances(given),
        options if options.iter().any(|o| o.starts_with("--query-gpu=")) => query::run(options, given),
        [first, ..] => told(&format!("Invalid combination of input arguments: {first} (simulator: see --help)"), 2),
    }
}

const HELP: &str = "A simulated nvidia-smi. It knows:\n  nvidia-smi\n  nvidia-smi -L\n  \
    nvidia-smi --query-gpu=FIELD,... --format=csv[,noheader][,nounits] [-i INDEX|UUID]\n  nvidia-smi mig -lgi\n";

fn instances(given: &Given) -> Outcome {
    if given.gpus.iter().all(|g| g.mig.is_empty()) {
        told("No GPU instances found: Not Found", 6)
    } else {
        ok(table::instances(given))
    }
}

fn ok(stdout: String) -> Outcome {
    Outcome { stdout, ..Outcome::default() }
}

/// nvidia-smi tells its troubles on standard output.
fn told(what: &str, exit: i32) -> Outcome {
    Outcome { stdout: format!("{what}\n"), exit, ..Outcome::default() }
}
