//! Handles: numbers that say what they are for, so a wrong one is recognised and nothing has to be stored.

use crate::code::Code;

/// What a handle begins with.
const MARK: usize = 0xfa5 << 20;

/// A handle as a C caller holds it: of a device, an instance or an event set, depending on the function.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(usize);

/// What a handle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A GPU.
    Gpu,
    /// A part of a GPU, by its place in the file.
    Part,
    /// A GPU instance, by its number.
    Instance,
    /// A compute instance: eight times the number of the GPU instance, and its own.
    Compute,
    /// An event set; the GPU's place says which.
    Events,
}

const KINDS: [Kind; 5] = [Kind::Gpu, Kind::Part, Kind::Instance, Kind::Compute, Kind::Events];

impl Handle {
    /// No handle, as in an empty event.
    pub(crate) const NONE: Self = Self(0);

    /// A handle of a kind, with the place of its GPU and its own number.
    pub(crate) fn new(kind: Kind, gpu: u8, number: u8) -> Self {
        let kind = KINDS.iter().position(|known| *known == kind).unwrap_or_default();
        Self(MARK | kind << 16 | usize::from(gpu) << 8 | usize::from(number))
    }

    /// What it is for.
    pub(crate) fn read(self) -> Result<(Kind, u8, u8), Code> {
        let kind = KINDS.get(self.0 >> 16 & 0xf).filter(|_| self.0 & !0xf_ffff == MARK);
        let [number, gpu, ..] = self.0.to_le_bytes();
        kind.map(|kind| (*kind, gpu, number)).ok_or(Code::INVALID_ARGUMENT)
    }

    /// The GPU's place and the number, if it is of a kind.
    pub(crate) fn of(self, kind: Kind) -> Result<(u8, u8), Code> {
        self.read().and_then(
            |(found, gpu, number)| if found == kind { Ok((gpu, number)) } else { Err(Code::INVALID_ARGUMENT) },
        )
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_handle_says_what_it_is_for_and_no_other_number_does() {
        for kind in KINDS {
            assert_eq!(Handle::new(kind, 255, 254).read(), Ok((kind, 255, 254)));
        }
        for number in [0, 1, usize::MAX, MARK | 5 << 16, MARK << 1, 1 << 32 | MARK] {
            assert_eq!(Handle(number).read(), Err(Code::INVALID_ARGUMENT), "{number:x}");
        }
        assert_eq!(Handle::new(Kind::Gpu, 1, 0).of(Kind::Part), Err(Code::INVALID_ARGUMENT));
    }
}
