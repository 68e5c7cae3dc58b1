//! Results, reported in one of three formats. Must not know how they came about, nor print.

mod junit;
mod tap;
mod text;

use crate::arguments::Format;
use crate::judge::Verdict;

/// The result of a check.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its area.
    pub area: String,
    /// What it shows, in a sentence, if known.
    pub why: Option<String>,
    /// Its verdict.
    pub verdict: Verdict,
}

/// All results.
#[derive(Debug, Clone)]
pub struct Results {
    /// What was tested, and how, on one line.
    pub about: String,
    /// The results, in the order of the checks.
    pub entries: Vec<Entry>,
}

/// How many checks had each result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    listed: usize,
    skipped: usize,
    failed: usize,
}

impl Results {
    /// Whether something ran and nothing failed: a skipped check shows nothing.
    pub fn is_success(&self) -> bool {
        let count = count(&self.entries);
        count.failed == 0 && count.passed + count.listed > 0
    }

    /// The results as text. `verbose` reports every check, if the format leaves a choice.
    pub fn render(&self, format: Format, verbose: bool) -> String {
        match format {
            Format::Text => text::render(self, verbose),
            Format::Tap => tap::render(self),
            Format::Junit => junit::render(self),
        }
    }
}

fn count<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Count {
    let mut count = Count::default();
    for entry in entries {
        match entry.verdict {
            Verdict::Passes => count.passed += 1,
            Verdict::DiffersAsListed => count.listed += 1,
            Verdict::Skipped(_) => count.skipped += 1,
            Verdict::Fails(_) => count.failed += 1,
        }
    }
    count
}

/// A line with control characters escaped, so that it stays one line and a terminal takes none for a command.
pub(crate) fn harmless(line: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    line.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(verdicts: &[Verdict]) -> Results {
        let entry = |(index, verdict): (usize, &Verdict)| Entry {
            name: format!("area/case-{index} # <&>"),
            area: "area".to_owned(),
            why: Some("it shows".to_owned()),
            verdict: verdict.clone(),
        };
        Results { about: "hook".to_owned(), entries: verdicts.iter().enumerate().map(entry).collect() }
    }

    fn all() -> Results {
        let skipped = Verdict::Skipped("no root".to_owned());
        let fails = Verdict::Fails(vec!["argv[0]: want \"a\", got \"\u{1b}\"".to_owned(), "two".to_owned()]);
        results(&[Verdict::Passes, Verdict::DiffersAsListed, skipped, fails])
    }

    #[test]
    fn success_is_something_that_ran_and_nothing_that_failed() {
        let skipped = Verdict::Skipped(String::new());
        assert!(!all().is_success());
        assert!(results(&[Verdict::Passes, skipped.clone()]).is_success());
        assert!(results(&[Verdict::DiffersAsListed]).is_success());
        assert!(!results(&[skipped]).is_success());
        assert!(!results(&[]).is_success());
    }

    #[test]
    fn the_text_tells_failures_areas_and_reasons() {
        let text = all().render(Format::Text, false);
        assert_eq!(
            text,
            "hook\n\nFAIL area/case-3 # <&>: it shows\n    argv[0]: want \"a\", got \"\\u{1b}\"\n    two\n\n\
             area passes  differs  skipped  fails\narea      1        1        1      1\n\n\
             skipped, 1: no root\n\
             1 passed, 1 as the release where this project's hook differs, 1 skipped, 1 FAILED\n"
        );
        assert!(all().render(Format::Text, true).contains("\nok   area/case-0 # <&>\n"));
    }

    #[test]
    fn tap_has_a_plan_directives_and_diagnostics() {
        assert_eq!(
            all().render(Format::Tap, false),
            "TAP version 14\n# hook\n1..4\nok 1 - area/case-0 \\# <&>\nok 2 - area/case-1 \\# <&>\n\
             ok 3 - area/case-2 \\# <&> # SKIP no root\nnot ok 4 - area/case-3 \\# <&>\n  ---\n  \
             why: \"it shows\"\n  faults:\n    - \"argv[0]: want \\\"a\\\", got \\\"\\u001b\\\"\"\n    - \"two\"\n  ...\n"
        );
    }

    #[test]
    fn junit_is_xml_of_text_that_xml_can_hold() {
        assert_eq!(
            all().render(Format::Junit, false),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"nvidia-hook-conformance\" tests=\"4\" failures=\"1\" skipped=\"1\">\n  \
             <testsuite name=\"area\" tests=\"4\" failures=\"1\" skipped=\"1\">\n    \
             <testcase classname=\"area\" name=\"case-0 # &lt;&amp;&gt;\"/>\n    \
             <testcase classname=\"area\" name=\"case-1 # &lt;&amp;&gt;\"/>\n    \
             <testcase classname=\"area\" name=\"case-2 # &lt;&amp;&gt;\">\n      <skipped message=\"no root\"/>\n    \
             </testcase>\n    <testcase classname=\"area\" name=\"case-3 # &lt;&amp;&gt;\">\n      \
             <failure message=\"it shows\">argv[0]: want &quot;a&quot;, got &quot;\u{fffd}&quot;\ntwo</failure>\n    \
             </testcase>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
