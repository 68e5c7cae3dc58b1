//! containerd, and the Kubernetes distributions that bring their own: whether the NVIDIA runtime named in their
//! configuration exists, and whether the file that names it is read. Must not know Docker.

use toml::{Table, Value};

use super::docker::{installed, is_there};
use super::engine_files::read;
use super::examination::{Examination, has_host_hook, has_operator_toolkit};
use super::states::{
    CONTAINERD_CRI_OFF, CONTAINERD_DEFAULT, CONTAINERD_IMPORT, CONTAINERD_RUNTIME, CONTAINERD_SECTION, CONTAINERD_SHIM,
    CONTAINERD_WITHOUT_NVIDIA, K3S_CONTAINERD,
};
use crate::cdi;
use crate::inspect::Inspect;
use crate::tree::Tree;

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
/// Signs of a Kubernetes node that uses the host's containerd.
const KUBELET: [&str; 3] = ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/usr/bin/kubelet"];
/// The plugin that serves Kubernetes, in the versions 2 and 3 of the configuration, and in version 1.
const PLUGINS: [&str; 3] = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "cri"];

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    let host = examination.host;
    let main = read(examination, CONFIG);
    if let Some(main) = &main {
        runtimes(examination, CONFIG, main);
        imports(examination, main);
    }
    let mut has_own = false;
    for (name, paths) in OWN {
        let Some(path) = paths.iter().copied().find(|path| host.has(path)) else { continue };
        let Some(table) = read(examination, path) else { continue };
        has_own = true;
        runtimes(examination, path, &table);
        let elsewhere = main.as_ref().is_some_and(|main| nvidia(main).next().is_some());
        if elsewhere && nvidia(&table).next().is_none() {
            let message =
                format!("{name} runs the containerd of {path}, which has no NVIDIA runtime; {CONFIG} has one");
            examination.found(&K3S_CONTAINERD, message);
        } else if nvidia(&table).next().is_none() {
            without_runtime(examination, &format!("{name} runs the containerd of {path}, which"));
        }
    }
    if let Some(main) = &main
        && !has_own
        && KUBELET.iter().any(|path| host.has(path))
    {
        node(examination, main);
    }
    if main.is_none() && !has_own && installed(host, "containerd") {
        examination.ok("containerd", format!("{CONFIG} does not exist: it has no runtime but its own"));
    }
}

/// The host's containerd, if it serves Kubernetes.
fn node(examination: &mut Examination<'_>, main: &Table) {
    let disabled = main.get("disabled_plugins").and_then(Value::as_array).into_iter().flatten();
    if disabled.filter_map(Value::as_str).any(|name| PLUGINS.contains(&name)) {
        let message = format!("{CONFIG} disables the plugin cri, and this is a node of Kubernetes");
        examination.found(&CONTAINERD_CRI_OFF, message);
    } else if nvidia(main).next().is_none() && main.get("imports").is_none() {
        without_runtime(examination, CONFIG);
    }
}

fn without_runtime(examination: &mut Examination<'_>, what: &str) {
    let host = examination.host;
    let has_toolkit = has_host_hook(host) || has_operator_toolkit(host) || installed(host, "nvidia-container-runtime");
    if has_toolkit && !cdi::has_gpus(host, &cdi::DIRECTORIES.map(str::to_owned)) {
        let message = format!("{what} has no NVIDIA runtime, so pods get no GPU");
        examination.found(&CONTAINERD_WITHOUT_NVIDIA, message);
    }
}

/// Reports sections that the file's version does not have (version 3 renames plugins), and shims that no longer exist.
fn form(examination: &mut Examination<'_>, path: &str, table: &Table) {
    let version = table.get("version").and_then(Value::as_integer).unwrap_or(1);
    let plugins = table.get("plugins").and_then(Value::as_table);
    let right = match version {
        3 => "io.containerd.cri.v1.runtime",
        2 => "io.containerd.grpc.v1.cri",
        _ => "cri",
    };
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

/// The `containerd` table of the plugin that serves Kubernetes.
fn plugin(table: &Table) -> Option<&Table> {
    let plugins = table.get("plugins").and_then(Value::as_table)?;
    let plugin = PLUGINS.iter().find_map(|name| plugins.get(*name)).and_then(Value::as_table)?;
    plugin.get("containerd").and_then(Value::as_table)
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

fn runtimes(examination: &mut Examination<'_>, path: &str, table: &Table) {
    form(examination, path, table);
    let mut named = 0;
    for (name, program) in nvidia(table) {
        named += 1;
        if !program.is_empty() && !is_there(examination.host, program) {
            let message = format!("{path}: the runtime {name} is {program}, which is not there");
            examination.found(&CONTAINERD_RUNTIME, message);
        } else {
            examination.ok("containerd", format!("{path} has the runtime {name}"));
        }
    }
    let Some(plugin) = plugin(table) else { return };
    let default = plugin.get("default_runtime_name").and_then(Value::as_str).unwrap_or_default();
    let runtimes = plugin.get("runtimes").and_then(Value::as_table);
    let is_known = runtimes.is_some_and(|runtimes| runtimes.contains_key(default)) || matches!(default, "" | "runc");
    // An imported file may add it.
    let imports = table.get("imports").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if !is_known && !imports {
        let message = format!("{path}: the default runtime {default} is not among the runtimes");
        examination.found(&CONTAINERD_DEFAULT, message);
    } else if named == 0 && !imports {
        examination.ok("containerd", format!("{path} has no NVIDIA runtime, which CDI does not need"));
    }
}

/// The toolkit writes its own file, which counts only if the main file imports it.
fn imports(examination: &mut Examination<'_>, main: &Table) {
    const DIRECTORY: &str = "/etc/containerd/conf.d";
    let host: &Tree = examination.host;
    let imports: Vec<&str> =
        main.get("imports").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in host.names(DIRECTORY).into_iter().filter(|name| name.ends_with(".toml")) {
        let path = format!("{DIRECTORY}/{name}");
        let Some(table) = read(examination, &path) else { continue };
        if nvidia(&table).next().is_none() {
            continue;
        }
        if imports.iter().any(|pattern| covers(pattern, &path)) {
            runtimes(examination, &path, &table);
        } else {
            let message = format!("{path} adds the NVIDIA runtime, and {CONFIG} does not import it");
            examination.found(&CONTAINERD_IMPORT, message);
        }
    }
}

/// Whether an import pattern, in which `*` matches any part of a name, covers a file.
fn covers(pattern: &str, path: &str) -> bool {
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/containerd/{pattern}") };
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, end)) => {
            let rest = path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            rest.is_some_and(|rest| !rest.contains('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn imports_are_patterns() {
        let path = "/etc/containerd/conf.d/99-nvidia.toml";
        assert!(covers("/etc/containerd/conf.d/*.toml", path) && covers("conf.d/*.toml", path) && covers(path, path));
        assert!(!covers("/etc/containerd/other/*.toml", path) && !covers("/etc/*.toml", path));
    }
}
