//! The system calls that a library needs, as safe functions. It must not know what they are for.
#![expect(
    unsafe_code,
    reason = "a system call is told an address and a length; this file and its parts are the only ones that do"
)]

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), path = "other.rs")]
mod raw;

use core::ffi::CStr;
use raw::{call, number};

/// The kernel's error: an errno number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// No such file.
pub const ENOENT: Errno = Errno(2);
/// Interrupted by a signal.
const EINTR: Errno = Errno(4);
/// A part of the path is not a folder.
pub const ENOTDIR: Errno = Errno(20);

const AT_FDCWD: usize = -100_isize as usize;

fn answer(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno(i32::try_from(result.wrapping_neg()).unwrap_or(i32::MAX)))
}

/// An open file, closed when it is dropped.
#[derive(Debug)]
pub struct File(usize);

impl File {
    /// Opens a file for reading. It never blocks, so a FIFO at that path cannot hold up a program.
    ///
    /// # Errors
    ///
    /// The kernel's error.
    pub fn open(path: &CStr) -> Result<Self, Errno> {
        // O_RDONLY, O_CLOEXEC, O_NONBLOCK; the first two have these numbers on every architecture that Linux calls
        // generic.
        const FLAGS: usize = 0o2_000_000 | 0o4_000;
        // SAFETY: the path ends with a zero and lives longer than the call.
        answer(unsafe { call(number::OPENAT, [AT_FDCWD, path.as_ptr() as usize, FLAGS, 0, 0, 0]) }).map(Self)
    }

    /// The size of the file, if it is a regular file.
    ///
    /// # Errors
    ///
    /// The kernel's error.
    pub fn size(&self) -> Result<Option<u64>, Errno> {
        let mut stat = [0_u64; 32];
        // SAFETY: the kernel writes at most 144 bytes (`struct stat`), and 256 are there.
        answer(unsafe { call(number::FSTAT, [self.0, stat.as_mut_ptr() as usize, 0, 0, 0, 0]) })?;
        let [mode, size] =
            [number::STAT_MODE, number::STAT_SIZE].map(|at| stat.get(at / 8).copied().unwrap_or_default());
        let regular = mode & 0o170_000 == 0o100_000;
        Ok(regular.then_some(size))
    }

    /// Reads from an offset in the file until the buffer is full or the file ends. Returns how much was read.
    ///
    /// # Errors
    ///
    /// The kernel's error.
    pub fn read(&self, buffer: &mut [u8], from: u64) -> Result<usize, Errno> {
        let mut done = 0;
        let mut again = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = usize::try_from(from).unwrap_or(usize::MAX).saturating_add(done);
            // SAFETY: the kernel writes no more than the length of the rest, which is ours.
            let read = unsafe { call(number::PREAD64, [self.0, rest.as_mut_ptr() as usize, rest.len(), at, 0, 0]) };
            match answer(read) {
                Ok(0) => break,
                Ok(read) => done = done.saturating_add(read),
                Err(EINTR) if again < 100 => again += 1,
                Err(why) => return Err(why),
            }
        }
        Ok(done)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor was opened by this value and is used by no other.
        unsafe { call(number::CLOSE, [self.0, 0, 0, 0, 0, 0]) };
    }
}

/// Memory for one call, freed when it is dropped.
#[derive(Debug)]
pub struct Memory {
    at: core::ptr::NonNull<u8>,
    length: usize,
}

impl Memory {
    /// Allocates this many bytes, all zero.
    ///
    /// # Errors
    ///
    /// The kernel's error if there is no memory.
    pub fn new(length: usize) -> Result<Self, Errno> {
        const READ_WRITE: usize = 3;
        const PRIVATE_ANONYMOUS: usize = 0x22;
        const NO_FILE: usize = usize::MAX;
        let length = length.max(1);
        // SAFETY: a new mapping at a place that the kernel chooses touches no memory that is in use.
        let at = answer(unsafe { call(number::MMAP, [0, length, READ_WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0]) })?;
        let at = core::ptr::NonNull::new(core::ptr::with_exposed_provenance_mut(at)).ok_or(Errno(12))?;
        Ok(Self { at, length })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping has this length, lives as long as the value, and nobody else knows it.
        unsafe { core::slice::from_raw_parts(self.at.as_ptr(), self.length) }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the value is borrowed by its only user.
        unsafe { core::slice::from_raw_parts_mut(self.at.as_ptr(), self.length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no reference into it outlives the value.
        unsafe { call(number::MUNMAP, [self.at.as_ptr() as usize, self.length, 0, 0, 0, 0]) };
    }
}

/// True if something exists at this path.
#[must_use]
pub fn exists(path: &CStr) -> bool {
    // SAFETY: the path ends with a zero and lives longer than the call.
    answer(unsafe { call(number::FACCESSAT, [AT_FDCWD, path.as_ptr() as usize, 0, 0, 0, 0]) }).is_ok()
}

/// The time of a clock in milliseconds: clock 0 is the time of day since the epoch, and clock 1 never goes back.
fn clock(which: usize) -> u64 {
    let mut time = [0_u64; 2];
    // SAFETY: the kernel writes a `struct timespec`: two words.
    unsafe { call(number::CLOCK_GETTIME, [which, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    let [seconds, nanoseconds] = time;
    seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
}

/// The time of day in milliseconds since the epoch.
#[must_use]
pub fn now() -> u64 {
    clock(0)
}

/// A time in milliseconds that never goes back.
#[must_use]
pub fn ticks() -> u64 {
    clock(1)
}

/// The effective user of the process; 0 is root.
#[must_use]
pub fn effective_user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    let user = unsafe { call(number::GETEUID, [0; 6]) };
    u32::try_from(user).unwrap_or(u32::MAX)
}

/// Waits this many milliseconds, or until a signal arrives.
pub fn sleep(milliseconds: u64) {
    let time = [milliseconds / 1000, (milliseconds % 1000).saturating_mul(1_000_000)];
    // SAFETY: the kernel reads a `struct timespec`: two words. It gets no place for the remaining time.
    unsafe { call(number::NANOSLEEP, [time.as_ptr() as usize, 0, 0, 0, 0, 0]) };
}

/// Ends the process with a line on standard error.
#[cfg(standalone)]
pub fn end(why: &str) -> ! {
    loop {
        // SAFETY: the kernel reads the bytes of the line and ends the process.
        unsafe {
            call(number::WRITE, [2, why.as_ptr() as usize, why.len(), 0, 0, 0]);
            call(number::EXIT_GROUP, [134, 0, 0, 0, 0, 0]);
        }
    }
}
