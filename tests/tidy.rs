//! The tree as text: which module may use which, where `unsafe` is allowed, how large a file and a function may be,
//! what every file must begin with, and what nothing may name. Reads sources and runs nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, clippy::string_slice, reason = "tests read the sources")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the hook, floor by floor from the ground: each may use only modules on a lower floor. Cargo enforces
/// the direction between packages.
const FLOORS: &[&[&str]] = &[
    &["text", "host", "signals"],
    &["contract", "invocation"],
    &["error"],
    &["config", "container"],
    &["request"],
    &["mode", "plan"],
    &["prestart", "exec"],
    &["note"],
    &["run"],
    &["lib"],
    &["main"],
];

/// Modules of the hook that nvidia-hookctl must not use: it explains, but never executes, prints or writes for a start.
const DEEDS: [&str; 3] = ["exec", "run", "note"];

/// Files above the ceiling, each with the reason.
const LARGE: &[(&str, &str)] = &[("hookctl/src/explain/report.rs", "the JSON output of explain, member by member")];

/// Files below the simulator's folder where its libraries meet the kernel, a C caller and the linker; the last is a C
/// caller of the tests.
const LIBRARY_SHIMS: [&str; 11] = [
    "shim/src/kernel/mod.rs",
    "shim/src/kernel/x86_64.rs",
    "shim/src/kernel/aarch64.rs",
    "shim/src/kernel/other.rs",
    "shim/src/c.rs",
    "nvml/src/table/mod.rs",
    "nvml/src/table/system.rs",
    "nvml/src/table/devices.rs",
    "nvml/src/table/instances.rs",
    "cuda/src/table/mod.rs",
    "tests/suite/c_caller.rs",
];

/// Lines of a file without its unit tests.
const FILE_CEILING: usize = 350;
const TEST_FILE_CEILING: usize = 600;
/// Lines of a function.
const FUNCTION_CEILING: usize = 60;
const FUNCTION_MEDIAN: usize = 10;

/// A source file.
struct Source {
    /// Its path from the top of the tree.
    path: String,
    text: String,
}

impl Source {
    /// The text without comments and unit tests.
    fn code(&self) -> String {
        let text = self.text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = text.lines().map(|line| line.split(" // ").next().unwrap());
        code.filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
    }

    /// The module of the hook that it belongs to.
    fn module(&self) -> String {
        self.path.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned()
    }
}

fn top() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()))
}

fn walk(directory: &Path, extensions: &[&str], into: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let extension = path.extension().unwrap_or_default().to_str().unwrap();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            walk(&path, extensions, into);
        } else if path.is_file() && extensions.contains(&extension) {
            let name = path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned();
            into.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn sources(directories: &[&str], extensions: &[&str]) -> Vec<Source> {
    let mut all = Vec::new();
    for directory in directories {
        walk(&top().join(directory), extensions, &mut all);
    }
    assert!(!all.is_empty());
    all
}

fn rust() -> Vec<Source> {
    sources(&["src", "conformance", "fuzz", "hookctl", "fake-nvidia-container-cli", "tests", "benches"], &["rs"])
}

fn none(offenders: &[String]) {
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

/// The modules of a crate that a file names after `PREFIX::`.
fn used(code: &str, prefix: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = |text: &str| text.chars().take_while(|c| is_name(*c)).collect::<String>();
    let mut used = BTreeSet::new();
    let starts = code.match_indices(prefix).filter(|(at, _)| !code[..*at].ends_with(is_name));
    for (at, _) in starts {
        let Some(rest) = code[at + prefix.len()..].strip_prefix("::") else { continue };
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let items = group.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0 || depth < 0
        });
        used.extend(items.map(|item| name(item.trim())).take_while(|item| !item.is_empty()));
    }
    used
}

