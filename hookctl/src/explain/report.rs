//! `explain`'s answer as data: the JSON output is this, field by field (docs/explain.schema.json), and the text is made
//! from it. Must not know how any of it is found out.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::as_cdi::AsCdi;
pub use super::origins::{Origin, OriginKind};
use crate::finding::Finding;
pub use crate::requirement::Met;

/// The version of the schema; it changes when a member changes meaning or is removed.
pub const SCHEMA: u32 = 1;

/// The answer of `nvidia-hookctl explain`: what a start of the container would do, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Version of the schema of this answer; it changes when a member changes meaning or is removed.
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules nvidia-hookctl applies.
    pub hook_version: &'static str,
    /// What the start would do.
    pub verdict: Verdict,
    /// The verdict in sentences, for people.
    pub summary: String,
    /// The lines that the hook would write to standard error.
    pub stderr: Vec<String>,
    /// How nvidia-container-cli would refuse on this host; null unless the verdict is `refused`.
    pub refusal: Option<Refusal>,
    /// The search for the configuration file.
    pub configuration: Configuration,
    /// The container; null if the start fails before its state is read.
    pub container: Option<Container>,
    /// The devices asked for and given; null if the start fails before the specification is read.
    pub devices: Option<Devices>,
    /// The mode of the runtime; null if the start ends before the mode is determined.
    pub mode: Option<Mode>,
    /// Driver capabilities; null if this is not a GPU container or its specification was not read.
    pub capabilities: Option<Capabilities>,
    /// Requirements of the image; null if this is not a GPU container or its specification was not read.
    pub requirements: Option<Requirements>,
    /// The search for `nvidia-container-cli`; null if the start ends before it.
    pub program: Option<Program>,
    /// The command line of nvidia-container-cli; empty if it is not executed.
    pub argv: Vec<Argument>,
    /// The environment of nvidia-container-cli; empty if it is not executed.
    pub environment: Vec<Variable>,
    /// Problems of this host that can fail the start, as `doctor` finds them.
    pub host: Vec<Finding>,
    /// For each engine on this host, a sentence that says whether the hook or CDI gives its containers GPUs.
    pub paths: Vec<String>,
    /// The request translated to CDI; null without `--as-cdi`.
    pub cdi: Option<AsCdi>,
    /// What looks like a mistake although the hook accepts it.
    pub warnings: Vec<Finding>,
}

impl Report {
    /// A report that so far says only where the configuration was searched for.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        Report {
            schema: SCHEMA,
            hookctl_version: crate::VERSION,
            hook_version: hook::VERSION,
            verdict: Verdict::Error,
            summary: String::new(),
            stderr: Vec::new(),
            refusal: None,
            configuration,
            container: None,
            devices: None,
            mode: None,
            capabilities: None,
            requirements: None,
            program: None,
            argv: Vec::new(),
            environment: Vec::new(),
            host: Vec::new(),
            paths: Vec::new(),
            cdi: None,
            warnings: Vec::new(),
        }
    }
}

/// How nvidia-container-cli would refuse to serve the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The error line that nvidia-container-cli would write.
    pub line: String,
    /// What in the request or on this host causes the refusal.
    pub why: String,
    /// What to do about the refusal.
    pub remedy: String,
}

/// What a start would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `nvidia-container-cli` is executed.
    Execute,
    /// `nvidia-container-cli` is executed and refuses on this host: the start fails.
    Refused,
    /// Nothing is executed: this is not a GPU container, and it starts without GPUs.
    Nothing,
    /// The hook itself fails the start: nothing is executed.
    Error,
}

/// The search for the configuration file.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Configuration {
    /// Path of the file that is read; null if the defaults apply or the file cannot be read.
    pub file: Option<String>,
    /// The rule that determines which files are searched, such as `named by --config`.
    pub rule: &'static str,
    /// The files, in search order.
    pub searched: Vec<Searched>,
}

/// A place that a search covers: a configuration file, or a directory that can contain nvidia-container-cli.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Searched {
    /// Path of the file or directory.
    pub path: String,
    /// What the search found there.
    pub outcome: Outcome,
}

/// What a search found at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The file or program that is used.
    Used,
    /// No such file, or no program in the directory.
    Absent,
    /// It cannot be used: for example, a file that is not readable or a program that is not executable.
    Unusable,
    /// A relative directory, which is never searched.
    Relative,
    /// Not looked at, because the search ended before it.
    NotReached,
}

/// The container whose start is explained.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Container {
    /// Where the description of the container comes from.
    pub source: Source,
    /// Path of the bundle; null if `source` is `variables`.
    pub bundle: Option<String>,
    /// Process id of the container's process; null unless `source` is `state`.
    pub pid: Option<u32>,
    /// Whether the container is privileged: `CAP_SYS_ADMIN` is in the bounding set; null if this is not known.
    pub privileged: Option<bool>,
    /// Whether the image is a legacy one: `CUDA_VERSION` is set, `NVIDIA_REQUIRE_CUDA` is not; null if not known.
    pub legacy_image: Option<bool>,
    /// Path of the root filesystem; null if `source` is `variables` or the specification was not read.
    pub rootfs: Option<String>,
    /// The variables of the container that the hook reads, with their values.
    pub variables: Vec<Variable>,
}

/// Where the description of a container comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A bundle named on the command line.
    Bundle,
    /// A container state, from a file or standard input.
    State,
    /// Only variables on the command line.
    Variables,
}

