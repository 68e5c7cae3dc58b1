//! The kind of machine examined, as far as remedies depend on it: Windows or a container around it, a Tegra, a
//! distribution that installs drivers in its own way, the user namespace. From files alone. Must not know states.

use hook::invocation::Environ;
use hook::mode::platform::Platform;

use crate::driver::of_host;
use crate::inspect::Inspect;
use crate::tree::Tree;

/// Distributions whose drivers are installed in their own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// NixOS.
    NixOs,
    /// Flatcar Container Linux.
    Flatcar,
    /// Bottlerocket.
    Bottlerocket,
    /// Talos Linux.
    Talos,
    /// Container-Optimized OS.
    Cos,
    /// A system of images built by rpm-ostree or the like: Fedora CoreOS, RHEL CoreOS, Silverblue.
    Ostree,
    /// A musl system, for which there is no driver: Alpine.
    Musl,
    /// An appliance whose vendor supplies the driver, by its name: TrueNAS, Unraid.
    Appliance(&'static str),
    /// Any other.
    Usual,
}

/// What is around the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Nothing: hardware, or a virtual machine that looks like it.
    Nothing,
    /// Windows Subsystem for Linux, version 1.
    Wsl1,
    /// Windows Subsystem for Linux, version 2.
    Wsl2,
    /// A container of this kind.
    Container(&'static str),
}

/// The kind of machine.
#[derive(Debug)]
pub struct Surroundings {
    /// What is around it.
    pub around: Around,
    /// The distribution.
    pub distribution: Distribution,
    /// Whether it is a Tegra, by the rules of the hook's mode.
    pub platform: Platform,
    is_tegra_board: bool,
    has_gpus: bool,
    /// The release of the running kernel; empty if it cannot be read.
    pub release: String,
    /// Whether a kernel runs here; none does on a disk, or on a root without its /proc.
    pub is_running: bool,
    /// The user who examines the machine, if not root of the host.
    pub user: Option<String>,
    /// How many user ids are mapped in this user namespace, if it is not the host's.
    pub mapped_ids: Option<u64>,
    /// How many group ids, likewise.
    pub mapped_groups: Option<u64>,
}

impl Surroundings {
    /// Looks at a machine.
    #[must_use]
    pub fn of(host: &Tree) -> Self {
        let release = host.text("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
        let mapped_ids = self::mapped_ids(host, "/proc/self/uid_map");
        Surroundings {
            around: around(host, &release),
            distribution: distribution(host),
            // If detection fails, advise as for the usual machine; what a start says about it is for explain.
            platform: Platform::detect(host, Environ::default()).unwrap_or(Platform::NotTegra),
            is_tegra_board: is_tegra_board(host),
            has_gpus: !host.names("/proc/driver/nvidia/gpus").is_empty(),
            user: match mapped_ids {
                Some(_) => Some("a user namespace".to_owned()),
                None => real_user(host).filter(|user| *user != 0).map(|user| format!("user {user}")),
            },
            is_running: !release.is_empty() || of_host(host).is_some(),
            release,
            mapped_ids,
            mapped_groups: self::mapped_ids(host, "/proc/self/gid_map"),
        }
    }

    /// Whether the driver is the Windows driver.
    #[must_use]
    pub fn is_wsl(&self) -> bool {
        matches!(self.around, Around::Wsl1 | Around::Wsl2)
    }

    /// Whether the machine is a Tegra with an integrated GPU.
    #[must_use]
    pub fn is_integrated_tegra(&self) -> bool {
        matches!(self.platform, Platform::TegraWithoutNvml | Platform::Integrated | Platform::Nvgpu)
            || (self.is_tegra_board && !self.has_gpus)
    }

    /// In a few words, for the head of a report; `None` for the usual machine.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let around = match self.around {
            Around::Nothing => None,
            Around::Wsl1 => Some("WSL 1".to_owned()),
            Around::Wsl2 => Some("WSL 2".to_owned()),
            Around::Container(kind) => Some(format!("inside a container ({kind})")),
        };
        let distribution = match self.distribution {
            Distribution::NixOs => Some("NixOS"),
            Distribution::Flatcar => Some("Flatcar Container Linux"),
            Distribution::Bottlerocket => Some("Bottlerocket"),
            Distribution::Talos => Some("Talos Linux"),
            Distribution::Cos => Some("Container-Optimized OS"),
            Distribution::Ostree => Some("a system of ostree images"),
            Distribution::Musl => Some("a system of musl"),
            Distribution::Appliance(name) => Some(name),
            Distribution::Usual => None,
        };
        let tegra = self.is_integrated_tegra().then_some("Tegra (Jetson)");
        let user = self.user.as_ref().map(|user| format!("seen by {user}"));
        let words: Vec<String> = around
            .into_iter()
            .chain(distribution.map(str::to_owned))
            .chain(tegra.map(str::to_owned))
            .chain(user)
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

fn around(host: &Tree, release: &str) -> Around {
    let version = host.text("/proc/version").unwrap_or_default();
    let kernel = format!("{release} {version}").to_ascii_lowercase();
    if kernel.contains("microsoft") || host.has("/dev/dxg") {
        let second = host.has("/dev/dxg") || kernel.contains("wsl2") || kernel.contains("microsoft-standard");
        let old = kernel.trim_start().starts_with("4.4.") || kernel.contains("version 4.4.");
        return if second || !old { Around::Wsl2 } else { Around::Wsl1 };
    }
    container(host).map_or(Around::Nothing, Around::Container)
}

/// The kind of container that the machine itself is, as systemd and the engines record it in files.
fn container(host: &Tree) -> Option<&'static str> {
    const KINDS: [&str; 6] = ["lxc", "docker", "podman", "systemd-nspawn", "oci", "wsl"];
    let environment = host.bytes(std::path::Path::new("/proc/1/environ")).unwrap_or_default();
    let by_environment = environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"container="));
    let by_systemd = host.text("/run/systemd/container").unwrap_or_default();
    let word = by_environment.map_or(by_systemd, |value| String::from_utf8_lossy(value).into_owned());
    let named = KINDS.into_iter().find(|kind| word.trim().starts_with(kind));
    let cgroups = || host.text("/proc/1/cgroup").unwrap_or_default();
    match named {
        Some(kind) => Some(kind),
        // A virtual machine whose disk was made from a Docker image still has this file.
        None if host.has("/.dockerenv") && !has_own_disk(host) => Some("docker"),
        None if host.has("/run/.containerenv") => Some("podman"),
        None if host.has("/dev/.lxc") || host.has("/dev/lxd") || host.has("/dev/incus") => Some("lxc"),
        None if cgroups().contains("/lxc/") || cgroups().contains("/lxc.payload") => Some("lxc"),
        None => None,
    }
}

