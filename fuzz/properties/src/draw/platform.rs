//! Draws the kind of machine: distribution, Tegra, integrated GPUs, libraries and the linker's cache. Must not know what the
//! hook makes of it.

use nvidia_hook_conformance::scene::{Node, Scene};

use super::dice::Dice;
use super::scene::file;

/// What tells platforms and distributions apart.
pub fn draw(dice: &mut Dice, scene: &mut Scene) {
    if dice.one_in(6) {
        let text = dice.pick(&[
            "ID=sles\nID_LIKE=\"suse\"\n",
            "ID_LIKE='opensuse suse'\n",
            "ID_LIKE=debian\n",
            "NAME=suse\n",
            "ID_LIKE=suse",
            "ID_LIKE=\"susemu\"\n",
            "ID_LIKE=\"fedora opensuse\"\n",
        ]);
        let node = file(dice, text.into());
        scene.put("/etc/os-release", node);
    }
    if dice.one_in(12) {
        scene.put(
            "/etc/nv_tegra_release",
            dice.pick(&[Some("# R36"), Some(""), None]).map_or(Node::Directory { mode: 0o755 }, Node::text),
        );
    }
    if dice.one_in(12) {
        scene.put(
            "/sys/devices/soc0/family",
            Node::text(dice.pick(&["Tegra\n", "tegra", "TEGRA234", "Xtegra\n", "jep106\n"])),
        );
    }
    for (at, often) in [("0000:01:00.0", 4), ("0001:02:00.0", 10)] {
        if dice.one_in(often) {
            let model = dice.pick(&[
                "NVIDIA A100-SXM4-40GB",
                "NVIDIA GB10",
                "NVIDIA RTX",
                "NVIDIA GB10",
                "NVIDIA Thor",
                "Orin (nvgpu)",
            ]);
            let text = format!("Model: \t\t {model}\nIRQ:   \t\t 1\nGPU UUID: \t GPU-1\n");
            scene.put(&format!("/proc/driver/nvidia/gpus/{at}/information"), Node::text(text));
        }
    }
    for path in
        ["/sys/module/nvgpu", "/sys/bus/platform/drivers/gk20a", "/sys/devices/platform/gpu.0", "/sys/devices/gpu.0"]
    {
        if dice.one_in(25) {
            scene.put(path, Node::Directory { mode: 0o755 });
        }
    }
    libraries(dice, scene);
    process(dice, scene);
}

/// The user namespace and the user of the start.
fn process(dice: &mut Dice, scene: &mut Scene) {
    if dice.one_in(3) {
        let map = dice.pick(&[
            "         0          0 4294967295\n",
            "         0     100000      65536\n",
            "0 1000 1\n1 100000 65536\n",
            "         0          0 4294967294\n",
            "",
            "0 0\n",
        ]);
        scene.put("/proc/self/uid_map", Node::text(map));
    }
    if dice.one_in(4) {
        let status =
            dice.pick(&["Name:\thook\nUid:\t0\t1000\t0\t0\n", "Uid:\t1000\t0\t0\t0\nGid:\t5\t5\n", "Name:\tx\n"]);
        scene.put("/proc/self/status", Node::text(status));
    }
}

/// The libraries that identify a machine, and the linker's cache.
fn libraries(dice: &mut Dice, scene: &mut Scene) {
    for library in ["libnvidia-ml.so.1", "libdxcore.so"] {
        let directories = [
            "/drv/lib",
            "/usr/lib64",
            "/cached",
            "/cwd",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/local/lib",
        ];
        if dice.one_in(if library.contains("dxcore") { 12 } else { 2 }) {
            let path = format!("{}/{library}", dice.pick(&directories));
            scene.put(&path, if dice.one_in(4) { Node::Directory { mode: 0o755 } } else { Node::text("ELF") });
        }
    }
    if dice.one_in(2) {
        scene.put("/etc/ld.so.cache", Node::File { content: cache(dice), mode: 0o644 });
    }
}

/// A linker's cache in the format `glibc-ld.so.cache1.1`: the libraries in /cached, of this architecture or another.
fn cache(dice: &mut Dice) -> Vec<u8> {
    let native: u32 = if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 };
    let names = dice.several(&["libnvidia-ml.so.1", "libdxcore.so", "libc.so.6", "libnvidia-ml.so"], 3);
    let (mut strings, mut entries) = (Vec::new(), Vec::new());
    let start = 48 + 24 * names.len();
    for name in &names {
        let flags = if dice.one_in(4) { 0x0003 } else { native };
        entries.extend(flags.to_ne_bytes());
        for text in [(*name).to_owned(), format!("/cached/{name}")] {
            entries.extend(u32::try_from(start + strings.len()).unwrap().to_ne_bytes());
            strings.extend(text.as_bytes());
            strings.push(0);
        }
        entries.extend([0; 12]);
    }
    let mut cache = b"glibc-ld.so.cache1.1".to_vec();
    cache.extend(u32::try_from(names.len()).unwrap().to_ne_bytes());
    cache.extend(u32::try_from(strings.len()).unwrap().to_ne_bytes());
    cache.resize(48, 0);
    cache.extend(entries);
    cache.extend(strings);
    cache
}
