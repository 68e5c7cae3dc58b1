//! The driver: its kernel module and libraries, whether their versions match, and where they are. Must not know device
//! nodes.

use std::path::{Path, PathBuf};

use hook::invocation::Environ;
use hook::mode::ldcache::Libraries;

use super::examination::{DRIVER_CONTAINER, Examination};
use super::states::{
    DRIVER_ELSEWHERE, DRIVER_ROOT_MISSING, DRIVER_TOO_OLD, LDCACHE_STALE, LIBRARIES_MISSING, LIBRARIES_MIXED,
    LIBRARY_DAMAGED, MUSL, TEGRA, TEGRA_WITHOUT_CSV, VERSION_MISMATCH, WSL_LINUX_DRIVER, WSL_WITHOUT_DRIVER, WSL1,
};
use super::surroundings::{Around, Distribution};
use super::{distributions, elf, hardware, linker, modules};
use crate::driver::{compare, cuda_of, is_version, of_host};
use crate::finding::Severity;
use crate::inspect::{Inspect, seen};
use crate::tree::Tree;

/// Where JetPack lists what mode csv mounts.
const CSV_FILES: &str = "/etc/nvidia-container-runtime/host-files-for-container.d";
/// The first driver that nvidia-container-cli works with.
const OLDEST: &str = "340.29";
/// Where Windows puts the driver's libraries in a distribution.
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
        tegra(examination);
        return;
    }
    let module = of_host(examination.host);
    match &module {
        Some(version) => {
            loaded(examination, version);
            hardware::check(examination, version);
        }
        None if examination.surroundings.is_running => modules::not_loaded(examination),
        None => {}
    }
    libraries(examination, module.as_deref());
    let versions = LIBRARIES.map(|name| version_of(&linker::library_of_driver(examination, name)?));
    if let [Some(ml), Some(cuda)] = &versions
        && ml != cuda
    {
        let [ml_name, cuda_name] = LIBRARIES;
        let message = format!("{ml_name} is of version {ml}, and {cuda_name} of version {cuda}");
        examination.found(&LIBRARIES_MIXED, message);
    }
    if let (Some(module), [Some(library), _]) = (&module, &versions) {
        self::versions(examination, module, library);
    }
}

fn tegra(examination: &mut Examination<'_>) {
    let what = match examination.surroundings.platform.mode() {
        "csv" => examination.surroundings.platform.words(),
        _ => "a Tegra system (Jetson) whose GPU the driver does not list in /proc",
    };
    let message = format!("this is {what}: the hook, and so docker --gpus, does not serve its GPU; mode csv does");
    examination.found(&TEGRA, message);
    let is_csv = |name: &String| name.ends_with(".csv");
    if !examination.host.names(CSV_FILES).iter().any(is_csv) {
        examination.found(&TEGRA_WITHOUT_CSV, format!("{CSV_FILES} holds no CSV file, so mode csv mounts nothing"));
    }
}

fn loaded(examination: &mut Examination<'_>, version: &str) {
    if compare(version, OLDEST).is_lt() {
        examination
            .found(&DRIVER_TOO_OLD, format!("the kernel module {version} is loaded, which is older than {OLDEST}"));
        return;
    }
    let cuda = cuda_of(version).map(|cuda| format!(", which serves CUDA up to {cuda}")).unwrap_or_default();
    examination.ok("driver-module", format!("the kernel module {version} is loaded{cuda}"));
    modules::replaced(examination, version);
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
    if host.has(&below) && !linker::lists(host, LIBRARIES[1]) {
        let message = format!("this is WSL 2, and the linker's cache does not list {below}");
        let remedy = format!(
            "write {WSL_LIBRARIES} to /etc/ld.so.conf.d/ld.wsl.conf and run ldconfig, or let WSL do it: \
             automount.ldconfig = true in /etc/wsl.conf, then wsl --shutdown in Windows"
        );
        examination.found_as(Severity::Warning, &LDCACHE_STALE, message, remedy);
    }
    let foreign = library(host, Path::new("/"), LIBRARIES[0]).filter(|path| !path.starts_with(WSL_LIBRARIES));
    if let Some(path) = foreign.filter(|_| host.has(WSL_LIBRARIES)) {
        let message = format!("this is WSL 2, and {} is that of a driver for Linux", path.display());
        examination.found(&WSL_LINUX_DRIVER, message);
    }
}

