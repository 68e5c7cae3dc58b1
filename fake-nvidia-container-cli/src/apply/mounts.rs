//! Mounting for real: in the mount namespace of the container's process, and nowhere else.
//!
//! Differences to the real program, which has a driver to mount: the files are stand-ins, the device cgroup stays as it
//! is, and ldconfig is not run.

use super::elf;
use super::files::touch;
use super::standins::StandIns;
use crate::cli::Parsed;
use crate::outcome::Stop;
use crate::plan::{Action, Kind, Op, Plan};
use crate::simulate::Choice;
use crate::smi;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};
use nvidia_simulated_machine::text::{Text, path};
use nvidia_simulated_machine::topology::Topology;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const CLASS: &str = "mount error";

/// Enters the container, does what the plan says, and comes back.
pub fn mounts(plan: &Plan, machine: &Topology, choice: &Choice, parsed: &Parsed) -> Result<(), Stop> {
    let own = fs::read("/proc/self/exe").map_err(|why| Stop::Internal(format!("/proc/self/exe: {why}")))?;
    let home = Home::remember().map_err(|why| Stop::Internal(format!("own namespace: {why}")))?;
    let namespace = format!("/proc/{}/ns/mnt", parsed.pid);
    let lost =
        |what: &str, why: &str| Stop::error(CLASS, format!("{what} failed: {namespace}: {}", why.to_ascii_lowercase()));
    let container = File::open(&namespace).map_err(|why| lost("open", &system(&why)))?;
    setns(&container, CloneFlags::CLONE_NEWNS).map_err(|why| lost("namespace association", why.desc()))?;
    let done = inside(plan, machine, choice, &own);
    home.return_to().map_err(|why| Stop::Internal(format!("way back from the container: {why}")))?;
    done
}

/// The way back: a record is written where the caller is, not where the container is.
struct Home {
    namespace: File,
    folder: File,
}

impl Home {
    fn remember() -> io::Result<Self> {
        Ok(Self { namespace: File::open("/proc/self/ns/mnt")?, folder: File::open(".")? })
    }

    fn return_to(self) -> io::Result<()> {
        setns(&self.namespace, CloneFlags::CLONE_NEWNS)?;
        Ok(nix::unistd::fchdir(&self.folder)?)
    }
}

fn inside(plan: &Plan, machine: &Topology, choice: &Choice, own: &[u8]) -> Result<(), Stop> {
    let first = plan.recorded().into_iter().find_map(|op| match op {
        Op::Tmpfs { dst, .. } => Some(path(dst)),
        _ => None,
    });
    let Some(proc_driver) = first else { return Ok(()) };
    let base = proc_driver.parent().unwrap_or(Path::new("/")).to_path_buf();
    prepare(&base, &proc_driver).map_err(|why| failed(&base, &why))?;
    let mut standins =
        StandIns::new(base.join(smi::FOLDER), machine, choice, own).map_err(|why| failed(&base, &why))?;
    plan.actions.iter().try_for_each(|action| act(action, &mut standins))?;
    linker_names(plan).map_err(Stop::Internal)
}

/// The links that ldconfig would make: programs ask for `libcuda.so.1`.
fn linker_names(plan: &Plan) -> Result<(), String> {
    let mut links = Plan::default();
    for op in plan.recorded() {
        let Op::Bind { dst, kind: Kind::File | Kind::ContainerFile, .. } = op else { continue };
        let Some((folder, name)) = dst.rsplit_once('/').filter(|(_, name)| name.contains(".so.")) else { continue };
        let at = Text::from(format!("{folder}/{}", elf::soname(name)));
        links.action(Action::Link { at, to: name.to_owned() });
    }
    super::files(&links)
}

/// Without a driver the kernel has no /proc/driver/nvidia to mount on, and /proc takes no new folders: the folder above
/// becomes a memory file system, which also holds the stand-ins.
fn prepare(base: &Path, proc_driver: &Path) -> io::Result<()> {
    fs::create_dir_all(base)?;
    mount(Some("tmpfs"), base, Some("tmpfs"), MsFlags::MS_NOSUID, Some("mode=0555"))?;
    fs::create_dir_all(proc_driver)
}

fn act(action: &Action, standins: &mut StandIns<'_>) -> Result<(), Stop> {
    match action {
        Action::Op(Op::Tmpfs { dst, options, flags }) => {
            let dst = path(dst);
            let done = fs::create_dir_all(&dst)
                .and_then(|()| Ok(mount(Some("tmpfs"), &dst, Some("tmpfs"), bits(flags), Some(*options))?));
            done.map_err(|why| failed(&dst, &why))
        }
        Action::Op(Op::Bind { src, dst, flags, kind }) => {
            let dst = path(dst);
            bind(src, &dst, flags, kind, standins).map_err(|why| failed(&dst, &why))
        }
        Action::Op(_) => Ok(()),
        Action::Folder(_) | Action::Remove(_) | Action::Link { .. } | Action::File { .. } => {
            super::files(&Plan { actions: vec![action.clone()] }).map_err(Stop::Internal)
        }
    }
}

fn bind(src: &str, dst: &Path, flags: &[&str], kind: &Kind, standins: &mut StandIns<'_>) -> io::Result<()> {
    let source: PathBuf = if *kind == Kind::ContainerFile { path(src) } else { standins.make(src, kind)? };
    if source.is_dir() {
        fs::create_dir_all(dst)?
    } else {
        touch(dst)?
    }
    mount(Some(&source), dst, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | bits(flags);
    Ok(mount(None::<&str>, dst, None::<&str>, again, None::<&str>)?)
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

fn failed(at: &Path, why: &io::Error) -> Stop {
    let at = Text::new(std::os::unix::ffi::OsStrExt::as_bytes(at.as_os_str()));
    Stop::error(CLASS, format!("mount operation failed: {at}: {}", system(why).to_ascii_lowercase()))
}

/// The system's words for an error, without Rust's number behind them.
fn system(why: &io::Error) -> String {
    why.raw_os_error().map_or_else(|| why.to_string(), |code| nix::errno::Errno::from_raw(code).desc().to_owned())
}
