//! Mounting for real: in the mount namespace of the container's process, and nowhere else. A failure undoes everything
//! that was mounted and made.
//!
//! Differences from the real program, which has a driver to mount: the files are stand-ins, and /proc/driver is a tmpfs
//! that also holds them.

use super::cgroup::Devices;
use super::files::make;
use super::kernel::Kernel;
use super::ldconfig::Ldconfig;
use super::live::Live;
use super::namespace::Namespace;
use super::owner::as_owner;
use super::standins::StandIns;
use super::{creation, mounting};
use crate::cli::Parsed;
use crate::libraries::Sight;
use crate::outcome::Stop;
use crate::plan::{Action, Kind, Op, Plan};
use crate::rootfs::{Folder, Found, Ledger, Root, words};
use crate::simulate::{Choice, Container};
use nix::errno::Errno;
use nix::mount::MsFlags;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nvidia_simulated_machine::topology::Topology;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// The folder that becomes a tmpfs: without a driver the kernel has no /proc/driver/nvidia to mount on, and no folders
/// can be made in /proc.
const BASE: &str = "/proc/driver";

/// Enters the container, carries out the plan, and comes back; then runs ldconfig in it. `told` is what the container
/// was given, the text that tells the driver's libraries, and what the host shows from now on.
pub fn mounts(
    plan: &Plan,
    container: &Container,
    machine: &Topology,
    told: (&Choice, &str, &Live),
    parsed: &Parsed,
) -> Result<(), Stop> {
    allow_descriptors();
    let own = std::fs::read("/proc/self/exe").map_err(|why| Stop::Internal(format!("/proc/self/exe: {why}")))?;
    let kernel = Kernel::new().map_err(|why| Stop::Internal(format!("/proc/self/fd: {}", words(why))))?;
    let ldconfig = Ldconfig::of(plan)?;
    let devices = Devices::of(plan, Path::new("/proc"), parsed.pid);
    let namespace = Namespace::find(parsed, container)?;
    let mut site = Site { container, kernel, ledger: Ledger::default(), mounted: Vec::new() };
    let done = namespace.visit(|| site.build(plan, machine, told, &own)).and_then(|()| {
        devices.allow();
        match ldconfig {
            Some(ldconfig) if ldconfig.is_there(container)? => ldconfig.run(&namespace, container, parsed),
            // Nothing in the image makes the library names that programs ask for.
            _ => namespace.visit(|| site.linker_names(plan)),
        }
    });
    if done.is_err() {
        let _ = namespace.visit(|| {
            site.undo();
            Ok(())
        });
    }
    done
}

/// Each mount is held until the end, so that it can be undone. The ldconfig that runs later gets limits of its own.
fn allow_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// A container while it is worked on.
struct Site<'a> {
    container: &'a Container,
    kernel: Kernel,
    ledger: Ledger,
    mounted: Vec<OwnedFd>,
}

