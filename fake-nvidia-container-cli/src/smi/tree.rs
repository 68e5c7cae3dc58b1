//! The tree of `-q` and `-q -x`, from `data/log.txt`: what each line is called, which value it shows, and when it
//! appears.
//!
//! It prints a tree as text or as XML; the caller says what a key or a block is.

use nvidia_simulated_machine::state::figures::{among, thousandths};
use nvidia_simulated_machine::state::{NONE, Values};
use std::collections::BTreeMap;

/// A line with the lines below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// What the text calls it.
    label: Option<String>,
    /// What the XML calls it.
    pub(super) element: Option<String>,
    /// A key, or the name of a block after `*`.
    key: String,
    form: String,
    conditions: Vec<String>,
    below: Vec<Node>,
}

/// How a tree is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As lines, with the colon in this column.
    Text(usize),
    /// As elements.
    Xml,
}

/// What a tree is printed with.
pub(super) struct Page<'a> {
    pub(super) style: Style,
    /// The driver's version.
    pub(super) driver: &'a str,
    pub(super) values: &'a Values,
    /// The sections of `-d`, or `None` for everything.
    pub(super) sections: Option<&'a [String]>,
    /// Prints a block at a level.
    pub(super) block: &'a dyn Fn(&str, &Node, usize, &mut String),
}

/// Reads the trees: each with its name.
pub(super) fn read() -> BTreeMap<String, Vec<Node>> {
    let mut trees = BTreeMap::new();
    let (mut name, mut lines) = (String::new(), Vec::new());
    for line in include_str!("data/log.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(next) = line.strip_prefix("=== ") {
            trees.insert(std::mem::replace(&mut name, next.to_owned()), nodes(&mut lines.drain(..).peekable(), 0));
        } else {
            lines.push(line);
        }
    }
    trees.insert(name, nodes(&mut lines.drain(..).peekable(), 0));
    trees
}

/// The nodes of a level, each with those below it.
fn nodes<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>, level: usize) -> Vec<Node> {
    let depth = |line: &str| (line.len() - line.trim_start().len()) / 2;
    let mut all = Vec::new();
    while let Some(line) = lines.next_if(|line| depth(line) >= level) {
        let mut node = node(line.trim_start());
        node.below = nodes(lines, level + 1);
        all.push(node);
    }
    all
}

fn node(line: &str) -> Node {
    let cut = |part: &str| {
        let part = part.strip_prefix(' ').unwrap_or(part);
        part.strip_suffix(' ').unwrap_or(part).to_owned()
    };
    let mut parts = line.split('|').map(cut);
    let mut next = || parts.next().unwrap_or_default();
    let name = |text: String| Some(text).filter(|text| text != "-" && !text.is_empty());
    let (first, element, value, conditions) = (next(), name(next()), next(), next());
    let conditions = conditions.split_whitespace().map(str::to_owned).collect();
    if let Some(block) = first.strip_prefix('*') {
        return Node { element, key: format!("*{}", block.trim()), conditions, ..Node::default() };
    }
    let (key, form) = value.split_once(':').unwrap_or((&value, ""));
    let (key, form) = (key.to_owned(), form.to_owned());
    Node { label: name(first), element, key, form, conditions, below: Vec::new() }
}

impl Node {
    /// Declares an element and all elements below it, for a document type. An element that occurs in several places
    /// with different content (`total`, `current`) is text in all of them.
    pub(super) fn declare(name: &str, below: &[Self], driver: &str, all: &mut Vec<(String, String)>) {
        let known = |node: &&Self| node.element.is_some() && node.is_of(driver);
        let below: Vec<&Self> = below.iter().filter(known).collect();
        let mut names: Vec<&str> = below.iter().filter_map(|node| node.element.as_deref()).collect();
        names.dedup();
        let content = if names.is_empty() { "(#PCDATA)".to_owned() } else { format!("({})", optional(&names)) };
        all.push((name.to_owned(), content));
        for node in &below {
            // A group that can be N/A as a whole holds text or elements.
            if node.conditions.iter().any(|condition| condition.starts_with('?')) {
                let inner: Vec<&str> = node.below.iter().filter_map(|node| node.element.as_deref()).collect();
                let name = node.element.clone().unwrap_or_default();
                all.push((name, format!("(#PCDATA | {})*", inner.join(" | "))));
            }
        }
        for node in below {
            Self::declare(node.element.as_deref().unwrap_or_default(), &node.below, driver, all);
        }
    }

    /// Whether the conditions on the driver hold.
    fn is_of(&self, driver: &str) -> bool {
        let ranges = |condition: &&String| condition.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        self.conditions.iter().filter(ranges).all(|ranges| among(driver, ranges))
    }
}

/// Names of elements, marked as optional.
fn optional(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}?")).collect::<Vec<_>>().join(", ")
}

/// Prints nodes at a level.
pub(super) fn print(page: &Page<'_>, nodes: &[Node], level: usize, out: &mut String) {
    for node in nodes.iter().filter(|node| level > 1 || page.is_asked_for(node)).filter(|node| page.is_there(node)) {
        if let Some(block) = node.key.strip_prefix('*') {
            (page.block)(block, node, level, out);
            continue;
        }
        let name = match page.style {
            Style::Text(_) => node.label.as_deref(),
            Style::Xml => node.element.as_deref(),
        };
        let Some(name) = name else { continue };
        if page.is_without_what_is_below(node) {
            page.leaf(name, NONE, level, out);
        } else if node.key.is_empty() {
            page.open(name, level, out);
            print(page, &node.below, level + 1, out);
            page.close(name, level, out);
        } else {
            page.leaf(name, &page.show(node), level, out);
            print(page, &node.below, level + 1, out);
        }
    }
}

