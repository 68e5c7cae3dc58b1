//! What `explain` says about a scene, compared with what a start did: both must agree in every case there is.
//! Must not know what is right; `expected` and `recorded` do.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use nvidia_container_runtime_hook::invocation::Environ;
use nvidia_container_runtime_hook::invocation::{self, Command, Invocation};
use nvidia_hookctl::explain::report::{Report, Verdict};
use nvidia_hookctl::explain::{Question, Subject, explain, text};
use nvidia_hookctl::page::{Colour, WIDTH};
use serde_json::Value;

use hook_test_support::memory::MemoryHost;
use hook_test_support::{programs, schema};
use nvidia_hook_conformance::outcome::Outcome;
use nvidia_hook_conformance::scene::Scene;

/// Where the explanation of a scene and its outcome disagree, or the explanation is not well formed.
pub fn faults(scene: &Scene, outcome: &Outcome) -> Vec<String> {
    let Some(report) = report(scene) else { return Vec::new() };
    let mut faults = agreement(&report, outcome);
    let document = serde_json::to_value(&report).unwrap();
    faults.extend(schema::faults(explain_schema(), &document).into_iter().map(|fault| format!("schema: {fault}")));
    for argument in report.argv.iter().filter(|argument| argument.origin.is_empty()) {
        faults.push(format!("explain knows no origin of {}", argument.text));
    }
    for line in text(&report, Colour::Off).lines().filter(|line| line.chars().count() > WIDTH) {
        faults.push(format!("explain writes a line of more than {WIDTH} columns: {line}"));
    }
    faults
}

fn agreement(report: &Report, outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    let said = outcome.stderr();
    let argv: Option<Vec<String>> = outcome
        .executed
        .as_ref()
        .map(|executed| executed.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect());
    let explained: Vec<String> = report.argv.iter().map(|argument| argument.text.clone()).collect();
    match (report.verdict, argv) {
        (Verdict::Execute, Some(argv)) if argv == explained => {}
        // Only the kernel knows whether a file can be executed.
        (Verdict::Execute, None) if said.contains("exec failed: ") => {}
        (Verdict::Nothing | Verdict::Error, None) if explained.is_empty() => {
            let status = i32::from(report.verdict == Verdict::Error);
            let lines: Vec<String> = report.stderr.clone();
            if outcome.exit != status || !said.lines().eq(lines.iter().map(|line| shown(line))) {
                faults.push(format!("explain says {lines:?}, the hook {}: {said:?}", outcome.exit));
            }
        }
        (verdict, argv) => faults.push(format!("explain says {verdict:?} {explained:?}, the hook executed {argv:?}")),
    }
    faults
}

fn shown(line: &str) -> String {
    nvidia_container_runtime_hook::text::Line(line).to_string()
}

fn report(scene: &Scene) -> Option<Report> {
    let arguments: Vec<&OsStr> = scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
    let environ: Vec<CString> = scene.environ.iter().map(|entry| CString::new(entry.as_slice()).unwrap()).collect();
    let environ: Vec<&CStr> = environ.iter().map(CString::as_c_str).collect();
    let Ok((flags, Command::Prestart)) = invocation::parse(&arguments) else { return None };
    let subject = Subject::State(scene.stdin.content.clone());
    let question = Question { subject, variables: Vec::new(), privileged: false };
    Some(explain(&question, &Invocation { flags, environ: Environ(&environ) }, &MemoryHost::new(scene)))
}

fn explain_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = std::fs::read_to_string(programs::source("docs/explain.schema.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    })
}
