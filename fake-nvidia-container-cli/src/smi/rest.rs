//! The subcommands that have little to say about simulated machines: what each answers is in `data/rest.toml`.
//!
//! It knows no subcommand by name.

use super::answer::Emit;
use super::scene::{Host, Scene};
use super::text::fill;
use super::{Lost, help, internal, ok, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::figures::within;
use nvidia_simulated_machine::state::{Device, NONE};
use serde::Deserialize;
use std::sync::LazyLock;
use std::time::Duration;

/// A subcommand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    name: String,
    /// The driver that introduced it.
    since: Option<String>,
    /// Whether it also acts without an option; otherwise it prints its usage then.
    #[serde(default)]
    alone: bool,
    /// The options that name GPUs, if not `-i`.
    ids: Option<Vec<String>>,
    /// The message for a GPU that does not exist, if not the usual one; the exit code is 255 then.
    missing: Option<String>,
    form: Vec<Form>,
}

/// What a subcommand answers to some of its options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// The options. An empty list applies to any words.
    #[serde(default)]
    options: Vec<String>,
    /// The answer, or its head.
    text: Option<String>,
    /// What is printed for each GPU.
    each: Option<String>,
    /// What is changed before.
    set: Option<Setting>,
    #[serde(default)]
    exit: i32,
    /// The reading without which a GPU is left out.
    needs: Option<String>,
    /// The answer if all GPUs are left out.
    none: Option<String>,
    #[serde(default)]
    none_exit: i32,
    /// The pause between rounds of a form that repeats, in seconds.
    every: Option<u64>,
    /// The number of rounds after which the head is repeated.
    again: Option<u64>,
}

/// A reading that an option changes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    key: String,
    /// What the numbers after the option stand for.
    to: Vec<String>,
    /// The line for anything else.
    wrong: String,
    /// The line for a user without rights.
    denied: String,
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

/// Whether a word is one of these subcommands for a driver.
pub(super) fn is_known(name: &str, driver: &str) -> bool {
    find(name).is_some_and(|command| within(driver, command.since.as_deref(), None))
}

/// Answers a subcommand, for the GPUs of `-i` or all.
pub(super) fn run(name: &str, words: &[String], host: &Host, emit: Emit<'_>) -> Result<Outcome, Outcome> {
    let command = find(name).ok_or_else(|| internal(format!("{name}: no such subcommand")))?;
    let bare = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = words.iter().map(bare).collect();
    if given.iter().any(|word| word == "-h" || word == "--help") {
        return Ok(ok(help::usage(name)));
    }
    let known = help::options(name);
    if let Some(unknown) = given.iter().find(|word| word.starts_with('-') && !known.contains(&word.as_str())) {
        return Err(told(&format!("Option \"{unknown}\" is not recognized."), 2));
    }
    let ids = command.ids.clone().unwrap_or_else(|| ["-i", "--id"].map(str::to_owned).to_vec());
    let names = |form: &&Form| form.options.iter().any(|option| given.contains(option));
    let rest = |form: &&Form| form.options.is_empty() && (!given.is_empty() || command.alone);
    let Some(form) = command.form.iter().find(names).or_else(|| command.form.iter().find(rest)) else {
        // An option that does nothing must not look as if it did.
        return match given.iter().find(|word| word.starts_with('-') && !ids.contains(word)) {
            Some(option) => Err(internal(format!("nvidia-smi {name} {option} is not simulated"))),
            None => Ok(ok(help::usage(name))),
        };
    };
    let ids = value(words, &ids);
    if let Some(setting) = &form.set {
        set(setting, value(words, &form.options).as_deref(), command, ids.as_deref(), host)?;
    }
    let pause = value(words, &["-l", "--loop"].map(str::to_owned)).and_then(|text| text.parse().ok()).or(form.every);
    let Some(pause) = form.every.and(pause) else { return round(command, form, ids.as_deref(), host, 1) };
    for number in 1.. {
        let outcome = round(command, form, ids.as_deref(), host, number)?;
        if !emit(&outcome.stdout) {
            break;
        }
        std::thread::sleep(Duration::from_secs(pause));
    }
    Ok(Outcome::default())
}

