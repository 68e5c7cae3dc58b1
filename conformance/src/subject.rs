//! Finds out how to test a hook: whether it can be told its root, and whose behaviour it claims. Must not know any
//! case.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result};

use crate::case::usual_scene;
use crate::fixtures::Fixtures;
use crate::judge::Contract;
use crate::release::Release;
use crate::report::harmless;
use crate::run::{Runner, Seat, ask};

/// The hook under test.
#[derive(Debug)]
pub struct Subject {
    /// The runner, or the reason why the hook cannot be run. Like [`Subject::about`], it is a line without what the hook
    /// and its path could tell a terminal.
    pub runner: Result<Runner, String>,
    /// The contract that it is compared with.
    pub contract: Contract,
    /// Why that contract, and how the hook is run, in words.
    pub about: String,
}

impl Subject {
    /// Examines a hook. A given contract takes precedence, and so does a private root that is asked for.
    pub fn new(hook: &Path, contract: Option<Contract>, private_root: bool) -> Result<Subject> {
        let hook = hook.canonicalize().with_context(|| hook.display().to_string())?;
        let knows_root = knows_host_root(&hook)?;
        let seat = if knows_root && !private_root { Seat::HostRoot } else { Seat::PrivateRoot };
        let (contract, because) = match contract {
            Some(contract) => (contract, "as --release says".to_owned()),
            None if knows_root => (Contract::Ours, "since it knows -host-root".to_owned()),
            None => by_version(&hook),
        };
        let runner = Runner::new(&hook, None, seat).and_then(|runner| {
            // Whether this machine allows a private root shows only when one is tried.
            runner.run(&usual_scene(&Fixtures::default()))?;
            Ok(runner)
        });
        let runner = runner.map_err(|why| harmless(&format!("the hook cannot be run here: {why:#}")));
        let place = match seat {
            Seat::HostRoot => "told its root by -host-root",
            Seat::PrivateRoot => "in a private root",
        };
        let whose = match contract {
            Contract::Ours => "this project's hook".to_owned(),
            Contract::Published(release) => format!("release {release}"),
        };
        let about = harmless(&format!("{}: {place}, held against {whose}, {because}", hook.display()));
        Ok(Subject { runner, contract, about })
    }
}

/// Whether a hook accepts a directory as the root of the machine.
fn knows_host_root(hook: &Path) -> Result<bool> {
    let root = tempfile::tempdir()?;
    let (status, ..) = ask(hook, &[OsStr::new("-host-root"), root.path().as_os_str(), OsStr::new("poststop")])?;
    Ok(status == Some(0))
}

/// The release that a hook says it belongs to, or the newest.
fn by_version(hook: &Path) -> (Contract, String) {
    let said = ask(hook, &[OsStr::new("-version")]).map(|(_, out, _)| String::from_utf8_lossy(&out).into_owned());
    let said = said.unwrap_or_default();
    let line = said.lines().next().unwrap_or_default();
    match line.split_once(" version ").map(|(_, version)| version.trim()) {
        Some(version) => match version.parse() {
            Ok(release) => (Contract::Published(release), format!("since it says that it is {version}")),
            Err(_) => {
                (Contract::Published(Release::MAIN), format!("the newest, since no runs of {version} were recorded"))
            }
        },
        None => (Contract::Published(Release::MAIN), "the newest, since it does not say what it is".to_owned()),
    }
}
