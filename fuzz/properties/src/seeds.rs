//! Initial inputs: what the cases provide for each target. Must not know the properties.

use std::fs;
use std::path::{Path, PathBuf};

use hook_test_support::programs;

/// By target: a folder of the repository, and how the names of the files below it end.
const FILES: [(&str, &str, &str); 5] = [
    ("state", "fixtures", "state.json"),
    ("spec", "fixtures", "config.json"),
    ("config", "fixtures", "config.toml"),
    ("replay", "fixtures", "host.toml"),
    ("topology", "fake-nvidia-container-cli/machine/src/topology/builtin", ".toml"),
];
const LINES: [(&str, &str); 1] = [("why", "fixtures/searched-words.txt")];
/// Short inputs, to be combined.
const WORDS: [(&str, &[&str]); 6] = [
    ("requirement", &["cuda>=12.4 brand=tesla,driver>=450,driver<451", "cuda>=9.0", "arch>=8.0", "brand=unknown", ""]),
    (
        "options",
        &[
            "--load-kmods\0configure\0--device=all\0--utility\0--pid=1\0/rootfs",
            "-k\0-d\0/dev/tty\0info",
            "list\0--compat32",
            "configure\0--require=cuda>=12\0--ldconfig=@/sbin/ldconfig\0--imex-channel=0\0/r",
        ],
    ),
    ("given", &["fake-nvidia given 1\ndriver 570.172.08\ngpu\nuuid GPU-1\ntemperature 38\nprocess\npid 1\nend\n"]),
    ("settings", &["exit=1", "nvml=unknown", "1.17.4", "mount=x,every=2", "1.14.0-rc.1"]),
    (
        "host",
        &[
            "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n\0{\"cdiVersion\": \"0.5.0\"}\0{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/usr/bin/nvidia-container-runtime-hook\", \"args\": [\"x\", \"prestart\"]}, \"when\": {\"always\": true}, \"stages\": [\"prestart\"]}\0\0{\"runtimes\": {\"nvidia\": {\"path\": \"x\"}}}\0[plugins]\n\0disable-require = true\n",
        ],
    ),
    ("start", &["", "\u{1}\u{2}\u{3}", "abcdefghijklmnopqrstuvwxyz"]),
];

/// The inputs of a target; at least one.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for (_, folder, name) in FILES.iter().filter(|(known, ..)| *known == target) {
        gather(&programs::source(folder), name, &mut seeds);
    }
    for (_, file) in LINES.iter().filter(|(known, _)| *known == target) {
        let text = fs::read_to_string(programs::source(file)).unwrap();
        seeds.extend(text.lines().map(|line| line.as_bytes().to_vec()));
    }
    for (_, words) in WORDS.iter().filter(|(known, _)| *known == target) {
        seeds.extend(words.iter().map(|word| word.as_bytes().to_vec()));
    }
    seeds
}

fn gather(folder: &Path, name: &str, seeds: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(&path, name, seeds);
        } else if path.file_name().unwrap().to_str().unwrap().ends_with(name) {
            // Large files are slow, and show nothing that small ones do not.
            seeds.extend(fs::read(path).ok().filter(|bytes| bytes.len() < 1 << 14));
        }
    }
}
