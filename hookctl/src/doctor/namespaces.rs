//! The user namespace in which the host is seen: whether the hook has the ids and rights it needs there. Must not know
//! drivers or how control groups are mounted.

use hook::contract::keys::Key;

use super::examination::Examination;
use super::states::{NESTED_CGROUPS, ROOTLESS, SINGLE_ID_MAP};
use super::surroundings::Around;
use crate::finding::Severity;
use crate::inspect::Inspect;

/// The check.
pub fn check(examination: &mut Examination<'_>) {
    let id = "rootless";
    if !examination.surroundings.is_running {
        return;
    }
    let setgroups = examination.host.text("/proc/self/setgroups").unwrap_or_default();
    let is_denied = examination.surroundings.mapped_ids.is_some() && setgroups.trim() == "deny";
    let groups = examination.surroundings.mapped_groups;
    if examination.surroundings.mapped_ids == Some(1) || groups == Some(1) || is_denied {
        let seen = match (examination.surroundings.mapped_ids, is_denied) {
            _ if groups == Some(1) && examination.surroundings.mapped_ids != Some(1) => {
                "only one group id is mapped (/proc/self/gid_map)"
            }
            (Some(1), true) => "only one user id is mapped (/proc/self/uid_map), and setgroups is denied",
            (Some(1), false) => "only one user id is mapped (/proc/self/uid_map)",
            _ => "setgroups is denied in this user namespace",
        };
        let message = format!(
            "{seen}, so the helper of nvidia-container-cli cannot change its user (\"driver error: failed to process \
             request\")"
        );
        examination.found(&SINGLE_ID_MAP, message);
        return;
    }
    let Some(who) = examination.surroundings.user.clone() else {
        examination.ok(id, "no: root of the host");
        return;
    };
    if examination.config.flag(Key::CliNoCgroups) {
        examination.ok(id, format!("yes, {who}, and no-cgroups is true"));
        return;
    }
    if examination.config.text(Key::HookRootless) == "auto" {
        examination.ok(id, format!("yes, {who}, and rootless is auto, so that a start leaves control groups alone"));
        return;
    }
    // In its own user namespace the hook always fails; a plain user may start containers through a daemon of root.
    let severity = if examination.surroundings.mapped_ids.is_some() { Severity::Error } else { Severity::Warning };
    if let Around::Container(kind) = examination.surroundings.around {
        let message = format!(
            "this is an unprivileged container ({kind}), where the hook may not change control groups (\"failed to add \
             device rules\")"
        );
        examination.found_as(severity, &NESTED_CGROUPS, message, NESTED_CGROUPS.remedy);
    } else {
        let message = format!(
            "yes, {who}: the hook of a rootless engine may not change control groups (\"bpf_prog_query failed\")"
        );
        examination.found_as(severity, &ROOTLESS, message, ROOTLESS.remedy);
    }
}
