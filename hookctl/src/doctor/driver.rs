//! The driver: kernel module, libraries, both of one version, and where they are.

use std::path::{Path, PathBuf};

use super::Examination;
use crate::driver::{cuda_of, is_version, of_host};
use crate::finding::Finding;
use crate::inspect::Inspect;
use crate::tree::Tree;
use hook::host::Host;
use hook::invocation::Environ;
use hook::mode::ldcache::Libraries;
use hook::mode::platform::Platform;

/// Where the driver of a driver container is.
const DRIVER_CONTAINER: &str = "/run/nvidia/driver";
/// The driver's libraries that every GPU container needs.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libcuda.so.1"];

/// The checks.
pub fn checks(examination: &Examination<'_>) -> Vec<Finding> {
    let module = of_host(examination.host);
    let library = library_version(examination.host, &examination.driver_root(), LIBRARIES[0]);
    let mut checks = vec![kernel_module(examination, module.as_deref())];
    checks.extend(libraries(examination));
    if let (Some(module), Some(library)) = (&module, &library) {
        checks.push(versions(module, library));
    }
    checks
}

fn kernel_module(examination: &Examination<'_>, version: Option<&str>) -> Finding {
    let id = "driver-module";
    if let Some(version) = version {
        let cuda = cuda_of(version).map(|cuda| format!(", which serves CUDA up to {cuda}")).unwrap_or_default();
        return Finding::ok(id, format!("the kernel module {version} is loaded{cuda}"));
    }
    match Platform::detect(examination.host, Environ::default()) {
        Platform::NotTegra if examination.host.kind(Path::new("/dev/dxg")).is_some() => {
            Finding::ok(id, "no kernel module, as on WSL, where the driver is that of Windows")
        }
        Platform::NotTegra if examination.host.kind(Path::new("/sys/module/nouveau")).is_some() => Finding::error(
            id,
            "the kernel module is not loaded, and nouveau is in its place",
            "blacklist nouveau, rebuild the initramfs, and reboot",
        ),
        Platform::NotTegra | Platform::Wsl => Finding::error(
            id,
            "the kernel module is not loaded",
            "install the driver, or run modprobe nvidia and read dmesg; with Secure Boot the module must be signed",
        ),
        tegra => Finding::warning(
            id,
            format!("no discrete GPU's kernel module: {}", tegra.words()),
            "on a Tegra use the NVIDIA runtime in mode csv or cdi",
        ),
    }
}

/// The libraries below the driver's root, or a hint where they are instead.
fn libraries(examination: &Examination<'_>) -> Vec<Finding> {
    let id = "driver-libraries";
    let root = examination.driver_root();
    if examination.host.kind(&root).is_none() {
        let message = format!("nvidia-container-cli.root is {}, which does not exist", root.display());
        return vec![elsewhere(examination, "driver-root", message, &root)];
    }
    let missing: Vec<&str> =
        LIBRARIES.into_iter().filter(|name| library(examination.host, &root, name).is_none()).collect();
    let place = if root == Path::new("/") { String::new() } else { format!(" below {}", root.display()) };
    if missing.is_empty() {
        return vec![Finding::ok(id, format!("{} are there{place}", LIBRARIES.join(" and ")))];
    }
    vec![elsewhere(examination, id, format!("{} cannot be found{place}", missing.join(" and ")), &root)]
}

/// A driver that is not where it should be, with the place where one is, if there is one.
fn elsewhere(examination: &Examination<'_>, id: &'static str, message: String, root: &Path) -> Finding {
    let other = ["/", DRIVER_CONTAINER]
        .into_iter()
        .find(|place| Path::new(place) != root && library(examination.host, Path::new(place), LIBRARIES[0]).is_some());
    let remedy = match other {
        Some("/") => "a driver is visible at /: remove nvidia-container-cli.root".to_owned(),
        Some(place) => format!("a driver is visible at {place}: set nvidia-container-cli.root = \"{place}\""),
        None => "install the driver's libraries of the kernel module's version, and run ldconfig".to_owned(),
    };
    Finding::error(id, message, remedy)
}

fn versions(module: &str, library: &str) -> Finding {
    let id = "driver-versions";
    if module == library {
        return Finding::ok(id, "kernel module and libraries are of one version");
    }
    Finding::error(
        id,
        format!("the kernel module is {module}, the libraries are {library} (\"driver/library version mismatch\")"),
        "the driver was upgraded while it was in use: reboot, or unload and load the module",
    )
}

/// The file of a library below a root.
pub fn library(host: &Tree, root: &Path, name: &str) -> Option<PathBuf> {
    let below = host.below(root);
    Libraries::of(&below, Environ::default()).find(name).map(|path| below.resolve(&path))
}

/// The version in the name of a library's file.
pub fn library_version(host: &Tree, root: &Path, name: &str) -> Option<String> {
    let file = library(host, root, name)?;
    let version = file.file_name()?.to_str()?.split(".so.").nth(1)?;
    is_version(version).then(|| version.to_owned())
}
