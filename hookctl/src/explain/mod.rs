//! `explain`: takes the steps of a start, and reports, from the trail they leave, what would be executed and why. Must
//! not decide, print or execute anything itself.

mod amend;
pub mod as_cdi;
mod capabilities;
mod configuration;
mod container;
mod devices;
mod foresight;
mod origins;
mod prediction;
mod program;
pub mod report;
mod requirements;
mod text;
mod trail;
mod warnings;

pub use container::Subject;
pub use text::text;

use hook::config::Config;
use hook::contract::keys::Key;
use hook::error::Error;
use hook::error::reason;
use hook::host::Host;
use hook::invocation::Invocation;
use hook::plan::program::directories;
use hook::prestart::{self, Decision, Texts, Trail};
use hook::request::NoGpuReason;
use hook::text::Excerpt;
use std::path::Path;

use crate::answer::{Answer, Scene};
use crate::arguments;
use crate::check::usual::two_files;
use crate::gpus::HostGpus;
use crate::tree::{Tree, read_stdin};
use container::AmendedHost;
use origins::Origins;
use prediction::Outlook;
use report::{CandidateOutcome, Refusal, Report, Verdict};

/// Runs the command.
pub fn run(arguments: &arguments::Explain, scene: &Scene<'_>) -> Answer {
    let subject = match subject(arguments) {
        Ok(subject) => subject,
        Err(message) => return Answer::failure(&message),
    };
    let question = Question { subject, variables: arguments.variables.clone(), privileged: arguments.privileged };
    let mut report = explain(&question, &scene.invocation, &scene.host);
    foresight::host(&mut report, scene);
    let mode = report.mode.as_ref().map_or("auto", |mode| mode.asked.as_str());
    report.paths = crate::doctor::path::lines(&scene.host, mode);
    report.cdi = arguments.as_cdi.then(|| as_cdi::of(&report, &scene.host));
    let status = u8::from(matches!(report.verdict, Verdict::Error | Verdict::Refused));
    scene.answer(&report, |colour| text(&report, colour), status)
}

fn subject(arguments: &arguments::Explain) -> Result<Subject, String> {
    if let Some(bundle) = &arguments.bundle {
        let absolute = std::path::absolute(bundle).map_err(|cause| format!("{}: {cause}", bundle.display()))?;
        let path = absolute.to_str().ok_or_else(|| format!("{}: a bundle's path is UTF-8", bundle.display()))?;
        return Ok(Subject::Bundle(path.to_owned()));
    }
    let Some(state) = &arguments.state else { return Ok(Subject::Variables) };
    let content = match state.as_path() == Path::new("-") {
        true => read_stdin(),
        // A file of this machine, not of the machine in question.
        false => Tree::new(None).read(state),
    };
    content
        .map(Subject::State)
        .map_err(|cause| format!("{}: {}", Excerpt(&state.display().to_string()), reason(&cause)))
}

/// A question to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The container.
    pub subject: Subject,
    /// Variables, `NAME=VALUE`, added to the container's own.
    pub variables: Vec<String>,
    /// Treat it as privileged, whatever its specification says.
    pub privileged: bool,
}

/// Answers a question.
#[must_use]
pub fn explain(question: &Question, invocation: &Invocation<'_>, host: &dyn Host) -> Report {
    let host = AmendedHost::new(host, &question.subject, &question.variables, question.privileged);
    let (texts, mut trail) = (Texts::default(), Trail::default());
    let state = question.subject.state();
    let decision = prestart::decide(invocation, &mut state.as_slice(), &host, &texts, &mut trail);
    let decision = decision.and_then(|decision| program::executable(decision, &host));
    let mut report = Report::new(configuration::searched(invocation, &texts, decision.as_ref().err()));
    report.container = trail
        .state
        .as_ref()
        .map(|state| self::trail::container(&question.subject, trail.config.as_ref(), state, trail.spec.as_ref()));
    if let Some(config) = &trail.config {
        let directories = directories(config.text(Key::CliRoot), invocation.environ);
        fill(&mut report, config, &texts, &trail, &directories, &host);
        if let Ok(Decision::Execute(plan)) = &decision {
            let origins = Origins { config, directories: &directories };
            report.argv = self::trail::argv(plan, question.subject.source(), &origins);
            report.environment = self::trail::environment(plan, &origins);
            report.refusal = refusal(&report, config, &trail, &host);
        }
    }
    report.stderr.extend(decision.as_ref().ok().and_then(|decision| decision.warning(&trail)));
    let mut report = conclude(report, decision);
    report.warnings.extend(texts.config().and_then(|file| two_files(file, &host)));
    report
}