/// Each use of a module by another, as a pair.
fn arrows() -> BTreeSet<(String, String)> {
    let mut arrows = BTreeSet::new();
    for source in sources(&["src"], &["rs"]) {
        let module = source.module();
        // The entry is a separate crate.
        let prefix = if module == "main" { "nvidia_container_runtime_hook" } else { "crate" };
        let others = used(&source.code(), prefix).into_iter().filter(|used| *used != module);
        arrows.extend(others.map(|used| (module.clone(), used)));
    }
    arrows
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
fn modules_use_only_what_stands_below_them() {
    let upward = |(user, used): &(String, String)| match (floor(user), floor(used)) {
        (Some(user), Some(used)) => user <= used,
        _ => true,
    };
    let offenders = arrows().into_iter().filter(upward);
    none(&offenders.map(|(user, used)| format!("{user} must not use {used}")).collect::<Vec<_>>());
}

/// A floor is a permission: the modules above it may use it. A floor that nothing needs would hide that two are one.
#[test]
fn no_floor_is_idle() {
    let arrows = arrows();
    let modules: BTreeSet<String> = sources(&["src"], &["rs"]).iter().map(Source::module).collect();
    let listed: BTreeSet<String> = FLOORS.iter().copied().flatten().map(|name| (*name).to_owned()).collect();
    assert_eq!(listed, modules, "FLOORS lists the modules of src/, each once");
    for (lower, upper) in FLOORS.iter().zip(FLOORS.iter().skip(1)).take(FLOORS.len() - 3) {
        let joined = arrows.iter().any(|(user, used)| upper.contains(&user.as_str()) && lower.contains(&used.as_str()));
        assert!(joined, "{upper:?} uses nothing of {lower:?}, so they are one floor");
    }
}

#[test]
fn hookctl_takes_the_steps_of_a_start_and_does_nothing_of_it() {
    let mut offenders = Vec::new();
    for source in sources(&["hookctl/src"], &["rs"]) {
        let code = source.code();
        let used = ["hook", "nvidia_container_runtime_hook"].into_iter().flat_map(|name| used(&code, name));
        let deeds = used.filter(|used| DEEDS.contains(&used.as_str()));
        offenders.extend(deeds.map(|deed| format!("{}: must not use {deed} of the hook", source.path)));
    }
    none(&offenders);
}

#[test]
fn the_direction_is_read_right() {
    let code = "use crate::{a, b::{c, d}, e};\nuse crate::f::G;\nlet x = crate::h::i() + my_crate::j();";
    let found = used(code, "crate");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "b", "e", "f", "h"]);
}

/// The crates of the simulator, the lower one first, and what none of their files may name.
#[test]
fn the_simulator_knows_nothing_of_the_hook_and_its_machine_nothing_of_either() {
    let hook = ["nvidia_container_runtime_hook", "nvidia-container-runtime-hook = "];
    let simulator = ["fake_nvidia_container_cli", "fake-nvidia-container-cli = "];
    let mut offenders = Vec::new();
    for source in sources(&["fake-nvidia-container-cli"], &["rs", "toml"]) {
        let machine = source.path.starts_with("fake-nvidia-container-cli/machine/");
        let banned = hook.iter().chain(simulator.iter().filter(|_| machine));
        let named = banned.filter(|name| source.text.contains(**name));
        offenders.extend(named.map(|name| format!("{}: names {name}", source.path)));
    }
    none(&offenders);
}

#[test]
fn unsafe_stands_in_the_entry_points_only() {
    let word = ["un", "safe"].concat();
    let is_entry = |path: &str| {
        [
            "src/main.rs",
            "src/exec.rs",
            "fake-nvidia-container-cli/src/main.rs",
            "tests/tidy.rs",
            "conformance/src/entry.rs",
        ]
        .contains(&path)
            || LIBRARY_SHIMS.iter().any(|shim| path.strip_prefix("fake-nvidia-container-cli/") == Some(shim))
    };
    let says = |code: &str| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|found| found == word);
    let offends = |source: &&Source| !is_entry(&source.path) && says(&source.code());
    none(&rust().iter().filter(offends).map(|source| source.path.clone()).collect::<Vec<_>>());
}

