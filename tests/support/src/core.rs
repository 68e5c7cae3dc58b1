//! Runs a scene through the pure core: the same decision without any process or file. Must not judge the result.

use std::ffi::{CStr, CString, OsStr};
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;

use nvidia_container_runtime_hook::contract::origin::Origin;

use nvidia_container_runtime_hook::invocation::{self, Command, Environ, Invocation};
use nvidia_container_runtime_hook::prestart::{self, Decision, Texts, Trail};
use nvidia_container_runtime_hook::text::Escaped;

use nvidia_hook_conformance::outcome::{Outcome, difference};
use nvidia_hook_conformance::scene::Scene;
use nvidia_hookctl::capture::origin::words;

use crate::memory::MemoryHost;

/// What the core decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// The command line does not lead to a decision.
    NoPrestart,
    /// Nothing is done.
    Nothing,
    /// An error, with its message.
    Failed(String),
    /// The program is executed.
    Execute(Planned),
}

/// A plan, as far as it can be observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The arguments.
    pub argv: Vec<Vec<u8>>,
    /// Where each argument came from, in words.
    pub origins: Vec<String>,
    /// The environment.
    pub environ: Vec<Vec<u8>>,
}

/// Decides a scene.
pub fn decide(scene: &Scene) -> Decided {
    let arguments: Vec<&OsStr> = scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
    let environ: Vec<CString> = scene.environ.iter().map(|entry| CString::new(entry.as_slice()).unwrap()).collect();
    let environ: Vec<&CStr> = environ.iter().map(CString::as_c_str).collect();
    let Ok((flags, Command::Prestart)) = invocation::parse(&arguments) else { return Decided::NoPrestart };
    let host = MemoryHost::new(scene);
    let invocation = Invocation { flags, environ: Environ(&environ) };
    let (texts, mut trail) = (Texts::default(), Trail::default());
    match prestart::decide(&invocation, &mut Cursor::new(&scene.stdin.content), &host, &texts, &mut trail) {
        Err(error) => Decided::Failed(Escaped(&error.to_string()).to_string()),
        Ok(Decision::Nothing(_)) => Decided::Nothing,
        Ok(Decision::Execute(plan)) => {
            let config = trail.config.as_ref().unwrap();
            let say = |origin: &Origin| words(origin, config, invocation.environ);
            Decided::Execute(Planned {
                argv: plan.arguments.iter().map(|argument| argument.text.as_bytes().to_vec()).collect(),
                origins: plan.arguments.iter().map(|argument| say(&argument.origin)).collect(),
                environ: plan.environment.iter().map(|entry| entry.text.to_bytes().to_vec()).collect(),
            })
        }
    }
}

/// What the program does with a decision to execute nothing: the outcome of a scene that no disk can hold.
pub fn outcome(decided: &Decided) -> Outcome {
    let (exit, stderr) = match decided {
        Decided::Failed(message) => (1, format!("{message}\n").into_bytes()),
        Decided::NoPrestart | Decided::Nothing => (0, Vec::new()),
        Decided::Execute(planned) => panic!("a scene in which something fails ends in an error, not in {planned:?}"),
    };
    Outcome {
        exit,
        stdout: Vec::new(),
        stderr,
        executed: None,
        records: Vec::new(),
        leaves: Vec::new(),
        unsteady: None,
    }
}

/// Where a decision disagrees with what the real programs did.
pub fn disagreement(decided: &Decided, outcome: &Outcome) -> Option<String> {
    let said = outcome.stderr();
    match (decided, &outcome.executed) {
        (Decided::NoPrestart | Decided::Nothing, None) => {
            (outcome.exit == 1).then(|| format!("the core decides {decided:?}, the hook fails: {said}"))
        }
        // Only the kernel knows whether a file can be executed.
        (Decided::Execute(_), None) if said.contains("exec failed: ") => None,
        (Decided::Failed(message), None) if outcome.exit == 1 && said.ends_with(&format!("{message}\n")) => None,
        (Decided::Execute(planned), Some(executed)) => {
            difference("argv of core and hook", &planned.argv, &executed.argv)
                .or_else(|| difference("environment of core and hook", &planned.environ, &executed.environ))
        }
        _ => Some(format!(
            "the core decides {decided:?}, the hook ends with {} and {said:?}, executed {}",
            outcome.exit,
            outcome.executed.is_some()
        )),
    }
}
