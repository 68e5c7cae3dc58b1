//! The smallest shared library that ldconfig, dlopen and readers of ELF sections accept: headers, a dynamic section, a
//! name. It has no symbols. This module knows the file format, not which libraries a driver has.

/// The programs that can load a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 64-bit programs of this machine.
    Wide,
    /// Programs for 32-bit x86.
    Narrow,
}

/// The oldest kernel that a library for thread-local storage names in a note; the real nvidia-container-cli takes
/// `libnvidia-tls` only if it is this one.
pub const KERNEL_OF_TLS: [u32; 3] = [2, 3, 99];

/// ELF's number for the machine that this program runs on.
const OWN_MACHINE: u64 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

const TYPE_HASH: u32 = 5;
const TYPE_SYMBOLS: u32 = 11;
const TYPE_STRINGS: u32 = 3;
const TYPE_DYNAMIC: u32 = 6;
const TYPE_NOTE: u32 = 7;
/// The C library, by which ldconfig recognizes the kind of a 32-bit library.
const C_LIBRARY: &str = "libc.so.6";

/// A library with this SONAME, for programs of this width. `kernel` is the note about the oldest kernel it runs on.
#[must_use]
pub fn library(soname: &str, width: Width, kernel: Option<[u32; 3]>) -> Vec<u8> {
    let form = Form { wide: width == Width::Wide };
    let sections = form.sections(soname, kernel);
    let mut out = Vec::new();
    form.header(&mut out, &sections);
    form.segments(&mut out, &sections);
    for section in &sections {
        out.resize(usize::try_from(section.at).unwrap_or_default(), 0);
        out.extend(&section.content);
    }
    out.resize(usize::try_from(form.table(&sections)).unwrap_or_default(), 0);
    form.section_table(&mut out, &sections);
    out
}

/// A program of this machine that needs nothing, does nothing and succeeds.
#[must_use]
pub fn idle_program() -> Vec<u8> {
    // exit(0): `xor edi, edi; mov eax, 60; syscall`, and `mov x0, 0; mov x8, 93; svc 0`.
    const X86_64: &[u8] = &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
    const AARCH64: &[u8] = &[0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4];
    const BASE: u64 = 0x40_0000;
    let code = if cfg!(target_arch = "aarch64") { AARCH64 } else { X86_64 };
    let form = Form { wide: true };
    let start = form.header_size() + form.segment_size();
    let size = start + code.len() as u64;
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    halves(&mut out, &[2, OWN_MACHINE]);
    out.extend(numbers(&[1]));
    form.put(&mut out, &[BASE + start, form.header_size(), 0]);
    out.extend(numbers(&[0]));
    halves(&mut out, &[form.header_size(), form.segment_size(), 1, form.section_size(), 0, 0]);
    // One segment, readable and executable.
    out.extend(numbers(&[1, 5]));
    form.put(&mut out, &[0, BASE, BASE, size, size, 0x1000]);
    out.extend(code);
    out
}

/// A part of the file, with its name.
struct Section {
    name: &'static str,
    kind: u32,
    at: u64,
    content: Vec<u8>,
    /// The number of the section that this one refers to.
    link: u32,
    /// The size of an entry, if the section is a table.
    entry: u64,
}

/// How numbers are laid out.
#[derive(Clone, Copy)]
struct Form {
    wide: bool,
}

impl Form {
    fn word(self) -> u64 {
        if self.wide { 8 } else { 4 }
    }

    fn header_size(self) -> u64 {
        if self.wide { 64 } else { 52 }
    }

    fn segment_size(self) -> u64 {
        if self.wide { 56 } else { 32 }
    }

    fn section_size(self) -> u64 {
        if self.wide { 64 } else { 40 }
    }

    fn symbol_size(self) -> u64 {
        if self.wide { 24 } else { 16 }
    }

    fn put(self, out: &mut Vec<u8>, words: &[u64]) {
        for word in words {
            let bytes = word.to_le_bytes();
            out.extend(bytes.iter().take(if self.wide { 8 } else { 4 }));
        }
    }

