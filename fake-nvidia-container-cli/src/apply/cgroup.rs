//! The container's device cgroup, if the machine has version 1: a line written to it lets the container open a device.
//! Version 2 would need a program in the kernel, so there everything stays as the engine made it.
//!
//! A rule that cannot be written is skipped: the container then reports "operation not permitted" where it would have
//! reported that there is no such device.

use crate::plan::{Op, Plan};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Devices to allow, and the file that takes them.
#[derive(Debug, Default)]
pub(super) struct Devices {
    file: Option<PathBuf>,
    rules: Vec<String>,
}

impl Devices {
    /// The devices of a plan, for the cgroup of a process as a folder like /proc shows it.
    pub(super) fn of(plan: &Plan, proc: &Path, pid: i32) -> Self {
        let rule = |op: &Op| match op {
            Op::CgroupAllow { major, minor } => Some(format!("c {major}:{minor} rw")),
            _ => None,
        };
        let rules: Vec<String> = plan.recorded().into_iter().filter_map(rule).collect();
        let file = if rules.is_empty() { None } else { file(proc, pid) };
        Self { file, rules }
    }

    /// Writes the rules, one write each as the kernel requires.
    pub(super) fn allow(&self) {
        let Some(file) = &self.file else { return };
        for rule in &self.rules {
            let opened = OpenOptions::new().write(true).custom_flags(nix::libc::O_NOFOLLOW).open(file);
            let _ = opened.and_then(|mut file| file.write_all(rule.as_bytes()));
        }
    }
}

/// The file of a process's group; `None` if it is in this program's own group, which must not be changed.
fn file(proc: &Path, pid: i32) -> Option<PathBuf> {
    let of = |who: &str| fs::read_to_string(proc.join(who).join("cgroup")).ok();
    let group = group(&of(&pid.to_string())?)?.to_owned();
    if of("self").as_deref().and_then(self::group) == Some(group.as_str()) {
        return None;
    }
    let table = fs::read_to_string(proc.join("self/mountinfo")).ok()?;
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

/// The root and the mount point on a line of mountinfo, if it shows that controller.
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
    use crate::plan::Action;

    #[test]
    fn the_controller_is_found_alone_and_among_others() {
        let table = "12:cpu,cpuacct:/x\n5:devices:/docker/1:2\n0::/y\n";
        assert_eq!(group(table), Some("/docker/1:2"));
        assert_eq!(group("0::/y\n"), None);
        let line = "30 25 0:26 /sub /sys/fs/cgroup/devices rw,nosuid shared:9 - cgroup cgroup rw,devices";
        assert_eq!(hierarchy(line), Some(("/sub", "/sys/fs/cgroup/devices")));
        for other in ["cgroup2 cgroup2 rw", "cgroup2 cgroup2 rw,devices", "cgroup cgroup rw,cpu", "cgroup cgroup rw"] {
            assert_eq!(hierarchy(&format!("30 25 0:26 / /sys/fs/cgroup rw - {other}")), None, "{other}");
        }
    }

    /// Makes a /proc of a container and of this program. Returns what was written for the devices of a plan,
    /// concatenated.
    fn written(own: &str, actions: Vec<Action>) -> String {
        let top = tempfile::tempdir().unwrap();
        for folder in ["proc/self", "proc/7", "devices/engine/box"] {
            fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        let at = top.path().join("devices").display().to_string();
        let table = format!("1 1 0:1 / / rw - ext4 disk rw\n2 1 0:2 /docker {at} rw - cgroup cgroup rw,devices\n");
        fs::write(top.path().join("proc/self/mountinfo"), table).unwrap();
        fs::write(top.path().join("proc/self/cgroup"), own).unwrap();
        fs::write(top.path().join("proc/7/cgroup"), "5:devices:/docker/engine/box\n").unwrap();
        // A pipe keeps every write; a file would keep only the last.
        let file = top.path().join("devices/engine/box/devices.allow");
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut reader = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(file).unwrap();
        Devices::of(&Plan { actions }, &top.path().join("proc"), 7).allow();
        let mut written = String::new();
        std::io::Read::read_to_string(&mut reader, &mut written).unwrap();
        written
    }

    #[test]
    fn each_device_of_a_plan_is_a_line_for_the_group_of_the_container() {
        let allow = |minor| Action::Op(Op::CgroupAllow { major: 195, minor });
        let link = Action::Folder("/dev".to_owned().into());
        let plan = || vec![allow(255), link.clone(), allow(0)];
        assert_eq!(written("5:devices:/\n", plan()), "c 195:255 rwc 195:0 rw");
        assert_eq!(written("0::/\n", plan()), "c 195:255 rwc 195:0 rw");
        assert_eq!(written("5:devices:/docker/engine/box\n", plan()), "");
        assert_eq!(written("5:devices:/\n", vec![link.clone()]), "");
    }
}
