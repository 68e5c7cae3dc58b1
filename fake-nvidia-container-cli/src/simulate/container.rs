//! The container as the real program sets it up before it looks at the driver: flags, folders, ldconfig, and newer CUDA
//! libraries that come with the image.

use super::{Look, Setting, option_words};
use crate::cli::Parsed;
use crate::outcome::Stop;
use crate::rootfs::Root;
use nix::fcntl::AtFlags;
use nvidia_simulated_machine::driver_files::Capability;
use nvidia_simulated_machine::step::Step;
use std::collections::BTreeSet;

const CLASS: &str = "container error";
/// Where images keep libraries for a newer CUDA.
const COMPAT: &str = "/usr/local/cuda/compat";

/// What to do with newer CUDA libraries in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CompatMode {
    /// Mount them beside the driver's.
    #[default]
    Mount,
    /// Let ldconfig look at them first.
    Ldconfig,
    /// Leave them alone.
    Disabled,
}

/// What the words of the container string switch on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// CUDA libraries and what they need.
    pub compute: bool,
    /// CUDA programs too: video brings only the libraries.
    pub compute_bins: bool,
    /// nvidia-smi and its libraries.
    pub utility: bool,
    /// Libraries of the video codecs.
    pub video: bool,
    /// OpenGL and Vulkan libraries.
    pub graphics: bool,
    /// The node of the display driver.
    pub display: bool,
    /// The library of NGX.
    pub ngx: bool,
    /// The 32-bit libraries of everything else that is on.
    pub compat32: bool,
    /// Whether the device cgroup is left alone.
    pub no_cgroups: bool,
    /// Whether device nodes are left out.
    pub no_devbind: bool,
    /// Whether a live process represents the container.
    pub supervised: bool,
    /// What to do with newer CUDA libraries.
    pub compat: CompatMode,
}

impl Flags {
    /// Whether the container gets a capability's libraries.
    #[must_use]
    pub fn library(&self, capability: Capability) -> bool {
        match capability {
            Capability::Compute => self.compute,
            Capability::Utility => self.utility,
            Capability::Video => self.video,
            Capability::Graphics => self.graphics,
            Capability::Ngx => self.ngx,
        }
    }

    /// Whether the container gets a capability's programs.
    #[must_use]
    pub fn program(&self, capability: Capability) -> bool {
        match capability {
            Capability::Compute => self.compute_bins,
            other => self.library(other),
        }
    }
}

/// A container as set up by `configure`.
#[derive(Clone, Debug)]
pub struct Container {
    /// What is switched on for it.
    pub flags: Flags,
    /// Its root, through which everything that follows is done.
    pub root: Root,
    /// The user and group of its process; `None` if no process is looked at.
    pub owner: Option<(u32, u32)>,
    /// The driver's root on the host.
    pub driver_root: String,
    /// The folder inside it for libraries.
    pub libs_dir: &'static str,
    /// Where 32-bit libraries go.
    pub libs32_dir: &'static str,
    /// The ldconfig to run, and whether it is the host's.
    pub ldconfig: (String, bool),
    /// Newer CUDA libraries in the image, by path inside.
    pub compat_libs: Vec<String>,
}

/// Sets the container up.
pub(super) fn setup(setting: Setting<'_>, parsed: &Parsed) -> Result<Container, Stop> {
    setting.reach(Step::Container, CLASS)?;
    let ldconfig = parsed.ldconfig.as_deref();
    if ldconfig == Some("") {
        return Err(Stop::error(CLASS, "invalid argument"));
    }
    let flags = flags(parsed.container_flags.as_deref().unwrap_or_default())?;
    let root = root(setting.look, parsed, flags.supervised)?;
    let (libs_dir, libs32_dir) = library_folders(&root).map_err(failed)?;
    let ldconfig = match ldconfig {
        Some(path) => path.to_owned(),
        None => default_ldconfig(&root).map_err(failed)?,
    };
    let owner = owner(setting, parsed, &root, flags.supervised)?;
    Ok(Container {
        compat_libs: compat_libs(&root, &flags).map_err(failed)?,
        driver_root: parsed.root.as_deref().unwrap_or("/").to_owned(),
        ldconfig: match ldconfig.strip_prefix('@') {
            Some(path) => (path.to_owned(), true),
            None => (ldconfig, false),
        },
        flags,
        root,
        owner,
        libs_dir,
        libs32_dir,
    })
}

