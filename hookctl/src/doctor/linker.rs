//! The linker's cache, in which nvidia-container-cli looks libraries up, and the ldconfig that it runs for containers. Must
//! not know drivers.

use std::path::Path;

use hook::contract::keys::Key;

use super::driver::{LIBRARIES, library};
use super::examination::Examination;
use super::states::{
    LDCACHE_MISSING, LDCACHE_STALE, LDCACHE_UNREADABLE, LDCONFIG_IS_A_SCRIPT, LDCONFIG_IS_DYNAMIC, LDCONFIG_MISSING,
    LDCONFIG_OF_CONTAINER, LDCONFIG_WRONG_ARCHITECTURE,
};
use super::surroundings::{Around, Distribution};
use crate::finding::Severity;
use crate::inspect::Inspect;

const CACHE: &str = "/etc/ld.so.cache";
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Where distributions have ldconfig.
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

/// The cache is that of the driver's root, or the one that the configuration names.
fn cache(examination: &mut Examination<'_>) {
    let root = examination.driver_root();
    let tree = examination.host.below(&root);
    let installed: Vec<&str> =
        LIBRARIES.into_iter().filter(|name| library(examination.host, &root, name).is_some()).collect();
    if installed.is_empty() && root != Path::new("/") {
        return;
    }
    let configured = examination.config.text(Key::CliLdcache);
    let path = if configured.is_empty() { CACHE } else { configured };
    let name =
        if configured.is_empty() { String::new() } else { ", which nvidia-container-cli.ldcache names".to_owned() };
    if !tree.has(path) {
        let message = format!("{path}{name} does not exist, and nvidia-container-cli looks libraries up nowhere else");
        let severity = match examination.surroundings.distribution {
            // The package of NixOS looks below /run/opengl-driver.
            Distribution::NixOs => Severity::Warning,
            _ => LDCACHE_MISSING.severity,
        };
        examination.found_as(severity, &LDCACHE_MISSING, message, LDCACHE_MISSING.remedy);
        return;
    }
    let Some(bytes) = tree.bytes(Path::new(path)) else {
        examination.found(&LDCACHE_UNREADABLE, format!("{path}{name} cannot be read"));
        return;
    };
    if !bytes.windows(MAGIC.len()).any(|part| part == MAGIC) {
        examination.found(&LDCACHE_UNREADABLE, format!("{path}{name} is not a cache of glibc (glibc-ld.so.cache1.1)"));
        return;
    }
    let listed = |name: &str| {
        let end = format!("/{name}");
        bytes
            .split(|byte| *byte == 0)
            .filter_map(|word| std::str::from_utf8(word).ok())
            .find(|word| word.starts_with('/') && word.ends_with(&end))
    };
    let unlisted: Vec<&str> = installed.iter().copied().filter(|name| listed(name).is_none()).collect();
    if !unlisted.is_empty() && !examination.surroundings.is_wsl() {
        let message = format!("{path}{name} does not list {}, which is installed", unlisted.join(" and "));
        examination.found(&LDCACHE_STALE, message);
    } else if let Some(gone) = installed.iter().filter_map(|name| listed(name)).find(|file| !tree.has(file)) {
        let message = format!("{path}{name} lists {gone}, which does not exist");
        examination.found(&LDCACHE_STALE, message);
    } else {
        examination.ok("linker-cache", format!("{path} is there, and lists what is installed of the driver"));
    }
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
        None => {
            let remedy = match LDCONFIGS.into_iter().find(|path| is_there(path)) {
                Some(found) => format!("write nvidia-container-cli.ldconfig = \"@{found}\""),
                None => LDCONFIG_MISSING.remedy.to_owned(),
            };
            examination.found_with(&LDCONFIG_MISSING, format!("{plain} does not exist on this host"), remedy);
        }
    }
}

/// What kind of file ldconfig is, as far as its beginning tells.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Elf { machine: u16, is_dynamic: bool },
    Script(String),
    Other,
}

