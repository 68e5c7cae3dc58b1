//! The hook, the real nvidia-container-cli, a real GPU. Needs root, util-linux (`unshare`) and a driver;
//! `NVIDIA_CONTAINER_CLI` names the program if PATH does not find it. The container is a scratch directory in its own
//! mount namespace, so nothing on the machine changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What a machine must have, and where it is.
struct Hardware {
    cli: PathBuf,
    driver: String,
}

impl Hardware {
    /// Finds everything, or fails with a list of what is missing.
    fn find() -> Self {
        let mut missing = Vec::new();
        let cli = cli().unwrap_or_else(|| {
            missing.push("nvidia-container-cli (NVIDIA_CONTAINER_CLI, or in PATH)");
            PathBuf::new()
        });
        let driver = fs::read_to_string("/sys/module/nvidia/version").unwrap_or_else(|_| {
            missing.push("a loaded NVIDIA driver (/sys/module/nvidia/version)");
            String::new()
        });
        if !Path::new("/dev/nvidiactl").exists() {
            missing.push("a GPU (/dev/nvidiactl)");
        }
        if !nix::unistd::geteuid().is_root() {
            missing.push("root, to make a mount namespace");
        }
        assert!(missing.is_empty(), "this machine lacks: {}", missing.join("; "));
        Hardware { cli, driver: driver.trim().to_owned() }
    }
}

fn cli() -> Option<PathBuf> {
    let named = std::env::var_os("NVIDIA_CONTAINER_CLI").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join("nvidia-container-cli"));
    named.into_iter().chain(found).find(|file| file.is_file()).and_then(|file| file.canonicalize().ok())
}

fn hook() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_nvidia-container-runtime-hook"));
    std::env::var_os("HOOK_BIN").map_or_else(built, PathBuf::from)
}

/// A bundle with a scratch root filesystem.
struct Container(TempDir);

impl Container {
    fn new(hardware: &Hardware, variables: &[&str], configuration: &str) -> Self {
        let container = Container(TempDir::new().unwrap());
        for directory in ["dev", "proc", "sys", "etc", "usr/bin", "usr/lib64", "sbin", "tmp"] {
            fs::create_dir_all(container.rootfs().join(directory)).unwrap();
        }
        let spec = serde_json::json!({
            "ociVersion": "1.0.2",
            "process": {"env": variables, "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
            "root": {"path": "rootfs"},
        });
        fs::write(container.path("config.json"), spec.to_string()).unwrap();
        let cli = hardware.cli.display();
        // ldconfig has nothing to do in an empty root, and device cgroups are not tested here.
        let config = format!("{configuration}\n[nvidia-container-cli]\npath = \"{cli}\"\nno-cgroups = true\n");
        fs::write(container.path("config.toml"), config).unwrap();
        container
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn rootfs(&self) -> PathBuf {
        self.path("rootfs")
    }

    /// Starts the hook in a mount namespace and then lists the root filesystem: the mounts of nvidia-container-cli end
    /// with the namespace.
    fn start(&self) -> Output {
        let script = r#"
            mount --bind "$ROOTFS" "$ROOTFS" && mount -t proc proc "$ROOTFS/proc" &&
            printf '{"pid": %s, "bundle": "%s"}' $$ "$BUNDLE" | "$HOOK" -config "$BUNDLE/config.toml" prestart &&
            cd "$ROOTFS" && find dev usr proc/driver
        "#;
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-euc", script])
            .env("ROOTFS", self.rootfs())
            .env("BUNDLE", self.0.path())
            .env("HOOK", hook())
            .output()
            .expect("unshare of util-linux")
    }

    /// Starts the hook, which must succeed, and returns the paths in the root filesystem.
    fn files(&self) -> Vec<String> {
        let output = self.start();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn has(files: &[String], name: &str) -> bool {
    files.iter().any(|file| file.ends_with(name))
}

#[test]
fn a_gpu_container_gets_device_nodes_and_driver_libraries() {
    let hardware = Hardware::find();
    let files = Container::new(&hardware, &["NVIDIA_VISIBLE_DEVICES=all"], "").files();
    let device = |file: &String| file.strip_prefix("dev/nvidia").is_some_and(|rest| rest.parse::<u32>().is_ok());
    assert!(has(&files, "dev/nvidiactl") && files.iter().any(device), "{files:#?}");
    for library in ["libnvidia-ml.so", "libcuda.so"] {
        assert!(has(&files, &format!("{library}.{}", hardware.driver)), "no {library}: {files:#?}");
    }
    assert!(has(&files, "bin/nvidia-smi"), "{files:#?}");
}

#[test]
fn a_container_without_devices_gets_driver_libraries_only() {
    let hardware = Hardware::find();
    let variables = ["NVIDIA_VISIBLE_DEVICES=none", "NVIDIA_DRIVER_CAPABILITIES=utility"];
    let files = Container::new(&hardware, &variables, "").files();
    assert!(has(&files, &format!("libnvidia-ml.so.{}", hardware.driver)), "{files:#?}");
    assert!(!files.iter().any(|file| file == "dev/nvidia0"), "{files:#?}");
    assert!(!has(&files, &format!("libcuda.so.{}", hardware.driver)), "{files:#?}");
}

#[test]
fn a_container_that_asks_for_nothing_gets_nothing() {
    let hardware = Hardware::find();
    let files = Container::new(&hardware, &["PATH=/bin"], "").files();
    assert!(!files.iter().any(|file| file.contains("nvidia") && !file.starts_with("proc/")), "{files:#?}");
}

#[test]
fn an_unknown_device_stops_the_container_with_the_words_of_the_cli() {
    let hardware = Hardware::find();
    let output = Container::new(&hardware, &["NVIDIA_VISIBLE_DEVICES=no-such-gpu"], "").start();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("no-such-gpu: unknown device"), "{said}");
}

#[test]
fn an_impossible_requirement_stops_the_container() {
    let hardware = Hardware::find();
    let variables = ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_REQUIRE_CUDA=cuda>=99.0"];
    let output = Container::new(&hardware, &variables, "").start();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("unsatisfied condition: cuda>=99.0"), "{said}");
}
