//! The functions that compiled code expects from a C library. They are hidden: a library that exported its own `memcpy`
//! would give it to the whole program. They are in assembly, since a loop in Rust can be compiled into a call to
//! itself.

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(include_str!("memory/x86_64.s"), options(att_syntax));
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(include_str!("memory/aarch64.s"));
