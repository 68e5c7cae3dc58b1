//! A `libnvidia-ml.so.1` that answers for the devices of a given file, in whatever program loads it.
//!
//! It exports every name that the library of driver 580 exports (`names.txt`). Those with a row in `table` answer; all
//! others return NOT_SUPPORTED. A fact that the given file does not have is NOT_SUPPORTED too. The crate must not know
//! where the file comes from, nor change it: what root sets applies to its own process (`settings`), and everything
//! else that would change a GPU is NOT_SUPPORTED. Padding between two members of a structure in the header is a member
//! here, and zero.
//!
//! The crate is a member of the workspace like any other, so it is linted, documented and tested. The library itself is
//! made by the build of the crate `libraries`, which compiles the same files without `std`.
#![no_std]

mod bus;
mod clocks;
mod code;
mod counted;
mod device;
mod driver;
mod events;
mod fields;
mod handle;
mod identity;
mod layout;
mod link;
mod lists;
mod memory;
mod mig;
mod platform;
mod processes;
mod profiles;
mod repair;
mod sensors;
mod settings;
mod states;
mod system;
mod table;
