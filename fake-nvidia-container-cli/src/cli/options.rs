//! The tables of options: one row per option, with the versions that know it. Help, parsing and the tests read them.

use super::Version;
use super::parsed::Command;
use crate::argp::{Arg, Opt};

/// Every option of every level, each named like its row below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Help,
    ProgramName,
    Usage,
    Hang,
    Version,
    Debug,
    LoadKmods,
    NoPivot,
    User,
    Root,
    Ldcache,
    NoCreateImexChannels,
    Csv,
    Device,
    Libraries,
    Binaries,
    Ipcs,
    Firmwares,
    Compat32,
    MigConfig,
    MigMonitor,
    ImexChannel,
    NoPersistenced,
    NoFabricmanager,
    NoGspFirmware,
    NoCntlibs,
    Pid,
    Require,
    Ldconfig,
    Compute,
    Utility,
    Video,
    Graphics,
    Display,
    Ngx,
    NoCgroups,
    NoDevbind,
    CudaCompatMode,
}

type Row = (Opt<Key>, Version, Version);

const FIRST: Version = Version::OLDEST;
const LAST: Version = Version::NEWEST;

const fn row(long: &'static str, short: u8, arg: Arg, key: Key, doc: &'static str) -> Row {
    ranged(long, short, arg, key, doc, (FIRST, LAST))
}

const fn ranged(long: &'static str, short: u8, arg: Arg, key: Key, doc: &'static str, in_: (Version, Version)) -> Row {
    (Opt { long, short: if short == 0 { None } else { Some(short) }, arg, key, doc }, in_.0, in_.1)
}

const SINCE_1_16_2: (Version, Version) = (Version(1, 16, 2), LAST);
const NO: Arg = Arg::No;
const ID: Arg = Arg::Required("ID");

/// The options that argp adds to every level, after the level's own.
const COMMON: [Row; 5] = [
    row("help", b'?', NO, Key::Help, "Print this text and exit"),
    row("program-name", 0, Arg::Required("NAME"), Key::ProgramName, ""),
    row("usage", 0, NO, Key::Usage, "Print the options in short and exit"),
    row("HANG", 0, Arg::Optional("SECS"), Key::Hang, ""),
    row("version", b'V', NO, Key::Version, "Print versions and exit"),
];

const GLOBAL: [Row; 7] = [
    row("debug", b'd', Arg::Required("FILE"), Key::Debug, "Append debug messages to FILE"),
    row("load-kmods", b'k', NO, Key::LoadKmods, "Load the kernel modules first (simulated)"),
    row("no-pivot", b'n', NO, Key::NoPivot, "Confine ldconfig without pivot_root"),
    row("user", b'u', Arg::Optional("UID[:GID]"), Key::User, "Talk to the driver as this user"),
    row("root", b'r', Arg::Required("PATH"), Key::Root, "Where the driver is installed"),
    row("ldcache", b'l', Arg::Required("FILE"), Key::Ldcache, "The linker cache that names the libraries"),
    ranged(
        "no-create-imex-channels",
        0,
        NO,
        Key::NoCreateImexChannels,
        "Make no IMEX channel nodes on the host",
        (Version(1, 17, 0), LAST),
    ),
];

const INFO: [Row; 1] = [row("csv", 0, NO, Key::Csv, "Print comma-separated values")];

const IMEX: Row = ranged(
    "imex-channel",
    0,
    Arg::Required("CHANNEL"),
    Key::ImexChannel,
    "IMEX channels, by number",
    (Version(1, 14, 6), LAST),
);
const MIG: [Row; 2] = [
    row("mig-config", 0, ID, Key::MigConfig, "Devices whose MIG layout may be changed"),
    row("mig-monitor", 0, ID, Key::MigMonitor, "Devices whose MIG use may be watched"),
];
const SKIPS: [Row; 3] = [
    ranged("no-persistenced", 0, NO, Key::NoPersistenced, "Leave the nvidia-persistenced socket out", SINCE_1_16_2),
    ranged("no-fabricmanager", 0, NO, Key::NoFabricmanager, "Leave the nv-fabricmanager socket out", SINCE_1_16_2),
    ranged("no-gsp-firmware", 0, NO, Key::NoGspFirmware, "Leave the GSP firmware out", SINCE_1_16_2),
];

