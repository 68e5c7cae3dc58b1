//! The functions that compiled code expects of a C library. They are hidden: a library that showed its own `memcpy`
//! would give it to the whole program. In assembly, since a loop in Rust may be compiled into a call of itself.

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(include_str!("memory/x86_64.s"), options(att_syntax));
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(include_str!("memory/aarch64.s"));
