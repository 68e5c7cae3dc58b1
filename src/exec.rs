//! The only file that replaces or ends this process. It calls `execve` directly, which passes the environment on as it
//! is: in order and with duplicates. The standard library's `Command` would sort the environment, and would fork.
//! Signal dispositions, signal mask, umask, working directory and descriptors 0 to 2 pass through untouched, unless one
//! of the three is closed. `execve` closes every other descriptor, inherited or opened here.
#![expect(clippy::disallowed_methods, reason = "the one place where a program is started")]

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::error::Error;
use crate::host::{Host, RealHost, path_of};
use crate::plan::Plan;

/// What is opened in place of a closed descriptor.
const NOTHING: &str = "/dev/null";

/// Becomes the program of a plan. Returns only on failure.
///
/// # Errors
/// [`Error::ClosedStreams`], [`Error::Exec`].
pub fn replace(plan: &Plan<'_>, host: &RealHost) -> Result<Infallible, Error> {
    let program = path_of(&plan.program);
    let failed = |cause: io::Error| Error::Exec { program: program.to_path_buf(), key: plan.program_key, cause };
    let path = CString::new(host.locate(program).as_os_str().as_bytes()).map_err(|nul| failed(nul.into()))?;
    let argv: Vec<_> = plan.arguments.iter().map(|argument| argument.text.as_c_str()).collect();
    let envp: Vec<_> = plan.environment.iter().map(|entry| entry.text.as_ref()).collect();
    if host.has_closed_streams() {
        fill_closed_streams().map_err(Error::ClosedStreams)?;
    }
    close_others_on_exec();
    nix::unistd::execve(&path, &argv, &envp).map_err(|errno| failed(errno.into()))
}

/// Makes `execve` close every descriptor above 2: descriptors that the engine left open are not meant for the program.
/// Before Linux 5.11, and under a seccomp filter that does not know the call, they stay open, as the engine left them.
#[expect(unsafe_code, reason = "no crate of the hook wraps this system call")]
fn close_others_on_exec() {
    const FIRST: nix::libc::c_uint = 3;
    // SAFETY: the call takes three numbers, and marks descriptors without closing any.
    let _ = unsafe {
        nix::libc::syscall(nix::libc::SYS_close_range, FIRST, nix::libc::c_uint::MAX, nix::libc::CLOSE_RANGE_CLOEXEC)
    };
}

/// Ends this process at once.
#[expect(unsafe_code, reason = "the standard library ends a process only through code that may ask for memory")]
pub fn end(status: i32) -> ! {
    // SAFETY: the call takes a number and does not return.
    unsafe { nix::libc::_exit(status) }
}

/// Opens `/dev/null` on each closed descriptor from 0 to 2. Otherwise the first file that the program opens would take
/// the free number and become its standard output or error.
fn fill_closed_streams() -> io::Result<()> {
    loop {
        let nothing = nix::fcntl::open(NOTHING, OFlag::O_RDWR, Mode::empty())?;
        if nothing.as_raw_fd() > nix::libc::STDERR_FILENO {
            return Ok(());
        }
        // The descriptor stays open for the program.
        let _ = nothing.into_raw_fd();
    }
}