fn failed(detail: String) -> Stop {
    Stop::error(CLASS, detail)
}

/// The container's root, opened once for everything that follows. With a process, it is looked up in that process's
/// view, where the mounts will be made.
fn root(look: Look, parsed: &Parsed, supervised: bool) -> Result<Root, Stop> {
    let name = parsed.rootfs.as_deref().unwrap_or_default();
    let view = format!("/proc/{}/root", parsed.pid);
    let opened = match look {
        Look::Nowhere => Ok(Root::imagined(name)),
        Look::Everywhere if supervised => Root::open(&view, &view).and_then(|view| view.open_below(name)),
        _ if supervised => Root::open(name, &format!("{view}{name}")),
        _ => Root::open(name, name),
    };
    opened.map_err(failed)
}

/// The words of the container string; any other word is an error, and so are two modes at once.
fn flags(words: &str) -> Result<Flags, Stop> {
    let words = option_words(words).map_err(|why| Stop::error(CLASS, why))?;
    let mut flags = Flags::default();
    let (mut standalone, mut mount, mut ldconfig, mut disabled) = (false, false, false, false);
    for word in words {
        match word {
            "compute" => (flags.compute, flags.compute_bins) = (true, true),
            "utility" => flags.utility = true,
            "video" => (flags.video, flags.compute) = (true, true),
            "graphics" => flags.graphics = true,
            "display" => (flags.display, flags.graphics) = (true, true),
            "ngx" => flags.ngx = true,
            "compat32" => flags.compat32 = true,
            "no-cgroups" => flags.no_cgroups = true,
            "no-devbind" => flags.no_devbind = true,
            "supervised" => flags.supervised = true,
            "standalone" => standalone = true,
            "cuda-compat-mode=mount" => mount = true,
            "cuda-compat-mode=ldconfig" => ldconfig = true,
            "cuda-compat-mode=disabled" => disabled = true,
            other => return Err(Stop::error(CLASS, format!("invalid option: {other}"))),
        }
    }
    if flags.supervised == standalone {
        return Err(Stop::error(CLASS, "invalid mode of operation"));
    }
    flags.compat = match (disabled, ldconfig, mount) {
        (true, _, _) => CompatMode::Disabled,
        (_, true, true) => {
            return Err(Stop::error(CLASS, "only one cuda-compat-mode can be specified at a time"));
        }
        (_, true, false) => CompatMode::Ldconfig,
        _ => CompatMode::Mount,
    };
    Ok(flags)
}

/// Debian keeps libraries by architecture; elsewhere the folder of 32-bit libraries varies.
fn library_folders(root: &Root) -> Result<(&'static str, &'static str), String> {
    if root.exists("/etc/debian_version")? {
        return Ok(("/usr/lib/x86_64-linux-gnu", "/usr/lib/i386-linux-gnu"));
    }
    let plain = !root.exists("/usr/lib32")?
        && root.exists("/usr/lib")?
        && root.inner("/usr/lib")? != root.inner("/usr/lib64")?;
    Ok(("/usr/lib64", if plain { "/usr/lib" } else { "/usr/lib32" }))
}

fn default_ldconfig(root: &Root) -> Result<String, String> {
    let real = root.exists("/sbin/ldconfig.real")?;
    Ok(if real { "/sbin/ldconfig.real" } else { "/sbin/ldconfig" }.to_owned())
}

