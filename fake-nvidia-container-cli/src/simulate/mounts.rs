//! The plan of `configure`: what is mounted, allowed and run, in the real program's order. What belongs to single
//! devices is in `devices`.

use super::container::CompatMode;
use super::{Choice, Container, Look, Setting};
use crate::driver::{Driver, NVIDIA_MAJOR, Node, caps};
use crate::outcome::Stop;
use crate::plan::{Action, DEVICE, FILE, Kind, Op, Plan, SOCKET};
use crate::rootfs::{self, join};
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::Topology;
use std::cmp::Ordering;
use std::collections::BTreeSet;

pub(super) const CLASS: &str = "mount error";
pub(super) const PROC_DRIVER: &str = "/proc/driver/nvidia";
pub(super) const PROFILES: &str = "/etc/nvidia/nvidia-application-profiles-rc.d";

/// Builds the plan up to the first mount that fails.
pub(super) fn all(
    setting: Setting<'_>,
    container: &Container,
    driver: &Driver,
    choice: &Choice,
    channels: &[u32],
    plan: &mut Plan,
) -> Result<(), Stop> {
    setting.pending.at(Step::Mount, setting.program)?;
    let channel = |op: &Op| match op {
        Op::Mknod { what: "imex-channel", minor } => *minor,
        _ => None,
    };
    let made = plan.recorded().into_iter().filter_map(channel).collect();
    let mut mounts = Mounts { machine: setting.machine, container, plan, made, egl_mask: 0, fresh: Vec::new() };
    if let Err(stop) = mounts.driver(driver) {
        mounts.undo();
        return Err(stop);
    }
    for at in &choice.devices.gpus {
        mounts.gpu(*at)?;
    }
    if !choice.global {
        mounts.parts(&choice.devices.migs)?;
    }
    mounts.right(&choice.config, caps::CONFIG)?;
    mounts.right(&choice.monitor, caps::MONITOR)?;
    channels.iter().try_for_each(|channel| mounts.channel(*channel))?;
    setting.reach(Step::Ldcache, "ldcache error")?;
    host_ldconfig(setting.look, container)?;
    mounts.ldconfig();
    Ok(())
}

/// The host's ldconfig must exist. The described machine has both usual ones, so that a command line for Debian and one
/// for Fedora can be tried on any host. In the mode `mounts` this host counts, since its ldconfig will run.
fn host_ldconfig(look: Look, container: &Container) -> Result<(), Stop> {
    const USUAL: [&str; 4] = ["/sbin/ldconfig", "/sbin/ldconfig.real", "/usr/sbin/ldconfig", "/usr/sbin/ldconfig.real"];
    let (path, host) = (container.ldconfig.0.as_str(), container.ldconfig.1);
    if !host || look == Look::Nowhere || (look == Look::Rootfs && USUAL.contains(&path)) {
        return Ok(());
    }
    let file = nvidia_simulated_machine::text::path(path);
    match nix::unistd::access(&file, nix::unistd::AccessFlags::R_OK) {
        Ok(()) => Ok(()),
        Err(why) => Err(Stop::error("ldcache error", format!("open failed: {path}: {}", rootfs::words(why)))),
    }
}

pub(super) struct Mounts<'a> {
    pub(super) machine: &'a Topology,
    pub(super) container: &'a Container,
    pub(super) plan: &'a mut Plan,
    /// The IMEX channels whose nodes this run makes.
    pub(super) made: BTreeSet<u32>,
    /// The GPUs that a graphics program may see, by minor number.
    pub(super) egl_mask: u64,
    /// The names of the tmpfs mounts planned so far.
    pub(super) fresh: Vec<String>,
}

pub(super) fn failed(detail: String) -> Stop {
    Stop::error(CLASS, detail)
}

