//! The only table of configuration keys: name, type, default, allowed values, reader, meaning. The parser, `check`, the
//! default file and docs/configuration.md are derived from it. To add a key, add a row and use it. Must not know how a
//! file is parsed or what a key leads to.

/// The type of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// A list of strings.
    List,
}

impl Kind {
    /// The type's name, with article, as messages use it.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Bool => "a boolean",
            Kind::Text => "a string",
            Kind::List => "a list of strings",
        }
    }
}

/// The program that reads a key. All programs share the file, so a wrong type in any known key is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// This hook, as the published one does.
    Hook,
    /// This hook only; the published one does not know the key.
    HookOnly,
    /// `nvidia-container-runtime` or `nvidia-ctk`.
    Others,
}

/// The value that a key has when the file does not set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(&'static str),
    /// A list of strings.
    List(&'static [&'static str]),
}

/// What is known about a key.
#[derive(Debug)]
pub struct Row {
    /// The dotted name, as it would be written at the top of the file.
    pub name: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// The value if the file does not set the key.
    pub default: DefaultValue,
    /// The values that have a meaning; empty if every value has one.
    pub allowed: &'static [&'static str],
    /// The program that reads it.
    pub reader: Reader,
    /// What it does, in sentences.
    pub doc: &'static str,
}

// A name is given in two parts: its table with the dot, and its last part.
macro_rules! keys {
    ($($id:ident $section:literal $part:literal $reader:ident $kind:ident($default:expr) $([$($allowed:literal),+])?
        $doc:literal)+) => {
        /// A key of the configuration file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Key {
            $(#[doc = $doc] $id,)+
        }

        /// Every key, in the order of the enumeration.
        pub const ROWS: &[Row] = &[
            $(Row {
                name: concat!($section, $part),
                kind: Kind::$kind,
                default: DefaultValue::$kind($default),
                allowed: &[$($($allowed),+)?],
                reader: Reader::$reader,
                doc: $doc,
            },)+
        ];

        impl Key {
            /// Every key, in the order of [`ROWS`].
            pub const ALL: &[Key] = &[$(Key::$id,)+];

            /// The key with a dotted name.
            #[must_use]
            pub fn named(name: &str) -> Option<Key> {
                // The last part is compared first: names begin alike, and comparing equal beginnings takes time.
                let (section, part) = name.split_at_checked(name.rfind('.').map_or(0, |dot| dot + 1))?;
                match (part, section) {
                    $(($part, $section) => Some(Key::$id),)+
                    _ => None,
                }
            }
        }
    };
}

