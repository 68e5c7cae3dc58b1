//! The report from the trail of a start: each thing that a step learned becomes a part of the report. Must not decide,
//! and must not read again what the start has read.

use super::container::{MADE_UP_PID, MADE_UP_ROOTFS, Subject};
use super::devices::{Sources, place_of, shown};
use super::origins::Origins;
use super::report::{Argument, Container, Devices, Given, Mode, OriginKind, Source, Variable};
use hook::config::Config;
use hook::container::spec::{Document, Wanted};
use hook::container::{Spec, State};
use hook::contract::keys::Key;
use hook::contract::origin::Origin;
use hook::contract::variables::{MIG_CONFIG, MIG_MONITOR};
use hook::mode;
use hook::plan::environment;
use hook::plan::{self, Plan};
use hook::request::Request;

use crate::variables::is_read;

/// The container, as far as the state and the specification were read.
pub fn container(subject: &Subject, config: Option<&Config<'_>>, state: &State, spec: Option<&Spec<'_>>) -> Container {
    let source = subject.source();
    let swarm: Vec<&str> = config.into_iter().flat_map(Config::swarm_variables).collect();
    let variables = spec.into_iter().flat_map(|spec| spec.environment.iter());
    Container {
        source,
        bundle: (source != Source::Variables).then(|| state.bundle.clone()),
        pid: (source == Source::State).then_some(state.pid),
        privileged: spec.map(|spec| spec.privileged),
        legacy_image: spec.map(|spec| spec.environment.is_legacy()),
        rootfs: spec.filter(|_| source != Source::Variables).map(|spec| spec.rootfs.clone()),
        variables: variables.filter(|(name, _)| is_read(name, &swarm)).map(variable).collect(),
    }
}

/// The devices: which sources could ask, and what is given, if the request got that far.
pub fn devices(config: &Config<'_>, document: &Document, spec: &Spec<'_>, request: Option<&Request>) -> Devices {
    let ignored = ignored_mounts(config, document);
    let mounts = if config.flag(Key::AcceptVolumeMounts) { &spec.device_mounts } else { &ignored };
    let sources = Sources { config, spec, mounts };
    let mut devices = Devices {
        given: None,
        candidates: sources.candidates(),
        gates: sources.gates(),
        imex_channels: None,
        mig: Vec::new(),
    };
    let Some(request) = request else { return devices };
    let origins = Origins { config, directories: &[] };
    devices.given = shown(&request.devices.value);
    devices.imex_channels = request.imex.channels().map(|channels| Given {
        option: "--imex-channel",
        value: channels.value.join(","),
        origin: origins.list(&channels.origin),
    });
    for (option, value, name) in
        [("--mig-config", &request.mig_config, MIG_CONFIG), ("--mig-monitor", &request.mig_monitor, MIG_MONITOR)]
    {
        let origin = origins.list(&Origin::Variable(name.to_owned()));
        devices.mig.extend(value.clone().map(|value| Given { option, value, origin }));
    }
    devices
}

/// The device mounts that a start passes over because the configuration does not accept them. No start looks for them,
/// so they are not on its trail.
fn ignored_mounts(config: &Config<'_>, document: &Document) -> Vec<hook::container::mounts::DeviceMount> {
    if config.flag(Key::AcceptVolumeMounts) {
        return Vec::new();
    }
    let swarm: Vec<&str> = config.swarm_variables().collect();
    Spec::parse(document, Wanted { mounts: true, swarm: &swarm }).map(|all| all.device_mounts).unwrap_or_default()
}

/// The mode.
pub fn mode(config: &Config<'_>, mode: &mode::Mode) -> Mode {
    Mode {
        asked: config.text(Key::RuntimeMode).to_owned(),
        place: place_of(config, Key::RuntimeMode),
        found: mode.name().map(str::to_owned),
        why: match mode {
            mode::Mode::Skipped => {
                let key = Key::HookSkipModeDetection;
                format!("{} is true ({})", key.row().name, config.place(key))
            }
            mode::Mode::Requested(_) => "the configuration names it".to_owned(),
            mode::Mode::Cdi => "all requested devices are CDI names".to_owned(),
            mode::Mode::Detected(platform) => format!("detected: {}", platform.words()),
        },
        served: mode.is_served(),
    }
}

/// The command line.
pub fn argv(plan: &Plan<'_>, source: Source, origins: &Origins<'_>) -> Vec<Argument> {
    let shown = |argument: &plan::Argument| Argument {
        text: with_placeholders(argument, source),
        origin: origins.list(&argument.origin),
    };
    plan.arguments.iter().map(shown).collect()
}

/// An argument, with placeholders in capitals for values that a container without a state or bundle does not have.
fn with_placeholders(argument: &plan::Argument, source: Source) -> String {
    let text = argument.text.to_string_lossy().into_owned();
    match (source, &argument.origin) {
        (Source::Bundle | Source::Variables, Origin::State(_)) => text.replace(&MADE_UP_PID.to_string(), "PID"),
        (Source::Variables, Origin::Spec(_)) if text == MADE_UP_ROOTFS => "ROOTFS".to_owned(),
        _ => text,
    }
}

/// The environment handed on.
pub fn environment(plan: &Plan<'_>, origins: &Origins<'_>) -> Vec<Variable> {
    plan.environment.iter().map(|entry| handed_on(entry, origins)).collect()
}

fn variable((name, value): (&str, &str)) -> Variable {
    Variable { name: name.to_owned(), value: Some(value.to_owned()), origin: None }
}

/// Only variables that the hook adds are shown with their values: the rest are the engine's, and may be secret.
fn handed_on(entry: &environment::Entry<'_>, origins: &Origins<'_>) -> Variable {
    let text = entry.text.to_string_lossy();
    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
    let mut origin = entry.origin.as_ref().and_then(|origin| origins.list(origin).pop());
    if let Some(origin) = origin.as_mut().filter(|origin| origin.kind == OriginKind::Fixed) {
        "the search path".clone_into(&mut origin.text);
    }
    let value = origin.is_some().then(|| value.to_owned());
    Variable { name: name.to_owned(), value, origin }
}