/// The devices that a container asks for, and which of them it gets.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Devices {
    /// Devices given: `all`, `none` or a list such as `0,1`; null if this is not a GPU container or the request fails.
    pub given: Option<String>,
    /// Each source that can ask for devices, in order of precedence.
    pub candidates: Vec<Candidate>,
    /// The policies that apply to requests for devices.
    pub gates: Vec<Gate>,
    /// The IMEX channels given; null if there are none.
    pub imex_channels: Option<Given>,
    /// The MIG rights asked for, to configure or to monitor MIG devices; empty if there are none.
    pub mig: Vec<Given>,
}

/// An option of nvidia-container-cli, its value, and the origin of the value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Given {
    /// The option, such as `--imex-channel`.
    pub option: &'static str,
    /// The value of the option, such as `0,1`.
    pub value: String,
    /// The inputs that the value comes from.
    pub origin: Vec<Origin>,
}

/// A source that can ask for devices, and what became of its request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Candidate {
    /// The source.
    pub source: CandidateSource,
    /// What became of the request.
    pub outcome: CandidateOutcome,
    /// The value that the source asks with, such as `all` or `0,1`; null if it has none.
    pub value: Option<String>,
    /// The reason for the outcome.
    pub why: String,
}

/// The name of a source that can ask for devices: `mounts`, `legacy image` or a variable of the container.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum CandidateSource {
    /// Mounts below `/var/run/nvidia-container-devices`.
    Mounts,
    /// A variable of the container.
    Variable(String),
    /// The rule for legacy images.
    LegacyImage,
}

impl CandidateSource {
    /// The source's name in a sentence about what is given.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            CandidateSource::LegacyImage => {
                "the rule for legacy images (CUDA_VERSION set, NVIDIA_VISIBLE_DEVICES not)".to_owned()
            }
            other => other.to_string(),
        }
    }
}

impl Display for CandidateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CandidateSource::Mounts => "mounts",
            CandidateSource::Variable(name) => name,
            CandidateSource::LegacyImage => "legacy image",
        })
    }
}

impl Serialize for CandidateSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What became of the request of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateOutcome {
    /// It decides which devices are given.
    Used,
    /// The source asks for nothing.
    Silent,
    /// A policy does not allow it, so it is ignored.
    Refused,
    /// Another source takes precedence.
    Outranked,
    /// It is invalid, so the start fails.
    Invalid,
}

/// A policy that applies to requests for devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gate {
    /// The name of the configuration key, or `CAP_SYS_ADMIN`.
    pub name: &'static str,
    /// Its value: `true` or `false` for a key, `yes` or `no` for `CAP_SYS_ADMIN`.
    pub value: String,
    /// Where the value is set: `FILE:LINE:COLUMN`, `default` or `bounding set in config.json`.
    pub place: String,
    /// What the value means for this container.
    pub effect: String,
}

/// The mode of the runtime, and whether the hook serves it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mode {
    /// The value of `nvidia-container-runtime.mode`, such as `auto`.
    pub asked: String,
    /// Where that value is set: `FILE:LINE:COLUMN` or `default`.
    pub place: String,
    /// The mode determined from that value, such as `legacy`; null if detection is skipped.
    pub found: Option<String>,
    /// Why this mode was determined, or why detection is skipped.
    pub why: String,
    /// Whether the hook serves the mode: it serves `legacy`, or any if detection is skipped.
    pub served: bool,
}

/// Driver capabilities: asked for, allowed and given.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Capabilities {
    /// The value of `NVIDIA_DRIVER_CAPABILITIES`; null if the container does not set it.
    pub asked: Option<String>,
    /// The capabilities that the configuration allows, such as `compute`.
    pub allowed: Vec<String>,
    /// Where the allowed capabilities are set: `FILE:LINE:COLUMN` or `default`.
    pub allowed_place: String,
    /// The capabilities that the container gets; null if the request is refused.
    pub given: Option<Vec<String>>,
    /// Why these capabilities are given, or why the request is refused.
    pub why: String,
}

/// What the image requires of the driver and the GPUs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requirements {
    /// The setting that switches requirements off, such as `disable-require`; null if none does.
    pub disabled_by: Option<String>,
    /// The driver of this host; null if none can be seen.
    pub driver: Option<Driver>,
    /// The requirements; empty if they are switched off or the image states none.
    pub items: Vec<Requirement>,
}

/// The NVIDIA driver of a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Driver {
    /// The version of the driver, such as `550.54.14`.
    pub version: String,
    /// The newest CUDA release that the driver serves, such as `12.4`; null if this is not known.
    pub cuda: Option<String>,
}

/// A requirement of the image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requirement {
    /// The expression, such as `cuda>=12.4`.
    pub expression: String,
    /// The variable of the container that states the requirement.
    pub origin: Vec<Origin>,
    /// Whether this host's driver and the given GPUs meet the requirement.
    pub met: Met,
    /// The oldest driver that would meet it; null if it is met or invalid, or if no newer driver is known to help.
    pub needs_driver: Option<String>,
    /// The place of the first device that does not meet it among those given.
    #[serde(skip)]
    pub first_device: usize,
}

/// The search for `nvidia-container-cli`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Program {
    /// Path of the program; null if it was not found or is not executable.
    pub path: Option<String>,
    /// How the program was found, or why it was not.
    pub why: String,
    /// The directories, in search order; empty if the configuration names the program.
    pub searched: Vec<Searched>,
}

/// An argument of nvidia-container-cli.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Argument {
    /// The argument; `PID` and `ROOTFS` stand for values that the container does not have yet.
    pub text: String,
    /// The inputs that the argument comes from.
    pub origin: Vec<Origin>,
}

/// An environment variable.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Variable {
    /// The name of the variable.
    pub name: String,
    /// The value; absent for an inherited variable, which may be secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The input that adds the variable; absent if it is inherited or is a variable of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}
