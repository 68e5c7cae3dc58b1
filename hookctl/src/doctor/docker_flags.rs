//! The runtimes that dockerd's command line registers: of the running one, otherwise of its unit, and of the files that
//! packages add to it. Must not know daemon.json.

use std::path::Path;

use crate::inspect::Inspect;
use crate::tree::Tree;

const DOCKER_PID: &str = "/run/docker.pid";
/// Where units are, in the order in which one hides another.
const UNITS: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
/// What units and init scripts of packages add to the command line.
const OPTIONS: [&str; 2] = ["/etc/sysconfig/docker", "/etc/default/docker"];
const FLAG: &str = "--add-runtime";

/// A runtime that a command line registers.
#[derive(Debug, PartialEq, Eq)]
pub struct Registered {
    /// The file with the command line.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Its program.
    pub program: String,
}

/// The runtimes.
#[must_use]
pub fn registered(host: &Tree) -> Vec<Registered> {
    if let Some((file, line)) = running(host) {
        return in_line(&file, line.split('\0'));
    }
    let mut found = Vec::new();
    // A later ExecStart takes the place of the one before it.
    for (file, line) in starts(host) {
        found = in_line(&file, line.split_whitespace());
    }
    for file in OPTIONS {
        let text = host.text(file).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        found.extend(
            lines.flat_map(|line| in_line(file, line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')))),
        );
    }
    found
}

/// The process of the dockerd that runs.
#[must_use]
pub fn pid(host: &Tree) -> Option<u32> {
    host.text(DOCKER_PID)?.trim().parse().ok()
}

fn running(host: &Tree) -> Option<(String, String)> {
    let file = format!("/proc/{}/cmdline", pid(host)?);
    let line = String::from_utf8_lossy(&host.bytes(Path::new(&file))?).into_owned();
    line.contains("dockerd").then_some((file, line))
}

/// The lines of ExecStart, in the order in which they are read.
fn starts(host: &Tree) -> Vec<(String, String)> {
    let unit = UNITS.iter().map(|directory| format!("{directory}/docker.service")).find(|path| host.has(path));
    let mut drop_ins: Vec<String> = Vec::new();
    for directory in UNITS.iter().map(|directory| format!("{directory}/docker.service.d")) {
        let names = host.names(&directory).into_iter().filter(|name| name.ends_with(".conf"));
        drop_ins.extend(names.map(|name| format!("{directory}/{name}")));
    }
    drop_ins.sort_by_key(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
    let mut lines = Vec::new();
    for file in unit.into_iter().chain(drop_ins) {
        let text = host.text(&file).unwrap_or_default().replace("\\\n", " ");
        let starts = text.lines().filter_map(|line| line.trim().strip_prefix("ExecStart="));
        lines.extend(starts.map(|line| (file.clone(), line.to_owned())));
    }
    lines
}

fn in_line<'l>(file: &str, words: impl Iterator<Item = &'l str>) -> Vec<Registered> {
    let mut words = words.map(|word| word.trim_matches(['"', '\'']));
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(FLAG) {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some((name, program)) = value.and_then(|value| value.trim_matches(['"', '\'']).split_once('=')) {
            found.push(Registered { file: file.to_owned(), name: name.to_owned(), program: program.to_owned() });
        }
    }
    found
}
