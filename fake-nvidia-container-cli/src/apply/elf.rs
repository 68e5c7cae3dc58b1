//! The smallest shared library that ldconfig and dlopen accept: a header, a dynamic section, a name. It has no symbol.

/// Bytes of the file header.
const HEADER: u64 = 64;
/// Bytes of one program header.
const PROGRAM_HEADER: u64 = 56;
/// Where the dynamic section starts: after two program headers.
const DYNAMIC: u64 = HEADER + 2 * PROGRAM_HEADER;
/// Entries of the dynamic section, each two words.
const ENTRIES: u64 = 6;
/// Where the symbol table (one empty symbol) starts.
const SYMBOLS: u64 = DYNAMIC + ENTRIES * 16;
/// Where the hash table (one bucket, one chain, both empty) starts.
const HASH: u64 = SYMBOLS + 24;
/// Where the strings start.
const STRINGS: u64 = HASH + 16;

/// A library of the given name, for the machine this program runs on.
pub(super) fn library(soname: &str) -> Vec<u8> {
    let strings_size = soname.len() as u64 + 2;
    let size = STRINGS + strings_size;
    let mut out = Vec::new();
    header(&mut out);
    // The whole file is one readable segment; the dynamic section is a part of it.
    program_header(&mut out, 1, 4, 0, size, 0x1000);
    program_header(&mut out, 2, 4, DYNAMIC, ENTRIES * 16, 8);
    let entries = [(14, 1), (4, HASH), (5, STRINGS), (6, SYMBOLS), (10, strings_size), (0, 0)];
    for (tag, value) in entries {
        words(&mut out, &[tag, value]);
    }
    words(&mut out, &[0, 0, 0]);
    for half in [1_u32, 1, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    out.push(0);
    out.extend(soname.as_bytes());
    out.push(0);
    out
}

fn header(out: &mut Vec<u8>) {
    const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    out.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    out.extend(3_u16.to_le_bytes());
    out.extend(MACHINE.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    words(out, &[0, HEADER, 0]);
    out.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
}

fn program_header(out: &mut Vec<u8>, kind: u32, flags: u32, start: u64, size: u64, align: u64) {
    out.extend(kind.to_le_bytes());
    out.extend(flags.to_le_bytes());
    words(out, &[start, start, start, size, size, align]);
}

fn words(out: &mut Vec<u8>, words: &[u64]) {
    words.iter().for_each(|word| out.extend(word.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_where_the_header_says() {
        let file = library("libcuda.so.1");
        assert_eq!(&file[..4], b"\x7fELF");
        let at = usize::try_from(STRINGS).unwrap();
        assert_eq!(&file[at..], b"\0libcuda.so.1\0");
    }
}
