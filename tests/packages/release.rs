//! The files of a release, and what can be checked without installing any.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::root::said;

/// The file of a release whose name has this beginning and end.
pub fn file(begin: &str, end: &str) -> PathBuf {
    pick("RELEASE_DIR", begin, end)
}

/// The same from an older version.
pub fn older(begin: &str, end: &str) -> PathBuf {
    pick("OLDER_RELEASE_DIR", begin, end)
}

/// The folder that a variable names.
pub fn folder(variable: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(variable).unwrap_or_else(|| panic!("{variable}: .ci/release makes such a folder")))
}

/// The file in a variable's folder whose name has this beginning and end.
pub fn pick(variable: &str, begin: &str, end: &str) -> PathBuf {
    let names = names(&folder(variable));
    let name = names.iter().find(|name| name.starts_with(begin) && name.ends_with(end));
    folder(variable).join(name.unwrap_or_else(|| panic!("{variable} has no {begin}...{end}: {names:?}")))
}

/// The names in a folder.
pub fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The names of the two files about the others, which contain the machine that those are for.
pub fn about() -> [String; 2] {
    let machine = std::env::consts::ARCH;
    [format!("SHA256SUMS-{machine}"), format!("provenance-{machine}.intoto.json")]
}

fn read(name: &str) -> String {
    fs::read_to_string(folder("RELEASE_DIR").join(name)).unwrap()
}

#[test]
fn every_file_has_its_checksum_and_is_what_the_provenance_vouches_for() {
    let published = names(&folder("RELEASE_DIR"));
    let [sums, provenance] = about();
    let summed: BTreeSet<String> = read(&sums).lines().map(|line| line[66..].to_owned()).collect();
    assert_eq!(published, summed.iter().cloned().chain(about()).collect());
    said("sha256sum", &["--check", "--strict", &sums], Some(&folder("RELEASE_DIR")));

    let statement: Value = serde_json::from_str(&read(&provenance)).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    let subjects = statement["subject"].as_array().unwrap();
    let vouched: String = subjects
        .iter()
        .map(|subject| {
            format!("{}  {}\n", subject["digest"]["sha256"].as_str().unwrap(), subject["name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(vouched, read(&sums));
}

/// So that the files for all machines can be published in one place.
#[test]
fn every_name_contains_the_machine() {
    let machine = std::env::consts::ARCH;
    let in_packages = if machine == "x86_64" { "amd64" } else { "arm64" };
    for name in names(&folder("RELEASE_DIR")) {
        assert!(name.contains(machine) || name.contains(in_packages), "{name}");
    }
}

#[test]
fn the_list_of_components_is_that_of_cargo() {
    let name = names(&folder("RELEASE_DIR"));
    let name =
        name.iter().find(|name| name.starts_with("nvidia-container-runtime-hook") && name.ends_with(".cdx.json"));
    let list: Value = serde_json::from_str(&read(name.unwrap())).unwrap();
    assert_eq!(list["bomFormat"], "CycloneDX");
    let listed: BTreeSet<String> = list["components"].as_array().unwrap().iter().map(named).collect();
    let mut used = crates_of("nvidia-container-runtime-hook");
    used.retain(|line| !line.starts_with("nvidia-container-runtime-hook"));
    assert_eq!(listed, used);
}

/// The crates that cargo links into a released program.
fn crates_of(program: &str) -> BTreeSet<String> {
    let target = format!("--target={}-unknown-linux-musl", std::env::consts::ARCH);
    let package = format!("--package={program}");
    let tree = said(
        "cargo",
        &["tree", "--locked", &package, &target, "--edges=normal,no-proc-macro", "--prefix=none", "--no-dedupe"],
        None,
    );
    tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ").replace(" v", " ")).collect()
}

#[test]
fn each_program_carries_the_list_of_its_crates() {
    let folder = tempfile::tempdir().unwrap();
    let tarball = file("nvidia-prestart-hook-", ".tar.gz");
    let into = folder.path().to_str().unwrap();
    said("tar", &["-xzf", tarball.to_str().unwrap(), "-C", into, "--strip-components=1"], None);
    let programs = names(&folder.path().join("bin"));
    assert_eq!(programs.len(), 4);
    for program in programs {
        let [from, to] = ["bin", "list"].map(|name| folder.path().join(name));
        let from = from.join(&program);
        let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
        said(
            "objcopy",
            &["--output-target=binary", "--only-section=.dep-v0", "--set-section-flags=.dep-v0=alloc", from, to],
            None,
        );
        // A single stored zlib block: 7 bytes, the text, 4 bytes.
        let list = fs::read(to).unwrap();
        let list: Value = serde_json::from_slice(&list[7..list.len() - 4]).unwrap();
        let list = list["packages"].as_array().unwrap();
        assert_eq!(list.iter().map(named).collect::<BTreeSet<_>>(), crates_of(&program), "{program}");
        let roots: Vec<String> = list.iter().filter(|one| one["root"] == true).map(named).collect();
        assert!(roots.len() == 1 && roots[0].starts_with(&program), "{program}: {roots:?}");
    }
}

fn named(component: &Value) -> String {
    format!("{} {}", component["name"].as_str().unwrap(), component["version"].as_str().unwrap())
}
