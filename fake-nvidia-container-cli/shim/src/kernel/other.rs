//! Architectures that have no library: every call is refused.

/// Calls nothing.
///
/// # Safety
///
/// It has no requirements; it is unsafe because its signature is that of the others.
pub(super) unsafe fn call(_: usize, _: [usize; 6]) -> isize {
    -38
}

/// Numbers that no call uses.
pub(super) mod number {
    pub(crate) const FACCESSAT: usize = 0;
    pub(crate) const OPENAT: usize = 0;
    pub(crate) const CLOSE: usize = 0;
    pub(crate) const PREAD64: usize = 0;
    pub(crate) const FSTAT: usize = 0;
    pub(crate) const NANOSLEEP: usize = 0;
    pub(crate) const GETEUID: usize = 0;
    pub(crate) const CLOCK_GETTIME: usize = 0;
    pub(crate) const MUNMAP: usize = 0;
    pub(crate) const MMAP: usize = 0;

    pub(crate) const STAT_MODE: usize = 0;
    pub(crate) const STAT_SIZE: usize = 0;
}
