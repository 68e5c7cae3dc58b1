//! What kind of program a file is, judged by its beginning: an ELF file of an architecture, or a script. Must not know
//! what the program is for.

use std::path::Path;

use crate::inspect::Inspect;
use crate::tree::Tree;

/// What kind of file a program is, as far as its beginning shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ELF file of this machine number, with or without a dynamic loader.
    Elf {
        /// The ELF machine number.
        machine: u16,
        /// Whether it names a dynamic loader.
        is_dynamic: bool,
    },
    /// A script, with the text after `#!`.
    Script(String),
    /// Nothing that a kernel executes.
    Other,
}

/// The kind of the program at a path.
#[must_use]
pub fn of(host: &Tree, path: &str) -> Kind {
    kind(&host.beginning(Path::new(path), 4096).unwrap_or_default())
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

/// The architecture of the host: from its kernel or the driver's module if they name it, otherwise this build's.
#[must_use]
pub fn own_machine(host: &Tree) -> u16 {
    let kernel = host.text("/proc/sys/kernel/arch").unwrap_or_default();
    let module = host.text("/proc/driver/nvidia/version").unwrap_or_default();
    let says = |word: &str| kernel.trim() == word || kernel.is_empty() && module.contains(word);
    match () {
        () if says("x86_64") => X86_64,
        () if says("aarch64") => AARCH64,
        _ if cfg!(target_arch = "aarch64") => AARCH64,
        _ => X86_64,
    }
}

/// Whether machine `own` executes programs of `machine`.
#[must_use]
pub fn runs_here(machine: u16, own: u16) -> bool {
    machine == own || matches!((own, machine), (X86_64, X86) | (AARCH64, ARM))
}

/// The name of a machine.
#[must_use]
pub fn name(machine: u16) -> String {
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
