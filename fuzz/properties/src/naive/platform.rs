//! Section 10: whether the hook may serve a container on this machine.

use std::path::Path;

use hook_test_support::memory::MemoryHost;
use nvidia_container_runtime_hook::host::{FileKind, Host};
use nvidia_hook_conformance::scene::Scene;

use super::config::Config;
use super::request::{Request, is_cdi};
use super::{Step, own};

const REFUSED: &str = "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify the --runtime=nvidia flag) instead";

const UNANSWERED: &str = "cannot tell the kind of machine: ";

/// Refuses if the mode is not `legacy`.
pub fn check_mode(scene: &Scene, config: &Config, request: &Request, host: &MemoryHost) -> Step<()> {
    let mode = match config.text("nvidia-container-runtime.mode", "auto") {
        "auto" if !request.devices.is_empty() && request.devices.iter().all(|name| is_cdi(name)) => "cdi",
        "auto" => of_machine(scene, host)?,
        mode => mode,
    };
    if mode == "legacy" { Ok(()) } else { Err(REFUSED) }
}

/// The mode of a machine. Only what the answer needs is asked; a question without an answer is an error.
fn of_machine(scene: &Scene, host: &MemoryHost) -> Step<&'static str> {
    let is_release = matches!(kind(host, "/etc/nv_tegra_release")?, Some(FileKind::Regular { .. }));
    let tegra = is_release || read(host, "/sys/devices/soc0/family")?.to_lowercase().starts_with("tegra");
    let integrated = lists_integrated(host)? || has_nvgpu(host, tegra)?;
    if !tegra && !integrated || can_load(scene, host, "libdxcore.so")? {
        return Ok("legacy");
    }
    let is_legacy = !integrated && can_load(scene, host, "libnvidia-ml.so.1")?;
    Ok(if is_legacy { "legacy" } else { "csv" })
}

fn lists_integrated(host: &MemoryHost) -> Step<bool> {
    for gpu in host.list(Path::new("/proc/driver/nvidia/gpus")).map_err(|_| UNANSWERED)? {
        let text = read(host, &format!("/proc/driver/nvidia/gpus/{}/information", gpu.to_str().unwrap()))?;
        let model = text.lines().find(|line| line.starts_with("Model:")).unwrap_or_default();
        if model.contains("(nvgpu)") || model.contains("NVIDIA Thor") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_nvgpu(host: &MemoryHost, tegra: bool) -> Step<bool> {
    let of_tegra = ["/sys/bus/platform/drivers/gk20a", "/sys/devices/platform/gpu.0", "/sys/devices/gpu.0"];
    for path in ["/sys/module/nvgpu"].into_iter().chain(of_tegra.into_iter().filter(|_| tegra)) {
        if kind(host, path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn kind(host: &MemoryHost, path: &str) -> Step<Option<FileKind>> {
    host.kind(Path::new(path)).map_err(|_| UNANSWERED)
}

/// The text of a file, empty if there is none.
fn read(host: &MemoryHost, path: &str) -> Step<String> {
    let bytes = host.read_if_present(Path::new(path)).map_err(|_| UNANSWERED)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a library is a file in an absolute directory of `LD_LIBRARY_PATH`, in the linker's cache or in a default directory.
fn can_load(scene: &Scene, host: &MemoryHost, name: &str) -> Step<bool> {
    let cache = host.read_if_present(Path::new("/etc/ld.so.cache")).map_err(|_| UNANSWERED)?.unwrap_or_default();
    let mut places = Vec::new();
    let named = own(scene, "LD_LIBRARY_PATH").unwrap_or_default();
    for directory in String::from_utf8_lossy(named).split([':', ';']) {
        if directory.starts_with('/') {
            places.push(format!("{directory}/{name}"));
        }
    }
    places.extend(cached(&cache, name));
    let machine = if cfg!(target_arch = "aarch64") { "aarch64-linux-gnu" } else { "x86_64-linux-gnu" };
    for directory in
        [&format!("/lib/{machine}"), &format!("/usr/lib/{machine}"), "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
    {
        places.push(format!("{directory}/{name}"));
    }
    for place in places {
        if let Some(FileKind::Regular { .. }) = kind(host, &place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The paths that the cache has for a name and this architecture.
fn cached(cache: &[u8], name: &str) -> Vec<String> {
    let native = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };
    let number = |at: usize| u32::from_ne_bytes(cache[at..at + 4].try_into().unwrap()) as usize;
    let text = |at: usize| String::from_utf8_lossy(cache[at..].split(|byte| *byte == 0).next().unwrap()).into_owned();
    let entries = if cache.is_empty() { 0 } else { number(20) };
    let entries = (0..entries).map(|entry| 48 + 24 * entry);
    let fits = entries.filter(|at| number(*at) == native && text(number(at + 4)) == name);
    fits.map(|at| text(number(at + 8))).collect()
}