/// Blocks, functions, attributes and implementations with `unsafe`, file by file: one more is a decision, not a detail.
const UNSAFE: &[(&str, usize)] = &[
    ("src/exec.rs", 2),
    ("src/main.rs", 16),
    ("conformance/src/entry.rs", 6),
    ("fake-nvidia-container-cli/cuda/src/table/mod.rs", 2),
    ("fake-nvidia-container-cli/nvml/src/table/mod.rs", 2),
    ("fake-nvidia-container-cli/nvml/src/table/system.rs", 1),
    ("fake-nvidia-container-cli/shim/src/c.rs", 4),
    ("fake-nvidia-container-cli/shim/src/kernel/aarch64.rs", 2),
    ("fake-nvidia-container-cli/shim/src/kernel/mod.rs", 13),
    ("fake-nvidia-container-cli/shim/src/kernel/other.rs", 1),
    ("fake-nvidia-container-cli/shim/src/kernel/x86_64.rs", 2),
    ("fake-nvidia-container-cli/src/main.rs", 4),
    ("fake-nvidia-container-cli/tests/suite/c_caller.rs", 9),
];

#[test]
fn each_unsafe_block_is_counted_and_has_its_reason() {
    let word = ["un", "safe"].concat();
    let is_word = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|found| *found == word).count()
    };
    let mut offenders = Vec::new();
    for source in rust().iter().filter(|source| source.path != "tests/tidy.rs") {
        let count: usize = source.code().lines().map(is_word).sum();
        let listed = UNSAFE.iter().find(|(path, _)| *path == source.path).map_or(0, |(_, count)| *count);
        if count != listed {
            offenders.push(format!("(\"{}\", {count}),", source.path));
        }
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let block = [&word, " {"].concat();
            let opens = line.contains(&block) && !line.trim_start().starts_with("//");
            let before = &lines[at.saturating_sub(8)..=at];
            if opens && !before.iter().any(|line| line.contains("SAFETY:")) {
                offenders.push(format!("{}:{}: no SAFETY remark", source.path, at + 1));
            }
        }
    }
    none(&offenders);
}

#[test]
fn only_the_seams_are_exempt_from_the_ban_on_hidden_inputs() {
    let lint = ["clippy::", "disallowed_methods"].concat();
    // Reading, executing, printing, the line about a start and its time; then those of hookctl.
    let hook = ["host", "exec", "run", "main", "note/store", "note/time"].map(|seam| format!("src/{seam}.rs"));
    let hookctl = ["main", "inspect", "oci_hook", "tree", "capture/store", "capture/wrap"]
        .map(|seam| format!("hookctl/src/{seam}.rs"));
    let exempt = |source: &&Source| {
        source.code().contains(&lint) && !hook.contains(&source.path) && !hookctl.contains(&source.path)
    };
    let sources = sources(&["src", "hookctl/src"], &["rs"]);
    none(&sources.iter().filter(exempt).map(|source| source.path.clone()).collect::<Vec<_>>());
}

#[test]
fn every_file_says_first_what_it_is() {
    let offends = |source: &&Source| !source.text.starts_with("//! ");
    none(&rust().iter().filter(offends).map(|source| source.path.clone()).collect::<Vec<_>>());
}

#[test]
fn files_are_small() {
    let mut offenders = Vec::new();
    for source in rust() {
        // Code for fuzzing counts as a test.
        let is_test = source.path.starts_with("fuzz/");
        let ceiling = if !is_test && (source.path.starts_with("src/") || source.path.contains("/src/")) {
            FILE_CEILING
        } else {
            TEST_FILE_CEILING
        };
        let lines = source.text.split("#[cfg(test)]\nmod ").next().unwrap().lines().count();
        let excused = LARGE.iter().any(|(path, reason)| *path == source.path && !reason.is_empty());
        if lines > ceiling && !excused {
            offenders.push(format!("{}: {lines} lines", source.path));
        }
    }
    none(&offenders);
}

/// The functions of a file with their lengths, from the line with `fn` to its closing brace. The sources are formatted,
/// so both have the same indentation.
fn functions(source: &Source) -> Vec<(String, usize, bool)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_function = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.contains('(')).collect();
        let known = ["pub", "pub(super)", "pub(crate)", "const", "async", "extern", "\"C\"", "unsafe", "fn"];
        line.contains("fn ")
            && line.contains('(')
            && !words.is_empty()
            && words.iter().all(|word| known.contains(word) || words.last() == Some(word))
            && line.trim_start().starts_with(|c: char| c.is_ascii_lowercase())
            && words.contains(&"fn")
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
        let end = lines[at..].iter().position(|end| indent(end) == indent(line) && end.trim() == "}");
        let one_line = line.ends_with('}') || line.ends_with(';');
        let length = if one_line { 1 } else { end.map_or(1, |end| end + 1) };
        let excused = lines[at.saturating_sub(4)..at].iter().any(|line| line.contains("too_many_lines"));
        found.push((format!("{}:{}", source.path, at + 1), length, excused));
    }
    found
}

