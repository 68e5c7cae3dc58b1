//! The only file that replaces this process. `execve` itself, since it hands the environment on as it is: in order,
//! with duplicates. The standard library's `Command` would sort it, and would fork. Signal dispositions, mask, umask,
//! working directory and descriptors 0 to 2 pass untouched, unless one of the three is closed; everything that the hook
//! opens is close-on-exec.
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

/// What stands in for a closed descriptor.
const NOTHING: &str = "/dev/null";

/// Becomes the program of a plan. Returns only when that fails.
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
    nix::unistd::execve(&path, &argv, &envp).map_err(|errno| failed(errno.into()))
}

/// Opens `/dev/null` on each of the descriptors 0 to 2 that is closed. Left open, the first file that the program opens
/// would take its number, and become its standard output or error.
fn fill_closed_streams() -> io::Result<()> {
    loop {
        let nothing = nix::fcntl::open(NOTHING, OFlag::O_RDWR, Mode::empty())?;
        if nothing.as_raw_fd() > nix::libc::STDERR_FILENO {
            return Ok(());
        }
        // It stays open for the program.
        let _ = nothing.into_raw_fd();
    }
}