    /// All sections but the empty first one, in the order of the file: they are numbered from one.
    fn sections(self, soname: &str, kernel: Option<[u32; 3]>) -> Vec<Section> {
        const STRINGS: u32 = 3;
        const SYMBOLS: u32 = 2;
        let mut strings = [b"\0", soname.as_bytes(), b"\0"].concat();
        let needed = strings.len() as u64;
        if !self.wide {
            strings.extend(C_LIBRARY.bytes().chain([0]));
        }
        let size = strings.len() as u64;
        // A library for 64-bit programs needs nothing, and so loads everywhere.
        let entries = if self.wide { 6 } else { 7 };
        let section = |name, kind, content, link, entry| Section { name, kind, at: 0, content, link, entry };
        let mut all = vec![
            // One bucket and one chain, both empty.
            section(".hash", TYPE_HASH, numbers(&[1, 1, 0, 0]), SYMBOLS, 4),
            section(".dynsym", TYPE_SYMBOLS, zeros(self.symbol_size()), STRINGS, self.symbol_size()),
            section(".dynstr", TYPE_STRINGS, strings, 0, 0),
            section(".dynamic", TYPE_DYNAMIC, zeros(entries * 2 * self.word()), STRINGS, 2 * self.word()),
        ];
        if let Some([major, minor, patch]) = kernel {
            let mut note = numbers(&[4, 16, 1]);
            note.extend(b"GNU\0");
            note.extend(numbers(&[0, major, minor, patch]));
            all.push(section(".note.ABI-tag", TYPE_NOTE, note, 0, 0));
        }
        let names = all.iter().map(|one| one.name).chain([".shstrtab"]);
        let names = names.fold(vec![0], |all, name| [all, name.as_bytes().to_vec(), vec![0]].concat());
        all.push(section(".shstrtab", TYPE_STRINGS, names, 0, 0));
        let mut at = self.header_size() + self.segment_count(&all) * self.segment_size();
        for one in &mut all {
            one.at = at.next_multiple_of(8);
            at = one.at + one.content.len() as u64;
        }
        let place = |kind: u32| all.iter().find(|one| one.kind == kind).map_or(0, |one| one.at);
        let needs = (!self.wide).then_some((1, needed));
        let own =
            [(14, 1), (4, place(TYPE_HASH)), (5, place(TYPE_STRINGS)), (6, place(TYPE_SYMBOLS)), (10, size), (0, 0)];
        let mut dynamic = Vec::new();
        needs.iter().chain(&own).for_each(|(tag, value)| self.put(&mut dynamic, &[*tag, *value]));
        for one in all.iter_mut().filter(|one| one.kind == TYPE_DYNAMIC) {
            one.content.clone_from(&dynamic);
        }
        all
    }

    fn segment_count(self, sections: &[Section]) -> u64 {
        if sections.iter().any(|one| one.kind == TYPE_NOTE) { 3 } else { 2 }
    }

    /// Where the section table starts, which is where the loaded part ends.
    fn table(self, sections: &[Section]) -> u64 {
        sections.last().map_or(0, |last| last.at + last.content.len() as u64).next_multiple_of(8)
    }

