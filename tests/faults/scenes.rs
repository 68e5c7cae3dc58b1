//! The starts that meet failures: each kind of machine whose files decide about the command line, put on disk once. Must not
//! know which failures they meet.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hook_test_support::programs;
use nix::libc;
use nvidia_hook_conformance::case::usual_scene;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::scene::{HOOK, Node, Scene};
use nvidia_hook_conformance::tree;
use tempfile::TempDir;

use super::trace::Start;

const CONFIG_TOML: &str = "/etc/nvidia-container-runtime/config.toml";
const DRIVER_TOML: &str = "/run/nvidia/driver/etc/nvidia-container-runtime/config.toml";
const CONFIG_JSON: &str = "/bundle/config.json";
/// The file for the line about a start.
const LOG: &str = "/var/log/hook.log";
const SYSLOG: &str = "/dev/log";

/// Something that the specification allows to be passed over if it cannot be reached: a file, the errors that count,
/// and the scene whose outcome is then right.
type PassedOver = (&'static str, &'static [i32], fn(&mut Scene));

/// A start.
#[derive(Clone)]
pub struct Setting {
    /// What it shows, in a word.
    pub name: &'static str,
    change: fn(&mut Scene),
    /// The file that is written to.
    pub log: Option<&'static str>,
    /// What may be passed over.
    pub passed_over: &'static [PassedOver],
    /// It uses the machine's own root.
    direct: bool,
}

/// A start, on disk.
pub struct Place {
    folder: TempDir,
    daemon: Option<UnixDatagram>,
    log: Option<PathBuf>,
    /// How the hook is started there.
    pub start: Start,
}

const fn setting(name: &'static str, change: fn(&mut Scene)) -> Setting {
    Setting { name, change, log: None, passed_over: &[], direct: false }
}

/// A program that exists but may not be executed is passed over (SPEC 11).
const NEXT_PROGRAM: PassedOver = ("/usr/local/bin/nvidia-container-cli", &[libc::EACCES], |scene| {
    scene.remove("/usr/local/bin/nvidia-container-cli")
});
/// The configuration of a driver that cannot be reached counts as absent (SPEC 3).
const NO_DRIVER: PassedOver =
    (DRIVER_TOML, &[libc::EACCES, libc::ELOOP, libc::ESTALE], |scene| scene.remove(DRIVER_TOML));
const NO_DRIVERS_PROGRAM: PassedOver = ("/run/nvidia/driver/usr/bin/nvidia-container-cli", &[libc::EACCES], |scene| {
    scene.remove("/run/nvidia/driver/usr/bin/nvidia-container-cli");
});