keys! {
    DisableRequire "" "disable-require" Hook Bool(false)
        "No requirement of the image (`NVIDIA_REQUIRE_*`) is checked."
    SwarmResource "" "swarm-resource" Hook Text("")
        "Names of variables, separated by commas. Those that the container has set replace `NVIDIA_VISIBLE_DEVICES`; the values of all set ones are joined."
    AcceptEnvvarUnprivileged "" "accept-nvidia-visible-devices-envvar-when-unprivileged" Hook Bool(true)
        "When false, devices requested by environment variable are given to privileged containers only."
    AcceptVolumeMounts "" "accept-nvidia-visible-devices-as-volume-mounts" Hook Bool(false)
        "Devices requested by mounts of `/dev/null` below `/var/run/nvidia-container-devices` are accepted, and come first."
    SupportedDriverCapabilities "" "supported-driver-capabilities" Hook Text("compat32,compute,display,graphics,ngx,utility,video")
        "The driver capabilities that containers may ask for: `all`, or a comma list out of compute, compat32, graphics, utility, video, display, ngx."
    CliRoot "nvidia-container-cli." "root" Hook Text("")
        "The driver's root directory, passed as `--root`, and searched first for the program."
    CliPath "nvidia-container-cli." "path" Hook Text("")
        "The absolute path of `nvidia-container-cli`. Empty: it is searched."
    CliEnvironment "nvidia-container-cli." "environment" Hook List(&[])
        "Variables, `NAME=VALUE`, that are set in the environment of `nvidia-container-cli`."
    CliDebug "nvidia-container-cli." "debug" Hook Text("")
        "The file to which `nvidia-container-cli` writes its log (`--debug`)."
    CliLdcache "nvidia-container-cli." "ldcache" Hook Text("")
        "The linker's cache file in which the driver's libraries are looked up (`--ldcache`)."
    CliLoadKmods "nvidia-container-cli." "load-kmods" Hook Bool(true)
        "Load the driver's kernel modules and make its device nodes first (`--load-kmods`)."
    CliNoPivot "nvidia-container-cli." "no-pivot" Hook Bool(false)
        "Confine ldconfig without pivot_root (`--no-pivot`)."
    CliNoCgroups "nvidia-container-cli." "no-cgroups" Hook Bool(false)
        "Leave the container's device cgroup alone (`--no-cgroups`); the engine must allow the devices then."
    CliUser "nvidia-container-cli." "user" Hook Text("")
        "The user and group, `USER[:GROUP]`, that query the driver (`--user`). Unset on SUSE and openSUSE: `root:video`."
    CliLdconfig "nvidia-container-cli." "ldconfig" Hook Text("@/sbin/ldconfig")
        "The ldconfig that is run for the container; `@` says that the path is one of the host. `PATH.real` is used instead where it exists."
    RuntimeDebug "nvidia-container-runtime." "debug" Others Text("/dev/null")
        "The log file of `nvidia-container-runtime`."
    RuntimeLogLevel "nvidia-container-runtime." "log-level" Others Text("info")
        "The log level of `nvidia-container-runtime`."
    RuntimeRuntimes "nvidia-container-runtime." "runtimes" Others List(&["runc", "crun"])
        "The low-level runtimes that `nvidia-container-runtime` looks for."
    RuntimeMode "nvidia-container-runtime." "mode" Hook Text("auto") ["auto", "legacy", "cdi", "csv", "jit-cdi"]
        "How devices reach containers. The hook serves `legacy` only; `auto` is resolved from the request and the platform."
    CdiDefaultKind "nvidia-container-runtime.modes.cdi." "default-kind" Others Text("nvidia.com/gpu")
        "The CDI kind of unqualified device names in mode cdi."
    CdiAnnotationPrefixes "nvidia-container-runtime.modes.cdi." "annotation-prefixes" Others List(&["cdi.k8s.io/"])
        "The annotation prefixes that request CDI devices in mode cdi."
    CdiSpecDirs "nvidia-container-runtime.modes.cdi." "spec-dirs" Others List(&["/etc/cdi", "/var/run/cdi"])
        "The directories of CDI specifications in mode cdi."
    CsvMountSpecPath "nvidia-container-runtime.modes.csv." "mount-spec-path" Others Text("/etc/nvidia-container-runtime/host-files-for-container.d")
        "The directory of mount lists in mode csv."
    CsvCompatContainerRoot "nvidia-container-runtime.modes.csv." "compat-container-root" Others Text("/usr/local/cuda/compat")
        "Where images keep CUDA compatibility libraries in mode csv."
    LegacyCudaCompatMode "nvidia-container-runtime.modes.legacy." "cuda-compat-mode" Hook Text("ldconfig") ["ldconfig", "mount", "disabled", "hook"]
        "How CUDA compatibility libraries of the image are used: by the linker's cache, by mounting them, or not at all."
    JitCdiFeatureFlags "nvidia-container-runtime.modes.jit-cdi." "nvcdi-feature-flags" Others List(&[])
        "Feature flags of the CDI specifications made in mode jit-cdi."
    JitCdiDisableHooks "nvidia-container-runtime.modes.jit-cdi." "nvcdi-disable-hooks" Others List(&[])
        "Hooks left out of the CDI specifications made in mode jit-cdi."
    HookPath "nvidia-container-runtime-hook." "path" Others Text("nvidia-container-runtime-hook")
        "The hook that `nvidia-container-runtime` adds to a container."
    HookSkipModeDetection "nvidia-container-runtime-hook." "skip-mode-detection" Hook Bool(false)
        "The hook serves its containers whatever the mode is."
    HookCliVersion "nvidia-container-runtime-hook." "cli-version" HookOnly Text("newest")
        "The oldest `nvidia-container-cli` that the hook must speak to, from 1.14.0 on: options that it does not know are not passed."
    HookSanitizeEnvironment "nvidia-container-runtime-hook." "sanitize-environment" HookOnly Bool(false)
        "Loader and interpreter variables (`LD_*`, `GLIBC_TUNABLES`, ...) of the hook's environment do not reach `nvidia-container-cli`."
    HookLog "nvidia-container-runtime-hook." "log" HookOnly Text("")
        "Where a line of JSON about each start goes: an absolute path of a file, `syslog`, or `journald`. The variable `NVIDIA_CONTAINER_HOOK_LOG` of the hook's own environment overrides it."
    HookRootless "nvidia-container-runtime-hook." "rootless" HookOnly Text("off") ["auto", "off"]
        "`auto`: a start that is not that of the host's root (in a user namespace, or by another user) passes `--user`, unless `nvidia-container-cli.user` is set, and `--no-cgroups`."
    CtkPath "nvidia-ctk." "path" Others Text("nvidia-ctk")
        "The `nvidia-ctk` that CDI hooks call."
    AllowCudaCompatLibs "features." "allow-cuda-compat-libs-from-container" Hook Bool(false)
        "With an unknown `cuda-compat-mode`, compatibility libraries of the image may be mounted; with `cli-version` 1.17.4 to 1.17.6 also with none set."
    AllowLdconfigFromContainer "features." "allow-ldconfig-from-container" Hook Bool(false)
        "`nvidia-container-cli.ldconfig` may name a program of the container, which then runs as root on the host."
    AllowUnknownOciSpecFields "features." "allow-unknown-oci-spec-fields" Others Bool(false)
        "`nvidia-container-runtime` keeps members of the OCI specification that it does not know."
    DisableCudaCompatLibHook "features." "disable-cuda-compat-lib-hook" Others Bool(false)
        "CDI specifications contain no hook for CUDA compatibility libraries."
    DisableImexChannelCreation "features." "disable-imex-channel-creation" Hook Bool(false)
        "`nvidia-container-cli` makes no nodes for IMEX channels (`--no-create-imex-channels`)."
    IgnoreImexChannelRequests "features." "ignore-imex-channel-requests" Hook Bool(false)
        "Requests for IMEX channels are dropped."
    NoAdditionalGids "features." "no-additional-gids-for-device-nodes" Others Bool(false)
        "CDI specifications add no group ids for device nodes."
}

