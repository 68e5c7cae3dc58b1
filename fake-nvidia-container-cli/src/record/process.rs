//! What this process inherited: words, environment, descriptors, signals, namespaces. It is read from /proc before
//! anything else is opened, so the record shows what the caller did and not what we do.

use nvidia_simulated_machine::text::{Text, Utf8};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// The links under a process's `ns` folder.
pub(super) type Namespaces = BTreeMap<String, String>;

/// The process as it was started.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// All words, the program's name first.
    pub argv: Vec<Utf8>,
    /// All entries in order, duplicates and entries without `=` included.
    pub environ: Vec<Utf8>,
    /// The working directory it was started in.
    pub cwd: Option<Utf8>,
    /// The file of the running program.
    pub exe: Option<Utf8>,
    /// The process ID.
    pub pid: u32,
    /// The parent's process ID.
    pub ppid: i32,
    /// The real user.
    pub uid: u32,
    /// The effective user; if it differs, a set-user-ID bit is at work.
    pub euid: u32,
    /// The real group, as the caller had it.
    pub gid: u32,
    /// The effective group, which counts for permissions.
    pub egid: u32,
    /// The descriptors that were open at the start.
    pub fds: Vec<Descriptor>,
    /// What happens on signals.
    pub signals: Signals,
    /// The umask, in octal.
    pub umask: Option<String>,
    /// The namespaces it is in, by kind.
    namespaces: Namespaces,
}

/// A descriptor that was open at the start.
#[derive(Clone, Debug, Serialize)]
pub struct Descriptor {
    /// The descriptor's number.
    pub fd: u32,
    /// What the kernel calls its target.
    pub target: Utf8,
}

/// Signals whose treatment is not the default, by name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Signals {
    /// Signals that are ignored.
    pub ignored: Vec<String>,
    /// Signals that are blocked.
    pub blocked: Vec<String>,
    /// Signals that have a handler.
    pub caught: Vec<String>,
}

impl Process {
    /// Looks at this process. Its words come from C's `main`: not every C library passes them to Rust's standard
    /// library.
    #[must_use]
    pub fn look(arguments: &[&[u8]]) -> Self {
        // The descriptors first: everything else opens files.
        let fds = descriptors();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let link = |path: &str| fs::read_link(path).ok().map(|p| Utf8(Text::new(p.as_os_str().as_bytes())));
        Self {
            argv: arguments.iter().map(|word| Utf8(Text::new(word))).collect(),
            environ: environ(),
            cwd: link("/proc/self/cwd"),
            exe: link("/proc/self/exe"),
            pid: std::process::id(),
            ppid: nix::unistd::getppid().as_raw(),
            uid: nix::unistd::getuid().as_raw(),
            euid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getgid().as_raw(),
            egid: nix::unistd::getegid().as_raw(),
            fds,
            signals: Signals {
                ignored: signals(&status, "SigIgn:"),
                blocked: signals(&status, "SigBlk:"),
                caught: signals(&status, "SigCgt:"),
            },
            umask: field(&status, "Umask:").map(str::to_owned),
            namespaces: namespaces("self"),
        }
    }

    /// The value of a variable: if there are two entries, the first, as the C library finds it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environ.iter().filter_map(|e| e.0.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// The links of `/proc/WHO/ns`; empty if the process is gone or may not be inspected.
#[must_use]
pub(super) fn namespaces(who: &str) -> Namespaces {
    let Ok(folder) = fs::read_dir(format!("/proc/{who}/ns")) else { return Namespaces::new() };
    let names = folder.filter_map(Result::ok);
    let pairs = names.filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        Some((entry.file_name().into_string().ok()?, target.to_string_lossy().into_owned()))
    });
    pairs.collect()
}

/// `/proc/self/environ` keeps order, duplicates and odd entries, which the standard library drops.
fn environ() -> Vec<Utf8> {
    match fs::read("/proc/self/environ") {
        Ok(raw) => {
            let raw = raw.strip_suffix(&[0]).unwrap_or(&raw);
            if raw.is_empty() {
                Vec::new()
            } else {
                raw.split(|b| *b == 0).map(|entry| Utf8(Text::new(entry))).collect()
            }
        }
        Err(_) => {
            let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
                Utf8(Text::new(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            };
            std::env::vars_os().map(entry).collect()
        }
    }
}

/// The folder's own descriptor is closed by the time its link would be read, so it drops out by itself.
fn descriptors() -> Vec<Descriptor> {
    let Ok(folder) = fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let numbers: Vec<u32> = folder.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect();
    let target = |fd: u32| fs::read_link(format!("/proc/self/fd/{fd}")).ok();
    let open = |fd| target(fd).map(|t| Descriptor { fd, target: Utf8(Text::new(t.as_os_str().as_bytes())) });
    let mut all: Vec<Descriptor> = numbers.into_iter().filter_map(open).collect();
    all.sort_by_key(|d| d.fd);
    all
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn signals(status: &str, name: &str) -> Vec<String> {
    let mask = field(status, name).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
    (1..=64).filter(|n| mask >> (n - 1) & 1 == 1).map(signal_name).collect()
}

/// The signal's name, or its number if it has none (the real-time signals).
fn signal_name(number: i32) -> String {
    let known = nix::sys::signal::Signal::try_from(number);
    known.map_or_else(|_| number.to_string(), |signal| signal.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_become_names() {
        let status = "Name:\tx\nSigIgn:\t0000000000001000\nSigBlk:\t0000000200000003\n";
        assert_eq!(signals(status, "SigIgn:"), ["SIGPIPE"]);
        assert_eq!(signals(status, "SigBlk:"), ["SIGHUP", "SIGINT", "34"]);
        assert_eq!(signals(status, "SigCgt:"), Vec::<String>::new());
    }

    #[test]
    fn a_process_sees_itself() {
        let process = Process::look(&[b"x"]);
        assert_eq!(process.pid, std::process::id());
        assert!(process.namespaces["mnt"].starts_with("mnt:["));
        assert!(process.fds.iter().all(|d| !d.target.0.contains("/proc/")), "{:?}", process.fds);
    }
}
