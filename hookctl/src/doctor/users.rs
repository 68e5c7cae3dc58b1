//! What users have in their home directories: engines that they run without root, and the configuration those read.
//! Must not know what root's engines read.

use std::path::Path;

use serde_json::Value;

use super::docker::{is_there, refused};
use super::docker_file::{faults, read as daemon};
use super::examination::Examination;
use super::glob;
use super::states::{DOCKER_ROOTLESS, DOCKER_RUNTIME};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// The system-wide configuration of the hook.
const USUAL: &str = "/etc/nvidia-container-runtime/config.toml";
/// The files that a hook without XDG_CONFIG_HOME looks for, the preferred one first.
const COMMON: [&str; 2] = ["/run/nvidia/driver/etc/nvidia-container-runtime/config.toml", USUAL];
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
    match is_ordinary(host, &config).then(|| daemon(host, &config)).flatten() {
        Some(Ok(document)) => {
            for why in faults(&document) {
                refused(examination, &config, &why);
            }
            runtimes(examination, &config, &document);
        }
        Some(Err(why)) => refused(examination, &config, &why),
        None => {}
    }
    let file = file_of(host, home);
    match no_cgroups(host, &file) {
        Some(said) => examination.ok("docker-rootless", format!("{home} has one, and {said}")),
        None => {
            let own = format!("{home}/.config/nvidia-container-runtime/config.toml");
            let unread = match file != own && no_cgroups(host, &own).is_some() {
                true => {
                    format!(": {own}, which has it, is not read, since XDG_CONFIG_HOME is not set for this dockerd")
                }
                false => String::new(),
            };
            let message = format!(
                "{home} has a rootless Docker, whose hook may not change control groups, and no-cgroups is not set in \
                 {file}{unread}"
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

/// The configuration that the hook of a user's dockerd reads: below XDG_CONFIG_HOME only if dockerd itself has it set,
/// which neither systemd nor dockerd-rootless.sh does.
fn file_of(host: &Tree, home: &str) -> String {
    if let Some(directory) = configuration_home(host, home) {
        return format!("{}/nvidia-container-runtime/config.toml", directory.trim_end_matches('/'));
    }
    COMMON.into_iter().find(|file| host.has(file)).unwrap_or(USUAL).to_owned()
}

/// XDG_CONFIG_HOME of a user's dockerd: from its unit and the drop-ins of it, or the environment of the user's systemd.
fn configuration_home(host: &Tree, home: &str) -> Option<String> {
    let own = format!("{home}/.config");
    let units = [format!("{own}/systemd/user"), "/etc/systemd/user".to_owned(), "/usr/lib/systemd/user".to_owned()];
    let of_unit = units.iter().flat_map(|directory| {
        let drop_ins = glob::expand(host, &format!("{directory}/docker.service.d/*.conf"));
        drop_ins.into_iter().chain([format!("{directory}/docker.service")])
    });
    let of_systemd = [own, "/etc".to_owned()];
    let of_systemd = of_systemd.iter().flat_map(|place| glob::expand(host, &format!("{place}/environment.d/*.conf")));
    let mut files = of_unit.chain(of_systemd).filter(|file| is_ordinary(host, file));
    let value = files.find_map(|file| host.text(&file)?.lines().find_map(assigned).map(str::to_owned))?;
    let value = ["%h", "${HOME}", "$HOME"].iter().fold(value, |value, name| value.replace(name, home));
    value.starts_with('/').then_some(value)
}

/// The value that a line of a unit or of environment.d gives to XDG_CONFIG_HOME.
fn assigned(line: &str) -> Option<&str> {
    let line = line.trim();
    let words = line.strip_prefix("Environment=").unwrap_or(line).split_whitespace();
    let mut values = words.filter_map(|word| word.trim_matches('"').strip_prefix("XDG_CONFIG_HOME="));
    values.next().map(|value| value.trim_matches('"')).filter(|value| !value.is_empty())
}

/// The setting of a file that keeps the hook away from control groups.
fn no_cgroups(host: &Tree, file: &str) -> Option<String> {
    let text = is_ordinary(host, file).then(|| host.text(file)).flatten()?;
    let table: toml::Table = text.parse().ok()?;
    let value = |section: &str, key: &str| table.get(section)?.get(key).cloned();
    if value("nvidia-container-cli", "no-cgroups").and_then(|value| value.as_bool()) == Some(true) {
        return Some(format!("{file} says no-cgroups = true"));
    }
    let rootless = value("nvidia-container-runtime-hook", "rootless")?;
    (rootless.as_str() == Some("auto")).then(|| format!("{file} says rootless = \"auto\""))
}

#[cfg(test)]
mod tests {
    use super::assigned;

    #[test]
    fn an_assignment_is_found_in_a_unit_and_in_environment_d() {
        for line in [
            "Environment=XDG_CONFIG_HOME=%h/.c",
            "Environment=A=b \"XDG_CONFIG_HOME=%h/.c\"",
            "XDG_CONFIG_HOME=\"%h/.c\"",
        ] {
            assert_eq!(assigned(line), Some("%h/.c"), "{line}");
        }
        for line in ["# XDG_CONFIG_HOME", "XDG_CONFIG_HOME=", "#Environment=XDG_CONFIG_HOME", "ExecStart=/usr/bin/x"] {
            assert_eq!(assigned(line), None, "{line}");
        }
    }
}
