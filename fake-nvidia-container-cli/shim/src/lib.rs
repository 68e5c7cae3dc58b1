//! What the libraries that stand in for the driver's stand on. They are loaded into programs of any image, with any C
//! library or another version of it, so they need nothing but the kernel.
//!
//! A call keeps nothing: it reads the given file anew into memory of its own and gives it back before it returns. So
//! there is no lock that a fork could leave held, nothing that two threads could tear, and a change of the file is seen
//! at once. It must not know NVML or CUDA.
#![no_std]

pub mod c;
pub mod kernel;
mod loaded;
#[cfg(standalone)]
mod memory;
mod path;
mod place;

pub use loaded::{Fault, Loaded};
pub use path::Path;

/// What a panic leaves in a library; the suite sees to it that no library has it, since none can panic.
#[cfg(standalone)]
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    kernel::end("fake-nvidia: a library panicked\n")
}
