//! System calls of Linux on x86_64.

use core::arch::asm;

/// Calls the kernel.
///
/// # Safety
///
/// The arguments must be valid for the call with this number: an address must be of memory that the call may use.
pub(super) unsafe fn call(number: usize, arguments: [usize; 6]) -> isize {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result: usize;
    // SAFETY: the caller answers for the arguments; the kernel changes only rax, rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth, in("r8") fifth, in("r9") sixth,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result.cast_signed()
}

/// The system call numbers, and the offsets in `struct stat`.
pub(super) mod number {
    #[cfg(standalone)]
    pub(crate) const WRITE: usize = 1;
    pub(crate) const CLOSE: usize = 3;
    pub(crate) const FSTAT: usize = 5;
    pub(crate) const MMAP: usize = 9;
    pub(crate) const MUNMAP: usize = 11;
    pub(crate) const PREAD64: usize = 17;
    pub(crate) const NANOSLEEP: usize = 35;
    pub(crate) const GETEUID: usize = 107;
    pub(crate) const CLOCK_GETTIME: usize = 228;
    #[cfg(standalone)]
    pub(crate) const EXIT_GROUP: usize = 231;
    pub(crate) const OPENAT: usize = 257;
    pub(crate) const FACCESSAT: usize = 269;

    pub(crate) const STAT_MODE: usize = 24;
    pub(crate) const STAT_SIZE: usize = 48;
}
