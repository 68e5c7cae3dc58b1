//! The subcommands that have little to say about the machines that are simulated: what each answers is in `data/rest.toml`.
//!
//! It knows no subcommand by name.

use super::scene::Host;
use super::text::{fill, pairs};
use super::{internal, ok, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::figures::within;
use serde::Deserialize;
use std::sync::LazyLock;

/// A subcommand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    name: String,
    /// The driver that brought it.
    since: Option<String>,
    usage: String,
    /// The answer, or its head.
    text: Option<String>,
    /// What is said of each GPU.
    each: Option<String>,
    #[serde(default)]
    exit: i32,
}

#[derive(Debug, Deserialize)]
struct File {
    command: Vec<Command>,
}

static FILE: LazyLock<Result<File, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("data/rest.toml")).map_err(|why| format!("built-in subcommands: {why}"))
});

fn find(name: &str) -> Option<&'static Command> {
    FILE.as_ref().ok()?.command.iter().find(|command| command.name == name)
}

/// Whether a word is one of these subcommands.
pub(super) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// Answers a subcommand, for the GPUs of `-i` or all.
pub(super) fn run(name: &str, words: &[String], host: &Host) -> Result<Outcome, Outcome> {
    let command = find(name).ok_or_else(|| internal(format!("{name}: no such subcommand")))?;
    let scene = host.scene()?;
    if !within(&scene.machine.driver, command.since.as_deref(), None) {
        let unknown = format!("ERROR: Option {name} is not recognized. Please run 'nvidia-smi -h' for help.");
        return Err(told(&unknown, 2));
    }
    if words.iter().any(|word| word == "-h" || word == "--help") {
        return Ok(ok(format!("\n    Usage: {}\n", command.usage)));
    }
    let devices = scene.chosen(ids(words).as_deref())?;
    scene.all_answer(&devices)?;
    let mut out: String = command.text.iter().map(|text| format!("{}\n", text.trim_start_matches('\n'))).collect();
    for each in command.each.iter().map(|each| each.trim_start_matches('\n')) {
        for device in &devices {
            let told = [("index", device.place.to_string()), ("bus", device.get("pci.bus_id").to_owned())];
            out.push_str(&fill(each, &pairs(&told)));
            out.push('\n');
        }
    }
    Ok(Outcome { stdout: out, exit: command.exit, ..Outcome::default() })
}

/// The value of `-i`, `--id`, or of the bus by which `drain` names a GPU.
fn ids(words: &[String]) -> Option<String> {
    let names = ["-i", "--id", "-p", "--pciid"];
    let beside = words.iter().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then(|| value.to_owned())
    });
    let after = || {
        words.windows(2).find_map(|two| match two {
            [name, value] if names.contains(&name.as_str()) => Some(value.clone()),
            _ => None,
        })
    };
    beside.or_else(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_is_understood_and_says_something() {
        let file = FILE.as_ref().unwrap();
        assert!(file.command.len() > 15);
        for command in &file.command {
            assert!(command.usage.contains(&command.name), "{}", command.name);
            assert!(command.text.is_some() || command.each.is_some(), "{}", command.name);
        }
        assert!(is_known("vgpu") && !is_known("mig") && !is_known("-q"));
    }

    #[test]
    fn gpus_are_named_beside_or_after_the_option() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(ids(&words("-q -p 0000:01:00.0")).as_deref(), Some("0000:01:00.0"));
        assert_eq!((ids(&words("--id=1")).as_deref(), ids(&words("-l"))), (Some("1"), None));
    }
}
