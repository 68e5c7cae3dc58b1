//! containerd, and the Kubernetes distributions that bring their own: which of them a host has, whether each has an
//! NVIDIA runtime, and whether the files that add one are read. Must not know Docker.

mod engine;
mod generation;
mod own;
mod runtime;

use std::collections::VecDeque;

use toml::{Table, Value};

use super::docker::installed;
use super::engine_files::read;
use super::examination::{Examination, has_host_hook, has_operator_toolkit};
use super::states::{CONTAINERD_CRI_OFF, CONTAINERD_IMPORT, CONTAINERD_WITHOUT_NVIDIA, K3S_CONTAINERD};
use super::{glob, packages};
use crate::cdi;
use crate::inspect::Inspect;
use engine::Engine;
use generation::{File, PLUGINS};
use own::OWN;

const CONFIG: &str = "/etc/containerd/config.toml";
/// The packages of containerd, whose version tells how it reads its configuration.
const PACKAGES: [&str; 3] = ["containerd.io", "moby-containerd", "containerd"];
/// What to do for the containerd of a host.
const NODE_REMEDY: &str = "run nvidia-ctk runtime configure --runtime=containerd and restart containerd";
/// Signs of a Kubernetes node that uses the host's containerd.
const KUBELET: [&str; 3] = ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/usr/bin/kubelet"];

/// How many files of one configuration are read at most.
const MOST: usize = 64;

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let installed_version = packages::version(host, &PACKAGES);
    let files_of_host = files(examination, CONFIG);
    let main = Engine::new(None, CONFIG, files_of_host, installed_version.as_deref());
    main.report(examination);
    unimported(examination, &main.files);
    own::check_templates(examination);
    let mut has_own = false;
    for (name, paths) in OWN {
        let Some(path) = paths.iter().copied().find(|path| host.has(path)) else { continue };
        let files = files(examination, path);
        if files.is_empty() {
            continue;
        }
        has_own = true;
        let own = Engine::new(Some(name), path, files, None);
        own.report(examination);
        match (own.may_have_nvidia(), main.may_have_nvidia()) {
            (true, _) => {}
            (false, true) => {
                let message =
                    format!("{name} runs the containerd of {path}, which has no NVIDIA runtime; {CONFIG} has one");
                let remedy = match name {
                    "k3s" | "RKE2" => {
                        own::by_template(host, name, path).unwrap_or_else(|| K3S_CONTAINERD.remedy.to_owned())
                    }
                    name => own::to_add(host, name, path),
                };
                examination.found_with(&K3S_CONTAINERD, message, remedy);
            }
            (false, false) => {
                let remedy = own::to_add(host, name, path);
                without_runtime(examination, &format!("{name} runs the containerd of {path}, which"), &remedy);
            }
        }
    }
    if !main.files.is_empty() && !has_own && KUBELET.iter().any(|path| host.has(path)) {
        node(examination, &main);
    }
    if !host.has(CONFIG) && !has_own && installed(host, "containerd") {
        examination.ok("containerd", format!("{CONFIG} does not exist: it has no runtime but its own"));
    }
}

/// A configuration file, and the files that it imports, each after the one that imports it.
fn files(examination: &mut Examination<'_>, path: &str) -> Vec<File> {
    let mut waiting = VecDeque::from([path.to_owned()]);
    let mut files: Vec<File> = Vec::new();
    while let Some(path) = waiting.pop_front() {
        if files.len() == MOST || files.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let Some(table) = read(examination, &path) else { continue };
        let imports = table.get("imports").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for pattern in imports {
            let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("{directory}/{pattern}") };
            waiting.extend(glob::expand(examination.host, &pattern));
        }
        files.push((path, table));
    }
    files
}

/// The host's containerd, if it serves Kubernetes.
fn node(examination: &mut Examination<'_>, main: &Engine) {
    let disabled = main.files.iter().filter_map(|(_, table)| table.get("disabled_plugins")).filter_map(Value::as_array);
    if disabled.flatten().filter_map(Value::as_str).any(|name| PLUGINS.contains(&name)) {
        let message = format!("{CONFIG} disables the plugin cri, and this is a node of Kubernetes");
        examination.found(&CONTAINERD_CRI_OFF, message);
    } else if !main.may_have_nvidia() {
        without_runtime(examination, CONFIG, NODE_REMEDY);
    }
}

fn without_runtime(examination: &mut Examination<'_>, what: &str, remedy: &str) {
    let host = examination.host;
    let has_toolkit = has_host_hook(host) || has_operator_toolkit(host) || installed(host, "nvidia-container-runtime");
    if has_toolkit && !cdi::has_gpus(host, &cdi::DIRECTORIES.map(str::to_owned)) {
        let message = format!("{what} has no NVIDIA runtime, so pods get no GPU");
        examination.found_with(&CONTAINERD_WITHOUT_NVIDIA, message, remedy);
    }
}

/// The toolkit writes its own file, which counts only if the main file imports it.
fn unimported(examination: &mut Examination<'_>, main: &[File]) {
    const DIRECTORY: &str = "/etc/containerd/conf.d";
    let paths = glob::expand(examination.host, &format!("{DIRECTORY}/*.toml"));
    for path in paths.into_iter().filter(|path| !main.iter().any(|(read, _)| read == path)) {
        // A file that is imported and broken has been reported.
        let Some(text) = examination.host.text(&path).filter(|_| !main.is_empty()) else { continue };
        let Ok(table) = text.parse::<Table>() else { continue };
        if runtime::sections(&table).any(|(_, plugin)| !runtime::nvidia_in(plugin).is_empty()) {
            let message = format!("{path} adds the NVIDIA runtime, and {CONFIG} does not import it");
            examination.found(&CONTAINERD_IMPORT, message);
        }
    }
}
