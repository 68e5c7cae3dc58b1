//! The simulator's own settings: variables, then a file, then defaults.
//!
//! It reads the settings and checks their form; what a topology or a failure means is up to the modules of that name.

use crate::cli::Version;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file that is read when no variable names another: engines start hooks with an empty environment.
pub const DEFAULT_FILE: &str = "/etc/fake-nvidia/config.toml";

/// What `configure` does with its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// Touches nothing, and treats ROOTFS as an empty folder, whether it exists or not.
    Imagine,
    /// Touches nothing, but looks at ROOTFS.
    #[default]
    Record,
    /// Makes the files and folders under the container's root.
    Files,
    /// Mounts for real in the container's mount namespace.
    Mounts,
}

/// All settings of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A built-in topology, or the path of one.
    pub topology: Option<String>,
    /// The file to append a record to.
    pub record: Option<PathBuf>,
    /// The failure to show.
    pub fail: Option<String>,
    /// The file that counts runs for failures in every nth run.
    pub counter: Option<PathBuf>,
    /// The version to imitate.
    pub version: Version,
    /// What to do with the plan.
    pub apply: Apply,
    /// The file in which changes of the machine are kept.
    pub state: Option<PathBuf>,
    /// Whether CUDA initializes in containers and reports their devices.
    pub cuda: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            topology: None,
            record: None,
            fail: None,
            counter: None,
            version: Version::NEWEST,
            apply: Apply::Record,
            state: None,
            cuda: false,
        }
    }
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    topology: Option<String>,
    record: Option<PathBuf>,
    fail: Option<String>,
    counter: Option<PathBuf>,
    cli_version: Option<String>,
    apply: Option<String>,
    state: Option<PathBuf>,
    cuda: Option<String>,
}

/// Reads the settings; `variable` looks up the environment, where an empty value counts as none.
pub fn load(variable: impl Fn(&str) -> Option<OsString>) -> Result<Settings, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let text = |name: &str| match variable(name) {
        None => Ok(None),
        Some(value) => value.into_string().map(Some).map_err(|_| format!("{name}: not UTF-8")),
    };
    let file = read_file(variable("FAKE_NVIDIA_CONFIG").map(PathBuf::from))?;
    let version = text("FAKE_NVIDIA_CLI_VERSION")?.or(file.cli_version);
    let apply = text("FAKE_NVIDIA_APPLY")?.or(file.apply);
    let cuda = text("FAKE_NVIDIA_CUDA")?.or(file.cuda);
    Ok(Settings {
        topology: text("FAKE_NVIDIA_TOPOLOGY")?.or(file.topology),
        record: variable("FAKE_NVIDIA_RECORD").map(PathBuf::from).or(file.record),
        fail: text("FAKE_NVIDIA_FAIL")?.or(file.fail),
        counter: variable("FAKE_NVIDIA_COUNTER").map(PathBuf::from).or(file.counter),
        version: match version {
            Some(word) => word.parse().map_err(|why| format!("cli-version: {why}"))?,
            None => Version::NEWEST,
        },
        apply: match apply {
            Some(word) => apply_mode(&word)?,
            None => Apply::Record,
        },
        cuda: match cuda.as_deref() {
            None | Some("none") => false,
            Some("devices") => true,
            Some(word) => return Err(format!("cuda: `{word}` is not one of none, devices")),
        },
        state: variable("FAKE_NVIDIA_STATE").map(PathBuf::from).or(file.state),
    })
}

fn apply_mode(word: &str) -> Result<Apply, String> {
    match word {
        "imagine" => Ok(Apply::Imagine),
        "record" => Ok(Apply::Record),
        "files" => Ok(Apply::Files),
        "mounts" => Ok(Apply::Mounts),
        _ => Err(format!("apply: `{word}` is not one of imagine, record, files, mounts")),
    }
}

/// The named file must exist; the default one need not.
fn read_file(named: Option<PathBuf>) -> Result<File, String> {
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = match read_plain(&path).and_then(|raw| String::from_utf8(raw).map_err(io::Error::other)) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(File::default()),
        Err(why) => return Err(format!("{}: {why}", path.display())),
    };
    let mut file: File = toml::from_str(&text).map_err(|why| format!("{}: {}", path.display(), one_line(&why)))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    file.record = file.record.map(|p| folder.join(p));
    file.counter = file.counter.map(|p| folder.join(p));
    file.state = file.state.map(|p| folder.join(p));
    file.topology = file.topology.map(|t| beside(folder, t));
    Ok(file)
}

/// The content of a file, or of /dev/null. Nothing else is read, since reading a FIFO would wait.
pub(crate) fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?;
    let is_null = kind.file_type().is_char_device() && kind.rdev() == nix::sys::stat::makedev(1, 3);
    if !kind.is_file() && !is_null {
        return Err(io::Error::other("not a file"));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// A topology that is a path is relative to the file's folder: an engine's working directory is the bundle.
fn beside(folder: &Path, topology: String) -> String {
    if topology.contains('/') || Path::new(&topology).extension().is_some() {
        let path = folder.join(topology);
        String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
    } else {
        topology
    }
}

/// The message of a TOML error, on one line and without its drawing.
fn one_line(why: &toml::de::Error) -> String {
    why.message().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let mut all = vec![("FAKE_NVIDIA_CONFIG", "/dev/null")];
        all.extend_from_slice(pairs);
        load(|name| all.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn nothing_set_means_the_defaults() {
        assert_eq!(with(&[]), Ok(Settings::default()));
        assert_eq!(with(&[("FAKE_NVIDIA_RECORD", "")]), Ok(Settings::default()));
    }

    #[test]
    fn a_variable_wins_over_the_file_and_paths_are_beside_the_file() {
        let folder = std::env::temp_dir().join(format!("fake-settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config.toml");
        std::fs::write(&file, "topology = \"h100\"\nrecord = \"r.jsonl\"\ncli-version = \"1.14.0\"\n").unwrap();
        let name = file.to_str().unwrap();
        let got = with(&[("FAKE_NVIDIA_CONFIG", name), ("FAKE_NVIDIA_TOPOLOGY", "t4")]).unwrap();
        assert_eq!(got.topology.as_deref(), Some("t4"));
        assert_eq!(got.record, Some(folder.join("r.jsonl")));
        assert_eq!(got.version, Version(1, 14, 0));
        std::fs::write(&file, "topologi = \"h100\"\n").unwrap();
        assert!(with(&[("FAKE_NVIDIA_CONFIG", name)]).unwrap_err().contains("topologi"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn wrong_values_are_named() {
        for (name, value) in [
            ("FAKE_NVIDIA_APPLY", "mount"),
            ("FAKE_NVIDIA_CUDA", "yes"),
            ("FAKE_NVIDIA_CLI_VERSION", "2"),
            ("FAKE_NVIDIA_CONFIG", "/no/such/file.toml"),
        ] {
            assert!(with(&[(name, value)]).is_err(), "{name}");
        }
    }
}