impl Mounts<'_> {
    /// Step 13: everything that belongs to the driver and to no GPU.
    fn driver(&mut self, driver: &Driver) -> Result<(), Stop> {
        self.proc_driver()?;
        if self.container.flags.graphics {
            self.tmpfs(PROFILES)?;
        }
        let flags = &self.container.flags;
        let bins = driver_files::BINS.iter().filter(|(_, capability)| flags.program(*capability));
        let bins: Vec<&str> = bins.map(|(name, _)| *name).collect();
        self.files("/usr/bin", &driver.bins, Kind::Program, |name| bins.contains(&name))?;
        let wanted = |name: &str| driver_files::library(name).is_some_and(|c| flags.library(c));
        self.files(self.container.libs_dir, &driver.libs, Kind::File, wanted)?;
        if flags.compat32 {
            self.files(self.container.libs32_dir, &driver.libs32, Kind::File, wanted)?;
        }
        self.links();
        if flags.compat == CompatMode::Mount {
            self.compat_libraries()?;
        }
        for firmware in &driver.firmwares {
            self.bind(&self.host(firmware), firmware, FILE, Kind::File)?;
        }
        driver.ipcs.iter().try_for_each(|ipc| self.ipc(ipc))?;
        driver.nodes.iter().try_for_each(|node| self.node(node))
    }

    /// The driver's folder under /proc: copies, so that the container cannot make the driver change device nodes.
    fn proc_driver(&mut self) -> Result<(), Stop> {
        self.tmpfs(PROC_DRIVER)?;
        let version = format!("NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}\n", self.machine.driver);
        let files = [
            ("params", "ModifyDeviceFiles: 0\nDeviceFileUID: 0\n".to_owned()),
            ("version", version),
            ("registry", "Binary: \"\"\n".to_owned()),
        ];
        for (name, content) in files {
            let at = self.place(&format!("{PROC_DRIVER}/{name}"))?;
            self.plan.action(Action::File { at, content, mode: 0o444 });
        }
        Ok(())
    }

    /// Mounts the wanted files into one folder; the folder appears even if no file is wanted.
    fn files(&mut self, folder: &str, files: &[String], kind: Kind, wanted: impl Fn(&str) -> bool) -> Result<(), Stop> {
        if files.is_empty() {
            return Ok(());
        }
        let place = self.place(folder)?;
        self.plan.action(Action::Folder(place));
        for path in files {
            let name = path.rsplit('/').next().unwrap_or_default();
            if wanted(name) {
                self.bind(&self.host(path), &format!("{folder}/{name}"), FILE, kind.clone())?;
            }
        }
        Ok(())
    }

    /// Links for the names that programs link against and that ldconfig would not make.
    fn links(&mut self) {
        let mut links = Vec::new();
        for op in self.plan.recorded() {
            let Op::Bind { dst, .. } = op else { continue };
            let Some((folder, name)) = dst.rsplit_once('/') else { continue };
            let (link, to) = if name.starts_with("libcuda.so") {
                ("libcuda.so", "libcuda.so.1".to_owned())
            } else if name.starts_with("libGLX_nvidia.so") {
                ("libGLX_indirect.so.0", name.to_owned())
            } else if name.starts_with("libnvidia-opticalflow.so") {
                ("libnvidia-opticalflow.so", "libnvidia-opticalflow.so.1".to_owned())
            } else {
                continue;
            };
            links.push(Action::Link { at: Text::from(format!("{folder}/{link}")), to });
        }
        links.into_iter().for_each(|link| self.plan.action(link));
    }

    /// The image's own CUDA libraries, unless they have the driver's major version.
    fn compat_libraries(&mut self) -> Result<(), Stop> {
        let folder = self.container.libs_dir;
        for path in &self.container.compat_libs {
            let name = path.rsplit('/').next().unwrap_or_default();
            let flags = &self.container.flags;
            let wanted = driver_files::library(name).is_some_and(|c| flags.library(c));
            if wanted && other_major(name, &self.machine.driver) {
                let src = join(self.container.root.name(), path);
                if !self.container.root.exists(path).map_err(failed)? {
                    return Err(failed(format!("lstat failed: {src}: no such file or directory")));
                }
                self.bind(&src, &format!("{folder}/{name}"), FILE, Kind::ContainerFile)?;
            }
        }
        Ok(())
    }

    /// Sockets of the driver's daemons belong to utility, pipes of CUDA's server to compute.
    fn ipc(&mut self, ipc: &str) -> Result<(), Stop> {
        let daemon = ["/run/nvidia-persistenced/socket", "/run/nvidia-fabricmanager/socket"].contains(&ipc);
        let flags = &self.container.flags;
        if if daemon { flags.utility } else { flags.compute } {
            let kind = if daemon { Kind::Socket } else { Kind::Folder };
            self.bind(&self.host(ipc), ipc, SOCKET, kind)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<(), Stop> {
        let flags = &self.container.flags;
        let skip = (!flags.compute && node.major != NVIDIA_MAJOR) || (!flags.display && node.minor == 254);
        if skip { Ok(()) } else { self.device(&node.path, node.major, node.minor) }
    }

    /// Step 19: the linker's cache, for the folders with libraries.
    fn ldconfig(&mut self) {
        let container = self.container;
        let newer = |path: &&String| newer_major(path.rsplit('/').next().unwrap_or_default(), &self.machine.driver);
        let compat =
            container.compat_libs.iter().find(newer).filter(|_| container.flags.compat == CompatMode::Ldconfig);
        self.plan.op(Op::Ldconfig {
            path: Text::from(container.ldconfig.0.clone()),
            host: container.ldconfig.1,
            compat_dir: compat.and_then(|p| p.rsplit_once('/')).map(|(folder, _)| Text::from(folder.to_owned())),
            libs_dir: Text::from(container.libs_dir),
            libs32_dir: Text::from(container.libs32_dir),
        });
    }

    /// A device node, unless nodes are left out, and its rule in the cgroup.
    pub(super) fn device(&mut self, path: &str, major: u32, minor: u32) -> Result<(), Stop> {
        self.device_node(path, major, minor)?;
        self.allow(major, minor);
        Ok(())
    }

    pub(super) fn device_node(&mut self, path: &str, major: u32, minor: u32) -> Result<(), Stop> {
        if self.container.flags.no_devbind {
            return Ok(());
        }
        self.bind(&self.host(path), path, DEVICE, Kind::Device { major, minor })
    }

    pub(super) fn allow(&mut self, major: u32, minor: u32) {
        if !self.container.flags.no_cgroups {
            self.plan.op(Op::CgroupAllow { major, minor });
        }
    }

    /// A failure in step 13 undoes the step's mounts; later failures leave them.
    fn undo(&mut self) {
        let mut undone = Vec::new();
        for action in self.plan.actions.iter().rev() {
            match action {
                Action::Op(Op::Tmpfs { dst, .. } | Op::Bind { dst, .. }) => undone.push(Action::Remove(dst.clone())),
                Action::File { at, mode, .. } => {
                    undone.push(Action::File { at: at.clone(), content: String::new(), mode: *mode });
                    undone.push(Action::Remove(at.clone()));
                }
                _ => {}
            }
        }
        self.plan.actions.append(&mut undone);
    }

    fn tmpfs(&mut self, path: &str) -> Result<(), Stop> {
        let dst = self.place(path)?;
        // The folder under /proc is the driver's own and is never made.
        self.refuse(&dst, (path != PROC_DRIVER).then(|| parent(&dst)))?;
        self.plan.op(Op::Tmpfs { dst, options: "mode=0555", flags: SOCKET });
        self.fresh.push(path.to_owned());
        Ok(())
    }

    /// The mount point for a name in the container. Inside a tmpfs that the plan mounts, a name does not mean what the
    /// image has there, so it is not looked up in the image.
    pub(super) fn place(&self, wanted: &str) -> Result<Text, Stop> {
        let root = &self.container.root;
        let below = |top: &&String| wanted.strip_prefix(top.as_str()).filter(|rest| rest.starts_with('/'));
        let resolved = match self.fresh.iter().find_map(|top| below(&top).map(|rest| (top, rest))) {
            Some((top, rest)) => root.resolve(top).map(|top| format!("{top}{rest}")),
            None => root.resolve(wanted),
        };
        resolved.map(Text::from).map_err(failed)
    }

    /// Bind-mounts a path of the host at a name in the container.
    pub(super) fn bind(
        &mut self,
        src: &str,
        wanted: &str,
        flags: &'static [&'static str],
        kind: Kind,
    ) -> Result<(), Stop> {
        let (src, dst) = (Text::from(src.to_owned()), self.place(wanted)?);
        // The mount point itself would be removed again, and an image's file must not be emptied for it.
        self.refuse(&dst, Some(parent(&dst)))?;
        self.plan.op(Op::Bind { src, dst, flags, kind });
        Ok(())
    }

    /// The machine can refuse one mount; the part of its mount point that stays was made before the refusal is known.
    fn refuse(&mut self, dst: &str, place: Option<Action>) -> Result<(), Stop> {
        match self.machine.fault_at(Step::Mount) {
            Some(path) if dst.ends_with(path) => {
                place.into_iter().for_each(|place| self.plan.action(place));
                Err(Stop::error(CLASS, format!("mount operation failed: {dst}: operation not permitted")))
            }
            _ => Ok(()),
        }
    }

    /// A path of the host below the driver root.
    pub(super) fn host(&self, path: &str) -> String {
        join(&self.container.driver_root, path)
    }
}