fn program(examination: &mut Examination<'_>, path: &str) {
    let beginning = examination.host.beginning(Path::new(path), 4096).unwrap_or_default();
    match kind(&beginning) {
        Kind::Script(interpreter) => {
            let message = format!(
                "{path} is a script of {interpreter}, which is not there where nvidia-container-cli runs it, in the container"
            );
            examination.found(&LDCONFIG_IS_A_SCRIPT, message);
        }
        Kind::Elf { machine, .. } if !runs_here(machine, own_machine(examination)) => {
            let message = format!(
                "{path} is a program for {}, and this host is {}",
                name(machine),
                name(own_machine(examination))
            );
            examination.found(&LDCONFIG_WRONG_ARCHITECTURE, message);
        }
        Kind::Elf { is_dynamic: true, .. } => {
            examination.found(&LDCONFIG_IS_DYNAMIC, format!("{path} is dynamically linked"));
        }
        Kind::Elf { .. } => examination.ok("ldconfig", path),
        Kind::Other => {
            let message = format!("{path} is neither a program nor a script");
            examination.found(&LDCONFIG_WRONG_ARCHITECTURE, message);
        }
    }
}

fn kind(beginning: &[u8]) -> Kind {
    if let Some(line) = beginning.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return Kind::Script(String::from_utf8_lossy(line).trim().to_owned());
    }
    if !beginning.starts_with(b"\x7fELF") {
        return Kind::Other;
    }
    let is_big = beginning.get(5) == Some(&2);
    let two = |at: usize| {
        let bytes = *beginning.get(at..)?.first_chunk()?;
        Some(if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let four = |at: usize| {
        let bytes = *beginning.get(at..)?.first_chunk()?;
        Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    const INTERPRETER: u32 = 3;
    // 64 bits: the low half of e_phoff is enough, since the table follows the header.
    let (table, size, count) = match beginning.get(4) {
        Some(2) => (four(32), two(54), two(56)),
        _ => (four(28), two(42), two(44)),
    };
    let is_dynamic = match (table.and_then(|at| usize::try_from(at).ok()), size, count) {
        (Some(table), Some(size), Some(count)) => {
            (0..usize::from(count)).any(|index| four(table + index * usize::from(size)) == Some(INTERPRETER))
        }
        _ => false,
    };
    Kind::Elf { machine: two(18).unwrap_or(0), is_dynamic }
}

const X86: u16 = 3;
const ARM: u16 = 40;
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// The architecture of the host, by its kernel where that says so.
fn own_machine(examination: &Examination<'_>) -> u16 {
    match examination.host.text("/proc/sys/kernel/arch").unwrap_or_default().trim() {
        "x86_64" => X86_64,
        "aarch64" => AARCH64,
        _ if cfg!(target_arch = "aarch64") => AARCH64,
        _ => X86_64,
    }
}

fn runs_here(machine: u16, own: u16) -> bool {
    machine == own || matches!((own, machine), (X86_64, X86) | (AARCH64, ARM))
}

fn name(machine: u16) -> String {
    match machine {
        X86 => "x86 (32 bits)".to_owned(),
        ARM => "Arm (32 bits)".to_owned(),
        X86_64 => "x86_64".to_owned(),
        AARCH64 => "aarch64".to_owned(),
        other => format!("another architecture (ELF machine {other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_scripts_are_told_apart_by_their_beginning() {
        assert_eq!(kind(b"#!/bin/sh\nexec x"), Kind::Script("/bin/sh".to_owned()));
        assert_eq!(kind(b""), Kind::Other);
        let mut elf = vec![0; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[18] = 62;
        assert_eq!(kind(&elf[..20]), Kind::Elf { machine: X86_64, is_dynamic: false });
        (elf[32], elf[54], elf[56], elf[64]) = (64, 56, 1, 3);
        assert_eq!(kind(&elf), Kind::Elf { machine: X86_64, is_dynamic: true });
        elf[64] = 1;
        assert_eq!(kind(&elf), Kind::Elf { machine: X86_64, is_dynamic: false });
        assert!(runs_here(X86, X86_64) && !runs_here(AARCH64, X86_64));
    }
}
