//! Finds the line that matters in what an engine printed, however wrapped and escaped: quotes inside quotes, `\n` as
//! text, prefixes of journald and kubelet. Must not know what a line means.

use nvidia_simulated_machine::lines::Line;

/// Lines that only say that another program failed: what that program printed counts more.
const WRAPPERS: [&str; 6] = [
    "crun-hook-failed",
    "apptainer-nvccli",
    "exec-failed",
    "image-architecture",
    "runtime-failed",
    "nvidia-smi-not-found",
];
/// The line that only says that some hook failed.
const OUTERMOST: &str = "hook-failed";
/// How much `*` in a pattern may stand for, in bytes.
const GAP: usize = 400;
/// How many characters of a line are shown.
const EXCERPT: usize = 300;

/// A line that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The part of the text, without its wrapping.
    pub excerpt: String,
    /// Its name in the table.
    pub name: &'static str,
}

/// How telling a line is: it says what failed, that a program failed, or that a hook failed.
fn rank(name: &str) -> u8 {
    match name {
        OUTERMOST => 0,
        name if WRAPPERS.contains(&name) => 1,
        _ => 2,
    }
}

/// The text with one blank for each run of white space, and without escapes and control characters.
#[must_use]
pub fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // How syslog daemons write the control characters for tab, end of line and escape.
    let text = text.replace("#012", " ").replace("#011", " ").replace("#033", "\u{1b}");
    let mut chars = text.chars().peekable();
    let mut blank = true;
    let mut push = |c: char| {
        let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
        if c != ' ' || !blank {
            out.push(c);
        }
        blank = c == ' ';
    };
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\\' => {
                while chars.next_if_eq(&'\\').is_some() {}
                match chars.peek().copied() {
                    Some('n' | 't' | 'r') => {
                        chars.next();
                        push(' ');
                    }
                    Some('u') => {
                        let rest: String = chars.clone().skip(1).take(4).collect();
                        match u32::from_str_radix(&rest, 16).ok().and_then(char::from_u32) {
                            Some(decoded) if rest.len() == 4 => {
                                chars.by_ref().take(5).for_each(drop);
                                push(decoded);
                            }
                            _ => {}
                        }
                    }
                    _ => {}
                }
            }
            other => push(other),
        }
    }
    out.trim_end().to_owned()
}

/// Skips what follows an escape character, up to the letter that ends the sequence.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'[').is_none() {
        return;
    }
    while chars.next_if(|c| c.is_ascii_digit() || *c == ';' || *c == '?').is_some() {}
    chars.next_if(char::is_ascii_alphabetic);
}

/// The most telling known line in a text.
#[must_use]
pub fn best<'l>(text: &str, lines: impl Iterator<Item = &'l Line>) -> Option<Found> {
    let text = unwrapped(text);
    let lower = text.to_ascii_lowercase();
    let mut best: Option<((u8, usize), Found)> = None;
    for line in lines {
        for pattern in line.patterns {
            let Some((start, end)) = position(&lower, pattern) else { continue };
            let weight = (rank(line.name), pattern.len());
            if best.as_ref().is_none_or(|(known, _)| weight > *known) {
                best = Some((weight, Found { excerpt: excerpt(&text, start, end), name: line.name }));
            }
        }
    }
    best.map(|(_, found)| found)
}

