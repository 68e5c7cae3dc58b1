//! What nvidia-smi says about itself: its options, its fields, its versions.

use super::csv;
use super::scene::Scene;
use super::text::{lines, pairs};

/// `-h`.
pub(super) fn help(driver: &str) -> String {
    format!("NVIDIA System Management Interface -- v{driver}\n\n{}", include_str!("data/help.txt"))
}

/// `--help-query-...`: the fields, each in quotes on a line after an empty one, as programs read it.
pub(super) fn fields(query: &str, driver: &str) -> String {
    let mut out = format!("List of valid properties to query for the switch \"--query-{query}\":\n");
    for line in csv::lines(query) {
        if let Some(section) = line.strip_prefix("# ") {
            let (title, text) = section.split_once(" | ").unwrap_or((section, ""));
            out.push_str(&format!("\n{title}\n{text}\n"));
            continue;
        }
        let field = csv::field(line);
        if !field.is_of(driver) {
            continue;
        }
        let also = if field.alias.is_empty() { String::new() } else { format!(" or \"{}\"", field.alias) };
        out.push_str(&format!("\n\"{}\"{also}\n{}\n", field.name, field.meaning));
    }
    out
}

/// `--version`; nothing for drivers before 535, which did not know it.
pub(super) fn version(scene: &Scene) -> String {
    lines(scene.layout.lines("version"), &pairs(&scene.versions()))
}

/// What a subcommand takes, as `-h` lists it.
pub(super) fn usage(name: &str) -> String {
    let list: String = taken(name)
        .filter(|[short, ..]| *short != "-")
        .map(|[short, long, meaning]| format!("    [{short} | {long}]: {meaning}\n"))
        .collect();
    if taken(name).any(|[short, ..]| short == "-") {
        return list;
    }
    format!("\n    Usage: nvidia-smi {name} [options]\n\n    Options include:\n{list}\n\n")
}

/// The names of the options of a subcommand, short and long.
pub(super) fn options(name: &str) -> Vec<&'static str> {
    taken(name).flat_map(|[short, long, _]| [short, long]).filter(|word| word.starts_with('-')).collect()
}

/// Each option of a subcommand: its names, and what it does.
fn taken(name: &str) -> impl Iterator<Item = [&'static str; 3]> {
    let tables = include_str!("data/usage.txt").split("=== ");
    let table = tables.filter_map(|table| table.split_once('\n')).find(|(known, _)| *known == name);
    table.map_or("", |(_, lines)| lines).lines().filter(|line| !line.is_empty()).map(|line| {
        let mut parts = line.splitn(3, '|').map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        [next(), next(), next()]
    })
}
