//! The steps of the real program, in its order: which error wins follows from this file.
//!
//! It decides, and touches only what it must look at: the container's root.

mod container;
mod devices;
mod info;
mod list;
mod mounts;

pub use container::{Container, Flags};
pub use list::Listing;

use crate::cli::{Command, Parsed, Version};
use crate::driver::{self, Driver, Search};
use crate::failure::Pending;
use crate::outcome::Stop;
use crate::plan::{Op, Plan};
use crate::rootfs::{self, Root};
use nvidia_simulated_machine::requirement::{self, DeviceFacts, Facts, Verdict};
use nvidia_simulated_machine::select::{self, Selection};
use nvidia_simulated_machine::step::Step;
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::{Gpu, Topology};

/// The user for querying the driver if the command line names none: the kernel's overflow user.
const NOBODY: i64 = 65534;
/// The size of the real program's option buffers.
const OPTION_LIMIT: usize = 256;

/// What a run is based on.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The machine that the run is on.
    pub machine: &'a Topology,
    /// The version to imitate.
    pub version: Version,
    /// The caller's `$PATH`; without it, the driver's programs cannot be looked up.
    pub path: Option<&'a str>,
    /// The caller's `$CUDA_MPS_PIPE_DIRECTORY`.
    pub mps: Option<&'a str>,
    /// The failure that was asked for.
    pub pending: &'a Pending,
    /// The name in front of errors.
    pub program: &'a str,
    /// Which parts of the real machine are looked at.
    pub look: Look,
}

/// Which parts of the real machine a run looks at; the described machine provides the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing: ROOTFS is treated as an empty folder.
    Nowhere,
    /// ROOTFS and the driver root.
    Rootfs,
    /// The container's process and the host's ldconfig too.
    Everywhere,
}

/// What a run has produced so far; on an error, what there was before it.
#[derive(Debug, Default)]
pub struct Work {
    /// What is done to the machine.
    pub plan: Plan,
    /// The container that it is done to.
    pub container: Option<Container>,
}

impl Setting<'_> {
    /// Called when a step is reached: a failure that was asked for may be due, or the machine may fail.
    fn reach(&self, step: Step, class: &'static str) -> Result<(), Stop> {
        self.pending.at(step, self.program)?;
        match self.machine.fault_at(step) {
            Some(message) => Err(Stop::error(class, message)),
            None => Ok(()),
        }
    }
}

/// The result of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What goes to standard output.
    pub stdout: String,
    /// The devices that the container was given.
    pub choice: Choice,
}

/// Takes the steps of a command.
pub fn run(setting: Setting<'_>, parsed: &Parsed, work: &mut Work) -> Result<Answer, Stop> {
    capabilities(setting)?;
    let channels = imex(setting, parsed)?;
    init(setting, parsed, &channels, &mut work.plan)?;
    let machine = setting.machine;
    match parsed.command {
        Command::Info => {
            find_driver(setting, parsed)?;
            Ok(Answer { stdout: info::print(machine, parsed.csv_output), choice: Choice::default() })
        }
        Command::List => {
            let driver = find_driver(setting, parsed)?;
            let choice = choose(setting, parsed)?;
            let listing = Listing { machine, driver: &driver, choice: &choice, channels: &channels };
            Ok(Answer { stdout: list::print(&listing, parsed), choice })
        }
        Command::Configure => {
            let container = work.container.insert(container::setup(setting, parsed)?);
            let driver = find_driver(setting, parsed)?;
            let choice = choose(setting, parsed)?;
            require(setting, parsed, &choice.devices)?;
            mounts::all(setting, container, &driver, &choice, &channels, &mut work.plan)?;
            Ok(Answer { stdout: String::new(), choice })
        }
    }
}

/// The devices that were chosen, and those whose MIG layout may be changed or watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The devices of `--device`.
    pub devices: Selection,
    /// GPUs for `--mig-config`, by place.
    pub config: Vec<usize>,
    /// GPUs for `--mig-monitor`, by place.
    pub monitor: Vec<usize>,
    /// True if either option was `all`: then no part is given by itself.
    pub global: bool,
    /// True if `--device` was given.
    pub listed: bool,
}

fn capabilities(setting: Setting<'_>) -> Result<(), Stop> {
    setting.pending.at(Step::Caps, setting.program)?;
    match setting.machine.fault_at(Step::Caps) {
        Some("") => Err(Stop::error("permission error", "capability change failed: operation not permitted")),
        Some(message) => Err(Stop::error("permission error", message)),
        None => Ok(()),
    }
}

fn imex(setting: Setting<'_>, parsed: &Parsed) -> Result<Vec<u32>, Stop> {
    setting.reach(Step::Imex, "error parsing IMEX info")?;
    select::channels(parsed.imex_channels.as_deref().unwrap_or_default())
        .map_err(|item| Stop::error("error parsing IMEX info", format!("unsupported IMEX channel value: {item}")))
}

