//! `explain`: takes the steps of a start with a witness that keeps all it sees, and says what would be executed and
//! why. Must not decide anything itself, nor print, nor execute.

mod container;
mod devices;
mod origins;
pub mod report;
mod requirement;
mod text;
mod warnings;
mod witness;

pub use container::Subject;
pub use text::text;

use crate::config;
use crate::contract::variables::XDG_CONFIG_HOME;
use crate::error::Error;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::prestart::{self, Decision};
use crate::request::NotAGpuContainer;
use container::Amended;
use report::{CandidateOutcome, Configuration, Outcome, Report, Searched, Verdict};
use witness::Recorder;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The container.
    pub subject: Subject,
    /// Variables, `NAME=VALUE`, that it has besides its own.
    pub variables: Vec<String>,
    /// It is privileged, whatever its specification says.
    pub privileged: bool,
}

/// Answers a question.
#[must_use]
pub fn explain(question: &Question, invocation: &Invocation<'_>, host: &dyn Host) -> Report {
    let host = Amended::new(host, &question.subject, &question.variables, question.privileged);
    let configuration = configuration(invocation, &host);
    let mut recorder = Recorder::new(question.subject.source(), configuration, invocation, &host);
    let state = question.subject.state();
    let decision = prestart::decide_before(&mut recorder, invocation, &mut state.as_slice(), &host);
    conclude(recorder.report, decision)
}

/// Adds the end to what was seen on the way.
fn conclude(mut report: Report, decision: Result<Decision<'_>, Error>) -> Report {
    match decision {
        Ok(Decision::Execute(..)) => {
            report.verdict = Verdict::Execute;
            let refusal = match would_be_refused(&report) {
                true => ", and would refuse, since a requirement is not met",
                false => "",
            };
            report.summary = format!(
                "GPU container: {}. nvidia-container-cli would be executed as below{refusal}.",
                what_is_given(&report)
            );
        }
        Ok(Decision::Nothing(reason)) => {
            report.verdict = Verdict::Nothing;
            report.summary = why_nothing(&report, &reason);
            report.stderr.extend(reason.warning());
            report.capabilities = None;
            report.requirements = None;
        }
        Err(error) => {
            report.stderr.extend(error.preamble().map(str::to_owned));
            report.stderr.push(error.to_string());
            report.summary = "The start would fail with this message, and the container would not run:".to_owned();
        }
    }
    report.warnings = warnings::of(&report);
    report
}

fn what_is_given(report: &Report) -> String {
    let Some(devices) = &report.devices else { return String::new() };
    let sources: Vec<&str> = devices
        .candidates
        .iter()
        .filter(|candidate| candidate.outcome == CandidateOutcome::Used)
        .map(|candidate| candidate.source.as_str())
        .collect();
    let by = match sources.as_slice() {
        ["legacy image"] => "the rule for legacy images (CUDA_VERSION set, NVIDIA_VISIBLE_DEVICES not)".to_owned(),
        sources => sources.join(" and "),
    };
    match devices.given.as_deref() {
        Some("all") => format!("it gets all GPUs, by {by}"),
        Some("none") | None => format!("it gets the driver's files and no GPU, by {by}"),
        Some(list) => format!("it gets GPU {list}, by {by}"),
    }
}

/// Whether `nvidia-container-cli` would end with `unsatisfied condition` or `invalid expression` on this host.
fn would_be_refused(report: &Report) -> bool {
    let stated = report.requirements.iter().flat_map(|requirements| &requirements.items);
    let mut stated = stated.map(|requirement| requirement.met);
    stated.any(|met| matches!(met, report::Met::No | report::Met::Invalid))
}

fn why_nothing(report: &Report, reason: &NotAGpuContainer) -> String {
    let why = match reason {
        NotAGpuContainer::Ignored { variables } => format!(
            "{} asks for GPUs, but the container is not privileged and the configuration ignores such requests",
            variables.join(" and ")
        ),
        NotAGpuContainer::NothingRequested => {
            let candidates = report.devices.iter().flat_map(|devices| &devices.candidates);
            let mut asking = candidates.filter(|candidate| candidate.value.is_some());
            match asking.next() {
                Some(one) => format!(
                    "{} is '{}', which {}",
                    one.source,
                    one.value.as_deref().unwrap_or_default(),
                    if one.outcome == CandidateOutcome::Refused { "is not accepted" } else { "asks for no GPU" }
                ),
                None => "nothing asks for a GPU".to_owned(),
            }
        }
    };
    format!("Not a GPU container: {why}. Nothing would be executed, and it would start without GPUs.")
}

/// Which files were looked at for the configuration, by which rule, and what was there.
fn configuration(invocation: &Invocation<'_>, host: &dyn Host) -> Configuration {
    let (paths, required) = config::searched(invocation);
    let mut configuration = Configuration { rule: rule(invocation, required), ..Configuration::default() };
    for path in paths {
        let outcome = match configuration.searched.last().map(|last: &Searched| last.outcome) {
            None | Some(Outcome::Absent) => match host.read(&path) {
                Ok(_) => Outcome::Used,
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && !required => Outcome::Absent,
                Err(_) => Outcome::Unusable,
            },
            Some(_) => Outcome::NotReached,
        };
        let path = path.display().to_string();
        if outcome == Outcome::Used {
            configuration.file = Some(path.clone());
        }
        configuration.searched.push(Searched { path, outcome });
    }
    configuration
}

fn rule(invocation: &Invocation<'_>, required: bool) -> &'static str {
    let filled = |value: Option<usize>| value.is_some_and(|length| length > 0);
    match required {
        true if filled(invocation.flags.config.map(std::ffi::OsStr::len)) => "named by --config",
        true => "named by NVIDIA_CTK_CONFIG_FILE_PATH",
        false if filled(invocation.environ.get(XDG_CONFIG_HOME).map(<[u8]>::len)) => {
            "searched below XDG_CONFIG_HOME of this shell, which an engine's hooks may not have"
        }
        false => "searched in the default places",
    }
}
