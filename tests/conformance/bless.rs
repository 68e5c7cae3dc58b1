//! Rewrites an expected.toml with the actual outcome, and leaves everything that a person wrote: why, source, upstream,
//! comments. Must not judge; the person who blesses reads the difference.

use toml_edit::{Array, DocumentMut, Item, Table, Value, value};

use hook_test_support::core::{Decided, Planned};
use nvidia_hook_conformance::outcome::{Executed, Outcome, shown};
use nvidia_hook_conformance::scene::Scene;

/// The text of an expected.toml with the outcome of its case.
pub fn rewritten(text: &str, scene: &Scene, outcome: &Outcome, decided: &Decided) -> String {
    let mut document: DocumentMut = text.parse().unwrap();
    let upstream = document.remove("upstream");
    let exec = document.remove("exec");
    set(&mut document, "exit", (outcome.exit != 0).then(|| value(i64::from(outcome.exit))));
    for (key, bytes) in [("stderr", &outcome.stderr), ("stdout", &outcome.stdout)] {
        let text = String::from_utf8_lossy(bytes).into_owned();
        set(&mut document, key, (!text.is_empty()).then(|| value(text)));
    }
    let leaves: Array = outcome.leaves.iter().collect();
    set(&mut document, "leaves", (!leaves.is_empty()).then(|| value(leaves)));
    if let Some(executed) = &outcome.executed {
        let mut table = exec.and_then(|item| item.into_table().ok()).unwrap_or_default();
        let origins = match decided {
            Decided::Execute(Planned { origins, .. }) => origins.as_slice(),
            _ => &[],
        };
        fill(&mut table, scene, executed, origins);
        document.insert("exec", Item::Table(table));
    }
    if let Some(upstream) = upstream {
        document.insert("upstream", upstream);
    }
    document.to_string()
}

fn set(document: &mut DocumentMut, key: &str, item: Option<Item>) {
    match item {
        Some(item) => drop(document.insert(key, item)),
        None => drop(document.remove(key)),
    }
}

fn fill(table: &mut Table, scene: &Scene, executed: &Executed, origins: &[String]) {
    let pairs = shown(&executed.argv).into_iter().zip(origins).map(|(argument, origin)| {
        let mut pair = Array::new();
        pair.push(argument);
        pair.push(origin);
        Value::Array(pair)
    });
    table.insert("argv", lines(pairs));
    table.remove("environment");
    if executed.environ != scene.environ {
        table.insert("environment", lines(shown(&executed.environ).into_iter().map(Value::from)));
    }
    table.remove("refused");
    if executed.refused() {
        table.insert("refused", value(true));
    }
}

/// A list with one item per line.
fn lines(items: impl Iterator<Item = Value>) -> Item {
    let mut array = Array::new();
    for item in items {
        array.push_formatted(item.decorated("\n  ", ""));
    }
    array.set_trailing("\n");
    array.set_trailing_comma(true);
    value(array)
}

/// A recorded case in the form of overrides.toml.
pub fn override_table(name: &str, because: &str, scene: &Scene, outcome: &Outcome) -> Table {
    let mut table = Table::new();
    table.insert("name", value(name));
    table.insert("because", value(because));
    if outcome.exit != 0 {
        table.insert("exit", value(i64::from(outcome.exit)));
    }
    if !outcome.stderr.is_empty() {
        table.insert("stderr", value(outcome.stderr()));
    }
    if let Some(executed) = &outcome.executed {
        table.insert("argv", lines(shown(&executed.argv).into_iter().map(Value::from)));
        if executed.environ != scene.environ {
            table.insert("environment", lines(shown(&executed.environ).into_iter().map(Value::from)));
        }
    }
    table
}
