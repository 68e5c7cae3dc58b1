//! Checks from the file of a hook how it is loaded (elf(5)): no foreign loader, library or path takes part, and the
//! code cannot be changed. Must not run the file.

use std::ops::Range;

const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const PT_GNU_STACK: u64 = 0x6474_e551;
const PT_GNU_RELRO: u64 = 0x6474_e552;
const DT_NEEDED: u64 = 1;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const ET_DYN: u64 = 3;
const EXECUTABLE: u64 = 1;
const WRITABLE: u64 = 2;

/// A program header: a piece of the file.
struct Piece {
    kind: u64,
    flags: u64,
    file: Range<usize>,
}

/// How a file differs from a program that takes nothing from its surroundings.
pub fn faults(elf: &[u8]) -> Vec<String> {
    let Some(pieces) = pieces(elf) else { return vec!["no 64-bit ELF program".to_owned()] };
    let has = |kind: u64| pieces.iter().any(|piece| piece.kind == kind);
    let mut faults = Vec::new();
    let mut hold = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    hold(!has(PT_INTERP), "asks for an interpreter, which loads what LD_PRELOAD names");
    hold(number(elf, 16, 2) == Some(ET_DYN), "is loaded at a fixed address (no PIE)");
    hold(has(PT_GNU_RELRO), "keeps its relocated data writable (no RELRO)");
    let mut stacks = pieces.iter().filter(|piece| piece.kind == PT_GNU_STACK);
    hold(stacks.next().is_some_and(|stack| stack.flags & EXECUTABLE == 0), "has an executable stack");
    let both = EXECUTABLE | WRITABLE;
    hold(!pieces.iter().any(|piece| piece.kind == 1 && piece.flags & both == both), "has code that can be written");
    let tags = tags(elf, &pieces);
    for (tag, fault) in [(DT_NEEDED, "needs a library"), (DT_RPATH, "has an RPATH"), (DT_RUNPATH, "has a RUNPATH")] {
        hold(!tags.contains(&tag), fault);
    }
    faults
}

/// A number of the file, which is little-endian.
fn number(elf: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = elf.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn pieces(elf: &[u8]) -> Option<Vec<Piece>> {
    elf.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let place = |at, size| usize::try_from(number(elf, at, size)?).ok();
    let (table, size, count) = (place(32, 8)?, place(54, 2)?, place(56, 2)?);
    (0..count)
        .map(|index| {
            let header = table.checked_add(size.checked_mul(index)?)?;
            let (start, length) = (place(header + 8, 8)?, place(header + 32, 8)?);
            let file = start..start.checked_add(length)?;
            Some(Piece { kind: number(elf, header, 4)?, flags: number(elf, header + 4, 4)?, file })
        })
        .collect()
}

/// The tags of the dynamic section.
fn tags(elf: &[u8], pieces: &[Piece]) -> Vec<u64> {
    let section = pieces.iter().find(|piece| piece.kind == PT_DYNAMIC);
    let bytes = section.and_then(|section| elf.get(section.file.clone())).unwrap_or_default();
    bytes.chunks_exact(16).filter_map(|entry| number(entry, 0, 8)).take_while(|tag| *tag != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with one header table; each header is a kind and flags.
    fn elf(kind: u8, headers: &[(u32, u32)]) -> Vec<u8> {
        let mut elf = b"\x7fELF\x02\x01".to_vec();
        elf.resize(64, 0);
        elf[16] = kind;
        elf[32] = 64;
        elf[54] = 56;
        elf[56] = u8::try_from(headers.len()).unwrap();
        for (kind, flags) in headers {
            elf.extend(kind.to_le_bytes());
            elf.extend(flags.to_le_bytes());
            elf.extend([0; 48]);
        }
        elf
    }

    const LOAD: (u32, u32) = (1, 5);
    const STACK: (u32, u32) = (0x6474_e551, 6);
    const RELRO: (u32, u32) = (0x6474_e552, 4);

    #[test]
    fn each_fault_is_seen_and_a_good_program_has_none() {
        assert_eq!(faults(&elf(3, &[LOAD, STACK, RELRO])), [""; 0]);
        for (program, fault) in [
            (elf(2, &[LOAD, STACK, RELRO]), "no PIE"),
            (elf(3, &[LOAD, RELRO]), "executable stack"),
            (elf(3, &[LOAD, (STACK.0, 7), RELRO]), "executable stack"),
            (elf(3, &[LOAD, STACK]), "no RELRO"),
            (elf(3, &[(1, 7), STACK, RELRO]), "can be written"),
            (elf(3, &[(3, 4), LOAD, STACK, RELRO]), "interpreter"),
            (b"#!/bin/sh".to_vec(), "no 64-bit ELF"),
        ] {
            let found = faults(&program);
            assert!(found.len() == 1 && found[0].contains(fault), "{fault}: {found:?}");
        }
    }

    #[test]
    fn libraries_and_their_paths_are_seen() {
        for (tag, fault) in [(1_u64, "needs a library"), (15, "RPATH"), (29, "RUNPATH")] {
            let mut program = elf(3, &[LOAD, STACK, RELRO, (2, 6)]);
            let (section, header) = (program.len() as u64, 64 + 3 * 56);
            program[header + 8..header + 16].copy_from_slice(&section.to_le_bytes());
            program[header + 32..header + 40].copy_from_slice(&32_u64.to_le_bytes());
            for number in [tag, 0, 0, 0] {
                program.extend(number.to_le_bytes());
            }
            let found = faults(&program);
            assert!(found.len() == 1 && found[0].contains(fault), "{fault}: {found:?}");
        }
    }
}
