//! `capture`: stands in front of a hook, passes everything through, and writes the start as a case folder if the hook
//! fails. It can also capture the start of a bundle. A failure to capture never changes how the hook ends. Must not
//! decide what is kept.

pub mod case;
mod machine;
pub mod origin;
pub mod recorder;
pub mod redact;
mod spelling;
mod store;
mod wrap;

use std::ffi::{OsStr, OsString};

use serde_json::json;

use crate::answer::{Answer, Scene};
use crate::arguments::Capture;
use crate::tree::Tree;
use case::Start;
use hook::invocation::Environ;
use hook::text::Escaped;

/// The exit status a shell returns for a program that cannot be started.
const NOT_STARTED: u8 = 127;

/// Runs the command.
pub fn run(arguments: &Capture, environ: Environ<'_>) -> Answer {
    match (&arguments.bundle, arguments.hook.split_first()) {
        (Some(bundle), _) => of_bundle(arguments, bundle, environ),
        (None, Some((program, words))) => in_front_of(arguments, program, words, environ),
        (None, None) => Answer::failure("name the hook after --, or a bundle with --bundle"),
    }
}

/// Runs a hook and captures the start if it fails.
fn in_front_of(arguments: &Capture, program: &OsString, words: &[OsString], environ: Environ<'_>) -> Answer {
    let passed = match wrap::run(program, words) {
        Ok(passed) => passed,
        Err(cause) => {
            let message = format!("{}: {}", program.display(), hook::error::reason(&cause));
            return Answer { err: format!("{}\n", Escaped(&message)), status: NOT_STARTED, ..Answer::default() };
        }
    };
    if passed.is_whole && (arguments.always || passed.status != 0) {
        let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
        let said = String::from_utf8_lossy(&passed.stderr);
        let start = Start {
            arguments: &words,
            environ,
            stdin: &passed.stdin,
            cwd: &wrap::working_directory(),
            ended: Some((i32::from(passed.status), &said)),
        };
        if let Some(files) = case::of(&start, &Tree::new(None)) {
            // Neither a full disk nor a missing directory is the container's fault.
            let _ = store::write(&arguments.to, "start", &files);
        }
    }
    // Everything the hook printed has already been passed on.
    Answer { status: passed.status, ..Answer::default() }
}

/// Captures the start of a bundle that still exists.
fn of_bundle(arguments: &Capture, bundle: &std::path::Path, environ: Environ<'_>) -> Answer {
    let scene = Scene::new(&arguments.common, environ);
    let Ok(bundle) = std::path::absolute(bundle) else {
        return Answer::failure("--bundle: the path cannot be made absolute");
    };
    let Some(path) = bundle.to_str() else { return Answer::failure("--bundle: the path of a bundle is UTF-8") };
    let state = json!({"ociVersion": "1.0.2", "pid": 1, "bundle": path}).to_string();
    let mut words: Vec<&OsStr> = Vec::new();
    if let Some(config) = &arguments.common.config {
        words.extend([OsStr::new("-config"), config.as_os_str()]);
    }
    words.push(OsStr::new("prestart"));
    let start =
        Start { arguments: &words, environ, stdin: state.as_bytes(), cwd: &wrap::working_directory(), ended: None };
    let Some(files) = case::of(&start, &scene.host) else { return Answer::failure("this start cannot be captured") };
    match store::write(&arguments.to, "bundle", &files) {
        Ok(folder) => Answer::out(format!("wrote {}\n", Escaped(&folder.to_string_lossy())), 0),
        Err(cause) => Answer::failure(&format!("{}: {}", arguments.to.display(), hook::error::reason(&cause))),
    }
}
