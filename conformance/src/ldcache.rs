//! Builds a linker cache in the format `glibc-ld.so.cache1.1`, as `ldconfig` would write it for a list of libraries.
//! Knows only the format.

use anyhow::{Context, Result};

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// A library of this program's architecture; see FLAG_* in glibc's sysdeps/generic/ldconfig.h.
const NATIVE: u32 = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };
/// An ELF file for glibc of some 32-bit architecture.
const FOREIGN: u32 = 0x0003;

/// A cache that lists libraries: `NAME => PATH`, or `NAME (foreign) => PATH` for a library of another architecture.
pub(crate) fn build(libraries: &[String]) -> Result<Vec<u8>> {
    let mut strings = Vec::new();
    let start = HEADER + libraries.len() * ENTRY;
    let mut entries = Vec::new();
    for line in libraries {
        let (name, path) = line.split_once(" => ").with_context(|| format!("`{line}` is not NAME => PATH"))?;
        let (name, flags) = match name.strip_suffix(" (foreign)") {
            Some(name) => (name, FOREIGN),
            None => (name, NATIVE),
        };
        entries.extend(flags.to_ne_bytes());
        for text in [name, path] {
            entries.extend(u32::try_from(start + strings.len())?.to_ne_bytes());
            strings.extend(text.as_bytes());
            strings.push(0);
        }
        entries.extend([0; ENTRY - 12]);
    }
    let mut cache = MAGIC.to_vec();
    cache.extend(u32::try_from(libraries.len())?.to_ne_bytes());
    cache.extend(u32::try_from(strings.len())?.to_ne_bytes());
    cache.resize(HEADER, 0);
    cache.extend(entries);
    cache.extend(strings);
    Ok(cache)
}
