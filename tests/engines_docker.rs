//! `docker run --gpus` and `podman run` as a user types them: the engine starts the hook, the hook the simulator, and the
//! container looks around. Needs root, dockerd, podman, runc and a static busybox, all of which `.ci/run` installs; it does
//! not skip without them.
//!
//! `cargo test --features engines --test engines_docker`
#![allow(clippy::disallowed_methods, reason = "a test makes and reads files and starts programs")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hook_test_support::programs::static_simulator;

/// Two daemons at once would share what each takes for its own on the machine.
static ONE_ENGINE: Mutex<()> = Mutex::new(());

/// What both engines need: the hook by its name, its configuration, and a tiny image.
struct Host {
    top: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    fn new() -> Self {
        let alone = ONE_ENGINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let host = Self { top: tempfile::tempdir().unwrap(), _alone: alone };
        fs::set_permissions(host.top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["bin", "image/bin", "hooks"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        let built = env!("CARGO_BIN_EXE_nvidia-container-runtime-hook");
        let hook = std::env::var_os("HOOK_BIN").unwrap_or_else(|| built.into());
        symlink(hook, host.path("bin/nvidia-container-runtime-hook")).unwrap();
        fs::copy("/bin/busybox", host.path("image/bin/busybox")).unwrap();
        for applet in ["sh", "ls", "cat", "readlink", "grep", "sort"] {
            symlink("busybox", host.path("image/bin").join(applet)).unwrap();
        }
        let config = format!(
            "[nvidia-container-cli]\npath = {:?}\nenvironment = [\"FAKE_NVIDIA_CONFIG=/dev/null\", \
             \"FAKE_NVIDIA_APPLY=mounts\", \"FAKE_NVIDIA_TOPOLOGY=h100\"]\n",
            static_simulator()
        );
        fs::write(host.path("config.toml"), config).unwrap();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The search path of an engine: the hook first.
    fn search_path(&self) -> String {
        format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.path("bin").display())
    }
}

/// A Docker daemon of the test's own, which leaves networks and everything else of the machine alone.
struct Docker {
    host: Host,
    daemon: Child,
}

impl Docker {
    fn start(words: &[&str]) -> Self {
        let host = Host::new();
        let mut command = Command::new("dockerd");
        command.args(["--iptables=false", "--ip6tables=false", "--bridge=none"]);
        command.args(["--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs"]).args(words);
        for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(flag).arg(host.path(name));
        }
        command.arg("--host").arg(format!("unix://{}", host.path("socket").display()));
        command.env("PATH", host.search_path()).env("NVIDIA_CTK_CONFIG_FILE_PATH", host.path("config.toml"));
        let log = fs::File::create(host.path("log")).unwrap();
        let daemon = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().expect("dockerd");
        let docker = Self { host, daemon };
        docker.is_up();
        let mut import = docker.client(&["import", "-", "tiny"]);
        let mut archive = Command::new("tar");
        archive.arg("-C").arg(docker.host.path("image")).args(["-c", "."]);
        let mut archive = archive.stdout(Stdio::piped()).spawn().unwrap();
        assert!(import.stdin(archive.stdout.take().unwrap()).status().unwrap().success());
        assert!(archive.wait().unwrap().success());
        docker
    }

    fn is_up(&self) {
        for _ in 0..600 {
            if self.client(&["info"]).output().unwrap().status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no daemon: {}", fs::read_to_string(self.host.path("log")).unwrap());
    }

    fn client(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.host.path("socket").display())).args(words);
        command
    }

    fn run(&self, words: &[&str], script: &str) -> Output {
        let all = [&["run", "--rm", "--network", "none"], words, &["tiny", "/bin/sh", "-c", script]].concat();
        self.client(&all).output().unwrap()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // Asked to end, it takes its mounts along.
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.daemon.id()).unwrap());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.daemon.wait();
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

const LOOK: &str = "nvidia-smi -L; ls /dev | grep nvidia | sort; readlink /usr/lib64/libcuda.so.1; ls -ldn /usr/lib64";

/// What a container that was given GPU 1 of `h100` shows.
fn shows_one_gpu(said: &str) {
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.first().unwrap().starts_with("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-"), "{said}");
    assert!(said.contains("\nlibcuda.so.570.172.08\n") && said.contains(" 0        0 "), "{said}");
}

#[test]
fn docker_gives_a_container_the_gpu_that_was_asked_for() {
    let docker = Docker::start(&[]);
    shows_one_gpu(&said(&docker.run(&["--gpus", "device=1"], LOOK)));
    let nodes = said(&docker.run(&["--gpus", "device=1"], "cd /dev && echo nvidia?"));
    assert_eq!(nodes, "nvidia1\n");
    let refused = docker.run(&["--gpus", "device=9"], "true");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nvidia-container-cli: device error: 9: unknown device"));
    assert_eq!(said(&docker.run(&[], "cd /dev && echo nvidia?")), "nvidia?\n");
}

#[test]
fn docker_with_remapped_users_does_so_too() {
    let docker = Docker::start(&["--userns-remap=default"]);
    shows_one_gpu(&said(&docker.run(&["--gpus", "device=1"], LOOK)));
}

#[test]
fn podman_gives_a_container_the_gpu_that_was_asked_for() {
    let host = Host::new();
    let hook = format!(
        "{{\"version\": \"1.0.0\", \"when\": {{\"always\": true}}, \"stages\": [\"prestart\"], \"hook\": {{\"path\": {:?}, \
         \"args\": [\"nvidia-container-runtime-hook\", \"-config\", {:?}, \"prestart\"], \"env\": [\"PATH=/usr/bin:/bin\"]}}}}",
        host.path("bin/nvidia-container-runtime-hook"),
        host.path("config.toml")
    );
    fs::write(host.path("hooks/nvidia.json"), hook).unwrap();
    let mut command = Command::new("podman");
    command.args(["--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
    for (flag, name) in [("--hooks-dir", "hooks"), ("--root", "storage"), ("--runroot", "run")] {
        command.arg(flag).arg(host.path(name));
    }
    // The limits are given, since a machine may not allow those that podman sets by itself.
    command.args(["run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
    command.args(["--env", "NVIDIA_VISIBLE_DEVICES=1", "--rootfs"]).arg(host.path("image"));
    shows_one_gpu(&said(&command.args(["/bin/sh", "-c", LOOK]).output().expect("podman")));
}