/// Fills in the parts that the trail provides once there is a configuration.
fn fill(
    report: &mut Report,
    config: &Config<'_>,
    texts: &Texts,
    trail: &Trail<'_>,
    directories: &[Vec<u8>],
    host: &dyn Host,
) {
    if let (Some(document), Some(spec)) = (texts.spec(), &trail.spec) {
        let devices = self::trail::devices(config, document, spec, trail.request.as_ref());
        report.capabilities = Some(capabilities::driver_capabilities(config, spec));
        let given = devices.given.as_deref();
        report.requirements = Some(requirements::image_requirements(config, spec, host, &HostGpus::of(host), given));
        report.devices = Some(devices);
    }
    report.mode = trail.mode.as_ref().map(|mode| self::trail::mode(config, mode));
    if report.mode.as_ref().is_some_and(|mode| mode.served) {
        report.program = Some(program::program(config, trail.program.as_ref(), directories, host));
    }
}

/// What nvidia-container-cli would refuse in the request on this host.
fn refusal(report: &Report, config: &Config<'_>, trail: &Trail<'_>, host: &dyn Host) -> Option<Refusal> {
    let requirements = report.requirements.as_ref();
    let driver = requirements.and_then(|requirements| requirements.driver.as_ref());
    let outlook = Outlook {
        config,
        request: trail.request.as_ref()?,
        driver: driver.map(|driver| driver.version.as_str()),
        gpus: &HostGpus::of(host),
        requirements,
        host,
    };
    outlook.refusal()
}

/// Adds the outcome to what was recorded on the way.
fn conclude(mut report: Report, decision: Result<Decision<'_>, Error>) -> Report {
    match decision {
        Ok(Decision::Execute(..)) => {
            let given = what_is_given(&report);
            (report.verdict, report.summary) = match &report.refusal {
                None => (
                    Verdict::Execute,
                    format!("GPU container: it gets {given}. nvidia-container-cli would be executed as below."),
                ),
                Some(_) => (Verdict::Refused, refused(&given)),
            };
        }
        Ok(Decision::Nothing(reason)) => {
            report.verdict = Verdict::Nothing;
            report.summary = why_nothing(&report, &reason);
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

/// The summary of a start that nvidia-container-cli refuses.
fn refused(given: &str) -> String {
    format!(
        "The start would fail on this host. The container asks for {given}; nvidia-container-cli would be executed as \
         below, refuse with this message, and the container would not run:"
    )
}

fn what_is_given(report: &Report) -> String {
    let Some(devices) = &report.devices else { return String::new() };
    let used = devices.candidates.iter().filter(|candidate| candidate.outcome == CandidateOutcome::Used);
    let by = used.map(|candidate| candidate.source.in_words()).collect::<Vec<_>>().join(" and ");
    match devices.given.as_deref() {
        Some("all") => format!("all GPUs, by {by}"),
        Some("none") | None => format!("the driver's files and no GPU, by {by}"),
        Some(list) => format!("GPU {list}, by {by}"),
    }
}

fn why_nothing(report: &Report, reason: &NoGpuReason) -> String {
    let why = match reason {
        NoGpuReason::Ignored { .. } => reason.to_string(),
        NoGpuReason::NothingRequested => {
            let candidates = report.devices.iter().flat_map(|devices| &devices.candidates);
            let mut asking = candidates.filter(|candidate| candidate.value.is_some());
            match asking.next() {
                Some(one) => format!(
                    "{} is '{}', which {}",
                    one.source,
                    one.value.as_deref().unwrap_or_default(),
                    if one.outcome == CandidateOutcome::Refused { "is not accepted" } else { "asks for no GPU" }
                ),
                None => reason.to_string(),
            }
        }
    };
    format!("Not a GPU container: {why}. Nothing would be executed, and it would start without GPUs.")
}
