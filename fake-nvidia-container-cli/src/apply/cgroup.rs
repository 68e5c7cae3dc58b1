//! The container's device cgroup, where the machine has that of version 1: a line written into it lets the container open
//! a device. Version 2 would take a program for the kernel, and there everything stays as the engine made it.
//!
//! A rule that cannot be written is passed over: the container then says "operation not permitted" where it would have
//! said that there is no such device.

use crate::plan::{Op, Plan};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Devices to allow, and the file that takes them.
#[derive(Debug, Default)]
pub(super) struct Devices {
    file: Option<PathBuf>,
    rules: Vec<String>,
}

impl Devices {
    /// The devices of a plan, for the cgroup of a process.
    pub(super) fn of(plan: &Plan, pid: i32) -> Self {
        let rule = |op: &Op| match op {
            Op::CgroupAllow { major, minor } => Some(format!("c {major}:{minor} rw")),
            _ => None,
        };
        let rules: Vec<String> = plan.recorded().into_iter().filter_map(rule).collect();
        let file = if rules.is_empty() { None } else { file(pid) };
        Self { file, rules }
    }

    /// Writes the rules, each in a write of its own as the kernel wants it.
    pub(super) fn allow(&self) {
        let Some(file) = &self.file else { return };
        for rule in &self.rules {
            let opened = OpenOptions::new().write(true).custom_flags(nix::libc::O_NOFOLLOW).open(file);
            let _ = opened.and_then(|mut file| file.write_all(rule.as_bytes()));
        }
    }
}

/// The file of a process's group; `None` if it shares the group with this program, whose own is not to be changed.
fn file(pid: i32) -> Option<PathBuf> {
    let of = |who: &str| fs::read_to_string(format!("/proc/{who}/cgroup")).ok();
    let group = group(&of(&pid.to_string())?)?.to_owned();
    if of("self").as_deref().and_then(self::group) == Some(group.as_str()) {
        return None;
    }
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let (root, mount) = table.lines().find_map(hierarchy)?;
    let below = group.strip_prefix(root.trim_end_matches('/')).unwrap_or(&group);
    Some(PathBuf::from(format!("{mount}{below}/devices.allow")))
}

/// The path of the group that has the controller `devices`.
fn group(table: &str) -> Option<&str> {
    table.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        controllers.split(',').any(|name| name == "devices").then(|| fields.next())?
    })
}

/// Root and mount point of a line of mountinfo, if it shows that controller.
fn hierarchy(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let mut kind = after.split(' ');
    let (name, options) = (kind.next()?, kind.nth(1)?);
    let mut fields = before.split(' ').skip(3);
    let found = (fields.next()?, fields.next()?);
    (name == "cgroup" && options.split(',').any(|option| option == "devices")).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_is_found_alone_and_among_others() {
        let table = "12:cpu,cpuacct:/x\n5:devices:/docker/1:2\n0::/y\n";
        assert_eq!(group(table), Some("/docker/1:2"));
        assert_eq!(group("0::/y\n"), None);
        let line = "30 25 0:26 /sub /sys/fs/cgroup/devices rw,nosuid shared:9 - cgroup cgroup rw,devices";
        assert_eq!(hierarchy(line), Some(("/sub", "/sys/fs/cgroup/devices")));
        assert_eq!(hierarchy("30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"), None);
    }
}
