//! How the generations of containerd read one configuration of several files: which versions of the file they know,
//! which section of a file they use, and how files are joined. Must not know what a runtime is.

use toml::{Table, Value};

use crate::driver::compare;

/// The plugin that serves Kubernetes, in the versions 2 and 3 of the configuration, and in version 1.
pub const PLUGINS: [&str; 3] = [SECOND, THIRD, FIRST];
const FIRST: &str = "cri";
/// The one of version 2.
pub const SECOND: &str = "io.containerd.grpc.v1.cri";
const THIRD: &str = "io.containerd.cri.v1.runtime";
/// The newest version of the configuration that is known here.
pub const NEWEST: i64 = 4;

/// A file of containerd's configuration: its path and content.
pub type File = (String, Table);

/// The releases of containerd that read a configuration alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 1.x: all files are of one version, and a section of a later file replaces the whole section of an earlier one.
    One,
    /// 2.0 to 2.2: the files are joined, and then brought to version 3 together.
    Two,
    /// 2.3 and later: each file is brought to version 4 by itself.
    Later,
}

impl Generation {
    /// The releases, for a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Generation::One => "1.x",
            Generation::Two => "2.0 to 2.2",
            Generation::Later => "2.3 and later",
        }
    }

    fn of(version: &str) -> Self {
        match () {
            () if compare(version, "2.0").is_lt() => Generation::One,
            () if compare(version, "2.3").is_lt() => Generation::Two,
            () => Generation::Later,
        }
    }

    /// The generations that may read these files: the one that is installed, otherwise those that know their versions.
    #[must_use]
    pub fn possible(installed: Option<&str>, files: &[File]) -> Vec<Self> {
        let newest = files.iter().map(|(_, table)| version(table)).max().unwrap_or_default();
        match (installed, newest) {
            (Some(installed), _) => vec![Generation::of(installed)],
            (None, ..=2) => vec![Generation::One, Generation::Two, Generation::Later],
            (None, 3) => vec![Generation::Two, Generation::Later],
            (None, _) => vec![Generation::Later],
        }
    }

    /// The section that the generation uses in a file, by the version that the file or, if it says none, the
    /// configuration has.
    #[must_use]
    pub fn own_section(self, configuration: &Configuration<'_>, at: usize) -> &'static str {
        match (self, self.version_of(configuration, at)) {
            (Generation::One, ..=1) | (Generation::Later, 1) => FIRST,
            (Generation::One, _) | (_, 2) => SECOND,
            _ => THIRD,
        }
    }

    /// Whether the generation reads a section of a file; `None` if that is not known.
    #[must_use]
    pub fn reads(self, configuration: &Configuration<'_>, at: usize, section: &str) -> Option<bool> {
        let is_own = section == self.own_section(configuration, at);
        let own = configuration.own_version(at);
        match (self, section) {
            (_, _) if own > NEWEST => None,
            (Generation::One, _) => Some(is_own),
            // It is used as it stands, and older sections are joined to it.
            (_, THIRD) => Some(true),
            // Renamed to SECOND. What then becomes of it in version 3 was not seen.
            (Generation::Two, FIRST) if own <= 1 && configuration.joined() >= 3 => None,
            (Generation::Two, FIRST) => Some(own <= 1),
            (Generation::Two, _) => Some(configuration.joined() <= 2),
            (Generation::Later, FIRST) => Some(own <= 1),
            // Whether 2.3 still joins it to THIRD in version 3 was not seen.
            (Generation::Later, _) if own == 3 => None,
            (Generation::Later, _) => Some(own <= 2),
        }
    }

    fn version_of(self, configuration: &Configuration<'_>, at: usize) -> i64 {
        match (self, configuration.own_version(at)) {
            (Generation::One, _) => configuration.last(),
            (Generation::Two, _) => configuration.joined(),
            (Generation::Later, 0) => 1,
            (Generation::Later, own) => own,
        }
    }
}

/// The version that a file says, 0 if none.
pub fn version(table: &Table) -> i64 {
    table.get("version").and_then(Value::as_integer).unwrap_or_default()
}

/// The files of one configuration, in the order in which they are read.
#[derive(Clone, Copy)]
pub struct Configuration<'f> {
    /// The files.
    pub files: &'f [File],
}

