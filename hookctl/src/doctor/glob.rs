//! Patterns of file names, as Go's filepath.Glob expands them. Must not know what the files are for.

use regex_lite::{Regex, escape};

use crate::inspect::Inspect;
use crate::tree::Tree;

/// How many files a pattern expands to at most.
const MOST: usize = 64;

/// The existing files that an absolute pattern names, sorted.
#[must_use]
pub fn expand(host: &Tree, pattern: &str) -> Vec<String> {
    let mut places = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let matching = part.contains(['*', '?', '[', '\\']).then(|| expression(part));
        places = match matching {
            None => places.into_iter().map(|place| format!("{place}/{part}")).collect(),
            Some(None) => Vec::new(),
            Some(Some(name)) => places.iter().flat_map(|place| matches(host, place, &name)).take(MOST).collect(),
        };
    }
    places.retain(|place| host.has(place));
    places
}

fn matches(host: &Tree, directory: &str, name: &Regex) -> Vec<String> {
    let names = host.names(if directory.is_empty() { "/" } else { directory }).into_iter();
    names.filter(|other| name.is_match(other)).map(|name| format!("{directory}/{name}")).collect()
}

/// The regular expression of a pattern for one name; `None` if the pattern is not valid.
fn expression(pattern: &str) -> Option<Regex> {
    let mut text = String::from("^");
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '\\' => text.push_str(&escape(rest.next()?.encode_utf8(&mut [0; 4]))),
            '[' => {
                let (set, after) = rest.as_str().split_once(']')?;
                text.push_str(&format!("[{}]", set.replace('[', "\\[").replace('&', "\\&")));
                rest = after.chars();
            }
            other => text.push_str(&escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    Regex::new(&(text + "$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let is = |pattern: &str, name: &str| expression(pattern).is_some_and(|regex| regex.is_match(name));
        assert!(is("*.toml", "99-nvidia.toml") && is("*nvidia*.toml", "99-nvidia.toml") && is("9?-[mn]*", "99-nvidia"));
        assert!(!is("*.toml", "a.toml.bak") && !is("*.toml", "atoml") && !is("[^9]*", "99") && !is("[", "["));
        assert!(is("a\\*", "a*") && !is("a\\*", "ab"));
    }
}
