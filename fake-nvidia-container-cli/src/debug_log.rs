//! The file of `--debug`: what the simulator did, in the real program's format. It knows only a finished run.
//!
//! Like the real one, it is appended to. A file that cannot be opened is silently skipped, and so is a FIFO without a
//! reader.

use crate::cli::{Parsed, Version};
use crate::outcome::Outcome;
use crate::plan::{Op, Plan};
use nvidia_simulated_machine::text::path;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Appends the log of a run that reached the library; before that, the real program opens no log either.
pub fn write(file: &str, version: Version, parsed: &Parsed, plan: &Plan, outcome: &Outcome) {
    let Some(driver) = plan.recorded().into_iter().find(|op| matches!(op, Op::DriverInit { .. })) else { return };
    let Op::DriverInit { root, uid, gid } = driver else { return };
    let ldcache = parsed.ldcache.as_deref().unwrap_or("/etc/ld.so.cache");
    let mut lines = vec![
        ("nvc.c", format!("initializing library context (version={version}, build=simulated)")),
        ("nvc.c", format!("using root {root}")),
        ("nvc.c", format!("using ldcache {ldcache}")),
        ("nvc.c", format!("using unprivileged user {uid}:{gid}")),
    ];
    if let Some(flags) = &parsed.container_flags {
        lines.push(("nvc_container.c", format!("configuring container with '{flags}'")));
    }
    lines.extend(plan.recorded().into_iter().filter_map(line));
    let mut text = "\n-- WARNING, the following logs are for debugging purposes only --\n\n".to_owned();
    let (stamp, process) = (stamp(), std::process::id());
    for (source, line) in lines {
        text.push_str(&format!("I{stamp} {process} {source}:0] {line}\n"));
    }
    if outcome.exit == 0 {
        text.push_str(&format!("I{stamp} {process} nvc.c:0] shutting down library context\n"));
    }
    if let Ok(mut file) =
        OpenOptions::new().append(true).create(true).custom_flags(nix::libc::O_NONBLOCK).open(path(file))
    {
        let _ = file.write_all(&nvidia_simulated_machine::text::bytes(&text));
    }
}

fn line(op: &Op) -> Option<(&'static str, String)> {
    Some(match op {
        Op::Modprobe { module } => ("nvc.c", format!("loading kernel module {module}")),
        Op::Mknod { what, minor } => {
            ("nvc.c", format!("running mknod for {what}{}", minor.map(|m| m.to_string()).unwrap_or_default()))
        }
        Op::Tmpfs { dst, .. } => ("nvc_mount.c", format!("mounting tmpfs at {dst}")),
        Op::Bind { src, dst, .. } => ("nvc_mount.c", format!("mounting {src} at {dst}")),
        Op::CgroupAllow { major, minor } => ("nvc_mount.c", format!("whitelisting device node {major}:{minor}")),
        Op::Ldconfig { path, .. } => ("nvc_ldcache.c", format!("executing {path}")),
        Op::DriverInit { .. } => return None,
    })
}

/// Month, day and time (UTC), as in `1124 07:58:01.123456`.
fn stamp() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (month, day) = month_and_day(days);
    let micros = since.subsec_micros();
    format!("{month:02}{day:02} {:02}:{:02}:{:02}.{micros:06}", second / 3600, second / 60 % 60, second % 60)
}

/// The month and day of a day counted from 1970, using eras of 400 years that start on the first of March.
fn month_and_day(days: u64) -> (u64, u64) {
    let day_of_era = (days + 719_468) % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (days, date) in [(0, (1, 1)), (58, (2, 28)), (59, (3, 1)), (11_016, (2, 29)), (20_781, (11, 24))] {
            assert_eq!(month_and_day(days), date, "{days}");
        }
    }
}
