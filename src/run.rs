//! Carries out a command line: the only place that prints, and the only one that hands a plan to [`crate::exec`]. Must
//! not decide anything about a container.
#![expect(clippy::disallowed_methods, reason = "the one place that prints")]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use crate::config;
use crate::contract::TOOLKIT_RELEASE;
use crate::error::Error;
use crate::exec;
use crate::host::{RealHost, StateStream};
use crate::invocation::Environ;
use crate::invocation::{self, Command, Invocation, UsageError};
use crate::note;
use crate::prestart::{self, Decision, Texts, Trail};
use crate::signals;
use crate::text::{Escaped, Excerpt, shell_word};

const USAGE: &str = "\
Usage of nvidia-container-runtime-hook:
  -config string
    \tconfiguration file
  -debug
    \tenable debug output
  -version
    \tenable version output

Commands:
  prestart
        run the prestart hook
  poststart
        no-op
  poststop
        no-op

See also: nvidia-hookctl, which shows what would be executed and what may be wrong.
";

/// Runs the hook on the arguments after the program's name; `is_root` says whether its effective user is 0. Returns the
/// exit status: 0 done or nothing to do, 1 failed, 2 wrong usage. After a successful `prestart` of a GPU container it
/// does not return.
#[must_use]
pub fn run(arguments: &[&OsStr], environ: Environ<'_>, is_root: bool, stdin: BorrowedFd<'_>) -> u8 {
    let (flags, command) = match invocation::parse(arguments) {
        Ok(parsed) => parsed,
        Err(UsageError(message)) => {
            print_error(&message.map(|text| format!("{}\n", Excerpt(&text))).unwrap_or_default());
            print_error(USAGE);
            return 2;
        }
    };
    match command {
        Command::Prestart => prestart(&Invocation { flags, environ }, is_root, stdin),
        Command::Nothing => 0,
        Command::Version => {
            // Version and words are one literal, so the version of an installed program can be read from its file.
            answer(&format!(
                concat!(
                    "NVIDIA Container Runtime Hook version ",
                    env!("CARGO_PKG_VERSION"),
                    "\ncontract: NVIDIA Container Toolkit {}\n"
                ),
                TOOLKIT_RELEASE
            ))
        }
        Command::Help => {
            print_error(USAGE);
            0
        }
    }
}

/// Serves one container: exit status 0 or 1, unless this process becomes `nvidia-container-cli`.
fn prestart(invocation: &Invocation<'_>, is_root: bool, stdin: BorrowedFd<'_>) -> u8 {
    let host = RealHost::new(invocation.flags.host_root.map(PathBuf::from)).seen_by_root(is_root);
    let (texts, mut trail) = (Texts::default(), Trail::default());
    let decision = prestart::decide(invocation, &mut StateStream::new(stdin), &host, &texts, &mut trail);
    note(invocation, &trail, decision.as_ref(), &host);
    if let Some(warning) = decision.as_ref().ok().and_then(|decision| decision.warning(&trail)) {
        print_error(&format!("{}\n", Escaped(&warning)));
    }
    // The refusal of a mode says which one it is.
    if let (true, Some(mode)) = (invocation.flags.debug, &trail.mode)
        && mode.name().is_some()
        && !matches!(decision, Err(Error::Mode { .. }))
    {
        print_error(&format!("{mode}\n"));
    }
    match decision {
        Ok(Decision::Nothing(_)) => 0,
        Ok(Decision::Execute(plan)) => {
            let Err(error) = exec::replace(&plan, &host);
            note(invocation, &trail, Err(&error), &host);
            fail(&error, &trail, invocation)
        }
        Err(error) => fail(&error, &trail, invocation),
    }
}

/// Writes a line about the start if one is asked for. Failing to write it never fails a start.
fn note(invocation: &Invocation<'_>, trail: &Trail<'_>, decision: Result<&Decision<'_>, &Error>, host: &RealHost) {
    if let (Err(cause), true) = (note::write(invocation, trail, decision, host), invocation.flags.debug) {
        print_error(&format!("{}\n", Escaped(&format!("the note of this start could not be written: {cause}"))));
    }
}

/// Ends the hook when memory runs out, without allocating any. No destructor runs: none has an effect that outlives the
/// process.
pub fn out_of_memory() -> ! {
    const MESSAGE: &[u8] = b"out of memory: the hook could not hold its inputs (container state, config.json, configuration); raise the memory limit under which the runtime starts it\n";
    let _ = signals::held_back(|| Ok(nix::unistd::write(io::stderr(), MESSAGE)?));
    exec::end(1)
}

fn fail(error: &Error, trail: &Trail<'_>, invocation: &Invocation<'_>) -> u8 {
    if let Some(line) = error.preamble() {
        print_error(&format!("{}\n", Escaped(line)));
    }
    print_error(&format!("{}\n", Escaped(&error.to_string())));
    if let Some(state) = &trail.state {
        print_error(&format!("{}\n", Escaped(&hint(&state.bundle, trail, invocation))));
    }
    1
}

/// The command that shows why a container failed, on the machine and with the file of this start.
fn hint(bundle: &str, trail: &Trail<'_>, invocation: &Invocation<'_>) -> String {
    let mut hint = format!("see: nvidia-hookctl explain --bundle {}", shell_word(bundle));
    let file = trail.config.as_ref().and_then(|config| config.file());
    if let (true, Some(file)) = (config::is_named(invocation), file) {
        let _ = write!(hint, " --config {}", shell_word(&file.path.to_string_lossy()));
    }
    if let Some(root) = invocation.flags.host_root {
        let _ = write!(hint, " --host-root {}", shell_word(&root.to_string_lossy()));
    }
    hint
}

/// Writes to stderr. Write errors are ignored: a stderr that is closed, or that nobody reads any more, must not decide
/// how a start ends.
fn print_error(text: &str) {
    let _ = signals::held_back(|| io::stderr().write_all(text.as_bytes()));
}

/// Writes an answer to stdout; returns status 1 if that fails.
fn answer(text: &str) -> u8 {
    u8::from(io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).is_err())
}
