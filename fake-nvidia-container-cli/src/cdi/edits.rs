//! What a container gets: device nodes, driver files, and the folder that says what the simulated driver shows.
//!
//! No hook is needed: a library is mounted under each of the names that programs ask for, so nothing has to run.

use super::Place;
use crate::driver::{self, CAPS_MAJOR, NVIDIA_MAJOR, caps};
use crate::driver_root::{LIVE, Nodes};
use nvidia_simulated_given as given;
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::topology::{Gpu, Mig, Topology};
use serde::Serialize;

/// Edits of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edits {
    /// Variables, `NAME=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Device nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_nodes: Vec<Node>,
    /// Files and folders of the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
}

impl Edits {
    /// Adds the edits that are not there yet.
    pub(super) fn join(&mut self, other: &Self) {
        self.device_nodes.extend(
            other.device_nodes.iter().filter(|node| !self.device_nodes.contains(node)).cloned().collect::<Vec<_>>(),
        );
        self.mounts
            .extend(other.mounts.iter().filter(|mount| !self.mounts.contains(mount)).cloned().collect::<Vec<_>>());
    }
}

/// A device node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its path in the container.
    pub path: String,
    /// Its path on the host.
    pub host_path: String,
    r#type: &'static str,
    major: u32,
    minor: u32,
    file_mode: u32,
    permissions: &'static str,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// The file or folder of the host.
    pub host_path: String,
    /// Its path in the container.
    pub container_path: String,
    options: Vec<&'static str>,
}

/// A machine in its folder.
pub(super) struct Site<'a> {
    pub(super) machine: &'a Topology,
    pub(super) place: Place<'a>,
}

impl Site<'_> {
    /// For a GPU: its node.
    pub(super) fn gpu(&self, gpu: &Gpu) -> Edits {
        self.nodes(vec![(format!("/dev/nvidia{}", gpu.minor), NVIDIA_MAJOR, gpu.minor)])
    }

    /// For a part: the GPU's node, and the rights to both of its instances.
    pub(super) fn part(&self, gpu: &Gpu, part: &Mig) -> Edits {
        let mut edits = self.gpu(gpu);
        if self.machine.dev_caps() {
            let rights = caps::accesses(gpu, part);
            edits.join(&self.nodes(rights.iter().map(|right| (right.dev(), CAPS_MAJOR, right.minor)).collect()));
        }
        edits
    }

    /// For any device: the driver.
    pub(super) fn common(&self) -> Edits {
        let machine = self.machine;
        let nodes = driver::nodes(&machine.host.devs).into_iter().map(|node| (node.path, node.major, node.minor));
        let mut edits = self.nodes(nodes.collect());
        // The folder rather than its files, so a file replaced there is seen here.
        edits.mounts.push(self.mount(&format!("{LIVE}/{}", given::CONTAINERS), LIVE, &["noexec"]));
        for path in &machine.host.bins {
            edits.mounts.push(self.mount(path, &format!("/usr/bin/{}", name(path)), &[]));
        }
        for path in &machine.host.libs64 {
            edits.mounts.extend(self.library(path));
        }
        for path in &machine.host.firmwares {
            edits.mounts.push(self.mount(path, path, &[]));
        }
        for path in machine.host.ipcs.iter().filter(|path| path.ends_with("/socket")) {
            edits.mounts.push(self.mount(path, path, &["noexec"]));
        }
        edits
    }

    /// A library under its own name and the names that programs ask for.
    fn library(&self, path: &str) -> Vec<Mount> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.place.libraries.unwrap_or(folder);
        let mut names = vec![file.to_owned(), driver_files::soname(file)];
        if file.starts_with("libcuda.so.") {
            names.push("libcuda.so".to_owned());
        }
        names.dedup();
        names.iter().map(|name| self.mount(path, &format!("{folder}/{name}"), &[])).collect()
    }

    fn mount(&self, path: &str, container_path: &str, more: &[&'static str]) -> Mount {
        let options = ["ro", "nosuid", "nodev", "bind"].iter().chain(more).copied().collect();
        Mount { host_path: self.host(path), container_path: container_path.to_owned(), options }
    }

    /// Device nodes, or files in their place, which are mounted.
    fn nodes(&self, nodes: Vec<(String, u32, u32)>) -> Edits {
        let mut edits = Edits::default();
        for (path, major, minor) in nodes {
            let host_path = self.host(&path);
            match self.place.nodes {
                Nodes::Real => edits.device_nodes.push(Node {
                    path,
                    host_path,
                    r#type: "c",
                    major,
                    minor,
                    file_mode: if major == CAPS_MAJOR { caps::mode(minor) } else { 0o666 },
                    permissions: "rw",
                }),
                Nodes::Files => edits.mounts.push(Mount {
                    host_path,
                    container_path: path,
                    options: vec!["nosuid", "noexec", "bind"],
                }),
            }
        }
        edits
    }

    fn host(&self, path: &str) -> String {
        format!("{}{path}", self.place.root.trim_end_matches('/'))
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
