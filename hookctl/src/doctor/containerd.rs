//! containerd, and the Kubernetes distributions that bring their own: whether the NVIDIA runtime named in their
//! configuration exists, and whether the file that names it is read. Must not know Docker.

use std::collections::VecDeque;

use toml::{Table, Value};

use super::docker::{installed, is_there};
use super::engine_files::{read, section};
use super::examination::{Examination, has_host_hook, has_operator_toolkit};
use super::glob;
use super::states::{
    CONTAINERD_CRI_OFF, CONTAINERD_DEFAULT, CONTAINERD_IMPORT, CONTAINERD_RUNTIME, CONTAINERD_SECTION, CONTAINERD_SHIM,
    CONTAINERD_WITHOUT_NVIDIA, K3S_CONTAINERD,
};
use crate::cdi;
use crate::inspect::Inspect;

const CONFIG: &str = "/etc/containerd/config.toml";
/// The containerds of Kubernetes distributions, by the file that each of them writes.
const OWN: [(&str, &[&str]); 4] = [
    ("k3s", &["/var/lib/rancher/k3s/agent/etc/containerd/config.toml"]),
    ("RKE2", &["/var/lib/rancher/rke2/agent/etc/containerd/config.toml"]),
    // MicroK8s writes the first from the second when it starts.
    (
        "MicroK8s",
        &[
            "/var/snap/microk8s/current/args/containerd.toml",
            "/var/snap/microk8s/current/args/containerd-template.toml",
        ],
    ),
    ("k0s", &["/run/k0s/containerd-cri.toml", "/etc/k0s/containerd.d/nvidia.toml", "/etc/k0s/containerd.toml"]),
];
/// What to do for the containerd of a host.
const NODE_REMEDY: &str = "run nvidia-ctk runtime configure --runtime=containerd and restart containerd";
/// Signs of a Kubernetes node that uses the host's containerd.
const KUBELET: [&str; 3] = ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/usr/bin/kubelet"];
/// The plugin that serves Kubernetes, in the versions 2 and 3 of the configuration, and in version 1.
const PLUGINS: [&str; 3] = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "cri"];

/// How many files of one configuration are read at most.
const MOST: usize = 64;

/// A file of containerd's configuration: its path and content.
type File = (String, Table);

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let main = files(examination, CONFIG);
    report(examination, &main);
    unimported(examination, &main);
    let mut has_own = false;
    for (name, paths) in OWN {
        let Some(path) = paths.iter().copied().find(|path| host.has(path)) else { continue };
        let own = files(examination, path);
        if own.is_empty() {
            continue;
        }
        has_own = true;
        report(examination, &own);
        match (has_nvidia(&own), has_nvidia(&main)) {
            (true, _) => {}
            (false, true) => {
                let message =
                    format!("{name} runs the containerd of {path}, which has no NVIDIA runtime; {CONFIG} has one");
                examination.found_with(&K3S_CONTAINERD, message, remedy_of(name).unwrap_or(K3S_CONTAINERD.remedy));
            }
            (false, false) => {
                let remedy =
                    remedy_of(name).unwrap_or("restart it after installing the toolkit, so that it finds the runtime");
                without_runtime(examination, &format!("{name} runs the containerd of {path}, which"), remedy);
            }
        }
    }
    if !main.is_empty() && !has_own && KUBELET.iter().any(|path| host.has(path)) {
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
fn node(examination: &mut Examination<'_>, main: &[File]) {
    let disabled = main.iter().filter_map(|(_, table)| table.get("disabled_plugins")).filter_map(Value::as_array);
    if disabled.flatten().filter_map(Value::as_str).any(|name| PLUGINS.contains(&name)) {
        let message = format!("{CONFIG} disables the plugin cri, and this is a node of Kubernetes");
        examination.found(&CONTAINERD_CRI_OFF, message);
    } else if !has_nvidia(main) {
        without_runtime(examination, CONFIG, NODE_REMEDY);
    }
}

/// What to do for a Kubernetes that does not find the runtime by itself when it starts, as k3s and RKE2 do.
fn remedy_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "MicroK8s" => {
            "run microk8s enable nvidia, or add the runtime to args/containerd-template.toml of the snap, and: snap \
             restart microk8s"
        }
        "k0s" => {
            "add the runtime in /etc/k0s/containerd.d/nvidia.toml (nvidia-ctk runtime configure --runtime=containerd \
             --config=/etc/k0s/containerd.d/nvidia.toml), and restart k0s"
        }
        _ => return None,
    })
}

fn without_runtime(examination: &mut Examination<'_>, what: &str, remedy: &str) {
    let host = examination.host;
    let has_toolkit = has_host_hook(host) || has_operator_toolkit(host) || installed(host, "nvidia-container-runtime");
    if has_toolkit && !cdi::has_gpus(host, &cdi::DIRECTORIES.map(str::to_owned)) {
        let message = format!("{what} has no NVIDIA runtime, so pods get no GPU");
        examination.found_with(&CONTAINERD_WITHOUT_NVIDIA, message, remedy);
    }
}

