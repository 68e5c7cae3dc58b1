//! The release for 64-bit Arm, made on another machine: what its files say of themselves, and the programs under qemu.
//! The kernel passes them to qemu only in a user namespace; the machine itself does not change.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::release::{names, pick};
use super::root::{said, text};

/// Names the folder; `.ci/run nightly` makes it if rustup has the target.
const FOLDER: &str = "AARCH64_RELEASE_DIR";
/// Runs its words with qemu for programs of that machine, by their first 20 bytes (elf(5)); qemu stays open for other
/// roots.
const UNDER_QEMU: &str = r#"mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):FP" >/proc/sys/fs/binfmt_misc/register
exec "$@""#;

/// A file of the release, if there is one.
fn file(begin: &str, end: &str) -> Option<PathBuf> {
    if std::env::var_os(FOLDER).is_none() {
        eprintln!("skipped: the release for aarch64, which {FOLDER} does not name");
        return None;
    }
    Some(pick(FOLDER, begin, end))
}

/// The programs of the tarball.
fn programs() -> Option<(TempDir, PathBuf)> {
    let tarball = file("nvidia-prestart-hook-", "-aarch64-linux.tar.gz")?;
    let folder = TempDir::new().unwrap();
    said("tar", &["-xzf", text(&tarball), "-C", text(folder.path()), "--strip-components=1"], None);
    let programs = folder.path().join("bin");
    Some((folder, programs))
}

fn under_qemu(words: &[&str]) -> String {
    let spaces = ["--user", "--map-root-user", "--mount", "sh", "-euc", UNDER_QEMU, "sh"];
    said("unshare", &[&spaces[..], words].concat(), None)
}

/// Checks that a program is static, position-independent and for that machine.
fn is_of_the_machine(program: &Path) {
    let elf = fs::read(program).unwrap();
    let number = |at: usize| u16::from_le_bytes([elf[at], elf[at + 1]]);
    assert_eq!((&elf[..6], number(16), number(18)), (&b"\x7fELF\x02\x01"[..], 3, 183), "{}", program.display());
    let headers = said("readelf", &["--wide", "--program-headers", "--dynamic", text(program)], None);
    assert!(!headers.contains("INTERP") && !headers.contains("NEEDED"), "{headers}");
}

#[test]
fn the_packages_are_for_arm() {
    for name in ["nvidia-prestart-hook", "fake-nvidia-container-cli"] {
        let (Some(deb), Some(rpm)) = (file(name, "_arm64.deb"), file(name, ".aarch64.rpm")) else { return };
        assert_eq!(said("dpkg-deb", &["--field", text(&deb), "Architecture"], None), "arm64\n");
        assert_eq!(said("rpm", &["--query", "--queryformat", "%{ARCH}", "--package", text(&rpm)], None), "aarch64");
        let tree = TempDir::new().unwrap();
        said("dpkg-deb", &["--extract", text(&deb), text(tree.path())], None);
        for program in names(&tree.path().join("usr/bin")) {
            is_of_the_machine(&tree.path().join("usr/bin").join(program));
        }
    }
}

#[test]
fn all_four_programs_are_static_and_say_their_version() {
    let Some((_folder, programs)) = programs() else { return };
    assert_eq!(names(&programs).len(), 4);
    for name in names(&programs) {
        let program = programs.join(&name);
        is_of_the_machine(&program);
        let option = if name == "nvidia-container-runtime-hook" { "-version" } else { "--version" };
        assert!(under_qemu(&[text(&program), option]).contains(env!("CARGO_PKG_VERSION")), "{name}");
    }
}

/// Faults that come from qemu, or from a judge of another machine. qemu rewrites the environment, in another order and
/// with each name once, and does not pass on an ignored signal. The judge makes the loader's cache of its own machine,
/// whose entries the hook rightly passes over. All else in these cases must hold, except in the three whose outcome
/// depends on it.
const OF_ANOTHER_OUTCOME: [&str; 3] =
    ["mode/tegra-with-another-gpu", "mode/wsl", "recorded/config-path/env-duplicate-second"];

fn is_of_qemu(case: &str, fault: &str) -> bool {
    fault.starts_with("environment")
        || fault.starts_with("SIGPIPE is ignored: false")
        || OF_ANOTHER_OUTCOME.contains(&case)
}

#[test]
fn the_hook_passes_every_case_under_qemu() {
    let Some((_folder, programs)) = programs() else { return };
    let judge = TempDir::new().unwrap();
    let tarball = super::release::file("nvidia-prestart-hook-", ".tar.gz");
    said("tar", &["-xzf", text(&tarball), "-C", text(judge.path()), "--strip-components=1"], None);
    let judge = judge.path().join("bin/nvidia-hook-conformance");
    let hook = programs.join("nvidia-container-runtime-hook");
    // It fails, for the reasons above.
    let told = under_qemu(&["sh", "-c", "\"$@\" || :", "sh", text(&judge), "--format=tap", text(&hook)]);
    let passed = told.lines().filter(|line| line.starts_with("ok ") && !line.contains("# SKIP")).count();
    assert!(passed > 1600, "{told}");
    let mut case = "";
    for line in told.lines() {
        if let Some(result) = line.strip_prefix("not ok ") {
            case = result.split(' ').nth(2).unwrap();
        } else if let Some(fault) = line.strip_prefix("    - \"") {
            assert!(is_of_qemu(case, fault), "{case}: {fault}");
        }
    }
}

/// The driver's libraries in the simulator are for that machine too.
#[test]
fn the_simulator_gives_a_container_libraries_of_that_machine() {
    let Some((folder, programs)) = programs() else { return };
    let simulator = programs.join("fake-nvidia-container-cli");
    let root = folder.path().join("driver");
    under_qemu(&[
        "env",
        "FAKE_NVIDIA_CONFIG=/dev/null",
        text(&simulator),
        "driver-root",
        "--topology",
        "h100",
        text(&root),
    ]);
    let found = said("find", &[text(&root), "-type", "f", "-name", "libnvidia-ml.so*", "-size", "+4k"], None);
    let library = found.lines().next().unwrap_or_else(|| panic!("no NVML in {}", root.display()));
    assert_eq!(fs::read(library).unwrap()[18], 183);
}
