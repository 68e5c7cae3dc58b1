//! What `check`, `doctor`, `oci-hook` and `explain` find: one severity, one count, one way to write it. Must not know
//! what is found or where.

use schemars::JsonSchema;
use serde::Serialize;

use crate::page::{Page, Tone, WIDTH};

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Checked, and as it should be.
    Ok,
    /// Worth knowing, but not a problem.
    Note,
    /// Probably not what was intended, or a disadvantage.
    Warning,
    /// A start fails, or a container gets no GPU.
    Error,
}

/// A result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// How serious the finding is.
    pub severity: Severity,
    /// Identifier of the kind of finding, for programs, such as `version-mismatch` or `syntax`.
    pub id: &'static str,
    /// Dotted name of the configuration key that the finding is about; absent if it is not about a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Position in the file; absent if the finding has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What was found, in words.
    pub message: String,
    /// What to do about it; absent if nothing needs to be done.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub remedy: String,
    /// The line that nvidia-container-cli prints because of it, if that is certain.
    #[serde(skip)]
    pub line: Option<String>,
}

impl Finding {
    /// A finding without a place in a file.
    #[must_use]
    pub fn new(severity: Severity, id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding { severity, id, key: None, place: None, message: message.into(), remedy: remedy.into(), line: None }
    }

    /// Something that fails starts, or keeps containers from GPUs.
    #[must_use]
    pub fn error(id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(Severity::Error, id, message, remedy)
    }

    /// Something that is probably not as it should be.
    #[must_use]
    pub fn warning(id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(Severity::Warning, id, message, remedy)
    }

    /// Something that is as it should be.
    #[must_use]
    pub fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Finding::new(Severity::Ok, id, message, "")
    }
}

/// A position in a file; lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Place {
    /// Line number.
    pub line: usize,
    /// Column number, in characters.
    pub column: usize,
    /// Length of the part of this line that the finding is about, in characters.
    pub length: usize,
}

/// How many findings there are of the severities that count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count {
    /// Number of findings of severity `error`; the text form of `doctor` calls them problems.
    pub errors: usize,
    /// Number of findings of severity `warning`.
    pub warnings: usize,
}

impl Count {
    /// The count of findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Count { errors: count(Severity::Error), warnings: count(Severity::Warning) }
    }

    /// The exit status: 1 for an error, or for a warning if warnings count as errors.
    #[must_use]
    pub fn status(self, strict: bool) -> u8 {
        u8::from(self.errors > 0 || (strict && self.warnings > 0))
    }

    /// The tone of a sentence about it.
    #[must_use]
    pub fn tone(self) -> Tone {
        match (self.errors, self.warnings) {
            (0, 0) => Tone::Good,
            (0, _) => Tone::Warning,
            _ => Tone::Bad,
        }
    }

    /// `no errors, 1 warning`, with the word for errors that fits the subject.
    #[must_use]
    pub fn words(self, error: &str) -> String {
        format!("{}, {}", counted(self.errors, error), counted(self.warnings, "warning"))
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// What findings are about, which decides how they are written.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s> {
    /// The word for an error.
    pub error: &'s str,
    /// The file and its text, for findings that have a place.
    pub file: Option<(&'s str, &'s str)>,
    /// Whether a person may need the finding's kind.
    pub with_id: bool,
}

impl Subject<'_> {
    /// Writes findings in their order.
    pub fn write(self, page: &mut Page, findings: &[Finding]) {
        let mut lines = Lines::of(self.file.map_or("", |(_, text)| text));
        for finding in findings {
            let (tone, word) = self.label(finding.severity);
            match (self.file, finding.place) {
                (Some((file, _)), Some(place)) => {
                    page.line(tone, &format!("{file}:{}:{}: {word}: {}", place.line, place.column, finding.message));
                    caret(page, lines.characters(place.line), place);
                    page.row("help", &finding.remedy);
                    page.gap();
                }
                (Some(_), None) => {
                    page.line(tone, &format!("{word}: {}", finding.message));
                    page.row("help", &finding.remedy);
                    page.gap();
                }
                (None, _) => {
                    let id = if self.with_id { format!("{}: ", finding.id) } else { String::new() };
                    page.toned_row(tone, word, &format!("{id}{}", finding.message));
                    if !finding.remedy.is_empty() {
                        page.more(&format!("-> {}", finding.remedy));
                    }
                }
            }
        }
    }

    fn label(&self, severity: Severity) -> (Tone, &str) {
        match severity {
            Severity::Ok => (Tone::Good, "ok"),
            Severity::Note => (Tone::Plain, "note"),
            Severity::Warning => (Tone::Warning, "warning"),
            Severity::Error => (Tone::Bad, self.error),
        }
    }
}

