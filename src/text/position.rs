//! Line and column of a place in a text, as editors count them: from 1, columns in characters. Must not know which text
//! it is.

use std::str::Utf8Error;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Position {
    /// The place of a byte offset. An offset inside a character, or beyond the text, counts as the end of the text.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Position {
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1,
        }
    }

    /// The place of the first byte that is not UTF-8.
    #[must_use]
    pub fn of_fault(bytes: &[u8], fault: &Utf8Error) -> Self {
        let valid = bytes.get(..fault.valid_up_to()).unwrap_or_default();
        let text = std::str::from_utf8(valid).unwrap_or_default();
        Position::of(text, text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_and_bytes_do_not() {
        let at = |text: &str, offset| Position::of(text, offset);
        assert_eq!(at("", 0), Position { line: 1, column: 1 });
        assert_eq!(at("é=\nab", 3), Position { line: 1, column: 3 });
        assert_eq!(at("é=\nab", 5), Position { line: 2, column: 2 });
        assert_eq!(at("é", 1), Position { line: 1, column: 2 });
        let bytes = &[b'a', b'\n', 0xc3, 0xa9, 0xff][..];
        let fault = std::str::from_utf8(bytes).unwrap_err();
        assert_eq!(Position::of_fault(bytes, &fault), Position { line: 2, column: 2 });
    }
}
