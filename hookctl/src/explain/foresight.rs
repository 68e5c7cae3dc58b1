//! How the state of a host affects a start: what doctor finds there, and the first finding for which
//! nvidia-container-cli would refuse, in its words. Must not know how a state is found or what is asked for.

use super::prediction::selection;
use super::report::{Refusal, Report, Verdict};
use super::{refused, what_is_given};
use crate::answer::Scene;
use crate::doctor::{self, states};
use crate::finding::{Finding, Severity};
use crate::gpus::HostGpus;
use crate::inspect::Inspect;
use crate::tree::Tree;

/// A file that every running kernel shows.
const KERNEL: &str = "/proc/sys/kernel/osrelease";
/// The nodes that every container with GPUs needs.
const SHARED_NODES: [&str; 2] = ["/dev/nvidiactl", "/dev/nvidia-uvm"];

/// Adds the host's effect on the start to the request's.
pub fn host(report: &mut Report, scene: &Scene<'_>) {
    if !matches!(report.verdict, Verdict::Execute | Verdict::Refused) || !is_judged(report, scene) {
        return;
    }
    let Ok(seen) = doctor::examine(&scene.invocation, &scene.host) else { return };
    let errors = seen.checks.into_iter().filter(|finding| finding.severity == Severity::Error);
    report.host = errors.filter(|finding| concerns(finding, report, &scene.host)).collect();
    let mut refusals: Vec<Refusal> = report.host.iter().filter_map(refusal).collect();
    refusals.sort_by_key(|refusal| step(&refusal.line));
    let Some(refusal) = refusals.into_iter().next() else {
        if report.verdict == Verdict::Execute && !report.host.is_empty() {
            report.summary.push_str(" This host has problems that may fail the start all the same, see below.");
        }
        return;
    };
    // nvidia-container-cli asks the driver before it looks at anything in the request but the IMEX channels.
    let is_first = match &report.refusal {
        None => true,
        Some(of_request) => is_of_driver(&refusal.line) && !of_request.line.contains("error parsing IMEX info"),
    };
    if is_first {
        report.verdict = Verdict::Refused;
        report.summary = refused(&what_is_given(report));
        report.refusal = Some(refusal);
    }
}

/// A host is judged if it shows its driver, or if it was named and its kernel runs: a question asked on a machine
/// without a driver is about another machine.
fn is_judged(report: &Report, scene: &Scene<'_>) -> bool {
    let driver = report.requirements.as_ref().is_some_and(|requirements| requirements.driver.is_some());
    let shows_gpus = driver && !HostGpus::of(&scene.host).list.is_empty();
    shows_gpus || scene.host.is_named() && scene.host.has(KERNEL)
}

/// Whether a finding can matter for this container: the node of a GPU that it does not get cannot.
fn concerns(finding: &Finding, report: &Report, host: &Tree) -> bool {
    if finding.id != states::NODE_MISSING.id {
        return true;
    }
    let gpus = HostGpus::of(host);
    let given = report.devices.as_ref().and_then(|devices| devices.given.as_deref()).unwrap_or_default();
    let chosen: Vec<usize> = match given {
        "none" => Vec::new(),
        list => match selection(list, &gpus) {
            Ok(Some(chosen)) => chosen.migs.iter().map(|(gpu, _)| *gpu).chain(chosen.gpus.iter().copied()).collect(),
            _ => (0..gpus.list.len()).collect(),
        },
    };
    let nodes = chosen.into_iter().filter_map(|at| gpus.list.get(at)).map(|gpu| format!("/dev/nvidia{}", gpu.minor));
    SHARED_NODES.map(str::to_owned).into_iter().chain(nodes).any(|node| !host.has(&node))
}

/// How early nvidia-container-cli prints a line: it changes root, loads libraries, and then asks the driver.
fn step(line: &str) -> u8 {
    match () {
        () if line.contains("change root") => 0,
        () if line.contains("load library") => 1,
        () if is_of_driver(line) => 2,
        () => 3,
    }
}

fn is_of_driver(line: &str) -> bool {
    line.contains("initialization error") || line.contains("detection error")
}

fn refusal(finding: &Finding) -> Option<Refusal> {
    let line = finding.line.clone()?;
    Some(Refusal { line, why: finding.message.clone(), remedy: finding.remedy.clone() })
}