/// Reports sections that the file's version does not have (version 3 renames plugins), and shims that no longer exist.
fn form(examination: &mut Examination<'_>, path: &str, table: &Table) {
    let (version, right) = (version(table), own_plugin(table));
    let plugins = table.get("plugins").and_then(Value::as_table);
    let others = plugins.into_iter().flatten().filter(|(name, _)| PLUGINS.contains(&name.as_str()) && *name != right);
    for (name, plugin) in others {
        let runtimes = plugin.get("containerd").and_then(|plugin| plugin.get("runtimes")).and_then(Value::as_table);
        if runtimes.is_some_and(|runtimes| runtimes.keys().any(|name| name.contains("nvidia"))) {
            let message = format!(
                "{path}: the NVIDIA runtime is in the section \"{name}\", and in version {version} of the file containerd \
                 reads \"{right}\""
            );
            examination.found(&CONTAINERD_SECTION, message);
        }
    }
    let runtimes = plugin(table).and_then(|plugin| plugin.get("runtimes")).and_then(Value::as_table);
    for (name, runtime) in runtimes.into_iter().flatten().filter(|(name, _)| name.contains("nvidia")) {
        let kind = runtime.get("runtime_type").and_then(Value::as_str).unwrap_or_default();
        if matches!(kind, "io.containerd.runtime.v1.linux" | "io.containerd.runc.v1") {
            examination.found(&CONTAINERD_SHIM, format!("{path}: the runtime {name} is of type {kind}"));
        }
    }
}

fn version(table: &Table) -> i64 {
    table.get("version").and_then(Value::as_integer).unwrap_or(1)
}

/// The plugin that serves Kubernetes in the file's version. The one of version 2 is in version 3 too, for its server.
fn own_plugin(table: &Table) -> &'static str {
    match version(table) {
        3 => "io.containerd.cri.v1.runtime",
        2 => "io.containerd.grpc.v1.cri",
        _ => "cri",
    }
}

/// The `containerd` table of the plugin that serves Kubernetes: of the file's version, otherwise of another.
fn plugin(table: &Table) -> Option<&Table> {
    let plugins = table.get("plugins").and_then(Value::as_table)?;
    let names = std::iter::once(own_plugin(table)).chain(PLUGINS);
    names.filter_map(|name| plugins.get(name)?.get("containerd")).find_map(Value::as_table)
}

fn has_nvidia(files: &[File]) -> bool {
    files.iter().any(|(_, table)| nvidia(table).next().is_some())
}

/// The NVIDIA runtimes, each with its program.
fn nvidia(table: &Table) -> impl Iterator<Item = (&str, &str)> {
    let runtimes = plugin(table).and_then(|plugin| plugin.get("runtimes")).and_then(Value::as_table);
    runtimes.into_iter().flatten().filter_map(|(name, runtime)| {
        let options = runtime.get("options");
        let program = options.and_then(|options| options.get("BinaryName")).and_then(Value::as_str).unwrap_or_default();
        (name.contains("nvidia") || program.contains("nvidia")).then_some((name.as_str(), program))
    })
}

/// Reports the NVIDIA runtimes of a configuration, and its default runtime.
fn report(examination: &mut Examination<'_>, files: &[File]) {
    for (path, table) in files {
        form(examination, path, table);
        for (name, program) in nvidia(table) {
            if !program.is_empty() && !is_there(examination.host, program) {
                let message = format!("{path}: the runtime {name} is {program}, which is not there");
                examination.found(&CONTAINERD_RUNTIME, message);
            } else {
                examination.ok("containerd", format!("{path} has the runtime {name}"));
            }
        }
    }
    let plugins = || files.iter().filter_map(|(path, table)| plugin(table).map(|plugin| (path, plugin)));
    let default_of = |plugin: &Table| plugin.get("default_runtime_name").and_then(Value::as_str).map(str::to_owned);
    // Imported files override the ones that import them.
    let default = plugins().filter_map(|(path, plugin)| Some((path, default_of(plugin)?))).next_back();
    let is_known = |name: &str| {
        matches!(name, "" | "runc") || plugins().any(|(_, plugin)| section(plugin, &["runtimes", name]).is_some())
    };
    if let Some((path, default)) = default.filter(|(_, name)| !is_known(name)) {
        let message = format!("{path}: the default runtime {default} is not among the runtimes");
        examination.found(&CONTAINERD_DEFAULT, message);
    } else if let Some((path, _)) = plugins().next()
        && !has_nvidia(files)
    {
        examination.ok("containerd", format!("{path} has no NVIDIA runtime, which CDI does not need"));
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
        if nvidia(&table).next().is_some() {
            let message = format!("{path} adds the NVIDIA runtime, and {CONFIG} does not import it");
            examination.found(&CONTAINERD_IMPORT, message);
        }
    }
}
