//! Versions of installed packages, from the databases of dpkg, apk and pacman, and of programs that contain theirs as
//! text. Nothing is executed. Must not know what a version is for.

use std::path::Path;

use crate::inspect::Inspect;
use crate::tree::Tree;

/// The upstream version of the first of these packages that is installed.
#[must_use]
pub fn version(host: &Tree, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| dpkg(host, name).or_else(|| apk(host, name)).or_else(|| pacman(host, name)))
}

fn dpkg(host: &Tree, name: &str) -> Option<String> {
    let text = host.text("/var/lib/dpkg/status")?;
    let wanted = format!("Package: {name}");
    let entry = text.split("\n\n").find(|entry| entry.lines().next() == Some(&wanted))?;
    if !entry.lines().any(|line| line.starts_with("Status: ") && line.ends_with(" installed")) {
        return None;
    }
    entry.lines().find_map(|line| line.strip_prefix("Version: ")).map(upstream)
}

fn apk(host: &Tree, name: &str) -> Option<String> {
    let text = host.text("/lib/apk/db/installed")?;
    let wanted = format!("P:{name}");
    let entry = text.split("\n\n").find(|entry| entry.lines().any(|line| line == wanted))?;
    entry.lines().find_map(|line| line.strip_prefix("V:")).map(upstream)
}

fn pacman(host: &Tree, name: &str) -> Option<String> {
    let prefix = format!("{name}-");
    let found = host.names("/var/lib/pacman/local").into_iter().find_map(|entry| {
        let version = entry.strip_prefix(&prefix)?;
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
    });
    found.map(|version| upstream(&version))
}

/// The rpm database, if the host has one: its format (SQLite, or an older one) is not read here.
#[must_use]
pub fn unread(host: &Tree) -> Option<&'static str> {
    const DATABASES: [&str; 4] = [
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/var/lib/rpm/Packages",
    ];
    DATABASES.into_iter().find(|path| host.has(path))
}

/// A version without the package's epoch and revision.
fn upstream(version: &str) -> String {
    let version = version.trim();
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['-', '~', '+']).next().unwrap_or_default().to_owned()
}

/// The version that this project's hook contains as text: the one it prints for `-version`.
#[must_use]
pub fn of_hook(host: &Tree, path: &str) -> Option<String> {
    const MARK: &[u8] = b"NVIDIA Container Runtime Hook version ";
    let bytes = host.bytes(Path::new(path))?;
    let at = bytes.windows(MARK.len()).position(|part| part == MARK)? + MARK.len();
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::upstream;

    #[test]
    fn epochs_and_revisions_are_no_part_of_a_version() {
        for (whole, version) in [
            ("5:29.2.0-1~ubuntu.24.04~noble", "29.2.0"),
            ("1.17.8-1", "1.17.8"),
            ("1.17.8-r0", "1.17.8"),
            ("20.10.7+dfsg1", "20.10.7"),
        ] {
            assert_eq!(upstream(whole), version);
        }
    }
}
