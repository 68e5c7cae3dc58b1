//! The runtimes of a configuration of containerd, as one generation of it joins them from all files. Must not judge.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::generation::{Configuration, Generation, PLUGINS};

/// The first shims, which are gone since 2.0; the second of them takes its program from `runtime_engine`.
pub const GONE: [&str; 2] = ["io.containerd.runc.v1", LINUX];
const LINUX: &str = "io.containerd.runtime.v1.linux";
/// The shims that start `runc`, or the program that BinaryName names.
const RUNC: [&str; 2] = ["io.containerd.runc.v1", "io.containerd.runc.v2"];

/// A runtime.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The last file that says something about it.
    pub file: String,
    /// `runtime_type`.
    pub kind: String,
    /// Where the shim is, if it is named.
    shim: String,
    /// The program of a shim that takes it from here.
    engine: String,
    /// What the options say, by name as it is spelled.
    options: BTreeMap<String, String>,
    has_options: bool,
}

impl Runtime {
    fn add(&mut self, file: &str, entry: &Table) {
        file.clone_into(&mut self.file);
        // An empty value of a later file does not override.
        let texts = |table: &Table| {
            let texts = table.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            texts.collect::<BTreeMap<String, String>>()
        };
        for (name, text) in texts(entry).into_iter().filter(|(_, text)| !text.is_empty()) {
            match name.as_str() {
                "runtime_type" => self.kind = text,
                "runtime_path" => self.shim = text,
                "runtime_engine" => self.engine = text,
                _ => {}
            }
        }
        if let Some(options) = entry.get("options").and_then(Value::as_table) {
            self.has_options = true;
            for (name, text) in texts(options) {
                if !text.is_empty() || !self.options.contains_key(&name) {
                    self.options.insert(name, text);
                }
            }
        }
    }

    /// The spellings of BinaryName that are there, with their values, sorted. containerd reads any of them.
    pub fn spellings(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        let options = self.options.iter().filter(|(name, _)| name.eq_ignore_ascii_case("BinaryName"));
        options.map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The program that is started; empty for the shim's own choice.
    #[must_use]
    pub fn program(&self, generation: Generation) -> &str {
        if self.kind == LINUX {
            let option = self.options.get("Runtime").map(String::as_str).unwrap_or_default();
            return if self.has_options { option } else { &self.engine };
        }
        // 1.x looks for the right spelling first. 2.x joins the options in the order of their names, so the last holds.
        match generation {
            Generation::One => self.spellings().next(),
            _ => self.spellings().next_back(),
        }
        .map_or("", |(_, program)| program)
    }

    /// Whether it is meant for NVIDIA's GPUs.
    #[must_use]
    pub fn is_nvidia(&self, name: &str) -> bool {
        name.contains("nvidia") || self.spellings().any(|(_, text)| text.contains("nvidia")) || self.ignored().is_some()
    }

    /// The NVIDIA runtime that is named where this type of runtime does not look.
    #[must_use]
    pub fn ignored(&self) -> Option<&str> {
        let engines = [Some(&self.engine), self.options.get("runtime_engine")].into_iter().flatten();
        engines.map(String::as_str).find(|engine| self.is_runc() && engine.contains("nvidia"))
    }

    /// Whether its shim starts runc unless another program is named.
    #[must_use]
    pub fn is_runc(&self) -> bool {
        RUNC.contains(&self.kind.as_str()) && self.shim.is_empty()
    }
}

/// What a generation makes of a configuration.
#[derive(Debug, Default)]
pub struct View {
    /// The runtimes, by name.
    pub runtimes: BTreeMap<String, Runtime>,
    /// The default runtime, with the file that says so.
    pub default: Option<(String, String)>,
    /// A file whose section replaces that of an earlier one, with its runtimes.
    pub replaced: Vec<(String, String, Vec<String>)>,
    /// Whether any file has a section for Kubernetes.
    pub has_section: bool,
}

impl View {
    /// Joins the files.
    #[must_use]
    pub fn of(configuration: &Configuration<'_>, generation: Generation) -> Self {
        let mut view = View::default();
        for (at, (path, table)) in configuration.files.iter().enumerate() {
            for (name, plugin) in sections(table) {
                if generation.reads(configuration, at, name) == Some(false) {
                    continue;
                }
                if generation == Generation::One {
                    view.replace(path);
                }
                view.add(path, plugin);
            }
        }
        view
    }

    /// In 1.x a section takes the place of the whole section that was there.
    fn replace(&mut self, path: &str) {
        let runtimes = std::mem::take(&mut self.runtimes);
        let lost = runtimes.iter().filter(|(name, runtime)| runtime.is_nvidia(name));
        if let Some((_, first)) = lost.clone().next() {
            let names = lost.map(|(name, _)| name.clone()).collect();
            self.replaced.push((path.to_owned(), first.file.clone(), names));
        }
        self.default = None;
    }

    fn add(&mut self, path: &str, plugin: &Table) {
        let Some(plugin) = plugin.get("containerd").and_then(Value::as_table) else { return };
        self.has_section = true;
        if let Some(name) = plugin.get("default_runtime_name").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            self.default = Some((path.to_owned(), name.to_owned()));
        }
        for (name, entry) in plugin.get("runtimes").and_then(Value::as_table).into_iter().flatten() {
            if let Some(entry) = entry.as_table() {
                self.runtimes.entry(name.clone()).or_default().add(path, entry);
            }
        }
    }

    /// The runtimes for NVIDIA's GPUs.
    pub fn nvidia(&self) -> impl Iterator<Item = (&str, &Runtime)> {
        let runtimes = self.runtimes.iter().map(|(name, runtime)| (name.as_str(), runtime));
        runtimes.filter(|(name, runtime)| runtime.is_nvidia(name))
    }
}

/// The sections for Kubernetes in a file, by the name of the plugin.
pub fn sections(table: &Table) -> impl Iterator<Item = (&'static str, &Table)> {
    let plugins = table.get("plugins").and_then(Value::as_table);
    PLUGINS.into_iter().filter_map(move |name| Some((name, plugins?.get(name)?.as_table()?)))
}

/// The names of NVIDIA's runtimes in a section, whoever reads it.
#[must_use]
pub fn nvidia_in(plugin: &Table) -> Vec<String> {
    let mut view = View::default();
    view.add("", plugin);
    view.nvidia().map(|(name, _)| name.to_owned()).collect()
}
