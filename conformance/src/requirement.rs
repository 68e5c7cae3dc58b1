//! The cases that stand for a security requirement, and what they demand of every hook, whichever contract it is
//! compared with: what it must never say, what it passes on besides arguments and environment, how it may end. Must not
//! know how a case is run.

use std::collections::BTreeSet;

use crate::expected::Expected;
use crate::outcome::Outcome;
use crate::scene::Scene;

/// The area of these cases.
pub const AREA: &str = "hardening";
/// What a program says when it ends in a way that its author did not intend.
const CRASHES: [&str; 4] = ["panicked at", "RUST_BACKTRACE", "goroutine ", "core dumped"];

/// What is wrong with the outcome of such a case, beyond status, arguments and environment.
pub fn faults(expected: &Expected, scene: &Scene, outcome: &Outcome) -> Vec<String> {
    let mut faults: Vec<String> = outcome.unsteady.clone().into_iter().collect();
    if !(0..=2).contains(&outcome.exit) {
        faults.push(format!("ends with {}", outcome.exit));
    }
    if outcome.exit == 1 && outcome.stderr.is_empty() && !scene.inherited.closed.contains(&2) {
        faults.push("fails without a word".to_owned());
    }
    let told = told(outcome);
    let crash = CRASHES.iter().find(|crash| told.contains(**crash));
    faults.extend(crash.map(|crash| format!("says {crash:?}")));
    let secret = expected.never.iter().find(|word| told.contains(word.as_str()));
    faults.extend(secret.map(|word| format!("tells {word:?}")));
    faults.extend(outcome.records.first().and_then(|record| process_fault(scene, record)));
    faults
}

/// All output: messages, arguments, environment.
fn told(outcome: &Outcome) -> String {
    let executed = outcome.executed.iter().flat_map(|executed| executed.argv.iter().chain(&executed.environ));
    let all = [&outcome.stdout, &outcome.stderr].into_iter().chain(executed);
    all.map(|text| String::from_utf8_lossy(text).into_owned() + "\n").collect()
}

/// What the program inherited but should not have, or should have inherited but did not.
fn process_fault(scene: &Scene, record: &serde_json::Value) -> Option<String> {
    let list = |value: Option<&serde_json::Value>| -> BTreeSet<String> {
        value.and_then(serde_json::Value::as_array).into_iter().flatten().map(ToString::to_string).collect()
    };
    let open = record.get("fds").and_then(serde_json::Value::as_array).into_iter().flatten();
    let open: BTreeSet<i64> = open.filter_map(|it| it.get("fd").and_then(serde_json::Value::as_i64)).collect();
    if open != BTreeSet::from([0, 1, 2]) {
        return Some(format!("hands on the descriptors {open:?}"));
    }
    let umask = format!("{:04o}", scene.inherited.umask.unwrap_or(0o022));
    if record.get("umask").and_then(serde_json::Value::as_str) != Some(&umask) {
        return Some(format!("hands on another umask than {umask}"));
    }
    let blocked: BTreeSet<String> = scene.inherited.blocked.iter().map(|name| format!("{name:?}")).collect();
    let got = list(record.pointer("/signals/blocked"));
    if got != blocked {
        return Some(format!("hands on {got:?} as blocked signals"));
    }
    let ignores = list(record.pointer("/signals/ignored")).contains("\"SIGPIPE\"");
    (ignores != scene.inherited.ignore_sigpipe).then(|| format!("SIGPIPE is ignored: {ignores}"))
}
