//! One containerd and its configuration: whether its files fit together, and what its NVIDIA runtimes are, by every
//! generation of containerd that may read them. Must not know which containerds a host has.

use super::super::docker::is_there;
use super::super::examination::{Examination, has_operator_toolkit};
use super::super::states::{
    CONTAINERD_DEFAULT, CONTAINERD_PLAIN, CONTAINERD_RUNTIME, CONTAINERD_SECTION, CONTAINERD_SHIM, CONTAINERD_VERSION,
    State,
};
use super::generation::{Configuration, File, Generation, NEWEST, SECOND, version};
use super::own::{Fault, remedy};
use super::runtime::{GONE, Runtime, View, nvidia_in, sections};
use crate::cdi;
use crate::finding::Severity;

/// The runtimes that a shim starts by itself, and their relatives: none of them gives GPUs.
const PLAIN: [&str; 3] = ["runc", "crun", "youki"];

/// A containerd and its configuration.
pub struct Engine {
    /// The distribution that brings it; `None` for the host's.
    name: Option<&'static str>,
    /// Its main file.
    path: String,
    /// The files, in the order in which they are read.
    pub files: Vec<File>,
    generations: Vec<Generation>,
    views: Vec<View>,
}

impl Engine {
    /// A containerd of an installed version, if that is known.
    pub fn new(name: Option<&'static str>, path: &str, files: Vec<File>, installed: Option<&str>) -> Self {
        let generations = Generation::possible(installed, &files);
        let configuration = Configuration { files: &files };
        let views = generations.iter().map(|generation| View::of(&configuration, *generation)).collect();
        Engine { name, path: path.to_owned(), files, generations, views }
    }

    /// Whether it may have an NVIDIA runtime.
    pub fn may_have_nvidia(&self) -> bool {
        self.unknown().is_some() || self.views.iter().any(|view| view.nvidia().next().is_some())
    }

    /// A file of a version that is not known here.
    fn unknown(&self) -> Option<&File> {
        self.files.iter().find(|(_, table)| version(table) > NEWEST)
    }

    fn found(
        &self,
        examination: &mut Examination<'_>,
        severity: Severity,
        state: &'static State,
        what: String,
        fault: Fault<'_>,
    ) {
        let remedy = remedy(examination.host, self.name, &self.path, fault).unwrap_or_else(|| state.remedy.to_owned());
        examination.found_as(severity, state, what, remedy);
    }

    /// Reports what is wrong, and what is not.
    pub fn report(&self, examination: &mut Examination<'_>) {
        if let Some((path, table)) = self.unknown() {
            let message = format!(
                "{path} is of version {}, and only versions up to {NEWEST} are known here: its runtimes were not examined",
                version(table)
            );
            let remedy = "see: containerd config dump";
            examination.found_as(Severity::Note, &CONTAINERD_VERSION, message, remedy);
            return;
        }
        let is_refused = self.versions(examination);
        let doubted = self.sections(examination);
        let is_replaced = self.replaced(examination);
        let names: std::collections::BTreeSet<&str> =
            self.views.iter().flat_map(View::nvidia).map(|(name, _)| name).collect();
        for name in &names {
            self.runtime(examination, name, is_refused, &doubted);
        }
        if !is_refused {
            self.default(examination, names.is_empty() && doubted.is_empty() && !is_replaced);
        }
    }

    /// Reports a file that is newer than the main one; says whether containerd may not start.
    fn versions(&self, examination: &mut Examination<'_>) -> bool {
        let configuration = Configuration { files: &self.files };
        let Some((path, newer, root)) = configuration.newer_than_root() else { return false };
        let effects: Vec<String> = self
            .generations
            .iter()
            .map(|generation| match generation {
                Generation::One => format!("containerd 1.x does not know version {newer}"),
                Generation::Two if newer > 3 => "containerd 2.0 to 2.2 do not start with it".to_owned(),
                Generation::Two => format!("containerd 2.0 to 2.2 do not read sections of version {root}"),
                Generation::Later => {
                    format!(
                        "containerd 2.3 and later do not start (\"drop-in config version {newer} higher than root \
                             config version {root}\")"
                    )
                }
            })
            .collect();
        let is_refused = self.generations.iter().any(|generation| *generation == Generation::Later || newer > 3);
        let severity = if is_refused { Severity::Error } else { Severity::Warning };
        let message =
            format!("{path} is of version {newer}, and {} of version {root}: {}", self.path, effects.join(", and "));
        let remedy = match self.name {
            None if has_operator_toolkit(examination.host) => {
                format!(
                    "set RUNTIME_CONFIG_SOURCE=file for the toolkit of the GPU operator, delete {path}, and restart containerd"
                )
            }
            None => CONTAINERD_VERSION.remedy.to_owned(),
            Some(name) => format!("write {path} for version {root}, and restart {name}"),
        };
        examination.found_as(severity, &CONTAINERD_VERSION, message, remedy);
        is_refused
    }

