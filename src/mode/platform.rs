//! What kind of machine this is, as far as the mode depends on it (SPEC section 10). It is judged from files alone:
//! loading a driver library would cost more than the whole hook. Must not know configuration or containers.

use std::path::Path;

use super::ldcache;
use crate::error::Unanswered;
use crate::host::{FileKind, Host};
use crate::invocation::Environ;

/// The file that marks a Tegra system.
const RELEASE: &str = "/etc/nv_tegra_release";
/// The family of a system on a chip.
const FAMILY: &str = "/sys/devices/soc0/family";
/// The driver's GPUs. Each has a directory, in which `information` names its model.
const DRIVER_GPUS: &str = "/proc/driver/nvidia/gpus";
/// The driver of a Tegra's own GPU, which lists nothing in /proc.
const NVGPU: &str = "/sys/module/nvgpu";
/// Other paths of that driver and its GPU: if the driver is built into the kernel, or on an older kernel.
const NVGPU_OF_A_TEGRA: [&str; 3] =
    ["/sys/bus/platform/drivers/gk20a", "/sys/devices/platform/gpu.0", "/sys/devices/gpu.0"];
/// Words in the model names of integrated GPUs.
const INTEGRATED_MODELS: [&str; 2] = ["(nvgpu)", "NVIDIA Thor"];

/// The kinds of machines that mode `auto` distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Not a Tegra, and without an integrated GPU: a GPU host, even if its driver is not loaded, or a host without a
    /// GPU.
    NotTegra,
    /// Windows Subsystem for Linux, whatever else it looks like.
    Wsl,
    /// One of the driver's GPUs is integrated, with or without discrete ones.
    Integrated,
    /// The driver of a Tegra's own GPU is loaded.
    Nvgpu,
    /// A Tegra whose driver has no NVML.
    TegraWithoutNvml,
    /// A Tegra with NVML and discrete GPUs, or none yet: `--load-kmods` loads their driver.
    TegraWithNvml,
}

impl Platform {
    /// Looks at the machine. The loadable libraries, which cost the most to look up, matter only on a Tegra or with an
    /// integrated GPU. On other machines without a driver, the answer costs four system calls.
    ///
    /// # Errors
    /// [`Unanswered`]: the machine did not answer a question.
    pub fn detect(host: &dyn Host, environ: Environ<'_>) -> Result<Self, Unanswered> {
        let is_tegra = is_tegra(host)?;
        let integrated = integrated_gpu(host, is_tegra)?;
        if !is_tegra && integrated.is_none() {
            return Ok(Platform::NotTegra);
        }
        let loadable = ldcache::Libraries::of(host, environ)?;
        if loadable.can_load("libdxcore.so")? {
            return Ok(Platform::Wsl);
        }
        Ok(match integrated {
            Some(platform) => platform,
            None if loadable.can_load("libnvidia-ml.so.1")? => Platform::TegraWithNvml,
            None => Platform::TegraWithoutNvml,
        })
    }

    /// The mode for this kind of machine.
    #[must_use]
    pub fn mode(self) -> &'static str {
        match self {
            Platform::NotTegra | Platform::Wsl | Platform::TegraWithNvml => "legacy",
            Platform::Integrated | Platform::Nvgpu | Platform::TegraWithoutNvml => "csv",
        }
    }

    /// What was found, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Platform::NotTegra => "not a Tegra system, and without an integrated GPU",
            Platform::Wsl => "WSL, since libdxcore.so can be loaded",
            Platform::Integrated => "a system with an integrated GPU (see /proc/driver/nvidia/gpus)",
            Platform::Nvgpu => "a Tegra system whose own GPU has its driver loaded (nvgpu)",
            Platform::TegraWithoutNvml => "a Tegra system without libnvidia-ml.so.1",
            Platform::TegraWithNvml => "a Tegra system with libnvidia-ml.so.1 and without an integrated GPU",
        }
    }
}

fn is_tegra(host: &dyn Host) -> Result<bool, Unanswered> {
    let is_release = matches!(kind(host, Path::new(RELEASE))?, Some(FileKind::Regular { .. }));
    let starts = |family: Vec<u8>| family.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"tegra"));
    Ok(is_release || content(host, Path::new(FAMILY))?.is_some_and(starts))
}

/// How an integrated GPU was recognised, if there is one. On a machine that is not known to be a Tegra, only the
/// driver's current name is looked for.
fn integrated_gpu(host: &dyn Host, is_tegra: bool) -> Result<Option<Platform>, Unanswered> {
    if lists_integrated_gpu(host)? {
        return Ok(Some(Platform::Integrated));
    }
    let older: &[&str] = if is_tegra { &NVGPU_OF_A_TEGRA } else { &[] };
    for path in [NVGPU].iter().chain(older) {
        if kind(host, Path::new(path))?.is_some() {
            return Ok(Some(Platform::Nvgpu));
        }
    }
    Ok(None)
}

fn lists_integrated_gpu(host: &dyn Host) -> Result<bool, Unanswered> {
    let gpus = Path::new(DRIVER_GPUS);
    for gpu in host.list(gpus).map_err(Unanswered::of("readdir", gpus))? {
        let bytes = content(host, &gpus.join(gpu).join("information"))?.unwrap_or_default();
        let information = String::from_utf8_lossy(&bytes);
        let model = information.lines().find_map(|line| line.strip_prefix("Model:")).unwrap_or_default();
        if INTEGRATED_MODELS.iter().any(|integrated| model.contains(integrated)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn kind(host: &dyn Host, path: &Path) -> Result<Option<FileKind>, Unanswered> {
    host.kind(path).map_err(Unanswered::of("stat", path))
}

fn content(host: &dyn Host, path: &Path) -> Result<Option<Vec<u8>>, Unanswered> {
    host.read_if_present(path).map_err(Unanswered::of("open", path))
}
