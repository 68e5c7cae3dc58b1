//! The command line of `nvidia-hook-conformance`. Must not know what the arguments lead to.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::judge::Contract;
use crate::release::Release;

/// The arguments.
#[derive(Debug, Parser)]
#[command(
    name = "nvidia-hook-conformance",
    version,
    about = "Run an nvidia-container-runtime-hook over the cases of its contract",
    long_about = "Run an nvidia-container-runtime-hook over the cases of its contract.\n\n\
        Each case is a small machine, a container and what the hook does for it. The hook is started as a container \
        runtime would start it, and becomes a stand-in for nvidia-container-cli that records how it was executed. \
        Nothing of this machine is read or changed: each case has a directory of its own for a root. A hook that cannot \
        be told so (-host-root) is started in a private root, which takes root or user namespaces.",
    after_help = "Exit status: 0 what ran passed, 1 a case failed or none could run, 2 wrong usage.\n\n\
        Examples:\n  \
        nvidia-hook-conformance /usr/bin/nvidia-container-runtime-hook\n  \
        nvidia-hook-conformance --release 1.17.9 ./my-hook mounts imex\n  \
        nvidia-hook-conformance --format junit ./my-hook > results.xml\n  \
        nvidia-hook-conformance --list state"
)]
pub struct Arguments {
    /// List the names of the cases without running any; every word is then a filter
    #[arg(long)]
    pub list: bool,

    /// How to report the results
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,

    /// Whose behaviour is right: a release of NVIDIA Container Toolkit (1.14.1 to 1.20.0, main), or `this-project`
    ///
    /// Without it, a hook that knows -host-root is compared with this project's, including the wording of its messages;
    /// any other with the release that its -version names, or the newest.
    #[arg(long, value_name = "RELEASE", value_parser = contract)]
    pub release: Option<Contract>,

    /// Report every case, not only those that fail
    #[arg(long, short)]
    pub verbose: bool,

    /// Start the hook in a private root even if it knows -host-root
    #[arg(long)]
    pub private_root: bool,

    /// Read the cases from this folder, laid out like the project's fixtures/
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,

    /// How many cases to run at a time
    #[arg(long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,

    /// The hook, then filters: an area, the name of a case, or a part of one
    #[arg(value_name = "HOOK [FILTER]...", required_unless_present = "list")]
    words: Vec<OsString>,
}

/// How results are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Failures, a table of areas, and a summary
    #[default]
    Text,
    /// Test Anything Protocol, version 14
    Tap,
    /// JUnit XML
    Junit,
}

impl Arguments {
    /// The hook.
    pub fn hook(&self) -> Option<PathBuf> {
        self.words.first().filter(|_| !self.list).map(PathBuf::from)
    }

    /// What to run; everything if empty.
    pub fn filters(&self) -> Vec<String> {
        let words = self.words.iter().skip(usize::from(!self.list));
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }
}

fn contract(text: &str) -> Result<Contract, String> {
    match text {
        "this-project" => Ok(Contract::Ours),
        release => release.parse::<Release>().map(Contract::Published),
    }
}
