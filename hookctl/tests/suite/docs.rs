//! Tests of the documents that show what the hook says, and of the one made from the table of keys.

use std::fmt::Write as _;
use std::fs;

use super::cases::{machine, programs, transcript};
use hook::contract::keys::{DEPRECATED, Kind, ROWS, Reader, Row};
use nvidia_hookctl::check::default;
use nvidia_hookctl::doctor::states;
use nvidia_hookctl::finding::Severity;
use nvidia_hookctl::why::behind;
use nvidia_simulated_machine::lines;

/// The console blocks of a document, and the case that each shows.
fn blocks(text: &str) -> Vec<(String, String)> {
    let parts = text.split("<!-- case: ").skip(1);
    parts
        .map(|part| {
            let (case, rest) = part.split_once(" -->\n```console\n").unwrap();
            (case.to_owned(), rest.split_once("```\n").unwrap().0.to_owned())
        })
        .collect()
}

/// Whether a block matches a transcript; lines `...` stand for any lines.
fn shows(block: &str, transcript: &str) -> bool {
    let mut rest = transcript;
    let mut pieces = block.split("...\n").peekable();
    let first = pieces.next().unwrap();
    if !rest.starts_with(first) {
        return false;
    }
    rest = &rest[first.len()..];
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        let at = match (last, piece.is_empty()) {
            (true, true) => return true,
            (true, false) if rest.ends_with(piece) => rest.len() - piece.len(),
            (true, false) => return false,
            (false, _) => match rest.find(&format!("\n{piece}")) {
                Some(at) => at + 1,
                None => return false,
            },
        };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

#[test]
fn troubleshooting_shows_what_the_hook_says() {
    let text = fs::read_to_string(programs::source("docs/troubleshooting.md")).unwrap();
    let blocks = blocks(&text);
    assert_eq!(blocks.len(), 5, "the five questions");
    for (case, block) in blocks {
        let machine = machine(&format!("explain/{case}"));
        let arguments = machine.arguments();
        let said = transcript(&arguments, &machine.run(&arguments));
        let said = said.rsplit_once("[exit status").unwrap().0;
        assert!(
            block.starts_with("$ ") && shows(&block, said),
            "{case}: the document shows\n{block}\nthe hook says\n{said}"
        );
    }
}

const MARK: &str = "<!-- What follows is made from the tables of nvidia-hookctl; BLESS=1 cargo test -p nvidia-hookctl writes it. -->\n";

#[test]
fn troubleshooting_has_every_line_and_every_state() {
    let file = programs::source("docs/troubleshooting.md");
    let text = fs::read_to_string(&file).unwrap();
    let (written, made) = text.split_once(MARK).unwrap();
    let wanted = tables();
    if programs::bless() {
        fs::write(file, format!("{written}{MARK}{wanted}")).unwrap();
    } else {
        assert!(made == wanted, "docs/troubleshooting.md is not what the tables say; BLESS=1 rewrites it");
    }
}

fn tables() -> String {
    let mut text = "\n## Lines that users meet\n\n`nvidia-hookctl why` takes what an engine printed, finds the line in it, says \
                    what stands here, and\nlooks on the host for the states that cause it. The owner is who can fix it: the \
                    *user* who starts\nthe container, the builder of the *image*, or the *admin* of the host.\n"
        .to_owned();
    for line in lines::all() {
        write!(text, "\n### {}\n\n", line.name).unwrap();
        writeln!(text, "```text\n{}\n```\n\n{}", line.example, folded(line.meaning)).unwrap();
        let remedy = folded(&format!("*{}*: {}.", capital(line.owner.word()), line.remedy));
        writeln!(text, "\n{remedy}").unwrap();
        if !behind(line.name).is_empty() {
            let links: Vec<String> =
                behind(line.name).iter().map(|state| format!("[{0}](#state-{0})", state.id)).collect();
            writeln!(text, "\n{}", folded(&format!("States: {}.", links.join(", ")))).unwrap();
        }
    }
    writeln!(
        text,
        "\n## States of a host\n\n`nvidia-hookctl doctor` looks for these {} states. A *problem* keeps containers from \
         GPUs, a *warning*\nkeeps some of them, or is a disadvantage.",
        states::count()
    )
    .unwrap();
    for state in states::all() {
        let severity = if state.severity == Severity::Error { "problem" } else { "warning" };
        let severity = if state.severity == Severity::Note { "note" } else { severity };
        write!(text, "\n### State: {}\n\n<a id=\"state-{}\"></a>\n", state.id, state.id).unwrap();
        writeln!(text, "{}", folded(&format!("*{}*: {}", capital(severity), state.what))).unwrap();
        for line in state.lines {
            writeln!(text, "\n```text\n{line}\n```").unwrap();
        }
        writeln!(text, "\n{}", folded(&format!("What to do: {}.", state.remedy))).unwrap();
        writeln!(text, "\n{}", folded(&format!("Known from: {}.", state.sources.join(", ")))).unwrap();
    }
    text
}

fn folded(text: &str) -> String {
    nvidia_hookctl::page::wrap(text, 100).join("\n")
}

#[test]
fn configuration_is_what_the_table_of_keys_says() {
    let file = programs::source("docs/configuration.md");
    let wanted = configuration();
    if programs::bless() {
        fs::write(file, wanted).unwrap();
    } else {
        let kept = fs::read_to_string(file).unwrap_or_default();
        assert!(kept == wanted, "docs/configuration.md is not what the table says; BLESS=1 cargo test rewrites it");
    }
}

fn configuration() -> String {
    let mut text = "\
# Configuration

<!-- Made from src/contract/keys.rs by hookctl/tests/suite/docs.rs; BLESS=1 cargo test -p nvidia-hookctl rewrites it. -->

The hook reads one file of TOML 1.0, the first of these: the one that `-config` names, the one that
`NVIDIA_CTK_CONFIG_FILE_PATH` names (both must exist then); `$XDG_CONFIG_HOME/nvidia-container-runtime/config.toml` where
that variable is set; otherwise `/run/nvidia/driver/etc/nvidia-container-runtime/config.toml`, then
`/etc/nvidia-container-runtime/config.toml`. Without any, the defaults hold.

`nvidia-hookctl check` finds faults in a file, and `check --print-default` prints one with every key.
The programs of the NVIDIA Container Toolkit share the file. A wrong type of any key here fails a start; a key that is
not here is accepted, and `check` warns of it.
"
    .to_owned();
    let mut section = None;
    for row in ROWS {
        let (home, key) = row.name.rsplit_once('.').unwrap_or(("", row.name));
        if section != Some(home) {
            let title = if home.is_empty() { "At the top".to_owned() } else { format!("`[{home}]`") };
            write!(text, "\n## {title}\n").unwrap();
            section = Some(home);
        }
        entry(&mut text, row, key);
    }
    text.push_str("\n## Out of use\n\n");
    for (name, instead) in DEPRECATED {
        writeln!(text, "- `{name}`: {instead}").unwrap();
    }
    text
}

fn entry(text: &mut String, row: &Row, key: &str) {
    let kind = match row.kind {
        Kind::Bool => "boolean",
        Kind::Text => "string",
        Kind::List => "list of strings",
    };
    write!(text, "\n### `{key}`\n\n{}\n\n", row.doc).unwrap();
    write!(text, "{}, default `{}`", capital(kind), default(row.default)).unwrap();
    if !row.allowed.is_empty() {
        let allowed: Vec<String> = row.allowed.iter().map(|word| format!("`{word}`")).collect();
        write!(text, ", one of {}", allowed.join(", ")).unwrap();
    }
    text.push_str(match row.reader {
        Reader::Hook => ".\n",
        Reader::HookOnly => ". The published hook does not know this key.\n",
        Reader::Others => ". Not read by the hook.\n",
    });
}

fn capital(word: &str) -> String {
    format!("{}{}", word[..1].to_uppercase(), &word[1..])
}