/// Keys that have lost their meaning or have a better replacement, and what to do about them.
pub const DEPRECATED: &[(&str, &str)] = &[
    (
        "nvidia-container-runtime.experimental",
        "remove it; nvidia-container-runtime.mode says how devices reach containers",
    ),
    ("nvidia-container-runtime.discover-mode", "write nvidia-container-runtime.mode"),
    ("features.gds", "remove it; the image asks with NVIDIA_GDS=enabled"),
    ("features.mofed", "remove it; the image asks with NVIDIA_MOFED=enabled"),
    ("features.nvswitch", "remove it; the image asks with NVIDIA_NVSWITCH=enabled"),
    ("features.gdrcopy", "remove it; the image asks with NVIDIA_GDRCOPY=enabled"),
    (
        "features.allow-cuda-compat-libs-from-container",
        "write nvidia-container-runtime.modes.legacy.cuda-compat-mode = \"mount\", which says the same",
    ),
];

impl Key {
    /// What is known about the key.
    #[must_use]
    pub fn row(self) -> &'static Row {
        // Both lists come from one macro, so the index is always in range.
        static NOTHING: Row = Row {
            name: "",
            kind: Kind::Bool,
            default: DefaultValue::Bool(false),
            allowed: &[],
            reader: Reader::Others,
            doc: "",
        };
        ROWS.get(self as usize).unwrap_or(&NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_rows_are_in_one_order_and_names_are_unique() {
        for (index, key) in Key::ALL.iter().enumerate() {
            assert_eq!(*key as usize, index);
            assert_eq!(Key::named(key.row().name), Some(*key), "{}", key.row().name);
        }
        assert_eq!(Key::ALL.len(), ROWS.len());
    }

    #[test]
    fn every_row_is_documented_in_sentences_and_its_default_is_allowed() {
        for row in ROWS {
            assert!(row.doc.ends_with('.'), "{}", row.name);
            if let (DefaultValue::Text(default), false) = (row.default, row.allowed.is_empty()) {
                assert!(row.allowed.contains(&default), "{}", row.name);
            }
        }
    }
}
