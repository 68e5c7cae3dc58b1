//! Which path gives GPUs to containers here: the hook, or CDI, where the hook does not run at all. Must not judge.

use hook::contract::keys::Key;

use super::crio;
use super::docker::{self, installed};
use super::examination::{Examination, has_host_hook, has_operator_toolkit};
use super::packages;
use super::states::HOOK_MISSING;
use crate::cdi;
use crate::driver::compare;
use crate::tree::Tree;

/// The first toolkit whose runtime generates CDI specifications on the fly, in mode auto.
const FIRST_WITH_JIT_CDI: &str = "1.18.0";

/// Reports the paths, and the case that none of them works.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let has_hook = has_host_hook(host) || has_operator_toolkit(host);
    let has_cdi = cdi::has_gpus(host, &docker::spec_directories(host));
    let others = installed(host, "podman") || installed(host, "crio");
    if others && !has_hook && !has_cdi && !installed(host, "dockerd") {
        examination.found(&HOOK_MISSING, "the hook is not installed, and there are no CDI specifications");
    }
    let mode = examination.config.text(Key::RuntimeMode).to_owned();
    for line in lines(host, &mode) {
        examination.ok("path", line);
    }
}

/// For each engine of a host, which path serves its containers; `mode` is nvidia-container-runtime.mode.
#[must_use]
pub fn lines(host: &Tree, mode: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if installed(host, "dockerd") {
        lines.push(of_docker(host));
    }
    if installed(host, "nvidia-container-runtime") {
        lines.push(of_runtime(host, mode));
    }
    let has_hook = has_host_hook(host) || has_operator_toolkit(host);
    let by_cdi = if cdi::has_gpus(host, &cdi::DIRECTORIES.map(str::to_owned)) { ", which works here" } else { "" };
    let by_hook =
        if has_hook { "by the hook where hooks.d starts it" } else { "not by the hook, which is not installed" };
    for (engine, program) in [("Podman", "podman"), ("CRI-O", "crio")] {
        if installed(host, program) {
            let by_runtime = match crio::serving(host).filter(|_| program == "crio") {
                Some((name, true)) => format!("by its default runtime {name}, "),
                Some((name, false)) => format!("by its runtime {name}, "),
                None => String::new(),
            };
            lines.push(format!(
                "{engine} gives GPUs {by_runtime}by CDI where a device is asked for{by_cdi}, and {by_hook}"
            ));
        }
    }
    lines
}

fn of_docker(host: &Tree) -> String {
    if !has_host_hook(host) && !docker::serves_by_cdi(host) {
        return "docker --gpus would be served by the hook, which is not installed".to_owned();
    }
    match (docker::version(host), docker::serves_by_cdi(host)) {
        (Some(version), true) => {
            format!("docker --gpus is served by CDI (Docker {version}, with specifications): the hook does not run")
        }
        (Some(version), false) => format!("docker --gpus is served by the hook (Docker {version})"),
        (None, _) if cdi::has_gpus(host, &docker::spec_directories(host)) => {
            "docker --gpus is served by CDI from Docker 29.2 on, since there are specifications, else by the hook"
                .to_owned()
        }
        (None, _) => "docker --gpus is served by the hook".to_owned(),
    }
}

fn of_runtime(host: &Tree, mode: &str) -> String {
    match (mode, packages::version(host, &["nvidia-container-toolkit", "nvidia-container-toolkit-base"])) {
        ("auto", Some(version)) if compare(&version, FIRST_WITH_JIT_CDI).is_ge() => {
            format!(
                "--runtime nvidia makes CDI specifications itself (mode auto of toolkit {version}): the hook does not run"
            )
        }
        ("auto", Some(version)) => format!("--runtime nvidia starts the hook (mode auto of toolkit {version})"),
        ("auto", None) => {
            "--runtime nvidia starts the hook up to toolkit 1.17, and makes CDI specifications itself from 1.18 on"
                .to_owned()
        }
        ("legacy", _) => "--runtime nvidia starts the hook (mode legacy)".to_owned(),
        (other, _) => format!("--runtime nvidia works in mode {other}: the hook does not run"),
    }
}
