//! System calls of Linux on 64-bit Arm.

use core::arch::asm;

/// Calls the kernel.
///
/// # Safety
///
/// The arguments must be valid for the call with this number: an address must be of memory that the call may use.
pub(super) unsafe fn call(number: usize, arguments: [usize; 6]) -> isize {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result: usize;
    // SAFETY: the caller answers for the arguments; the kernel changes only x0.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth, in("x5") sixth,
            options(nostack),
        );
    }
    result.cast_signed()
}

/// The system call numbers, and the offsets in `struct stat`.
pub(super) mod number {
    pub(crate) const FACCESSAT: usize = 48;
    pub(crate) const OPENAT: usize = 56;
    pub(crate) const CLOSE: usize = 57;
    #[cfg(standalone)]
    pub(crate) const WRITE: usize = 64;
    pub(crate) const PREAD64: usize = 67;
    pub(crate) const FSTAT: usize = 80;
    #[cfg(standalone)]
    pub(crate) const EXIT_GROUP: usize = 94;
    pub(crate) const NANOSLEEP: usize = 101;
    pub(crate) const GETEUID: usize = 175;
    pub(crate) const CLOCK_GETTIME: usize = 113;
    pub(crate) const MUNMAP: usize = 215;
    pub(crate) const MMAP: usize = 222;

    pub(crate) const STAT_MODE: usize = 16;
    pub(crate) const STAT_SIZE: usize = 48;
}
