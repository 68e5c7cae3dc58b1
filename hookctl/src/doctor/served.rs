//! A host that CDI serves and that has no hook: what only the hook needs is worth a note there, and no more. Must not
//! know how a state is found.

use super::examination::{has_host_hook, has_operator_toolkit};
use super::states::{
    CLI_LIBRARY_MISSING, CLI_MISSING, CLI_NOT_EXECUTABLE, CLI_OLDER_THAN_HOOK, DRIVER_ELSEWHERE, LDCACHE_MISSING,
    LDCACHE_STALE, LDCACHE_UNREADABLE, LDCONFIG_IS_A_SCRIPT, LDCONFIG_IS_DYNAMIC, LDCONFIG_MISSING,
    LDCONFIG_WRONG_ARCHITECTURE, LIBRARIES_MISSING, State,
};
use crate::cdi;
use crate::finding::{Finding, Severity};
use crate::tree::Tree;

/// What nvidia-container-cli needs of a host. A specification names the driver's files by their paths, which are checked.
static OF_HOOK: [&State; 13] = [
    &CLI_LIBRARY_MISSING,
    &CLI_MISSING,
    &CLI_NOT_EXECUTABLE,
    &CLI_OLDER_THAN_HOOK,
    &DRIVER_ELSEWHERE,
    &LDCACHE_MISSING,
    &LDCACHE_STALE,
    &LDCACHE_UNREADABLE,
    &LDCONFIG_IS_A_SCRIPT,
    &LDCONFIG_IS_DYNAMIC,
    &LDCONFIG_MISSING,
    &LDCONFIG_WRONG_ARCHITECTURE,
    &LIBRARIES_MISSING,
];

/// Makes notes of the states that such a host can live with.
pub fn relieve(host: &Tree, checks: &mut [Finding]) {
    let has_hook = has_host_hook(host) || has_operator_toolkit(host);
    if has_hook || !cdi::has_gpus(host, &cdi::DIRECTORIES.map(str::to_owned)) {
        return;
    }
    for finding in checks.iter_mut().filter(|finding| finding.severity > Severity::Note) {
        if OF_HOOK.iter().any(|state| state.id == finding.id) {
            finding.severity = Severity::Note;
            "nothing while CDI serves this host: only the hook, which is not installed, needs it"
                .clone_into(&mut finding.remedy);
        }
    }
}
