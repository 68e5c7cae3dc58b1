//! Docker: which one runs, whether it knows `--gpus`, and what its configuration says. Must not know hooks.d.

use hook::host::{Host, path_of};
use hook::plan::program::DEFAULT_DIRECTORIES;
use hook::text::paths::clean_str;
use serde_json::Value;
use std::path::Path;

use super::docker_file::{self, read as daemon};
use super::docker_flags::{Registered, pid, registered};
use super::examination::Examination;
use super::packages;
use super::states::{
    CDI_DIR_NOT_READ, DOCKER_CONFIG, DOCKER_DEFAULT_RUNTIME, DOCKER_DESKTOP, DOCKER_DESKTOP_TOO, DOCKER_DESKTOP_WSL,
    DOCKER_RUNTIME, DOCKER_SNAP, DOCKER_SNAP_TOO, DOCKER_TOO_OLD, DOCKER_USERNS, DOCKER_WITHOUT_HOOK,
};
use crate::cdi;
use crate::driver::compare;
use crate::finding::Severity;
use crate::inspect::Inspect;
use crate::tree::Tree;

const HOOK: &str = "nvidia-container-runtime-hook";
/// The first Docker that knows `--gpus`.
const FIRST_WITH_GPUS: &str = "19.03.0";
/// The first Docker with CDI enabled by default.
const FIRST_WITH_CDI_ON: &str = "28.3.0";
/// Signs of Docker Desktop for Windows in a WSL distribution.
const DESKTOP_IN_WSL: [&str; 2] = ["/mnt/wsl/docker-desktop", "/Docker/host"];
/// The configurations of dockerd: the usual one, and those of a snap and of other packages.
const CONFIG: &str = "/etc/docker/daemon.json";
const CONFIGS: [&str; 3] = [
    CONFIG,
    "/var/snap/docker/current/config/daemon.json",
    // Synology's.
    "/var/packages/ContainerManager/etc/dockerd.json",
];
/// The first Docker that reads a byte order mark.
const FIRST_WITH_MARK: &str = "23.0.0";
/// The first Docker that serves `--gpus` by CDI if there are specifications.
const FIRST_WITH_CDI: &str = "29.2.0";
/// The runtime built into dockerd, and the names of shims of containerd, which need no entry.
const BUILT_IN: &str = "runc";
const SHIMS: &str = "io.containerd.";

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let is_installed = installed(host, "dockerd");
    let snap = snap(host);
    let is_desktop = host.has("/opt/docker-desktop");
    if !is_installed && snap.is_none() && is_desktop_in_wsl(examination) {
        examination.found(
            &DOCKER_DESKTOP_WSL,
            "the Docker of this distribution is Docker Desktop's for Windows, which starts containers in its own",
        );
        configuration(examination);
        return;
    }
    match (is_installed, &snap, is_desktop) {
        (false, Some(path), _) => {
            let message = format!(
                "the Docker of this host is a snap ({path}): it sees neither the hook nor the driver's libraries (\"could \
                 not select device driver\")"
            );
            examination.found(&DOCKER_SNAP, message);
        }
        (false, None, true) => {
            let message = "the Docker of this host is Docker Desktop, whose containers run in a virtual machine without \
                           the GPU (\"could not select device driver\")";
            examination.found(&DOCKER_DESKTOP, message);
        }
        (false, None, false) => examination.ok("docker", "no dockerd here"),
        (true, _, _) => {
            if let Some(path) = snap {
                examination.found(&DOCKER_SNAP_TOO, format!("there is a Docker snap too ({path})"));
            }
            if is_desktop {
                examination.found(&DOCKER_DESKTOP_TOO, "Docker Desktop is installed too (/opt/docker-desktop)");
            }
            age(examination);
            hook_in_path(examination);
        }
    }
    configuration(examination);
    cdi_directories(examination);
}

/// Whether the Docker of a WSL distribution is Docker Desktop's.
#[must_use]
pub fn is_desktop_in_wsl(examination: &Examination<'_>) -> bool {
    let host = examination.host;
    examination.surroundings.is_wsl()
        && !installed(host, "dockerd")
        && (DESKTOP_IN_WSL.iter().any(|path| host.has(path))
            || host
                .target(Path::new("/usr/bin/docker"))
                .is_some_and(|path| path.starts_with("/mnt/wsl/docker-desktop")))
}

/// Reports a Docker too old to know `--gpus`.
fn age(examination: &mut Examination<'_>) {
    if let Some(old) = version(examination.host).filter(|version| compare(version, FIRST_WITH_GPUS).is_lt()) {
        let message = format!("Docker {old} does not know --gpus (\"unknown flag: --gpus\"), which came with 19.03");
        examination.found(&DOCKER_TOO_OLD, message);
    }
}