/// The GPUs that are named, or all; each answers.
fn chosen<'a>(command: &Command, scene: &'a Scene, ids: Option<&str>) -> Result<Vec<&'a Device>, Outcome> {
    let devices = scene.chosen(ids);
    let devices = devices.map_err(|usual| command.missing.as_ref().map_or(usual, |line| told(line, 255)))?;
    scene.all_answer(&devices)?;
    Ok(devices)
}

/// Changes a reading of each GPU to what a number stands for.
fn set(
    setting: &Setting,
    number: Option<&str>,
    command: &Command,
    ids: Option<&str>,
    host: &Host,
) -> Result<(), Outcome> {
    let scene = host.scene_of_round(1)?;
    let devices = chosen(command, &scene, ids)?;
    let number = number.and_then(|text| text.parse::<usize>().ok());
    let word = number.and_then(|number| setting.to.get(number)).ok_or_else(|| told(&setting.wrong, 2))?;
    for device in devices {
        let kept = host
            .store
            .change(&host.given.machine, |state| state.set(device.get("uuid"), &setting.key, word, scene.now.ms));
        kept.map_err(|lost| match lost {
            Lost::Denied => told(&fill(&setting.denied, &|key| Some(reading(device, key))), 4),
            Lost::Fault(why) => internal(why),
        })?;
    }
    Ok(())
}

/// One round of a form.
fn round(command: &Command, form: &Form, ids: Option<&str>, host: &Host, number: u64) -> Result<Outcome, Outcome> {
    let scene = host.scene_of_round(number)?;
    let devices = chosen(command, &scene, ids)?;
    let has = |device: &&Device| form.needs.as_deref().is_none_or(|key| device.get(key) != NONE);
    let devices: Vec<&Device> = devices.into_iter().filter(has).collect();
    if let Some(none) = form.none.as_ref().filter(|_| devices.is_empty()) {
        return Err(told(none, form.none_exit));
    }
    let is_head = form.again.is_none_or(|again| (number - 1).is_multiple_of(again.max(1)));
    let line = |text: &String| match text.strip_prefix('\n').unwrap_or(text) {
        "" => String::new(),
        text => format!("{text}\n"),
    };
    let mut out: String = form.text.iter().filter(|_| is_head).map(line).collect();
    for each in form.each.iter().map(line) {
        for device in &devices {
            out.push_str(&fill(&each, &|key| Some(reading(device, key))));
        }
    }
    Ok(Outcome { stdout: out, exit: form.exit, ..Outcome::default() })
}

/// What a placeholder in a line shows.
fn reading(device: &Device, key: &str) -> String {
    match key {
        "index" => device.place.to_string(),
        "bus" => device.get("pci.bus_id").to_owned(),
        "lanes" => {
            let errors = device.get("pcie.errors.lanes").split(',').map(str::trim).filter(|count| *count != NONE);
            errors.enumerate().map(|(lane, count)| format!("\n\t lane {lane:>2}: {count}")).collect()
        }
        key => device.get(key).to_owned(),
    }
}

/// The value of an option, after `=` or as the next word.
fn value(words: &[String], names: &[String]) -> Option<String> {
    let beside = words.iter().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        names.iter().any(|known| known == name).then(|| value.to_owned())
    });
    let after = || {
        words.windows(2).find_map(|two| match two {
            [name, value] if names.contains(name) => Some(value.clone()),
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
            assert!(!command.form.is_empty(), "{}", command.name);
            for form in &command.form {
                assert!(form.text.is_some() || form.each.is_some(), "{}", command.name);
                assert_eq!(form.needs.is_some(), form.none.is_some(), "{}", command.name);
                let known = help::options(&command.name);
                assert!(form.options.iter().all(|option| known.contains(&option.as_str())), "{}", command.name);
            }
        }
        assert!(is_known("vgpu", "580.1") && !is_known("mig", "580.1") && !is_known("-q", "580.1"));
        assert!(!is_known("rusd", "580.159.04") && is_known("rusd", "595.1"));
    }

    #[test]
    fn gpus_are_named_beside_or_after_the_option() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(value(&words("-q -p 0000:01:00.0"), &words("-p")).as_deref(), Some("0000:01:00.0"));
        let id = |text: &str| value(&words(text), &words("-i --id"));
        assert_eq!((id("--id=1").as_deref(), id("-l")), (Some("1"), None));
    }
}