impl Page<'_> {
    /// Whether a node belongs to a section that was asked for.
    fn is_asked_for(&self, node: &Node) -> bool {
        let Some(sections) = self.sections else { return true };
        node.conditions.iter().filter_map(|c| c.strip_prefix('#')).any(|one| sections.iter().any(|s| s == one))
    }

    /// Whether all other conditions hold.
    fn is_there(&self, node: &Node) -> bool {
        node.conditions.iter().all(|condition| match condition.as_str() {
            "d" => self.sections.is_some(),
            "x" => self.style == Style::Xml,
            other if other.starts_with(['#', '?']) => true,
            other => match other.split_once('=') {
                Some((key, value)) => self.values.get(key) == value,
                None => among(self.driver, other),
            },
        })
    }

    fn is_without_what_is_below(&self, node: &Node) -> bool {
        node.conditions.iter().filter_map(|c| c.strip_prefix('?')).any(|key| self.values.get(key) == NONE)
    }

    fn show(&self, node: &Node) -> String {
        let value = self.values.get(&node.key);
        if node.form == "hex" && self.style == Style::Xml {
            return value.strip_prefix("0x").unwrap_or(value).to_owned();
        }
        if node.form == "counted" && self.values.get("ecc.mode.current") != "Enabled" {
            return NONE.to_owned();
        }
        formed(value, &node.form)
    }

    /// A line with a value.
    pub(super) fn leaf(&self, name: &str, value: &str, level: usize, out: &mut String) {
        match self.style {
            Style::Text(column) => {
                let label = format!("{}{name}", " ".repeat(level * 4));
                out.push_str(&format!("{label:<column$}: {value}\n"));
            }
            Style::Xml => out.push_str(&format!("{}<{name}>{}</{name}>\n", "\t".repeat(level + 1), escaped(value))),
        }
    }

    /// A line that begins a group.
    pub(super) fn open(&self, name: &str, level: usize, out: &mut String) {
        match self.style {
            Style::Text(_) => out.push_str(&format!("{}{name}\n", " ".repeat(level * 4))),
            Style::Xml => out.push_str(&format!("{}<{name}>\n", "\t".repeat(level + 1))),
        }
    }

    /// What ends a group.
    pub(super) fn close(&self, name: &str, level: usize, out: &mut String) {
        if self.style == Style::Xml {
            out.push_str(&format!("{}</{name}>\n", "\t".repeat(level + 1)));
        }
    }
}

/// A value in the form of its line: numbers get their unit, words stay as they are.
pub(super) fn formed(value: &str, form: &str) -> String {
    if (form, value) == ("supported", "Enabled") {
        return "Supported".to_owned();
    }
    let Some(number) = thousandths(value) else { return value.to_owned() };
    match form {
        "" | "hex" | "counted" => value.to_owned(),
        "x" => format!("{value}x"),
        "percent" => format!("{value}%"),
        "w" => format!("{} W", decimals(number, 2)),
        "mv" => format!("{} mV", decimals(number, 3)),
        unit => format!("{value} {unit}"),
    }
}

/// Thousandths as a decimal with this many places.
pub(super) fn decimals(number: i64, places: u32) -> String {
    let unit = 10_i64.pow(3 - places.min(3));
    let rounded = (number.abs() + unit / 2) / unit;
    let scale = 10_i64.pow(places.min(3));
    let sign = if number < 0 && rounded > 0 { "-" } else { "" };
    let width = usize::try_from(places).unwrap_or_default();
    format!("{sign}{}.{:0width$}", rounded / scale, rounded % scale)
}

/// Text as XML writes it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_add_units_to_numbers_only() {
        assert_eq!(formed("90.06", "w"), "90.06 W");
        assert_eq!(formed("700", "w"), "700.00 W");
        assert_eq!(formed("85.327", "w"), "85.33 W");
        assert_eq!(formed("N/A", "w"), "N/A");
        assert_eq!(
            (formed("16", "x"), formed("0", "%"), formed("-8", "C")),
            ("16x".into(), "0 %".into(), "-8 C".into())
        );
    }

    #[test]
    fn every_line_of_the_trees_is_understood() {
        let trees = read();
        let all = ["gpu", "mig", "process", "accounted"].map(|name| trees[name].len());
        assert!(all.iter().all(|count| *count > 3), "{all:?}");
        fn walk(nodes: &[Node], seen: &mut Vec<String>) {
            for node in nodes {
                seen.push(node.key.clone());
                walk(&node.below, seen);
            }
        }
        let mut keys = Vec::new();
        walk(&trees["gpu"], &mut keys);
        let known = nvidia_simulated_machine::state::figures::vocabulary().unwrap();
        let unknown: Vec<_> =
            keys.iter().filter(|k| !k.is_empty() && !k.starts_with('*') && !known.contains_key(*k)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
