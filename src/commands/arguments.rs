//! The command line of the commands of our own, as clap reads it; help, man page and completions come from it.
//! Must not know what a command does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Gives NVIDIA GPUs to containers: the hook that a container runtime starts, and commands that explain and check it.
#[derive(Debug, Parser)]
#[command(name = "nvidia-container-runtime-hook", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The whole command line, for man page and completions. A start is parsed by `cli`, in Go's dialect, and never here.
#[derive(Debug, Parser)]
#[command(
    name = "nvidia-container-runtime-hook",
    version,
    disable_help_subcommand = true,
    about = "Give NVIDIA GPUs to containers",
    long_about = "Give NVIDIA GPUs to containers.\n\n\
        A container runtime starts the hook with the state of a container on standard input. The hook decides from the \
        configuration, the state and the container's config.json whether it is a GPU container, and if so becomes \
        nvidia-container-cli. Flags stand before the command, with one dash or two. The exit status is 0 where all is \
        well or nothing is to be done, 1 where the start fails, and 2 for wrong usage."
)]
pub struct Whole {
    /// Configuration file; it must exist
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Have nvidia-container-cli log to standard error
    #[arg(long)]
    debug: bool,
    /// Take the tree below DIR for the machine
    #[arg(long, value_name = "DIR")]
    host_root: Option<PathBuf>,
    #[command(subcommand)]
    command: WholeCommand,
}

#[derive(Debug, Subcommand)]
enum WholeCommand {
    /// Give a container the GPUs it asks for; started by a container runtime
    Prestart,
    /// Do nothing
    Poststart,
    /// Do nothing
    Poststop,
    #[command(flatten)]
    Own(Command),
}

/// A command of our own.
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
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Take the tree below DIR for the machine
    #[arg(long, value_name = "DIR")]
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
    override_usage = "nvidia-container-runtime-hook explain [OPTIONS] (--bundle DIR | --state FILE | --env NAME=VALUE)",
    after_help = "Examples:\n  \
        nvidia-container-runtime-hook explain --bundle /path/to/bundle\n  \
        nvidia-container-runtime-hook explain --env NVIDIA_VISIBLE_DEVICES=0,1\n  \
        nvidia-container-runtime-hook explain --env NVIDIA_VISIBLE_DEVICES=all --privileged\n  \
        runc state ID | nvidia-container-runtime-hook explain --state - --output json"
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
    /// Take the container for a privileged one
    #[arg(long)]
    pub privileged: bool,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-container-runtime-hook check\n  \
        nvidia-container-runtime-hook check --config new.toml --strict\n  \
        nvidia-container-runtime-hook check --print-default > /etc/nvidia-container-runtime/config.toml")]
pub struct Check {
    /// Take warnings for errors
    #[arg(long)]
    pub strict: bool,
    /// Print a file with every key, its meaning and its default, instead of checking one
    #[arg(long)]
    pub print_default: bool,
    /// What several commands take.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-container-runtime-hook doctor\n  \
        nvidia-container-runtime-hook doctor --output json\n  \
        nvidia-container-runtime-hook doctor --root /mnt/broken-node")]
pub struct Doctor {
    /// Take the tree below DIR for the machine
    #[arg(long, visible_alias = "host-root", value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Take this for the configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
}

/// Arguments of `oci-hook`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        nvidia-container-runtime-hook oci-hook\n  \
        nvidia-container-runtime-hook oci-hook --hooks-dir /usr/share/containers/oci/hooks.d\n  \
        nvidia-container-runtime-hook oci-hook --validate /etc/containers/oci/hooks.d/oci-nvidia-hook.json")]
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
    /// Take the tree below DIR for the machine
    #[arg(long, value_name = "DIR")]
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
