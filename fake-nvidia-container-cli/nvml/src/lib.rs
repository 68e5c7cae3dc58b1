//! A `libnvidia-ml.so.1` that answers for the devices of a given file, in whatever program it is loaded.
//!
//! Every name that the library of driver 580 exports is exported (`names.txt`). Those with a row in `table` answer; all
//! others say NOT_SUPPORTED. A fact that the given file does not have is NOT_SUPPORTED too. It must not know where the
//! file comes from, nor change it: what root sets holds for its process (`settings`), and all else that would change a GPU
//! is NOT_SUPPORTED. What the header leaves between two members of a structure is a member here, and zero.
//!
//! The crate is a member of the workspace like any other, so that it is linted, documented and tested; the library itself
//! is made by the build of the crate `libraries`, which compiles the same files without `std`.
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
