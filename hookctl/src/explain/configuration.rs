//! Which configuration files were searched, by which rule, and what was found. Must not search again: the start has
//! read the one that counts, or has failed on it.

use super::report::{Configuration, Outcome, Searched};
use hook::config;
use hook::contract::variables::XDG_CONFIG_HOME;
use hook::error::Error;
use hook::invocation::Invocation;
use hook::prestart::Texts;

/// The part of the report about the configuration, from what a start read and the error it ended with.
pub fn searched(invocation: &Invocation<'_>, texts: &Texts, error: Option<&Error>) -> Configuration {
    let (paths, required) = config::searched(invocation);
    let mut configuration = Configuration { rule: rule(invocation, required), ..Configuration::default() };
    let read = texts.config().map(|file| file.path.as_path());
    let named = paths.first().cloned();
    let unreadable = match error {
        Some(Error::ConfigUnreadable { path, .. }) => Some(path.as_path()),
        Some(Error::ConfigRelative { .. }) => named.as_deref(),
        _ => None,
    };
    let mut rest = Outcome::Absent;
    for path in paths {
        let outcome = match () {
            () if read == Some(&path) => Outcome::Used,
            () if unreadable == Some(&path) => Outcome::Unusable,
            () => rest,
        };
        if outcome != Outcome::Absent {
            rest = Outcome::NotReached;
        }
        configuration.searched.push(Searched { path: path.display().to_string(), outcome });
    }
    configuration.file = read.map(|path| path.display().to_string());
    configuration
}

fn rule(invocation: &Invocation<'_>, required: bool) -> &'static str {
    let filled = |value: Option<usize>| value.is_some_and(|length| length > 0);
    match required {
        true if filled(invocation.flags.config.map(std::ffi::OsStr::len)) => "named by --config",
        true => "named by NVIDIA_CTK_CONFIG_FILE_PATH",
        false if filled(invocation.environ.get(XDG_CONFIG_HOME).map(<[u8]>::len)) => {
            "searched below XDG_CONFIG_HOME of this shell, which an engine's hooks may not have"
        }
        false => "searched in the default places",
    }
}