/// dockerd looks for specifications only in the directories it is configured to read.
fn cdi_directories(examination: &mut Examination<'_>) {
    let host = examination.host;
    let read = spec_directories(host);
    let usual = cdi::DIRECTORIES.map(str::to_owned);
    if !installed(host, "dockerd") || cdi::has_gpus(host, &read) || !cdi::has_gpus(host, &usual) {
        return;
    }
    let message = format!(
        "{CONFIG}: cdi-spec-dirs is {}, and the specifications of NVIDIA's GPUs are in {}",
        read.join(", "),
        usual.join(" or ")
    );
    examination.found(&CDI_DIR_NOT_READ, message);
}

/// Whether a program is in one of the default program directories, or where NixOS has them.
#[must_use]
pub fn installed(host: &Tree, program: &str) -> bool {
    DEFAULT_DIRECTORIES
        .iter()
        .chain(&["/run/current-system/sw/bin"])
        .any(|directory| host.is_program(&format!("{directory}/{program}")))
}

/// The dockerd of a snap.
fn snap(host: &Tree) -> Option<String> {
    let revisions = host.names("/snap/docker").into_iter();
    let mut programs = revisions.map(|revision| format!("/snap/docker/{revision}/bin/dockerd"));
    programs
        .find(|path| host.is_program(path))
        .or_else(|| host.has("/var/snap/docker").then(|| "/var/snap/docker".to_owned()))
}

/// The version of the Docker that a package installed.
#[must_use]
pub fn version(host: &Tree) -> Option<String> {
    packages::version(host, &["docker-ce", "docker.io", "moby-engine", "docker", "docker-engine"])
}

/// Whether `docker --gpus` is served by CDI here, so the hook does not run.
#[must_use]
pub fn serves_by_cdi(host: &Tree) -> bool {
    let is_new = version(host).is_some_and(|version| compare(&version, FIRST_WITH_CDI).is_ge());
    is_new && is_cdi_on(host) && cdi::has_gpus(host, &spec_directories(host))
}

/// Whether dockerd has CDI enabled: by its configuration, otherwise by its version; yes if that is unknown.
#[must_use]
pub fn is_cdi_on(host: &Tree) -> bool {
    let config = daemon(host, CONFIG).and_then(Result::ok).unwrap_or_default();
    let said = config.get("features").and_then(|features| features.get("cdi")).and_then(Value::as_bool);
    said.unwrap_or_else(|| version(host).is_none_or(|version| compare(&version, FIRST_WITH_CDI_ON).is_ge()))
}

/// The directories in which dockerd looks for CDI specifications, each spelled in its shortest form, so that a directory has one name.
#[must_use]
pub fn spec_directories(host: &Tree) -> Vec<String> {
    let config = daemon(host, CONFIG).and_then(Result::ok).unwrap_or_default();
    let named = config.get("cdi-spec-dirs").and_then(Value::as_array);
    let named: Vec<String> = named.into_iter().flatten().filter_map(Value::as_str).map(clean_str).collect();
    if named.is_empty() { cdi::DIRECTORIES.map(str::to_owned).to_vec() } else { named }
}

/// dockerd supports `--gpus` through the hook only if it finds the hook in its own PATH when it starts.
fn hook_in_path(examination: &mut Examination<'_>) {
    let id = "docker";
    let host = examination.host;
    let (path, whose) = match path_of_dockerd(host) {
        Some(path) => (path, "the PATH of the running dockerd"),
        None => (DEFAULT_DIRECTORIES.join(":").into_bytes(), "the usual PATH of services"),
    };
    let found = path.split(|byte| *byte == b':').map(|directory| path_of(directory).join(HOOK));
    let found = found.filter(|path| path.is_absolute()).find(|path| host.is_executable(path).unwrap_or_default());
    match found {
        Some(path) if serves_by_cdi(host) => {
            let message = format!("dockerd serves --gpus by CDI, and does not start the hook at {}", path.display());
            examination.ok(id, message);
        }
        Some(path) => {
            let message = format!("dockerd finds the hook at {}, by {whose}", path.display());
            examination.ok(id, message);
        }
        None if serves_by_cdi(host) => examination.ok(id, "dockerd serves --gpus by CDI, and needs no hook"),
        None if version(host).is_none() && is_cdi_on(host) && cdi::has_gpus(host, &spec_directories(host)) => {
            let message = format!(
                "{HOOK} is in no directory of {whose}: a Docker before {FIRST_WITH_CDI} knows no --gpus without it, and \
                 which one this is could not be seen"
            );
            let remedy = "see docker version: from 29.2 on nothing, since --gpus is served by CDI; before it use --device \
                          nvidia.com/gpu=all, or upgrade";
            examination.found_as(Severity::Warning, &DOCKER_WITHOUT_HOOK, message, remedy);
        }
        None => {
            let message = format!(
                "{HOOK} is in no directory of {whose}, so docker knows no --gpus (\"could not select device driver\")"
            );
            let remedy = format!("install it as /usr/bin/{HOOK}, and restart dockerd");
            examination.found_with(&DOCKER_WITHOUT_HOOK, message, remedy);
        }
    }
}

