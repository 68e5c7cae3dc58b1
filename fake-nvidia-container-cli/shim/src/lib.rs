//! The base of the libraries that stand in for the driver's. They are loaded into programs of any image, with any C
//! library in any version, so they need nothing but the kernel.
//!
//! A call keeps nothing: it reads the given file afresh into its own memory and frees that before it returns. So there
//! is no lock that a fork could leave held and nothing that two threads could tear, and a change to the file is seen at
//! once. This crate must not know NVML or CUDA.
#![no_std]

pub mod c;
mod environment;
pub mod kernel;
mod loaded;
#[cfg(standalone)]
mod memory;
mod path;
mod place;

pub use environment::Environment;
pub use loaded::{Fault, Loaded};
pub use path::Path;

/// The panic handler. The test suite checks that no library contains it, since none can panic.
#[cfg(standalone)]
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    kernel::end("fake-nvidia: a library panicked\n")
}
