//! A machine as a folder: it is the same machine for everyone who loads its library, starts its programs or reads its
//! files, and `set` changes it for all of them.

use super::c_caller::Caller;
use super::programs;
use super::sandbox::Sandbox;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

struct Root {
    sandbox: Sandbox,
}

impl Root {
    fn of(topology: &str) -> Self {
        let root = Self { sandbox: Sandbox::new() };
        let said = root.lay(topology);
        assert!(said.contains("empty files"), "{said}");
        root
    }

    /// Lays out the machine; returns what was printed on standard error.
    fn lay(&self, topology: &str) -> String {
        let words = ["driver-root", "host", "--topology", topology];
        let output = self.sandbox.named("fake-nvidia-container-cli", &words).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim_end(),
            self.path("").to_str().unwrap().trim_end_matches('/')
        );
        said
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path("host").join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// A command of the simulator on this machine.
    fn fake(&self, words: &[&str]) -> String {
        let mut command = Command::new(programs::fake());
        command.args(words).env_clear().env("PATH", "/usr/bin");
        said(command.env("FAKE_NVIDIA_CONFIG", self.path("etc/fake-nvidia/config.toml")))
    }

    fn smi(&self, words: &[&str]) -> String {
        said(
            Command::new(self.path("usr/bin/nvidia-smi"))
                .args(words)
                .env_clear()
                .env("FAKE_NVIDIA_CONFIG", "/dev/null"),
        )
    }

