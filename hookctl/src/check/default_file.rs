//! The configuration file that documents the built-in defaults: every key with its default, as a comment.

use std::fmt::Write;

use crate::page::wrap;
use hook::contract::keys::{DefaultValue, ROWS, Reader, Row};

const HEAD: &str = "\
# Configuration of nvidia-container-runtime-hook and of the programs that share this file.
# Every key stands here with its default. Remove the '#' in front of a key to set it.
# Check a change with: nvidia-hookctl check --config FILE
";

/// The text of the file.
#[must_use]
pub fn default_file() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for row in ROWS {
        let (home, key) = row.name.rsplit_once('.').unwrap_or(("", row.name));
        if home != section {
            let _ = write!(text, "\n[{home}]\n");
            section = home;
        }
        entry(&mut text, row, key);
    }
    text
}

fn entry(text: &mut String, row: &Row, key: &str) {
    text.push('\n');
    for line in wrap(&row.doc.replace('`', "'"), 98) {
        let _ = writeln!(text, "# {line}");
    }
    if !row.allowed.is_empty() {
        let _ = writeln!(text, "# One of: {}.", row.allowed.join(", "));
    }
    if row.reader == Reader::Others {
        text.push_str("# Not read by the hook.\n");
    }
    let _ = writeln!(text, "#{key} = {}", default(row.default));
}

/// A default as TOML.
#[must_use]
pub fn default(default: DefaultValue) -> String {
    match default {
        DefaultValue::Bool(value) => value.to_string(),
        DefaultValue::Text(value) => format!("\"{value}\""),
        DefaultValue::List(items) => {
            format!("[{}]", items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", "))
        }
    }
}
