//! The linker's cache, `/etc/ld.so.cache`, in the format that glibc has written since 2.2 (`glibc-ld.so.cache1.1`; its
//! dl-cache.h has the layout): a header, one row per name in the order in which the linker searches, and the strings.
//!
//! It knows the file's format, not which libraries there are.

use crate::libraries::Width;
use std::cmp::Ordering;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ROW: usize = 24;
/// An ELF library for glibc.
const LIBC6: u32 = 3;
/// For 64-bit programs of this machine.
const WIDE: u32 = if cfg!(target_arch = "aarch64") { 0x0a00 } else { 0x0300 };
/// The mark of a little-endian cache.
const LITTLE_ENDIAN: u32 = 2;

/// A name, and where the linker finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The name that programs ask for.
    pub(super) name: String,
    /// The file or link with this name.
    pub(super) path: String,
    /// The programs that can load it.
    pub(super) width: Width,
    /// The oldest kernel that it runs on, if its note names one.
    pub(super) kernel: Option<[u32; 3]>,
}

impl Row {
    fn flags(&self) -> u32 {
        LIBC6 | if self.width == Width::Wide { WIDE } else { 0 }
    }
}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the file, in which the linker does a binary search: names descending, and for one name the most
/// specific row first.
impl Ord for Row {
    fn cmp(&self, other: &Self) -> Ordering {
        let names = compare(other.name.as_bytes(), self.name.as_bytes());
        names.then_with(|| other.flags().cmp(&self.flags())).then_with(|| self.path.cmp(&other.path))
    }
}

/// How the linker compares names: digits as numbers, and a digit after any other character.
fn compare(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        match (one.first(), other.first()) {
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let numbers = (number(&mut one), number(&mut other));
                if numbers.0 != numbers.1 {
                    return numbers.0.cmp(&numbers.1);
                }
            }
            (Some(a), _) if a.is_ascii_digit() => return Ordering::Greater,
            (Some(_), Some(b)) if b.is_ascii_digit() => return Ordering::Less,
            (Some(a), Some(b)) if a == b => {
                one = one.get(1..).unwrap_or_default();
                other = other.get(1..).unwrap_or_default();
            }
            (a, b) => return a.cmp(&b),
        }
    }
}

fn number(text: &mut &[u8]) -> u64 {
    let mut value = 0_u64;
    while let Some((digit, rest)) = text.split_first().filter(|(digit, _)| digit.is_ascii_digit()) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        *text = rest;
    }
    value
}

/// The file with these rows, which must be in order.
pub(super) fn write(rows: &[Row]) -> Vec<u8> {
    let mut strings: Vec<u8> = Vec::new();
    let mut table: Vec<u8> = Vec::new();
    let start = HEADER + rows.len() * ROW;
    for row in rows {
        let mut put = |text: &str| {
            let at = start + strings.len();
            strings.extend(text.bytes().chain([0]));
            u32::try_from(at).unwrap_or_default()
        };
        let (name, path) = (put(&row.name), put(&row.path));
        let [major, minor, patch] = row.kernel.unwrap_or_default();
        let kernel = (major << 16) | (minor << 8) | patch;
        for word in [row.flags(), name, path, kernel, 0, 0] {
            table.extend(word.to_le_bytes());
        }
    }
    let count = |length: usize| u32::try_from(length).unwrap_or_default();
    let mut file = MAGIC.to_vec();
    // No extension follows, and three words are unused.
    for word in [count(rows.len()), count(strings.len()), LITTLE_ENDIAN, 0, 0, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(table);
    file.extend(strings);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, width: Width) -> Row {
        Row { name: name.to_owned(), path: format!("/lib/{name}"), width, kernel: None }
    }

    #[test]
    fn rows_are_in_the_order_in_which_the_linker_searches() {
        let names = ["liba.so.1", "liba.so.10", "liba.so.9", "libab.so", "liba.so", "libcuda.so.1"];
        let mut rows: Vec<Row> = names.iter().map(|name| row(name, Width::Narrow)).collect();
        rows.push(row("libcuda.so.1", Width::Wide));
        rows.sort();
        let sorted: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.width == Width::Wide)).collect();
        let narrow = ["libab.so", "liba.so.10", "liba.so.9", "liba.so.1", "liba.so"].map(|name| (name, false));
        assert_eq!(sorted[..2], [("libcuda.so.1", true), ("libcuda.so.1", false)]);
        assert_eq!(sorted[2..], narrow);
    }

    #[test]
    fn the_file_is_laid_out_as_the_linker_reads_it() {
        let mut tls = row("libt.so.1", Width::Wide);
        tls.kernel = Some([2, 3, 99]);
        let file = write(&[tls]);
        let at = |place: usize| u32::from_le_bytes(file[place..place + 4].try_into().unwrap());
        assert_eq!(&file[..20], MAGIC);
        assert_eq!((at(20), at(24), file[28]), (1, 10 + 15, 2));
        assert_eq!((at(48), at(60)), (WIDE | 3, 0x0002_0363));
        let name = usize::try_from(at(52)).unwrap();
        assert_eq!(&file[name..], b"libt.so.1\0/lib/libt.so.1\0");
        assert_eq!(usize::try_from(at(56)).unwrap(), name + 10);
    }
}
