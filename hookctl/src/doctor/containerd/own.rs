//! The Kubernetes distributions that bring their own containerd: where its configuration is, what it is made from, and
//! what to do there, where nvidia-ctk and a restart of containerd would change nothing. Must not judge a runtime.

use super::super::engine_files::parse;
use super::super::examination::{Examination, OPERATOR_TOOLKIT};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// The containerds of Kubernetes distributions, by the file that each of them writes.
pub const OWN: [(&str, &[&str]); 4] = [
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
/// What k3s and RKE2 make config.toml from, if it is there: the first for containerd 2.
const TEMPLATES: [&str; 2] = ["config-v3.toml.tmpl", "config.toml.tmpl"];
/// The line with which a template takes over what k3s and RKE2 would write, the NVIDIA runtime included.
const BASE: &str = "{{ template \"base\" . }}";

/// What a remedy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault<'f> {
    /// The runtime is written where containerd does not read it, or in a form that it does not have.
    Form,
    /// The main file of a host says no version, and has sections of version 2.
    Version,
    /// The program of a runtime is missing.
    Program(&'f str),
    /// The default runtime is missing.
    Default,
}

/// The templates of k3s or RKE2 that are there, by the path of their config.toml.
fn templates(host: &Tree, path: &str) -> Vec<String> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let paths = TEMPLATES.map(|name| format!("{directory}/{name}"));
    paths.into_iter().filter(|path| host.has(path)).collect()
}

/// Reads the templates of k3s and RKE2 as TOML, if nothing in them is filled in but the base.
pub fn check_templates(examination: &mut Examination<'_>) {
    for (_, paths) in OWN.into_iter().take(2) {
        for path in paths.iter().flat_map(|path| templates(examination.host, path)) {
            let text = examination.host.text(&path).unwrap_or_default().replace(BASE, "");
            if !text.contains("{{") {
                parse(examination, &path, &text);
            }
        }
    }
}

/// What to do about a fault in the file at `path`; `None` for the containerd of a host.
#[must_use]
pub fn remedy(host: &Tree, name: Option<&str>, path: &str, fault: Fault<'_>) -> Option<String> {
    const PACKAGE: &str = "install the package nvidia-container-toolkit";
    if fault == Fault::Version {
        return Some(format!("write version = 2 at the top of {path}, and restart containerd"));
    }
    let name = name?;
    if matches!(name, "MicroK8s" | "k0s") {
        let (file, restart) = match name {
            "MicroK8s" => ("args/containerd-template.toml of the snap", "snap restart microk8s"),
            _ => ("/etc/k0s/containerd.d", "restart k0s"),
        };
        return Some(match fault {
            Fault::Program(_) => format!("{PACKAGE}, or correct the runtime in {file}, and: {restart}"),
            Fault::Form | Fault::Version => format!("correct the runtime in {file}, and: {restart}"),
            Fault::Default => format!("add the runtime in {file}, and: {restart}"),
        });
    }
    let template = templates(host, path).into_iter().next();
    Some(match (fault, template) {
        (Fault::Program(program), _) if program.starts_with(OPERATOR_TOOLKIT) => {
            format!("install the GPU operator again, or restart {name}, which looks for the runtime when it starts")
        }
        (Fault::Program(_), _) => format!("{PACKAGE}, and restart {name}"),
        (Fault::Default, None) => format!("{PACKAGE}, and restart {name}, which then adds the runtime"),
        (Fault::Default, Some(template)) if !has_base(host, &template) => without_base(name, &template),
        (Fault::Default, Some(_)) => format!("{PACKAGE}, and restart {name}, which then adds the runtime"),
        (Fault::Form | Fault::Version, Some(template)) => {
            format!(
                "correct it in {template}, or remove it there, since {name} adds the runtime itself; then restart {name}"
            )
        }
        (Fault::Form | Fault::Version, None) => format!("restart {name}, which writes {path} anew"),
    })
}

fn has_base(host: &Tree, template: &str) -> bool {
    host.text(template).is_some_and(|text| text.contains("template \"base\""))
}

fn without_base(name: &str, template: &str) -> String {
    format!("{template} takes the place of what {name} writes: begin it with {BASE}, and restart {name}")
}

/// What to do where the distribution's containerd has no NVIDIA runtime.
#[must_use]
pub fn to_add(host: &Tree, name: &str, path: &str) -> String {
    match name {
        "MicroK8s" => {
            "run microk8s enable nvidia, or add the runtime to args/containerd-template.toml of the snap, and: \
                       snap restart microk8s"
                .to_owned()
        }
        "k0s" => {
            "add the runtime in /etc/k0s/containerd.d/nvidia.toml (nvidia-ctk runtime configure --runtime=containerd \
                  --config=/etc/k0s/containerd.d/nvidia.toml), and restart k0s"
                .to_owned()
        }
        name => by_template(host, name, path)
            .unwrap_or_else(|| "restart it after installing the toolkit, so that it finds the runtime".to_owned()),
    }
}

/// What to do where a template of k3s or RKE2 keeps it from adding the runtime.
#[must_use]
pub fn by_template(host: &Tree, name: &str, path: &str) -> Option<String> {
    let template = templates(host, path).into_iter().next().filter(|template| !has_base(host, template))?;
    Some(without_base(name, &template))
}
