//! The runtimes below the engines: runc, crun and youki, each with a bundle that has the hook in `hooks.prestart`; and
//! a runtime that adds the hook itself, as NVIDIA's does for engines that are configured to use it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::{Value, json};

use super::engine::{Change, Container, Engine, SEARCH_PATH, Seen, command, installed, version};
use super::host::{Host, REMAPPED};
use super::sandbox::locks_memory;
use super::scenario::Scenario;

/// A runtime that is called with a bundle.
pub struct Runtime {
    /// The name of the program.
    pub program: &'static str,
}

impl Runtime {
    /// `YOUKI` names the program of youki if no package has it.
    fn program(&self) -> PathBuf {
        let named = std::env::var_os(self.program.to_uppercase());
        named.map_or_else(|| PathBuf::from(self.program), PathBuf::from)
    }

    fn start(&self, host: &Host, container: &Container, bundle: &Path) -> Seen {
        let mut start = command(self.program().to_str().unwrap(), host);
        match self.program {
            "crun" => start.args(["--cgroup-manager", "cgroupfs"]),
            "youki" => start.args(["--log-level", "error"]),
            _ => &mut start,
        };
        start.arg("--root").arg(host.path("state")).args(["run", "--bundle"]).arg(bundle).arg(&container.name);
        Seen::of(&start.output().unwrap())
    }
}

impl Engine for Runtime {
    fn name(&self) -> &'static str {
        self.program
    }

    fn version(&self) -> Result<String, String> {
        if self.program == "crun" {
            locks_memory()?;
        }
        version(self.program().to_str().unwrap(), &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        only_gpus(scenario)
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        let bundle = host.path("containers").join(&container.name);
        host.rootfs(&bundle.join("rootfs"));
        if container.remapped {
            host.give(&bundle.join("rootfs"), REMAPPED);
        }
        let mut spec = spec(host, container, &bundle.join("rootfs"));
        if self.program == "youki" {
            // youki misses the end of a container that ends at once.
            spec["process"]["args"] = json!(unhurried(&container.script));
        }
        fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
        let mut seen = vec![self.start(host, container, &bundle)];
        for change in changes {
            change();
            seen.push(self.start(host, container, &bundle));
        }
        fs::remove_dir_all(&bundle).unwrap();
        seen
    }
}

/// A container's program that ends a moment after its script, for engines that miss a sudden end.
pub fn unhurried(script: &str) -> [&str; 4] {
    ["/bin/sh", "-c", "/bin/sh -c \"$0\"; status=$?; sleep 0.5; exit $status", script]
}

/// Why only Docker can be told what `--gpus` alone says.
pub fn only_gpus(scenario: &Scenario) -> Option<&'static str> {
    let by_variable = scenario.container.env.iter().chain(&scenario.container.mounts).next().is_some();
    let is_gpus_alone = scenario.container.gpus.is_some() && !by_variable;
    is_gpus_alone.then_some("only Docker accepts a number of GPUs")
}

/// A specification as engines write it, with the hook in it.
pub fn spec(host: &Host, container: &Container, rootfs: &Path) -> Value {
    let few = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let all = [&few[..], &["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_NET_ADMIN", "CAP_SYS_CHROOT"]].concat();
    let rights = json!(if container.privileged { all } else { few.to_vec() });
    let mut mounts = vec![
        json!({ "destination": "/proc", "type": "proc", "source": "proc" }),
        json!({ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] }),
    ];
    mounts.extend(container.mounts.iter().map(
        |place| json!({ "destination": place, "type": "bind", "source": "/dev/null", "options": ["bind", "ro"] }),
    ));
    let mut namespaces: Vec<Value> =
        ["pid", "network", "ipc", "uts", "mount"].iter().map(|kind| json!({ "type": kind })).collect();
    let mut linux = json!({ "resources": { "devices": [{ "allow": false, "access": "rwm" }] } });
    if container.remapped {
        namespaces.push(json!({ "type": "user" }));
        for mapping in ["uidMappings", "gidMappings"] {
            linux[mapping] = json!([{ "containerID": 0, "hostID": REMAPPED, "size": 65536 }]);
        }
    }
    linux["namespaces"] = json!(namespaces);
    let path = "PATH=/sbin:/usr/bin:/bin".to_owned();
    let env: Vec<&String> = [&path].into_iter().chain(&container.env).collect();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "cwd": "/",
            "args": ["/bin/sh", "-c", container.script],
            "env": env,
            "noNewPrivileges": true,
            "capabilities": { "bounding": rights, "effective": rights, "permitted": rights },
        },
        "root": { "path": rootfs, "readonly": container.read_only },
        "hostname": "container",
        "mounts": mounts,
        "hooks": { "prestart": [hook(host, container)] },
        "linux": linux,
        // crun writes a hook's output to the file named here, and nowhere otherwise.
        "annotations": { "run.oci.hooks.stderr": "/dev/stderr" },
    })
}

/// The hook as an entry of an engine's file.
pub fn hook(host: &Host, container: &Container) -> Value {
    let mut hook = json!({
        "path": host.hook(),
        "args": ["nvidia-container-runtime-hook", "-config", host.path("config.toml"), "prestart"],
        "env": [format!("PATH={SEARCH_PATH}")],
    });
    if container.is_limited {
        hook["timeout"] = json!(1);
    }
    hook
}

/// The name under which this program is a runtime.
pub const WRAPPING: &str = "runtime-with-the-hook";

/// If this program is called as a runtime, adds the hook to the bundle and becomes runc.
pub fn wrapping_runtime() -> Option<ExitCode> {
    let words: Vec<String> = std::env::args().collect();
    let own = Path::new(&words[0]);
    if own.file_name()? != WRAPPING {
        return None;
    }
    if words.iter().any(|word| word == "create") {
        let at = words.iter().position(|word| word == "--bundle" || word == "-b").unwrap();
        let file = Path::new(&words[at + 1]).join("config.json");
        let mut spec: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let folder = own.parent().unwrap();
        let config = folder.with_file_name("config.toml");
        let entry = json!({
            "path": folder.join("nvidia-container-runtime-hook"),
            "args": ["nvidia-container-runtime-hook", "-config", config, "prestart"],
            "env": [format!("PATH={SEARCH_PATH}")],
        });
        match spec["hooks"]["prestart"].as_array_mut() {
            Some(hooks) => hooks.push(entry),
            None => spec["hooks"]["prestart"] = json!([entry]),
        }
        fs::write(file, spec.to_string()).unwrap();
    }
    let error = Command::new("runc").args(&words[1..]).exec();
    panic!("runc: {error}");
}

/// Whether the programs that an engine needs are here.
pub fn needs(programs: &[&str]) -> Result<(), String> {
    match programs.iter().find(|program| !installed(program)) {
        Some(program) => Err(format!("{program} is not installed")),
        None => Ok(()),
    }
}
