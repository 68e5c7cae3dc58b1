//! A start as a case folder: the same command line, input and answers of the machine, with everything masked that no start
//! reads. Pure: it turns values into texts. Must not write files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use hook::config::{Config, ConfigFile};
use hook::contract::variables::{CONFIG_FILE, XDG_CONFIG_HOME};
use hook::host::{FileKind, Host, SIZE_LIMIT, path_of};
use hook::invocation::{self, Environ, Invocation};
use hook::mode::ldcache::Libraries;
use hook::prestart::{self, Decision, Texts, Trail};
use hook::text::{Escaped, paths};

use super::recorder::{Answers, Recorder};
use super::redact;

/// The files of a case folder, by their path in it.
pub type Files = BTreeMap<String, String>;

/// Where a case has the configuration and the specification as files of their own.
const CONFIG: &str = "/etc/nvidia-container-runtime/config.toml";
const SPEC: &str = "/bundle/config.json";
/// The program that every case has unless it says otherwise.
const CLI: &str = "/usr/bin/nvidia-container-cli";
const LDCACHE: &str = "/etc/ld.so.cache";
/// The libraries by which a start tells machines apart.
const LIBRARIES: [&str; 2] = ["libdxcore.so", "libnvidia-ml.so.1"];
/// Variables of the hook's own environment that a decision depends on.
const VARIABLES: [&[u8]; 4] = [b"PATH", CONFIG_FILE, XDG_CONFIG_HOME, b"LD_LIBRARY_PATH"];
const NOT_FOUND: i32 = 2;
const DENIED: i32 = 13;
const NO_DIRECTORY: i32 = 20;
const IS_DIRECTORY: i32 = 21;
const ENDLESS_LINKS: i32 = 40;
/// The errors that a case makes with a file of the right kind; of others it says only that they happen.
const MADE: [i32; 4] = [NOT_FOUND, DENIED, NO_DIRECTORY, IS_DIRECTORY];
/// The default of cases.
const USUAL_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A start as it was seen.
pub struct Start<'s> {
    /// The hook's arguments, after its name.
    pub arguments: &'s [&'s OsStr],
    /// Its environment.
    pub environ: Environ<'s>,
    /// Its standard input.
    pub stdin: &'s [u8],
    /// Its working directory.
    pub cwd: &'s str,
    /// How the hook ended, and what it said, where a hook ran.
    pub ended: Option<(i32, &'s str)>,
}

/// What a decision came to, as a case expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status: that of the program where it is executed is not known, so 0.
    pub exit: i32,
    /// The lines on standard error.
    pub stderr: Vec<String>,
    /// The command line, each argument with its origin; `None` where nothing is executed.
    pub argv: Option<Vec<(String, String)>>,
}

/// Decides a start on a machine; `None` where the command line is not one of `prestart`.
#[must_use]
pub fn outcome(start: &Start<'_>, host: &dyn Host) -> Option<Outcome> {
    let (flags, invocation::Command::Prestart) = invocation::parse(start.arguments).ok()? else { return None };
    let invocation = Invocation { flags, environ: start.environ };
    let (texts, mut trail) = (Texts::default(), Trail::default());
    Some(decided(start, &invocation, host, &texts, &mut trail))
}

fn decided<'t>(
    start: &Start<'_>,
    invocation: &Invocation<'_>,
    host: &dyn Host,
    texts: &'t Texts,
    trail: &mut Trail<'t>,
) -> Outcome {
    let decision = prestart::decide(invocation, &mut { start.stdin }, host, texts, trail);
    let warnings: Vec<String> =
        decision.as_ref().ok().and_then(|decision| decision.warning(trail)).into_iter().collect();
    match decision {
        Ok(Decision::Execute(plan)) => {
            let origin = |origin: &hook::contract::origin::Origin| {
                trail
                    .config
                    .as_ref()
                    .map(|config| super::origin::words(origin, config, invocation.environ))
                    .unwrap_or_default()
            };
            let argument = |argument: &hook::plan::Argument| {
                (argument.text.to_string_lossy().into_owned(), origin(&argument.origin))
            };
            Outcome { exit: 0, stderr: warnings, argv: Some(plan.arguments.iter().map(argument).collect()) }
        }
        Ok(Decision::Nothing(reason)) => {
            let stderr = if warnings.is_empty() { reason.warning().into_iter().collect() } else { warnings };
            Outcome { exit: 0, stderr, argv: None }
        }
        Err(error) => {
            let preamble = error.preamble().map(str::to_owned);
            Outcome { exit: 1, stderr: preamble.into_iter().chain([error.to_string()]).collect(), argv: None }
        }
    }
}

