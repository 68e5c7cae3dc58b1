//! One run of nvidia-smi: which answer its words ask for, once or in a loop, to standard output or a file.

use super::scene::{Host, Scene};
use super::words::{self, Words};
use super::{change, csv, failing, help, log, mig, monitor, nvlink, ok, rest, table, told, topo};
use crate::outcome::Outcome;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// Takes the output of a round of a loop; returns false if nobody reads it any more.
pub type Emit<'a> = &'a mut dyn FnMut(&str) -> bool;

/// Runs nvidia-smi with the words after its name. A loop prints through `emit`; what is left to print is returned.
pub fn run(words: &[String], host: &Host, emit: Emit<'_>) -> Outcome {
    let is_help = words.iter().any(|word| word == "-h" || word == "--help");
    if let Some(outcome) = failing::machine(&host.given).filter(|_| !is_help) {
        return outcome;
    }
    let settled = |answer: Result<Outcome, Outcome>| match answer {
        Ok(outcome) | Err(outcome) => outcome,
    };
    let driver = &host.given.machine.driver;
    match words.split_first() {
        Some((name, rest)) if name == "dmon" || name == "pmon" => return monitor::run(name, rest, host, emit),
        Some((name, rest)) if name == "topo" => return settled(topo::topo(rest, host)),
        Some((name, rest)) if name == "nvlink" => return settled(nvlink::nvlink(rest, host)),
        Some((name, rest)) if name == "mig" => return settled(mig::run(rest, host)),
        Some((name, rest)) if rest::is_known(name, driver) => return settled(rest::run(name, rest, host, emit)),
        _ => {}
    }
    let words = match words::read(words) {
        Ok(words) => words,
        Err((line, exit)) => return told(&line, exit),
    };
    if let Some((line, exit)) = words.refused(change::is_asked_for(&words)) {
        return told(&line, exit);
    }
    if words.has("--help") {
        return ok(help::help(driver));
    }
    if let Some((option, _)) = words.iter().find(|(option, _)| option.starts_with("--help-query-")) {
        return ok(help::fields(option.trim_start_matches("--help-query-"), driver));
    }
    let mut out = Output { file: words.get("--filename"), emit };
    let Some(pause) = pause(&words) else { return out.last(round(&words, host, 1)) };
    let pause = match pause {
        Ok(pause) => pause,
        Err(outcome) => return outcome,
    };
    for number in 1.. {
        match round(&words, host, number) {
            outcome if outcome.exit != 0 => return out.last(outcome),
            outcome => match out.more(&outcome.stdout) {
                Ok(true) => {}
                Ok(false) => return Outcome::default(),
                Err(outcome) => return outcome,
            },
        }
        std::thread::sleep(pause);
    }
    Outcome::default()
}

/// How long a loop waits between rounds, if the words ask for one.
fn pause(words: &Words) -> Option<Result<Duration, Outcome>> {
    let (text, unit) = match (words.get("--loop"), words.get("--loop-ms")) {
        (Some(""), _) => ("5", 1000),
        (Some(seconds), _) => (seconds, 1000),
        (None, Some(ms)) => (ms, 1),
        (None, None) => return None,
    };
    let number = text.parse::<u64>().ok().filter(|n| *n > 0);
    let wrong = || told(&format!("Invalid loop interval: {text}. Please run 'nvidia-smi -h' for help."), 2);
    Some(number.map(|n| Duration::from_millis(n.saturating_mul(unit))).ok_or_else(wrong))
}

/// Where a run prints.
struct Output<'a, 'b> {
    file: Option<&'a str>,
    emit: Emit<'b>,
}

impl Output<'_, '_> {
    /// Prints a round of a loop; returns false if nobody reads any more.
    fn more(&mut self, text: &str) -> Result<bool, Outcome> {
        match self.file {
            None => Ok((self.emit)(text)),
            Some(path) => append(path, text, false).map(|()| true),
        }
    }

    /// The last output of a run: written to the file, or left to print.
    fn last(&self, outcome: Outcome) -> Outcome {
        match self.file {
            Some(path) if outcome.exit == 0 => match append(path, &outcome.stdout, true) {
                Ok(()) => Outcome { stdout: String::new(), ..outcome },
                Err(wrong) => wrong,
            },
            _ => outcome,
        }
    }
}

