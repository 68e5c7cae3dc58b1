//! The witness of `explain`: turns each thing that is decided into a part of the report, while it is there to be seen.
//! Must not decide.

use super::container::{MADE_UP_PID, MADE_UP_ROOTFS};
use super::devices::{Sources, place_of, shown};
use super::origins::Origins;
use super::report::{
    Argument, Capabilities, Configuration, Container, Devices, Driver, Given, Met, Mode, OriginKind, Outcome, Program,
    Report, Requirement, Requirements, SCHEMA, Searched, Source, Variable, Verdict,
};
use super::requirement::{Known, evaluate, needed_driver};
use crate::config::Config;
use crate::container::spec::{Document, Wanted};
use crate::container::{Spec, State};
use crate::contract;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::DISABLE_REQUIRE;
use crate::contract::variables::{DRIVER_CAPABILITIES, MIG_CONFIG, MIG_MONITOR};
use crate::driver;
use crate::host::{Host, path_of};
use crate::invocation::Invocation;
use crate::mode;
use crate::plan::Plan;
use crate::prestart::Witness;
use crate::request::requirements;
use crate::request::{Request, capabilities};
use crate::text::go_bool;
use crate::text::paths;
use crate::{environ, lookup};

/// Keeps what it sees.
pub struct Recorder<'r> {
    /// The report so far.
    pub report: Report,
    source: Source,
    invocation: &'r Invocation<'r>,
    host: &'r dyn Host,
}

impl<'r> Recorder<'r> {
    /// A recorder with the part of the report that is known before the first step.
    pub fn new(
        source: Source,
        configuration: Configuration,
        invocation: &'r Invocation<'r>,
        host: &'r dyn Host,
    ) -> Self {
        let report = Report {
            schema: SCHEMA,
            hook_version: env!("CARGO_PKG_VERSION"),
            verdict: Verdict::Error,
            summary: String::new(),
            stderr: Vec::new(),
            configuration,
            container: None,
            devices: None,
            mode: None,
            capabilities: None,
            requirements: None,
            program: None,
            argv: Vec::new(),
            environment: Vec::new(),
            warnings: Vec::new(),
        };
        Recorder { report, source, invocation, host }
    }

    fn program(&self, config: &Config<'_>) -> Program {
        let configured = config.text(Key::CliPath);
        if !configured.is_empty() {
            let why = format!("nvidia-container-cli.path at {}", config.place(Key::CliPath));
            return Program { path: Some(configured.to_owned()), why, searched: Vec::new() };
        }
        let directories = lookup::directories(config.text(Key::CliRoot), self.invocation.environ);
        let mut searched = Vec::new();
        let mut found = None;
        for directory in directories {
            let path = paths::join(&directory, lookup::NAME);
            let outcome = match found {
                Some(_) => Outcome::NotReached,
                None if !directory.starts_with(b"/") => Outcome::Relative,
                None if self.host.is_executable(path_of(&path)) => Outcome::Used,
                None if self.host.kind(path_of(&path)).is_some() => Outcome::Unusable,
                None => Outcome::Absent,
            };
            if outcome == Outcome::Used {
                found = Some(String::from_utf8_lossy(&path).into_owned());
            }
            searched.push(Searched { path: String::from_utf8_lossy(&directory).into_owned(), outcome });
        }
        let why = match (&found, config.text(Key::CliRoot)) {
            (None, _) => "in none of the directories".to_owned(),
            (_, "" | "/") => "first in PATH and the default directories".to_owned(),
            (_, root) => format!("first in PATH and the default directories, all of them below {root} first"),
        };
        Program { path: found, why, searched }
    }

    /// What a made-up container cannot have yet, as a word in capitals.
    fn with_placeholders(&self, text: String) -> String {
        match self.source {
            Source::State => text,
            _ if text == format!("--pid={MADE_UP_PID}") => "--pid=PID".to_owned(),
            Source::Variables if text == MADE_UP_ROOTFS => "ROOTFS".to_owned(),
            _ => text,
        }
    }
}

