//! Results for a person: the failures, a table of areas, the reasons for skipping, and a summary.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Count, Entry, Results, count, harmless};
use crate::judge::Verdict;

pub(super) fn render(results: &Results, verbose: bool) -> String {
    let mut text = format!("{}\n\n", results.about);
    for entry in &results.entries {
        let _ = tell(&mut text, entry, verbose);
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    let _ = areas(&mut text, &results.entries);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &results.entries {
        if let Verdict::Skipped(reason) = &entry.verdict {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    for (reason, times) in reasons {
        let _ = writeln!(text, "skipped, {times}: {reason}");
    }
    let Count { passed, listed, skipped, failed } = count(&results.entries);
    let differ = match listed {
        0 => String::new(),
        listed => format!(", {listed} as the release where this project's hook differs"),
    };
    let failed = if failed == 0 { "0 failed".to_owned() } else { format!("{failed} FAILED") };
    let _ = writeln!(text, "{passed} passed{differ}, {skipped} skipped, {failed}");
    text
}

fn tell(text: &mut String, entry: &Entry, verbose: bool) -> std::fmt::Result {
    match &entry.verdict {
        Verdict::Fails(faults) => {
            let why = entry.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            writeln!(text, "FAIL {}{why}", entry.name)?;
            for line in faults.iter().flat_map(|fault| fault.lines()) {
                writeln!(text, "    {}", harmless(line))?;
            }
            Ok(())
        }
        Verdict::Skipped(reason) if verbose => writeln!(text, "skip {}: {reason}", entry.name),
        _ if verbose => writeln!(text, "ok   {}", entry.name),
        _ => Ok(()),
    }
}

fn areas(text: &mut String, entries: &[Entry]) -> std::fmt::Result {
    let mut areas: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        areas.entry(&entry.area).or_default().push(entry);
    }
    let width = areas.keys().map(|area| area.len()).max().unwrap_or(4);
    writeln!(text, "{:<width$} passes  differs  skipped  fails", "area")?;
    for (area, entries) in areas {
        let Count { passed, listed, skipped, failed } = count(entries);
        writeln!(text, "{area:<width$} {passed:>6} {listed:>8} {skipped:>8} {failed:>6}")?;
    }
    writeln!(text)
}
