//! Results as JUnit XML, for CI systems: a suite for each area.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Count, Entry, Results, count};
use crate::judge::Verdict;

pub(super) fn render(results: &Results) -> String {
    let mut areas: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &results.entries {
        areas.entry(&entry.area).or_default().push(entry);
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(
        text,
        "<testsuites name=\"nvidia-hook-conformance\"{}>",
        counts(results.entries.len(), count(&results.entries))
    );
    for (area, entries) in areas {
        let _ = suite(&mut text, area, &entries);
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts(tests: usize, count: Count) -> String {
    format!(" tests=\"{tests}\" failures=\"{}\" skipped=\"{}\"", count.failed, count.skipped)
}

fn suite(text: &mut String, area: &str, entries: &[&Entry]) -> std::fmt::Result {
    let counts = counts(entries.len(), count(entries.iter().copied()));
    writeln!(text, "  <testsuite name=\"{}\"{counts}>", escaped(area))?;
    for entry in entries {
        let name = entry.name.strip_prefix(area).unwrap_or(&entry.name).trim_start_matches('/');
        write!(text, "    <testcase classname=\"{}\" name=\"{}\"", escaped(area), escaped(name))?;
        match &entry.verdict {
            Verdict::Passes | Verdict::DiffersAsListed => writeln!(text, "/>")?,
            Verdict::Skipped(reason) => {
                writeln!(text, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(reason))?;
            }
            Verdict::Fails(faults) => {
                let why = entry.why.as_deref().unwrap_or("not as it should be");
                let faults = escaped(&faults.join("\n"));
                writeln!(text, ">\n      <failure message=\"{}\">{faults}</failure>\n    </testcase>", escaped(why))?;
            }
        }
    }
    writeln!(text, "  </testsuite>")
}

/// Text for XML 1.0, which cannot hold most control characters, even escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
