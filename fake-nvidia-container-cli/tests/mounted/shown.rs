//! What a container shows after `configure`: every mount with its flags, and every node, file, folder and link that was
//! created, with mode and owner. A case is a file in tests/mounted/cases: settings, an empty line, and what is seen,
//! line by line. `BLESS=1` rewrites what is seen.

use super::container::{Container, configure, image, stderr, table, tree};
use crate::suite::programs;
use crate::suite::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

/// A case file.
struct Case {
    topology: String,
    owner: (u32, u32),
    words: Vec<String>,
    seen: String,
}

fn read(file: &Path) -> Case {
    let text = fs::read_to_string(file).unwrap();
    let (settings, seen) = text.split_once("\n\n").unwrap();
    let settings: BTreeMap<&str, &str> = settings.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let (user, group) = settings["owner"].split_once(' ').unwrap();
    Case {
        topology: settings["topology"].to_owned(),
        owner: (user.parse().unwrap(), group.parse().unwrap()),
        words: settings["configure"].split(' ').map(str::to_owned).collect(),
        seen: seen.to_owned(),
    }
}

/// What was created in the root of a container, as the container sees it.
fn seen(container: &Container, rootfs: &str) -> String {
    let program = fs::read(programs::fake()).unwrap();
    let mounts: Vec<(PathBuf, String)> = table(&container.process().to_string())
        .iter()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|fields| fields[4].starts_with(rootfs))
        .map(|fields| (PathBuf::from(fields[4].strip_prefix(rootfs).unwrap()), flags(fields[5])))
        .collect();
    let view = container.sees(rootfs);
    let mut lines = Vec::new();
    for path in tree(&view) {
        let inside = Path::new("/").join(path.strip_prefix(&view).unwrap());
        // The host's live files, and the stand-ins, which are seen where they are mounted.
        let kept = inside.strip_prefix("/proc/driver/.fake-nvidia").ok().and_then(|it| it.to_str());
        if kept.is_some_and(|name| name.starts_with("host/") || name.starts_with(|c: char| c.is_ascii_digit())) {
            continue;
        }
        let owner = path.symlink_metadata().map(|it| format!("{} {}", it.uid(), it.gid())).unwrap();
        let here = mounts.iter().filter(|(place, _)| *place == inside);
        let mounted: String = here.map(|(_, flags)| format!(", mounted {flags}")).collect();
        lines.push(format!("{}: {}, of {owner}{mounted}\n", inside.display(), thing(&path, &program)));
    }
    lines.concat()
}

/// The flags of a mount that say what is allowed there.
fn flags(options: &str) -> String {
    let told = |option: &&str| ["ro", "rw", "nosuid", "nodev", "noexec"].contains(option);
    options.split(',').filter(told).collect::<Vec<_>>().join(" ")
}

fn thing(path: &Path, program: &[u8]) -> String {
    let status = path.symlink_metadata().unwrap();
    let mode = status.mode() & 0o7777;
    let numbers = |device| format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    match status.file_type() {
        kind if kind.is_symlink() => format!("link to {}", fs::read_link(path).unwrap().display()),
        kind if kind.is_dir() => format!("folder {mode:04o}"),
        kind if kind.is_char_device() => format!("node {} {mode:04o}", numbers(status.rdev())),
        kind if kind.is_socket() => format!("socket {mode:04o}"),
        _ => format!("{} {mode:04o}", content(&fs::read(path).unwrap(), program)),
    }
}

fn content(bytes: &[u8], program: &[u8]) -> &'static str {
    match bytes {
        [] => "empty file",
        bytes if bytes == program => "this program",
        [0x7f, b'E', b'L', b'F', 1, ..] => "library of 32 bits",
        [0x7f, b'E', b'L', b'F', 2, ..] => "library",
        _ => "text",
    }
}

#[test]
fn a_container_shows_what_was_made_and_nothing_else() {
    let mut cases: Vec<PathBuf> =
        fs::read_dir(programs::source("tests/mounted/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for file in cases {
        let case = read(&file);
        let (sandbox, container) = (Sandbox::new(), Container::of_user(case.owner.0, case.owner.1));
        image(&sandbox);
        // Folders that their own user may not write to, but the machine's root may.
        for path in tree(&sandbox.path("")) {
            chown(&path, Some(case.owner.0), Some(case.owner.1)).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        }
        let words: Vec<&str> = case.words.iter().map(String::as_str).collect();
        let output = configure(&sandbox, &container, &words, &case.topology);
        assert!(output.status.success(), "{}: {}", file.display(), stderr(&output));
        let now = seen(&container, &sandbox.rootfs());
        if std::env::var_os("BLESS").is_some() {
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, format!("{}\n\n{now}", text.split_once("\n\n").unwrap().0)).unwrap();
        } else {
            let only = |one: &str, other: &str| -> Vec<String> {
                one.lines().filter(|line| !other.lines().any(|it| it == *line)).map(str::to_owned).collect()
            };
            let (more, less) = (only(&now, &case.seen), only(&case.seen, &now));
            assert!(now == case.seen, "{}: more {more:#?}, less {less:#?}", file.display());
        }
    }
}
