//! A simulated machine through its CDI specification, without any hook: Podman gives a container the requested device,
//! nvidia-smi and NVML in it see that device and no other, and a change on the host is seen at once. With real device
//! nodes the machine has no fault that doctor knows. Needs root, podman, runc, dockerd and a static busybox, all of
//! which `.ci/run` installs; without them it fails, and it skips only a Docker that is too old for CDI by `--device`.
//!
//! `cargo test --features engines --test engines_cdi`
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]
#![allow(clippy::print_stderr, reason = "a skip says why")]

use hook_test_support::daemon::Daemon;
use hook_test_support::programs::static_simulator;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};

/// The Podman stores of two tests at once would share places on the machine that each takes for its own.
static ONE_ENGINE: Mutex<()> = Mutex::new(());

/// A machine in a folder, its specification, and an image.
struct Host {
    top: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    fn new(topology: &str) -> Self {
        let alone = ONE_ENGINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let host = Self { top: tempfile::tempdir().unwrap(), _alone: alone };
        let machine = host.path("host");
        said(host.fake(&["driver-root", "--nodes", "--topology", topology]).arg(&machine));
        let output = host.path("cdi/nvidia.yaml");
        let words = ["cdi", "--library-folder", "/usr/lib64", "--output"];
        said(host.fake(&words).arg(output).arg(machine));
        for folder in ["image/bin", "image/usr/bin", "image/etc"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        fs::copy("/bin/busybox", host.path("image/bin/busybox")).unwrap();
        for applet in ["sh", "ls", "cat", "sleep", "grep", "sort", "test", "wc"] {
            symlink("busybox", host.path("image/bin").join(applet)).unwrap();
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn fake(&self, words: &[&str]) -> Command {
        let mut command = Command::new(static_simulator());
        command.args(words).env_clear().env("PATH", "/usr/bin:/bin").env("FAKE_NVIDIA_CONFIG", "/dev/null");
        command
    }

    /// A command of the simulator on the machine.
    fn on_machine(&self, words: &[&str]) -> String {
        let mut command = self.fake(words);
        said(command.env("FAKE_NVIDIA_CONFIG", self.path("host/etc/fake-nvidia/config.toml")))
    }

    /// The machine in full.
    fn machine(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("host/etc/fake-nvidia/machine.json")).unwrap()).unwrap()
    }

    fn uuid(&self, pointer: &str) -> String {
        self.machine().pointer(pointer).unwrap().as_str().unwrap().to_owned()
    }

    /// `podman run` with devices, up to the image. Podman reads the specifications of /etc/cdi, where it sees the
    /// test's: nothing is installed on the machine.
    fn podman(&self, devices: &[&str]) -> Command {
        const SEE: &str = "mkdir -p /etc/cdi && mount --bind \"$0\" /etc/cdi && exec podman \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "/bin/sh", "-c", SEE]).arg(self.path("cdi"));
        command.args(["--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
        for (flag, name) in [("--root", "storage"), ("--runroot", "run")] {
            command.arg(flag).arg(self.path(name));
        }
        command.args(["run", "--rm", "--network", "none"]);
        // The limits are explicit, because a machine may not allow those that Podman sets by default.
        command.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
        for device in devices {
            command.arg("--device").arg(format!("nvidia.com/gpu={device}"));
        }
        command.arg("--rootfs");
        command
    }

    fn tiny(&self, devices: &[&str], script: &str) -> Command {
        let mut command = self.podman(devices);
        command.arg(self.path("image")).args(["/bin/sh", "-c", script]);
        command
    }

    /// The output of a container that must succeed.
    fn says(&self, devices: &[&str], script: &str) -> String {
        said(&mut self.tiny(devices, script))
    }
}

fn said(command: &mut Command) -> String {
    let output: Output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const LIST: &str = "nvidia-smi -L";
const NODES: &str = "cd /dev && ls -d nvidia* | sort";

#[test]
fn podman_gives_a_container_exactly_the_device_that_was_asked_for() {
    let host = Host::new("h100");
    let (first, second) = (host.uuid("/gpus/1/uuid"), host.uuid("/gpus/6/uuid"));
    let line = |at: usize, uuid: &str| format!("GPU {at}: NVIDIA H100 80GB HBM3 (UUID: {uuid})\n");
    assert_eq!(host.says(&["1"], LIST), line(0, &first));
    assert_eq!(host.says(&["6", &first], LIST), line(0, &first) + &line(1, &second));
    assert_eq!(host.says(&["all"], LIST).lines().count(), 8);
    let nodes = host.says(&["1"], NODES);
    assert_eq!(nodes, "nvidia-modeset\nnvidia-uvm\nnvidia-uvm-tools\nnvidia1\nnvidiactl\n");
    let files = host.says(&["1"], "ls /usr/lib64/libcuda.so.1 /usr/lib64/libnvidia-ml.so.1 /usr/bin/nvidia-debugdump");
    assert_eq!(files.lines().count(), 3);
}

#[test]
fn a_part_is_given_with_its_gpu_and_no_other_part() {
    let host = Host::new("a100-mig");
    let listed = host.says(&["1:2"], LIST);
    let (gpu, part) = (host.uuid("/gpus/1/uuid"), host.uuid("/gpus/1/mig/2/uuid"));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains(&gpu) && listed.contains(&part), "{listed}");
    assert_eq!(host.says(&["1:2"], "ls /dev/nvidia-caps | wc -l").trim(), "2");
}

#[test]
fn a_change_on_the_host_is_seen_in_a_container_that_runs() {
    let host = Host::new("h100");
    let query = "nvidia-smi --query-gpu=temperature.gpu --format=csv,noheader";
    let given = "grep -c '^temperature.gpu 93$' /run/fake-nvidia/given";
    let script = format!("{query}; echo ready; sleep 1; until {given}; do sleep 1; done; {query}");
    let mut child = host.tiny(&["2"], &script).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut before = String::new();
    while !before.ends_with("ready\n") {
        assert_ne!(std::io::BufRead::read_line(&mut stdout, &mut before).unwrap(), 0, "{before}");
    }
    assert!(!before.starts_with("93"), "{before}");
    host.on_machine(&["set", "2", "temperature.gpu=93"]);
    let mut after = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut after).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(after.ends_with("1\n93\n"), "{after}");
}

#[test]
fn the_libraries_in_a_container_see_what_nvidia_smi_sees() {
    let host = Host::new("a100-mig");
    let prepared = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian");
    assert!(prepared.join("etc/debian_version").exists(), "{}: .ci/run prepares it", prepared.display());
    // Perl is the only language of a minimal Debian: it loads the library and looks its functions up.
    let script = r#"
        require DynaLoader;
        my $library = DynaLoader::dl_load_file("/usr/lib64/libnvidia-ml.so.1") or die DynaLoader::dl_error();
        for my $name ("nvmlInit_v2", "nvmlDeviceGetCount_v2") { DynaLoader::dl_find_symbol($library, $name) or die $name }
        print "loaded\n";
    "#;
    let mut command = host.podman(&["1:2"]);
    command.arg(format!("{}:O", prepared.display()));
    assert_eq!(said(command.args(["perl", "-e", script])), "loaded\n");
}

#[test]
fn a_machine_with_real_nodes_has_no_fault() {
    for topology in ["t4", "a100-mig", "gb200"] {
        let host = Host::new(topology);
        let mut doctor = Command::new(env!("CARGO"));
        doctor.args(["run", "--quiet", "--package", "nvidia-hookctl", "--", "doctor", "--host-root"]);
        let report = said(doctor.arg(host.path("host")).current_dir(env!("CARGO_MANIFEST_DIR")));
        assert!(report.contains("None of the"), "{topology}: {report}");
    }
}

#[test]
fn the_simulator_in_its_own_machine_lists_it() {
    let host = Host::new("mixed");
    let inside = |words: &[&str]| {
        let mut command = Command::new("/usr/sbin/chroot");
        said(command.arg(host.path("host")).args(words).env_clear().env("PATH", "/usr/bin"))
    };
    assert_eq!(inside(&["nvidia-container-cli", "list"]), host.on_machine(&["list"]));
    assert!(inside(&["nvidia-smi", "-L"]).lines().count() == 3);
}

#[test]
fn ldconfig_would_write_the_same_cache() {
    let host = Host::new("h100");
    let root = host.path("host");
    let listed = |cache: &Path| {
        let printed = said(Command::new("/sbin/ldconfig").arg("-p").arg("-C").arg(cache));
        printed.lines().filter(|line| line.contains("=>")).map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = listed(&root.join("etc/ld.so.cache"));
    assert!(ours.iter().any(|line| line.contains("libcuda.so.1 (libc6,x86-64)")) || cfg!(target_arch = "aarch64"));
    said(Command::new("/sbin/ldconfig").arg("-X").arg("-r").arg(&root));
    assert_eq!(ours, listed(&root.join("etc/ld.so.cache")));
}

#[test]
fn docker_gives_a_container_exactly_the_device_that_was_asked_for() {
    let version = said(Command::new("dockerd").arg("--version"));
    let major: u32 = version.split([' ', '.']).find_map(|word| word.parse().ok()).unwrap();
    if major < 25 {
        eprintln!("skipped: {}: docker --device knows CDI from version 25 on", version.trim());
        return;
    }
    let host = Host::new("h100");
    let config = format!("{{\"features\": {{\"cdi\": true}}, \"cdi-spec-dirs\": [{:?}]}}", host.path("cdi"));
    fs::write(host.path("daemon.json"), config).unwrap();
    let mut command = Command::new("dockerd");
    command.args([
        "--iptables=false",
        "--ip6tables=false",
        "--bridge=none",
        "--exec-opt",
        "native.cgroupdriver=cgroupfs",
    ]);
    for (flag, name) in [("--config-file", "daemon.json"), ("--data-root", "data"), ("--exec-root", "exec")] {
        command.arg(flag).arg(host.path(name));
    }
    let socket = format!("unix://{}", host.path("socket").display());
    command.arg("--pidfile").arg(host.path("pid")).arg("--host").arg(&socket);
    let client = |words: &[&str]| {
        let mut command = Command::new("docker");
        command.arg("--host").arg(&socket).args(words);
        command
    };
    let _daemon =
        Daemon::start(&mut command, &host.path("log"), || client(&["info"]).output().unwrap().status.success());
    let archive = host.path("image.tar");
    said(Command::new("tar").arg("-C").arg(host.path("image")).arg("-cf").arg(&archive).arg("."));
    said(client(&["import"]).arg(archive).arg("tiny"));
    let device = "nvidia.com/gpu=1";
    let listed =
        said(&mut client(&["run", "--rm", "--network", "none", "--device", device, "tiny", "/bin/sh", "-c", LIST]));
    assert_eq!(listed, format!("GPU 0: NVIDIA H100 80GB HBM3 (UUID: {})\n", host.uuid("/gpus/1/uuid")));
}