/// Every start.
pub fn all() -> Vec<Setting> {
    vec![
        setting("usual", |_| {}),
        Setting { passed_over: &[NEXT_PROGRAM], ..setting("suse with two programs", suse) },
        setting("rootless by the namespace", |scene| {
            rootless(scene);
            scene.put("/proc/self/uid_map", Node::text("         0     100000      65536\n"));
        }),
        setting("rootless by the user", |scene| {
            rootless(scene);
            scene.put("/proc/self/status", Node::text("Name:\thook\nUid:\t0\t1000\t0\t0\n"));
        }),
        setting("asked and found to be root", rootless),
        setting("tegra by both marks", |scene| {
            tegra_file(scene);
            tegra_family(scene);
        }),
        setting("an integrated GPU without tegra files", |scene| {
            scene.put("/sys/module/nvgpu", Node::Directory { mode: 0o755 });
        }),
        setting("tegra by its family", tegra_family),
        setting("tegra by its file", tegra_file),
        setting("tegra with a discrete GPU", tegra_with_discrete),
        setting("a large config.json", large),
        setting("a long list of devices", |scene| {
            let devices: Vec<String> = (0..12_000).map(|device| device.to_string()).collect();
            spec(scene, &format!(r#"["NVIDIA_VISIBLE_DEVICES={}"]"#, devices.join(",")));
        }),
        Setting {
            passed_over: &[NO_DRIVER, NO_DRIVERS_PROGRAM],
            ..setting("two configurations and a driver root", driver)
        },
        Setting { log: Some(LOG), ..setting("a log file", |scene| note(scene, LOG)) },
        Setting { log: Some(SYSLOG), ..setting("a log daemon", |scene| note(scene, "syslog")) },
        setting("no GPU", |scene| spec(scene, r#"["A=b"]"#)),
        setting("an ignored request", |scene| {
            scene.put(CONFIG_TOML, Node::text("accept-nvidia-visible-devices-envvar-when-unprivileged = false"));
        }),
        setting("debug", |scene| scene.args.insert(0, b"-debug".to_vec())),
        setting("a broken configuration", |scene| scene.put(CONFIG_TOML, Node::text("disable-require = 1"))),
        setting("everything", everything),
        Setting { direct: true, ..setting("the machine's own root", |_| {}) },
    ]
}

fn spec(scene: &mut Scene, env: &str) {
    let text = format!(r#"{{"ociVersion": "1.0.2", "process": {{"env": {env}}}, "root": {{"path": "rootfs"}}}}"#);
    scene.put(CONFIG_JSON, Node::text(text));
}

fn suse(scene: &mut Scene) {
    scene.put("/etc/os-release", Node::text("ID=sles\nID_LIKE=\"suse\"\n"));
    scene.put("/usr/local/bin/nvidia-container-cli", Node::EXECUTABLE_CLI);
    scene.put("/sbin/ldconfig.real", Node::text("a program"));
}

fn rootless(scene: &mut Scene) {
    scene.put(CONFIG_TOML, Node::text("nvidia-container-runtime-hook.rootless = \"auto\""));
    scene.put("/proc/self/uid_map", Node::text("         0          0 4294967295\n"));
    scene.put("/proc/self/status", Node::text("Uid:\t0\t0\t0\t0\n"));
}

fn tegra_file(scene: &mut Scene) {
    scene.put("/etc/nv_tegra_release", Node::text("# R36"));
}

fn tegra_family(scene: &mut Scene) {
    scene.put("/sys/devices/soc0/family", Node::text("Tegra\n"));
}

fn tegra_with_discrete(scene: &mut Scene) {
    scene.put("/etc/nv_tegra_release", Node::text("# R36"));
    scene.put("/usr/lib64/libnvidia-ml.so.1", Node::text("ELF"));
    for slot in ["0000:01:00.0", "0000:02:00.0"] {
        let text = "Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ:   \t\t 1\n";
        scene.put(&format!("/proc/driver/nvidia/gpus/{slot}/information"), Node::text(text));
    }
}

fn large(scene: &mut Scene) {
    let text = format!(
        r#"{{"annotations": {{"filler": "{}"}}, "ociVersion": "1.0.2",
        "process": {{"env": ["NVIDIA_VISIBLE_DEVICES=0"]}}, "root": {{"path": "rootfs"}}}}"#,
        "x".repeat(1 << 20)
    );
    scene.put(CONFIG_JSON, Node::text(text));
}

fn driver(scene: &mut Scene) {
    scene.put(CONFIG_TOML, Node::text("disable-require = true"));
    scene.put(DRIVER_TOML, Node::text("nvidia-container-cli.root = \"/run/nvidia/driver\""));
    scene.put("/run/nvidia/driver/usr/bin/nvidia-container-cli", Node::EXECUTABLE_CLI);
    spec(scene, r#"["NVIDIA_VISIBLE_DEVICES=0", "NVIDIA_REQUIRE_CUDA=cuda>=12.4"]"#);
}

fn note(scene: &mut Scene, target: &str) {
    scene.put("/var/log", Node::Directory { mode: 0o755 });
    scene.put("/dev", Node::Directory { mode: 0o755 });
    scene.environ.push(format!("NVIDIA_CONTAINER_HOOK_LOG={target}").into_bytes());
}

fn everything(scene: &mut Scene) {
    let config = r#"
accept-nvidia-visible-devices-as-volume-mounts = true
[nvidia-container-cli]
environment = ["A=b"]
debug = "/var/log/cli.log"
user = "root:video"
[nvidia-container-runtime-hook]
sanitize-environment = true
"#;
    scene.put(CONFIG_TOML, Node::text(config));
    scene.environ.push(b"LD_PRELOAD=/evil.so".to_vec());
    let text = r#"{"ociVersion": "1.0.2", "root": {"path": "rootfs"},
        "process": {"capabilities": {"bounding": ["CAP_SYS_ADMIN"]}, "env": ["NVIDIA_VISIBLE_DEVICES=all",
            "NVIDIA_DRIVER_CAPABILITIES=all", "NVIDIA_REQUIRE_CUDA=cuda>=12.4", "NVIDIA_MIG_CONFIG_DEVICES=all"]},
        "mounts": [{"source": "/dev/null", "destination": "/var/run/nvidia-container-devices/3"},
            {"source": "/dev/null", "destination": "/var/run/nvidia-container-devices/imex/1"}]}"#;
    scene.put(CONFIG_JSON, Node::text(text));
}

impl Setting {
    /// Puts it on disk.
    pub fn place(&self) -> Place {
        self.placed(|_| {})
    }

    /// Puts it on disk as if something had been passed over.
    pub fn place_without(&self, which: usize) -> Place {
        self.placed(self.passed_over[which].2)
    }

    fn placed(&self, change: fn(&mut Scene)) -> Place {
        static USUAL: LazyLock<Scene> = LazyLock::new(|| usual_scene(&Fixtures::read(&programs::fixtures()).unwrap()));
        let mut scene = USUAL.clone();
        (self.change)(&mut scene);
        change(&mut scene);
        let folder = tempfile::Builder::new().prefix("f").rand_bytes(8).tempdir().unwrap();
        // The program is never executed, so any file with its permissions will do.
        for (_, node) in &mut scene.files {
            if let Node::Cli { mode } = node {
                *node = Node::File { content: b"#!/bin/false\n".to_vec(), mode: *mode };
            }
        }
        tree::make(folder.path(), &scene, Path::new("")).unwrap();
        let log = self.log.map(|log| tree::below(folder.path(), log));
        let daemon = log.as_ref().filter(|_| self.log == Some(SYSLOG)).map(|socket| {
            let daemon = UnixDatagram::bind(socket).unwrap();
            daemon.set_nonblocking(true).unwrap();
            daemon
        });
        let start = self.start(&scene, folder.path());
        Place { folder, daemon, log, start }
    }

    fn start(&self, scene: &Scene, root: &Path) -> Start {
        let mut argv: Vec<OsString> = vec![HOOK.into()];
        let mut environ: Vec<(OsString, OsString)> = scene.environ.iter().map(|entry| pair(entry)).collect();
        let mut stdin = scene.stdin.content.clone();
        if self.direct {
            // The configuration answers every question that would reach this machine.
            let config = format!(
                "[nvidia-container-cli]\nldconfig = \"@{root}/sbin/ldconfig\"\nuser = \"root\"\n\
                 [nvidia-container-runtime-hook]\nskip-mode-detection = true\n",
                root = root.display()
            );
            std::fs::create_dir(root.join("sbin")).unwrap();
            std::fs::write(root.join("config.toml"), config).unwrap();
            argv.extend(["-config".into(), root.join("config.toml").into()]);
            environ = vec![("PATH".into(), root.join("usr/bin").into())];
            stdin = format!(r#"{{"pid": 1, "bundle": "{}"}}"#, root.join("bundle").display()).into_bytes();
        } else {
            argv.extend(["-host-root".into(), root.into()]);
        }
        argv.extend(scene.args.iter().map(|word| OsString::from_vec(word.clone())));
        Start {
            program: programs::hook(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook")),
            argv,
            environ,
            cwd: root.to_path_buf(),
            stdin,
            lacks: Vec::new(),
        }
    }
}

fn pair(entry: &[u8]) -> (OsString, OsString) {
    let at = entry.iter().position(|byte| *byte == b'=').unwrap();
    (OsString::from_vec(entry[..at].to_vec()), OsString::from_vec(entry[at + 1..].to_vec()))
}

impl Place {
    /// Restores it to the state before the last start.
    pub fn reset(&self) {
        match (&self.daemon, &self.log) {
            (Some(daemon), _) => while daemon.recv(&mut [0; 1 << 16]).is_ok() {},
            (None, Some(log)) => drop(std::fs::remove_file(log)),
            (None, None) => {}
        }
    }

    /// The folder that is its root.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The file or socket that is written to.
    pub fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }
}
