//! Makes text from outside safe to show: on one line, without control characters. Must not know any message.

pub mod paths;
pub mod position;
pub mod semver;

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// How much of an outside value a message shows, in characters: an image can fill a variable with a megabyte.
const EXCERPT: usize = 300;

/// Shows a value from an input: escaped like [`Escaped`], and cut if it is long.
pub struct Excerpt<'a>(pub &'a str);

impl Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(EXCERPT) {
            None => Escaped(self.0).fmt(f),
            Some((end, _)) => {
                let (shown, rest) = self.0.split_at(end);
                write!(f, "{}...({} bytes more)", Escaped(shown), rest.len())
            }
        }
    }
}

/// Shows a text with control characters, line separators and direction overrides escaped, so that an image can neither
/// add lines to a message nor control the terminal that shows it.
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_harmful(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Control characters (C0, DEL, C1), Unicode's line and paragraph separators, and the characters that reorder or hide
/// adjacent text: those of Bidi_Control, and those of Default_Ignorable_Code_Point that no letter needs.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A word as it must be written for a shell.
#[must_use]
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "_-./@%+=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
}

/// JSON in which the characters that [`Escaped`] escapes, except newlines, are written as `\u` escapes: the same
/// document, harmless on a terminal.
#[must_use]
pub fn harmless_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Splits a list at commas, trims the items and drops empty ones, as for every list in the contract.
pub fn comma_list(list: &str) -> impl Iterator<Item = &str> + Clone {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Reads a boolean like Go's `strconv.ParseBool`; anything else is `None`.
#[must_use]
pub fn go_bool(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_escaped_and_letters_are_not() {
        assert_eq!(Excerpt("a\u{1b}[31m\nb\u{202e}é").to_string(), "a\\u{1b}[31m\\nb\\u{202e}é");
        assert_eq!(Excerpt("\u{61c}\u{ad}\u{e0041}ب").to_string(), "\\u{61c}\\u{ad}\\u{e0041}ب");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(EXCERPT);
        assert_eq!(Excerpt(&long).to_string(), long);
        assert_eq!(Excerpt(&format!("{long}é\n")).to_string(), format!("{long}...(3 bytes more)"));
    }

    #[test]
    fn a_word_is_quoted_only_where_a_shell_needs_it() {
        assert_eq!(shell_word("--device=0,1"), "--device=0,1");
        assert_eq!((shell_word(""), shell_word("a b'c>")), ("''".into(), "'a b'\\''c>'".into()));
    }

    #[test]
    fn harmless_json_means_the_same() {
        let value = serde_json::json!({"a": "\u{9b}31m\u{202e}x\u{e0041}"});
        let text = harmless_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.is_ascii(), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_list_is_trimmed_and_its_empty_items_are_dropped() {
        assert_eq!(comma_list(" 0 ,, 1,\t,2\n").collect::<Vec<_>>(), ["0", "1", "2"]);
    }
}