impl Site<'_> {
    fn build(&mut self, plan: &Plan, machine: &Topology, told: (&Choice, &str, &Live), own: &[u8]) -> Result<(), Stop> {
        let base = self.base()?;
        let (choice, text, live) = told;
        let failed = |why| mounting(BASE, why);
        let mut standins = StandIns::new(&base, machine, (choice, text), own).map_err(failed)?;
        let sight = Sight::of(machine, choice);
        live.attach(&self.kernel, standins.folder(), machine, &sight).map_err(failed)?;
        plan.actions.iter().try_for_each(|action| self.act(action, &mut standins))
    }

    /// The tmpfs at [`BASE`], with the driver's own folder in it.
    fn base(&mut self) -> Result<Folder, Stop> {
        let root = &self.container.root;
        let inner = root.inner(BASE).map_err(|why| Stop::error(super::CLASS, why))?;
        let full = root.resolve(BASE).map_err(|why| Stop::error(super::CLASS, why))?;
        let failed = |why| mounting(&full, why);
        let at = self.folder_at(root, &inner).map_err(|why| creation(&full, why))?;
        let flags = MsFlags::MS_NOSUID;
        let mounted = self.kernel.tmpfs((&at.0, &at.1), "mode=0555", flags).map_err(failed)?;
        let base = Folder::of(mounted.as_fd()).map_err(failed)?;
        self.mounted.push(mounted);
        let mut inside = Ledger::blank();
        base.make_folder("nvidia", 0o555, &mut inside).map_err(failed)?;
        Ok(base)
    }

    /// Makes the folder with a resolved name if it is missing. Returns the folder above it and its name there.
    fn folder_at(&mut self, root: &Root, inner: &str) -> Result<(Folder, String), Errno> {
        as_owner(self.container.owner, || {
            let (folder, name) = root.place(inner, Some(&mut self.ledger))?;
            folder.make_folder(&name, 0o755, &mut self.ledger)?;
            Ok((folder, name))
        })
    }

    fn act(&mut self, action: &Action, standins: &mut StandIns<'_>) -> Result<(), Stop> {
        match action {
            Action::Op(Op::Tmpfs { dst, options, flags }) => {
                let at = self.place(dst, &Kind::Folder)?;
                let mounted = self.kernel.tmpfs((&at.0, &at.1), options, bits(flags));
                self.mounted.push(mounted.map_err(|why| mounting(dst, why))?);
                Ok(())
            }
            Action::Op(Op::Bind { src, dst, flags, kind }) => {
                let source = self.source(src, kind, standins).map_err(|why| mounting(dst, why))?;
                let at = self.place(dst, kind)?;
                let mounted = self.kernel.bind(source.as_fd(), (&at.0, &at.1), bits(flags));
                self.mounted.push(mounted.map_err(|why| mounting(dst, why))?);
                Ok(())
            }
            Action::Op(_) => Ok(()),
            Action::Folder(_) | Action::Remove(_) | Action::Link { .. } | Action::File { .. } => {
                let mut done = Ok(());
                let (root, ledger) = (&self.container.root, &mut self.ledger);
                let switched = as_owner(self.container.owner, || {
                    done = make(action, root, ledger);
                    Ok(())
                });
                switched.map_err(|why| creation(self.container.root.name(), why))?;
                done
            }
        }
    }

    /// The mount point of an operation, made if it is missing.
    fn place(&mut self, dst: &str, kind: &Kind) -> Result<(Folder, String), Stop> {
        let root = &self.container.root;
        let inner = root.inside(dst).unwrap_or_default();
        let made = as_owner(self.container.owner, || {
            let (folder, name) = root.place(inner, Some(&mut self.ledger))?;
            // Anything that exists there is mounted on, except a link: a resolved name has none in it.
            if folder.look(&name)? == Found::Link {
                return Err(Errno::EEXIST);
            }
            if kind.is_folder() {
                folder.make_folder(&name, kind.mode(), &mut self.ledger)?;
            } else {
                folder.touch(&name, kind.mode(), &mut self.ledger)?;
            }
            Ok((folder, name))
        });
        made.map_err(|why| creation(dst, why))
    }

    /// The source of a mount: a stand-in, or one of the container's own files.
    fn source(&self, src: &str, kind: &Kind, standins: &mut StandIns<'_>) -> Result<OwnedFd, Errno> {
        if *kind != Kind::ContainerFile {
            return standins.make(src, kind);
        }
        let root = &self.container.root;
        let (folder, name) = root.place(root.inside(src).unwrap_or_default(), None)?;
        match folder.look(&name)? {
            Found::File { .. } => folder.pin(&name),
            Found::Nothing => Err(Errno::ENOENT),
            Found::Folder | Found::Link | Found::Other => Err(Errno::EINVAL),
        }
    }

    /// The links that ldconfig would make: programs ask for `libcuda.so.1`.
    fn linker_names(&mut self, plan: &Plan) -> Result<(), Stop> {
        for op in plan.recorded() {
            let Op::Bind { dst, kind: Kind::File | Kind::ContainerFile, .. } = op else { continue };
            let Some((folder, name)) = dst.rsplit_once('/').filter(|(_, name)| name.contains(".so.")) else { continue };
            let soname = nvidia_simulated_machine::driver_files::soname(name);
            if soname != name {
                let at = nvidia_simulated_machine::text::Text::from(format!("{folder}/{soname}"));
                let link = Action::Link { at, to: name.to_owned() };
                let mut done = Ok(());
                let (root, ledger) = (&self.container.root, &mut self.ledger);
                let switched = as_owner(self.container.owner, || {
                    done = make(&link, root, ledger);
                    Ok(())
                });
                switched.map_err(|why| creation(dst, why))?;
                done?;
            }
        }
        Ok(())
    }

    /// Undoes everything, last first.
    fn undo(&mut self) {
        for mounted in self.mounted.drain(..).rev() {
            self.kernel.unmount(mounted.as_fd());
        }
        self.ledger.undo();
    }
}

fn bits(flags: &[&str]) -> MsFlags {
    let bit = |flag: &&str| match *flag {
        "ro" => MsFlags::MS_RDONLY,
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        _ => MsFlags::empty(),
    };
    flags.iter().map(bit).fold(MsFlags::empty(), |all, one| all | one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_plan_are_those_of_the_kernel() {
        let all = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        assert_eq!(bits(&["ro", "nosuid", "nodev", "noexec"]), all);
        assert_eq!(bits(&["nodev"]), MsFlags::MS_NODEV);
        assert_eq!(bits(&["nodev", "nodev"]), MsFlags::MS_NODEV);
        assert_eq!(bits(&[]), MsFlags::empty());
    }
}
