//! CRI-O: whether the NVIDIA runtime named in its configuration exists, and whether it gives GPUs. Must not know hooks.d.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::docker::installed;
use super::engine_files::{crio, read, section};
use super::examination::Examination;
use super::states::{CRIO_DEFAULT, CRIO_RUNTIME};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// Runtimes built into CRI-O.
const BUILT_IN: [&str; 2] = ["runc", "crun"];

/// What the configuration says about runtimes.
#[derive(Default)]
struct Runtimes {
    /// File and runtime_path, by name; a later file replaces the whole entry.
    all: BTreeMap<String, (String, String)>,
    /// The default runtime, and the file that names it.
    default: Option<(String, String)>,
}

impl Runtimes {
    fn add(&mut self, file: &str, table: &Table) {
        let Some(runtime) = section(table, &["crio", "runtime"]) else { return };
        if let Some(name) = runtime.get("default_runtime").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            self.default = Some((file.to_owned(), name.to_owned()));
        }
        for (name, entry) in runtime.get("runtimes").and_then(Value::as_table).into_iter().flatten() {
            let path = entry.get("runtime_path").and_then(Value::as_str).unwrap_or_default();
            self.all.insert(name.clone(), (file.to_owned(), path.to_owned()));
        }
    }

    fn nvidia(&self) -> impl Iterator<Item = (&String, &(String, String))> {
        self.all.iter().filter(|(name, (_, path))| name.contains("nvidia") || path.contains("nvidia"))
    }
}

/// Why CRI-O finds no program for a runtime; `None` if it does. It looks in its PATH only where no path is set, and then
/// for the runtime's own name.
fn missing(host: &Tree, name: &str, path: &str) -> Option<String> {
    match path {
        "" if installed(host, name) => None,
        "" => Some(format!("has no runtime_path, and no program {name} is in the PATH of CRI-O")),
        path if !path.starts_with('/') => {
            Some(format!("is {path}, which CRI-O does not look for in its PATH: runtime_path must be a whole path"))
        }
        path => (!host.is_program(path)).then(|| format!("is {path}, which is not there")),
    }
}

/// The NVIDIA runtime of CRI-O whose program is there, and whether it is the default.
#[must_use]
pub fn serving(host: &Tree) -> Option<(String, bool)> {
    let mut runtimes = Runtimes::default();
    for file in crio(host) {
        if let Some(table) = host.text(&file).and_then(|text| text.parse::<Table>().ok()) {
            runtimes.add(&file, &table);
        }
    }
    let is_default = |name: &str| runtimes.default.as_ref().is_some_and(|(_, default)| default == name);
    let there = runtimes.nvidia().filter(|(name, (_, path))| missing(host, name, path).is_none());
    there.map(|(name, _)| (name.clone(), is_default(name))).max_by_key(|(_, is_default)| *is_default)
}

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    if !installed(examination.host, "crio") && !examination.host.has("/etc/crio") {
        return;
    }
    let mut runtimes = Runtimes::default();
    for file in crio(examination.host) {
        if let Some(table) = read(examination, &file) {
            runtimes.add(&file, &table);
        }
    }
    for (name, (file, path)) in runtimes.nvidia() {
        match missing(examination.host, name, path) {
            None => examination.ok("crio", format!("{file} has the runtime {name}")),
            Some(why) if path.starts_with('/') => {
                examination.found(&CRIO_RUNTIME, format!("{file}: the runtime {name} {why}"));
            }
            Some(why) => {
                let remedy = "write runtime_path = \"/usr/bin/nvidia-container-runtime\", and restart CRI-O";
                examination.found_with(&CRIO_RUNTIME, format!("{file}: the runtime {name} {why}"), remedy);
            }
        }
    }
    let is_known = |name: &String| runtimes.all.contains_key(name) || BUILT_IN.contains(&name.as_str());
    if let Some((file, name)) = runtimes.default.as_ref().filter(|(_, name)| !is_known(name)) {
        examination.found(&CRIO_DEFAULT, format!("{file}: the default runtime {name} is not among the runtimes"));
    }
}
