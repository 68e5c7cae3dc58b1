//! The GPUs of a host as its driver shows them below /proc, in the terms of the simulator's machine, so selection and
//! requirements are predicted by the same code that simulates them. What the files do not show stays unknown. Must not
//! know containers.

use std::path::Path;

use nvidia_simulated_machine::models;
use nvidia_simulated_machine::topology::{Gpu, Mig};

use hook::host::Host;

use crate::driver::{self, compare};
use crate::inspect::{names, seen, text};

/// The first driver that gives parts their own UUIDs.
const FIRST_WITH_NEW_NAMES: &str = "470";
const GPUS: &str = "/proc/driver/nvidia/gpus";
const CAPABILITIES: &str = "/proc/driver/nvidia/capabilities";

/// The GPUs of a host, in the order in which the driver counts them: by bus.
#[derive(Debug, Clone, Default)]
pub struct HostGpus {
    /// The GPUs. A UUID, architecture or brand that is not known is empty.
    pub list: Vec<Gpu>,
    /// Whether the driver shows which parts (MIG) there are; if not, there may be parts that are not in the list.
    pub shows_parts: bool,
    /// Whether parts are named by their GPU and their place on it (`MIG-GPU-UUID/GI/CI`), as before driver 470.
    pub has_old_names: bool,
}

impl HostGpus {
    /// Reads what the driver shows.
    #[must_use]
    pub fn of(host: &dyn Host) -> Self {
        let mut buses: Vec<(String, String)> =
            names(host, GPUS).into_iter().map(|name| (normal_bus(&name), name)).collect();
        buses.sort();
        let mut list: Vec<Gpu> =
            buses.iter().enumerate().map(|(index, (bus, name))| gpu(host, index, bus, name)).collect();
        let has_old_names =
            driver::of_host(host).is_some_and(|version| compare(&version, FIRST_WITH_NEW_NAMES).is_lt());
        for gpu in list.iter_mut().filter(|gpu| has_old_names && !gpu.uuid.is_empty()) {
            let uuid = gpu.uuid.clone();
            gpu.mig.iter_mut().for_each(|part| part.uuid = format!("MIG-{uuid}/{}/{}", part.gi, part.ci));
        }
        HostGpus { list, shows_parts: seen(host, Path::new(CAPABILITIES)).is_some(), has_old_names }
    }

    /// Whether every name of the old form is known: from driver 470 on there are none, and before it the files show
    /// them.
    #[must_use]
    pub fn knows_old_names(&self) -> bool {
        !self.has_old_names || self.shows_parts && self.list.iter().all(|gpu| !gpu.uuid.is_empty())
    }

    /// Whether a GPU may have parts that are not shown.
    #[must_use]
    pub fn may_have_hidden_parts(&self) -> bool {
        let may = |gpu: &Gpu| gpu.mig_capable || models::find(&gpu.model).is_none() && gpu.brand.is_empty();
        !self.shows_parts && self.list.iter().any(may)
    }

    /// The names that a container may ask for, for a message.
    #[must_use]
    pub fn names(&self) -> String {
        let last = self.list.len().saturating_sub(1);
        let indices = if last == 0 { "0".to_owned() } else { format!("0 to {last}") };
        let uuids: Vec<&str> = self.list.iter().map(|gpu| gpu.uuid.as_str()).filter(|uuid| !uuid.is_empty()).collect();
        if uuids.is_empty() { indices } else { format!("{indices}, {}", uuids.join(", ")) }
    }
}

fn gpu(host: &dyn Host, index: usize, bus: &str, name: &str) -> Gpu {
    let text = text(host, &format!("{GPUS}/{name}/information")).unwrap_or_default();
    let field = |label: &str| {
        let value = text.lines().find_map(|line| line.trim_start().strip_prefix(label)?.trim_start().strip_prefix(':'));
        value.map(str::trim).unwrap_or_default()
    };
    let product = field("Model");
    let model = models::find(product).or_else(|| models::find(&format!("NVIDIA {product}")));
    let uuid = field("GPU UUID");
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let minor = field("Device Minor").parse().unwrap_or(index);
    let parts = parts(host, minor);
    Gpu {
        index,
        minor,
        // A GPU that has not been opened yet shows question marks.
        uuid: if uuid.contains('?') { String::new() } else { uuid.to_owned() },
        busid: bus.to_owned(),
        arch: model.map(|model| model.arch.to_owned()).unwrap_or_default(),
        brand: model.map_or_else(|| brand(product), |model| model.brand).to_owned(),
        model: product.to_owned(),
        memory: model.map_or(0, |model| model.memory),
        mig_capable: model.is_some_and(|model| model.mig_capable),
        mig_enabled: !parts.is_empty(),
        mig: parts,
        ..Gpu::default()
    }
}

