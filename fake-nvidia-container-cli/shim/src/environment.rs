//! The environment that the process was started with, as the kernel keeps it: without a C library nothing else is
//! known. What a program sets in itself later, with `setenv`, is not in it.

use crate::kernel::{File, Memory};

/// The most bytes that are read: what the kernel allows with its usual stack, and the memory is taken only as it fills.
const LIMIT: usize = 2 << 20;

/// The variables of the process.
#[derive(Debug)]
pub struct Environment {
    memory: Memory,
    length: usize,
}

impl Environment {
    /// Reads them; `None` if the kernel does not show them, as where /proc is not mounted.
    #[must_use]
    pub fn read() -> Option<Self> {
        let file = File::open(c"/proc/self/environ").ok()?;
        let mut memory = Memory::new(LIMIT).ok()?;
        let length = file.read(memory.bytes_mut(), 0).ok()?;
        Some(Self { memory, length })
    }

    /// The value of a variable. One that is not UTF-8 reads as empty: it names nothing.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let mut rest = self.memory.bytes().get(..self.length)?;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
            let value = rest.get(..end)?.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                return Some(core::str::from_utf8(value).unwrap_or_default());
            }
            rest = rest.get(end.checked_add(1)?..).unwrap_or_default();
        }
        None
    }
}