/// Where a pattern occurs in a text.
fn position(text: &str, pattern: &str) -> Option<(usize, usize)> {
    let mut parts = pattern.split('*');
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    for (start, _) in text.match_indices(first) {
        let mut end = start + first.len();
        let all = rest.iter().all(|part| {
            let most = (end + GAP + part.len()..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            let Some(window) = text.get(end..most) else { return false };
            window.find(part).filter(|gap| *gap <= GAP).is_some_and(|gap| {
                end += gap + part.len();
                true
            })
        });
        if all {
            return Some((start, end));
        }
    }
    None
}

/// The line around a match: from the name of the program that prints it to the end of what it prints.
fn excerpt(text: &str, start: usize, end: usize) -> String {
    const PROGRAM: &str = "nvidia-container-cli";
    const BEFORE: usize = 200;
    let from = text.get(..start).and_then(|before| before.rfind(PROGRAM)).filter(|at| start - at <= BEFORE);
    let from = from.unwrap_or(start);
    let rest = text.get(end..).unwrap_or_default();
    let stops = [": unknown", "\"\"", " processed ", " Error:", " level=", "\" "];
    let stop = stops.iter().filter_map(|stop| rest.find(stop)).min().unwrap_or(rest.len());
    let line = text.get(from..end + stop).unwrap_or_default().trim().trim_end_matches(['"', '\'', '`', '.']);
    match line.char_indices().nth(EXCERPT) {
        None => line.to_owned(),
        Some((at, _)) => format!("{}...", line.get(..at).unwrap_or_default()),
    }
}

/// The known lines that share the most words with a text, best first.
#[must_use]
pub fn nearest<'l>(text: &str, lines: impl Iterator<Item = &'l Line>) -> Vec<&'l Line> {
    const MOST: usize = 3;
    /// Shared words per hundred words of both texts.
    const LEAST: usize = 20;
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        split.filter(|word| word.len() > 2).map(str::to_ascii_lowercase).collect()
    };
    let wanted = words(&unwrapped(text).chars().take(4000).collect::<String>());
    let score = |line: &Line| {
        let known = words(line.example);
        let shared = known.intersection(&wanted).count();
        shared * 100 / known.union(&wanted).count().max(1)
    };
    let mut scored: Vec<(usize, &Line)> =
        lines.map(|line| (score(line), line)).filter(|(score, _)| *score >= LEAST).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(MOST).map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nvidia_simulated_machine::lines::all;

    #[test]
    fn every_line_is_found_by_its_own_example_in_any_wrapping() {
        for line in all() {
            let text = line.example;
            let quoted = format!(
                "container init caused \\\"process_linux.go:432: running prestart hook 0 caused \\\\\\\"error running hook: exit status 1, stdout: , stderr: {text}\\\\\\\\n\\\\\\\"\\\"\": unknown."
            );
            let kubelet = format!(
                "  Warning  Failed  3s (x2 over 5s)  kubelet  Error: failed to create containerd task: {text}: unknown"
            );
            let wrapped = text.replace(' ', "\n    ");
            for form in [text.to_owned(), quoted, kubelet, wrapped] {
                let found = best(&form, all()).map(|found| found.name);
                assert_eq!(found, Some(line.name), "{form}");
            }
        }
    }

    #[test]
    fn the_excerpt_is_the_line_without_its_wrapping() {
        let text = "container init caused \\\"error running hook: exit status 1, stdout: , stderr: nvidia-container-cli: initialization error: cuda error: unknown error\\\\n\\\"\\\"\": unknown.";
        let found = best(text, all()).unwrap();
        assert_eq!(found.excerpt, "nvidia-container-cli: initialization error: cuda error: unknown error");
    }

    #[test]
    fn a_gap_has_an_end() {
        assert_eq!(position(&format!("a{}b", "\u{e4}".repeat(GAP / 2)), "a*b"), Some((0, GAP + 2)));
        assert_eq!(position(&format!("a{}\u{e4}", "-".repeat(GAP)), "a*b"), None);
    }

    #[test]
    fn escapes_of_a_terminal_are_passed_over() {
        assert_eq!(unwrapped("a#012b #033[1mc"), "a b c");
        assert_eq!(unwrapped("\u{1b}[31ma\u{1b}[0m\tb\n\\u003e c\u{7}"), "a b > c");
    }

    #[test]
    fn an_unknown_text_has_neighbours_or_none() {
        let near = nearest("nvidia-container-cli: initialization error: nvml error: driver exploded", all());
        assert!(near.iter().any(|line| line.name == "driver-not-loaded"), "{near:?}");
        assert!(nearest("the quick brown fox jumps", all()).is_empty());
    }
}
