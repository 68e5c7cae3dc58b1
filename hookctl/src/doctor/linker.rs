//! The linker's cache, in which nvidia-container-cli looks up libraries, and the ldconfig that it runs for containers.
//! Must not know drivers.

use std::path::{Path, PathBuf};

use hook::contract::keys::Key;
use hook::mode::ldcache::cached_paths;

use super::distributions;
use super::driver::{LIBRARIES, library};
use super::elf::{self, Kind, name, own_machine, runs_here};
use super::examination::Examination;
use super::states::{
    LDCACHE_MISSING, LDCACHE_STALE, LDCACHE_UNREADABLE, LDCONFIG_IS_A_SCRIPT, LDCONFIG_IS_DYNAMIC, LDCONFIG_MISSING,
    LDCONFIG_OF_CONTAINER, LDCONFIG_WRONG_ARCHITECTURE,
};
use super::surroundings::{Around, Distribution};
use crate::finding::Severity;
use crate::inspect::{Inspect, seen};
use crate::tree::Tree;

const CACHE: &str = "/etc/ld.so.cache";
/// How nvidia-container-cli begins its lines about the cache and about ldconfig.
const CACHE_ERROR: &str = "nvidia-container-cli: detection error";
/// See [`CACHE_ERROR`].
const LDCONFIG_ERROR: &str = "nvidia-container-cli: ldcache error";
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Where distributions install ldconfig.
const LDCONFIGS: [&str; 6] = [
    "/sbin/ldconfig.real",
    "/sbin/ldconfig",
    "/usr/sbin/ldconfig",
    "/usr/bin/ldconfig",
    "/bin/ldconfig",
    "/run/current-system/sw/bin/ldconfig",
];

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    if examination.surroundings.around != Around::Wsl1 && !examination.surroundings.is_integrated_tegra() {
        cache(examination);
    }
    ldconfig(examination);
}

/// Checks the cache of the driver root, or the one that the configuration names.
fn cache(examination: &mut Examination<'_>) {
    let root = examination.driver_root();
    let tree = examination.host.below(&root);
    let installed: Vec<&str> =
        LIBRARIES.into_iter().filter(|name| library_of_driver(examination, name).is_some()).collect();
    if installed.is_empty() && root != Path::new("/") {
        return;
    }
    let configured = examination.config.text(Key::CliLdcache);
    let path = if configured.is_empty() { CACHE } else { configured };
    let name =
        if configured.is_empty() { String::new() } else { ", which nvidia-container-cli.ldcache names".to_owned() };
    let by_system = distributions::linker_cache(examination.surroundings.distribution);
    if !tree.has(path) {
        let message = format!("{path}{name} does not exist, and nvidia-container-cli looks libraries up nowhere else");
        let severity = match examination.surroundings.distribution {
            // The NixOS package looks below /run/opengl-driver.
            Distribution::NixOs => Severity::Warning,
            _ => LDCACHE_MISSING.severity,
        };
        examination.found_as(severity, &LDCACHE_MISSING, message, by_system.unwrap_or(LDCACHE_MISSING.remedy));
        examination.prints(Some(format!("{CACHE_ERROR}: open failed: {path}: no such file or directory")));
        return;
    }
    let Some(bytes) = tree.bytes(Path::new(path)) else {
        examination.found(&LDCACHE_UNREADABLE, format!("{path}{name} cannot be read"));
        examination.prints(None);
        return;
    };
    if !bytes.windows(MAGIC.len()).any(|part| part == MAGIC) {
        examination.found(&LDCACHE_UNREADABLE, format!("{path}{name} is not a cache of glibc (glibc-ld.so.cache1.1)"));
        examination.prints(Some(match bytes.is_empty() {
            true => format!("{CACHE_ERROR}: file mapping failed: {path}: invalid argument"),
            false => format!("{CACHE_ERROR}: unsupported file format: {path}"),
        }));
        return;
    }
    if tree.status(Path::new(path)).is_some_and(|status| status.permissions() & 0o004 == 0) {
        let message = format!("{path}{name} may be read by its owner alone, and drivers are asked by another user");
        examination.found_as(Severity::Warning, &LDCACHE_UNREADABLE, message, format!("chmod 644 {path}"));
    }
    content(examination, &format!("{path}{name}"), &bytes, &installed);
}

/// Checks whether the cache lists the installed libraries, at paths that exist.
fn content(examination: &mut Examination<'_>, path: &str, bytes: &[u8], installed: &[&str]) {
    let tree = examination.host.below(&examination.driver_root());
    let remedy = distributions::linker_cache(examination.surroundings.distribution).unwrap_or(LDCACHE_STALE.remedy);
    let unlisted: Vec<&str> = installed.iter().copied().filter(|name| listed(bytes, name).is_none()).collect();
    if !unlisted.is_empty() && !examination.surroundings.is_wsl() {
        let are = if unlisted.len() == 1 { "is" } else { "are" };
        let message = format!("{path} does not list {}, which {are} installed", unlisted.join(" and "));
        examination.found_with(&LDCACHE_STALE, message, remedy);
    } else if let Some(gone) = installed.iter().filter_map(|name| listed(bytes, name)).find(|file| !tree.has(file)) {
        let message = format!("{path} lists {gone}, which does not exist");
        examination.found_with(&LDCACHE_STALE, message, remedy);
    } else {
        let what = if installed.is_empty() { "nothing of the driver" } else { "what is installed of the driver" };
        examination.ok("linker-cache", format!("{path} is there, and lists {what}"));
    }
}

