//! The launcher between the test and the hook: asks to be traced, takes away what the hook must lack, and becomes the
//! hook. Must not know the hook, nor what is traced.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, raise};

/// The argument that makes this program the launcher. It is followed by what the hook must lack, `--`, the hook's file,
/// and its words with its name first.
pub const ARGUMENT: &str = "--traced";
/// The status of a launcher that could not do its work.
pub const FAILED: u8 = 99;

/// Something that the hook must lack.
#[derive(Debug, Clone)]
pub enum Lack {
    /// It has no more than this much of a resource: `as`, `data`, `nofile`, `fsize`.
    Limit(&'static str, u64),
    /// A descriptor is closed.
    Closed(i32),
    /// A descriptor cannot be written to: it is `/dev/full`.
    Full(i32),
    /// A folder is on its own disk, with no room left.
    FullDisk(String),
}

impl Lack {
    /// In the form that the launcher takes.
    pub fn word(&self) -> String {
        match self {
            Lack::Limit(name, most) => format!("limit:{name}:{most}"),
            Lack::Closed(number) => format!("closed:{number}"),
            Lack::Full(number) => format!("full:{number}"),
            Lack::FullDisk(folder) => format!("disk:{folder}"),
        }
    }
}

/// Does the launcher's work; returns only if that fails.
pub fn launch(words: &[OsString]) -> u8 {
    match follow(words) {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("launcher: {why}");
            FAILED
        }
    }
}

fn follow(words: &[OsString]) -> Result<Infallible, String> {
    let split = words.iter().position(|word| word == "--").ok_or("no --")?;
    let strings: Vec<CString> = words[split + 1..].iter().map(|word| CString::new(word.as_bytes()).unwrap()).collect();
    let environ: Vec<CString> = std::env::vars_os()
        .map(|(name, value)| CString::new([name.into_vec(), value.into_vec()].join(&b'=')).unwrap())
        .collect();
    close_others().map_err(|why| format!("close descriptors: {why}"))?;
    nix::sys::ptrace::traceme().map_err(|why| format!("be traced: {why}"))?;
    // From here on the tracer sees what happens.
    raise(Signal::SIGSTOP).map_err(|why| format!("wait for the tracer: {why}"))?;
    for word in &words[..split] {
        let word = word.to_str().unwrap();
        take_away(word).map_err(|why| format!("{word}: {why}"))?;
    }
    nix::unistd::execve(&strings[0], &strings[1..], &environ).map_err(|why| format!("execve: {why}"))
}

/// The parent of the tests may have left descriptors open; the hook gets 0 to 2, as from a runtime.
fn close_others() -> std::io::Result<()> {
    let number = |entry: std::io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_str().unwrap().parse().unwrap());
    let numbers: Vec<i32> = std::fs::read_dir("/proc/self/fd")?.map(number).collect::<std::io::Result<_>>()?;
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The folder's own descriptor is closed already.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

fn take_away(word: &str) -> std::io::Result<()> {
    match word.split(':').collect::<Vec<_>>()[..] {
        ["limit", name, most] => {
            let resource = match name {
                "as" => Resource::RLIMIT_AS,
                "data" => Resource::RLIMIT_DATA,
                "nofile" => Resource::RLIMIT_NOFILE,
                "fsize" => Resource::RLIMIT_FSIZE,
                other => panic!("{other} is not a limit"),
            };
            let most = most.parse().unwrap();
            Ok(setrlimit(resource, most, most)?)
        }
        ["closed", number] => Ok(nix::unistd::close(number.parse::<i32>().unwrap())?),
        ["full", number] => {
            let full = std::fs::File::options().write(true).open("/dev/full")?;
            match number {
                "1" => nix::unistd::dup2_stdout(full)?,
                "2" => nix::unistd::dup2_stderr(full)?,
                other => panic!("descriptor {other}"),
            }
            Ok(())
        }
        ["disk", folder] => full_disk(Path::new(folder)),
        _ => panic!("{word} is not known"),
    }
}

/// Mounts a disk of one page and fills it.
fn full_disk(folder: &Path) -> std::io::Result<()> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    mount(Some("none"), folder, Some("tmpfs"), MsFlags::empty(), Some("size=4k"))?;
    std::fs::write(folder.join("filler"), [b'x'; 4096])
}