#[test]
fn functions_are_short() {
    let all: Vec<_> = rust().iter().flat_map(functions).collect();
    let long = all.iter().filter(|(_, length, excused)| *length > FUNCTION_CEILING && !excused);
    none(&long.map(|(place, length, _)| format!("{place}: {length} lines")).collect::<Vec<_>>());
    let mut lengths: Vec<usize> = all.iter().map(|(_, length, _)| *length).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= FUNCTION_MEDIAN, "the median of {} functions is {median} lines", lengths.len());
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut all = rust();
    all.extend(sources(
        &[".cargo", ".ci", ".github", "bazel", "docs", "fixtures", "nix", "packages", "src"],
        &["bzl", "jq", "json", "ld", "md", "nix", "toml", "yml"],
    ));
    for file in [
        ".ci/release",
        ".ci/reproducible",
        ".ci/run",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.toml",
        "README.md",
        "RELEASING.md",
        "clippy.toml",
        "flake.nix",
    ] {
        if let Ok(text) = fs::read_to_string(top().join(file)) {
            all.push(Source { path: file.to_owned(), text });
        }
    }
    let names = ["/work/", "/root/", "/home/runner", "/tmp/bash"];
    let offends =
        |source: &&Source| source.path != "tests/tidy.rs" && names.iter().any(|name| source.text.contains(name));
    none(&all.iter().filter(offends).map(|source| source.path.clone()).collect::<Vec<_>>());
}

