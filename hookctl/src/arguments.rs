//! clap definitions of `nvidia-hookctl`: its help, man pages and completions come from them. Must not know what a
//! command does.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::tree::directory;

/// Explain, check and examine the NVIDIA container runtime hook.
#[derive(Debug, Parser)]
#[command(
    name = "nvidia-hookctl",
    version,
    disable_help_subcommand = true,
    about = "Explain, check and examine the NVIDIA container runtime hook",
    long_about = "Explain, check and examine the NVIDIA container runtime hook.\n\n\
        It answers why a container gets GPUs or does not, from the same inputs as the hook and by the same rules, whether \
        the host runs this hook or the published one. It executes nothing and changes nothing, except for the file that \
        `oci-hook --hooks-dir` writes, and the hook and the folder of `capture`. The exit status is 0 when all is well, 1 when it is not, and 2 for wrong usage.",
    after_help = "Examples:\n  \
        nvidia-hookctl explain --bundle /path/to/bundle\n  \
        nvidia-hookctl why 'could not select device driver'\n  \
        nvidia-hookctl check\n  \
        nvidia-hookctl doctor"
)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a start of a container would execute, and why
    #[command(long_about = "Show what a start of a container would execute, and why.\n\n\
        Takes the steps of `prestart` up to the execution, and shows each decision with the input that made it: the \
        configuration file, the source of the devices, policies, the mode, driver capabilities, requirements, the \
        search for nvidia-container-cli, the command line with the origin of each argument, and the environment. \
        Nothing is executed and nothing is changed. The exit status is 1 where the start would fail.")]
    Explain(Explain),
    /// Check a configuration file
    #[command(long_about = "Check a configuration file.\n\n\
        Finds faults of syntax and type, unknown and misplaced keys, values out of their set, settings that contradict \
        each other or have no effect, paths that do not exist or that others than root can change, and keys that are \
        out of use. An error is what would fail a start of a container; the exit status is then 1.")]
    Check(Check),
    /// Look at this machine for states that keep GPUs from containers
    #[command(long_about = "Look at this machine for states that keep GPUs from containers.\n\n\
        Looks at the driver's kernel module and libraries, device nodes, the driver root, ldconfig, \
        nvidia-container-cli and its version, the configuration, hooks.d, dockerd, cgroups, user namespaces and \
        persistence. Only looks: nothing is changed and nothing is executed. The report holds versions, paths and \
        modes, and no secrets. The exit status is 1 where there is a problem.")]
    Doctor(Doctor),
    /// Say what an error line of an engine means, and what to do
    #[command(long_about = "Say what an error line of an engine means, and what to do.\n\n\
        Takes what Docker, Podman, CRI-O, kubelet or journald printed, wrapped as it is, as an argument or on standard \
        input; finds the line that matters; and says what it means, who can fix it, and how. Then it looks \
        on this host for the states that may cause it, as doctor does. The exit status is 1 where no line is known.")]
    Why(Why),
    /// Stand in front of a hook, and keep a start that fails as a test case
    #[command(long_about = "Stand in front of a hook, and keep a start that fails as a test case.\n\n\
        Runs the hook with its command line, environment, input and output unchanged, and ends as it does. Where it \
        fails, what a hook reads of the configuration, the state, the specification and the host is written as a case \
        folder, with everything masked that no hook reads: other variables, arguments, annotations, paths of mounts. \
        A failure to write it never changes how the hook ends. With --bundle nothing is run.")]
    Capture(Capture),
    /// Decide the start of a captured case again
    #[command(long_about = "Decide the start of a captured case again.\n\n\
        Prints the messages and the command line that the start comes to, and ends with its exit status. Nothing is \
        executed.")]
    Replay(Replay),
    /// Write or validate the file by which Podman and CRI-O start the hook
    #[command(long_about = "Write or validate the file by which Podman and CRI-O start the hook.\n\n\
        Without --hooks-dir the file is printed. It starts the hook for every container; containers that ask for no \
        GPU are left as they are.")]
    OciHook(OciHook),
}

/// What several commands take.
#[derive(Debug, Args)]
pub struct Common {
    /// Read this configuration file, as the hook would with -config
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(std::path::absolute))]
    pub config: Option<PathBuf>,
    /// Inspect DIR as the root of the machine
    #[arg(long, visible_alias = "root", value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub host_root: Option<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

