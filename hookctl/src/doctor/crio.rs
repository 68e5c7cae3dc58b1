//! CRI-O: whether the NVIDIA runtime named in its configuration exists. Must not know hooks.d.

use std::collections::BTreeMap;

use toml::Value;

use super::docker::{installed, is_there};
use super::engine_files::{crio, read, section};
use super::examination::Examination;
use super::states::{CRIO_DEFAULT, CRIO_RUNTIME};
use crate::inspect::Inspect;

/// Runtimes built into CRI-O.
const BUILT_IN: [&str; 2] = ["runc", "crun"];

/// The checks.
pub fn check(examination: &mut Examination<'_>) {
    if !installed(examination.host, "crio") && !examination.host.has("/etc/crio") {
        return;
    }
    let mut runtimes: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut default = None;
    for file in crio(examination.host) {
        let Some(table) = read(examination, &file) else { continue };
        let Some(runtime) = section(&table, &["crio", "runtime"]) else { continue };
        if let Some(name) = runtime.get("default_runtime").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            default = Some((file.clone(), name.to_owned()));
        }
        for (name, entry) in runtime.get("runtimes").and_then(Value::as_table).into_iter().flatten() {
            let path = entry.get("runtime_path").and_then(Value::as_str).unwrap_or_default();
            runtimes.insert(name.clone(), (file.clone(), path.to_owned()));
        }
    }
    for (name, (file, path)) in &runtimes {
        if !name.contains("nvidia") && !path.contains("nvidia") {
            continue;
        }
        if path.is_empty() || is_there(examination.host, path) {
            examination.ok("crio", format!("{file} has the runtime {name}"));
        } else {
            let message = format!("{file}: the runtime {name} is {path}, which is not there");
            examination.found(&CRIO_RUNTIME, message);
        }
    }
    if let Some((file, name)) =
        default.filter(|(_, name)| !runtimes.contains_key(name) && !BUILT_IN.contains(&name.as_str()))
    {
        examination.found(&CRIO_DEFAULT, format!("{file}: the default runtime {name} is not among the runtimes"));
    }
}
