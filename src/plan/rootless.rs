//! Whether a start is that of the host's root, where the configuration leaves it to the machine (SPEC section 12). Must not
//! know what is passed because of it.

use std::io;
use std::path::Path;

use crate::config::Config;
use crate::contract::keys::Key;
use crate::contract::origin::{EFFECTIVE_USER, Origin, USER_NAMESPACE};
use crate::error::{Doubt, Error, Unanswered};
use crate::host::{Host, STATUS, present};

/// How the ids of a process's user namespace stand to those of the one above.
const UID_MAP: &str = "/proc/self/uid_map";
/// All ids, each as itself: the namespace in which the system was started.
const INITIAL: [&[u8]; 3] = [b"0", b"0", b"4294967295"];

/// What shows that the start is not that of the host's root; `None` where it is, or where nothing would follow from it.
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

/// Whether the user namespace has the ids of the host. A kernel without such namespaces has no file about them; one whose
/// ids are not set yet says nothing in it.
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
