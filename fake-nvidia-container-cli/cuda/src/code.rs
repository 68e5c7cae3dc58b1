//! The codes that CUDA's functions return, their names and words.

use nvidia_simulated_shim::Fault;
use nvidia_simulated_shim::c::{Fixed, Null, Out, Unwritten};

/// A code that is not success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

/// The result of a function that writes its answer.
pub(crate) type Answer = Result<(), Code>;

impl Code {
    pub(crate) const INVALID_VALUE: Self = Self(1);
    pub(crate) const OUT_OF_MEMORY: Self = Self(2);
    pub(crate) const NOT_INITIALIZED: Self = Self(3);
    pub(crate) const NO_DEVICE: Self = Self(100);
    pub(crate) const INVALID_DEVICE: Self = Self(101);
    pub(crate) const OPERATING_SYSTEM: Self = Self(304);
    pub(crate) const NOT_FOUND: Self = Self(500);
    pub(crate) const NOT_SUPPORTED: Self = Self(801);
    pub(crate) const SYSTEM_DRIVER_MISMATCH: Self = Self(803);
    pub(crate) const UNKNOWN: Self = Self(999);
}

/// The number that the caller gets.
pub(crate) fn number(answer: Answer) -> u32 {
    answer.err().map_or(0, |code| code.0)
}

impl From<Fault> for Code {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missing => Self::NO_DEVICE,
            Fault::Version => Self::SYSTEM_DRIVER_MISMATCH,
            Fault::Torn => Self::UNKNOWN,
            Fault::Memory => Self::OUT_OF_MEMORY,
            Fault::System => Self::OPERATING_SYSTEM,
        }
    }
}

impl From<Null> for Code {
    fn from(_: Null) -> Self {
        Self::INVALID_VALUE
    }
}

impl From<Unwritten> for Code {
    fn from(_: Unwritten) -> Self {
        Self::INVALID_VALUE
    }
}

/// The name and the words of a code that this library returns.
fn known(code: u32) -> Option<(Fixed, Fixed)> {
    let (name, words) = match code {
        0 => (c"CUDA_SUCCESS", c"no error"),
        1 => (c"CUDA_ERROR_INVALID_VALUE", c"invalid argument"),
        2 => (c"CUDA_ERROR_OUT_OF_MEMORY", c"out of memory"),
        3 => (c"CUDA_ERROR_NOT_INITIALIZED", c"initialization error"),
        100 => (c"CUDA_ERROR_NO_DEVICE", c"no CUDA-capable device is detected"),
        101 => (c"CUDA_ERROR_INVALID_DEVICE", c"invalid device ordinal"),
        304 => (c"CUDA_ERROR_OPERATING_SYSTEM", c"OS call failed or operation not supported on this OS"),
        500 => (c"CUDA_ERROR_NOT_FOUND", c"named symbol not found"),
        801 => (c"CUDA_ERROR_NOT_SUPPORTED", c"operation not supported"),
        803 => {
            (c"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", c"system has unsupported display driver / cuda driver combination")
        }
        999 => (c"CUDA_ERROR_UNKNOWN", c"unknown error"),
        _ => return None,
    };
    Some((name.into(), words.into()))
}

/// The words of a code; null if there is no such code.
pub(crate) fn words(code: u32, out: Out<Fixed>) -> Answer {
    told(known(code).map(|(_, words)| words), out)
}

/// The name of a code; null if there is no such code.
pub(crate) fn name(code: u32, out: Out<Fixed>) -> Answer {
    told(known(code).map(|(name, _)| name), out)
}

fn told(text: Option<Fixed>, out: Out<Fixed>) -> Answer {
    out.put(text.unwrap_or(Fixed::NULL))?;
    text.map(drop).ok_or(Code::INVALID_VALUE)
}
