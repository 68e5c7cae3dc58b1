//! CDI specifications: whether they can be read, match this driver, and exist if an engine is set to use them. Must not
//! know their format.

use std::path::Path;

use super::docker::{self, installed};
use super::examination::Examination;
use super::packages;
use super::states::{CDI_BROKEN, CDI_CONFLICT, CDI_FOR_NEWER_ENGINE, CDI_MISSING, CDI_STALE, State};
use crate::cdi::{DIRECTORIES, GPU, conflicts, files};
use crate::driver::compare;
use crate::finding::Severity;
use crate::inspect::Inspect;

/// How many names of a long list a message shows.
const SHOWN: usize = 3;

/// CDI versions, and the first release of each engine that can read them: earlier releases are older than the version
/// itself. The first row has the oldest releases that know CDI at all.
const READERS: [((u32, u32), [&str; 4]); 5] = [
    ((0, 3), ["25.0.0", "4.1.0", "1.7.0", "1.23.0"]),
    ((0, 6), ["25.0.0", "4.6.0", "1.7.0", "1.27.0"]),
    ((0, 7), ["26.0.0", "5.0.0", "1.7.0", "1.29.0"]),
    ((0, 8), ["27.0.0", "5.1.0", "2.0.0", "1.31.0"]),
    ((1, 0), ["28.0.0", "5.4.0", "2.0.0", "1.32.0"]),
];
/// The engines, by program, name and packages, in the order of [`READERS`].
const ENGINES: [(&str, &str, &[&str]); 4] = [
    ("dockerd", "Docker", &["docker-ce", "docker.io", "moby-engine", "docker"]),
    ("podman", "Podman", &["podman"]),
    ("containerd", "containerd", &["containerd.io", "containerd"]),
    ("crio", "CRI-O", &["cri-o", "crio"]),
];

/// Reports engines that are too old for a specification, if a package tells their version.
fn for_engines(examination: &mut Examination<'_>, path: &str, version: (u32, u32)) {
    let host = examination.host;
    let Some((_, first)) = READERS.iter().rev().find(|(cdi, _)| *cdi <= version) else { return };
    for ((program, name, packages), first) in ENGINES.into_iter().zip(first) {
        let installed = installed(host, program).then(|| packages::version(host, packages)).flatten();
        if let Some(old) = installed.filter(|installed| compare(installed, first).is_lt()) {
            let (major, minor) = version;
            let message =
                format!("{path} is of CDI {major}.{minor}.0, which {name} {old} cannot read: it is older than {first}");
            examination.found(&CDI_FOR_NEWER_ENGINE, message);
        }
    }
}

/// Whether a file that cannot be used belongs to another vendor.
fn is_of_another(examination: &Examination<'_>, path: &str) -> bool {
    let text = examination.host.text(path).unwrap_or_default();
    !path.contains("nvidia") && !text.is_empty() && !text.contains("nvidia.com/")
}

/// What else reads the usual directories: programs, and places of Kubernetes distributions with their own containerd.
const READERS_OF_USUAL: [&str; 3] = ["podman", "containerd", "crio"];
const OWN_CONTAINERDS: [&str; 4] = ["/var/lib/rancher", "/var/snap/microk8s", "/etc/k0s", "/run/k0s"];

/// Whether no engine of this host reads a file: there is only a dockerd, which is told to read other directories.
fn is_read_by_none(examination: &Examination<'_>, path: &str) -> bool {
    let host = examination.host;
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let same = |other: &String| host.resolve(Path::new(other)) == host.resolve(Path::new(directory));
    installed(host, "dockerd")
        && !docker::spec_directories(host).iter().any(same)
        && !READERS_OF_USUAL.iter().any(|program| installed(host, program))
        && !OWN_CONTAINERDS.iter().any(|path| host.has(path))
        && examination.config.text(hook::contract::keys::Key::RuntimeMode) != "cdi"
}

/// Reports a file, as a note if nothing reads it.
fn found(examination: &mut Examination<'_>, state: &'static State, path: &str, message: String) {
    if is_read_by_none(examination, path) {
        let remedy = "nothing while only dockerd is here, whose cdi-spec-dirs leaves this directory out";
        examination.found_as(Severity::Note, state, message, remedy);
    } else {
        examination.found(state, message);
    }
}

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let mut directories = docker::spec_directories(host);
    directories.extend(DIRECTORIES.map(str::to_owned));
    // By the directory that a name leads to: /run/cdi and /var/run/cdi are one.
    let mut seen = Vec::new();
    directories.retain(|directory| {
        let place = host.resolve(Path::new(directory));
        let is_new = !seen.contains(&place);
        seen.push(place);
        is_new
    });
    let files = files(host, &directories);
    for file in &files {
        match &file.spec {
            Err(fault) => {
                let message = format!("{}: {fault}", file.path);
                match is_of_another(examination, &file.path) {
                    false => found(examination, &CDI_BROKEN, &file.path, message),
                    true => {
                        let remedy =
                            "it is not NVIDIA's: correct it, write it anew with its vendor's program, or remove it";
                        examination.found_as(Severity::Warning, &CDI_BROKEN, message, remedy);
                    }
                }
            }
            Ok(spec) if !spec.kind.starts_with("nvidia.com/") => {}
            Ok(spec) => {
                let missing = spec.missing(host);
                for_engines(examination, &file.path, spec.version);
                if missing.is_empty() {
                    let message = format!("{} defines {} devices of {}", file.path, spec.devices.len(), spec.kind);
                    examination.ok("cdi", message);
                } else {
                    let first = missing.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
                    let rest = missing.len().saturating_sub(SHOWN);
                    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
                    let message = format!("{} names {first}{more}, which is not there", file.path);
                    found(examination, &CDI_STALE, &file.path, message);
                }
            }
        }
    }
    for (device, first, second) in conflicts(&files) {
        examination.found(&CDI_CONFLICT, format!("{first} and {second} both define {device}"));
    }
    let has_gpus = files.iter().any(|file| file.spec.as_ref().is_ok_and(|spec| spec.kind == GPU));
    let mode = examination.config.text(hook::contract::keys::Key::RuntimeMode) == "cdi";
    if mode && !has_gpus && host.has("/proc/driver/nvidia/version") {
        let message = format!(
            "nvidia-container-runtime.mode is cdi, and no specification in {} defines {GPU}",
            directories.join(", ")
        );
        examination.found(&CDI_MISSING, message);
    }
}
