//! Installing, upgrading, replacing and erasing with rpm, in a root that has only a shell.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::nvidia;
use super::release::{file, older};
use super::root::{Root, said, text};
use super::start::start;

const PACKAGE: &str = "nvidia-prestart-hook";
const CONFIG: &str = "/etc/nvidia-container-runtime/config.toml";
const HOOK: &str = "/usr/bin/nvidia-container-runtime-hook";
const LINK: &str = "/usr/bin/nvidia-container-toolkit";

/// The root, and a folder where packages for it are made.
pub struct Fedora {
    pub root: Root,
    work: TempDir,
}

/// The package that provides the shell, without which no package with a script could be installed.
pub fn shell(folder: &Path) -> String {
    let spec = "Name: shell\nVersion: 1\nRelease: 1\nSummary: a stand-in\nLicense: none\nProvides: /bin/sh\n\
                %description\n%files\n";
    nvidia::rpm_of(folder, "shell", spec)
}

impl Fedora {
    pub fn new() -> Self {
        let fedora = Self { root: Root::rpm(), work: TempDir::new().unwrap() };
        let shell = shell(fedora.work.path());
        fedora.rpm(&["--install", &shell]);
        fedora
    }

    pub fn rpm(&self, words: &[&str]) -> String {
        said("rpm", &[&["--root", text(self.root.path())], words].concat(), None)
    }

    fn refuses(&self, package: &Path) -> String {
        let words = ["--root", text(self.root.path()), "--install", text(package)];
        let output = std::process::Command::new("rpm").args(words).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

#[test]
fn it_is_installed_starts_and_leaves_nothing() {
    let fedora = Fedora::new();
    let root = &fedora.root;
    let before = root.paths();
    fedora.rpm(&["--install", text(&file(PACKAGE, ".rpm")), text(&file("fake-nvidia-container-cli", ".rpm"))]);
    assert_eq!(fedora.rpm(&["--verify", PACKAGE, "fake-nvidia-container-cli"]), "");
    root.run(&["/usr/bin/nvidia-hookctl", "check"]);
    let default = root.text(CONFIG);
    let cli = "[nvidia-container-cli]\npath = \"/usr/bin/fake-nvidia-container-cli\"\n";
    fs::write(root.at(CONFIG), cli).unwrap();
    assert!(start(root).contains(&"--device=0".to_owned()));

    fedora.rpm(&["--erase", PACKAGE]);
    assert_eq!(root.text(CONFIG), cli, "a configuration that was changed is kept");
    fs::write(root.at(CONFIG), default).unwrap();
    fedora.rpm(&["--install", text(&file(PACKAGE, ".rpm"))]);
    fedora.rpm(&["--erase", PACKAGE, "fake-nvidia-container-cli"]);
    assert_eq!(root.paths(), before);
}

#[test]
fn an_upgrade_and_the_way_back_keep_the_configuration() {
    let fedora = Fedora::new();
    let root = &fedora.root;
    fedora.rpm(&["--install", text(&older(PACKAGE, ".rpm"))]);
    // The unchanged default: neither an upgrade nor a downgrade may take it for the end of the package.
    let default = root.text(CONFIG);
    fedora.rpm(&["--upgrade", text(&file(PACKAGE, ".rpm"))]);
    assert_eq!(root.text(CONFIG), default);
    fedora.rpm(&["--upgrade", "--oldpackage", text(&older(PACKAGE, ".rpm"))]);
    assert_eq!(root.text(CONFIG), default);
    assert_eq!(fedora.rpm(&["--verify", PACKAGE]), "");
}

#[test]
fn it_takes_the_place_of_the_published_hook_and_gives_it_back() {
    let fedora = Fedora::new();
    let root = &fedora.root;
    let published = nvidia::rpm(fedora.work.path());
    fedora.rpm(&["--install", &published]);
    assert_eq!(root.run(&[HOOK]), "published\n");
    assert!(fedora.refuses(&file(PACKAGE, ".rpm")).contains("conflicts with"));

    fedora.rpm(&["--erase", "nvidia-container-toolkit"]);
    fedora.rpm(&["--install", text(&file(PACKAGE, ".rpm"))]);
    assert!(root.run(&[LINK, "-version"]).contains("NVIDIA Container Runtime Hook"));
    // dnf swaps both at once: the other's removal deletes the link, and our last script restores it.
    fs::remove_file(root.at(LINK)).unwrap();
    let script = fedora.rpm(&["--query", "--queryformat", "%{POSTTRANS}", PACKAGE]);
    root.run(&["/bin/sh", "-c", &script]);
    assert_eq!(fedora.rpm(&["--verify", PACKAGE]), "");

    assert!(fedora.refuses(Path::new(&published)).contains("conflicts with"));
    fedora.rpm(&["--erase", PACKAGE]);
    fedora.rpm(&["--install", &published]);
    assert_eq!(root.run(&[LINK]), "published\n");
}
