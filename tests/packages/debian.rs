//! Installing, upgrading, rolling back, removing and purging on Debian.

use std::fs;

use super::nvidia;
use super::release::{file, older};
use super::root::{Root, text};
use super::start::start;

const PACKAGE: &str = "nvidia-prestart-hook";
const CONFIG: &str = "/etc/nvidia-container-runtime/config.toml";
const HOOK: &str = "/usr/bin/nvidia-container-runtime-hook";

fn install(root: &Root, path: &str) {
    root.run(&["apt-get", "install", "--yes", "--quiet", path]);
}

fn version(root: &Root) -> String {
    root.run(&["dpkg-query", "--show", "--showformat=${Version}", PACKAGE])
}

#[test]
fn it_is_installed_starts_and_leaves_nothing() {
    let root = Root::debian();
    let before = root.paths();
    install(&root, &root.take(&file(PACKAGE, ".deb")));
    install(&root, &root.take(&file("fake-nvidia-container-cli", ".deb")));

    root.run(&["nvidia-hookctl", "check"]);
    root.run(&["nvidia-hookctl", "oci-hook", "--validate", "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json"]);
    assert_eq!(root.text(CONFIG), root.run(&["nvidia-hookctl", "check", "--print-default"]));
    assert!(!root.succeeds(&["sh", "-c", "dpkg --verify | grep ."]));
    let cli = "[nvidia-container-cli]\npath = \"/usr/bin/fake-nvidia-container-cli\"\n";
    fs::write(root.at(CONFIG), cli).unwrap();
    assert!(start(&root).contains(&"--device=0".to_owned()));

    root.run(&["apt-get", "remove", "--yes", PACKAGE]);
    assert!(!root.at(HOOK).exists());
    assert_eq!(root.text(CONFIG), cli, "what is removed and not purged keeps its configuration");
    root.run(&["apt-get", "purge", "--yes", PACKAGE, "fake-nvidia-container-cli"]);
    assert_eq!(root.paths(), before);
}

#[test]
fn an_upgrade_and_the_way_back_keep_the_configuration() {
    let root = Root::debian();
    install(&root, &root.take(&older(PACKAGE, ".deb")));
    let first = version(&root);
    fs::write(root.at(CONFIG), "disable-require = true\n").unwrap();

    install(&root, &root.take(&file(PACKAGE, ".deb")));
    assert!(version(&root) > first);
    assert_eq!(root.text(CONFIG), "disable-require = true\n");

    root.run(&["apt-get", "install", "--yes", "--allow-downgrades", &root.take(&older(PACKAGE, ".deb"))]);
    assert_eq!((version(&root), root.text(CONFIG).as_str()), (first, "disable-require = true\n"));

    fs::remove_file(root.at(CONFIG)).unwrap();
    install(&root, &root.take(&file(PACKAGE, ".deb")));
    assert!(!root.at(CONFIG).exists(), "a configuration that was taken away does not come back");
}

#[test]
fn it_takes_the_place_of_the_published_hook_and_gives_it_back() {
    let root = Root::debian();
    let (base, toolkit) = nvidia::debs(&root);
    install(&root, &base);
    install(&root, &toolkit);
    assert_eq!(root.run(&[HOOK]), "published\n");
    let config = root.text(CONFIG);

    install(&root, &root.take(&file(PACKAGE, ".deb")));
    assert!(root.run(&[HOOK, "-version"]).contains("NVIDIA Container Runtime Hook"));
    assert!(root.succeeds(&["nvidia-ctk"]), "the package beside the published hook stays");
    assert_eq!(root.text(CONFIG), config);
    // Purging its remnant removes our link. Reinstalling our package restores it.
    root.run(&["apt-get", "purge", "--yes", "nvidia-container-toolkit"]);
    assert!(!root.at("/usr/bin/nvidia-container-toolkit").exists());
    root.run(&["apt-get", "install", "--yes", "--reinstall", &root.take(&file(PACKAGE, ".deb"))]);
    assert!(root.succeeds(&["nvidia-container-toolkit", "-version"]));

    install(&root, &toolkit);
    assert_eq!(root.run(&[HOOK]), "published\n");
    assert_eq!(root.run(&["/usr/bin/nvidia-container-toolkit"]), "published\n");
    root.run(&["apt-get", "purge", "--yes", PACKAGE]);
    assert_eq!((root.run(&[HOOK]).as_str(), root.text(CONFIG)), ("published\n", config));
}

#[test]
fn the_simulator_is_no_dependency_of_the_hook() {
    let package = file(PACKAGE, ".deb");
    for field in ["Depends", "Recommends", "Suggests"] {
        let named = super::root::said("dpkg-deb", &["--field", text(&package), field], None);
        assert!(!named.contains("fake"), "{field}: {named}");
    }
}
