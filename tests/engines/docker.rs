//! Docker, both ways: `--gpus`, for which dockerd adds the hook to the specification, and a runtime that adds it
//! instead. Each has its own daemon, which leaves networks and everything else of the machine alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use hook_test_support::daemon::Daemon;

use super::engine::{Change, Container, Engine, SEARCH_PATH, Seen, command, version};
use super::host::Host;
use super::oci::{WRAPPING, needs, only_gpus};
use super::scenario::Scenario;

/// Docker, and its daemon from the first container on.
pub struct Docker {
    /// By `--gpus`; otherwise by the runtime.
    by_gpus: bool,
    daemon: OnceLock<Dockerd>,
}

impl Docker {
    /// `docker run --gpus`.
    pub fn by_gpus() -> Docker {
        Docker { by_gpus: true, daemon: OnceLock::new() }
    }

    /// `docker run --runtime`.
    pub fn by_runtime() -> Docker {
        Docker { by_gpus: false, daemon: OnceLock::new() }
    }

    /// The words before the image.
    fn words(&self, container: &Container) -> Vec<String> {
        let mut words: Vec<String> = ["--network", "none", "--name", &container.name].map(str::to_owned).to_vec();
        let mut add = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
        match &container.gpus {
            Some(gpus) if self.by_gpus => add("--gpus", gpus),
            _ if self.by_gpus => {}
            _ => add("--runtime", "with-the-hook"),
        }
        // What `--gpus` says already.
        let is_said = |entry: &&String| {
            let gpus = container.gpus.as_deref().filter(|_| self.by_gpus).unwrap_or_default();
            let capabilities = gpus.contains("capabilities=") && entry.starts_with("NVIDIA_DRIVER_CAPABILITIES=");
            capabilities || !gpus.is_empty() && entry.starts_with("NVIDIA_VISIBLE_DEVICES=")
        };
        container.env.iter().filter(|entry| !is_said(entry)).for_each(|entry| add("--env", entry));
        container.mounts.iter().for_each(|place| add("--volume", &format!("/dev/null:{place}:ro")));
        // If root lacks capabilities here, CAP_SYS_ADMIN is enough: it is the one that hooks look at.
        let rights = if has_every_right() { "--privileged" } else { "--cap-add=SYS_ADMIN" };
        words.extend(container.privileged.then(|| rights.to_owned()));
        words.extend(container.read_only.then(|| "--read-only".to_owned()));
        words.extend(["tiny", "/bin/sh", "-c", &container.script].map(str::to_owned));
        words
    }
}

impl Engine for Docker {
    fn name(&self) -> &'static str {
        if self.by_gpus { "docker-gpus" } else { "docker-runtime" }
    }

    fn version(&self) -> Result<String, String> {
        needs(&["docker", "runc"])?;
        version("dockerd", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        let container = &scenario.container;
        if container.hook_has_a_second {
            return Some("Docker gives the hook no time limit");
        }
        if !self.by_gpus {
            return only_gpus(scenario);
        }
        let asks = !container.env.is_empty() || !container.mounts.is_empty();
        (asks && container.gpus.is_none())
            .then_some("Docker starts the hook only for `--gpus`, which cannot express this")
    }

    fn begin(&self, host: &Host) {
        self.daemon.get_or_init(|| Dockerd::start(host, "daemon", &[]));
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        // A daemon remaps the users of all its containers, so remapped ones have their own daemon.
        let other = container.remapped.then(|| Dockerd::start(host, "remapped", &["--userns-remap=default"]));
        let daemon = other.as_ref().or(self.daemon.get()).unwrap();
        let client = |words: &[&str], more: &[String]| {
            Seen::of(&client(host, &daemon.socket, words).args(more).output().unwrap())
        };
        if changes.is_empty() {
            return vec![client(&["run", "--rm"], &self.words(container))];
        }
        let created = client(&["create"], &self.words(container));
        assert_eq!(created.exit, 0, "{}", created.stderr);
        let start = || client(&["start", "--attach", &container.name], &[]);
        let mut seen = vec![start()];
        for change in changes {
            change();
            seen.push(start());
        }
        client(&["rm", "--force", &container.name], &[]);
        seen
    }
}

/// Whether root has every capability on this machine.
fn has_every_right() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let last: u32 = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    let rights = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap().trim();
    u64::from_str_radix(rights, 16).unwrap() == (1 << (last + 1)) - 1
}

/// The test's own daemon, with the image.
struct Dockerd {
    _daemon: Daemon,
    socket: String,
}

impl Dockerd {
    fn start(host: &Host, name: &str, words: &[&str]) -> Dockerd {
        let place = |what: &str| host.path(&format!("{name}.{what}"));
        let runtime = host.path("bin").join(WRAPPING);
        let _ = symlink(std::env::current_exe().unwrap(), &runtime);
        let settings = serde_json::json!({ "runtimes": { "with-the-hook": { "path": runtime } } });
        fs::write(place("json"), settings.to_string()).unwrap();
        let mut dockerd = command("dockerd", host);
        dockerd.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "overlay2"]);
        dockerd.args(["--exec-opt", "native.cgroupdriver=cgroupfs"]).args(words);
        for (flag, what) in
            [("--config-file", "json"), ("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")]
        {
            dockerd.arg(flag).arg(place(what));
        }
        let socket = format!("unix://{}", place("socket").display());
        dockerd.arg("--host").arg(&socket).env("NVIDIA_CTK_CONFIG_FILE_PATH", host.path("config.toml"));
        dockerd.env("PATH", format!("{}:{SEARCH_PATH}", host.path("bin").display()));
        let daemon = Daemon::start(&mut dockerd, &place("log"), || {
            client(host, &socket, &["info"]).output().unwrap().status.success()
        });
        import(host, &socket);
        Dockerd { _daemon: daemon, socket }
    }
}

fn client(host: &Host, socket: &str, words: &[&str]) -> Command {
    let mut client = command("docker", host);
    client.arg("--host").arg(socket).args(words);
    client
}

fn import(host: &Host, socket: &str) {
    let mut archive = Command::new("tar");
    archive.arg("-C").arg(host.path("image/")).args(["-c", "."]).stdout(Stdio::piped());
    let mut archive = archive.spawn().unwrap();
    let mut import = client(host, socket, &["import", "-", "tiny"]);
    let imported = import.stdin(archive.stdout.take().unwrap()).output().unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert!(archive.wait().unwrap().success());
}
