//! The report as a page for a person. Must not know how anything was found out.

use std::fmt::Write;

use super::report::{
    Candidate, CandidateOutcome, Capabilities, Container, Devices, Met, Mode, Origin, Outcome, Program, Report,
    Requirement, Requirements, Searched, Source, Variable, Verdict,
};
use crate::finding::Subject;
use crate::page::{Colour, Page, Tone};
use hook::text::{Excerpt, shell_word};

/// Writes a report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut page = Page::new(colour);
    let tone = match report.verdict {
        Verdict::Execute => Tone::Good,
        Verdict::Nothing => Tone::Warning,
        Verdict::Error | Verdict::Refused => Tone::Bad,
    };
    page.line(tone, &report.summary);
    for line in &report.stderr {
        page.gap();
        page.line(Tone::Plain, line);
    }
    if let Some(refusal) = &report.refusal {
        page.gap();
        page.line(Tone::Plain, &refusal.line);
        page.gap();
        page.row("why", &refusal.why);
        page.row("what to do", &refusal.remedy);
    }
    configuration(&mut page, report);
    report.container.iter().for_each(|container| self::container(&mut page, container));
    report.devices.iter().for_each(|devices| self::devices(&mut page, devices));
    report.mode.iter().for_each(|mode| self::mode(&mut page, mode));
    report.capabilities.iter().for_each(|capabilities| self::capabilities(&mut page, capabilities));
    report.requirements.iter().for_each(|requirements| self::requirements(&mut page, requirements));
    report.program.iter().for_each(|program| self::program(&mut page, program));
    command_line(&mut page, report);
    environment(&mut page, &report.environment);
    as_cdi(&mut page, report);
    if !report.host.is_empty() {
        page.heading("Problems of this host");
        Subject { error: "problem", file: None, with_id: true }.write(&mut page, &report.host);
    }
    paths(&mut page, &report.paths);
    warnings(&mut page, report);
    page.finish()
}

fn configuration(page: &mut Page, report: &Report) {
    page.heading("Configuration");
    let configuration = &report.configuration;
    for Searched { path, outcome } in &configuration.searched {
        let (label, tone, note) = match outcome {
            Outcome::Used => ("used", Tone::Good, ""),
            Outcome::Unusable => ("cannot be read", Tone::Bad, ""),
            Outcome::NotReached => ("passed over", Tone::Plain, ", since one was found before"),
            Outcome::Absent | Outcome::Relative => ("passed over", Tone::Plain, ", which does not exist"),
        };
        page.toned_row(tone, label, &format!("{path}{note}"));
    }
    if !configuration.searched.iter().any(|one| matches!(one.outcome, Outcome::Used | Outcome::Unusable)) {
        page.toned_row(Tone::Good, "used", "the built-in defaults");
    }
    page.row("rule", configuration.rule);
}

fn container(page: &mut Page, container: &Container) {
    page.heading("Container");
    match (container.source, &container.bundle) {
        (Source::Variables, _) | (_, None) => page.row("bundle", "made up from the variables on the command line"),
        (_, Some(bundle)) => page.row("bundle", bundle),
    }
    if let Some(pid) = container.pid {
        page.row("pid", &pid.to_string());
    }
    container.rootfs.iter().for_each(|rootfs| page.row("root", rootfs));
    page.row(
        "privileged",
        &yes(container.privileged, "CAP_SYS_ADMIN is", "CAP_SYS_ADMIN is not", " in the bounding set"),
    );
    page.row("legacy image", &yes(container.legacy_image, "CUDA_VERSION without NVIDIA_REQUIRE_CUDA", "", ""));
    for (index, variable) in container.variables.iter().enumerate() {
        let value = Excerpt(variable.value.as_deref().unwrap_or_default()).to_string();
        page.row(if index == 0 { "variables" } else { "" }, &format!("{}={value}", variable.name));
    }
}

/// `yes`, `no` or `not known`, each with its reason.
fn yes(is: Option<bool>, yes: &str, no: &str, both: &str) -> String {
    let Some(is) = is else { return "not known: config.json was not read".to_owned() };
    let reason = if is { yes } else { no };
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{}{colon}{reason}{both}", if is { "yes" } else { "no" })
}

fn devices(page: &mut Page, devices: &Devices) {
    page.heading("Devices");
    page.row("given", &Excerpt(devices.given.as_deref().unwrap_or("nothing")).to_string());
    for Candidate { source, outcome, value, why } in &devices.candidates {
        let (label, tone) = match outcome {
            CandidateOutcome::Used => ("used", Tone::Good),
            CandidateOutcome::Silent => ("silent", Tone::Plain),
            CandidateOutcome::Refused => ("refused", Tone::Warning),
            CandidateOutcome::Outranked => ("outranked", Tone::Plain),
            CandidateOutcome::Invalid => ("invalid", Tone::Bad),
        };
        let value = value.as_deref().map(|value| format!(" = {}", shell_word(&Excerpt(value).to_string())));
        let value = value.unwrap_or_default();
        page.toned_row(tone, label, &format!("{source}{value}: {why}"));
    }
    for (index, gate) in devices.gates.iter().enumerate() {
        let text = format!("{} = {} ({}): {}", gate.name, gate.value, gate.place, gate.effect);
        page.row(if index == 0 { "policy" } else { "" }, &text);
    }
    for given in devices.imex_channels.iter().chain(&devices.mig) {
        let label = given.option.trim_start_matches('-');
        page.row(label, &format!("{}, by {}", Excerpt(&given.value), origins(&given.origin)));
    }
}

