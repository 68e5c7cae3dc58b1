//! A section of a given file, which describes one thing, and the facts in it. It must not know what any key means.

use crate::{Value, at_call};

/// The depth of a section: the machine, then a GPU, then a part of a GPU.
const MACHINE: u8 = 0;

/// The facts of one thing, and the sections within it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Section<'a> {
    /// From its first line to the end of the file; the section's own end is found when it is read.
    rest: &'a str,
    depth: u8,
    /// The number of the caller's call.
    call: u64,
}

impl<'a> Section<'a> {
    pub(crate) fn whole(body: &'a str, call: u64) -> Self {
        Self { rest: body, depth: MACHINE, call }
    }

    /// The value of a key at the caller's call.
    #[must_use]
    pub fn text(self, key: &str) -> Option<&'a str> {
        self.facts().find(|(name, _)| *name == key).map(|(_, value)| at_call(value, self.call))
    }

    /// The value of a key in thousandths, at a time in milliseconds since the epoch.
    #[must_use]
    pub fn thousandths(self, key: &str, now: u64) -> Option<i64> {
        Value::read(self.text(key)?).map(|value| value.at(key, now))
    }

    /// The value of a key as a whole number that does not change: an index, an id.
    #[must_use]
    pub fn id(self, key: &str) -> Option<u32> {
        u32::try_from(self.thousandths(key, 0)?.checked_div(1000)?).ok()
    }

    /// The keys and values of this section alone, as written.
    pub fn facts(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        Lines { rest: self.rest }.map_while(|(line, _)| line.split_once(' '))
    }

    /// The sections of a kind within this one.
    #[must_use]
    pub fn sections(self, word: &'static str) -> Sections<'a> {
        Sections { lines: Lines { rest: self.rest }, word, depth: self.depth, call: self.call }
    }
}

/// The sections of a kind, in the file's order.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    lines: Lines<'a>,
    word: &'static str,
    depth: u8,
    call: u64,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        loop {
            let (line, rest) = self.lines.next()?;
            if line.contains(' ') {
                continue;
            }
            // Another GPU ends the sections of this one.
            if self.depth > MACHINE && line == "gpu" {
                self.lines.rest = "";
                return None;
            }
            if line == self.word {
                return Some(Section { rest, depth: self.depth.saturating_add(1), call: self.call });
            }
        }
    }
}

/// Lines, each with the text after it.
#[derive(Clone, Copy, Debug)]
struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        Some((line, rest))
    }
}
