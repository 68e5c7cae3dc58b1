//! What a program needs in a private root: itself, and the libraries that it is linked with. Must not know what the
//! program should do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::fixtures::files_below;
use crate::scene::HOOK;
use crate::tree;

/// The path of the hook in a private root.
pub(crate) fn hook_inside() -> PathBuf {
    PathBuf::from("/usr/bin").join(HOOK)
}

/// Copies the hook, and the libraries of both programs, to a place from which trees can link them.
pub(crate) fn prepare(store: &Path, hook: &Path, cli: &Path) -> Result<()> {
    copy(hook, store, &hook_inside())?;
    for program in [hook, cli] {
        for library in libraries(program).with_context(|| format!("the libraries of {}", program.display()))? {
            copy(&library, store, &library)?;
        }
    }
    Ok(())
}

/// Links the prepared files into a tree, except where the case has its own.
pub(crate) fn install(store: &Path, root: &Path) -> Result<()> {
    for file in files_below(store)? {
        let place = tree::place(root, &file.strip_prefix(store)?.to_string_lossy())?;
        if place.symlink_metadata().is_err() {
            fs::hard_link(file, &place)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, root: &Path, inside: &Path) -> Result<()> {
    let place = root.join(inside.strip_prefix("/")?);
    fs::create_dir_all(place.parent().unwrap_or(root))?;
    fs::copy(from, &place).with_context(|| format!("copy {}", from.display()))?;
    Ok(())
}

/// The libraries of a program, and its loader, as the loader lists them; none for a static program or a script.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let Some(loader) = loader(&fs::read(program)?) else { return Ok(Vec::new()) };
    let output = Command::new(&loader).arg("--list").arg(program).output().context(loader.clone())?;
    if !output.status.success() {
        bail!("{loader} --list: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(named.chain([PathBuf::from(loader)]).filter(|path| path.exists()).collect())
}

/// The loader that a 64-bit ELF program asks for in its PT_INTERP header (elf(5)).
fn loader(elf: &[u8]) -> Option<String> {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = elf.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let at = |offset: u64| usize::try_from(offset).ok();
    elf.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let (table, size, count) = (at(number(32, 8)?)?, at(number(54, 2)?)?, at(number(56, 2)?)?);
    for index in 0..count {
        let header = table.checked_add(size.checked_mul(index)?)?;
        if number(header, 4)? == PT_INTERP {
            let (start, length) = (at(number(header + 8, 8)?)?, at(number(header + 32, 8)?)?);
            let path = elf.get(start..start.checked_add(length)?)?;
            return String::from_utf8(path.strip_suffix(b"\0")?.to_vec()).ok();
        }
    }
    None
}
