//! containerd through its client: with a specification that contains the hook, and with `ctr --gpus`, which calls
//! nvidia-container-cli itself.

use std::fs;
use std::sync::OnceLock;

use hook_test_support::daemon::Daemon;

use super::engine::{Change, Container, Engine, SEARCH_PATH, Seen, command, version};
use super::host::{Host, REMAPPED};
use super::oci::{needs, only_gpus, spec, unhurried};
use super::sandbox::shares_processors;
use super::scenario::Scenario;

/// containerd, and its daemon from the first container on.
pub struct Containerd {
    by_gpus: bool,
    daemon: OnceLock<Served>,
}

impl Containerd {
    /// `ctr run --config`.
    pub fn by_specification() -> Containerd {
        Containerd { by_gpus: false, daemon: OnceLock::new() }
    }

    /// `ctr run --gpus`.
    pub fn by_gpus() -> Containerd {
        Containerd { by_gpus: true, daemon: OnceLock::new() }
    }

    fn start(&self, host: &Host, container: &Container, socket: &str) -> Seen {
        let folder = host.path("containers").join(&container.name);
        let mut ctr = command("ctr", host);
        ctr.args(["--address", socket, "run", "--rm"]);
        ctr.env("PATH", format!("{}:{SEARCH_PATH}", host.path("bin").display()));
        if !self.by_gpus {
            ctr.arg("--config").arg(folder.join("config.json")).arg(&container.name);
            return Seen::of(&ctr.output().unwrap());
        }
        // The program inherits the environment of ctr's caller.
        ctr.envs(host.environment());
        for gpu in container.gpus.iter().flat_map(|gpus| numbers(gpus).unwrap_or_default()) {
            ctr.args(["--gpus", &gpu]);
        }
        for entry in container.env.iter().map(String::as_str).chain(["PATH=/sbin:/usr/bin:/bin"]) {
            ctr.args(["--env", entry]);
        }
        if container.privileged {
            ctr.arg("--privileged");
        }
        if container.read_only {
            ctr.arg("--read-only");
        }
        ctr.arg("--rootfs").arg(folder.join("rootfs")).arg(&container.name).args(unhurried(&container.script));
        Seen::of(&ctr.output().unwrap())
    }
}

/// The indexes of Docker's `--gpus`, as `ctr --gpus` takes them.
fn numbers(gpus: &str) -> Option<Vec<String>> {
    let list = gpus.trim_matches('"').strip_prefix("device=")?;
    let numbers: Vec<String> = list.split(',').map(str::to_owned).collect();
    let is_number = |item: &String| item == "{turn}" || item.bytes().all(|byte| byte.is_ascii_digit());
    numbers.iter().all(is_number).then_some(numbers)
}

impl Engine for Containerd {
    fn name(&self) -> &'static str {
        if self.by_gpus { "ctr-gpus" } else { "ctr" }
    }

    fn version(&self) -> Result<String, String> {
        needs(&["ctr", "runc"])?;
        if self.by_gpus {
            shares_processors()?;
        }
        version("containerd", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        if !self.by_gpus {
            return only_gpus(scenario);
        }
        let container = &scenario.container;
        if container.hook_has_a_second {
            return Some("`ctr --gpus` gives the program no time limit");
        }
        if let Some(reason) = of_the_hook(scenario) {
            return Some(reason);
        }
        if container.remapped {
            return Some("`ctr --rootfs` does not support remapped users");
        }
        let is_plain = container.env.is_empty() && container.gpus.is_none();
        let can_say = container.gpus.as_deref().and_then(numbers).is_some();
        (!is_plain && !can_say).then_some("`ctr --gpus` takes indexes and nothing else")
    }

    fn starts_the_hook(&self) -> bool {
        !self.by_gpus
    }

    fn libraries(&self) -> Option<&'static [&'static str]> {
        const ALL: [&str; 4] = ["libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-encode.so.1", "libGLX_nvidia.so.0"];
        self.by_gpus.then_some(&ALL)
    }

    fn begin(&self, host: &Host) {
        self.daemon.get_or_init(|| Served::start(host));
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        let daemon = self.daemon.get().unwrap();
        let folder = host.path("containers").join(&container.name);
        host.rootfs(&folder.join("rootfs"));
        if container.remapped {
            host.give(&folder.join("rootfs"), REMAPPED);
        }
        // ctr loses the last output of a container that ends at once.
        let mut spec = spec(host, container, &folder.join("rootfs"));
        spec["process"]["args"] = serde_json::json!(unhurried(&container.script));
        fs::write(folder.join("config.json"), spec.to_string()).unwrap();
        let mut seen = vec![self.start(host, container, &daemon.socket)];
        for change in changes {
            change();
            seen.push(self.start(host, container, &daemon.socket));
        }
        fs::remove_dir_all(&folder).unwrap();
        seen
    }
}

/// Why an engine that calls nvidia-container-cli itself cannot run a scenario.
pub fn of_the_hook(scenario: &Scenario) -> Option<&'static str> {
    if !scenario.config.is_empty() || scenario.broken_config.is_some() {
        return Some(
            "an engine that calls nvidia-container-cli without the hook does not read the hook's configuration",
        );
    }
    if scenario.cli_missing {
        return Some("without the hook no configuration says where nvidia-container-cli is");
    }
    let reads = ["NVIDIA_REQUIRE_", "NVIDIA_IMEX_", "CUDA_VERSION"];
    let is_read = |entry: &String| reads.iter().any(|name| entry.starts_with(name));
    scenario
        .container
        .env
        .iter()
        .any(is_read)
        .then_some("`ctr --gpus` passes devices on, and nothing that the image says")
}

/// The test's own daemon.
struct Served {
    _daemon: Daemon,
    socket: String,
}

impl Served {
    fn start(host: &Host) -> Served {
        let place = |what: &str| host.path(&format!("containerd.{what}"));
        let settings = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = {:?}\n",
            place("root"),
            place("state"),
            place("socket")
        );
        fs::write(place("toml"), settings).unwrap();
        let socket = place("socket").to_str().unwrap().to_owned();
        let mut containerd = command("containerd", host);
        let daemon = Daemon::start(containerd.arg("--config").arg(place("toml")), &place("log"), || {
            command("ctr", host).args(["--address", &socket, "version"]).output().unwrap().status.success()
        });
        Served { _daemon: daemon, socket }
    }
}
