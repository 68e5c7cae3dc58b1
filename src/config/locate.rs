//! Which configuration file is read (SPEC section 3). Must not know what is in it.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::comments::{self, Decoded};
use crate::contract::origin::Place;
use crate::contract::variables::{CONFIG_FILE, XDG_CONFIG_HOME};
use crate::error::Error;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::text::paths;
use crate::text::position::Position;

/// A configuration file that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path, as it was given or searched.
    pub path: PathBuf,
    /// Its content, without a byte order mark, and with a placeholder for each byte of `passed_over`.
    pub text: String,
    /// The offsets of bytes in comments that are control characters or not UTF-8.
    pub passed_over: Vec<usize>,
}

impl ConfigFile {
    /// The place of a byte offset in the text, for a person to go to.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let Position { line, column } = Position::of(&self.text, offset);
        Place::File { path: self.path.clone(), line, column }
    }
}

/// The user that queries the driver on SUSE, where device nodes belong to the group video.
pub const SUSE_USER: &str = "root:video";

/// The file of a containerised driver, searched before the machine's own. The toolkit reads it only up to 1.17.
const IN_DRIVER_ROOT: &str = "/run/nvidia/driver/etc/nvidia-container-runtime/config.toml";
const IN_ETC: &str = "/etc/nvidia-container-runtime/config.toml";
const BELOW_XDG: &str = "nvidia-container-runtime/config.toml";

/// The paths that may hold the configuration, in order, and whether the first must exist.
#[must_use]
pub fn searched<'a>(invocation: &Invocation<'a>) -> (Vec<Cow<'a, Path>>, bool) {
    match named(invocation) {
        // Cleaned lexically, as the published hook joins paths: `/a/x/../b` is `/a/b`, whatever `x` is.
        Some((XDG_NAME, home)) => {
            let path = paths::join(home.as_bytes(), BELOW_XDG.as_bytes());
            (vec![PathBuf::from(OsString::from_vec(path)).into()], false)
        }
        Some((_, path)) => (vec![Path::new(path).into()], true),
        None => (vec![Path::new(IN_DRIVER_ROOT).into(), Path::new(IN_ETC).into()], false),
    }
}

/// Whether a flag or a variable says where the configuration is.
#[must_use]
pub fn is_named(invocation: &Invocation<'_>) -> bool {
    named(invocation).is_some()
}

/// The name that messages use for the variable that names a directory.
const XDG_NAME: &str = "XDG_CONFIG_HOME";

/// The flag or variable that names the configuration or its directory, and its value. An empty value counts as unset.
fn named<'a>(invocation: &Invocation<'a>) -> Option<(&'static str, &'a OsStr)> {
    let flag = invocation.flags.config.map(|path| ("-config", path));
    let variable = |called, name| invocation.environ.get(name).map(|value| (called, OsStr::from_bytes(value)));
    let file = variable("NVIDIA_CTK_CONFIG_FILE_PATH", CONFIG_FILE);
    let all = [flag, file, variable(XDG_NAME, XDG_CONFIG_HOME)];
    all.into_iter().flatten().find(|(_, value)| !value.is_empty())
}

/// Finds and reads the configuration file; `None` means the defaults.
///
/// # Errors
/// [`Error::ConfigRelative`] if the configuration is named by a relative path. [`Error::ConfigUnreadable`] if a file
/// that must exist does not, if an existing file is empty or cannot be read as text, or if a symbolic link is dangling.
pub fn find(invocation: &Invocation<'_>, host: &dyn Host) -> Result<Option<ConfigFile>, Error> {
    // The working directory is the runtime's, and the container may control its content.
    if let Some((by, value)) = named(invocation).filter(|(_, value)| !value.as_bytes().starts_with(b"/")) {
        return Err(Error::ConfigRelative { by, value: value.to_string_lossy().into_owned() });
    }
    let (paths, required) = searched(invocation);
    for path in paths {
        let unreadable =
            |cause: io::Error| Error::ConfigUnreadable { path: path.to_path_buf(), named: required, cause };
        // Only an explicitly named file may be a pipe; a start must not wait for a pipe in a default place.
        match host.read_settled(&path, required) {
            Ok(bytes) => {
                return decoded(&path, bytes).map_err(unreadable).map(Some);
            }
            Err(cause) if !required && is_absent(&path, &cause, host).map_err(unreadable)? => {}
            Err(cause) => return Err(unreadable(cause)),
        }
    }
    Ok(None)
}

/// The default file, if it is not read because the driver's root has one; `None` if only one of them exists. From 1.18
/// on, the toolkit reads only the default file.
#[must_use]
pub fn passed_over(read: &ConfigFile, host: &dyn Host) -> Option<&'static Path> {
    let other = Path::new(IN_ETC);
    (read.path == Path::new(IN_DRIVER_ROOT) && !matches!(host.kind(other), Ok(None))).then_some(other)
}

/// Whether a failure to open a file of the search means that the file is absent. A driver's root comes and goes with
/// the container that holds the driver, so a file there that cannot be reached is absent too. A file that exists but
/// cannot be read is a fault anywhere.
///
/// # Errors
/// The file is a dangling symbolic link, so somebody meant a file to be there. In a driver's root such a file is absent
/// like others.
fn is_absent(path: &Path, cause: &io::Error, host: &dyn Host) -> io::Result<bool> {
    let unreachable = || match cause.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOTDIR | Errno::ELOOP | Errno::ESTALE | Errno::ENOTCONN) => true,
        // A file without read permission still shows its kind; one in a directory without search permission does not.
        Some(Errno::EACCES) => match host.kind(path) {
            Ok(kind) => kind.is_none(),
            Err(again) => again.raw_os_error() == cause.raw_os_error(),
        },
        _ => false,
    };
    let of_driver = path == Path::new(IN_DRIVER_ROOT);
    if cause.kind() == io::ErrorKind::NotFound && !of_driver && host.is_dangling(path)? {
        return Err(io::Error::other("a symbolic link leads to nothing; correct or remove it"));
    }
    Ok(cause.kind() == io::ErrorKind::NotFound || (of_driver && unreachable()))
}

fn decoded(path: &Path, bytes: Vec<u8>) -> io::Result<ConfigFile> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    // Two marks both stay: the second is a fault, but alone the parser would skip it.
    let bytes = match bytes.strip_prefix(MARK) {
        Some(rest) if !rest.starts_with(MARK) => rest.to_vec(),
        _ => bytes,
    };
    match comments::decode(bytes) {
        Ok(Decoded { text, passed_over }) => Ok(ConfigFile { path: path.to_owned(), text, passed_over }),
        Err((bytes, fault)) => {
            let Position { line, column } = Position::of_fault(&bytes, &fault);
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("not UTF-8 in line {line}, column {column}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealHost;

    #[test]
    fn the_usual_file_is_passed_over_where_that_of_a_driver_is_read_and_it_is_there() {
        let root = tempfile::TempDir::new().unwrap();
        let host = RealHost::new(Some(root.path().to_path_buf()));
        let read = |path: &str| ConfigFile { path: path.into(), text: String::new(), passed_over: Vec::new() };
        assert_eq!(passed_over(&read(IN_DRIVER_ROOT), &host), None);
        let usual = host.locate(Path::new(IN_ETC)).into_owned();
        // A file of any kind counts.
        std::fs::create_dir_all(usual).unwrap();
        assert_eq!(passed_over(&read(IN_DRIVER_ROOT), &host), Some(Path::new(IN_ETC)));
        assert_eq!(passed_over(&read(IN_ETC), &host), None);
    }
}