    /// Reports NVIDIA runtimes in sections that containerd does not read; returns the files.
    fn sections(&self, examination: &mut Examination<'_>) -> Vec<String> {
        let configuration = Configuration { files: &self.files };
        let mut doubted = Vec::new();
        for (at, (path, table)) in self.files.iter().enumerate() {
            for (name, plugin) in sections(table) {
                if nvidia_in(plugin).is_empty() {
                    continue;
                }
                let that_read = |wanted: Option<bool>| {
                    let generations = self.generations.iter().copied();
                    generations
                        .filter(|generation| generation.reads(&configuration, at, name) == wanted)
                        .collect::<Vec<_>>()
                };
                let (no, yes) = (that_read(Some(false)), that_read(Some(true)));
                let Some(first) =
                    no.first().copied().or_else(|| that_read(None).first().copied().filter(|_| yes.is_empty()))
                else {
                    continue;
                };
                doubted.push(path.clone());
                let form = match version(table) {
                    0 => "a file without a version".to_owned(),
                    version => format!("version {version} of the file"),
                };
                let right = first.own_section(&configuration, at);
                let names = no.iter().map(|generation| generation.name()).collect::<Vec<_>>().join(" and ");
                let where_read = match (no.is_empty(), yes.is_empty() && no.len() == self.generations.len()) {
                    (true, _) => {
                        format!("whether containerd reads that in {form} is not known here; it reads \"{right}\"")
                    }
                    (_, true) => format!("in {form} containerd reads \"{right}\""),
                    _ => format!("in {form} containerd {names} do not read that"),
                };
                let message = format!("{path}: the NVIDIA runtime is in the section \"{name}\", and {where_read}");
                let severity = if !no.is_empty() && yes.is_empty() { Severity::Error } else { Severity::Warning };
                let is_versionless = self.name.is_none() && at == 0 && version(table) == 0 && name == SECOND;
                let fault = if is_versionless { Fault::Version } else { Fault::Form };
                self.found(examination, severity, &CONTAINERD_SECTION, message, fault);
            }
        }
        doubted
    }

