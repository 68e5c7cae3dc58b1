//! `--help` and `--usage` of a level, made from its table. The words are ours; the shape and the order are argp's.

use super::{Arg, Level, Opt, wrap};
use std::cmp::Ordering;

/// The column in which the description of an option starts.
const DOC_COLUMN: usize = 29;

/// The long text: usage line, what it does, `extra` sections, options.
#[must_use]
pub fn help<K>(level: &Level<'_, K>, extra: &str) -> String {
    let mut out = format!("Usage: {} [OPTION...]{}\n", level.name, level.operands);
    out.push_str(&wrap(level.about));
    out.push_str(extra);
    out.push_str("\n Options:\n");
    let mut shown: Vec<&Opt<K>> = level.options.iter().filter(|o| !o.doc.is_empty()).collect();
    shown.sort_by(|a, b| by_letter(a, b));
    for option in &shown {
        out.push_str(&line(option));
    }
    if shown.iter().any(|o| o.arg != Arg::No) {
        out.push_str("\nMandatory or optional arguments to long options are also mandatory or optional\n");
        out.push_str("for any corresponding short options.\n");
    }
    out
}

/// The short text: every option in brackets.
#[must_use]
pub fn usage<K>(level: &Level<'_, K>) -> String {
    let shown = || level.options.iter().filter(|o| !o.doc.is_empty());
    let letters: String = shown().filter(|o| o.arg == Arg::No).filter_map(|o| o.short).map(char::from).collect();
    let mut words = format!("Usage: {} [-{letters}]", level.name);
    for option in shown() {
        words.push_str(&match option.arg {
            Arg::No => format!(" [--{}]", option.long),
            Arg::Required(value) => format!(" [--{}={value}]", option.long),
            Arg::Optional(value) => format!(" [--{}[={value}]]", option.long),
        });
    }
    words.push_str(level.operands);
    wrap(&words)
}

/// argp sorts by the short letter, or the first letter of the long name, ignoring case; `-?` is first.
fn by_letter<K>(a: &Opt<K>, b: &Opt<K>) -> Ordering {
    let letter = |o: &Opt<K>| o.short.or_else(|| o.long.bytes().next()).unwrap_or_default();
    let (x, y) = (letter(a), letter(b));
    x.to_ascii_lowercase()
        .cmp(&y.to_ascii_lowercase())
        .then_with(|| a.short.is_some().cmp(&b.short.is_some()))
        .then_with(|| y.cmp(&x))
}

fn line<K>(option: &Opt<K>) -> String {
    let short = option.short.map_or_else(|| "    ".to_owned(), |s| format!("-{}, ", char::from(s)));
    let long = match option.arg {
        Arg::No => format!("--{}", option.long),
        Arg::Required(value) => format!("--{}={value}", option.long),
        Arg::Optional(value) => format!("--{}[={value}]", option.long),
    };
    let left = format!("  {short}{long}");
    let gap = if left.len() < DOC_COLUMN { String::new() } else { "\n".to_owned() + &" ".repeat(DOC_COLUMN) };
    format!("{left:<DOC_COLUMN$}{gap}{}\n", option.doc)
}
