//! Draws what a runtime and an image say about a container: the state and the bundle's config.json, sometimes with a
//! fault. Must not know what the hook makes of it.

use super::dice::Dice;
use super::json::{damaged, list, object, string};

const IDS: &[&str] = &[
    "0",
    "1",
    "0",
    "all",
    "none",
    "void",
    "",
    " 2 ",
    "GPU-8d1c",
    "0:1",
    "nvidia.com/gpu=0",
    "nvidia.com/gpu=all",
    "example.org/net=x",
    "-1",
    "a\u{e9}",
];
const CDI_IDS: &[&str] = &[
    "nvidia.com/gpu=0",
    "nvidia.com/gpu=all",
    "a/b.c=d",
    "a/b=c",
    "vendor.example/class-x=1:0",
    "v/c=-",
    "nvidia.com/gpu",
];
const CAPABILITIES: &[&str] =
    &["compute", "utility", "graphics", "video", "display", "ngx", "compat32", "all", "", " compute ", "compute"];
const CUDA_VERSIONS: &[&str] = &[
    "",
    "12.4",
    "12.4.1",
    "12",
    "v12.4",
    "12.4.1-rc1",
    "011.02",
    "12-rc1",
    "12.4+b",
    "12.x",
    "12.4.",
    "12.4.1.2",
    " 12.4",
    "99999999999999999999.1",
    "12.4294967296",
    "12.4-",
    "12.4-a..b",
    "11.8.0-01",
];
const REQUIREMENTS: &[&str] = &["cuda>=11.0", "", "cuda>=12.4 brand=tesla,driver>=470", "driver<500", "arch=8.0"];
const VERSIONS: &[&str] = &[
    "1.0.2",
    "1.2.0",
    "1.0.0",
    "1.0.0-rc1",
    "1.0.0-rc2",
    "1.0.0-rc4",
    "1.0.0-rc5",
    "1.0.0-rc10",
    "1.0.0-rc",
    "1.0.0-rc5.1",
    "1.0.0-rc4.9",
    "v1.0.0-rc3",
    "1.0-rc3",
    "1-rc2",
    "1.0.0-rc2+b",
    "01.0.0-rc2",
    "",
    "one",
    "0.9",
    "1.0.0-RC2",
    "1.0.0-1",
    "1.0.0-s",
];
const ENVIRONMENT: &[&str] = &["PATH=/usr/bin", "A=b=c", "=x", "NVIDIA_GDS=enabled", "LD_PRELOAD=/x", "EMPTY="];
const DESTINATIONS: &[&str] = &[
    "0",
    "1",
    "GPU-8d1c",
    "all",
    "cdi/nvidia.com/gpu/0",
    "cdi/nvidia.com/gpu=1",
    "cdi/a/b/c",
    "imex/0",
    "imex/1",
    "imex/0",
    "MIG-GPU-b8ea3855-276c-c9cb-b366-c6fa655957c5/1/0",
    "0",
    "./1",
    "x/../0",
    "0/",
];
const FAULTY_DESTINATIONS: &[&str] = &[
    "none",
    "void",
    "0,1",
    "a b",
    "-x",
    "a/b",
    "cdi",
    "cdi/a",
    "cdi/a/b",
    "cdi/a/b/c/d",
    "cdi/9v/c/n",
    "cdi/v/c/n,m",
    "imex",
    "imex/0/1",
    "imex/0,1",
    "imex/ ",
    "",
    "MIG-GPU-b8ea3855-276c-c9cb-b366-c6fa655957c5/1",
    "MIG-GPU-b8ea3855/1/0",
    "a\nb",
    "cdi/v/c/n=m",
    "cdi/v=c/n",
    "imex/all",
    "imex/-1",
    "\u{e9}",
    "cdi/v/c/\u{e9}",
    "a\u{a0}b",
    "/0",
];

