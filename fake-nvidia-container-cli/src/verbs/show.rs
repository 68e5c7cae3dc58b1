//! The verbs that print what is built in: topologies, failures, the schema, the record's path.

use crate::failure::{Named, find, named};
use crate::outcome::{Outcome, Stop};
use crate::settings::Settings;
use nvidia_simulated_machine::topology::{self, Topology, file::TopologyFile};

fn print(stdout: String) -> Outcome {
    Outcome { stdout, ..Outcome::default() }
}

/// All built-in machines on one line each, or one in full.
pub(super) fn topologies(name: Option<&str>) -> Result<Outcome, Stop> {
    let load = |name| topology::load(Some(name)).map_err(Stop::Internal);
    if let Some(name) = name {
        let json = serde_json::to_string_pretty(&load(name)?).map_err(|why| Stop::Internal(why.to_string()))?;
        return Ok(print(json + "\n"));
    }
    let mut out = String::new();
    for name in topology::names() {
        out.push_str(&format!("{name:<10} {}\n", summary(&load(name)?)));
    }
    Ok(print(out))
}

/// A machine on one line.
pub(super) fn summary(machine: &Topology) -> String {
    let mut models: Vec<(&str, usize)> = Vec::new();
    for gpu in &machine.gpus {
        match models.iter_mut().find(|(model, _)| *model == gpu.model) {
            Some((_, count)) => *count += 1,
            None => models.push((&gpu.model, 1)),
        }
    }
    let mut parts: Vec<String> = models.iter().map(|(model, count)| format!("{count} x {model}")).collect();
    if parts.is_empty() {
        parts.push("no GPU".to_owned());
    }
    let migs: usize = machine.gpus.iter().map(|g| g.mig.len()).sum();
    if migs > 0 {
        parts.push(format!("{migs} MIG devices"));
    }
    if machine.imex_channels_present > 0 {
        parts.push(format!("{} IMEX channels", machine.imex_channels_present));
    }
    parts.push(format!("driver {}, CUDA {}", machine.driver, machine.cuda));
    if let Some(fault) = &machine.fail {
        parts.push(format!("fails at {}: {}", fault.at, fault.message));
    }
    parts.join(", ")
}

/// All failures, or one.
pub(super) fn failures(name: Option<&str>, markdown: bool) -> Result<Outcome, Stop> {
    if markdown {
        return Ok(print(failure_table()));
    }
    let chosen = |n: &Named| name.is_none_or(|name| n.played.name == name);
    if let Some(name) = name.filter(|name| find(name).is_none()) {
        return Err(Stop::Internal(format!("`{name}` is not a failure; `failures` without a name lists them")));
    }
    let text = |n: Named| {
        let shown = n.text(None).replace("{PROGRAM}", "nvidia-container-cli").replace("\n{TRY}", "");
        let (played, line) = (n.played, n.line);
        format!(
            "{}  (at {}, exit {})\n  {}  {}\n  remedy: {}\n",
            played.name, played.step, played.exit, shown, line.meaning, line.remedy
        )
    };
    let list: String = named().filter(chosen).map(text).collect();
    let usage = "use: FAKE_NVIDIA_FAIL=NAME[,for=WORD][,at=STEP][,every=N][,real], or exit=N, signal=N, delay=MS, hang, stderr=TEXT\n";
    Ok(print(if name.is_none() { list + "\n" + usage } else { list }))
}

/// The table of failures as docs/fake-cli.md has it.
#[must_use]
pub fn failure_table() -> String {
    let mut out = "| name | at | exit | text | meaning | remedy |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for n in named() {
        let text = n.text(None).replace("{PROGRAM}", "nvidia-container-cli").replace("\n{TRY}", "");
        out.push_str(&format!(
            "| `{}` | {} | {} | `{}` | {} | {} |\n",
            n.played.name,
            n.played.step,
            n.played.exit,
            text.trim_end(),
            n.line.meaning.trim_end_matches('.'),
            n.line.remedy
        ));
    }
    out
}

pub(super) fn record_path(settings: &Settings) -> Outcome {
    print(match &settings.record {
        Some(path) => format!("{}\n", path.display()),
        None => {
            "no record is written: set FAKE_NVIDIA_RECORD, or `record` in /etc/fake-nvidia/config.toml\n".to_owned()
        }
    })
}

pub(super) fn schema() -> Outcome {
    print(schema_text())
}

/// The JSON schema of topologies.
#[must_use]
pub fn schema_text() -> String {
    let schema = schemars::schema_for!(TopologyFile);
    serde_json::to_string_pretty(&schema).map(|json| json + "\n").unwrap_or_default()
}
