//! Structures of NVML's header that more than one function fills, and the check of their versions.

use crate::code::{Answer, Code};
use nvidia_simulated_shim::c::Out;

/// An error unless the caller's structure has this version: its size and the number, combined as in the header's macro.
pub(crate) fn version<T: Copy>(out: Out<T>, number: u32) -> Answer {
    if out.version()? == word::<T>(number) { Ok(()) } else { Err(Code::ARGUMENT_VERSION_MISMATCH) }
}

/// The version word.
pub(crate) fn word<T>(number: u32) -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or_default() | number << 24
}

/// Two numbers: utilization, a placement, a pair of modes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Pair(pub(crate) u32, pub(crate) u32);

/// A structure with a version and a number.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Versioned<T> {
    pub(crate) version: u32,
    pub(crate) value: T,
}

/// Writes the one number of a structure of version 1.
pub(crate) fn put_versioned<T: Copy>(out: Out<Versioned<T>>, value: T) -> Answer {
    version(out, 1)?;
    Ok(out.put(Versioned { version: out.version()?, value })?)
}

/// A text in an array, with zeros after it.
pub(crate) fn array<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let mut array = [0; N];
    let bytes = pieces.iter().flat_map(|piece| piece.bytes()).take(N.saturating_sub(1));
    array.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    array
}
