//! The environment that `nvidia-container-cli` gets (SPEC sections 12 and 13): the engine's, in its order and with its
//! duplicates, changed only where the contract says so. Nothing from the container gets here.

use std::borrow::Cow;
use std::ffi::{CStr, CString};

use crate::config::Config;

use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::error::Error;
use crate::invocation::{Environ, is_entry_of};

/// One entry of the environment that is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// `NAME=VALUE`, or whatever the engine set.
    pub text: Cow<'a, CStr>,
    /// The configuration or the search; `None` if the entry is inherited.
    pub origin: Option<Origin>,
}

/// Variables that make loaders and interpreters run code other than their program's.
const LOADER_VARIABLES: [&[u8]; 22] = [
    // Variables that glibc drops, or used to drop, for a program with elevated privileges: sysdeps/generic/unsecvars.h.
    b"GCONV_PATH",
    b"GETCONF_DIR",
    b"GLIBC_TUNABLES",
    b"HOSTALIASES",
    b"LOCALDOMAIN",
    b"LOCPATH",
    b"NIS_PATH",
    b"NLSPATH",
    b"RESOLV_HOST_CONF",
    b"RES_OPTIONS",
    b"TMPDIR",
    b"TZDIR",
    // Shells: the program may be a wrapper script.
    b"BASH_ENV",
    b"BASHOPTS",
    b"CDPATH",
    b"ENV",
    b"GLOBIGNORE",
    b"IFS",
    b"PS4",
    b"SHELLOPTS",
    // Other interpreters.
    b"NODE_OPTIONS",
    b"NODE_PATH",
];
/// The prefixes of such variables: loaders, glibc's memory, libnvidia-container, bash functions, Python, Perl, Ruby.
const LOADER_PREFIXES: [&[u8]; 7] = [b"LD_", b"MALLOC_", b"NVC_", b"BASH_FUNC_", b"PYTHON", b"PERL", b"RUBY"];

/// The environment for the program. The inherited entries come first, without loader variables if the configuration
/// says so, and with `PATH` set to the search path if the program was searched for. The configured entries follow, in
/// place of entries of the same name.
///
/// # Errors
/// [`Error::Nul`].
pub fn for_program<'a>(
    config: &Config<'_>,
    inherited: Environ<'a>,
    search_path: Option<&[u8]>,
) -> Result<Vec<Entry<'a>>, Error> {
    let configured = config.list(Key::CliEnvironment);
    let sanitize = config.flag(Key::HookSanitizeEnvironment);
    let mut entries: Vec<Entry<'a>> = inherited
        .0
        .iter()
        .filter(|entry| !(sanitize && is_loader_variable(entry.to_bytes())))
        .map(|entry| Entry { text: Cow::Borrowed(*entry), origin: None })
        .collect();
    if let Some(path) = search_path {
        let entry = entry([b"PATH=", path].concat(), Origin::Fixed)?;
        match entries.iter_mut().find(|old| is_entry_of(old.text.to_bytes(), b"PATH")) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }
    for text in configured {
        let name = text.split('=').next().unwrap_or_default().as_bytes();
        entries.retain(|old| !is_entry_of(old.text.to_bytes(), name));
        entries.push(entry(text.as_bytes().to_vec(), config.origin(Key::CliEnvironment))?);
    }
    Ok(entries)
}

fn entry<'a>(text: Vec<u8>, origin: Origin) -> Result<Entry<'a>, Error> {
    let name = String::from_utf8_lossy(text.split(|byte| *byte == b'=').next().unwrap_or_default()).into_owned();
    match CString::new(text) {
        Ok(text) => Ok(Entry { text: Cow::Owned(text), origin: Some(origin) }),
        Err(_) => Err(Error::Nul { what: format!("the environment variable {name}") }),
    }
}

fn is_loader_variable(entry: &[u8]) -> bool {
    LOADER_VARIABLES.iter().any(|name| is_entry_of(entry, name))
        || LOADER_PREFIXES.iter().any(|prefix| entry.starts_with(prefix))
}
