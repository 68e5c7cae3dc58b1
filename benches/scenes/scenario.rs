//! A container's start as the hook sees it: a configuration, a state and a bundle on disk, made from the fixture
//! `docker-gpus`. All paths have the same length on every machine, so that counts do not depend on where a bench runs.
//! Must not know what is measured.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Result;
use super::grown::{Grown, Input};
use super::large::Large;

/// The specification, the shipped configuration, and one that says no more than it must.
const SPEC: &str = include_str!("../fixtures/docker-gpus/config.json");
const CONFIG: &str = include_str!("../fixtures/docker-gpus/config.toml");
const SHORT_CONFIG: &str = include_str!("../fixtures/docker-gpus/short.toml");
/// The length of the path of the directory that holds the scenarios.
const ROOT_LENGTH: usize = 48;
/// The file name of the executed program.
const CLI: &str = "nvidia-container-cli";
/// An engine's name for a container; it is part of paths, so its length counts.
const ID: &str = "4f1c0d9a7b3e527b3e527b3e527b3e527b3e527b3e527b3e527b3e527b3e52c8";

/// What differs between scenarios.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// The program's path is configured; mode `legacy`.
    Configured,
    /// Like [`Variant::Configured`], with a file that says no more than it must.
    ShortConfig,
    /// The program is searched for, and found in the fourth directory of `PATH`.
    Searched,
    /// Like [`Variant::Configured`], with mode `auto`, which looks at the machine.
    Auto,
    /// Like [`Variant::Configured`], with `rootless = "auto"`, which asks the machine who starts the hook.
    Rootless,
    /// Like [`Variant::Configured`], but the container asks for no GPU.
    NoGpu,
    /// Like [`Variant::Configured`], with a generated specification.
    Large(Large),
    /// Like [`Variant::Configured`], with an input of many MiB.
    Grown(Grown),
}

impl Variant {
    /// The small variants.
    pub const SMALL: [Variant; 5] =
        [Variant::Configured, Variant::ShortConfig, Variant::Searched, Variant::Auto, Variant::NoGpu];

    /// The name in tables and in the budget.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Variant::Configured => "docker-gpus",
            Variant::ShortConfig => "docker-gpus-short",
            Variant::Searched => "docker-gpus-search",
            Variant::Auto => "docker-gpus-auto",
            Variant::Rootless => "docker-gpus-rootless",
            Variant::NoGpu => "no-gpu",
            Variant::Large(large) => large.name(),
            Variant::Grown(grown) => grown.name,
        }
    }

    /// The configuration, for a program at a path.
    pub fn config(self, cli: &str) -> Result<String> {
        let mut config = if self == Variant::ShortConfig { SHORT_CONFIG } else { CONFIG }.to_owned();
        if self != Variant::Searched {
            let line = format!("path = \"{cli}\"");
            config = replace(&config, "#path = \"/usr/bin/nvidia-container-cli\"", &line)?;
        }
        if self == Variant::Large(Large::MountsAccepted) {
            let key = "accept-nvidia-visible-devices-as-volume-mounts";
            config = replace(&config, &format!("#{key} = false"), &format!("{key} = true"))?;
        }
        if self == Variant::Rootless {
            let hook = "[nvidia-container-runtime-hook]\n";
            config = replace(&config, hook, &format!("{hook}rootless = \"auto\"\n"))?;
        }
        if self != Variant::Auto {
            config = replace(&config, "mode = \"auto\"", "mode = \"legacy\"")?;
        }
        self.grow(Input::Config, config)
    }

    /// The container's specification.
    pub fn spec(self) -> Result<String> {
        match self {
            Variant::NoGpu => replace(SPEC, "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=void"),
            Variant::Large(large) => large.grow(SPEC),
            _ => self.grow(Input::Spec, SPEC.to_owned()),
        }
    }

    /// The container state for a bundle directory.
    fn state(self, bundle: &Path) -> Result<String> {
        let bundle = bundle.display();
        let state =
            format!(r#"{{"ociVersion":"1.2.0","id":"{ID}","status":"creating","pid":4242,"bundle":"{bundle}"}}"#);
        self.grow(Input::State, state)
    }

    fn grow(self, input: Input, text: String) -> Result<String> {
        match self {
            Variant::Grown(grown) => grown.grow(input, text),
            _ => Ok(text),
        }
    }
}

/// The directory in which scenarios are made; it is removed at the end.
pub struct Workplace(tempfile::TempDir);

impl Workplace {
    /// Makes the directory.
    pub fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        let prefix = "hook-bench-";
        let padding = ROOT_LENGTH.checked_sub(parent.as_os_str().len() + 1 + prefix.len()).filter(|length| *length > 5);
        let padding = padding.ok_or_else(|| format!("TMPDIR ({}) is too long a path", parent.display()))?;
        Ok(Workplace(tempfile::Builder::new().prefix(prefix).rand_bytes(padding).tempdir_in(parent)?))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A scenario on disk.
pub struct Scenario {
    /// What it is.
    pub variant: Variant,
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Scenario {
    /// Makes a scenario in which `target` is the executed program.
    pub fn make(workplace: &Workplace, variant: Variant, target: &Path) -> Result<Self> {
        let directory = workplace.path().join(variant.name());
        let mut scenario = Scenario { variant, directory, environment: Vec::new() };
        fs::create_dir_all(scenario.bundle())?;
        fs::create_dir_all(scenario.directory.join("bin"))?;
        fs::copy(target, scenario.cli())?;
        fs::write(scenario.state(), variant.state(&scenario.bundle())?)?;
        if variant == Variant::Searched {
            let directories = ["sbin", "local/bin", "local/sbin", "bin"];
            let directories = directories.map(|name| scenario.directory.join(name).display().to_string());
            scenario.environment.push(("PATH", directories.join(":")));
        }
        fs::write(scenario.config(), variant.config(&scenario.cli().display().to_string())?)?;
        fs::write(scenario.spec(), variant.spec()?)?;
        Ok(scenario)
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("config.toml")
    }

    /// The container's specification.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.bundle().join("config.json")
    }

    /// The container's state, which [`Scenario::command`] puts on standard input.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    fn bundle(&self) -> PathBuf {
        self.directory.join(ID)
    }

    /// The executed program.
    #[must_use]
    pub fn cli(&self) -> PathBuf {
        self.directory.join("bin").join(CLI)
    }

    /// The command that starts a hook in this scenario.
    pub fn hook(&self, hook: &Path) -> Result<Command> {
        self.command(hook).map(|mut command| {
            command.arg("-config").arg(self.config()).arg("prestart");
            command
        })
    }

    /// The command that starts the C floor in this scenario.
    pub fn floor(&self, floor: &Path) -> Result<Command> {
        let mut command = self.command(floor)?;
        command.arg(self.config()).arg(self.spec());
        if self.variant != Variant::NoGpu {
            command.arg(self.cli());
        }
        Ok(command)
    }

    /// The command that starts a program with the state on its standard input and this scenario's environment.
    pub fn command(&self, program: &Path) -> Result<Command> {
        let mut command = Command::new(program);
        let state = File::open(self.state())?;
        command.stdin(Stdio::from(state)).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// Replaces a text that must be there.
pub fn replace(text: &str, old: &str, new: &str) -> Result<String> {
    if !text.contains(old) {
        return Err(format!("the fixture has no {old:?}").into());
    }
    Ok(text.replacen(old, new, 1))
}
