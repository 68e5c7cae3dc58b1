//! LXC with its own hook, which calls nvidia-container-cli in the container's namespaces.

use std::fmt::Write as _;
use std::fs;

use super::containerd::of_the_hook;
use super::engine::{Change, Container, Engine, SEARCH_PATH, Seen, command, version};
use super::host::{Host, REMAPPED};
use super::oci::{needs, only_gpus};
use super::scenario::Scenario;

/// The hook in LXC's package.
const HOOK: &str = "/usr/share/lxc/hooks/nvidia";

/// LXC.
pub struct Lxc;

impl Lxc {
    fn config(host: &Host, container: &Container) -> String {
        let folder = host.path("containers").join(&container.name);
        let mut config = format!("lxc.rootfs.path = dir:{}/rootfs\nlxc.uts.name = container\n", folder.display());
        for (kind, id) in [('u', REMAPPED), ('g', REMAPPED)] {
            writeln!(config, "lxc.idmap = {kind} 0 {id} 65536").unwrap();
        }
        config.push_str("lxc.net.0.type = empty\nlxc.mount.auto = proc:mixed\nlxc.apparmor.profile = unconfined\n");
        writeln!(config, "lxc.hook.version = 1\nlxc.hook.mount = {HOOK}").unwrap();
        if container.read_only {
            config.push_str("lxc.rootfs.options = ro\n");
        }
        // The hook looks for the program in the container's `PATH`.
        let path = format!("PATH={}:{SEARCH_PATH}", host.path("bin").display());
        for entry in with_capabilities(&container.env).iter().chain([&path]) {
            writeln!(config, "lxc.environment = {entry}").unwrap();
        }
        config
    }

    fn start(host: &Host, container: &Container) -> Seen {
        let folder = host.path("containers").join(&container.name);
        let mut lxc = command("lxc-execute", host);
        lxc.arg("--lxcpath").arg(host.path("containers")).arg("--name").arg(&container.name);
        // A hook's output is in the log, and nowhere else.
        lxc.arg("--rcfile").arg(folder.join("config")).args(["--logpriority", "DEBUG", "--logfile"]);
        lxc.arg(folder.join("log")).envs(host.environment()).args(["--", "/bin/sh", "-c", &container.script]);
        let mut seen = Seen::of(&lxc.output().unwrap());
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        // A piece of hook output begins with a title, and may have several lines.
        let of_lxc = |line: &&str| !line.starts_with("lxc-execute ") || line.contains("produced output: ");
        let said =
            log.lines().filter(of_lxc).map(|line| line.split_once("produced output: ").map_or(line, |(_, rest)| rest));
        said.for_each(|words| seen.stderr += words);
        seen
    }
}

/// The variables of a container whose hook provides only nvidia-smi unless told otherwise.
pub fn with_capabilities(env: &[String]) -> Vec<String> {
    // A legacy CUDA image gets everything.
    let told = ["NVIDIA_DRIVER_CAPABILITIES=", "CUDA_VERSION="];
    let is_told = env.iter().any(|entry| told.iter().any(|name| entry.starts_with(name)));
    let usual = (!is_told).then(|| "NVIDIA_DRIVER_CAPABILITIES=compute,utility".to_owned());
    env.iter().cloned().chain(usual).collect()
}

impl Engine for Lxc {
    fn name(&self) -> &'static str {
        "lxc"
    }

    fn version(&self) -> Result<String, String> {
        needs(&[HOOK])?;
        version("lxc-execute", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        if scenario.container.hook_has_a_second {
            return Some("LXC gives its hooks no time limit");
        }
        if !scenario.container.mounts.is_empty() {
            return Some("LXC's hook reads only variables");
        }
        if scenario.container.privileged {
            return Some("LXC's hook refuses containers without a user namespace");
        }
        if scenario.container.env.iter().any(|entry| entry.starts_with("NVIDIA_IMEX_")) {
            return Some("LXC's hook does not know IMEX channels");
        }
        if scenario.container.read_only {
            return Some("LXC's hook writes to the root filesystem, which is already read-only by then");
        }
        let has = |start: &str| scenario.container.env.iter().any(|entry| entry.starts_with(start));
        if has("CUDA_VERSION=") && scenario.expect.error.is_some() {
            return Some("LXC's hook loses what the version of a legacy CUDA image requires");
        }
        let is_read = has("CUDA_VERSION=") || has("NVIDIA_REQUIRE_");
        of_the_hook(scenario).filter(|_| !is_read).or(only_gpus(scenario))
    }

    fn starts_the_hook(&self) -> bool {
        false
    }

    fn user(&self) -> u32 {
        REMAPPED
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        let folder = host.path("containers").join(&container.name);
        host.rootfs(&folder.join("rootfs"));
        host.give(&folder.join("rootfs"), REMAPPED);
        // The hook writes its own log here and reports that in one piece. A failure would take four, and LXC reads ten.
        fs::create_dir(folder.join("hook")).unwrap();
        host.give(&folder.join("hook"), REMAPPED);
        fs::write(folder.join("config"), Lxc::config(host, container)).unwrap();
        let mut seen = vec![Lxc::start(host, container)];
        for change in changes {
            change();
            seen.push(Lxc::start(host, container));
        }
        fs::remove_dir_all(&folder).unwrap();
        seen
    }
}
