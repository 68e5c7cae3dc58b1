//! What the real driver says about its machine, compared with doctor and the simulator. The form is compared: lines,
//! fields, elements and columns. Readings change from one moment to the next, and are not compared.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hook_test_support::programs;
use tempfile::TempDir;

/// Runs the machine's nvidia-smi. Its output counts, whatever its exit status is.
fn real(words: &[&str]) -> String {
    let output = Command::new("nvidia-smi").args(words).output().expect("nvidia-smi in PATH: a driver is needed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The simulator as nvidia-smi of a machine with the same GPUs and driver.
struct Simulated {
    folder: TempDir,
}

impl Simulated {
    fn of_this_machine() -> Self {
        let folder = TempDir::new().unwrap();
        let simulator = programs::static_simulator();
        std::os::unix::fs::symlink(simulator, folder.path().join("nvidia-smi")).unwrap();
        fs::write(folder.path().join("machine.toml"), topology()).unwrap();
        Simulated { folder }
    }

    fn says(&self, words: &[&str]) -> String {
        let output = Command::new(self.folder.path().join("nvidia-smi"))
            .args(words)
            .env("FAKE_NVIDIA_TOPOLOGY", self.folder.path().join("machine.toml"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The machine's GPUs and driver as a topology.
fn topology() -> String {
    let query = real(&["--query-gpu=driver_version,name,uuid,pci.bus_id", "--format=csv,noheader"]);
    let rows: Vec<Vec<&str>> = query.lines().map(|line| line.split(", ").collect()).collect();
    let driver = rows.first().and_then(|row| row.first()).expect("a GPU (nvidia-smi shows none)");
    let all = real(&["-q"]);
    let cuda = all.lines().find_map(|line| line.strip_prefix("CUDA Version")).expect("a CUDA version in nvidia-smi -q");
    let cuda = cuda.trim_start_matches([' ', ':']);
    let mut text = format!("driver = {driver:?}\ncuda = {cuda:?}\n");
    for row in &rows {
        let [_, name, uuid, bus] = row[..] else { panic!("four fields, not {row:?}") };
        writeln!(text, "[[gpus]]\nmodel = {name:?}\nuuid = {uuid:?}\nbusid = {bus:?}").unwrap();
    }
    text
}

/// Both must have the same lines, after `form` has taken the readings out.
fn compare(words: &[&str], form: impl Fn(&str) -> Vec<String>) {
    let (real, simulated) = (form(&real(words)), form(&Simulated::of_this_machine().says(words)));
    let only = |these: &[String], those: &[String]| {
        let those: BTreeSet<&String> = those.iter().collect();
        these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>()
    };
    let (missing, invented) = (only(&real, &simulated), only(&simulated, &real));
    assert!(
        real == simulated,
        "nvidia-smi {}: the simulator lacks {missing:#?}, and has {invented:#?} in their place, or another order",
        words.join(" ")
    );
}

/// The names before the colons, with their depth.
fn labels(text: &str) -> Vec<String> {
    let is_named = |line: &&str| !line.trim().is_empty() && !line.starts_with("GPU ");
    let name = |line: &str| line.split(" : ").next().unwrap_or_default().trim_end().to_owned();
    text.lines().filter(is_named).map(name).collect()
}

/// The elements, opened and closed, without what is in them.
fn elements(text: &str) -> Vec<String> {
    let tags = text.split('<').skip(1).filter_map(|part| part.split('>').next());
    tags.filter(|tag| !tag.starts_with(['?', '!']))
        .map(|tag| tag.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

/// The header lines of columns.
fn heads(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn the_simulator_lists_the_gpus_as_the_driver_does() {
    compare(&["-L"], |text| text.lines().map(str::to_owned).collect());
}

#[test]
fn the_simulator_shows_every_line_of_everything() {
    compare(&["-q"], labels);
}

#[test]
fn the_simulator_shows_every_element_of_the_document() {
    compare(&["-q", "-x"], elements);
}

#[test]
fn the_simulator_knows_every_field_of_a_query() {
    let names = |text: &str| {
        let names = text.lines().filter_map(|line| line.strip_prefix('"'));
        names.map(|line| line.split('"').next().unwrap_or_default().to_owned()).collect()
    };
    compare(&["--help-query-gpu"], names);
}

#[test]
fn the_simulator_monitors_in_the_same_columns() {
    compare(&["dmon", "-c", "1"], heads);
    compare(&["pmon", "-c", "1"], heads);
}

#[test]
fn the_simulator_splits_gpus_in_the_same_ways() {
    // Which profiles there are, and how many of each are free while nothing is split.
    compare(&["mig", "-lgip"], |text| text.lines().map(str::to_owned).collect());
}

#[test]
fn doctor_says_what_the_driver_says() {
    let hookctl: PathBuf =
        programs::program("HOOKCTL_BIN", concat!(env!("CARGO_MANIFEST_DIR"), "/target/debug/nvidia-hookctl"));
    let output = Command::new(&hookctl)
        .args(["doctor", "--format", "json"])
        .output()
        .expect("nvidia-hookctl: HOOKCTL_BIN, or cargo build -p nvidia-hookctl");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = |id: &str| {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id);
        check.unwrap_or_else(|| panic!("doctor looks at no {id}: {report:#}"))["message"].as_str().unwrap().to_owned()
    };
    let count = real(&["-L"]).lines().filter(|line| line.starts_with("GPU ")).count();
    assert_eq!(message("gpus"), format!("{count} driven by the kernel module"));
    let driver = real(&["--query-gpu=driver_version", "--format=csv,noheader"]);
    let driver = driver.lines().next().unwrap();
    assert!(message("driver-module").contains(driver), "{}", message("driver-module"));
}
