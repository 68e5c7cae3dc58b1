//! What the command line said, as written: no list is split and no name is looked up yet.

use nvidia_simulated_machine::text::Text;
use serde::Serialize;

/// The word that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// `info`: the driver and the devices.
    Info,
    /// `list`: files and nodes.
    List,
    /// `configure`: give a container GPUs.
    Configure,
}

/// All options of a run; the options of other commands stay empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parsed {
    /// The word that says what to do.
    pub command: Command,
    /// The user of `--user`; -1 without it.
    pub uid: i64,
    /// The group of `--user`, or -1.
    pub gid: i64,
    /// `--root`: where the driver is.
    pub root: Option<Text>,
    /// `--ldcache`: the linker's cache to read.
    pub ldcache: Option<Text>,
    /// `--load-kmods`: load modules first.
    pub load_kmods: bool,
    /// `--no-pivot`: another way to confine ldconfig.
    pub no_pivot: bool,
    /// `--debug`: the file for messages.
    pub debug: Option<Text>,
    /// The words for the library's start.
    pub init_flags: Option<Text>,
    /// The words for the driver query.
    pub driver_opts: Option<Text>,
    /// The words for the container, `supervised` or `standalone` last.
    pub container_flags: Option<Text>,
    /// The container's process; 0 for commands that have none.
    pub pid: i32,
    /// The container's root, the one operand of `configure`.
    pub rootfs: Option<Text>,
    /// `--device` values joined by commas.
    pub devices: Option<Text>,
    /// `--mig-config` values joined by commas.
    pub mig_config: Option<Text>,
    /// `--mig-monitor` values joined by commas.
    pub mig_monitor: Option<Text>,
    /// `--imex-channel` values joined by commas.
    pub imex_channels: Option<Text>,
    /// `--require` values in order.
    pub reqs: Vec<Text>,
    /// `--ldconfig`: the program that makes the linker's cache.
    pub ldconfig: Option<Text>,
    /// `list --compat32`: 32-bit libraries too.
    pub compat32: bool,
    /// `list --libraries`: the driver's libraries.
    pub list_libs: bool,
    /// `list --binaries`: the driver's programs.
    pub list_bins: bool,
    /// `list --ipcs`: sockets and pipes.
    pub list_ipcs: bool,
    /// `list --firmwares`: the driver's firmware.
    pub list_firmwares: bool,
    /// `info --csv`: values with commas between them.
    pub csv_output: bool,
}

impl Parsed {
    /// A command without options.
    #[must_use]
    pub fn new(command: Command) -> Self {
        Self {
            command,
            uid: -1,
            gid: -1,
            root: None,
            ldcache: None,
            load_kmods: false,
            no_pivot: false,
            debug: None,
            init_flags: None,
            driver_opts: None,
            container_flags: None,
            pid: 0,
            rootfs: None,
            devices: None,
            mig_config: None,
            mig_monitor: None,
            imex_channels: None,
            reqs: Vec::new(),
            ldconfig: None,
            compat32: false,
            list_libs: false,
            list_bins: false,
            list_ipcs: false,
            list_firmwares: false,
            csv_output: false,
        }
    }
}
