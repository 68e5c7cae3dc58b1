//! What users have in their home directories: engines that they run without root, and the configuration those read.
//! Must not know what root's engines read.

use std::path::Path;

use serde_json::Value;

use super::docker::{daemon, is_there};
use super::examination::Examination;
use super::states::{DOCKER_ROOTLESS, DOCKER_RUNTIME};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// The system-wide configuration of the hook.
const COMMON: &str = "/etc/nvidia-container-runtime/config.toml";
/// How many home directories are looked into at most.
const MOST: usize = 64;

/// The home directories of a host: root's, and those below /home.
#[must_use]
pub fn homes(host: &Tree) -> Vec<String> {
    let names = host.names("/home").into_iter().take(MOST).map(|name| format!("/home/{name}"));
    std::iter::once("/root".to_owned()).chain(names).collect()
}

/// Whether root may read a file in a home: its user can link it anywhere, and some files of the kernel change when they
/// are read.
#[must_use]
pub fn is_ordinary(host: &Tree, path: &str) -> bool {
    let place = host.resolve(Path::new(path));
    !["/proc", "/sys", "/dev"].iter().any(|kernels| place.starts_with(kernels))
}

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    for home in homes(host) {
        rootless_docker(examination, &home);
    }
}

/// A rootless Docker reads its user's configuration, and its hook may not change control groups.
fn rootless_docker(examination: &mut Examination<'_>, home: &str) {
    let host = examination.host;
    let config = format!("{home}/.config/docker/daemon.json");
    let unit = format!("{home}/.config/systemd/user/docker.service");
    if home == "/root" || !(host.has(&config) || host.has(&unit)) {
        return;
    }
    if let Some(Ok(document)) = is_ordinary(host, &config).then(|| daemon(host, &config)).flatten() {
        runtimes(examination, &config, &document);
    }
    match no_cgroups(host, home) {
        Some(said) => examination.ok("docker-rootless", format!("{home} has one, and {said}")),
        None => {
            let message = format!(
                "{home} has a rootless Docker, whose hook may not change control groups, and no-cgroups is not set for it"
            );
            examination.found(&DOCKER_ROOTLESS, message);
        }
    }
}

fn runtimes(examination: &mut Examination<'_>, path: &str, document: &Value) {
    for (name, runtime) in document.get("runtimes").and_then(Value::as_object).into_iter().flatten() {
        let program = runtime.get("path").and_then(Value::as_str).unwrap_or_default();
        if program.contains("nvidia") && !is_there(examination.host, program) {
            let message = format!("{path}: the runtime {name} is {program}, which is not there");
            examination.found(&DOCKER_RUNTIME, message);
        }
    }
}

/// The setting that keeps a user's hook away from control groups, and the file it is in: the user's own, which a start
/// prefers, or the host's.
fn no_cgroups(host: &Tree, home: &str) -> Option<String> {
    let own = format!("{home}/.config/nvidia-container-runtime/config.toml");
    let file = if host.has(&own) { own } else { COMMON.to_owned() };
    let text = is_ordinary(host, &file).then(|| host.text(&file)).flatten()?;
    let table: toml::Table = text.parse().ok()?;
    let value = |section: &str, key: &str| table.get(section)?.get(key).cloned();
    if value("nvidia-container-cli", "no-cgroups").and_then(|value| value.as_bool()) == Some(true) {
        return Some(format!("{file} says no-cgroups = true"));
    }
    let rootless = value("nvidia-container-runtime-hook", "rootless")?;
    (rootless.as_str() == Some("auto")).then(|| format!("{file} says rootless = \"auto\""))
}
