//! What the library would find on the machine: the files that really belong to this driver, and its device nodes.
//!
//! It asks the topology and two variables, nothing else.

pub mod caps;
pub mod proc;
pub mod root;

use crate::cli::Version;
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::topology::Topology;

/// The major number of GPU nodes.
pub const NVIDIA_MAJOR: u32 = 195;
/// The major number of uvm nodes.
pub const UVM_MAJOR: u32 = 510;
/// The major number of MIG capability nodes.
pub const CAPS_MAJOR: u32 = 511;
/// The major number of IMEX channel nodes.
pub const IMEX_MAJOR: u32 = 512;

/// A node of the driver itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path below the driver root.
    pub path: String,
    /// Its major number, which identifies the driver.
    pub major: u32,
    /// Its minor number, which identifies the device.
    pub minor: u32,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Driver {
    /// Programs, each in the first folder of `$PATH` that has it.
    pub bins: Vec<String>,
    /// 64-bit libraries, one for each row of the table.
    pub libs: Vec<String>,
    /// 32-bit libraries, likewise.
    pub libs32: Vec<String>,
    /// Sockets of daemons, and the folder of CUDA's server.
    pub ipcs: Vec<String>,
    /// Files of GSP firmware.
    pub firmwares: Vec<String>,
    /// Nodes: control, uvm, modeset.
    pub nodes: Vec<Node>,
}

/// What narrows the search.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The caller's `$PATH`.
    pub path: &'a str,
    /// The caller's `$CUDA_MPS_PIPE_DIRECTORY`, if set.
    pub mps: Option<&'a str>,
    /// Whether to look for the nvidia-persistenced socket.
    pub persistenced: bool,
    /// Whether to look for the nv-fabricmanager socket.
    pub fabricmanager: bool,
    /// Whether to look for firmware.
    pub firmware: bool,
    /// The version whose table of libraries applies.
    pub version: Version,
}

/// What the library finds on the machine within these limits.
#[must_use]
pub fn find(machine: &Topology, search: Search<'_>) -> Driver {
    let host = &machine.host;
    let libs = |cache: &[String]| libraries(cache, &machine.driver, search.version);
    Driver {
        bins: driver_files::bins().filter_map(|name| in_path(name, search.path, &host.bins)).collect(),
        libs: libs(&host.libs64),
        libs32: libs(&host.libs32),
        ipcs: ipcs(&host.ipcs, search),
        firmwares: if search.firmware { host.firmwares.clone() } else { Vec::new() },
        nodes: nodes(&host.devs),
    }
}

/// The first folder of `$PATH` that has the program. /bin and /sbin are links to folders below /usr.
fn in_path(name: &str, path: &str, bins: &[String]) -> Option<String> {
    let folders = path.split(':').map(|folder| folder.trim_end_matches('/'));
    let candidates = folders.flat_map(|folder| {
        let merged = matches!(folder, "/bin" | "/sbin").then(|| format!("/usr{folder}/{name}"));
        [Some(format!("{folder}/{name}")), merged].into_iter().flatten()
    });
    candidates.into_iter().find(|candidate| bins.contains(candidate))
}

/// One file for each row of the table: the last one in the cache whose name ends in the driver's version.
fn libraries(cache: &[String], driver: &str, version: Version) -> Vec<String> {
    let known = |name: &str| name != driver_files::TILEIRAS || version >= Version(1, 19, 0);
    let rows = driver_files::LIBS.iter().filter(|library| known(library.name));
    rows.filter_map(|library| {
        let stem = format!("{}.so", library.name);
        let file = |path: &&String| {
            let base = path.rsplit('/').next().unwrap_or_default();
            base.starts_with(&stem) && base.ends_with(driver)
        };
        cache.iter().rfind(file).cloned()
    })
    .collect()
}

fn ipcs(present: &[String], search: Search<'_>) -> Vec<String> {
    let mut wanted = Vec::new();
    if search.persistenced {
        wanted.push("/run/nvidia-persistenced/socket");
    }
    if search.fabricmanager {
        wanted.push("/run/nvidia-fabricmanager/socket");
    }
    wanted.push(search.mps.unwrap_or("/tmp/nvidia-mps"));
    // A folder above a socket exists too, and /var/run is a link to /run.
    let plain = |path: &str| path.strip_prefix("/var/run/").map_or_else(|| path.to_owned(), |r| format!("/run/{r}"));
    let exists = |path: &str| present.iter().any(|p| plain(p) == path || plain(p).starts_with(&format!("{path}/")));
    let named = wanted.into_iter().map(|path| plain(path.trim_end_matches('/'))).filter(|path| !path.is_empty());
    named.filter(|path| exists(path)).collect()
}

/// The nodes of the driver itself; those of the uvm driver only if present.
#[must_use]
pub fn nodes(present: &[String]) -> Vec<Node> {
    let all = [
        ("/dev/nvidiactl", NVIDIA_MAJOR, 255),
        ("/dev/nvidia-uvm", UVM_MAJOR, 0),
        ("/dev/nvidia-uvm-tools", UVM_MAJOR, 1),
        ("/dev/nvidia-modeset", NVIDIA_MAJOR, 254),
    ];
    let there = |path: &str, major: u32| major == NVIDIA_MAJOR || present.iter().any(|p| p == path);
    all.into_iter()
        .filter(|(path, major, _)| there(path, *major))
        .map(|(path, major, minor)| Node { path: path.to_owned(), major, minor })
        .collect()
}