/// The path at which a cache lists a library for this architecture.
fn listed<'b>(bytes: &'b [u8], name: &'b str) -> Option<&'b str> {
    cached_paths(bytes, name.as_bytes()).find_map(|path| std::str::from_utf8(path).ok())
}

/// The file of one of the driver's libraries below its root: the one that the cache of the configuration lists, as
/// where the driver is built against a glibc of its own; otherwise the one that the usual search finds.
#[must_use]
pub fn library_of_driver(examination: &Examination<'_>, name: &str) -> Option<PathBuf> {
    let root = examination.driver_root();
    let tree = examination.host.below(&root);
    let configured = Some(examination.config.text(Key::CliLdcache)).filter(|path| !path.is_empty());
    let by_cache = configured.and_then(|path| {
        let bytes = tree.bytes(Path::new(path))?;
        let file = Path::new(listed(&bytes, name)?);
        seen(&tree, file).map(|_| tree.resolve(file))
    });
    by_cache.or_else(|| library(examination.host, &root, name))
}

/// Whether a host's usual cache lists a library; true if the cache cannot be read.
#[must_use]
pub fn lists(host: &Tree, name: &str) -> bool {
    host.bytes(Path::new(CACHE)).is_none_or(|bytes| listed(&bytes, name).is_some())
}

fn ldconfig(examination: &mut Examination<'_>) {
    let configured = examination.config.text(Key::CliLdconfig);
    let Some(path) = configured.strip_prefix('@') else {
        let message = format!("{configured} is a program of the container");
        examination.found(&LDCONFIG_OF_CONTAINER, message);
        return;
    };
    let host = examination.host;
    let is_there = |path: &str| host.status(Path::new(path)).is_some_and(|status| status.is_file);
    let plain = path.strip_suffix(".real").unwrap_or(path);
    let real = format!("{plain}.real");
    match [real.as_str(), plain].into_iter().find(|path| is_there(path)) {
        Some(used) => program(examination, used),
        // Already reported: the whole root of the driver container is missing.
        None if examination.waits_for_driver_container() && seen(host, &examination.driver_root()).is_none() => {}
        None => {
            let by_system = distributions::ldconfig(examination.surroundings.distribution);
            let remedy = match LDCONFIGS.into_iter().find(|path| is_there(path)) {
                Some(found) => format!("write nvidia-container-cli.ldconfig = \"@{found}\""),
                None => by_system.unwrap_or(LDCONFIG_MISSING.remedy).to_owned(),
            };
            examination.found_with(&LDCONFIG_MISSING, format!("{plain} does not exist on this host"), remedy);
            examination.prints(Some(format!("{LDCONFIG_ERROR}: open failed: {path}: no such file or directory")));
        }
    }
}

fn program(examination: &mut Examination<'_>, path: &str) {
    let own = own_machine(examination.host);
    if !examination.host.is_program(path) {
        let message = format!("{path} is not executable");
        let remedy = format!("chmod 755 {path}");
        examination.found_with(&LDCONFIG_MISSING, message, remedy);
        examination.prints(None);
        return;
    }
    let failed = |status: u8| Some(format!("{LDCONFIG_ERROR}: process {path} failed with error code: {status}"));
    match elf::of(examination.host, path) {
        Kind::Script(interpreter) => {
            let message = format!(
                "{path} is a script of {interpreter}, which is not there where nvidia-container-cli runs it, in the container"
            );
            examination.found(&LDCONFIG_IS_A_SCRIPT, message);
            examination.prints(failed(127));
        }
        Kind::Elf { machine, .. } if !runs_here(machine, own) => {
            let message = format!("{path} is a program for {}, and this host is {}", name(machine), name(own));
            examination.found(&LDCONFIG_WRONG_ARCHITECTURE, message);
            examination.prints(failed(1));
        }
        Kind::Elf { is_dynamic: true, .. } => {
            examination.found(&LDCONFIG_IS_DYNAMIC, format!("{path} is dynamically linked"));
        }
        Kind::Elf { .. } => examination.ok("ldconfig", path),
        Kind::Other => {
            let message = format!("{path} is neither a program nor a script");
            examination.found(&LDCONFIG_WRONG_ARCHITECTURE, message);
            examination.prints(failed(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_of_another_architecture_is_not_listed() {
        let file = |flags: u32| {
            let mut file = [MAGIC, &1u32.to_ne_bytes()].concat();
            file.resize(48, 0);
            for word in [flags, 72, 80, 0, 0, 0] {
                file.extend_from_slice(&word.to_ne_bytes());
            }
            [&file[..], b"libx.so\0/lib/libx.so\0"].concat()
        };
        let own = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };
        assert_eq!(listed(&file(own), "libx.so"), Some("/lib/libx.so"));
        assert_eq!(listed(&file(0x0003), "libx.so"), None);
    }
}
