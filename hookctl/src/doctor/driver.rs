//! The driver: kernel module, libraries, both of one version, and where they are. Must not know device nodes.

use std::path::{Path, PathBuf};

use hook::invocation::Environ;
use hook::mode::ldcache::Libraries;

use super::examination::Examination;
use super::modules;
use super::states::{
    DRIVER_ELSEWHERE, DRIVER_ROOT_MISSING, LIBRARIES_MISSING, TEGRA, VERSION_MISMATCH, WSL_LINUX_DRIVER,
    WSL_WITHOUT_DRIVER, WSL1,
};
use super::surroundings::{Around, Distribution};
use crate::driver::{cuda_of, is_version, of_host};
use crate::inspect::{Inspect, seen};
use crate::tree::Tree;

/// Where the driver of a driver container is.
const DRIVER_CONTAINER: &str = "/run/nvidia/driver";
/// Where Windows puts the driver's libraries into a distribution.
const WSL_LIBRARIES: &str = "/usr/lib/wsl/lib";
/// The driver's libraries that every GPU container needs.
pub const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libcuda.so.1"];

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    match examination.surroundings.around {
        Around::Wsl1 => {
            let release = examination.surroundings.release.clone();
            examination.found(&WSL1, format!("this is WSL 1 (kernel {release}), which has no GPU support"));
            return;
        }
        Around::Wsl2 => {
            wsl2(examination);
            return;
        }
        _ => {}
    }
    if examination.surroundings.is_integrated_tegra() {
        let what = examination.surroundings.platform.words();
        examination.found(
            &TEGRA,
            format!("this is {what}: the hook, and so docker --gpus, does not serve its GPU; mode csv does"),
        );
        return;
    }
    let module = of_host(examination.host);
    match &module {
        Some(version) => {
            let cuda = cuda_of(version).map(|cuda| format!(", which serves CUDA up to {cuda}")).unwrap_or_default();
            examination.ok("driver-module", format!("the kernel module {version} is loaded{cuda}"));
            modules::replaced(examination, version);
        }
        None => modules::not_loaded(examination),
    }
    libraries(examination, module.as_deref());
    let library = library_version(examination.host, &examination.driver_root(), LIBRARIES[0]);
    if let (Some(module), Some(library)) = (&module, &library) {
        versions(examination, module, library);
    }
}

fn wsl2(examination: &mut Examination<'_>) {
    let host = examination.host;
    let below = format!("{WSL_LIBRARIES}/{}", LIBRARIES[1]);
    let libraries = host.has(&below) || library(host, Path::new("/"), LIBRARIES[1]).is_some();
    if !host.has("/dev/dxg") {
        examination.found(&WSL_WITHOUT_DRIVER, "this is WSL 2, and Windows gives it no GPU: /dev/dxg does not exist");
        return;
    }
    if !libraries {
        let message = format!("this is WSL 2, and the libraries of the Windows driver are not in {WSL_LIBRARIES}");
        examination.found(&WSL_WITHOUT_DRIVER, message);
        return;
    }
    examination.ok("driver-module", "no kernel module, as on WSL, where the driver is that of Windows");
    let foreign = library(host, Path::new("/"), LIBRARIES[0]).filter(|path| !path.starts_with(WSL_LIBRARIES));
    if let Some(path) = foreign.filter(|_| host.has(WSL_LIBRARIES)) {
        let message = format!("this is WSL 2, and {} is that of a driver for Linux", path.display());
        examination.found(&WSL_LINUX_DRIVER, message);
    }
}