/// The user and group of the container's process, which own what is made in the container; `None` if no process is
/// looked at. A named process lives on the described machine, unless the topology says otherwise. If none is named, the
/// parent counts, and the container's own /proc must show it.
fn owner(setting: Setting<'_>, parsed: &Parsed, root: &Root, supervised: bool) -> Result<Option<(u32, u32)>, Stop> {
    let inside = if supervised { "" } else { root.name() };
    let path = format!("{inside}/proc/{}", parsed.pid);
    let gone = || failed(format!("stat failed: {path}: no such file or directory"));
    if setting.machine.nopid {
        return Err(gone());
    }
    if setting.look != Look::Everywhere {
        return Ok(None);
    }
    let status = if supervised {
        nix::sys::stat::stat(path.as_str()).ok()
    } else {
        let folder = root.proc_folder().ok_or_else(gone)?;
        nix::sys::stat::fstatat(folder.handle(), parsed.pid.to_string().as_str(), AtFlags::empty()).ok()
    };
    status.map(|status| Some((status.st_uid, status.st_gid))).ok_or_else(gone)
}

/// `lib*.so.*` in the image's folder for newer CUDA, with links followed, each file once.
fn compat_libs(root: &Root, flags: &Flags) -> Result<Vec<String>, String> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    if !flags.compute || flags.compat == CompatMode::Disabled {
        return Ok(found);
    }
    for name in root.list(COMPAT)? {
        if name.starts_with("lib") && name.contains(".so.") {
            let path = root.inner(&format!("{COMPAT}/{name}"))?;
            if seen.insert(path.clone()) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// The library folders of a root with these folders and links.
    fn folders_of(folders: &[&str], links: &[(&str, &str)]) -> (&'static str, &'static str) {
        let top = tempfile::tempdir().unwrap();
        folders.iter().for_each(|folder| fs::create_dir_all(top.path().join(folder)).unwrap());
        links.iter().for_each(|(name, target)| symlink(target, top.path().join(name)).unwrap());
        let name = top.path().to_str().unwrap();
        library_folders(&Root::open(name, name).unwrap()).unwrap()
    }

    #[test]
    fn narrow_libraries_go_to_lib_only_where_that_is_a_folder_of_its_own() {
        let beside = |narrow| ("/usr/lib64", narrow);
        assert_eq!(folders_of(&[], &[]), beside("/usr/lib32"));
        assert_eq!(folders_of(&["usr/lib"], &[]), beside("/usr/lib"));
        assert_eq!(folders_of(&["usr/lib", "usr/lib64"], &[]), beside("/usr/lib"));
        assert_eq!(folders_of(&["usr/lib", "usr/lib32"], &[]), beside("/usr/lib32"));
        assert_eq!(folders_of(&["usr/lib"], &[("usr/lib64", "lib")]), beside("/usr/lib32"));
    }

    #[test]
    fn newer_libraries_are_looked_for_where_compute_asks_for_them() {
        let top = tempfile::tempdir().unwrap();
        let compat = top.path().join(COMPAT.trim_start_matches('/'));
        fs::create_dir_all(&compat).unwrap();
        for file in ["libcuda.so.555.1", "libreadme", "notes.so.1"] {
            fs::write(compat.join(file), "").unwrap();
        }
        symlink("libcuda.so.555.1", compat.join("libcuda.so.1")).unwrap();
        let name = top.path().to_str().unwrap();
        let root = Root::open(name, name).unwrap();
        let found = |compute, compat| compat_libs(&root, &Flags { compute, compat, ..Flags::default() }).unwrap();
        assert_eq!(found(true, CompatMode::Mount), [format!("{COMPAT}/libcuda.so.555.1")]);
        assert_eq!(found(true, CompatMode::Disabled), [""; 0]);
        assert_eq!(found(false, CompatMode::Mount), [""; 0]);
    }
}