/// Writes to the file of `-f`: a new one, or the next round of a loop.
pub(super) fn append(path: &str, text: &str, is_new: bool) -> Result<(), Outcome> {
    let mut open = OpenOptions::new();
    let open = open.create(true).write(true).append(!is_new).truncate(is_new);
    let written = open.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|_| told(&format!("Failed to create the log file {path}\n"), 255))
}

/// One round: the machine now, and the answer.
fn round(words: &Words, host: &Host, number: u64) -> Outcome {
    let scene = match host.scene_of_round(number) {
        Ok(scene) => scene,
        Err(outcome) => return outcome,
    };
    let answer =
        if change::is_asked_for(words) { change::run(words, &scene, host) } else { answer(words, &scene, number == 1) };
    match answer {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

fn answer(words: &Words, scene: &Scene, is_first: bool) -> Result<Outcome, Outcome> {
    if words.has("--version") {
        let text = help::version(scene);
        let unknown = || told("ERROR: Option --version is not recognized. Please run 'nvidia-smi -h'.\n", 255);
        return if text.is_empty() { Err(unknown()) } else { Ok(ok(text)) };
    }
    if words.has("--list-excluded-gpus") {
        return Ok(ok("No excluded devices found.\n".to_owned()));
    }
    if let Some(query) = csv::QUERIES.into_iter().find(|(option, _)| words.has(option)) {
        return csv::run(words, scene, query, is_first).map(ok);
    }
    if words.has("--unit") && words.has("--query") {
        return Ok(ok(log::units(scene, words.has("--xml-format"))));
    }
    if words.has("--dtd") && !words.has("--query") {
        return Ok(ok(log::document_type(scene, words.has("--unit"))));
    }
    if words.has("--list-gpus") && scene.devices.is_empty() {
        return Err(told("No devices found.", 6));
    }
    let devices = scene.chosen(words.get("--id"))?;
    scene.all_answer(&devices)?;
    if words.has("--list-gpus") {
        return Ok(ok(table::list(scene, &devices)));
    }
    if words.has("--get-hostname") {
        return Ok(ok(devices.iter().map(|device| format!("{}\n", device.get("hostname"))).collect()));
    }
    if words.has("--toggle-led") {
        return Err(told("No units were found", 6));
    }
    if words.has("--xml-format") && words.has("--query") {
        return Ok(ok(log::xml(scene, &devices, words.has("--dtd"))));
    }
    if words.has("--query") {
        return Ok(ok(log::text(scene, &devices, sections(words)?.as_deref())));
    }
    if ["--xml-format", "--display", "--dtd", "--unit", "--format"].iter().any(|option| words.has(option)) {
        return Err(told("Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.", 2));
    }
    Ok(ok(table::overview(scene, &devices)))
}

/// The sections of `-d`.
fn sections(words: &Words) -> Result<Option<Vec<String>>, Outcome> {
    const KNOWN: [&str; 20] = [
        "MEMORY",
        "UTILIZATION",
        "ECC",
        "TEMPERATURE",
        "POWER",
        "CLOCK",
        "COMPUTE",
        "PIDS",
        "PERFORMANCE",
        "SUPPORTED_CLOCKS",
        "PAGE_RETIREMENT",
        "ACCOUNTING",
        "ENCODER_STATS",
        "SUPPORTED_GPU_TARGET_TEMP",
        "VOLTAGE",
        "FBC_STATS",
        "ROW_REMAPPER",
        "GSP_FIRMWARE_VERSION",
        "POWER_SMOOTHING",
        "POWER_PROFILES",
    ];
    let Some(text) = words.get("--display") else { return Ok(None) };
    let all: Vec<String> = text.split(',').map(|word| word.trim().to_ascii_uppercase()).collect();
    if all.iter().all(|word| KNOWN.contains(&word.as_str())) {
        Ok(Some(all))
    } else {
        Err(told("Failed to parse --display/-d flags", 2))
    }
}