impl Configuration<'_> {
    fn own_version(&self, at: usize) -> i64 {
        self.files.get(at).map(|(_, table)| version(table)).unwrap_or_default()
    }

    /// The version of 1.x: the last one that is said.
    fn last(&self) -> i64 {
        self.files.iter().map(|(_, table)| version(table)).rfind(|version| *version > 0).unwrap_or(1)
    }

    /// The version of 2.0 to 2.2 after the files are joined: a file without one, or of version 1, is brought to what
    /// holds before it, which is 3 at first.
    fn joined(&self) -> i64 {
        self.files.iter().map(|(_, table)| version(table)).rfind(|version| *version > 1).unwrap_or(3)
    }

    /// A file of a newer version than the first that says one, with both versions.
    #[must_use]
    pub fn newer_than_root(&self) -> Option<(&str, i64, i64)> {
        let said = || self.files.iter().map(|(path, table)| (path.as_str(), version(table)));
        let (_, root) = said().find(|(_, version)| *version > 0)?;
        said().find(|(_, version)| *version > root).map(|(path, version)| (path, version, root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(versions: &[i64]) -> Vec<File> {
        let table = |version: &i64| match version {
            0 => Table::new(),
            version => Table::from_iter([("version".to_owned(), Value::Integer(*version))]),
        };
        versions.iter().map(|version| (String::new(), table(version))).collect()
    }

    /// What 1.x, 2.0 to 2.2, and 2.3 make of a section of the last of these files.
    fn reads(versions: &[i64], section: &str) -> [Option<bool>; 3] {
        let files = files(versions);
        let configuration = Configuration { files: &files };
        [Generation::One, Generation::Two, Generation::Later]
            .map(|generation| generation.reads(&configuration, files.len() - 1, section))
    }

    #[test]
    fn each_generation_reads_its_sections() {
        const YES: Option<bool> = Some(true);
        const NO: Option<bool> = Some(false);
        for (versions, section, wanted) in [
            (&[2][..], SECOND, [YES, YES, YES]),
            (&[2], THIRD, [NO, YES, YES]),
            (&[2], FIRST, [NO, NO, NO]),
            (&[3], THIRD, [NO, YES, YES]),
            (&[3], SECOND, [YES, NO, None]),
            (&[4], THIRD, [NO, YES, YES]),
            (&[4], SECOND, [YES, NO, NO]),
            (&[0], FIRST, [YES, None, YES]),
            (&[0], SECOND, [NO, NO, YES]),
            // A file without a version is of that of the files before it.
            (&[2, 0], SECOND, [YES, YES, YES]),
            (&[3, 0], SECOND, [YES, NO, YES]),
            (&[2, 3], THIRD, [NO, YES, YES]),
            (&[3, 2], SECOND, [YES, YES, YES]),
            (&[5], SECOND, [None, None, None]),
        ] {
            assert_eq!(reads(versions, section), wanted, "{versions:?} {section}");
        }
    }

    #[test]
    fn the_versions_of_the_files_limit_who_reads_them() {
        let names = |installed, versions: &[i64]| {
            Generation::possible(installed, &files(versions)).into_iter().map(Generation::name).collect::<Vec<_>>()
        };
        assert_eq!(names(None, &[2, 0]).len(), 3);
        assert_eq!(names(None, &[2, 3]), ["2.0 to 2.2", "2.3 and later"]);
        assert_eq!(names(None, &[4]), ["2.3 and later"]);
        assert_eq!(names(Some("1.7.27"), &[3]), ["1.x"]);
        assert_eq!(
            (names(Some("2.2.1"), &[2]), names(Some("2.3.0"), &[2])),
            (vec!["2.0 to 2.2"], vec!["2.3 and later"])
        );
    }

    #[test]
    fn a_file_may_not_be_newer_than_the_first_that_says_a_version() {
        let newer = |versions: &[i64]| {
            let files = files(versions);
            Configuration { files: &files }.newer_than_root().map(|(_, version, root)| (version, root))
        };
        assert_eq!((newer(&[2, 3]), newer(&[3, 0, 4])), (Some((3, 2)), Some((4, 3))));
        assert_eq!((newer(&[4, 3]), newer(&[0, 3]), newer(&[2, 0])), (None, None, None));
    }
}
