//! How the hook was started: its command line (SPEC section 2), with flags in Go's dialect before the command, and its
//! own environment. Must not know what a command does.
//!
//! Go's `flag` package accepts one dash or two, `-name value` and `-name=value`, a bare boolean or `-name=BOOL`, and
//! stops at `--` or the first word that is not a flag (`-` alone is such a word). It has neither clusters nor
//! abbreviations. Any form of `help` or `h` asks for help, whatever its value.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

use crate::text::go_bool;

/// How the hook was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Invocation<'a> {
    /// The flags before the command.
    pub flags: Flags<'a>,
    /// The hook's own environment.
    pub environ: Environ<'a>,
}

/// The environment of this process: its entries as the kernel handed them over, including those without `=`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environ<'a>(pub &'a [&'a CStr]);

impl<'a> Environ<'a> {
    /// The value of the first entry with a name.
    #[must_use]
    pub fn get(self, name: &[u8]) -> Option<&'a [u8]> {
        self.0
            .iter()
            .map(|entry| entry.to_bytes())
            .find(|entry| is_entry_of(entry, name))
            .and_then(|e| e.get(name.len() + 1..))
    }
}

/// Whether an entry is `NAME=...` for this name.
#[must_use]
pub fn is_entry_of(entry: &[u8], name: &[u8]) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// The values of the flags that were given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags<'a> {
    /// `-config PATH`.
    pub config: Option<&'a OsStr>,
    /// `-debug`.
    pub debug: bool,
    /// `-version`.
    pub version: bool,
    /// `-host-root DIR`, ours: the tree that stands in for the machine, in tests and offline.
    pub host_root: Option<&'a OsStr>,
}

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Give the container what it asks for.
    Prestart,
    /// `poststart`, `poststop`: do nothing.
    Nothing,
    /// Print the version.
    Version,
    /// Print the usage on request.
    Help,
}

/// An invalid command line: usage on stderr and exit status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(
    /// What is wrong, if there is more to say than the usage.
    pub Option<String>,
);

/// The commands of nvidia-hookctl, which explains and checks the hook. Administrators may try them here.
const HOOKCTL_COMMANDS: [&str; 7] = ["explain", "check", "doctor", "why", "capture", "replay", "oci-hook"];

/// Reads the arguments after the program's name.
///
/// # Errors
/// [`UsageError`].
pub fn parse<'a>(arguments: &'a [&'a OsStr]) -> Result<(Flags<'a>, Command), UsageError> {
    let mut flags = Flags::default();
    let mut rest = arguments;
    while let Some((flag, after)) = next_flag(&mut rest)? {
        rest = after;
        match flag.name {
            b"h" | b"help" => return Ok((flags, Command::Help)),
            b"debug" => flags.debug = flag.boolean()?,
            b"version" => flags.version = flag.boolean()?,
            b"config" => flags.config = Some(flag.text(&mut rest)?),
            b"host-root" => flags.host_root = Some(flag.absolute(&mut rest)?),
            _ => return Err(UsageError(Some(format!("flag provided but not defined: -{}", flag.shown())))),
        }
    }
    if flags.version {
        return Ok((flags, Command::Version));
    }
    let command = rest.first().and_then(|word| word.to_str()).ok_or(UsageError(None))?;
    match command {
        "prestart" => Ok((flags, Command::Prestart)),
        "poststart" | "poststop" => Ok((flags, Command::Nothing)),
        other if HOOKCTL_COMMANDS.contains(&other) => {
            Err(UsageError(Some(format!("{other} is a command of nvidia-hookctl: run nvidia-hookctl {other}"))))
        }
        _ => Err(UsageError(None)),
    }
}

struct Flag<'a> {
    name: &'a [u8],
    value: Option<&'a OsStr>,
}

/// The flag at the front of the arguments and what comes after it; `None`, with `--` consumed, at the end of the flags.
fn next_flag<'a>(rest: &mut &'a [&'a OsStr]) -> Result<Option<(Flag<'a>, &'a [&'a OsStr])>, UsageError> {
    let Some((word, after)) = rest.split_first() else { return Ok(None) };
    let Some(body) = word.as_bytes().strip_prefix(b"-").filter(|body| !body.is_empty()) else { return Ok(None) };
    if body == b"-" {
        *rest = after;
        return Ok(None);
    }
    let body = body.strip_prefix(b"-").unwrap_or(body);
    if matches!(body.first(), None | Some(b'-' | b'=')) {
        return Err(UsageError(Some(format!("bad flag syntax: {}", word.display()))));
    }
    let mut parts = body.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default();
    Ok(Some((Flag { name, value: parts.next().map(OsStr::from_bytes) }, after)))
}

impl<'a> Flag<'a> {
    fn shown(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }

    fn boolean(&self) -> Result<bool, UsageError> {
        let Some(value) = self.value else { return Ok(true) };
        value.to_str().and_then(go_bool).ok_or_else(|| {
            let value = value.display();
            UsageError(Some(format!("invalid boolean value \"{value}\" for -{}: parse error", self.shown())))
        })
    }

    /// The value after `=`, or the next argument, whatever it looks like.
    fn text(&self, rest: &mut &'a [&'a OsStr]) -> Result<&'a OsStr, UsageError> {
        if let Some(value) = self.value {
            return Ok(value);
        }
        let missing = || UsageError(Some(format!("flag needs an argument: -{}", self.shown())));
        let (value, after) = rest.split_first().ok_or_else(missing)?;
        *rest = after;
        Ok(value)
    }

    /// Like [`Flag::text`], for a path: a relative or empty one would depend on the runtime's working directory.
    fn absolute(&self, rest: &mut &'a [&'a OsStr]) -> Result<&'a OsStr, UsageError> {
        match self.text(rest)? {
            path if path.as_bytes().starts_with(b"/") => Ok(path),
            path => {
                Err(UsageError(Some(format!("-{} needs an absolute path, not \"{}\"", self.shown(), path.display()))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_machine_is_sought_in_the_working_directory() {
        let parsed = |words: &[&str]| {
            parse(&words.iter().map(OsStr::new).collect::<Vec<_>>())
                .map(|(flags, _)| flags.host_root.map(OsStr::to_owned))
        };
        assert_eq!(parsed(&["-host-root", "/tree", "prestart"]), Ok(Some("/tree".into())));
        for wrong in ["", ".", "tree"] {
            let message = format!("-host-root needs an absolute path, not \"{wrong}\"");
            assert_eq!(parsed(&["-host-root", wrong, "prestart"]), Err(UsageError(Some(message.clone()))));
            assert_eq!(parsed(&[&format!("--host-root={wrong}"), "prestart"]), Err(UsageError(Some(message))));
        }
    }

    #[test]
    fn who_asks_the_hook_for_a_command_of_hookctl_is_told_so() {
        for command in HOOKCTL_COMMANDS {
            let Err(UsageError(Some(message))) = parse(&[OsStr::new(command)]) else { panic!("{command}") };
            assert_eq!(message, format!("{command} is a command of nvidia-hookctl: run nvidia-hookctl {command}"));
        }
    }
}