    fn header(self, out: &mut Vec<u8>, sections: &[Section]) {
        out.extend(b"\x7fELF");
        out.extend([if self.wide { 2 } else { 1 }, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        halves(out, &[3, if self.wide { OWN_MACHINE } else { 3 }]);
        out.extend(numbers(&[1]));
        self.put(out, &[0, self.header_size(), self.table(sections)]);
        out.extend(numbers(&[0]));
        let count = sections.len() as u64 + 1;
        let sizes = [self.header_size(), self.segment_size(), self.segment_count(sections), self.section_size()];
        halves(out, &sizes);
        halves(out, &[count, count - 1]);
    }

    /// The whole file is one readable segment; the dynamic section and the note are parts of it.
    fn segments(self, out: &mut Vec<u8>, sections: &[Section]) {
        self.segment(out, 1, 0, self.table(sections), 0x1000);
        for (kind, of) in [(2, TYPE_DYNAMIC), (4, TYPE_NOTE)] {
            if let Some(section) = sections.iter().find(|section| section.kind == of) {
                self.segment(out, kind, section.at, section.content.len() as u64, if kind == 2 { 8 } else { 4 });
            }
        }
    }

    fn segment(self, out: &mut Vec<u8>, kind: u32, at: u64, size: u64, align: u64) {
        const READABLE: u32 = 4;
        out.extend(numbers(&[kind]));
        if self.wide {
            out.extend(numbers(&[READABLE]));
        }
        self.put(out, &[at, at, at, size, size]);
        if !self.wide {
            out.extend(numbers(&[READABLE]));
        }
        self.put(out, &[align]);
    }

    fn section_table(self, out: &mut Vec<u8>, sections: &[Section]) {
        const LOADED: u64 = 2;
        out.extend(zeros(self.section_size()));
        let mut name = 1;
        for section in sections {
            out.extend(numbers(&[name, section.kind]));
            let is_loaded = section.name != ".shstrtab";
            let (flags, address) = if is_loaded { (LOADED, section.at) } else { (0, 0) };
            self.put(out, &[flags, address, section.at, section.content.len() as u64]);
            out.extend(numbers(&[section.link, u32::from(section.kind == TYPE_SYMBOLS)]));
            self.put(out, &[if section.kind == TYPE_NOTE { 4 } else { 8 }, section.entry]);
            name += u32::try_from(section.name.len()).unwrap_or_default() + 1;
        }
    }
}

fn zeros(count: u64) -> Vec<u8> {
    vec![0; usize::try_from(count).unwrap_or_default()]
}

fn numbers(all: &[u32]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn halves(out: &mut Vec<u8>, all: &[u64]) {
    all.iter().for_each(|number| out.extend(number.to_le_bytes().iter().take(2)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::elf::{FileHeader32, FileHeader64};
    use object::read::elf::{Dyn as _, FileHeader, SectionHeader as _};
    use object::{Endianness, SectionIndex};

    /// The SONAME from the dynamic section, the name of each section, and the words of the note.
    fn seen<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> (String, Vec<String>, Vec<u8>) {
        let header = H::parse(bytes).unwrap();
        let endian = header.endian().unwrap();
        let sections = header.sections(endian, bytes).unwrap();
        let names = sections.iter().skip(1).map(|one| sections.section_name(endian, one).unwrap());
        let names = names.map(|name| String::from_utf8(name.to_vec()).unwrap()).collect();
        let (dynamic, strings) = sections.dynamic(endian, bytes).unwrap().unwrap();
        let strings = sections.strings(endian, bytes, strings).unwrap();
        let name = dynamic.iter().find(|entry| entry.tag32(endian) == Some(object::elf::DT_SONAME)).unwrap();
        let soname = String::from_utf8(name.string(endian, strings).unwrap().to_vec()).unwrap();
        let note = sections.enumerate().find(|(_, one)| one.sh_type(endian) == object::elf::SHT_NOTE);
        let note = note.map(|(at, _): (SectionIndex, _)| sections.section(at).unwrap().data(endian, bytes).unwrap());
        (soname, names, note.unwrap_or_default().to_vec())
    }

    #[test]
    fn readers_of_sections_find_the_name_and_the_note() {
        let plain = library("libcuda.so.1", Width::Wide, None);
        let (soname, names, note) = seen::<FileHeader64<Endianness>>(&plain);
        assert_eq!((soname.as_str(), note.len()), ("libcuda.so.1", 0));
        assert_eq!(names, [".hash", ".dynsym", ".dynstr", ".dynamic", ".shstrtab"]);
        let tls = library("libnvidia-tls.so.550.54.15", Width::Wide, Some(KERNEL_OF_TLS));
        let (soname, names, note) = seen::<FileHeader64<Endianness>>(&tls);
        assert_eq!((soname.as_str(), names[4].as_str()), ("libnvidia-tls.so.550.54.15", ".note.ABI-tag"));
        assert_eq!(&note[16..], numbers(&[0, 2, 3, 99]));
        let narrow = library("libcuda.so.1", Width::Narrow, Some(KERNEL_OF_TLS));
        let (soname, names, note) = seen::<FileHeader32<Endianness>>(&narrow);
        assert_eq!((soname.as_str(), names.len(), note.len()), ("libcuda.so.1", 6, 32));
    }
}
