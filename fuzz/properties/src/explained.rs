//! `nvidia-hookctl` on input from others: an error line, the files of a host, a case folder. It answers the same twice,
//! in text that no terminal takes for a command, and changes nothing. Must not know what the answer should be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nvidia_container_runtime_hook::invocation::Environ;
use nvidia_hookctl::answer::Answer;
use tempfile::TempDir;

use crate::{is_harmless, parts};

/// The files of a host that engines, packages and administrators write.
const FILES: [&str; 10] = [
    "etc/cdi/nvidia.yaml",
    "var/run/cdi/nvidia.json",
    "usr/share/containers/oci/hooks.d/oci-nvidia-hook.json",
    "etc/containers/oci/hooks.d/oci-nvidia-hook.json",
    "etc/docker/daemon.json",
    "etc/containerd/config.toml",
    "etc/nvidia-container-runtime/config.toml",
    "etc/ld.so.cache",
    "etc/ld.so.conf",
    "proc/driver/nvidia/version",
];

/// Asks twice.
fn ask(words: &[&[u8]]) -> Answer {
    let words: Vec<OsString> = words.iter().map(|word| std::ffi::OsStr::from_bytes(word).to_os_string()).collect();
    // This may run on a terminal.
    let run = || nvidia_hookctl::run(&words, Environ(&[c"NO_COLOR=1"]));
    let (answer, again) = (run(), run());
    assert_eq!((&answer.out, &answer.err, answer.status), (&again.out, &again.err, again.status));
    assert!(answer.status <= 2, "{}", answer.status);
    assert!(is_harmless(&answer.out) && is_harmless(&answer.err), "{answer:?}");
    answer
}

/// An error line that a user pastes.
pub fn why(data: &[u8]) {
    let folder = TempDir::new().unwrap();
    let root = [b"--host-root=", folder.path().as_os_str().as_bytes()].concat();
    for form in [&b"--output=text"[..], b"--output=json"] {
        let answer = ask(&[b"nvidia-hookctl", b"why", form, &root, b"--", data]);
        // Wrong usage would mean that nothing was looked at.
        assert!(answer.status != 2 || std::str::from_utf8(data).is_err(), "{answer:?}");
    }
}

/// The files of a host, one after the other.
pub fn host(data: &[u8]) {
    let folder = TempDir::new().unwrap();
    for (file, content) in FILES.iter().zip(parts::<{ FILES.len() }>(data)) {
        if !content.is_empty() {
            put(folder.path(), file, content);
        }
    }
    let root = [b"--host-root=", folder.path().as_os_str().as_bytes()].concat();
    let before = seen(folder.path());
    for command in [&b"doctor"[..], b"check"] {
        for form in [&b"--output=text"[..], b"--output=json"] {
            assert_ne!(ask(&[b"nvidia-hookctl", command, form, &root]).status, 2);
        }
    }
    ask(&[b"nvidia-hookctl", b"explain", &root, b"--env", b"NVIDIA_VISIBLE_DEVICES=all"]);
    assert_eq!(seen(folder.path()), before);
}

/// A case folder, as `capture` writes it.
pub fn replay(data: &[u8]) {
    let folder = TempDir::new().unwrap();
    let files = ["host.toml", "config.toml", "bundle/config.json", "state.json"];
    put(folder.path(), "expected.toml", b"why = \"x\"\nsource = \"x\"\n");
    for (file, content) in files.iter().zip(parts::<4>(data)) {
        if !content.is_empty() {
            put(folder.path(), file, content);
        }
    }
    // A case can name large files of zeros, which would be made for it: those are for the tests of replay.
    if !data.windows(5).any(|part| part == b"zeros") {
        ask(&[b"nvidia-hookctl", b"replay", folder.path().as_os_str().as_bytes()]);
    }
}

fn put(folder: &Path, file: &str, content: &[u8]) {
    let place = folder.join(file);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, content).unwrap();
}

/// The content of a folder.
fn seen(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, Vec::new());
            } else {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}
