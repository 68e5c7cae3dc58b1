//! A request under the hook's contract, translated to CDI: the device names, how to ask each engine for them, and what
//! is lost on the way. Must not decide what is asked for: the report says it.

use hook::contract::cdi::is_qualified;
use hook::text::{Excerpt, comma_list};
use schemars::JsonSchema;
use serde::Serialize;

use super::report::{CandidateOutcome, CandidateSource, Report, Verdict};
use crate::cdi::{self, DIRECTORIES, GPU};
use crate::tree::Tree;

/// The kind of IMEX channels.
const IMEX: &str = "nvidia.com/imex-channel";

/// The request translated to CDI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AsCdi {
    /// Qualified device names, such as `nvidia.com/gpu=0`; empty if nothing is asked for or CDI cannot say it.
    pub devices: Vec<String>,
    /// How to ask each engine for these devices.
    pub forms: Vec<Form>,
    /// Parts of the request and of the configuration that have no counterpart in CDI.
    pub lost: Vec<String>,
    /// What this host lacks for these devices, such as CDI specifications; null if nothing.
    pub first: Option<String>,
}

/// How to ask one engine for devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Form {
    /// The engine or kind of file: `docker, podman`, `Compose`, `Quadlet` or `Kubernetes`.
    pub engine: &'static str,
    /// The lines to add to its command line or file.
    pub lines: Vec<String>,
}

/// Translates a report.
#[must_use]
pub fn of(report: &Report, host: &Tree) -> AsCdi {
    let given = report.devices.as_ref().and_then(|devices| devices.given.as_deref());
    let Some(given) = given.filter(|_| report.verdict != Verdict::Nothing) else {
        let lost = vec!["nothing: the container asks for no GPU, or not in a way that counts".to_owned()];
        return AsCdi { lost, ..AsCdi::default() };
    };
    let mut names: Vec<String> = match given {
        "none" => Vec::new(),
        list => comma_list(list).map(name).collect(),
    };
    let channels = report.devices.as_ref().and_then(|devices| devices.imex_channels.as_ref());
    names.extend(channels.iter().flat_map(|given| comma_list(&given.value)).map(|channel| format!("{IMEX}={channel}")));
    // The image chose them: only what the specification allows in a name may be copied to a shell or a file.
    let (names, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| is_qualified(name));
    let nameless = others.iter().map(|name| {
        let item = name.split_once('=').map_or(name.as_str(), |(_, item)| item);
        format!("'{}': CDI allows no device of this name", Excerpt(item))
    });
    let lost = nameless.chain(lost(report, given)).collect();
    AsCdi { forms: forms(&names), lost, first: first(&names, host), devices: names }
}

/// The qualified name of a device; not a valid one if the item has characters that CDI does not allow.
fn name(item: &str) -> String {
    if is_qualified(item) { item.to_owned() } else { format!("{GPU}={item}") }
}

fn forms(names: &[String]) -> Vec<Form> {
    if names.is_empty() {
        return Vec::new();
    }
    let options = names.iter().map(|name| format!("--device {name}")).collect::<Vec<_>>().join(" ");
    let quoted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let form = |engine, lines: Vec<String>| Form { engine, lines };
    vec![
        form("docker, podman", vec![options]),
        form(
            "Compose",
            [
                "deploy:",
                "  resources:",
                "    reservations:",
                "      devices:",
                "        - driver: cdi",
                "          capabilities: [gpu]",
            ]
            .into_iter()
            .map(str::to_owned)
            .chain([format!("          device_ids: [{quoted}]")])
            .collect(),
        ),
        form("Quadlet", names.iter().map(|name| format!("AddDevice={name}")).collect()),
        form(
            "Kubernetes",
            vec![
                "metadata:".to_owned(),
                "  annotations:".to_owned(),
                format!("    cdi.k8s.io/gpu: \"{}\"", names.join(",")),
            ],
        ),
    ]
}

fn lost(report: &Report, given: &str) -> Vec<String> {
    let mut lost = Vec::new();
    if given == "none" {
        lost.push("driver files without a GPU (none): CDI has no device for that".to_owned());
    }
    if let Some(requirements) = &report.requirements {
        let stated: Vec<&str> = requirements.items.iter().map(|item| item.expression.as_str()).collect();
        if !stated.is_empty() && requirements.disabled_by.is_none() {
            lost.push(format!("requirements: nobody checks {}", stated.join(" and ")));
        }
    }
    if let Some(capabilities) = &report.capabilities {
        let names = capabilities.given.as_ref().map(|given| given.join(",")).unwrap_or_default();
        lost.push(format!(
            "driver capabilities ({names}): a specification gives all the files that it lists, whatever is asked for"
        ));
    }
    lost.extend(policies(report));
    for given in report.devices.iter().flat_map(|devices| &devices.mig) {
        lost.push(format!(
            "MIG rights ({}={}): CDI gives no right to change or monitor MIG",
            given.option, given.value
        ));
    }
    lost.extend(settings(report));
    lost
}

/// Anyone who may name a device gets it: the configuration's policies do not count.
fn policies(report: &Report) -> Vec<String> {
    let mut lost = Vec::new();
    let gates = report.devices.iter().flat_map(|devices| &devices.gates);
    let names: Vec<&str> = gates.map(|gate| gate.name).filter(|name| *name != "CAP_SYS_ADMIN").collect();
    if !names.is_empty() {
        lost.push(format!(
            "policy: {} do not count, whoever may start a container may name a device",
            names.join(" and ")
        ));
    }
    let used = report.devices.iter().flat_map(|devices| &devices.candidates);
    for candidate in used.filter(|candidate| candidate.outcome == CandidateOutcome::Used) {
        match &candidate.source {
            CandidateSource::LegacyImage => {
                lost.push("the rule for legacy images: the device must be named for each container".to_owned());
            }
            CandidateSource::Variable(name) => {
                lost.push(format!("the image's own {name}: only what the engine is asked for counts"));
            }
            CandidateSource::Mounts => lost.push("requests by mounts: the engine must be asked".to_owned()),
        }
    }
    lost
}

/// Options of nvidia-container-cli that have no place in a specification.
fn settings(report: &Report) -> Vec<String> {
    let has = |option: &str| report.argv.iter().any(|argument| argument.text.starts_with(option));
    [
        ("--cuda-compat-mode=", "cuda-compat-mode: the hook enable-cuda-compat of the specification takes its place"),
        ("--no-cgroups", "no-cgroups: the engine allows the devices itself"),
        ("--user=", "user: nobody asks the driver when the container starts"),
        ("--load-kmods", "load-kmods: the nodes must exist, or the specification is made anew when they do"),
        ("--ldcache=", "ldcache: the specification says where the libraries are"),
    ]
    .into_iter()
    .filter(|(option, _)| has(option))
    .map(|(_, words)| words.to_owned())
    .collect()
}

/// What this host lacks.
fn first(names: &[String], host: &Tree) -> Option<String> {
    let files = cdi::files(host, &DIRECTORIES.map(str::to_owned));
    let defined: Vec<String> = files
        .iter()
        .filter_map(|file| file.spec.as_ref().ok())
        .flat_map(|spec| spec.devices.iter().map(|device| format!("{}={device}", spec.kind)))
        .collect();
    if defined.is_empty() {
        return Some(
            "there are no specifications on this host: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
                .to_owned(),
        );
    }
    let missing: Vec<&str> = names.iter().filter(|name| !defined.contains(name)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| {
        format!("no specification on this host defines {}; there are {}", missing.join(", "), defined.join(", "))
    })
}
