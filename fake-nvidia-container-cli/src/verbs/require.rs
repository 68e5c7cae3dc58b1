//! `require`: whether a requirement holds on a machine, which term decided, and what it hides.

use crate::outcome::{Outcome, Stop};
use crate::settings::Settings;
use crate::smi::Store;
use nvidia_simulated_machine::requirement::{self, DeviceFacts, Facts, TermResult, Trace, Verdict};
use nvidia_simulated_machine::select;
use nvidia_simulated_machine::topology::{self, Topology};

/// Runs the verb; the exit code is 0 if the requirement holds.
pub(super) fn run(settings: &Settings, name: Option<&str>, expression: &str, device: &str) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let machine = Store::new(settings.state.as_deref()).read().map_err(Stop::Internal)?.applied(machine);
    let chosen =
        if machine.gpus.is_empty() { Ok(Vec::new()) } else { select::devices(device, &machine.gpus).map(|s| s.gpus) };
    let chosen = chosen.map_err(|item| Stop::error("device error", format!("{item}: unknown device")))?;
    let mut out = format!("machine: {} (driver {}, CUDA {})\n", machine.name, machine.driver, machine.cuda);
    let mut worst = Verdict::Satisfied;
    let devices: Vec<Option<usize>> =
        if chosen.is_empty() { vec![None] } else { chosen.into_iter().map(Some).collect() };
    for device in devices {
        let facts = facts(&machine, device);
        let trace = requirement::trace(expression, facts);
        out.push_str(&heading(&machine, device));
        out.push_str(&show(&trace));
        if worst == Verdict::Satisfied {
            worst = trace.verdict;
        }
    }
    out.push_str(&warnings(expression, &machine));
    let line = match worst {
        Verdict::Satisfied => None,
        Verdict::Unsatisfied => Some(requirement::unsatisfied(expression)),
        Verdict::Invalid => Some("invalid expression".to_owned()),
    };
    let stderr = line.map(|detail| format!("nvidia-container-cli: requirement error: {detail}\n")).unwrap_or_default();
    Ok(Outcome { stdout: out, exit: i32::from(!stderr.is_empty()), stderr, ..Outcome::default() })
}

fn facts(machine: &Topology, device: Option<usize>) -> Facts<'_> {
    let gpu = device.and_then(|at| machine.gpus.get(at));
    Facts {
        cuda: &machine.cuda,
        driver: &machine.driver,
        device: gpu.map(|g| DeviceFacts { arch: &g.arch, brand: &g.brand }),
    }
}

fn heading(machine: &Topology, device: Option<usize>) -> String {
    match device.and_then(|at| machine.gpus.get(at)) {
        Some(gpu) => format!("device {}: {} (arch {}, brand {})\n", gpu.index, gpu.model, gpu.arch, gpu.brand),
        None => "no device\n".to_owned(),
    }
}

fn show(trace: &Trace<'_>) -> String {
    let mut out = String::new();
    for (place, terms) in trace.alternatives.iter().enumerate() {
        out.push_str(&format!("  alternative {}\n", place + 1));
        for term in terms {
            let word = match term.result {
                TermResult::True => "holds",
                TermResult::TrueWithoutDevice => "holds, since no device is selected",
                TermResult::False => "does not hold",
                TermResult::Invalid => "is invalid",
                TermResult::NotReached => "is not read",
            };
            out.push_str(&format!("    {:<24} {word}\n", term.text));
        }
    }
    let verdict = match trace.verdict {
        Verdict::Satisfied => "satisfied",
        Verdict::Unsatisfied => "not satisfied",
        Verdict::Invalid => "invalid",
    };
    format!("{out}  => {verdict}\n")
}

/// What is likely to surprise; each warning is one line.
fn warnings(expression: &str, machine: &Topology) -> String {
    let mut found: Vec<String> = Vec::new();
    if expression.contains(['\t', '\n']) {
        found.push("only a space separates alternatives; a tab or newline belongs to the value".to_owned());
    }
    let terms = || expression.split([' ', ',']).filter(|t| !t.is_empty());
    for term in terms() {
        found.extend(term_warnings(term, machine));
    }
    let alone = facts(machine, if machine.gpus.is_empty() { None } else { Some(0) });
    let trace = requirement::trace(expression, alone);
    let hidden = trace.alternatives.iter().flatten().filter(|t| t.result == TermResult::NotReached);
    for term in hidden.filter(|t| requirement::evaluate(t.text, alone) == Verdict::Invalid) {
        found.push(format!("`{}` is not a requirement, which only shows where it is read", term.text));
    }
    if trace.verdict == Verdict::Unsatisfied && trace.alternatives.len() > 1 {
        found.push("the error names the first alternative only, whichever comes closest".to_owned());
    }
    found.dedup();
    found.iter().map(|w| format!("warning: {w}\n")).collect()
}

fn term_warnings(term: &str, machine: &Topology) -> Vec<String> {
    let Some(at) = term.find(['<', '>', '=', '!']) else { return Vec::new() };
    let (name, rest) = term.split_at_checked(at).unwrap_or((term, ""));
    let value = rest.trim_start_matches(['<', '>', '=', '!']);
    let operator = rest.strip_suffix(value).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let mut found = Vec::new();
    if name == "arch" || name == "brand" {
        found.push(format!("`{term}` always holds when no device is selected, whatever it says"));
    }
    let actual = match name.as_str() {
        "cuda" => &machine.cuda,
        "driver" => &machine.driver,
        _ => return found,
    };
    let parts = |v: &str| v.split('.').filter(|p| !p.is_empty()).count();
    let longer = actual.strip_prefix(value).is_some_and(|rest| rest.starts_with('.'));
    if longer && parts(value) < parts(actual) && matches!(operator, "=" | "!=" | "!" | ">" | "<=") {
        found.push(format!(
            "`{term}`: {actual} is more than {value}, which has no further parts; `{value}` does not mean any {value}.x"
        ));
    }
    found
}