/// The parts of a GPU: each compute instance is a directory. No file shows their UUIDs.
fn parts(host: &dyn Host, minor: u32) -> Vec<Mig> {
    let directory = format!("{CAPABILITIES}/gpu{minor}/mig");
    let number = |name: &str, prefix: &str| name.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
    let mut parts = Vec::new();
    for (gi, name) in names(host, &directory).iter().filter_map(|name| Some((number(name, "gi")?, name))) {
        for ci in names(host, &format!("{directory}/{name}")).iter().filter_map(|name| number(name, "ci")) {
            parts.push(Mig { gi, ci, ..Mig::default() });
        }
    }
    parts.sort_by_key(|part| (part.gi, part.ci));
    parts
}

/// The brand word of a product whose name contains it; empty if the name does not settle the brand.
fn brand(product: &str) -> &'static str {
    let words: Vec<&str> = product.split_whitespace().collect();
    let has = |word: &str| words.iter().any(|one| one.eq_ignore_ascii_case(word));
    match () {
        () if has("GeForce") => "GeForce",
        () if has("Tesla") => "Tesla",
        () if has("NVS") => "NVS",
        () if has("GRID") => "GRID",
        () if has("Quadro") && !has("RTX") => "Quadro",
        () if has("TITAN") && !has("RTX") => "TITAN",
        () => "",
    }
}

/// A bus as the driver writes it: eight digits of domain, lower case.
fn normal_bus(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.split_once(':') {
        Some((domain, rest)) if domain.len() < 8 => format!("{domain:0>8}:{rest}"),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[expect(clippy::disallowed_methods, reason = "makes the machine that is looked at")]
    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let directory = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tree = Tree::new(Some(directory.path().to_path_buf()));
        (directory, tree)
    }

    #[test]
    fn gpus_come_in_the_order_of_their_buses_with_what_their_model_implies() {
        let information = |model: &str, uuid: &str, minor: u32| {
            format!("Model: \t\t {model}\nIRQ:   \t\t 64\nGPU UUID: \t {uuid}\nDevice Minor: \t {minor}\n")
        };
        let (_keep, tree) = host(&[
            ("/proc/driver/nvidia/gpus/0000:41:00.0/information", &information("Tesla T4", "GPU-b", 0)),
            ("/proc/driver/nvidia/gpus/0000:01:00.0/information", &information("GeForce GTX 1080", "GPU-?", 1)),
        ]);
        let gpus = HostGpus::of(&tree);
        let told: Vec<_> = gpus.list.iter().map(|gpu| (gpu.busid.as_str(), gpu.minor, gpu.uuid.as_str())).collect();
        assert_eq!(told, [("00000000:01:00.0", 1, ""), ("00000000:41:00.0", 0, "GPU-b")]);
        assert_eq!((gpus.list[0].brand.as_str(), gpus.list[0].arch.as_str()), ("GeForce", ""));
        assert_eq!((gpus.list[1].brand.as_str(), gpus.list[1].arch.as_str()), ("Tesla", "7.5"));
        assert_eq!(gpus.names(), "0 to 1, GPU-b");
    }

    #[test]
    fn parts_are_counted_where_the_driver_shows_them() {
        let (_keep, tree) = host(&[
            ("/proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: NVIDIA A100-SXM4-40GB\nDevice Minor: 0\n"),
            ("/proc/driver/nvidia/capabilities/gpu0/mig/gi1/ci0/access", "x"),
            ("/proc/driver/nvidia/capabilities/gpu0/mig/gi2/ci0/access", "x"),
            ("/proc/driver/nvidia/capabilities/gpu0/mig/gi1/access", "x"),
        ]);
        let gpus = HostGpus::of(&tree);
        assert_eq!(gpus.list[0].mig.len(), 2);
        assert!(!gpus.may_have_hidden_parts());
    }
}