/// The case folder of a start; `None` where the command line is not one of `prestart`.
#[must_use]
pub fn of(start: &Start<'_>, host: &dyn Host) -> Option<Files> {
    let (flags, invocation::Command::Prestart) = invocation::parse(start.arguments).ok()? else { return None };
    let invocation = Invocation { flags, environ: start.environ };
    let recorder = Recorder::new(host);
    let (texts, mut trail) = (Texts::default(), Trail::default());
    let outcome = decided(start, &invocation, &recorder, &texts, &mut trail);
    let swarm: Vec<String> = trail.config.iter().flat_map(Config::swarm_variables).map(str::to_owned).collect();
    let swarm: Vec<&str> = swarm.iter().map(String::as_str).collect();
    let program = trail.program.as_ref().map(|program| path_of(&program.path).to_path_buf());
    let spec = trail.state.as_ref().map(|state| PathBuf::from(paths::join_str(&state.bundle, "config.json")));
    let configs = hook::config::searched(&invocation).0.into_iter().map(|path| path.into_owned()).collect();
    let inputs = Inputs { config: texts.config(), configs, spec, program, swarm: &swarm };
    let mut files = Files::new();
    let mut host_toml = start_toml(start, &mut files);
    answers_toml(recorder.answers(), &inputs, start.cwd, host, &mut host_toml, &mut files);
    if !host_toml.is_empty() {
        files.insert("host.toml".to_owned(), host_toml);
    }
    files.insert("expected.toml".to_owned(), expected_toml(&outcome, start));
    Some(files)
}

/// Which of the answers are inputs with a form.
struct Inputs<'i> {
    config: Option<&'i ConfigFile>,
    configs: Vec<PathBuf>,
    spec: Option<PathBuf>,
    program: Option<PathBuf>,
    swarm: &'i [&'i str],
}

/// How the hook was started, where that is not as usual.
fn start_toml(start: &Start<'_>, files: &mut Files) -> String {
    let mut text = String::new();
    let arguments: Vec<String> = start.arguments.iter().map(|word| bytes_toml(word.as_bytes())).collect();
    if arguments != ["\"prestart\""] {
        let _ = writeln!(text, "args = [{}]", arguments.join(", "));
    }
    let environment = start.environ.0.iter().map(|entry| entry.to_bytes());
    let kept: Vec<&[u8]> =
        environment.filter(|entry| VARIABLES.iter().any(|name| invocation::is_entry_of(entry, name))).collect();
    if kept != [USUAL_PATH.as_bytes()] {
        let list: Vec<String> = kept.into_iter().map(bytes_toml).collect();
        let _ = writeln!(text, "environment = [{}]", list.join(", "));
    }
    if start.cwd != "/" {
        let _ = writeln!(text, "cwd = {}", string_toml(start.cwd));
    }
    let stdin = redact::json(start.stdin, &[]);
    match String::from_utf8(stdin) {
        Ok(state) => drop(files.insert("state.json".to_owned(), state)),
        Err(error) => {
            let _ = writeln!(text, "\n[stdin]\nbase64 = \"{}\"", base64(error.as_bytes()));
        }
    }
    text
}