/// A library without tests says so, which saves `cargo test` a program for each; one that gets tests must stop that.
#[test]
fn no_library_hides_its_tests_from_cargo() {
    let mut offenders = Vec::new();
    let all = ["conformance", "fake-nvidia-container-cli", "hookctl", "tests"];
    for manifest in sources(&all, &["toml"]).iter().filter(|source| source.path.ends_with("/Cargo.toml")) {
        let library = manifest.text.split_once("[lib]\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
        let folder = manifest.path.replace("Cargo.toml", "src");
        let says = |word: &str| sources(&[&folder], &["rs"]).iter().any(|source| source.text.contains(word));
        if library.contains("\ntest = false") && says("#[test]") {
            offenders.push(format!("{}: has unit tests", manifest.path));
        }
        if library.contains("\ndoctest = false") && (says("/// ```") || says("//! ```")) {
            offenders.push(format!("{}: has tests in its documentation", manifest.path));
        }
    }
    none(&offenders);
}

#[test]
fn the_source_of_a_case_can_be_looked_up() {
    let recorded = fs::read_to_string(top().join("fixtures/recorded/main.jsonl")).unwrap();
    let is_recorded = |name: &str| {
        let (family, case) = name.split_once('/').unwrap_or((name, ""));
        let case = case.split('*').next().unwrap();
        recorded.contains(&format!("\"name\": \"{family}/{case}"))
    };
    let is_known = |source: &str| match source.strip_prefix("main hook ") {
        Some(quirk) if quirk.starts_with("quirk ") => true,
        Some(name) => is_recorded(name),
        None => ["SPEC ", "seed ", "TOML 1.0", "the hook's own rule"].iter().any(|start| source.starts_with(start)),
    };
    let mut offenders = Vec::new();
    for case in sources(&["fixtures/hook"], &["toml"]).iter().filter(|case| case.path.ends_with("/expected.toml")) {
        let line = case.text.lines().find_map(|line| line.strip_prefix("source = ")).unwrap_or_default();
        let source = line.trim_matches('"');
        if !is_known(source) {
            offenders.push(format!("{}: {source:?}", case.path));
        }
    }
    none(&offenders);
}

/// No telemetry (docs/support.md): neither an interface to a network nor a crate that has one.
#[test]
fn nothing_speaks_to_a_network() {
    const INTERFACES: [&str; 8] =
        ["std::net", "TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "AF_INET", "sys::socket", "unix::net"];
    const CRATES: [&str; 9] =
        ["async-std", "curl", "hyper", "mio", "native-tls", "reqwest", "rustls", "socket2", "tokio"];
    // The socket of the machine's own log daemon.
    let is_log = |path: &str, name: &str| path == "src/note/store.rs" && name == "unix::net";
    let mut offenders = Vec::new();
    for source in rust().iter().filter(|source| source.path.split('/').any(|part| part == "src")) {
        let code = source.code();
        let named = INTERFACES.iter().filter(|name| code.contains(**name) && !is_log(&source.path, name));
        offenders.extend(named.map(|name| format!("{}: {name}", source.path)));
    }
    let lock = fs::read_to_string(top().join("Cargo.lock")).unwrap();
    offenders.extend(
        CRATES.iter().filter(|name| lock.contains(&format!("name = \"{name}\"\n"))).map(|name| (*name).to_owned()),
    );
    none(&offenders);
}

#[test]
fn the_recorded_runs_that_documents_name_are_there() {
    let recorded = fs::read_to_string(top().join("fixtures/recorded/main.jsonl")).unwrap();
    let families: BTreeSet<&str> = recorded.lines().map(|line| line.split(['"', '/']).nth(3).unwrap()).collect();
    let document = fs::read_to_string(top().join("docs/upstream-behaviour.md")).unwrap();
    let mut offenders = Vec::new();
    let mut named = 0;
    for word in document.split('`').skip(1).step_by(2) {
        let Some((family, case)) = word.split_once('/').filter(|(family, _)| families.contains(family)) else {
            continue;
        };
        named += 1;
        let end = if case.ends_with('*') { "" } else { "\"" };
        if !recorded.contains(&format!("\"name\": \"{family}/{}{end}", case.trim_end_matches('*'))) {
            offenders.push(word.to_owned());
        }
    }
    assert!(named > 50, "{named}");
    none(&offenders);
}

/// A cell of docs/support.md names the test behind it, which must exist, or says that there is none.
#[test]
fn the_support_matrix_names_tests_that_are_there() {
    let document = fs::read_to_string(top().join("docs/support.md")).unwrap();
    let tables = document.split("\n## Upgrading").next().unwrap();
    let rows = tables.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let cells = rows.map(|row| row.trim_end_matches('|').rsplit('|').next().unwrap().trim());
    let cells: Vec<&str> = cells.filter(|cell| *cell != "shown by").collect();
    let mut offenders = Vec::new();
    for cell in &cells {
        let words: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let names_a_test = words.iter().any(|words| words.starts_with("cargo test") || is_file_of(words));
        let says_so = ["not run", "not tested", "not built"].iter().any(|none| cell.contains(none));
        if !names_a_test && !says_so && !cell.contains("](") && !cell.starts_with("the same") {
            offenders.push(format!("names no test: {cell}"));
        }
        let commands = words.iter().filter(|words| words.starts_with("cargo test"));
        offenders.extend(commands.filter(|words| !is_there(words)).map(|words| format!("is not there: {words}")));
    }
    assert!(cells.len() > 20, "{}", cells.len());
    none(&offenders);
}

/// Whether words are a file or folder of the tree, with its arguments, or the name of a case.
fn is_file_of(words: &str) -> bool {
    let name = words.split(' ').next().unwrap();
    name.contains('/') && (top().join(name).exists() || top().join("fixtures/hook").join(name).exists())
}

/// Whether a command's suite exists, and each name that it asks for is one of its tests or of a case.
fn is_there(command: &str) -> bool {
    let words: Vec<&str> = command.split(' ').collect();
    let after = |option: &str| words.iter().position(|word| *word == option).map(|at| words[at + 1].trim_matches('\''));
    let package = after("-p").map(|name| format!("{}/", name.trim_start_matches("nvidia-"))).unwrap_or_default();
    let tests = format!("{package}tests");
    let Some(suite) = after("--test") else { return top().join(tests).is_dir() };
    let known: String = sources(&[&tests], &["rs"]).into_iter().map(|source| source.text).collect();
    let mut names =
        words.iter().skip_while(|word| **word != "--test").skip(2).take_while(|word| !word.starts_with('-'));
    top().join(format!("{tests}/{}.rs", suite.trim_end_matches('*'))).is_file()
        && names.all(|name| known.contains(*name) || top().join("fixtures/hook").join(name).exists())
}