impl Witness for Recorder<'_> {
    fn state(&mut self, state: &State) {
        let told = |source| (self.source == source).then_some(());
        self.report.container = Some(Container {
            source: self.source,
            bundle: (self.source != Source::Variables).then(|| state.bundle.clone()),
            pid: told(Source::State).map(|()| state.pid),
            privileged: false,
            legacy_image: false,
            rootfs: None,
            variables: Vec::new(),
        });
    }

    fn spec(&mut self, config: &Config<'_>, document: &Document, spec: &Spec<'_>) {
        if let Some(container) = &mut self.report.container {
            container.privileged = spec.privileged;
            container.legacy_image = spec.environment.is_legacy();
            container.rootfs = (self.source != Source::Variables).then(|| spec.rootfs.clone());
            container.variables = spec.environment.iter().map(|(name, value)| variable(name, value)).collect();
        }
        let swarm: Vec<&str> = config.swarm_variables().collect();
        // A start looks at mounts only where they count; here they are shown in any case.
        let wanted = Wanted { mounts: true, swarm: &swarm };
        let mounts = Spec::parse(document, wanted).map(|all| all.device_mounts).unwrap_or_default();
        let sources = Sources { config, spec, mounts: &mounts };
        self.report.devices = Some(Devices {
            given: None,
            candidates: sources.candidates(),
            gates: sources.gates(),
            imex_channels: None,
            mig: Vec::new(),
        });
        self.report.capabilities = Some(driver_capabilities(config, spec));
        self.report.requirements = Some(image_requirements(config, spec, self.host));
    }

    fn request(&mut self, config: &Config<'_>, request: &Request) {
        let origins = Origins { config, directories: &[] };
        let Some(devices) = &mut self.report.devices else { return };
        devices.given = shown(&request.devices.value);
        devices.imex_channels = request.imex_channels.as_ref().map(|channels| Given {
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
    }

    fn mode(&mut self, config: &Config<'_>, mode: &mode::Mode) {
        let served = mode.name().is_none_or(|name| name == mode::LEGACY);
        self.report.mode = Some(Mode {
            asked: config.text(Key::RuntimeMode).to_owned(),
            place: place_of(config, Key::RuntimeMode),
            found: mode.name().map(str::to_owned),
            why: match mode {
                mode::Mode::Skipped => {
                    format!(
                        "{} is true ({})",
                        Key::HookSkipModeDetection.row().name,
                        config.place(Key::HookSkipModeDetection)
                    )
                }
                mode::Mode::Requested(_) => "the configuration names it".to_owned(),
                mode::Mode::Cdi => "all requested devices are CDI names".to_owned(),
                mode::Mode::Detected(platform) => format!("detected: {}", platform.words()),
            },
            served,
        });
        if served {
            self.report.program = Some(self.program(config));
        }
    }

    fn plan(&mut self, config: &Config<'_>, plan: &Plan<'_>) {
        let directories = lookup::directories(config.text(Key::CliRoot), self.invocation.environ);
        let origins = Origins { config, directories: &directories };
        self.report.argv = plan
            .arguments
            .iter()
            .map(|argument| Argument {
                text: self.with_placeholders(argument.text.to_string_lossy().into_owned()),
                origin: origins.list(&argument.origin),
            })
            .collect();
        self.report.environment = plan.environment.iter().map(|entry| handed_on(entry, &origins)).collect();
    }
}

fn variable(name: &str, value: &str) -> Variable {
    Variable { name: name.to_owned(), value: Some(value.to_owned()), origin: None }
}

/// Only what the hook adds is shown with its value: the rest is the engine's, and may be secret.
fn handed_on(entry: &environ::Entry<'_>, origins: &Origins<'_>) -> Variable {
    let text = entry.text.to_string_lossy();
    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
    let mut origin = entry.origin.as_ref().and_then(|origin| origins.list(origin).pop());
    if let Some(origin) = origin.as_mut().filter(|origin| origin.kind == OriginKind::Fixed) {
        "the search path".clone_into(&mut origin.text);
    }
    let value = origin.is_some().then(|| value.to_owned());
    Variable { name: name.to_owned(), value, origin }
}

fn driver_capabilities(config: &Config<'_>, spec: &Spec<'_>) -> Capabilities {
    let granted = capabilities::granted(config, &spec.environment).ok();
    let why = match &granted {
        Some((_, Origin::LegacyImage(_))) => "a legacy image that does not ask gets all that is allowed".to_owned(),
        Some((_, Origin::Unset(_))) => "an image that does not ask gets utility and compute".to_owned(),
        Some(_) => "as asked".to_owned(),
        None => "something that is asked for is not allowed".to_owned(),
    };
    Capabilities {
        asked: spec.environment.get(DRIVER_CAPABILITIES).map(str::to_owned),
        allowed: names(config.supported()),
        allowed_place: place_of(config, Key::SupportedDriverCapabilities),
        given: granted.map(|(given, _)| names(given)),
        why,
    }
}

fn names(set: contract::capabilities::Capabilities) -> Vec<String> {
    set.names().map(str::to_owned).collect()
}

fn image_requirements(config: &Config<'_>, spec: &Spec<'_>, host: &dyn Host) -> Requirements {
    let by_image = spec.environment.get(DISABLE_REQUIRE).and_then(go_bool) == Some(true);
    let disabled_by = match (config.flag(Key::DisableRequire), by_image) {
        (true, _) => Some(format!("disable-require at {}", config.place(Key::DisableRequire))),
        (false, true) => Some(format!("the container's {DISABLE_REQUIRE}")),
        (false, false) => None,
    };
    let driver = driver::of_host(host).map(|version| {
        let cuda = driver::cuda_of(&version).map(str::to_owned);
        Driver { version, cuda }
    });
    let known = Known {
        driver: driver.as_ref().map(|driver| driver.version.as_str()),
        cuda: driver.as_ref().and_then(|driver| driver.cuda.as_deref()),
    };
    let origins = Origins { config, directories: &[] };
    let stated = requirements::stated(config, &spec.environment).unwrap_or_default();
    let items = stated.iter().map(|stated| requirement(stated, known, &origins)).collect();
    Requirements { disabled_by, driver, items }
}

fn requirement(stated: &requirements::Requirement, known: Known<'_>, origins: &Origins<'_>) -> Requirement {
    let met = evaluate(&stated.expression, known);
    let needs = if met == Met::Yes { None } else { needed_driver(&stated.expression) };
    Requirement {
        expression: stated.expression.clone(),
        origin: origins.list(&stated.origin),
        met,
        needs_driver: needs.map(str::to_owned),
    }
}