    /// Reports runtimes that are lost in 1.x because a later file has the same section; says whether there are any.
    fn replaced(&self, examination: &mut Examination<'_>) -> bool {
        let Some(view) = self.view(Generation::One) else { return false };
        let mut is_any = false;
        for (path, first, names) in &view.replaced {
            let lost: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| !view.runtimes.contains_key(*name)).collect();
            if lost.is_empty() {
                continue;
            }
            is_any = true;
            let message = format!(
                "{path} takes the place of the whole section in {first}, and its runtimes ({}) are lost: containerd 1.x \
                 does not join the sections of two files",
                lost.join(", ")
            );
            let severity = if self.generations.len() == 1 { Severity::Error } else { Severity::Warning };
            let remedy = format!("move what {path} says into {first}, and restart containerd; containerd 2 joins them");
            examination.found_as(severity, &CONTAINERD_SECTION, message, remedy);
        }
        is_any
    }

    fn view(&self, wanted: Generation) -> Option<&View> {
        let mut all = self.generations.iter().zip(&self.views);
        all.find(|(generation, _)| **generation == wanted).map(|(_, view)| view)
    }

    fn runtime(&self, examination: &mut Examination<'_>, name: &str, is_refused: bool, doubted: &[String]) {
        let views = || self.generations.iter().zip(&self.views);
        let found = views().filter_map(|(generation, view)| Some((*generation, view.runtimes.get(name)?))).next_back();
        let Some((generation, runtime)) = found else { return };
        let is_gone = GONE.contains(&runtime.kind.as_str()) && self.shim(examination, name, runtime);
        let (file, program) = (&runtime.file, runtime.program(generation));
        if let Some(why) = plain(runtime, generation) {
            let message = format!("{file}: the runtime {name} starts {}: {why}", PLAIN[0]);
            let by_cdi = cdi::has_gpus(examination.host, &cdi::DIRECTORIES.map(str::to_owned));
            let is_certain = !by_cdi && (runtime.spellings().count() < 2 || self.view(Generation::One).is_none());
            let severity = if is_certain { Severity::Error } else { Severity::Warning };
            self.found(examination, severity, &CONTAINERD_PLAIN, message, Fault::Form);
        } else if !program.is_empty() && !program.contains("${") && !is_there(examination.host, program) {
            let message = format!("{file}: the runtime {name} is {program}, which is not there");
            self.found(examination, Severity::Error, &CONTAINERD_RUNTIME, message, Fault::Program(program));
        } else if !is_gone
            && !is_refused
            && !doubted.contains(file)
            && views().all(|(_, view)| view.runtimes.contains_key(name))
        {
            examination.ok("containerd", format!("{file} has the runtime {name}"));
        }
    }

    /// Reports a shim that is gone; says whether that may be so for this containerd.
    fn shim(&self, examination: &mut Examination<'_>, name: &str, runtime: &Runtime) -> bool {
        let severity = match self.generations.as_slice() {
            [Generation::One] => Severity::Note,
            [Generation::One, ..] => Severity::Warning,
            _ => Severity::Error,
        };
        let message = format!(
            "{}: the runtime {name} is of type {}, which containerd 2.0 and later do not have",
            runtime.file, runtime.kind
        );
        self.found(examination, severity, &CONTAINERD_SHIM, message, Fault::Form);
        severity > Severity::Note
    }

    fn default(&self, examination: &mut Examination<'_>, has_none: bool) {
        let unknown = |view: &View| {
            let (path, name) = view.default.as_ref()?;
            // A template of MicroK8s is filled in when it starts.
            let is_known =
                matches!(name.as_str(), "" | "runc") || name.contains("${") || view.runtimes.contains_key(name);
            (!is_known).then(|| (path.clone(), name.clone()))
        };
        let unknown: Vec<(String, String)> = self.views.iter().filter_map(unknown).collect();
        match unknown.last() {
            Some((path, default)) if unknown.len() == self.views.len() => {
                let message = format!("{path}: the default runtime {default} is not among the runtimes");
                self.found(examination, Severity::Error, &CONTAINERD_DEFAULT, message, Fault::Default);
            }
            None if has_none => {
                let has_section = |(_, table): &&File| {
                    sections(table).any(|(_, plugin)| plugin.get("containerd").is_some_and(toml::Value::is_table))
                };
                if let Some((path, _)) = self.files.iter().find(has_section) {
                    examination.ok("containerd", format!("{path} has no NVIDIA runtime, which CDI does not need"));
                }
            }
            _ => {}
        }
    }
}

/// Why a runtime that is meant for NVIDIA starts runc.
fn plain(runtime: &Runtime, generation: Generation) -> Option<String> {
    if !runtime.is_runc() {
        return None;
    }
    let program = runtime.program(generation);
    let is_plain = PLAIN.contains(&program.rsplit('/').next().unwrap_or_default());
    if !program.is_empty() && !is_plain {
        return None;
    }
    let spellings: Vec<&str> = runtime.spellings().map(|(name, _)| name).collect();
    Some(match (runtime.ignored(), spellings.as_slice()) {
        (Some(engine), _) => {
            format!("runtime_engine is {engine}, which is not read for {}", runtime.kind)
        }
        (None, [first, .., last]) => format!("it has {first} and {last}, and the latter counts in containerd 2"),
        (None, [only]) => format!("{only} is \"{program}\""),
        (None, []) => "it has no options.BinaryName".to_owned(),
    })
}