/// The form of an answer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person: 100 columns, colours on a terminal unless `NO_COLOR` is set
    #[default]
    Text,
    /// For a program
    Json,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(
    override_usage = "nvidia-hookctl explain [OPTIONS] (--bundle DIR | --state FILE | --env NAME=VALUE)",
    after_help = "Examples:\n  \
        nvidia-hookctl explain --bundle /path/to/bundle\n  \
        nvidia-hookctl explain --env NVIDIA_VISIBLE_DEVICES=0,1\n  \
        nvidia-hookctl explain --env NVIDIA_VISIBLE_DEVICES=all --privileged\n  \
        nvidia-hookctl explain --bundle /path/to/bundle --as-cdi\n  \
        runc state ID | nvidia-hookctl explain --state - --output json"
)]
#[group(id = "subject", required = true, multiple = true, args = ["bundle", "state", "variables"])]
pub struct Explain {
    /// The container of the bundle in DIR
    #[arg(long, value_name = "DIR", conflicts_with = "state")]
    pub bundle: Option<PathBuf>,
    /// The container whose OCI state is in FILE; - is standard input
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// A variable that the container has besides its own; without a bundle or state, all that it has
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<String>,
    /// Say the request in the words of CDI too, and what is lost on the way
    #[arg(long)]
    pub as_cdi: bool,
    /// Treat the container as privileged
    #[arg(long)]
    pub privileged: bool,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-hookctl check\n  \
        nvidia-hookctl check --config new.toml --strict\n  \
        nvidia-hookctl check --print-default > /etc/nvidia-container-runtime/config.toml")]
pub struct Check {
    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// Print a file with every key, its meaning and its default, instead of checking one
    #[arg(long)]
    pub print_default: bool,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `why`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-hookctl why 'nvml error: driver not loaded'\n  \
        docker run --gpus all IMAGE 2>&1 | nvidia-hookctl why\n  \
        journalctl -u docker -n 50 | nvidia-hookctl why\n  \
        nvidia-hookctl why --host-root /mnt/broken-node 'unknown device'")]
pub struct Why {
    /// What was printed; without it, standard input is read
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Vec<String>,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-hookctl doctor\n  \
        nvidia-hookctl doctor --output json\n  \
        nvidia-hookctl doctor --host-root /mnt/broken-node")]
pub struct Doctor {
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `capture`.
#[derive(Debug, Args)]
#[command(
    override_usage = "nvidia-hookctl capture --to DIR [--always] -- HOOK [ARGUMENT...]\n       \
        nvidia-hookctl capture --to DIR --bundle DIR",
    after_help = "Examples:\n  \
        nvidia-hookctl capture --to /var/lib/nvidia-captures -- /usr/bin/nvidia-container-runtime-hook prestart\n  \
        nvidia-hookctl capture --to . --bundle /path/to/bundle\n\n\
        In a file of hooks.d: \"path\": \"/usr/bin/nvidia-hookctl\", \"args\": [\"nvidia-hookctl\", \"capture\", \"--to\",\n\
        DIR, \"--\", \"/usr/bin/nvidia-container-runtime-hook\", \"prestart\"]"
)]
pub struct Capture {
    /// The directory in which a new folder is made for each case
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Keep starts that succeed too
    #[arg(long, conflicts_with = "bundle")]
    pub always: bool,
    /// Capture the start of this bundle, without running a hook
    #[arg(long, value_name = "DIR", conflicts_with = "hook")]
    pub bundle: Option<PathBuf>,
    /// The hook and its arguments
    #[arg(last = true, value_name = "HOOK")]
    pub hook: Vec<OsString>,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-hookctl replay /var/lib/nvidia-captures/start\n  \
        nvidia-hookctl replay --output json fixtures/hook/devices/all")]
pub struct Replay {
    /// The case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

/// Arguments of `oci-hook`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-hookctl oci-hook\n  \
        nvidia-hookctl oci-hook --hooks-dir /usr/share/containers/oci/hooks.d\n  \
        nvidia-hookctl oci-hook --validate /etc/containers/oci/hooks.d/oci-nvidia-hook.json")]
pub struct OciHook {
    /// The absolute path of the hook
    #[arg(long, value_name = "HOOK", default_value = crate::oci_hook::DEFAULT_PATH)]
    pub path: String,
    /// Write oci-nvidia-hook.json in DIR
    #[arg(long, value_name = "DIR")]
    pub hooks_dir: Option<PathBuf>,
    /// Print the file, which is what happens without --hooks-dir too
    #[arg(long, conflicts_with = "hooks_dir")]
    pub stdout: bool,
    /// Say what is wrong with FILE; the exit status is 1 where the hook would not run by it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hooks_dir", "stdout", "path"])]
    pub validate: Option<PathBuf>,
    /// Inspect DIR as the root of the machine
    #[arg(long, value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub host_root: Option<PathBuf>,
    /// How to answer with --validate
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

fn variable(text: &str) -> Result<String, &'static str> {
    match text.find('=') {
        None | Some(0) => Err("a variable is NAME=VALUE"),
        Some(_) => Ok(text.to_owned()),
    }
}