fn init(setting: Setting<'_>, parsed: &Parsed, channels: &[u32], plan: &mut Plan) -> Result<(), Stop> {
    const CLASS: &str = "initialization error";
    let empty = |value: &Option<Text>| value.as_deref().is_some_and(str::is_empty);
    if empty(&parsed.root) || empty(&parsed.ldcache) {
        return Err(Stop::error(CLASS, "invalid argument"));
    }
    let flags = option_words(parsed.init_flags.as_deref().unwrap_or_default());
    let flags = flags.map_err(|why| Stop::error(CLASS, why))?;
    let create_channels = !flags.contains(&"no-create-imex-channels");
    if flags.contains(&"load-kmods") {
        load_modules(setting.machine, if create_channels { channels } else { &[] }, plan);
    }
    let id = |id: i64| if id == -1 { NOBODY } else { id };
    let root = parsed.root.clone().unwrap_or_else(|| Text::from("/"));
    plan.op(Op::DriverInit { root, uid: id(parsed.uid), gid: id(parsed.gid) });
    if let Some(root) = parsed.root.as_deref().filter(|_| setting.look != Look::Nowhere) {
        driver::root::check(root).map_err(|why| Stop::error(CLASS, why))?;
    }
    setting.reach(Step::Init, CLASS)
}

/// The words of an option string; a string that is too long does not fit the real program's buffer.
fn option_words(words: &str) -> Result<Vec<&str>, &'static str> {
    if nvidia_simulated_machine::text::byte_len(words) >= OPTION_LIMIT {
        return Err("too many options");
    }
    Ok(words.split(' ').filter(|w| !w.is_empty()).collect())
}

/// Modules and nodes, as `--load-kmods` makes them on the host.
fn load_modules(machine: &Topology, channels: &[u32], plan: &mut Plan) {
    plan.op(Op::Modprobe { module: "nvidia_modprobe" });
    plan.op(Op::Mknod { what: "nvidia", minor: Some(255) });
    for (minor, _) in (0..).zip(&machine.gpus) {
        plan.op(Op::Mknod { what: "nvidia", minor: Some(minor) });
    }
    if machine.dev_caps() {
        for minor in existing_caps(machine) {
            plan.op(Op::Mknod { what: "nvidia-cap", minor: Some(minor) });
        }
    }
    for channel in channels {
        plan.op(Op::Mknod { what: "imex-channel", minor: Some(*channel) });
    }
    for (module, what) in [("uvm", "nvidia-uvm"), ("modeset", "nvidia-modeset")] {
        plan.op(Op::Modprobe { module });
        plan.op(Op::Mknod { what, minor: None });
    }
}

/// The capabilities that exist now: both global rights and those of existing parts, in the kernel's order. The real
/// program takes a GPU's minor number for its place, and so skips a GPU whose minor number is not below the number of
/// GPUs.
fn existing_caps(machine: &Topology) -> Vec<u32> {
    let counted = |gpu: &&Gpu| usize::try_from(gpu.minor).is_ok_and(|minor| minor < machine.gpus.len());
    let parts =
        machine.gpus.iter().filter(counted).flat_map(|g| g.mig.iter().flat_map(|m| driver::caps::accesses(g, m)));
    let mut minors: Vec<u32> = [driver::caps::CONFIG, driver::caps::MONITOR].into_iter().collect();
    minors.extend(parts.map(|a| a.minor));
    minors.sort_unstable();
    minors.dedup();
    minors
}

fn find_driver(setting: Setting<'_>, parsed: &Parsed) -> Result<Driver, Stop> {
    const CLASS: &str = "detection error";
    let words = option_words(parsed.driver_opts.as_deref().unwrap_or_default());
    let words = words.map_err(|why| Stop::error(CLASS, why))?;
    setting.reach(Step::DriverInfo, CLASS)?;
    linker_cache(parsed)?;
    let Some(path) = setting.path else {
        return Err(Stop::error(CLASS, "environment variable PATH not found"));
    };
    let driver = driver::find(
        setting.machine,
        Search {
            path,
            mps: setting.mps,
            persistenced: !words.contains(&"no-persistenced"),
            fabricmanager: !words.contains(&"no-fabricmanager"),
            firmware: !words.contains(&"no-gsp-firmware"),
            version: setting.version,
        },
    );
    limits(&setting.machine.gpus).map_err(|why| Stop::error(CLASS, why))?;
    setting.reach(Step::DeviceInfo, CLASS)?;
    Ok(driver)
}

/// The real program has room for this many devices, which it fills in the driver's order.
fn limits(gpus: &[Gpu]) -> Result<(), &'static str> {
    const GPUS: usize = 64;
    const PARTS: usize = 8;
    if gpus.iter().take(GPUS).any(|gpu| gpu.mig.len() > PARTS) {
        return Err("too many MIG devices");
    }
    if gpus.len() > GPUS { Err("too many devices") } else { Ok(()) }
}