fn mode(page: &mut Page, mode: &Mode) {
    page.heading("Mode");
    page.row("asked", &format!("{} ({})", mode.asked, mode.place));
    page.row("found", &format!("{}, {}", mode.found.as_deref().unwrap_or("not asked"), mode.why));
    let (tone, served) = match mode.served {
        true => (Tone::Good, "yes"),
        false => (Tone::Bad, "no: the hook serves mode legacy only"),
    };
    page.toned_row(tone, "served", served);
}

fn capabilities(page: &mut Page, capabilities: &Capabilities) {
    page.heading("Driver capabilities");
    let asked = capabilities.asked.as_deref().map(|asked| Excerpt(asked).to_string());
    page.row("asked", asked.as_deref().unwrap_or("nothing: NVIDIA_DRIVER_CAPABILITIES is not set"));
    page.row("allowed", &format!("{} ({})", capabilities.allowed.join(","), capabilities.allowed_place));
    let given = capabilities.given.as_ref().map(|given| given.join(","));
    let given = given.as_deref().map(|given| if given.is_empty() { "none" } else { given });
    page.row("given", &format!("{}: {}", given.unwrap_or("refused"), capabilities.why));
}

fn requirements(page: &mut Page, requirements: &Requirements) {
    page.heading("Requirements");
    match &requirements.driver {
        None => page.row("driver", "not visible here, so requirements cannot be checked"),
        Some(driver) => {
            let cuda = driver.cuda.as_deref().map(|cuda| format!(", which serves CUDA up to {cuda}"));
            page.row("driver", &format!("{}{}", driver.version, cuda.unwrap_or_default()));
        }
    }
    if let Some(by) = &requirements.disabled_by {
        page.row("switched off", &format!("by {by}"));
    } else if requirements.items.is_empty() {
        page.row("none", "no variable states one");
    }
    for Requirement { expression, origin, met, needs_driver, .. } in &requirements.items {
        let (label, tone) = match met {
            Met::Yes => ("met", Tone::Good),
            Met::No => ("NOT met", Tone::Bad),
            Met::Unknown => ("unknown", Tone::Plain),
            Met::Invalid => ("invalid", Tone::Bad),
        };
        let mut text = format!("{}, by {}", Excerpt(expression), origins(origin));
        if let Some(driver) = needs_driver {
            let _ = write!(text, "; it needs driver {driver} or newer");
        }
        page.toned_row(tone, label, &text);
        if *met == Met::No {
            let change = if needs_driver.is_some() { "upgrade the driver" } else { "use another driver or GPU" };
            page.more(&format!(
                "{change}, use an older image, or start the container with NVIDIA_DISABLE_REQUIRE=true (then it may \
                 fail later)"
            ));
        }
    }
}

fn program(page: &mut Page, program: &Program) {
    page.heading("nvidia-container-cli");
    match &program.path {
        Some(path) => page.toned_row(Tone::Good, "used", &format!("{path}: {}", program.why)),
        None => page.toned_row(Tone::Bad, "not found", &program.why),
    }
    for (outcome, label) in [
        (Outcome::Absent, "not in"),
        (Outcome::Unusable, "no executable in"),
        (Outcome::Relative, "relative, skipped"),
        (Outcome::NotReached, "not searched"),
    ] {
        let matching = program.searched.iter().filter(|searched| searched.outcome == outcome);
        let directories: Vec<&str> = matching.map(|searched| searched.path.as_str()).collect();
        if !directories.is_empty() {
            page.row(label, &directories.join(" "));
        }
    }
}

fn command_line(page: &mut Page, report: &Report) {
    if report.argv.is_empty() {
        return;
    }
    page.heading("Command line");
    let rows: Vec<(String, String)> = report
        .argv
        .iter()
        .map(|argument| (shell_word(&argument.text).into_owned(), origins(&argument.origin)))
        .collect();
    page.columns(rows.iter().map(|(first, second)| (first.as_str(), second.as_str())));
}

fn environment(page: &mut Page, environment: &[Variable]) {
    if environment.is_empty() {
        return;
    }
    page.heading("Environment handed on");
    let inherited = environment.iter().filter(|variable| variable.origin.is_none());
    let names: Vec<&str> = inherited.map(|variable| variable.name.as_str()).collect();
    if !names.is_empty() {
        page.row("inherited", &format!("from this shell (an engine hands on its own): {}", names.join(" ")));
    }
    for variable in environment {
        if let (Some(value), Some(origin)) = (&variable.value, &variable.origin) {
            page.row("set", &format!("{}={value}: {}", variable.name, origin.text));
        }
    }
}

fn as_cdi(page: &mut Page, report: &Report) {
    let Some(cdi) = &report.cdi else { return };
    page.heading("As CDI");
    if let Some(first) = &cdi.first {
        page.toned_row(Tone::Warning, "first", first);
    }
    for form in &cdi.forms {
        for (index, line) in form.lines.iter().enumerate() {
            page.indented(if index == 0 { form.engine } else { "" }, line);
        }
    }
    for (index, lost) in cdi.lost.iter().enumerate() {
        page.row(if index == 0 { "lost" } else { "" }, lost);
    }
}

fn paths(page: &mut Page, paths: &[String]) {
    if paths.is_empty() {
        return;
    }
    page.heading("Which path serves containers on this host");
    paths.iter().for_each(|path| page.row("path", path));
}

fn warnings(page: &mut Page, report: &Report) {
    if report.warnings.is_empty() {
        return;
    }
    page.heading("Warnings");
    Subject { error: "error", file: None, with_id: false }.write(page, &report.warnings);
}

/// All origins in words, in one text.
fn origins(origins: &[Origin]) -> String {
    origins.iter().map(|origin| origin.text.as_str()).collect::<Vec<_>>().join(" and ")
}
