//! Where in a topology's text a member is, for complaints about it. The member may be missing; then the nearest one
//! around it counts.
//!
//! It knows TOML's and JSON's form, not what a member means.

use super::load::Syntax;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What was found: a place in the text, and whether it is the member itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    at: usize,
    is_whole: bool,
}

/// The line of a member such as `gpus[1].mig[0].ci`, counted from 1. Of several, the first that is in the text counts.
/// `None` if not even a part of a name is there.
pub(super) fn line(text: &str, syntax: Syntax, members: &[String]) -> Option<usize> {
    let found = |member: &String| match syntax {
        Syntax::Toml => in_table(&DeTable::parse(text).ok()?.into_inner(), member, None),
        Syntax::Json => Json { text: text.as_bytes(), at: 0 }.find(member, None),
    };
    let all: Vec<Found> = members.iter().filter_map(found).collect();
    let one = all.iter().find(|found| found.is_whole).or(all.first())?;
    let before = text.as_bytes().get(..one.at).unwrap_or_default();
    Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// What is left of a member's name below a key; a key may have dots in it.
fn below<'m>(member: &'m str, key: &str) -> Option<&'m str> {
    let rest = member.strip_prefix(key)?;
    let inner = rest.strip_prefix('.').unwrap_or(rest);
    (rest.is_empty() || rest.len() != inner.len() || rest.starts_with('[')).then_some(inner)
}

/// The place in a list and what is left of a member's name below it.
fn element(member: &str) -> Option<(usize, &str)> {
    let (place, rest) = member.strip_prefix('[')?.split_once(']')?;
    Some((place.parse().ok()?, rest.strip_prefix('.').unwrap_or(rest)))
}

fn in_table(table: &DeTable<'_>, member: &str, here: Option<usize>) -> Option<Found> {
    let inner = table.iter().find_map(|(key, value)| Some((key, value, below(member, key.get_ref())?)));
    match inner {
        Some((key, value, rest)) => in_value(value, rest, key.span().start),
        None => here.map(|at| Found { at, is_whole: member.is_empty() }),
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, member: &str, here: usize) -> Option<Found> {
    let nearest = Found { at: here, is_whole: member.is_empty() };
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, member, Some(here)),
        DeValue::Array(list) => {
            let inner = element(member).and_then(|(place, rest)| Some((list.get(place)?, rest)));
            inner.map_or(Some(nearest), |(one, rest)| in_value(one, rest, one.span().start))
        }
        _ => Some(nearest),
    }
}

/// A text that is known to be JSON, read from a place on.
struct Json<'t> {
    text: &'t [u8],
    at: usize,
}

impl Json<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() || [b',', b':'].contains(self.text.get(self.at)?) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Finds a member of the value that comes next; `key` is the place of its own key.
    fn find(&mut self, member: &str, key: Option<usize>) -> Option<Found> {
        let opening = self.peek()?;
        let nearest = key.unwrap_or(self.at);
        let closing = if opening == b'{' { b'}' } else { b']' };
        let mut place = 0;
        if opening == b'{' || opening == b'[' {
            self.at += 1;
            while self.peek()? != closing {
                let start = self.at;
                let rest = if opening == b'{' {
                    self.skip()?;
                    let key = self.text.get(start + 1..self.at.checked_sub(1)?);
                    key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| below(member, key))
                } else {
                    place += 1;
                    element(member).filter(|(wanted, _)| wanted + 1 == place).map(|(_, rest)| rest)
                };
                if let Some(rest) = rest {
                    return self.find(rest, Some(start));
                }
                self.skip()?;
            }
        }
        Some(Found { at: nearest, is_whole: member.is_empty() })
    }

    /// Moves past the next value.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ => {
                    let is_end = |byte: &u8| b",:]}".contains(byte) || byte.is_ascii_whitespace();
                    self.at += self.text.get(self.at..)?.iter().take_while(|byte| !is_end(byte)).count();
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        loop {
            self.at += 1;
            match self.text.get(self.at)? {
                b'\\' => self.at += 1,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, syntax: Syntax, member: &str) -> Option<usize> {
        line(text, syntax, &[member.to_owned()])
    }

    #[test]
    fn a_member_is_found_in_either_syntax() {
        let toml = "driver = \"5\"\n[[gpus]]\nminor = 2\nstate.a.b = 1\n[[gpus]]\nmig = [\n  {ci = 9},\n  \"1g\",\n]\n";
        let json = "{\"driver\": \"5\",\n\"gpus\": [\n {\"minor\": 2,\n \"state\": {\"a.b\": 1}}, {\n\"mig\": [\n  \
                    {\"x\": \"\\\"]\", \"ci\": 9},\n  \"1g\"\n]}]}";
        for (member, in_toml, in_json) in [
            ("driver", 1, 1),
            ("gpus[0].minor", 3, 3),
            ("gpus[0].state.a.b", 4, 4),
            ("gpus[0].uuid", 2, 3),
            ("gpus[1].uuid", 5, 4),
            ("gpus[1].mig[0].ci", 7, 6),
            ("gpus[1].mig[1].profile", 8, 7),
            ("gpus[1].mig[5].ci", 6, 5),
        ] {
            assert_eq!(of(toml, Syntax::Toml, member), Some(in_toml), "{member}");
            assert_eq!(of(json, Syntax::Json, member), Some(in_json), "{member}");
        }
        assert_eq!(of(toml, Syntax::Toml, "cuda"), None);
        // A member that is there counts before the surroundings of another.
        let two = ["gpus[1].state.a".to_owned(), "driver".to_owned()];
        assert_eq!((line(toml, Syntax::Toml, &two), line(json, Syntax::Json, &two)), (Some(1), Some(1)));
    }
}
