//! Writes that may raise a signal: to a pipe that nobody reads any more, beyond the limit of file sizes. Such a write is to
//! fail, not to end the process, and the program that is executed must find its signals as the engine left them. So the
//! signal is held back for the time of the write; no disposition is ever changed. Must not know what is written.

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that a write may raise, and the error that it fails with then.
const RAISED: [(Signal, Errno); 2] = [(Signal::SIGPIPE, Errno::EPIPE), (Signal::SIGXFSZ, Errno::EFBIG)];

/// Makes a write that fails by its error alone: two system calls more.
///
/// # Errors
/// Those of the write; and that signals cannot be held back, which no system says.
pub fn held_back<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let signals: SigSet = RAISED.iter().map(|(signal, _)| *signal).collect();
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let written = write();
    let errno = written.as_ref().err().and_then(io::Error::raw_os_error).map(Errno::from_raw);
    let raised = RAISED.iter().find(|(signal, error)| errno == Some(*error) && !before.contains(*signal));
    // Who was already holding it back would have found it waiting, too.
    if raised.is_none_or(|(signal, _)| take(*signal).is_ok()) {
        before.thread_set_mask()?;
    }
    written
}

/// Takes a signal that waits, if it does.
fn take(signal: Signal) -> nix::Result<()> {
    let waiting = SignalFd::with_flags(&SigSet::from(signal), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    waiting.read_signal().map(drop)
}
