//! Results as TAP, version 14. Diagnostics are YAML, which includes JSON's strings.

use std::fmt::Write;

use super::{Entry, Results};
use crate::judge::Verdict;

pub(super) fn render(results: &Results) -> String {
    let mut text = format!("TAP version 14\n# {}\n1..{}\n", results.about, results.entries.len());
    for (index, entry) in results.entries.iter().enumerate() {
        let _ = tell(&mut text, index + 1, entry);
    }
    text
}

fn tell(text: &mut String, number: usize, entry: &Entry) -> std::fmt::Result {
    let name = entry.name.replace('\\', "\\\\").replace('#', "\\#");
    match &entry.verdict {
        Verdict::Passes | Verdict::DiffersAsListed => writeln!(text, "ok {number} - {name}"),
        Verdict::Skipped(reason) => writeln!(text, "ok {number} - {name} # SKIP {}", reason.replace('\n', " ")),
        Verdict::Fails(faults) => {
            writeln!(text, "not ok {number} - {name}\n  ---")?;
            if let Some(why) = &entry.why {
                writeln!(text, "  why: {}", quoted(why))?;
            }
            writeln!(text, "  faults:")?;
            for fault in faults {
                writeln!(text, "    - {}", quoted(fault))?;
            }
            writeln!(text, "  ...")
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
