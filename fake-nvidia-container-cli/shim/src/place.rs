//! Where this library was loaded from, according to the kernel's list of mappings. The path is found once and kept in
//! atomic bytes. A thread that arrives while they are being written searches for itself and does not wait.

use crate::kernel::File;
use crate::path::Path;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const UNKNOWN: u8 = 0;
const WRITING: u8 = 1;
const KNOWN: u8 = 2;
/// A longer path is searched for each time.
const KEPT: usize = 1024;

static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static BYTES: [AtomicU8; KEPT] = [const { AtomicU8::new(0) }; KEPT];

/// The path of this library; empty if it is unknown.
pub(crate) fn own() -> Path {
    if STATE.load(Ordering::Acquire) == KNOWN {
        let mut path = Path::default();
        let length = LENGTH.load(Ordering::Relaxed);
        BYTES.iter().take(length).for_each(|byte| path.push(&[byte.load(Ordering::Relaxed)]));
        return path;
    }
    let path = find();
    let fits = (1..=KEPT).contains(&path.bytes().len());
    if fits && STATE.compare_exchange(UNKNOWN, WRITING, Ordering::Acquire, Ordering::Relaxed).is_ok() {
        path.bytes().iter().zip(&BYTES).for_each(|(byte, place)| place.store(*byte, Ordering::Relaxed));
        LENGTH.store(path.bytes().len(), Ordering::Relaxed);
        STATE.store(KNOWN, Ordering::Release);
    }
    path
}

fn find() -> Path {
    let here = find as *const () as usize;
    File::open(c"/proc/self/maps").ok().and_then(|maps| search(&maps, here)).unwrap_or_default()
}

/// Reads the list piece by piece, each up to the end of a line.
fn search(maps: &File, address: usize) -> Option<Path> {
    const PIECES: usize = 4096;
    let mut buffer = [0_u8; 4096];
    let mut from = 0_u64;
    for _ in 0..PIECES {
        let read = maps.read(&mut buffer, from).ok()?;
        let piece = buffer.get(..read)?;
        if piece.is_empty() {
            break;
        }
        // A line longer than a piece is skipped: its path would be too long in any case.
        let end = piece.iter().rposition(|byte| *byte == b'\n').map_or(read, |at| at.saturating_add(1));
        let mut lines = piece.get(..end)?.split(|byte| *byte == b'\n');
        if let Some(path) = lines.find_map(|line| path_at(line, address)) {
            return Some(Path::of(&[path]));
        }
        from = from.checked_add(u64::try_from(end).ok()?)?;
    }
    None
}

/// The path on a line, if its mapping contains the address: `START-END RIGHTS OFFSET DEVICE INODE   PATH`.
fn path_at(line: &[u8], address: usize) -> Option<&[u8]> {
    let slash = line.iter().position(|byte| *byte == b'/')?;
    let (numbers, path) = (line.get(..slash)?, line.get(slash..)?);
    let (range, _) = core::str::from_utf8(numbers).ok()?.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |digits: &str| usize::from_str_radix(digits, 16).ok();
    (number(start)?..number(end)?).contains(&address).then_some(path)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_line_of_the_list_is_read_by_its_columns() {
        let line = b"7f00-7f80 r-xp 00001000 fe:00 12   /usr/lib/a b.so (deleted)";
        assert_eq!(path_at(line, 0x7f00), Some(&b"/usr/lib/a b.so (deleted)"[..]));
        assert_eq!((path_at(line, 0x7f80), path_at(line, 0x7eff)), (None, None));
        assert_eq!(path_at(b"7f00-7f80 rw-p 00000000 00:00 0 [heap]", 0x7f00), None);
        assert_eq!((path_at(b"", 0), path_at(b"/", 0), path_at(b"x-y /", 0)), (None, None, None));
    }

    #[test]
    fn the_program_finds_itself_and_again() {
        let program = std::env::current_exe().unwrap();
        for _ in 0..2 {
            assert_eq!(std::str::from_utf8(own().bytes()).unwrap(), program.to_str().unwrap());
        }
    }
}