    fn nvml(&self) -> Caller {
        let nvml = Caller::load(&self.path(LIBRARIES).join("libnvidia-ml.so.1"));
        assert_eq!(nvml.call("nvmlInit_v2", &[]), 0);
        nvml
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn no_link_of_a_machine_leads_nowhere() {
    for line in ["a100-mig", "gb200", "laptop"] {
        let root = Root::of(line);
        let mut folders = vec![root.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                assert!(!kind.is_symlink() || entry.path().exists(), "{line}: {:?}", entry.path());
                if kind.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
    }
}

#[test]
fn the_library_the_programs_and_the_kernel_show_the_same_gpus() {
    let root = Root::of("mixed");
    let nvml = root.nvml();
    let (_, count) = nvml.number("nvmlDeviceGetCount_v2", &[]);
    assert_eq!(count, 3);
    let listed = root.smi(&["--query-gpu=uuid,name,pci.bus_id", "--format=csv,noheader"]);
    for (at, line) in (0..count).zip(listed.lines()) {
        let fields: Vec<&str> = line.split(", ").collect();
        assert_eq!(nvml.text("nvmlDeviceGetUUID", &[nvml.gpu(at)], 96).unwrap(), fields[0]);
        let bus = fields[2].to_ascii_lowercase();
        let bus = bus.strip_prefix("0000").unwrap_or(&bus);
        let information = root.text(&format!("proc/driver/nvidia/gpus/{bus}/information"));
        assert!(information.contains(&format!("Model: \t\t {}\n", fields[1])), "{information}");
        assert!(information.contains(&format!("GPU UUID: \t {}\n", fields[0])), "{information}");
        let device = format!("sys/bus/pci/devices/{bus}");
        assert_eq!(root.text(&format!("{device}/vendor")), "0x10de\n");
        assert_eq!(
            fs::canonicalize(root.path(&device).join("driver")).unwrap(),
            root.path("sys/bus/pci/drivers/nvidia")
        );
        let (_, minor) = nvml.number("nvmlDeviceGetMinorNumber", &[nvml.gpu(at)]);
        assert!(root.path(&format!("dev/nvidia{minor}")).exists());
    }
    // The command line finds the machine by its settings.
    assert_eq!(root.fake(&["info"]).matches("GPU UUID").count(), 3);
}

/// Scripts that unload or look for a driver read these counts.
#[test]
fn modules_are_used_as_often_as_the_kernel_lists() {
    let root = Root::of("t4");
    let state = |name: &str, file: &str| root.text(&format!("sys/module/{name}/{file}"));
    for (name, used) in [("nvidia", "2"), ("nvidia_modeset", "1"), ("nvidia_drm", "0"), ("nvidia_uvm", "0")] {
        assert_eq!((state(name, "refcnt"), state(name, "initstate")), (format!("{used}\n"), "live\n".to_owned()));
        assert!(root.text("proc/modules").contains(&format!("{name} 1048576 {used} ")), "{name}");
    }
}

/// Whether an ELF file names a program that loads its libraries (PT_INTERP); a static one names none.
fn asks_for_a_loader(elf: &[u8]) -> bool {
    let number = |at: usize| usize::from(u16::from_le_bytes([elf[at], elf[at + 1]]));
    let (headers, size, count) = (number(32), number(54), number(56));
    (0..count).any(|header| number(headers + header * size) == 3)
}

#[test]
fn what_the_folder_cannot_do_is_said() {
    let sandbox = Sandbox::new();
    let output = sandbox.named("fake-nvidia-container-cli", &["driver-root", "host", "--topology", "t4"]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    let nodes =
        "device nodes are empty files, which no program can open as a device; --nodes, as root, makes real ones\n";
    let library = "the programs need a C library, which the folder does not have: chroot cannot start them; static ones need none\n";
    let library = if asks_for_a_loader(&fs::read(programs::fake()).unwrap()) { library } else { "" };
    assert_eq!(said, format!("{nodes}{library}"));
}

#[test]
fn the_numbers_on_the_bus_are_those_of_the_model() {
    let root = Root::of("t4");
    let file = |name: &str| root.text(&format!("sys/bus/pci/devices/0000:00:1e.0/{name}"));
    let facts = ["vendor", "device", "class", "subsystem_vendor", "subsystem_device"].map(file);
    assert_eq!(facts, ["0x10de\n", "0x1eb8\n", "0x030200\n", "0x10de\n", "0x12a2\n"]);
}

#[test]
fn rights_to_parts_are_numbered_in_both_of_their_lists() {
    let root = Root::of("h100-mig");
    let right = root.text("proc/driver/nvidia/capabilities/gpu0/mig/gi2/ci0/access");
    assert!(right.starts_with("DeviceFileMinor: 22\n"), "{right}");
    let minors = root.text("proc/driver/nvidia-caps/mig-minors");
    assert!(minors.contains("\ngpu0/gi2/ci0/access 22\n") && minors.contains("\ngpu31/gi14/ci7/access 4322\n"));
    assert!(root.path("dev/nvidia-caps/nvidia-cap22").exists());
    assert_eq!(fs::read_link(root.path("dev/char/511:22")).unwrap(), Path::new("../nvidia-caps/nvidia-cap22"));
}

#[test]
fn a_gpu_that_is_not_split_has_its_folder_if_it_could_be() {
    let root = Root::of("h100");
    let folder = |gpu: &str| root.path(&format!("proc/driver/nvidia/capabilities/{gpu}/mig"));
    assert_eq!(fs::read_dir(folder("gpu7")).unwrap().count(), 0);
    assert!(!folder("gpu8").exists());
    assert!(!Root::of("t4").path("proc/driver/nvidia/capabilities/gpu0").exists());
    let mode = |node: &str| fs::metadata(root.path(node)).unwrap().mode() & 0o777;
    let nodes = ["dev/nvidia0", "dev/nvidiactl", "dev/nvidia-caps/nvidia-cap1", "dev/nvidia-caps/nvidia-cap2"];
    assert_eq!(nodes.map(mode), [0o666, 0o666, 0o400, 0o444]);
    let right = |name: &str| root.text(&format!("proc/driver/nvidia/capabilities/mig/{name}"));
    assert!(
        right("config").contains("\nDeviceFileMode: 256\n") && right("monitor").contains("\nDeviceFileMode: 292\n")
    );
    let information = root.text("proc/driver/nvidia/gpus/0000:0b:00.0/information");
    for line in
        ["Video BIOS: \t 96.00.99.00.01\n", "DMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\n", "GPU Firmware: \t "]
    {
        assert!(information.contains(line), "{information}");
    }
}

#[test]
fn a_driver_that_is_not_loaded_is_installed_and_shows_nothing() {
    let root = Root::of("none");
    assert!(root.path(LIBRARIES).join("libcuda.so.1").exists());
    assert!(!root.path("proc/driver").exists() && !root.path("dev").exists() && !root.path("sys/bus").exists());
}

#[test]
fn a_change_is_seen_by_all_and_by_containers_in_their_folder() {
    let root = Root::of("h100");
    let nvml = root.nvml();
    let temperature = || nvml.number("nvmlDeviceGetTemperature", &[nvml.gpu(1), 0]).1;
    let folder = root.path("run/fake-nvidia/containers");
    let of_folder = fs::metadata(&folder).unwrap().ino();
    assert_ne!(temperature(), 91);
    root.fake(&["set", "1", "temperature.gpu=91"]);
    assert_eq!(temperature(), 91);
    assert_eq!(root.smi(&["-i", "1", "--query-gpu=temperature.gpu", "--format=csv,noheader"]), "91\n");
    let given = fs::read_to_string(folder.join("given")).unwrap();
    assert!(given.contains("temperature.gpu 91\n") && given.contains("nodes /dev\n"), "{given}");
    assert_eq!(
        fs::read(folder.join("state.json")).unwrap(),
        fs::read(root.path("run/fake-nvidia/state.json")).unwrap()
    );
    let inode = |name: &str| fs::metadata(root.path(name)).unwrap().ino();
    assert_ne!(inode("run/fake-nvidia/state.json"), inode("run/fake-nvidia/containers/state.json"));
    // When the machine is laid out again, the changes stay, and the folder is still the one that containers have.
    root.lay("h100");
    assert_eq!(temperature(), 91);
    assert_eq!(fs::metadata(&folder).unwrap().ino(), of_folder);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("host")).unwrap();
    fs::write(sandbox.path("host/letter"), "dear").unwrap();
    let output = sandbox.named("fake-nvidia-container-cli", &["driver-root", "host"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("host: not empty, and not a driver root of this program"), "{said}");
    assert_eq!(fs::read_to_string(sandbox.path("host/letter")).unwrap(), "dear");
}

#[test]
fn a_machine_that_is_laid_over_another_leaves_nothing_of_it() {
    let root = Root::of("h100");
    root.lay("t4");
    assert!(root.path("dev/nvidia0").exists() && !root.path("dev/nvidia1").exists());
    assert_eq!(root.nvml().number("nvmlDeviceGetCount_v2", &[]).1, 1);
}

/// A folder as somebody else may have prepared it: marked as a machine, with a link where a folder is expected.
fn prepared(link: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["host/etc/fake-nvidia", "keep"] {
        fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    for file in ["host/etc/fake-nvidia/machine.json", "keep/mine", "keep/state.json"] {
        fs::write(sandbox.path(file), "").unwrap();
    }
    let link = sandbox.path("host").join(link);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(sandbox.path("keep"), link).unwrap();
    sandbox
}

#[test]
fn no_link_in_the_folder_is_followed() {
    for link in ["run", "run/fake-nvidia", "run/fake-nvidia/containers", "etc/fake-nvidia/config.toml", "usr", "dev"] {
        let sandbox = prepared(link);
        let output = sandbox.named("fake-nvidia-container-cli", &["driver-root", "host"]).output().unwrap();
        assert!(output.status.success(), "{link}: {}", String::from_utf8_lossy(&output.stderr));
        let mut kept: Vec<_> = fs::read_dir(sandbox.path("keep")).unwrap().map(|e| e.unwrap().file_name()).collect();
        kept.sort();
        assert_eq!(kept, ["mine", "state.json"], "{link}");
        assert_eq!(fs::read_to_string(sandbox.path("keep/state.json")).unwrap(), "", "{link}");
        assert!(!sandbox.path("host").join(link).is_symlink(), "{link}");
    }
    // The mark must be in the folder itself.
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("other/fake-nvidia")).unwrap();
    fs::write(sandbox.path("other/fake-nvidia/machine.json"), "").unwrap();
    fs::create_dir(sandbox.path("host")).unwrap();
    symlink("../other", sandbox.path("host/etc")).unwrap();
    let output = sandbox.named("fake-nvidia-container-cli", &["driver-root", "host"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_run_that_fails_can_be_repeated() {
    let root = Root::of("t4");
    // Two entries of the same name: the second cannot be made.
    let double = "[host]\nfirmwares = [\"/usr/bin/nvidia-smi\"]\nbins = [\"/usr/bin/nvidia-smi/x\"]\n";
    fs::write(root.sandbox.path("double.toml"), double).unwrap();
    let words = ["driver-root", "host", "--topology", "double.toml"];
    let output = root.sandbox.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    root.lay("t4");
    assert_eq!(root.smi(&["-L"]).lines().count(), 1);
}

#[test]
fn a_mig_device_that_was_made_is_there_when_the_machine_is_laid_out_again() {
    let root = Root::of("h100");
    root.smi(&["-i", "0", "-mig", "1"]);
    root.smi(&["mig", "-i", "0", "-cgi", "9", "-C"]);
    let cdi = || root.sandbox.named("fake-nvidia-container-cli", &["cdi", "host"]).output().unwrap();
    assert!(String::from_utf8_lossy(&cdi().stderr).contains("missing; driver-root host makes it"));
    root.lay("h100");
    let rights = root.path("proc/driver/nvidia/capabilities/gpu0/mig");
    assert_eq!(fs::read_dir(rights).unwrap().count(), 1);
    // Both global rights, and those of the instance and its compute instance.
    assert_eq!(fs::read_dir(root.path("dev/nvidia-caps")).unwrap().count(), 4);
    assert!(String::from_utf8_lossy(&cdi().stdout).contains("name: \"0:0\""), "{:?}", cdi());
}