/// The libraries below the driver's root, or where they are instead.
fn libraries(examination: &mut Examination<'_>, module: Option<&str>) {
    let (host, root) = (examination.host, examination.driver_root());
    if seen(host, &root).is_none() {
        let message = format!("nvidia-container-cli.root is {}, which does not exist", root.display());
        let remedy = elsewhere(examination, &root).unwrap_or_else(|| DRIVER_ROOT_MISSING.remedy.to_owned());
        examination.found_with(&DRIVER_ROOT_MISSING, message, remedy);
        return;
    }
    let missing: Vec<&str> = LIBRARIES.into_iter().filter(|name| library(host, &root, name).is_none()).collect();
    let place = if root == Path::new("/") { String::new() } else { format!(" below {}", root.display()) };
    if missing.is_empty() {
        examination.ok("driver-libraries", format!("{} are there{place}", LIBRARIES.join(" and ")));
        return;
    }
    let message = format!("{} cannot be found{place}", missing.join(" and "));
    match elsewhere(examination, &root) {
        Some(remedy) => {
            let named = if root == Path::new("/") { "" } else { ", which nvidia-container-cli.root names" };
            let message = format!("{message}{named}");
            examination.found_with(&DRIVER_ELSEWHERE, message, remedy);
        }
        None => {
            let remedy = install_libraries(examination, module);
            examination.found_with(&LIBRARIES_MISSING, message, remedy);
        }
    }
}

/// What to do about a driver that is in another place; `None` where it is in none.
fn elsewhere(examination: &Examination<'_>, root: &Path) -> Option<String> {
    let there =
        |place: &&str| Path::new(place) != root && library(examination.host, Path::new(place), LIBRARIES[0]).is_some();
    let place = ["/", DRIVER_CONTAINER].into_iter().find(there)?;
    Some(match (place, examination.has_operator_toolkit()) {
        ("/", true) => "a driver is visible at /: set driver.enabled=false for the GPU operator, which then writes \
                        nvidia-container-cli.root = \"/\""
            .to_owned(),
        ("/", false) => "a driver is visible at /: remove nvidia-container-cli.root".to_owned(),
        (place, _) => format!("a driver is visible at {place}: set nvidia-container-cli.root = \"{place}\""),
    })
}

/// How libraries of the driver get onto this kind of machine.
fn install_libraries(examination: &Examination<'_>, module: Option<&str>) -> String {
    let version = module.map_or_else(String::new, |module| format!(" {module}"));
    match (examination.surroundings.distribution, examination.surroundings.around) {
        (Distribution::NixOs, _) => {
            "set hardware.graphics.enable = true and hardware.nvidia-container-toolkit.enable = true, and rebuild; \
             the libraries are then below /run/opengl-driver, which CDI uses"
                .to_owned()
        }
        (Distribution::Talos, _) => {
            "add the system extension nvidia-container-toolkit of the driver's version to the image, and use CDI or \
             its runtime class"
                .to_owned()
        }
        (Distribution::Flatcar | Distribution::Bottlerocket | Distribution::Cos, _) => {
            format!(
                "use an image or extension of this system that brings the driver{version}: nothing can be installed"
            )
        }
        (_, Around::Container(kind)) => format!(
            "install the driver's libraries of exactly the version{version} of the outer host's kernel module in this \
             container ({kind}), with the installer's option --no-kernel-module, and run ldconfig"
        ),
        _ => format!(
            "install the driver's libraries of the kernel module's version{version} (in an LXC container with the \
             installer's option --no-kernel-module), and run ldconfig"
        ),
    }
}

fn versions(examination: &mut Examination<'_>, module: &str, library: &str) {
    if module == library {
        examination.ok("driver-versions", "kernel module and libraries are of one version");
        return;
    }
    let message =
        format!("the kernel module is {module}, the libraries are {library} (\"driver/library version mismatch\")");
    match examination.surroundings.around {
        Around::Container(_) => examination.found_with(
            &VERSION_MISMATCH,
            message,
            format!("install the libraries of version {module} in this container: the module is the outer host's"),
        ),
        _ => examination.found(&VERSION_MISMATCH, message),
    }
}

/// The file of a library below a root.
#[must_use]
pub fn library(host: &Tree, root: &Path, name: &str) -> Option<PathBuf> {
    let below = host.below(root);
    let libraries = Libraries::of(&below, Environ::default()).ok()?;
    libraries.find(name).ok()?.map(|path| below.resolve(&path))
}

/// The version in the name of a library's file.
#[must_use]
pub fn library_version(host: &Tree, root: &Path, name: &str) -> Option<String> {
    let file = library(host, root, name)?;
    let version = file.file_name()?.to_str()?.split(".so.").nth(1)?;
    is_version(version).then(|| version.to_owned())
}
