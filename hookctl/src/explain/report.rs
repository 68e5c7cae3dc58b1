//! What `explain` has to say, as data: the JSON output is this, field by field (docs/explain.schema.json), and the text
//! is made from it. Must not know how any of it is found out.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::as_cdi::AsCdi;
pub use super::origins::{Origin, OriginKind};
use crate::finding::Finding;
pub use crate::requirement::Met;

/// The number of the schema; it changes when a member changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// The whole answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of nvidia-hookctl.
    pub hookctl_version: &'static str,
    /// Version of the hook whose rules it applies.
    pub hook_version: &'static str,
    /// What a start would come to.
    pub verdict: Verdict,
    /// The same in sentences.
    pub summary: String,
    /// The lines that the hook would write to stderr.
    pub stderr: Vec<String>,
    /// Why nvidia-container-cli would refuse on this host, where that can be foretold.
    pub refusal: Option<Refusal>,
    /// The configuration.
    pub configuration: Configuration,
    /// The container, once its specification was read.
    pub container: Option<Container>,
    /// The devices.
    pub devices: Option<Devices>,
    /// The mode, once it was found.
    pub mode: Option<Mode>,
    /// Driver capabilities.
    pub capabilities: Option<Capabilities>,
    /// Requirements of the image.
    pub requirements: Option<Requirements>,
    /// The search for `nvidia-container-cli`, once the mode allows it.
    pub program: Option<Program>,
    /// The command line, empty where nothing is executed.
    pub argv: Vec<Argument>,
    /// The environment handed on.
    pub environment: Vec<Variable>,
    /// Problems of this host that may fail the start, as doctor finds them.
    pub host: Vec<Finding>,
    /// Which path gives GPUs to containers on this host: the hook, or CDI, in which it does not run.
    pub paths: Vec<String>,
    /// The request in the words of CDI, where that was asked for.
    pub cdi: Option<AsCdi>,
    /// What looks like a mistake although the hook accepts it.
    pub warnings: Vec<Finding>,
}

impl Report {
    /// A report that says nothing yet but where the configuration was looked for.
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

/// How nvidia-container-cli would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The line that it would write.
    pub line: String,
    /// What of the request and of this host leads there.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// What a start comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `nvidia-container-cli` is executed.
    Execute,
    /// `nvidia-container-cli` is executed, and refuses on this host: the start fails.
    Refused,
    /// Nothing is done: not a GPU container.
    Nothing,
    /// The start fails.
    Error,
}

/// The configuration.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Configuration {
    /// The file that is read, or null when the defaults apply.
    pub file: Option<String>,
    /// The rule by which these files are looked at.
    pub rule: &'static str,
    /// The files, in order.
    pub searched: Vec<Searched>,
}

/// A place that was searched.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Searched {
    /// The file or directory.
    pub path: String,
    /// What was found.
    pub outcome: Outcome,
}

/// What a search found at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The one that is used.
    Used,
    /// Nothing there.
    Absent,
    /// There, but it cannot be used.
    Unusable,
    /// A relative directory, which is never searched.
    Relative,
    /// Not looked at, since another was found before.
    NotReached,
}

/// The container.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Container {
    /// Where its description is from.
    pub source: Source,
    /// The bundle's path, or null for a container made of variables.
    pub bundle: Option<String>,
    /// The container's process, or null where only a state would tell.
    pub pid: Option<u32>,
    /// `CAP_SYS_ADMIN` is in the bounding set.
    pub privileged: bool,
    /// The image says `CUDA_VERSION` and no `NVIDIA_REQUIRE_CUDA`.
    pub legacy_image: bool,
    /// The root filesystem.
    pub rootfs: Option<String>,
    /// The variables of the contract that the container has.
    pub variables: Vec<Variable>,
}

/// Where the description of a container is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A bundle named on the command line.
    Bundle,
    /// A container state.
    State,
    /// Variables on the command line only.
    Variables,
}

/// The devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Devices {
    /// What is asked for and given: `all`, `none` or a list; null where this is not a GPU container.
    pub given: Option<String>,
    /// Each source that could ask, in the order in which they count.
    pub candidates: Vec<Candidate>,
    /// The policies that decided.
    pub gates: Vec<Gate>,
    /// IMEX channels, if any are given.
    pub imex_channels: Option<Given>,
    /// MIG requests, if there are any.
    pub mig: Vec<Given>,
}

/// A value and where it comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Given {
    /// The option that carries it.
    pub option: &'static str,
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub origin: Vec<Origin>,
}

/// A source that could ask for devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Candidate {
    /// Which one.
    pub source: CandidateSource,
    /// What became of it.
    pub outcome: CandidateOutcome,
    /// What it asks for.
    pub value: Option<String>,
    /// Why.
    pub why: String,
}

/// An input that could ask for devices; its text names it.
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
    /// The source as a sentence about what is given names it.
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

/// What became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateOutcome {
    /// It decides.
    Used,
    /// It asks for nothing.
    Silent,
    /// It asks, and policy refuses to listen.
    Refused,
    /// It asks, and another source comes first.
    Outranked,
    /// It asks in a way that ends the start.
    Invalid,
}

/// A policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gate {
    /// The key or the right.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Where the value stands.
    pub place: String,
    /// What that means for this container.
    pub effect: String,
}

/// The mode.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mode {
    /// `nvidia-container-runtime.mode`.
    pub asked: String,
    /// Where that stands.
    pub place: String,
    /// What it comes to; null where detection is skipped.
    pub found: Option<String>,
    /// Why.
    pub why: String,
    /// Whether the hook serves it.
    pub served: bool,
}

/// Driver capabilities.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Capabilities {
    /// `NVIDIA_DRIVER_CAPABILITIES`, if it is set.
    pub asked: Option<String>,
    /// What containers may ask for.
    pub allowed: Vec<String>,
    /// Where that stands.
    pub allowed_place: String,
    /// What is given; null where the request is refused.
    pub given: Option<Vec<String>>,
    /// Why.
    pub why: String,
}

/// Requirements of the image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requirements {
    /// What switches them off, if anything does.
    pub disabled_by: Option<String>,
    /// The driver of this host, if it can be seen.
    pub driver: Option<Driver>,
    /// The requirements.
    pub items: Vec<Requirement>,
}

/// The driver of a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Driver {
    /// Its version.
    pub version: String,
    /// The newest CUDA that it serves, as far as is known here.
    pub cuda: Option<String>,
}

/// One requirement.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requirement {
    /// The expression.
    pub expression: String,
    /// The variable that states it.
    pub origin: Vec<Origin>,
    /// Whether this host's driver meets it.
    pub met: Met,
    /// The oldest driver that brings the CUDA it names, where it names one.
    pub needs_driver: Option<String>,
}

/// The search for the program.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Program {
    /// The program.
    pub path: Option<String>,
    /// Why this one.
    pub why: String,
    /// The directories, in order; empty where the configuration names the program.
    pub searched: Vec<Searched>,
}

/// An argument.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Argument {
    /// The argument; `PID` stands for a process that does not exist yet.
    pub text: String,
    /// Where it comes from.
    pub origin: Vec<Origin>,
}

/// A variable.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value, where it may be shown: what the contract defines, and what the configuration adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where it comes from; absent: inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}
