//! How commands write to a person: 100 columns, headings, rows with a label, colours if wanted. Everything written is
//! escaped here, so no image can drive the terminal. Must not know what is written.

use std::fmt::Write;

use hook::text::Escaped;

/// The width that no line exceeds.
pub const WIDTH: usize = 100;
/// The width of the labels of rows.
const LABEL: usize = 16;

/// Whether an answer has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With colours.
    On,
    /// Without colours.
    Off,
}

impl Colour {
    /// Colours are for a terminal whose user does not refuse them (<https://no-color.org>).
    #[must_use]
    pub fn wanted(terminal: bool, no_color: Option<&[u8]>, term: Option<&[u8]>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty()) || term == Some(b"dumb");
        if terminal && !refused { Colour::On } else { Colour::Off }
    }
}

/// How a word stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Like the rest.
    Plain,
    /// A heading.
    Bold,
    /// All is well, or this is what counts.
    Good,
    /// Worth a look.
    Warning,
    /// Wrong.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Bold => "\u{1b}[1m",
            Tone::Good => "\u{1b}[32m",
            Tone::Warning => "\u{1b}[33m",
            Tone::Bad => "\u{1b}[31m",
        }
    }
}

/// A text under construction.
#[derive(Debug)]
pub struct Page {
    text: String,
    colour: Colour,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(colour: Colour) -> Self {
        Page { text: String::new(), colour }
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A heading, after an empty line.
    pub fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.gap();
        }
        self.line(Tone::Bold, text);
    }

    /// A paragraph.
    pub fn line(&mut self, tone: Tone, text: &str) {
        self.hanging(tone, "", 0, text);
    }

    /// A row: a label, and text that hangs beside it.
    pub fn row(&mut self, label: &str, text: &str) {
        self.toned_row(Tone::Plain, label, text);
    }

    /// A row whose label stands out.
    pub fn toned_row(&mut self, tone: Tone, label: &str, text: &str) {
        self.hanging(tone, &format!("  {label}"), LABEL + 2, text);
    }

    /// A row without a label, which continues the text of the row before.
    pub fn more(&mut self, text: &str) {
        self.row("", text);
    }

    /// A row whose text keeps its leading blanks and stays on one line, however long, for text to be copied.
    pub fn indented(&mut self, label: &str, text: &str) {
        let label = format!("  {}", Escaped(label));
        self.text.push_str(&label);
        self.pad((LABEL + 2).saturating_sub(label.chars().count()));
        self.put(Tone::Plain, &Escaped(text).to_string());
        self.gap();
    }

    /// Two columns: the second begins after the first's longest entry, or on its own line if the first is too long.
    pub fn columns<'r>(&mut self, rows: impl Iterator<Item = (&'r str, &'r str)> + Clone) {
        const FIRST: usize = 40;
        let lengths = rows.clone().map(|(first, _)| Escaped(first).to_string().chars().count());
        let indent = lengths.filter(|length| *length <= FIRST).max().unwrap_or(0) + 4;
        for (first, second) in rows {
            self.hanging(Tone::Plain, &format!("  {first}"), indent, second);
        }
    }

    /// A text exactly as it is, except for what could harm a terminal.
    pub fn verbatim(&mut self, tone: Tone, text: &str) {
        for line in text.lines() {
            self.put(tone, &Escaped(line).to_string());
            self.gap();
        }
    }

    /// `label`, then `text` from column `indent` on, or below it if the label is too long.
    fn hanging(&mut self, tone: Tone, label: &str, indent: usize, text: &str) {
        let (label, text) = (Escaped(label).to_string(), Escaped(text).to_string());
        let mut lines = wrap(&text, WIDTH - indent).into_iter();
        let label_tone = if label.is_empty() { Tone::Plain } else { tone };
        let text_tone = if label.is_empty() { tone } else { Tone::Plain };
        if label.chars().count() < indent || indent == 0 {
            self.put(label_tone, &label);
            let first = lines.next().unwrap_or_default();
            if !first.is_empty() {
                self.pad(indent.saturating_sub(label.chars().count()));
                self.put(text_tone, &first);
            }
        } else {
            for (index, part) in wrap(label.trim_start(), WIDTH - 4).into_iter().enumerate() {
                if index > 0 {
                    self.gap();
                }
                self.pad(if index > 0 { 4 } else { 2 });
                self.put(label_tone, &part);
            }
        }
        self.gap();
        for line in lines {
            self.pad(indent);
            self.put(text_tone, &line);
            self.gap();
        }
    }

    fn pad(&mut self, width: usize) {
        self.text.extend(std::iter::repeat_n(' ', width));
    }

    fn put(&mut self, tone: Tone, text: &str) {
        if self.colour == Colour::On && tone != Tone::Plain && !text.is_empty() {
            let _ = write!(self.text, "{}{text}\u{1b}[0m", tone.code());
        } else {
            self.text.push_str(text);
        }
    }
}

/// The lines of a text: broken at spaces, and inside a word only if it is longer than a line.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(String::new());
            length = 0;
        } else if length > 0 {
            push(&mut lines, ' ');
            length += 1;
        }
        for c in word.chars() {
            if length == width {
                lines.push(String::new());
                length = 0;
            }
            push(&mut lines, c);
            length += 1;
        }
    }
    lines
}

fn push(lines: &mut [String], c: char) {
    if let Some(line) = lines.last_mut() {
        line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_at_spaces_and_a_long_word_anywhere() {
        assert_eq!(wrap("ab cd efg", 5), ["ab cd", "efg"]);
        assert_eq!(wrap("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn colours_are_for_a_terminal_that_does_not_refuse_them() {
        assert_eq!(Colour::wanted(true, None, Some(b"xterm")), Colour::On);
        assert_eq!(Colour::wanted(true, Some(b""), None), Colour::On);
        for (terminal, no_color, term) in
            [(false, None, None), (true, Some(b"1".as_slice()), None), (true, None, Some(b"dumb".as_slice()))]
        {
            assert_eq!(Colour::wanted(terminal, no_color, term), Colour::Off);
        }
    }

    #[test]
    fn what_is_written_cannot_drive_the_terminal() {
        let mut page = Page::new(Colour::On);
        page.row("a\u{1b}b", "c\u{9b}d\ne");
        assert_eq!(page.finish(), "  a\\u{1b}b        c\\u{9b}d\\ne\n");
        let mut page = Page::new(Colour::On);
        page.line(Tone::Bad, "x");
        assert_eq!(page.finish(), "\u{1b}[31mx\u{1b}[0m\n");
    }

    #[test]
    fn what_is_to_be_copied_is_not_broken() {
        let mut page = Page::new(Colour::Off);
        page.indented("label", &format!("  - {}", "word ".repeat(60)));
        page.indented("", "next");
        let text = page.finish();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.starts_with("  label             - word word") && text.ends_with("\n                  next\n"),
            "{text}"
        );
    }

    #[test]
    fn every_line_fits_the_page() {
        let long = "word ".repeat(60) + &"x".repeat(250);
        let mut page = Page::new(Colour::Off);
        page.row("label", &long);
        page.columns([(long.as_str(), long.as_str()), ("short", "b")].into_iter());
        page.line(Tone::Bold, &long);
        assert!(page.finish().lines().all(|line| line.chars().count() <= WIDTH));
    }
}
