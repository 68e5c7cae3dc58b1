//! A start as a case folder: the same command line, input and machine answers, masking everything that no start reads.
//! Pure: it turns values into text. Must not write files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use hook::config::Config;
use hook::contract::variables::{CONFIG_FILE, XDG_CONFIG_HOME};
use hook::host::{Host, path_of};
use hook::invocation::{self, Environ, Invocation};
use hook::prestart::{self, Decision, Texts, Trail};
use hook::text::{Escaped, paths};

use super::machine::{Inputs, answers_toml};
use super::recorder::Recorder;
use super::redact;
use super::spelling::{base64, bytes_toml, string_toml};

/// The files of a case folder, by their path in it.
pub type Files = BTreeMap<String, String>;

/// Variables of the hook's own environment that a decision depends on.
const VARIABLES: [&[u8]; 4] = [b"PATH", CONFIG_FILE, XDG_CONFIG_HOME, b"LD_LIBRARY_PATH"];
/// The PATH that cases have by default.
const USUAL_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A start as observed.
pub struct Start<'s> {
    /// The hook's arguments, after its name.
    pub arguments: &'s [&'s OsStr],
    /// Its environment.
    pub environ: Environ<'s>,
    /// Its standard input.
    pub stdin: &'s [u8],
    /// Its working directory.
    pub cwd: &'s str,
    /// How the hook ended and what it printed, if a hook ran.
    pub ended: Option<(i32, &'s str)>,
}

/// The outcome of a decision, as a case expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; 0 if the program is executed, since its own status is not known.
    pub exit: i32,
    /// The lines on standard error.
    pub stderr: Vec<String>,
    /// The command line, each argument with its origin; `None` if nothing is executed.
    pub argv: Option<Vec<(String, String)>>,
}

/// Decides a start on a machine; `None` if the command line is not a `prestart` command.
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

/// The case folder of a start; `None` if the command line is not a `prestart` command.
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

/// How the hook was started, as far as it differs from the usual.
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