/// The PATH of the running dockerd, which only root can see. Nothing else in its environment is looked at.
fn path_of_dockerd(host: &Tree) -> Option<Vec<u8>> {
    let pid = pid(host)?;
    let environment = host.bytes(Path::new(&format!("/proc/{pid}/environ")))?;
    environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"PATH=")).map(<[u8]>::to_vec)
}

fn configuration(examination: &mut Examination<'_>) {
    for path in CONFIGS {
        match daemon(examination.host, path) {
            None => {}
            Some(Err(error)) => refused(examination, path, &error),
            Some(Ok(config)) => members(examination, path, &config),
        }
        mark(examination, path);
    }
    for runtime in registered(examination.host) {
        let Registered { file, name, program } = runtime;
        if program.contains("nvidia") && !is_there(examination.host, &program) {
            let message = format!("{file}: the runtime {name} is {program}, which is not there");
            examination.found(&DOCKER_RUNTIME, message);
        }
    }
}

/// Reports a configuration that keeps dockerd from starting.
pub fn refused(examination: &mut Examination<'_>, path: &str, why: &str) {
    let remedy = format!("correct it: dockerd --validate --config-file={path}");
    examination.found_with(&DOCKER_CONFIG, format!("{path} {why}"), remedy);
}

/// Older releases of dockerd take a byte order mark for a part of the JSON.
fn mark(examination: &mut Examination<'_>, path: &str) {
    let old = match version(examination.host) {
        Some(version) if compare(&version, FIRST_WITH_MARK).is_ge() => return,
        old => old,
    };
    if docker_file::has_mark(examination.host, path) {
        let message = format!("{path} begins with a byte order mark, which a Docker before {FIRST_WITH_MARK} refuses");
        let severity = if old.is_some() { Severity::Error } else { Severity::Note };
        examination.found_as(severity, &DOCKER_CONFIG, message, "save it as UTF-8 without a byte order mark");
    }
}

fn members(examination: &mut Examination<'_>, path: &str, config: &Value) {
    for why in docker_file::faults(config) {
        refused(examination, path, &why);
    }
    let runtimes = config.get("runtimes").and_then(Value::as_object);
    for (name, runtime) in runtimes.into_iter().flatten() {
        let program = runtime.get("path").and_then(Value::as_str).unwrap_or_default();
        let is_nvidia = name.contains("nvidia") || program.contains("nvidia");
        if is_nvidia && program.is_empty() && runtime.get("runtimeType").is_none() {
            let message = format!("{path}: the runtime {name} has no \"path\"");
            examination.found(&DOCKER_RUNTIME, message);
        }
        if is_nvidia && !program.is_empty() && !is_there(examination.host, program) {
            let message = format!("{path}: the runtime {name} is {program}, which is not there");
            examination.found(&DOCKER_RUNTIME, message);
        }
    }
    if let Some(default) = config.get("default-runtime").and_then(Value::as_str) {
        let is_known = runtimes.is_some_and(|runtimes| runtimes.contains_key(default))
            || registered(examination.host).iter().any(|runtime| runtime.name == default)
            || default == BUILT_IN
            || default.starts_with(SHIMS);
        if !is_known {
            let message = format!("{path}: the default runtime {default} is not among the runtimes");
            examination.found(&DOCKER_DEFAULT_RUNTIME, message);
        }
    }
    let remap = config.get("userns-remap").and_then(Value::as_str).unwrap_or_default();
    if !remap.is_empty() {
        let message = format!("{path}: userns-remap is {remap}, so containers run in a user namespace of their own");
        examination.found(&DOCKER_USERNS, message);
    }
}

/// Whether a program that a configuration names, by path or by name, exists.
#[must_use]
pub fn is_there(host: &Tree, program: &str) -> bool {
    if program.starts_with('/') { host.is_program(program) } else { installed(host, program) }
}

/// Whether dockerd is configured to manage cgroups without systemd.
#[must_use]
pub fn uses_cgroupfs(host: &Tree) -> bool {
    cgroup_driver(host).as_deref() == Some("cgroupfs")
}

/// Whether dockerd is configured to manage cgroups through systemd.
#[must_use]
pub fn uses_systemd(host: &Tree) -> bool {
    cgroup_driver(host).as_deref() == Some("systemd")
}

fn cgroup_driver(host: &Tree) -> Option<String> {
    let config = daemon(host, CONFIG)?.ok()?;
    let options = config.get("exec-opts").and_then(Value::as_array)?;
    let mut options = options.iter().filter_map(Value::as_str);
    options.find_map(|option| option.strip_prefix("native.cgroupdriver=")).map(str::to_owned)
}