/// The libraries below the driver root, or where they are instead.
fn libraries(examination: &mut Examination<'_>, module: Option<&str>) {
    let (host, root) = (examination.host, examination.driver_root());
    if seen(host, &root).is_none() {
        let message = format!("nvidia-container-cli.root is {}, which does not exist", root.display());
        let remedy = elsewhere(examination, &root).unwrap_or_else(|| match examination.waits_for_driver_container() {
            true => modules::OPERATOR_DRIVER.to_owned(),
            false => DRIVER_ROOT_MISSING.remedy.to_owned(),
        });
        examination.found_with(&DRIVER_ROOT_MISSING, message, remedy);
        return;
    }
    let missing: Vec<&str> =
        LIBRARIES.into_iter().filter(|name| linker::library_of_driver(examination, name).is_none()).collect();
    let place = if root == Path::new("/") { String::new() } else { format!(" below {}", root.display()) };
    if missing.is_empty() {
        if are_placeholders(examination, &root) {
            let message = format!(
                "{} are there{place}, each of them empty: mount points that a container left, or a tree that only names \
                 a driver's files",
                LIBRARIES.join(" and ")
            );
            examination.found_as(Severity::Warning, &LIBRARY_DAMAGED, message, LIBRARY_DAMAGED.remedy);
            return;
        }
        if let Some(message) = damaged(examination, &root) {
            examination.found(&LIBRARY_DAMAGED, message);
            return;
        }
        examination.ok("driver-libraries", format!("{} are there{place}", LIBRARIES.join(" and ")));
        return;
    }
    let seen = if root == Path::new("/") { distributions::note_of_elsewhere(host) } else { String::new() };
    let message = format!("{} cannot be found{place}{seen}", missing.join(" and "));
    match elsewhere(examination, &root) {
        Some(remedy) => {
            let named = if root == Path::new("/") { "" } else { ", which nvidia-container-cli.root names" };
            let message = format!("{message}{named}");
            examination.found_with(&DRIVER_ELSEWHERE, message, remedy);
        }
        None if examination.surroundings.distribution == Distribution::Musl => {
            let remedy = distributions::module(Distribution::Musl).unwrap_or(MUSL.remedy);
            examination.found_with(&MUSL, format!("this is a system of musl, and {message}"), remedy);
        }
        None => {
            let remedy = distributions::libraries(host, examination.surroundings, module);
            examination.found_with(&LIBRARIES_MISSING, message, remedy);
        }
    }
}

/// Whether every library is an empty file. Whether a start fails on that is not certain: it may be another machine's tree.
fn are_placeholders(examination: &Examination<'_>, root: &Path) -> bool {
    let below = examination.host.below(root);
    let mut found = LIBRARIES.into_iter().filter_map(|name| linker::library_of_driver(examination, name));
    found.all(|path| below.beginning(&path, 1).is_some_and(|beginning| beginning.is_empty()))
}

/// What is wrong with the first library that no program can load.
fn damaged(examination: &Examination<'_>, root: &Path) -> Option<String> {
    let host = examination.host;
    let below = host.below(root);
    let own = elf::own_machine(host);
    LIBRARIES.into_iter().filter_map(|name| linker::library_of_driver(examination, name)).find_map(|path| {
        let is = match (below.beginning(&path, 1).as_deref(), elf::of(&below, &path.to_string_lossy())) {
            // An unreadable file is for other checks to judge: it was found by name in the linker's cache.
            (None, _) => return None,
            (Some([]), _) => "is empty (\"file too short\")".to_owned(),
            (Some(_), elf::Kind::Elf { machine, .. }) if elf::runs_here(machine, own) => return None,
            (Some(_), elf::Kind::Elf { machine, .. }) => format!("is made for {}", elf::name(machine)),
            (Some(_), _) => "is not a library (\"invalid ELF header\")".to_owned(),
        };
        Some(format!("{} {is}", path.display()))
    })
}

/// What to do about a driver that is elsewhere; `None` if there is none.
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
    version_of(&library(host, root, name)?)
}

fn version_of(file: &Path) -> Option<String> {
    let version = file.file_name()?.to_str()?.split(".so.").nth(1)?;
    is_version(version).then(|| version.to_owned())
}
