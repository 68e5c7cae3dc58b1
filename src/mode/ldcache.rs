//! Which libraries the dynamic linker of the host would find: in `LD_LIBRARY_PATH`, through its cache file in the
//! `glibc-ld.so.cache1.1` format, and in its default directories. The cache is read directly, so a statically linked
//! hook can tell too, without loading anything. Must not know what a library is for.

use std::path::{Path, PathBuf};

use crate::error::Unanswered;
use crate::host::{FileKind, Host, path_of};
use crate::invocation::Environ;

const CACHE: &str = "/etc/ld.so.cache";
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// A cache in the format from before glibc 2.2 may precede the actual one.
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// The flags of a library for this program's architecture: a 64-bit ELF file for glibc.
const FLAGS: u32 = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };

/// Where the linker looks when the cache does not help.
const DEFAULT_DIRECTORIES: [&str; 6] = if cfg!(target_arch = "aarch64") {
    ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
} else {
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
};

/// The libraries that a program with a given environment could load on a host.
pub struct Libraries<'h> {
    host: &'h dyn Host,
    library_path: &'h [u8],
    cache: Vec<u8>,
}

impl<'h> Libraries<'h> {
    /// Reads the cache; a host without one has only the default directories.
    ///
    /// # Errors
    /// [`Unanswered`]: the cache exists, but cannot be read.
    pub fn of(host: &'h dyn Host, environ: Environ<'h>) -> Result<Self, Unanswered> {
        let library_path = environ.get(b"LD_LIBRARY_PATH").unwrap_or_default();
        let path = Path::new(CACHE);
        let cache = host.read_if_present(path).map_err(Unanswered::of("open", path))?.unwrap_or_default();
        Ok(Libraries { host, library_path, cache })
    }

    /// Whether a library of this name would be found and is a file.
    ///
    /// # Errors
    /// Those of [`Libraries::find`].
    pub fn can_load(&self, name: &str) -> Result<bool, Unanswered> {
        self.find(name).map(|path| path.is_some())
    }

    /// The file that would be loaded for a name.
    ///
    /// # Errors
    /// [`Unanswered`]: the machine does not say what is at a path that comes before the library.
    pub fn find(&self, name: &str) -> Result<Option<PathBuf>, Unanswered> {
        let named = directories(self.library_path).map(|directory| path_of(directory).join(name));
        let cached = cached_paths(&self.cache, name.as_bytes()).map(|path| path_of(path).to_path_buf());
        let defaults = DEFAULT_DIRECTORIES.iter().map(|directory| Path::new(directory).join(name));
        for path in named.chain(cached).chain(defaults) {
            if let Some(FileKind::Regular { .. }) = self.host.kind(&path).map_err(Unanswered::of("stat", &path))? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// The absolute directories of an `LD_LIBRARY_PATH` (ld.so(8)), separated by colons or semicolons. A relative or empty
/// one would be of the working directory, and is skipped (SPEC section 10).
fn directories(library_path: &[u8]) -> impl Iterator<Item = &[u8]> {
    library_path.split(|byte| matches!(byte, b':' | b';')).filter(|directory| directory.starts_with(b"/"))
}

/// The paths in a cache for a name and this architecture. Entries outside a cache that is cut short or malformed are
/// skipped.
pub fn cached_paths<'c>(file: &'c [u8], name: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
    let cache = locate(file).unwrap_or_default();
    let count = number(cache, MAGIC.len()).unwrap_or(0);
    (0..count).map_while(move |index| cache.get(HEADER + index * ENTRY..HEADER + (index + 1) * ENTRY)).filter_map(
        move |entry| {
            let flags = u32::from_ne_bytes(*entry.first_chunk()?);
            let key = text(cache, number(entry, 4)?)?;
            (flags == FLAGS && key == name).then(|| text(cache, number(entry, 8)?)).flatten()
        },
    )
}

/// The part of a file that is a cache of the new format. Its offsets count from its own start.
fn locate(file: &[u8]) -> Option<&[u8]> {
    let start = if file.starts_with(OLD_MAGIC) {
        let old = OLD_HEADER + number(file, 12)?.checked_mul(OLD_ENTRY)?;
        old.next_multiple_of(8)
    } else {
        0
    };
    file.get(start..).filter(|cache| cache.starts_with(MAGIC))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_ne_bytes(*four)).ok()
}

fn text(cache: &[u8], at: usize) -> Option<&[u8]> {
    cache.get(at..)?.split(|byte| *byte == 0).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(u32, &str, &str)]) -> Vec<u8> {
        let strings_at = HEADER + entries.len() * ENTRY;
        let mut strings = Vec::new();
        let mut table = Vec::new();
        for (flags, key, value) in entries {
            let mut put = |text: &str| {
                let at = u32::try_from(strings_at + strings.len()).unwrap();
                strings.extend_from_slice(text.as_bytes());
                strings.push(0);
                at
            };
            let (key, value) = (put(key), put(value));
            for word in [*flags, key, value, 0, 0, 0] {
                table.extend_from_slice(&word.to_ne_bytes());
            }
        }
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_ne_bytes());
        file.resize(HEADER, 0);
        [file, table, strings].concat()
    }

    fn paths(file: &[u8], name: &str) -> Vec<String> {
        cached_paths(file, name.as_bytes()).map(|path| String::from_utf8_lossy(path).into_owned()).collect()
    }

    #[test]
    fn a_library_path_is_split_as_the_linker_splits_it() {
        assert_eq!(directories(b"/a:;b:./c:$ORIGIN/d;/e").collect::<Vec<_>>(), [&b"/a"[..], b"/e"]);
        assert_eq!(directories(b"").count(), 0);
    }

    #[test]
    fn only_entries_of_the_name_and_the_architecture_count() {
        let file = cache(&[(0x0003, "libx.so", "/lib32/libx.so"), (FLAGS, "liby.so", "/y"), (FLAGS, "libx.so", "/x")]);
        assert_eq!(paths(&file, "libx.so"), ["/x"]);
        assert_eq!(paths(&file, "libx"), Vec::<String>::new());
    }

    #[test]
    fn a_cache_after_one_of_the_old_format_is_found() {
        let mut file = OLD_MAGIC.to_vec();
        file.extend_from_slice(&1u32.to_ne_bytes());
        file.resize(32, 0);
        file.extend(cache(&[(FLAGS, "libx.so", "/x")]));
        assert_eq!(paths(&file, "libx.so"), ["/x"]);
    }

    #[test]
    fn a_cache_cut_anywhere_is_read_without_harm() {
        let file = cache(&[(FLAGS, "libx.so", "/x"), (FLAGS, "libx.so", "/y")]);
        for length in 0..file.len() {
            let _ = paths(&file[..length], "libx.so");
        }
        let mut huge = file.clone();
        huge[MAGIC.len()..MAGIC.len() + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(paths(&huge, "libx.so").contains(&"/x".to_owned()));
    }
}