/// What the machine answered.
fn answers_toml(
    answers: BTreeMap<PathBuf, Answers>,
    inputs: &Inputs<'_>,
    cwd: &str,
    host: &dyn Host,
    text: &mut String,
    files: &mut Files,
) {
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    let mut unprivileged = false;
    for (path, answers) in answers {
        let Some(name) = path.to_str().map(|path| absolute(path, cwd)) else { continue };
        if let Some(own) = own_file(&path, &name, &answers, inputs) {
            files.insert(own.0.to_owned(), own.1);
            continue;
        }
        unprivileged |= matches!(answers.content, Some(Err(Some(DENIED)))) || answers.failed == Some(DENIED);
        if let Some((parent, entry)) = parent_entry(&name, &answers) {
            entries.insert(parent, entry);
            continue;
        }
        for child in answers.names.iter().flatten().filter_map(|name| name.to_str()) {
            entries.entry(format!("{name}/{child}")).or_insert_with(|| "{ text = \"\" }".to_owned());
        }
        if let Some(entry) = entry(&path, &name, &answers, inputs, host) {
            entries.insert(name, entry);
        }
    }
    let program = inputs.program.as_ref().and_then(|path| path.to_str());
    match program {
        Some(CLI) | None => {}
        Some(program) => drop(entries.insert(program.to_owned(), "{ is = \"cli\" }".to_owned())),
    }
    if program != Some(CLI) {
        entries.entry(CLI.to_owned()).or_insert_with(|| "{ is = \"absent\" }".to_owned());
    }
    // A directory that has files comes into being by itself.
    let names: Vec<String> = entries.keys().cloned().collect();
    entries.retain(|name, _| {
        !names.iter().any(|other| other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/')))
    });
    if unprivileged {
        text.insert_str(0, "unprivileged = true\n");
    }
    if !entries.is_empty() {
        text.push_str("\n[files]\n");
    }
    for (name, entry) in entries {
        let _ = writeln!(text, "{} = {entry}", string_toml(&name));
    }
}

/// What stands in the place of a path's directory, where that is why the path cannot be read.
fn parent_entry(name: &str, answers: &Answers) -> Option<(String, String)> {
    let parent = name.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())?;
    let entry = match &answers.content {
        Some(Err(Some(NO_DIRECTORY))) => "{ text = \"\" }",
        _ if answers.failed == Some(DENIED) => "{ is = \"directory\", mode = \"0\" }",
        _ => return None,
    };
    Some((parent.to_owned(), entry.to_owned()))
}

fn absolute(path: &str, cwd: &str) -> String {
    if path.starts_with('/') { paths::clean_str(path) } else { paths::join_str(cwd, path) }
}

/// An input that is a file of its own in a case folder.
fn own_file(path: &Path, name: &str, answers: &Answers, inputs: &Inputs<'_>) -> Option<(&'static str, String)> {
    let Some(Ok(content)) = &answers.content else { return None };
    let file = match name {
        CONFIG if inputs.configs.iter().any(|config| config == path) => "config.toml",
        SPEC if inputs.spec.as_deref() == Some(path) => "bundle/config.json",
        _ => return None,
    };
    masked(path, content, inputs).and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| (file, text))
}

/// The content of a file as it may be kept; `None` for one that is not an input with a form.
fn masked(path: &Path, content: &[u8], inputs: &Inputs<'_>) -> Option<Vec<u8>> {
    if inputs.spec.as_deref() == Some(path) {
        return Some(redact::json(content, inputs.swarm));
    }
    if let Some(config) = inputs.config.filter(|config| config.path == path) {
        // With placeholders for bytes in comments that nobody reads.
        return Some(redact::toml(&config.text).into_bytes());
    }
    if inputs.configs.iter().any(|config| config == path) {
        return Some(match std::str::from_utf8(content) {
            Ok(text) => redact::toml(text).into_bytes(),
            Err(_) => content.iter().map(|byte| if byte.is_ascii_alphanumeric() { b'x' } else { *byte }).collect(),
        });
    }
    None
}