/// A container state whose bundle is at some path.
pub fn state(dice: &mut Dice, bundle: &str) -> Vec<u8> {
    let pid = if dice.one_in(60) {
        dice.pick(&["0", "-1", "2147483648", "1.0", "\"1\"", "1e3", "99999999999999999999", "null", "-0"])
    } else {
        dice.pick(&["4242", "1", "2147483647"])
    };
    let mut members = vec![("pid", pid.to_owned()), ("ociVersion", "\"1.0.2\"".to_owned()), ("id", "\"c\"".to_owned())];
    let bundle = if dice.one_in(80) { dice.pick(&["", "relative", "/nowhere", "/bundle/../gone"]) } else { bundle };
    let shown = string(dice, bundle);
    match dice.below(8) {
        0 => members.push(("bundlePath", shown)),
        1 => members.extend([("bundlePath", shown), ("bundle", "\"\"".to_owned())]),
        2 => members.extend([("bundle", shown), ("bundlePath", dice.pick(&["\"/other\"", "7", "null"]).to_owned())]),
        _ => members.push(("bundle", shown)),
    }
    let text = object(dice, members);
    damaged(dice, text)
}

/// The bundle's config.json.
pub fn spec(dice: &mut Dice) -> Vec<u8> {
    let version = if !dice.one_in(3) { "1.0.2" } else { dice.pick(VERSIONS) };
    let mut process = vec![("env", environment(dice))];
    if !dice.one_in(3) {
        process.push(("capabilities", privileges(dice, version)));
    }
    if dice.one_in(6) {
        process.push(("args", "[\"sh\"]".to_owned()));
    }
    let rootfs =
        if dice.one_in(60) { "" } else { dice.pick(&["rootfs", "/r", "/r/../s", "./a//b/", "..", "/", "\u{e9}"]) };
    let rootfs = string(dice, rootfs);
    let root = object(dice, vec![("path", rootfs), ("readonly", "true".to_owned())]);
    let process = object(dice, process);
    let version = string(dice, version);
    let mut members = vec![("ociVersion", version), ("process", process), ("root", root)];
    if !dice.one_in(3) {
        members.push(("mounts", mounts(dice)));
    }
    if dice.one_in(4) {
        members.push(("hooks", "{\"prestart\": [{\"path\": \"/x\"}]}".to_owned()));
    }
    let text = object(dice, members);
    damaged(dice, text)
}

/// `process.capabilities`, mostly in the form that goes with the version.
fn privileges(dice: &mut Dice, version: &str) -> String {
    let names = dice.several(&["CAP_SYS_ADMIN", "CAP_SYS_ADMIN", "CAP_CHOWN", "cap_sys_admin", "CAP_SYS_ADMIN "], 3);
    let items: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let plain = (version.contains("rc") && !version.contains("rc5")) != dice.one_in(30);
    match dice.below(60) {
        0 => dice
            .pick(&["7", "\"CAP_SYS_ADMIN\"", "[null]", "{\"bounding\": 7}", "{\"bounding\": [7]}", "null"])
            .to_owned(),
        _ if plain => list(dice, &items),
        _ => {
            let bounding = list(dice, &items);
            let other = "[\"CAP_SYS_ADMIN\"]".to_owned();
            let mut members = vec![("effective", other), ("bounding", bounding)];
            if dice.one_in(6) {
                members.remove(1);
            }
            object(dice, members)
        }
    }
}

