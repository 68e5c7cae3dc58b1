//! The tokens of a TOML text, whether it is valid or not: comments, strings and bare words, each with its role. Must not
//! know which of them are kept.

use std::ops::Range;

/// A part of a text that can say something. What lies between tokens is punctuation and blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where it stands, quotes included.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// Whether it is part of the name of a key or table.
    pub is_name: bool,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A comment, without the end of the line.
    Comment,
    /// A string; the number of its quotes before and after the body, and whether the body has escapes.
    String {
        /// Quotes before the body.
        before: usize,
        /// Quotes after the body; 0 if the string does not end.
        after: usize,
        /// Whether a backslash begins an escape.
        escapes: bool,
    },
    /// Anything else, such as a number.
    Bare,
}

/// The tokens of a text.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), is_value: false, tokens: Vec::new() };
    while let Some(c) = reader.rest().chars().next() {
        reader.step(c);
    }
    reader.tokens
}

/// A bracket of a value.
#[derive(PartialEq, Eq)]
enum Open {
    Array,
    Table,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    open: Vec<Open>,
    is_value: bool,
    tokens: Vec<Token>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, c: char) {
        match c {
            '#' => {
                let length = self.rest().find('\n').unwrap_or(self.rest().len());
                return self.token(length, Kind::Comment);
            }
            '"' | '\'' => return self.string(c),
            // Only a list goes on in the next line.
            '\n' if self.open.is_empty() => self.is_value = false,
            '=' => self.is_value = true,
            ',' if self.open.last() == Some(&Open::Table) => self.is_value = false,
            '[' if self.is_value => self.open.push(Open::Array),
            '{' if self.is_value => {
                self.open.push(Open::Table);
                self.is_value = false;
            }
            ']' | '}' if !self.open.is_empty() => {
                self.open.pop();
                self.is_value = true;
            }
            '[' | ']' | '{' | '}' | ',' => {}
            c if c.is_ascii_whitespace() => {}
            _ => {
                let ends = |c: char| c.is_ascii_whitespace() || "#\"'=,[]{}".contains(c);
                let length = self.rest().find(ends).unwrap_or(self.rest().len());
                return self.token(length, Kind::Bare);
            }
        }
        self.at += c.len_utf8();
    }

    fn token(&mut self, length: usize, kind: Kind) {
        let span = self.at..self.at + length;
        self.at = span.end;
        let is_name = !self.is_value && kind != Kind::Comment && self.is_before_name_end(&span);
        self.tokens.push(Token { span, kind, is_name });
    }

    /// Whether the text after a token goes on as it does after a name: with `=`, `]` or another part.
    fn is_before_name_end(&self, span: &Range<usize>) -> bool {
        let next = self.rest().trim_start_matches([' ', '\t']).chars().next();
        let has_part = self.text.get(span.clone()).is_some_and(|text| text.ends_with('.'));
        has_part || matches!(next, Some('=' | ']' | '.'))
    }

    fn string(&mut self, quote: char) {
        let (single, triple) = (quote.to_string(), quote.to_string().repeat(3));
        let escapes = quote == '"';
        let before = if self.rest().starts_with(&triple) { 3 } else { 1 };
        let body = self.rest().get(before..).unwrap_or_default();
        let mut chars = body.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && escapes && !body.get(at + 1..).is_some_and(|rest| rest.starts_with('\n')) {
                chars.next();
            } else if c == '\n' && before == 1 {
                return self.token(before + at, Kind::String { before, after: 0, escapes });
            } else if c == quote && body.get(at..).is_some_and(|rest| before == 1 || rest.starts_with(&triple)) {
                let run = body.get(at..).unwrap_or_default();
                // The body of a string in three quotes may itself end with up to two.
                let most = if before == 1 { 1 } else { 5 };
                let after =
                    (0..most).take_while(|n| run.get(*n..).is_some_and(|rest| rest.starts_with(&single))).count();
                return self.token(before + at + after, Kind::String { before, after, escapes });
            }
        }
        self.token(before + body.len(), Kind::String { before, after: 0, escapes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(&str, bool)> {
        tokens(text).into_iter().map(|token| (text.get(token.span).unwrap(), token.is_name)).collect()
    }

    #[test]
    fn tokens_are_found_across_lines() {
        assert_eq!(
            of("[a.\"b\"]\nc = [1, # x\n  \"\"\"d\n\"e\"\"\"\"] # y\nf = { g = 'h', i = 2 }\n"),
            [
                ("a.", true),
                ("\"b\"", true),
                ("c", true),
                ("1", false),
                ("# x", false),
                ("\"\"\"d\n\"e\"\"\"\"", false),
                ("# y", false),
                ("f", true),
                ("g", true),
                ("'h'", false),
                ("i", true),
                ("2", false),
            ]
        );
    }

    #[test]
    fn what_only_stands_where_a_name_could_is_not_one() {
        assert_eq!(
            of("token: a\nb \"c\"\nd = \"\\\"e\ng = 1"),
            [
                ("token:", false),
                ("a", false),
                ("b", false),
                ("\"c\"", false),
                ("d", true),
                ("\"\\\"e", false),
                ("g", true),
                ("1", false)
            ]
        );
    }
}
