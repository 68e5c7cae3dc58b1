//! The only file that replaces this process. `execve` itself, since it hands the environment on as it is: in order,
//! with duplicates. The standard library's `Command` would sort it, and would fork. Signal dispositions, mask, umask,
//! working directory and descriptors 0 to 2 pass untouched; everything that the hook opens is close-on-exec.
#![expect(clippy::disallowed_methods, reason = "the one place where a program is started")]

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use crate::error::Error;
use crate::host::{Host, path_of};
use crate::plan::Plan;

/// Becomes the program of a plan. Returns only when that fails.
///
/// # Errors
/// [`Error::Exec`].
pub fn replace(plan: &Plan<'_>, host: &dyn Host) -> Result<Infallible, Error> {
    let program = path_of(&plan.program);
    let failed = |cause: io::Error| Error::Exec { program: program.to_path_buf(), key: plan.program_key, cause };
    let path = CString::new(host.locate(program).as_os_str().as_bytes()).map_err(|nul| failed(nul.into()))?;
    let argv: Vec<_> = plan.arguments.iter().map(|argument| argument.text.as_c_str()).collect();
    let envp: Vec<_> = plan.environment.iter().map(|entry| entry.text.as_ref()).collect();
    nix::unistd::execve(&path, &argv, &envp).map_err(|errno| failed(errno.into()))
}
