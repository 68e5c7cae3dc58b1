//! `explain` over every case of the hook, folders and recorded runs: the command line, the verdict and the lines it
//! predicts are the ones the case expects. Must not know what is right; the cases do.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use hook::invocation::{self, Command, Environ, Invocation};
use hook::text::Escaped;
use hook_test_support::memory::MemoryHost;
use nvidia_hook_conformance::judge::Check;
use nvidia_hook_conformance::scene::Scene;
use nvidia_hookctl::explain::report::{Report, Verdict};
use nvidia_hookctl::explain::{Question, Subject, explain, text};
use nvidia_hookctl::page::{Colour, WIDTH};

use super::cases::{faults_of, of_the_hook};

/// What a case expects of a start, as far as an explanation predicts it.
struct Expected {
    exit: i32,
    argv: Option<Vec<Vec<u8>>>,
    /// Standard error, if the case knows it to the letter.
    stderr: Option<String>,
}

/// `None` for a run that was not recorded with the newest release.
fn expected(check: &Check<'_>, scene: &Scene) -> Option<Expected> {
    let published = match check {
        Check::Folder(case) => {
            let expected = case.expected().unwrap();
            let argv = expected.exec.as_ref().map(|exec| exec.argv());
            // With -debug a start says more: first which mode it found.
            let is_debugged = scene.args.iter().any(|word| word == b"-debug");
            let stderr = match expected.stderr.split_once('\n') {
                Some((mode, rest)) if is_debugged && mode.starts_with("Auto-detected mode") => rest.to_owned(),
                _ => expected.stderr.clone(),
            };
            return Some(Expected { exit: expected.exit, argv, stderr: Some(stderr) });
        }
        Check::Recorded(recorded, overrides) => match overrides.find(recorded.name()) {
            Some(ours) => ours.published(scene),
            None => recorded.published(recorded.newest()).unwrap()?,
        },
        Check::Program(_) => return None,
    };
    Some(Expected { exit: published.exit, argv: published.argv, stderr: None })
}

#[test]
fn explanations_agree_with_every_case() {
    let (_, suite) = of_the_hook();
    let schema = jsonschema::draft202012::new(&super::schemas::of::<Report>()).unwrap();
    let (mut faults, mut explained) = (Vec::new(), 0);
    for check in suite.checks() {
        let scene = check.scene().unwrap();
        let (Some(report), Some(expected)) = (report(&scene), expected(&check, &scene)) else { continue };
        explained += 1;
        let mut found: Vec<String> = disagreement(&report, &expected).into_iter().collect();
        found.extend(form(&report, &schema));
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", check.name())));
    }
    assert!(explained > 1000, "{explained}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn disagreement(report: &Report, expected: &Expected) -> Option<String> {
    let argv: Vec<Vec<u8>> = report.argv.iter().map(|argument| argument.text.as_bytes().to_vec()).collect();
    let stderr: String = report.stderr.iter().map(|line| format!("{}\n", Escaped(line))).collect();
    let executes = matches!(report.verdict, Verdict::Execute | Verdict::Refused);
    // Only the kernel knows whether a file can be executed. Recorded runs have no standard error, and name such files
    // by a key only.
    let by_key = report.program.as_ref().is_some_and(|program| program.searched.is_empty());
    let not_executable = expected.stderr.as_ref().map_or(by_key, |text| text.contains("exec failed: "));
    match &expected.argv {
        Some(wanted) if executes => (sorted(wanted) != sorted(&lossy(&argv)))
            .then(|| format!("expects {:?}, explained {argv:?}", shown(wanted))),
        None if executes => (!not_executable).then(|| "nothing is executed, and explain says that it is".to_owned()),
        Some(_) => Some(format!("explain says {:?}: {stderr}", report.verdict)),
        None => {
            let status = i32::from(report.verdict == Verdict::Error);
            let same_words = expected.stderr.as_ref().is_none_or(|text| *text == stderr);
            (status != expected.exit || !same_words).then(|| {
                format!("ends with {} and {:?}, explained {status} and {stderr:?}", expected.exit, expected.stderr)
            })
        }
    }
}

/// An explanation is text, so bytes that are not UTF-8 become replacement characters. The published hook has
/// requirements in any order.
fn sorted(words: &[Vec<u8>]) -> Vec<String> {
    let mut words: Vec<String> = lossy(words).iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    words.sort();
    words
}

fn lossy(words: &[Vec<u8>]) -> Vec<Vec<u8>> {
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned().into_bytes()).collect()
}

fn shown(words: &[Vec<u8>]) -> Vec<String> {
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// What is wrong with the form of an explanation.
fn form(report: &Report, schema: &jsonschema::Validator) -> Vec<String> {
    let document = serde_json::to_value(report).unwrap();
    let mut faults = faults_of(schema, &document);
    for argument in report.argv.iter().filter(|argument| argument.origin.is_empty()) {
        faults.push(format!("no origin of {}", argument.text));
    }
    for line in text(report, Colour::Off).lines().filter(|line| line.chars().count() > WIDTH) {
        faults.push(format!("a line of more than {WIDTH} columns: {line}"));
    }
    faults
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
