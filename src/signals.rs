//! Writes that can raise a signal: to a pipe that nobody reads any more, or beyond the file size limit. Such a write
//! must fail rather than end the process, and the executed program must find its signals as the engine left them. So
//! the signal is blocked during the write; no disposition is ever changed. Must not know what is written.

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that a write can raise, and the error with which it then fails.
const RAISED: [(Signal, Errno); 2] = [(Signal::SIGPIPE, Errno::EPIPE), (Signal::SIGXFSZ, Errno::EFBIG)];

/// Makes a write that fails only by its error, at the cost of two more system calls.
///
/// # Errors
/// Those of the write, and a failure to block signals, which no system reports.
pub fn held_back<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let signals: SigSet = RAISED.iter().map(|(signal, _)| *signal).collect();
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let written = write();
    let errno = written.as_ref().err().and_then(io::Error::raw_os_error).map(Errno::from_raw);
    let raised = RAISED.iter().find(|(signal, error)| errno == Some(*error) && !before.contains(*signal));
    // A signal that was already blocked stays pending, as it would have without this function.
    if raised.is_none_or(|(signal, _)| take(*signal).is_ok()) {
        before.thread_set_mask()?;
    }
    written
}

/// Takes a pending signal, if there is one.
fn take(signal: Signal) -> nix::Result<()> {
    let waiting = SignalFd::with_flags(&SigSet::from(signal), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    waiting.read_signal().map(drop)
}
