//! Whether the host's root started the hook, if the configuration leaves that to the machine (SPEC section 12). Must
//! not know what is passed because of it.

use std::io;
use std::path::Path;

use crate::config::Config;
use crate::contract::keys::Key;
use crate::contract::origin::{EFFECTIVE_USER, Origin, USER_NAMESPACE};
use crate::error::{Doubt, Error, Unanswered};
use crate::host::{Host, STATUS, present};

/// How the ids of a process's user namespace map to the ids of its parent namespace.
const UID_MAP: &str = "/proc/self/uid_map";
/// All ids, each mapped to itself: the namespace in which the system was started.
const INITIAL: [&[u8]; 3] = [b"0", b"0", b"4294967295"];

/// What shows that the host's root did not start the hook; `None` if it did, or if the answer would change nothing.
///
/// # Errors
/// [`Error::Machine`].
#[inline(never)]
pub(super) fn find(config: &Config<'_>, host: &dyn Host) -> Result<Option<Origin>, Error> {
    let decides = !config.is_set(Key::CliUser) || !config.flag(Key::CliNoCgroups);
    if config.text(Key::HookRootless) != "auto" || !decides {
        return Ok(None);
    }
    let shown_by = |what| Ok(Some(Origin::Machine(Key::HookRootless, what)));
    if !has_initial_ids(host)? {
        return shown_by(USER_NAMESPACE);
    }
    match host.is_root().map_err(unanswered(Path::new(STATUS)))? {
        true => Ok(None),
        false => shown_by(EFFECTIVE_USER),
    }
}

/// Whether the user namespace has the host's ids. A kernel without user namespaces has no such file. In a namespace
/// whose ids are not set yet, the file is empty.
fn has_initial_ids(host: &dyn Host) -> Result<bool, Error> {
    let path = Path::new(UID_MAP);
    let Some(line) = present(host.first_line(path)).map_err(unanswered(path))? else { return Ok(true) };
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    match [words.next(), words.next(), words.next(), words.next()] {
        [None, ..] => Ok(false),
        [Some(inside), Some(outside), Some(count), None] => Ok([inside, outside, count] == INITIAL),
        _ => Err(unanswered(path)(io::Error::new(io::ErrorKind::InvalidData, "it is not a map of ids"))),
    }
}

fn unanswered(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |cause| Unanswered::of("open", path)(cause).leaves(Doubt::Rootless)
}
