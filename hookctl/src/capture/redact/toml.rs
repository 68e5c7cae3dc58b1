//! Masks a configuration: comments, and the values of unknown keys and of variables. Must not know what is decided.

use hook::contract::keys::{Key, ROWS};

/// Masks a configuration file: comments, values of unknown keys, and values of variables in `environment`.
#[must_use]
pub fn toml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut section, mut key) = (String::new(), String::new());
    let mut depth = 0_usize;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches('\u{feff}').trim();
        let mut masker = Masker { depth, ..Masker::default() };
        if depth == 0 && bare.starts_with('[') {
            section = plain_name(bare.trim_start_matches('[').split(']').next().unwrap_or_default());
            masker.is_value = true;
            masker.line(line, &mut out);
            continue;
        }
        if depth == 0 {
            key = plain_name(bare.split('=').next().unwrap_or_default());
        } else {
            masker.is_value = true;
        }
        let name = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        let known = Key::named(&name).is_some() || ROWS.iter().any(|row| row.name.starts_with(&format!("{name}.")));
        masker.foreign = !known;
        masker.variables = known && name.ends_with("environment");
        masker.line(line, &mut out);
        depth = masker.depth;
    }
    out
}

/// A dotted name without blanks and quotes around its parts.
fn plain_name(name: &str) -> String {
    name.split('.').map(|part| part.trim().trim_matches(['"', '\''])).collect::<Vec<_>>().join(".")
}

/// Masks a line's comment. Masks its strings if they belong to an unknown key, or after `=` if they are variables.
#[derive(Default)]
struct Masker {
    /// The strings are values of an unknown key.
    foreign: bool,
    /// The strings are `NAME=VALUE`.
    variables: bool,
    /// The value has begun, so a string is not a name.
    is_value: bool,
    /// How many brackets are open.
    depth: usize,
}

impl Masker {
    fn line(&mut self, line: &str, out: &mut String) {
        let (mut quote, mut comment, mut after_equals) = (None, false, false);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            if comment {
                out.push(masked_char(c));
                continue;
            }
            match (quote, c) {
                (None, '#') => comment = true,
                (None, '=') => self.is_value = true,
                (None, '"' | '\'') => (quote, after_equals) = (Some(c), false),
                (None, '[' | '{') => self.depth += 1,
                (None, ']' | '}') => self.depth = self.depth.saturating_sub(1),
                (None, _) => {}
                (Some(end), _) if c == end => quote = None,
                (Some(end), _) => {
                    let hides = self.is_value && (self.foreign || self.variables && after_equals);
                    after_equals |= c == '=';
                    match (hides, c) {
                        (true, '\\') if end == '"' => escape(&mut chars, out),
                        (true, _) => out.push(masked_char(c)),
                        (false, '\\') if end == '"' => {
                            out.push(c);
                            out.extend(chars.next());
                        }
                        (false, _) => out.push(c),
                    }
                    continue;
                }
            }
            out.push(c);
        }
        // A section header closes the brackets it opens.
        self.depth = if line.trim_start().starts_with('[') && !self.foreign && !self.variables && !line.contains('=') {
            0
        } else {
            self.depth
        };
    }
}

fn masked_char(c: char) -> char {
    if c.is_ascii() && !c.is_ascii_control() { 'x' } else { c }
}

/// Masks an escape in a masked string: it stays an escape. A NUL stays a NUL, since a start refuses it.
fn escape(chars: &mut std::str::Chars<'_>, out: &mut String) {
    out.push('\\');
    let Some(kind) = chars.next() else { return };
    out.push(kind);
    let digits = match kind {
        'u' => 4,
        'U' => 8,
        _ => return,
    };
    let number: String = chars.by_ref().take(digits).collect();
    let is_nul = number.chars().all(|c| c == '0');
    out.push_str(if is_nul { &number } else { ["0078", "00000078"].get(usize::from(digits == 8)).unwrap_or(&"0078") });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_keeps_the_values_of_known_keys() {
        let text = "# s3cret\ndisable-require = true # s3cret\n[nvidia-container-cli]\nenvironment = [\"A=s3cret\",\n \"B=s3cret\"]\npath = \"/opt/cli\"\ntoken = \"s3cret\"\n[other]\na = 's3cret'\n";
        let masked = toml(text);
        assert!(!masked.contains("s3cret"), "{masked}");
        assert_eq!(masked.len(), text.len());
        assert!(
            masked.contains("path = \"/opt/cli\"")
                && masked.contains("\"A=xxxxxx\"")
                && masked.contains("disable-require = true")
        );
    }
}
