//! The configuration files of Podman and CRI-O, in the order in which each reads them, and what they say about
//! hooks_dir. Must not know what is in a hooks directory.

use hook::invocation::Environ;
use toml::{Table, Value};

use super::examination::Examination;
use super::states::ENGINE_CONFIG;
use super::users::is_ordinary;
use crate::inspect::Inspect;
use crate::tree::Tree;

/// The files of Podman: the system's, the administrator's and the user's. Later files override earlier ones
/// (containers.conf(5)).
#[must_use]
pub fn podman(host: &Tree, environ: Environ<'_>) -> Vec<String> {
    let mut files = Vec::new();
    for directory in ["/usr/share/containers", "/etc/containers"] {
        files.push(format!("{directory}/containers.conf"));
        files.extend(drop_ins(host, &format!("{directory}/containers.conf.d")));
    }
    if let Some(configuration) = user_configuration(environ) {
        files.extend(of_user(host, &configuration));
    }
    files
}

/// The files of Podman in a user's configuration directory.
#[must_use]
pub fn of_user(host: &Tree, configuration: &str) -> Vec<String> {
    let mut files = vec![format!("{configuration}/containers/containers.conf")];
    files.extend(drop_ins(host, &format!("{configuration}/containers/containers.conf.d")));
    files.retain(|file| is_ordinary(host, file));
    files
}

/// The files of CRI-O (crio.conf(5)), which reads every file in its drop-in directories, whatever its name.
#[must_use]
pub fn crio(host: &Tree) -> Vec<String> {
    let mut files = vec!["/usr/share/crio/crio.conf".to_owned(), "/etc/crio/crio.conf".to_owned()];
    for directory in ["/usr/share/crio/crio.conf.d", "/etc/crio/crio.conf.d"] {
        files.extend(host.names(directory).into_iter().map(|name| format!("{directory}/{name}")));
    }
    files
}

fn drop_ins(host: &Tree, directory: &str) -> Vec<String> {
    let names = host.names(directory).into_iter().filter(|name| name.ends_with(".conf"));
    names.map(|name| format!("{directory}/{name}")).collect()
}

/// The configuration directory of the calling user.
#[must_use]
pub fn user_configuration(environ: Environ<'_>) -> Option<String> {
    let text = |name: &[u8]| environ.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
    text(b"XDG_CONFIG_HOME")
        .or_else(|| text(b"HOME").map(|home| format!("{home}/.config")))
        .filter(|path| path.starts_with('/'))
}

/// A file as TOML; invalid TOML is reported as a state.
pub fn read(examination: &mut Examination<'_>, file: &str) -> Option<Table> {
    let text = examination.host.text(file)?;
    parse(examination, file, &text)
}

/// The text of a file as TOML; invalid TOML is reported as a state.
pub fn parse(examination: &mut Examination<'_>, file: &str, text: &str) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let message = format!("{file}: {}", error.message().replace('\n', ", "));
            examination.found(&ENGINE_CONFIG, message);
            None
        }
    }
}

/// The section of a file.
#[must_use]
pub fn section<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Table> {
    let mut place = Some(table);
    for part in path {
        place = place.and_then(|table| table.get(*part)).and_then(Value::as_table);
    }
    place
}

/// Where a file says hooks_dir outside of the section that the engine reads: the file and the place.
#[must_use]
pub fn misplaced_hooks_dir(host: &Tree, files: &[String], path: &[&str]) -> Option<(String, String)> {
    files.iter().find_map(|file| {
        let table = host.text(file)?.parse::<Table>().ok()?;
        place_of(&table, "", &path.join("."), 0).map(|place| (file.clone(), place))
    })
}

/// The section that has hooks_dir, other than the right one.
fn place_of(table: &Table, name: &str, right: &str, depth: usize) -> Option<String> {
    /// How deep a section is looked for.
    const DEPTH: usize = 4;
    if name != right && table.get("hooks_dir").is_some_and(Value::is_array) {
        return Some(if name.is_empty() { "outside of any section".to_owned() } else { format!("in [{name}]") });
    }
    let mut below = table.iter().filter(|_| depth < DEPTH);
    below.find_map(|(inner, value)| {
        let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
        place_of(value.as_table()?, &name, right, depth + 1)
    })
}

/// The hooks_dir in effect after all files, and which file set it last; `built_in` are the engine's own directories.
pub fn hooks_dir(
    examination: &mut Examination<'_>,
    files: &[String],
    path: &[&str],
    built_in: &[&str],
) -> Option<(String, Vec<String>)> {
    let mut last: Option<(String, Vec<String>)> = None;
    // containers.conf(5): a list with this attribute adds to the one before it, and so do the lists after it.
    let mut appends = false;
    for file in files {
        let Some(table) = read(examination, file) else { continue };
        let list = section(&table, path).and_then(|table| table.get("hooks_dir")).and_then(Value::as_array);
        let Some(list) = list else { continue };
        let paths = list.iter().filter_map(Value::as_str).map(|path| path.trim_end_matches('/').to_owned());
        appends = list.iter().find_map(|item| item.get("append").and_then(Value::as_bool)).unwrap_or(appends);
        let mut directories = match (appends, last.take()) {
            (false, _) => Vec::new(),
            (true, Some((_, before))) => before,
            (true, None) => built_in.iter().map(|directory| (*directory).to_owned()).collect(),
        };
        directories.extend(paths.filter(|path| !path.is_empty()));
        last = Some((format!("hooks_dir in {file}"), directories));
    }
    last
}
