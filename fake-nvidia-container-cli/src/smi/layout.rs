//! The layout of a driver version: its texts, from `data/layouts.toml`.

use nvidia_simulated_machine::state::figures::within;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A line, or lines.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Line(String),
    Lines(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    since: String,
    text: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct File {
    layout: Vec<Part>,
}

/// The texts of one driver version.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    texts: BTreeMap<String, Vec<String>>,
}

impl Layout {
    /// The texts of a version: each part overrides the ones before it.
    pub(super) fn of(driver: &str) -> Result<Self, String> {
        let file: File =
            toml::from_str(include_str!("data/layouts.toml")).map_err(|why| format!("built-in layouts: {why}"))?;
        let mut texts = BTreeMap::new();
        for part in file.layout.into_iter().filter(|part| within(driver, Some(&part.since), None)) {
            texts.extend(part.text.into_iter().map(|(key, entry)| match entry {
                Entry::Line(line) => (key, vec![line]),
                Entry::Lines(lines) => (key, lines),
            }));
        }
        Ok(Self { texts })
    }

    /// Lines by name; none if the version has none.
    pub(super) fn lines(&self, name: &str) -> &[String] {
        self.texts.get(name).map_or(&[], Vec::as_slice)
    }

    /// A line by name.
    pub(super) fn line(&self, name: &str) -> &str {
        self.lines(name).first().map_or("", String::as_str)
    }

    /// A number by name.
    pub(super) fn number(&self, name: &str) -> usize {
        self.line(name).parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_overrides_those_before_it() {
        let table = |driver: &str| Layout::of(driver).unwrap().line("table.head").len();
        assert_eq!([table("450.80.02"), table("535.161.07"), table("550.54.15"), table("610.43.02")], [79, 89, 91, 91]);
        assert_eq!(Layout::of("610.43.02").unwrap().number("x.dtd"), 13);
        assert!(Layout::of("470.1").unwrap().lines("version").is_empty());
    }
}