/// The lines of a file. The last one requested is kept: findings come in file order, and many can be on one line.
struct Lines<'t> {
    lines: Vec<&'t str>,
    last: (usize, Vec<char>),
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Lines { lines: text.lines().collect(), last: (0, Vec::new()) }
    }

    /// The characters of a line; lines count from 1. A tab becomes one blank, so marks stay below what they mark.
    fn characters(&mut self, line: usize) -> &[char] {
        if self.last.0 != line {
            let text = self.lines.get(line - 1).copied().unwrap_or_default();
            self.last = (line, text.chars().map(|c| if c == '\t' { ' ' } else { c }).collect());
        }
        &self.last.1
    }
}

/// Writes the line of a place, or the part of a long line around it, with the place marked below.
fn caret(page: &mut Page, line: &[char], place: Place) {
    const MARGIN: usize = 9;
    let room = WIDTH - MARGIN;
    let start = if line.len() <= room { 0 } else { (place.column - 1).saturating_sub(room / 2).min(line.len() - room) };
    let excerpt: String = line.iter().skip(start).take(room).map(|c| if c.is_control() { '?' } else { *c }).collect();
    page.verbatim(Tone::Plain, format!("{:>6} | {excerpt}", place.line).trim_end());
    let before = place.column - 1 - start;
    let marks = place.length.min(room.saturating_sub(before)).max(1);
    page.verbatim(Tone::Bad, &format!("{:>6} | {}{}", "", " ".repeat(before), "^".repeat(marks)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Colour;

    #[test]
    fn errors_and_warnings_count_and_the_rest_does_not() {
        let of = |severities: &[Severity]| {
            let findings: Vec<Finding> = severities.iter().map(|one| Finding::new(*one, "x", "m", "r")).collect();
            Count::of(&findings)
        };
        let count = of(&[Severity::Ok, Severity::Note, Severity::Warning]);
        assert_eq!((count.status(false), count.status(true)), (0, 1));
        assert_eq!(count.words("problem"), "no problems, 1 warning");
        assert_eq!(of(&[Severity::Error, Severity::Error]).words("error"), "2 errors, no warnings");
        assert_eq!(of(&[Severity::Error]).status(false), 1);
    }

    #[test]
    fn a_finding_is_written_with_its_place_or_as_a_row() {
        let mut finding = Finding::new(Severity::Error, "some-id", "what", "do");
        let write = |subject: Subject<'_>, finding: &Finding| {
            let mut page = Page::new(Colour::Off);
            subject.write(&mut page, std::slice::from_ref(finding));
            page.finish()
        };
        let host = Subject { error: "problem", file: None, with_id: true };
        assert_eq!(write(host, &finding), "  problem         some-id: what\n                  -> do\n");
        finding.place = Some(Place { line: 1, column: 3, length: 2 });
        let file = Subject { error: "error", file: Some(("/f", "a bc")), with_id: false };
        assert_eq!(
            write(file, &finding),
            "/f:1:3: error: what\n     1 | a bc\n       |   ^^\n  help            do\n\n"
        );
    }

    #[test]
    fn a_line_with_many_findings_is_read_once() {
        let mut lines = Lines::of("one\n\ttwo\n");
        let first = lines.characters(2).as_ptr();
        assert_eq!(lines.characters(2).as_ptr(), first);
        assert_eq!(lines.characters(2), [' ', 't', 'w', 'o']);
        assert_eq!((lines.characters(1).len(), lines.characters(3).len()), (3, 0));
    }
}