/// The usual linker cache is the simulated machine's; any other that the command line names must be a linker cache.
fn linker_cache(parsed: &Parsed) -> Result<(), Stop> {
    const CLASS: &str = "detection error";
    const MAGIC: [&[u8]; 2] = [b"glibc-ld.so.cache1.1", b"ld.so-1.7.0"];
    let Some(asked) = parsed.ldcache.as_deref().filter(|path| *path != "/etc/ld.so.cache") else { return Ok(()) };
    let root = parsed.root.as_deref().unwrap_or("/");
    let path = Root::open(root, root).and_then(|root| root.resolve(asked)).map_err(|why| Stop::error(CLASS, why))?;
    let file = nvidia_simulated_machine::text::path(&path);
    match crate::settings::read_plain(&file) {
        // Neither a folder nor a FIFO can be mapped.
        Err(why) if file.is_dir() || why.raw_os_error().is_none() => {
            Err(Stop::error(CLASS, format!("file mapping failed: {path}: no such device")))
        }
        Ok(content) if content.is_empty() => {
            Err(Stop::error(CLASS, format!("file mapping failed: {path}: invalid argument")))
        }
        Ok(content) if MAGIC.iter().any(|magic| content.starts_with(magic)) => Ok(()),
        Ok(_) => Err(Stop::error(CLASS, format!("unsupported file format: {path}"))),
        Err(why) => {
            let why = nix::errno::Errno::from_raw(why.raw_os_error().unwrap_or_default());
            Err(Stop::error(CLASS, format!("open failed: {path}: {}", rootfs::words(why))))
        }
    }
}

/// `--device`, then `--mig-config`, then `--mig-monitor`. On a machine without GPUs, `--device` is ignored.
fn choose(setting: Setting<'_>, parsed: &Parsed) -> Result<Choice, Stop> {
    let gpus = &setting.machine.gpus;
    setting.reach(Step::Device, "device error")?;
    let devices = match parsed.devices.as_deref() {
        Some(list) if !gpus.is_empty() => select::devices(list, gpus)
            .map_err(|item| Stop::error("device error", format!("{item}: unknown device")))?,
        _ => Selection::default(),
    };
    setting.reach(Step::MigConfig, "mig-config error")?;
    let config = global_right(parsed.mig_config.as_deref(), "mig-config", "mig-config error", &devices)?;
    setting.reach(Step::MigMonitor, "mig-monitor error")?;
    let monitor = global_right(parsed.mig_monitor.as_deref(), "mig-monitor", "mig-monitor error", &devices)?;
    let capable = |wanted: bool| -> Vec<usize> {
        let is = |at: &&usize| wanted && gpus.get(**at).is_some_and(|g| g.mig_capable);
        devices.gpus.iter().filter(is).copied().collect()
    };
    Ok(Choice {
        config: capable(config),
        monitor: capable(monitor),
        global: config || monitor,
        listed: parsed.devices.is_some(),
        devices,
    })
}

fn global_right(list: Option<&str>, option: &str, class: &'static str, devices: &Selection) -> Result<bool, Stop> {
    let wanted = select::all_or_nothing(list.unwrap_or_default())
        .map_err(|item| Stop::error(class, format!("{item}: only 'all' devices are currently supported")))?;
    if wanted && !devices.migs.is_empty() && !devices.all {
        return Err(Stop::error(class, format!("all: cannot enable {option} with specific MIG devices selected")));
    }
    Ok(wanted)
}

/// Checks all requirements for each GPU, then again for the GPU of each part; without a device, once.
fn require(setting: Setting<'_>, parsed: &Parsed, devices: &Selection) -> Result<(), Stop> {
    setting.reach(Step::Requirement, "requirement error")?;
    let machine = setting.machine;
    let parents = devices.migs.iter().map(|(gpu, _)| gpu);
    let asked = devices.gpus.iter().chain(parents).filter_map(|at| machine.gpus.get(*at));
    let mut asked: Vec<Option<DeviceFacts<'_>>> =
        asked.map(|g| Some(DeviceFacts { arch: &g.arch, brand: &g.brand })).collect();
    if asked.is_empty() {
        asked.push(None);
    }
    for device in asked {
        let facts = Facts { cuda: &machine.cuda, driver: &machine.driver, device };
        for expression in &parsed.reqs {
            let detail = match requirement::evaluate(expression, facts) {
                Verdict::Satisfied => continue,
                Verdict::Unsatisfied => requirement::unsatisfied(expression),
                Verdict::Invalid => "invalid expression".to_owned(),
            };
            return Err(Stop::error("requirement error", detail));
        }
    }
    Ok(())
}
