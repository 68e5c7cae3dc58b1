//! What kind of machine this is, as far as the mode depends on it (SPEC section 10), from files alone: loading a
//! driver library would cost more than the whole hook. Must not know configuration or containers.

use super::ldcache;
use std::path::Path;

use crate::host::{FileKind, Host};

/// The kinds of machines between which mode `auto` chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// No Tegra: a GPU host or one without GPU.
    NotTegra,
    /// Windows Subsystem for Linux, on a Tegra.
    Wsl,
    /// A Tegra without NVML.
    TegraWithoutNvml,
    /// A Tegra whose only GPU is its own.
    TegraIntegrated,
    /// A Tegra with a discrete GPU.
    TegraDiscrete,
}

impl Platform {
    /// Looks at the machine. Whether it is a Tegra is asked first, since only then anything else matters: on other
    /// machines the answer costs two system calls.
    #[must_use]
    pub fn detect(host: &dyn Host) -> Self {
        if !is_tegra(host) {
            return Platform::NotTegra;
        }
        let loadable = ldcache::Libraries::of(host);
        if loadable.can_load("libdxcore.so") {
            return Platform::Wsl;
        }
        if !loadable.can_load("libnvidia-ml.so.1") {
            return Platform::TegraWithoutNvml;
        }
        if has_discrete_gpu(host) { Platform::TegraDiscrete } else { Platform::TegraIntegrated }
    }

    /// The mode that this kind of machine means.
    #[must_use]
    pub fn mode(self) -> &'static str {
        match self {
            Platform::NotTegra | Platform::Wsl | Platform::TegraDiscrete => "legacy",
            Platform::TegraWithoutNvml | Platform::TegraIntegrated => "csv",
        }
    }

    /// What was found, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Platform::NotTegra => "no Tegra system",
            Platform::Wsl => "libdxcore.so can be loaded, which means WSL",
            Platform::TegraWithoutNvml => "a Tegra system without libnvidia-ml.so.1",
            Platform::TegraIntegrated => "a Tegra system whose GPU is the integrated one",
            Platform::TegraDiscrete => "a Tegra system with a discrete GPU",
        }
    }
}

fn is_tegra(host: &dyn Host) -> bool {
    matches!(host.kind(Path::new("/etc/nv_tegra_release")), Some(FileKind::Regular { .. }))
        || host
            .read(Path::new("/sys/devices/soc0/family"))
            .is_ok_and(|family| family.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"tegra")))
}

/// The driver lists its GPUs with their models; those of a Tegra itself are called so.
fn has_discrete_gpu(host: &dyn Host) -> bool {
    let gpus = Path::new("/proc/driver/nvidia/gpus");
    host.list(gpus).iter().any(|gpu| {
        host.read(&gpus.join(gpu).join("information")).is_ok_and(|bytes| {
            let information = String::from_utf8_lossy(&bytes);
            let model = information.lines().find_map(|line| line.strip_prefix("Model:")).unwrap_or_default().trim();
            !model.is_empty() && !model.contains("(nvgpu)") && !model.contains("NVIDIA Thor")
        })
    })
}
