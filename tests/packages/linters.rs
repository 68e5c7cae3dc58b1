//! The distributions' own linters find nothing in the packages.

use hook_test_support::programs;

use super::release::file;
use super::root::{said, text};

const PACKAGES: [&str; 2] = ["nvidia-prestart-hook", "fake-nvidia-container-cli"];

#[test]
fn lintian_finds_nothing() {
    for package in PACKAGES {
        let words = ["--allow-root", "--fail-on=error,warning", "--display-level=>=warning"];
        assert_eq!(said("lintian", &[&words[..], &[text(&file(package, ".deb"))]].concat(), None), "");
    }
}

#[test]
fn rpmlint_finds_nothing() {
    let rules = programs::source("packages/rpmlint.toml");
    for package in PACKAGES {
        let answer = said("rpmlint", &["--strict", "--config", text(&rules), text(&file(package, ".rpm"))], None);
        assert!(answer.contains(" 0 errors, 0 warnings"), "{answer}");
    }
}