/// `process.env`
fn environment(dice: &mut Dice) -> String {
    let mut entries: Vec<String> = dice.several(ENVIRONMENT, 3).into_iter().map(str::to_owned).collect();
    let asks = if dice.one_in(8) { CDI_IDS } else { IDS };
    let devices = match dice.below(6) {
        0 => dice.several(asks, 5),
        1 => vec![dice.pick(&["all", "0", "none"])],
        2 => dice.several(&["0", "1", " 2", "GPU-8d1c", ""], 4),
        _ => [vec!["0"], dice.several(&["0", "1", " 2", "GPU-8d1c", ""], 4)].concat(),
    };
    if !dice.one_in(6) {
        entries.push(format!("NVIDIA_VISIBLE_DEVICES={}", devices.join(",")));
    }
    for (often, name, items) in
        [(5, "SWARM", asks), (7, "OTHER", asks), (4, "NVIDIA_IMEX_CHANNELS", &["0", "1", " 2", "0", "", "5"])]
    {
        if dice.one_in(often) {
            entries.push(format!("{name}={}", dice.several(items, 3).join(",")));
        }
    }
    if dice.one_in(40) {
        entries.push(format!("NVIDIA_IMEX_CHANNELS={}", dice.pick(&["all", "none", "void", "0,all", "none,1", "a b"])));
    }
    if dice.one_in(2) {
        let mut asked = dice.several(CAPABILITIES, 4);
        if dice.one_in(25) {
            asked.push(dice.pick(&["bogus", "Compute", "none"]));
        }
        entries.push(format!("NVIDIA_DRIVER_CAPABILITIES={}", asked.join(",")));
    }
    entries.extend(requirements(dice));
    dice.shuffle(&mut entries);
    if dice.one_in(8) && !entries.is_empty() {
        let again = dice.below(entries.len());
        let (name, _) = entries[again].split_once('=').unwrap();
        entries.push(format!("{name}={}", dice.pick(&["", "0", "all", "true"])));
    }
    let mut items = Vec::new();
    for entry in entries {
        items.push(string(dice, &entry));
    }
    if dice.one_in(150) {
        items.push(dice.pick(&["\"\"", "\"NOVALUE\"", "null", "7"]).to_owned());
    }
    list(dice, &items)
}

/// The variables of requirements, of an image older than requirements, and of MIG.
fn requirements(dice: &mut Dice) -> Vec<String> {
    let mut entries = Vec::new();
    if dice.one_in(3) {
        let known = dice.below(8);
        entries.push(format!(
            "CUDA_VERSION={}",
            CUDA_VERSIONS[if dice.one_in(3) { dice.below(CUDA_VERSIONS.len()) } else { known }]
        ));
    }
    for (often, name) in [
        (4, "NVIDIA_REQUIRE_CUDA"),
        (6, "NVIDIA_REQUIRE_DRIVER"),
        (9, "NVIDIA_REQUIRE_"),
        (9, "NVIDIA_REQUIRE_JETPACK"),
        (12, "NVIDIA_REQUIRE_JETPACK_HOST"),
        (12, "NVIDIA_REQUIRED"),
    ] {
        if dice.one_in(often) {
            entries.push(format!("{name}={}", dice.pick(REQUIREMENTS)));
        }
    }
    if dice.one_in(8) {
        let value = dice.pick(&["true", "1", "t", "T", "TRUE", "True", "false", "0", "", "yes", " true", "tRUE"]);
        entries.push(format!("NVIDIA_DISABLE_REQUIRE={value}"));
    }
    for name in ["NVIDIA_MIG_CONFIG_DEVICES", "NVIDIA_MIG_MONITOR_DEVICES"] {
        if dice.one_in(12) {
            entries.push(format!("{name}={}", dice.pick(&["all", "0,1", "", " ", "void"])));
        }
    }
    entries
}

/// `mounts`
fn mounts(dice: &mut Dice) -> String {
    let mut items = Vec::new();
    for _ in 0..dice.below(4) {
        let place = if dice.one_in(6) { dice.pick(FAULTY_DESTINATIONS) } else { dice.pick(DESTINATIONS) };
        let below = dice.pick(&[
            "/var/run/nvidia-container-devices/",
            "/var/run/nvidia-container-devices/",
            "/var/run/nvidia-container-devices/",
            "/var/run/nvidia-container-devices/",
            "/var/run/nvidia-container-devices0",
            "/var//run/./nvidia-container-devices/",
            "/run/nvidia-container-devices/",
        ]);
        let destination = string(dice, &format!("{below}{place}"));
        let source =
            dice.pick(&["/dev/null", "/dev/null", "/dev/null", "/dev/../dev/null", "/dev/zero", "dev/null", ""]);
        let source = string(dice, source);
        items.push(object(
            dice,
            vec![("destination", destination), ("source", source), ("type", "\"bind\"".to_owned())],
        ));
    }
    if dice.one_in(100) {
        items.push(dice.pick(&["null", "7", "[]", "{}"]).to_owned());
    }
    list(dice, &items)
}
