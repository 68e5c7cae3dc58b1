//! The named failures: the texts that users meet, with their meaning and remedy. One row a failure; the verb `failures`
//! and the table in docs/fake-cli.md come from here.

use nvidia_simulated_machine::step::Step;

/// A failure with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// The step at which it is due.
    pub step: Step,
    /// The exit code of a run that ends so.
    pub exit: i32,
    /// The text: `{PROGRAM}` is the program's name, `{FOR}` what `for=` says, `{ROOTFS}` the container's root, `{TRY}`
    /// the line that follows option errors.
    pub text: &'static str,
    /// What `{FOR}` is when nothing is said.
    pub example: &'static str,
    /// What it means to who meets it.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Named {
    /// The text with its argument filled in.
    #[must_use]
    pub fn text(&self, argument: Option<&str>) -> String {
        format!("{}\n", self.text.replace("{FOR}", argument.unwrap_or(self.example)))
    }
}

/// The failure of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Named> {
    NAMED.iter().find(|n| n.name == name)
}

const fn row(
    name: &'static str,
    (step, exit): (Step, i32),
    (text, example): (&'static str, &'static str),
    (meaning, remedy): (&'static str, &'static str),
) -> Named {
    Named { name, step, exit, text, example, meaning, remedy }
}

/// All failures with a name.
pub const NAMED: &[Named] = &[
    row(
        "driver-missing",
        (Step::Init, 1),
        (
            "{PROGRAM}: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory",
            "",
        ),
        ("No driver libraries below the driver root", "Install the driver, or point `root` at where it is"),
    ),
    row(
        "driver-not-loaded",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: nvml error: driver not loaded", ""),
        ("The kernel module is not loaded", "modprobe nvidia; look at secure boot and the kernel log"),
    ),
    row(
        "version-mismatch",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: nvml error: driver/library version mismatch", ""),
        ("The driver was upgraded while the old module is loaded", "Reboot, or unload and reload the module"),
    ),
    row(
        "insufficient-permissions",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: nvml error: insufficient permissions", ""),
        (
            "The device nodes are not open to the user that asks",
            "Set `user = \"root:video\"`, or the modes of /dev/nvidia*",
        ),
    ),
    row(
        "rpc-timeout",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: driver rpc error: timed out", ""),
        (
            "The driver took more than ten seconds to answer",
            "Run nvidia-persistenced; many GPUs start slowly without it",
        ),
    ),
    row(
        "rpc-failed",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: driver rpc error: failed to process request", ""),
        ("The process that asks the driver died", "Run nvidia-persistenced; look at the kernel log"),
    ),
    row(
        "nvcgo-timeout",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: nvcgo rpc error: timed out", ""),
        (
            "The helper for cgroups did not start in ten seconds",
            "Start fewer containers at once; the machine is under load",
        ),
    ),
    row(
        "root-missing",
        (Step::Init, 1),
        ("{PROGRAM}: initialization error: change root failed: no such file or directory", ""),
        ("The driver root does not exist, or not yet", "Wait for the driver container, or correct `root`"),
    ),
    row(
        "imex-all",
        (Step::Imex, 1),
        ("{PROGRAM}: error parsing IMEX info: unsupported IMEX channel value: {FOR}", "all"),
        ("The hook asks for a channel that is not a number", "Upgrade the hook: 1.17.0 asked for `all` by itself"),
    ),
    row(
        "capability-denied",
        (Step::Caps, 1),
        ("{PROGRAM}: permission error: capability change failed: operation not permitted", ""),
        (
            "The process may not have the capabilities that it needs",
            "Run as root; in a user namespace leave `user` out",
        ),
    ),
    row(
        "cgroup-not-found",
        (Step::Container, 1),
        ("{PROGRAM}: container error: cgroup subsystem devices not found", ""),
        ("The CLI is older than cgroup v2", "Upgrade it, or set `no-cgroups = true`"),
    ),
    row(
        "pid-gone",
        (Step::Container, 1),
        ("{PROGRAM}: container error: stat failed: /proc/{FOR}: no such file or directory", "4321"),
        ("The container's process is gone", "Look at why it died before its hooks ran"),
    ),
    row(
        "bad-compat-mode",
        (Step::Container, 1),
        ("{PROGRAM}: container error: invalid option: cuda-compat-mode={FOR}", "hook"),
        ("The CLI does not know this mode", "Use mount, ldconfig or disabled"),
    ),
    row(
        "unknown-error",
        (Step::DriverInfo, 1),
        ("{PROGRAM}: detection error: nvml error: unknown error", ""),
        ("One GPU is sick", "Look at the kernel log for Xid lines"),
    ),
    row(
        "requires-reset",
        (Step::DeviceInfo, 1),
        ("{PROGRAM}: detection error: nvml error: gpu requires reset", ""),
        ("One GPU has to be reset", "nvidia-smi --gpu-reset, or reboot"),
    ),
    row(
        "gpu-lost",
        (Step::DeviceInfo, 1),
        ("{PROGRAM}: detection error: nvml error: gpu is lost", ""),
        ("A GPU fell off the bus", "Reboot; check power and the slot"),
    ),
    row(
        "ldcache-missing",
        (Step::DriverInfo, 1),
        ("{PROGRAM}: detection error: open failed: {FOR}: no such file or directory", "/etc/ld.so.cache"),
        ("The linker cache does not exist", "Run ldconfig, or correct `ldcache`"),
    ),
    row(
        "unknown-device",
        (Step::Device, 1),
        ("{PROGRAM}: device error: {FOR}: unknown device", "9"),
        ("No GPU has this index, UUID or bus", "nvidia-smi -L lists the names; a UUID may be of another node"),
    ),
    row(
        "mig-config-denied",
        (Step::MigConfig, 1),
        ("{PROGRAM}: mig-config error: all: cannot enable mig-config with specific MIG devices selected", ""),
        (
            "Layout rights and single MIG devices exclude each other",
            "Ask for whole GPUs, or leave NVIDIA_MIG_CONFIG_DEVICES out",
        ),
    ),
    row(
        "unsatisfied-cuda",
        (Step::Requirement, 1),
        (
            "{PROGRAM}: requirement error: unsatisfied condition: {FOR}, please update your driver to a newer version, or use an earlier cuda container",
            "cuda>=12.6",
        ),
        ("The image needs a newer driver", "Upgrade the driver, use an older image, or NVIDIA_DISABLE_REQUIRE=1"),
    ),
    row(
        "invalid-expression",
        (Step::Requirement, 1),
        ("{PROGRAM}: requirement error: invalid expression", ""),
        (
            "The requirement is newer than the CLI, or misspelled",
            "Upgrade the CLI; see `fake-nvidia-container-cli require`",
        ),
    ),
    row(
        "mount-denied",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: mount operation failed: {FOR}: operation not permitted",
            "{ROOTFS}/proc/driver/nvidia",
        ),
        ("The kernel refuses a mount", "Nested or rootless containers need more rights than this"),
    ),
    row(
        "modeset-missing",
        (Step::Mount, 1),
        ("{PROGRAM}: mount error: stat failed: /dev/nvidia-modeset: no such file or directory", ""),
        ("The node of the display driver does not exist", "nvidia-modprobe -m, or leave the capability `display` out"),
    ),
    row(
        "file-exists",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: file exists",
            "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
        ),
        ("The image contains driver files", "Build the image without them"),
    ),
    row(
        "persistenced-stale",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: file creation failed: {ROOTFS}/run/nvidia-persistenced/socket: no such device or address",
            "",
        ),
        ("The container already has the host's /run", "Do not mount /run, or leave the socket out"),
    ),
    row(
        "persistenced-denied",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: mount operation failed: {ROOTFS}/run/nvidia-persistenced/socket: operation not permitted",
            "",
        ),
        ("The socket cannot be mounted here", "Run rootless with no-persistenced, or as root"),
    ),
    row(
        "cgroup-denied",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: open failed: {FOR}: permission denied",
            "/sys/fs/cgroup/devices/user.slice/devices.allow",
        ),
        ("The device cgroup (v1) may not be changed", "Rootless: set `no-cgroups = true`"),
    ),
    row(
        "cgroup-rules",
        (Step::Mount, 1),
        (
            "{PROGRAM}: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted",
            "",
        ),
        ("The device cgroup (v2) may not be changed", "Rootless or nested: set `no-cgroups = true`"),
    ),
    row(
        "namespace-denied",
        (Step::Mount, 1),
        ("{PROGRAM}: mount error: namespace association failed: /proc/{FOR}/ns/mnt: operation not permitted", "4321"),
        ("The container's mount namespace may not be entered", "Hook and container must share a user namespace"),
    ),
    row(
        "ldconfig-1",
        (Step::Ldcache, 1),
        ("{PROGRAM}: ldcache error: process {FOR} failed with error code: 1", "/sbin/ldconfig.real"),
        ("ldconfig failed in the container", "Is the path the host's, with @? Is the root read-only?"),
    ),
    row(
        "ldconfig-127",
        (Step::Ldcache, 1),
        ("{PROGRAM}: ldcache error: process {FOR} failed with error code: 127", "/sbin/ldconfig.real"),
        ("ldconfig could not start in the container", "The image has another libc; use the host's, with @"),
    ),
    row(
        "ldconfig-killed",
        (Step::Ldcache, 1),
        ("{PROGRAM}: ldcache error: process {FOR} terminated with signal 9", "/sbin/ldconfig.real"),
        ("ldconfig was killed", "Look for the memory limit"),
    ),
    row(
        "ldconfig-missing",
        (Step::Ldcache, 1),
        ("{PROGRAM}: ldcache error: open failed: {FOR}: no such file or directory", "/sbin/ldconfig.real"),
        ("The host has no such ldconfig", "Debian and Ubuntu: @/sbin/ldconfig.real; elsewhere @/sbin/ldconfig"),
    ),
    row(
        "unrecognized-option",
        (Step::Start, 1),
        ("{PROGRAM} configure: unrecognized option '{FOR}'\n{TRY}", "--cuda-compat-mode=disabled"),
        ("The hook is newer than the CLI", "Install both from one release"),
    ),
    row(
        "library-missing",
        (Step::Start, 127),
        (
            "/usr/bin/nvidia-container-cli: error while loading shared libraries: {FOR}: cannot open shared object file: No such file or directory",
            "libnvidia-container.so.1",
        ),
        ("The CLI is installed without its library", "Install libnvidia-container1 of the same version"),
    ),
    row(
        "real-prefix",
        (Step::Init, 1),
        ("nvidia-container-cli.real: initialization error: nvml error: driver not loaded", ""),
        ("A wrapper script calls the CLI under another name", "Nothing: expect this prefix too"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_named_once_and_explained() {
        for (at, named) in NAMED.iter().enumerate() {
            assert!(NAMED[at + 1..].iter().all(|other| other.name != named.name), "{}", named.name);
            assert!(!named.meaning.is_empty() && !named.remedy.is_empty(), "{}", named.name);
            assert_eq!(named.text.contains("{FOR}"), !named.example.is_empty(), "{}", named.name);
        }
    }
}