fn entry(path: &Path, name: &str, answers: &Answers, inputs: &Inputs<'_>, host: &dyn Host) -> Option<String> {
    if name == LDCACHE && !matches!(answers.content, Some(Err(Some(number))) if !MADE.contains(&number)) {
        let libraries = Libraries::of(host, Environ::default()).ok()?;
        let found = LIBRARIES.iter().filter_map(|library| Some((library, libraries.find(library).ok()??)));
        let lines: Vec<String> =
            found.map(|(library, path)| string_toml(&format!("{library} => {}", path.display()))).collect();
        return (!lines.is_empty()).then(|| format!("{{ libraries = [{}] }}", lines.join(", ")));
    }
    let absent = || (name == CLI).then(|| "{ is = \"absent\" }".to_owned());
    // What a start was told first decides; a system that says something else of the same path later is past capturing.
    match answers.failed.or(answers.content.as_ref().and_then(|content| *content.as_ref().err()?)) {
        Some(ENDLESS_LINKS) => return Some(format!("{{ symlink = {} }}", string_toml(name))),
        Some(number) if !MADE.contains(&number) => {
            return Some(format!("{{ fails = \"{:?}\" }}", nix::errno::Errno::from_raw(number)));
        }
        _ => {}
    }
    match (&answers.content, &answers.kind, answers.executable) {
        (Some(Ok(content)), _, _) => {
            let content = masked(path, content, inputs).unwrap_or_else(|| content.clone());
            Some(content_toml(&content))
        }
        (Some(Err(Some(NOT_FOUND))), _, _) if answers.dangling => Some("{ symlink = \"nothing\" }".to_owned()),
        (Some(Err(Some(NOT_FOUND))), _, _) => absent(),
        (Some(Err(Some(IS_DIRECTORY))), _, _) => Some("{ is = \"directory\" }".to_owned()),
        (Some(Err(Some(DENIED))), _, _) => Some("{ text = \"\", mode = \"0\" }".to_owned()),
        (Some(Err(_)), _, _) if answers.too_large => Some(format!("{{ zeros = {} }}", SIZE_LIMIT + 1)),
        (Some(Err(_)), _, _) => Some("{ is = \"fifo\" }".to_owned()),
        (None, _, Some(true)) => Some("{ is = \"cli\" }".to_owned()),
        (None, Some(Some(FileKind::Regular { empty })), _) => {
            Some(format!("{{ text = \"{}\" }}", if *empty { "" } else { "x" }))
        }
        (None, Some(Some(FileKind::Directory)), _) => Some("{ is = \"directory\" }".to_owned()),
        (None, Some(Some(FileKind::Other)), _) => Some("{ is = \"fifo\" }".to_owned()),
        (None, _, _) => absent(),
    }
}

fn expected_toml(outcome: &Outcome, start: &Start<'_>) -> String {
    let mut text = "why = \"a start that was captured\"\nsource = \"the hook's own rule\"\n".to_owned();
    if let Some((status, said)) = start.ended {
        let _ = writeln!(text, "# The hook that ran ended with status {status}, and said:");
        for line in said.lines().take(20) {
            let line: String = Escaped(line).to_string().chars().take(500).collect();
            let _ = writeln!(text, "#   {line}");
        }
    }
    if outcome.exit != 0 {
        let _ = writeln!(text, "exit = {}", outcome.exit);
    }
    if !outcome.stderr.is_empty() {
        let stderr: String = outcome.stderr.iter().map(|line| format!("{}\n", Escaped(line))).collect();
        let _ = writeln!(text, "stderr = {}", string_toml(&stderr));
    }
    if let Some(argv) = &outcome.argv {
        text.push_str("\n[exec]\nargv = [\n");
        for (argument, origin) in argv {
            let _ = writeln!(text, "  [{}, {}],", string_toml(argument), string_toml(origin));
        }
        text.push_str("]\n");
    }
    text
}

fn content_toml(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) => format!("{{ text = {} }}", string_toml(text)),
        Err(_) => format!("{{ base64 = \"{}\" }}", base64(content)),
    }
}

fn bytes_toml(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("{{ base64 = \"{}\" }}", base64(bytes)), string_toml)
}

/// A string of TOML: JSON's escapes are TOML's too, but for DEL, which JSON lets stand.
fn string_toml(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