/// The folder above, which stays when the mount point of a refused mount is removed again.
fn parent(path: &str) -> Action {
    Action::Folder(Text::from(path.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned()))
}

/// How the driver's version compares to the digits after `.so.`: only as many of its characters count, as text.
fn against_major(file: &str, driver: &str) -> Option<Ordering> {
    let (_, version) = file.split_once(".so.")?;
    let digits = version.bytes().take_while(u8::is_ascii_digit);
    Some(driver.bytes().take(digits.clone().count()).cmp(digits))
}

/// True unless the file has the driver's major version.
fn other_major(file: &str, driver: &str) -> bool {
    against_major(file, driver) != Some(Ordering::Equal)
}

/// True if the file has a newer major version than the driver.
fn newer_major(file: &str, driver: &str) -> bool {
    matches!(against_major(file, driver), None | Some(Ordering::Less))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_compare_as_text() {
        let cases = [
            ("libcuda.so.555.42", Ordering::Less),
            ("libcuda.so.550.90", Ordering::Equal),
            ("libcuda.so.55", Ordering::Equal),
            ("libcuda.so.1000", Ordering::Greater),
            ("libcuda.so.6", Ordering::Less),
            ("libcuda.so.4", Ordering::Greater),
            ("libcuda.so.x", Ordering::Equal),
        ];
        for (file, expected) in cases {
            assert_eq!(against_major(file, "550.54.15"), Some(expected), "{file}");
            assert_eq!(newer_major(file, "550.54.15"), expected == Ordering::Less, "{file}");
        }
    }
}
