//! The commands of docs/install.md that are marked as tested, run as they are shown.

use std::fs;

use hook_test_support::programs;

use super::nvidia;
use super::release::file;
use super::root::Root;

/// The blocks of a document with a mark, without the fences.
pub fn blocks(document: &str, mark: &str) -> Vec<String> {
    let name = document;
    let document = fs::read_to_string(programs::source(name)).unwrap();
    let begin = format!("<!-- {mark} -->\n```sh\n");
    let found: Vec<_> =
        document.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    assert!(!found.is_empty(), "{name} shows nothing that is {mark}");
    found
}

/// Runs a block in the folder that holds the release.
fn run(root: &Root, block: &str) {
    let script = format!("set -eu\nPUBLISHED=/tmp\ncd /tmp\n{block}");
    root.run(&["sh", "-c", &script]);
}

/// The release in the root, as a user downloads it.
fn download(root: &Root) {
    for (begin, end) in [("nvidia-prestart-hook", ".deb"), ("fake-nvidia-container-cli", ".deb")] {
        root.take(&file(begin, end));
    }
    root.take(&file("nvidia-prestart-hook", ".tar.gz"));
}

#[test]
fn what_is_shown_for_debian_works() {
    for block in blocks("docs/install.md", "tested in a Debian root") {
        let root = Root::debian();
        download(&root);
        run(&root, &block);
    }
}

#[test]
fn what_is_shown_for_the_published_hook_works() {
    for block in blocks("docs/install.md", "tested in a Debian root with the published hook") {
        let root = Root::debian();
        download(&root);
        let (base, toolkit) = nvidia::debs(&root);
        root.run(&["apt-get", "install", "--yes", &base, &toolkit]);
        run(&root, &block);
    }
}

#[test]
fn what_is_shown_for_rpm_works() {
    for block in blocks("docs/install.md", "tested in an rpm root") {
        let mut lines = block.lines();
        let install = lines.next().unwrap().strip_prefix("rpm ").expect("rpm itself is of this machine");
        let fedora = super::rpm::Fedora::new();
        let package = file("nvidia-prestart-hook", ".rpm");
        let words: Vec<&str> = install
            .split(' ')
            .map(|word| if word.ends_with(".rpm") { super::root::text(&package) } else { word })
            .collect();
        fedora.rpm(&words);
        run(&fedora.root, &lines.collect::<Vec<_>>().join("\n"));
    }
}