const LIST: [Row; 13] = [
    row("device", b'd', ID, Key::Device, "Devices to list, by index, UUID or bus"),
    row("libraries", b'l', NO, Key::Libraries, "List libraries"),
    row("binaries", b'b', NO, Key::Binaries, "List binaries"),
    row("ipcs", b'i', NO, Key::Ipcs, "List sockets"),
    row("firmwares", b'f', NO, Key::Firmwares, "List firmware files"),
    row("compat32", 0, NO, Key::Compat32, "With --libraries: 32-bit ones too"),
    MIG[0],
    MIG[1],
    IMEX,
    SKIPS[0],
    SKIPS[1],
    SKIPS[2],
    ranged("no-cntlibs", 0, NO, Key::NoCntlibs, "Ignored here", (Version(1, 17, 4), Version(1, 17, 6))),
];

const CONFIGURE: [Row; 21] = [
    row("pid", b'p', Arg::Required("PID"), Key::Pid, "A process of the container"),
    row("device", b'd', ID, Key::Device, "Devices to give, by index, UUID or bus"),
    row("require", b'r', Arg::Required("EXPR"), Key::Require, "Refuse unless EXPR holds"),
    row("ldconfig", b'l', Arg::Required("PATH"), Key::Ldconfig, "The ldconfig to run; @PATH is the host's"),
    row("compute", b'c', NO, Key::Compute, "Give what CUDA needs"),
    row("utility", b'u', NO, Key::Utility, "Give nvidia-smi and its libraries"),
    row("video", b'v', NO, Key::Video, "Give the video codecs"),
    row("graphics", b'g', NO, Key::Graphics, "Give OpenGL and Vulkan"),
    row("display", b'D', NO, Key::Display, "Give what a display server needs"),
    row("ngx", b'n', NO, Key::Ngx, "Give NGX"),
    row("compat32", 0, NO, Key::Compat32, "Give 32-bit libraries too"),
    MIG[0],
    MIG[1],
    row("no-cgroups", 0, NO, Key::NoCgroups, "Leave the device cgroup alone"),
    row("no-devbind", 0, NO, Key::NoDevbind, "Mount no device nodes"),
    IMEX,
    SKIPS[0],
    SKIPS[1],
    SKIPS[2],
    ranged("no-cntlibs", 0, NO, Key::NoCntlibs, "Old word for --cuda-compat-mode=disabled", (Version(1, 17, 4), LAST)),
    ranged(
        "cuda-compat-mode",
        0,
        Arg::Required("MODE"),
        Key::CudaCompatMode,
        "mount, ldconfig or disabled",
        (Version(1, 17, 7), LAST),
    ),
];

/// The options of a level in a version; no command means the global ones.
pub(super) fn table(command: Option<Command>, version: Version) -> Vec<Opt<Key>> {
    let own: &[Row] = match command {
        None => &GLOBAL,
        Some(Command::Info) => &INFO,
        Some(Command::List) => &LIST,
        Some(Command::Configure) => &CONFIGURE,
    };
    let known = own.iter().chain(&COMMON).filter(|(_, since, until)| (*since..=*until).contains(&version));
    known.map(|(option, _, _)| *option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Option<Command>; 4] = [None, Some(Command::Info), Some(Command::List), Some(Command::Configure)];

    #[test]
    fn no_level_has_a_name_or_a_letter_twice() {
        for level in LEVELS {
            let options = table(level, LAST);
            for (i, a) in options.iter().enumerate() {
                for b in &options[i + 1..] {
                    assert_ne!(a.long, b.long, "{level:?}");
                    assert!(a.short.is_none() || a.short != b.short, "{level:?} -{:?}", a.short);
                }
            }
        }
    }

    #[test]
    fn each_version_knows_its_options() {
        let knows = |command, version: &str, name: &str| {
            table(command, version.parse().unwrap()).iter().any(|o| o.long == name)
        };
        let configure = Some(Command::Configure);
        let cases = [
            (None, "no-create-imex-channels", "1.16.2", "1.17.0"),
            (configure, "imex-channel", "1.14.5", "1.14.6"),
            (configure, "no-gsp-firmware", "1.16.1", "1.16.2"),
            (configure, "no-cntlibs", "1.17.3", "1.17.4"),
            (configure, "cuda-compat-mode", "1.17.6", "1.17.7"),
        ];
        for (command, name, before, since) in cases {
            assert!(!knows(command, before, name), "{name} {before}");
            assert!(knows(command, since, name) && knows(command, "1.20.0", name), "{name} {since}");
        }
        assert!(knows(Some(Command::List), "1.17.6", "no-cntlibs"));
        assert!(!knows(Some(Command::List), "1.17.7", "no-cntlibs"));
    }
}