/// Whether the root file system is a whole block device: a container's is a layer, or a directory of another.
fn has_own_disk(host: &Tree) -> bool {
    let table = host.text("/proc/self/mountinfo").unwrap_or_default();
    table.lines().any(|line| {
        let (mount, source) = line.split_once(" - ").unwrap_or_default();
        let mut place = mount.split_whitespace().skip(3);
        (place.next(), place.next()) == (Some("/"), Some("/"))
            && source.split_whitespace().nth(1).is_some_and(|device| device.starts_with("/dev/"))
    })
}

fn distribution(host: &Tree) -> Distribution {
    let text = host.text("/etc/os-release").or_else(|| host.text("/usr/lib/os-release")).unwrap_or_default();
    let id = text.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or_default();
    match id.trim_matches(['"', '\'', ' ']) {
        "nixos" => Distribution::NixOs,
        "flatcar" | "coreos" => Distribution::Flatcar,
        "bottlerocket" => Distribution::Bottlerocket,
        "talos" => Distribution::Talos,
        "cos" => Distribution::Cos,
        "alpine" | "postmarketos" | "chimera" => Distribution::Musl,
        "unraid" => Distribution::Appliance("Unraid"),
        "rhcos" => Distribution::Ostree,
        // TrueNAS identifies itself as Debian.
        _ if host.has("/usr/bin/midclt") => Distribution::Appliance("TrueNAS"),
        _ if host.has("/run/ostree-booted") => Distribution::Ostree,
        _ if host.has("/run/current-system/sw") => Distribution::NixOs,
        _ => Distribution::Usual,
    }
}

/// Whether the board is a Tegra, by any sign that its software leaves; a start looks at fewer of them.
fn is_tegra_board(host: &Tree) -> bool {
    let begins = |path: &str, word: &str| {
        host.text(path).is_some_and(|text| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
    };
    let compatible = host.text("/proc/device-tree/compatible").unwrap_or_default();
    host.has("/etc/nv_tegra_release")
        || begins("/sys/devices/soc0/family", "tegra")
        || compatible.split('\0').any(|name| name.starts_with("nvidia,tegra"))
}

/// How many ids this namespace's map has, if it is not the initial namespace.
fn mapped_ids(host: &Tree, file: &str) -> Option<u64> {
    let map = host.text(file)?;
    let mut words = map.split_whitespace();
    if map.trim().is_empty() || map.split_whitespace().eq(["0", "0", "4294967295"]) {
        return None;
    }
    let mut count = 0_u64;
    while let (Some(_), Some(_), Some(length)) = (words.next(), words.next(), words.next()) {
        count = count.saturating_add(length.parse().unwrap_or(0));
    }
    Some(count)
}

/// The real user id of the process that makes the report.
fn real_user(host: &Tree) -> Option<u32> {
    let status = host.text("/proc/self/status")?;
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.parse().ok()
}
