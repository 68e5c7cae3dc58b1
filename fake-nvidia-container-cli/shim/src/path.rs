//! A path in its own buffer, with the terminating zero that the kernel needs.

/// The longest path, with its zero. Shorter than the kernel's 4096, since it is on the stack of another program's
/// thread.
const SIZE: usize = 1024;

/// A path. One that grows too long becomes unusable, and says so when asked for.
#[derive(Clone)]
pub struct Path {
    bytes: [u8; SIZE],
    length: usize,
    whole: bool,
}

impl Default for Path {
    fn default() -> Self {
        Self { bytes: [0; SIZE], length: 0, whole: true }
    }
}

impl Path {
    /// A path made of pieces that follow each other directly.
    #[must_use]
    pub fn of(pieces: &[&[u8]]) -> Self {
        let mut path = Self::default();
        pieces.iter().for_each(|piece| path.push(piece));
        path
    }

    /// Adds bytes as they are.
    pub fn push(&mut self, piece: &[u8]) {
        let end = self.length.saturating_add(piece.len());
        // The last byte is for the zero.
        let room = if end < SIZE { self.bytes.get_mut(self.length..end) } else { None };
        match room {
            Some(room) if !piece.contains(&0) => {
                room.iter_mut().zip(piece).for_each(|(place, byte)| *place = *byte);
                self.length = end;
            }
            _ => self.whole = false,
        }
    }

    /// The bytes without the zero.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The path for the kernel, unless it grew too long.
    #[must_use]
    pub fn terminated(&self) -> Option<&core::ffi::CStr> {
        let bytes = self.bytes.get(..=self.length).filter(|_| self.whole)?;
        core::ffi::CStr::from_bytes_with_nul(bytes).ok()
    }

    /// The folder of the file, with its slash; empty for a name alone.
    #[must_use]
    pub fn folder(&self) -> &[u8] {
        let slash = self.bytes().iter().rposition(|byte| *byte == b'/');
        slash.and_then(|at| self.bytes().get(..=at)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_path_ends_with_a_zero_or_is_none() {
        let path = Path::of(&[b"/usr/lib/", b"libcuda.so.1"]);
        assert_eq!(path.terminated().unwrap().to_bytes_with_nul(), b"/usr/lib/libcuda.so.1\0");
        assert_eq!((path.folder(), Path::of(&[b"x"]).folder()), (&b"/usr/lib/"[..], &b""[..]));
        assert!(Path::of(&[&[b'a'; SIZE - 1]]).terminated().is_some());
        assert!(Path::of(&[&[b'a'; SIZE]]).terminated().is_none());
        assert!(Path::of(&[&[b'a'; SIZE - 1], b"b", b""]).terminated().is_none());
        assert!(Path::of(&[b"a\0b"]).terminated().is_none());
    }
}
