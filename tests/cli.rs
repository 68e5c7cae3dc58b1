//! The command line of the hook, as tables: commands, flags, usage, exit status. What a successful `prestart` does is for
//! the cases in fixtures/. Nothing here reads a file of the machine: each run has an empty directory for a root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests make the world that the hook reads")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};
use rstest::rstest;
use tempfile::TempDir;

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "shared with suites that ask for more")]
mod programs;

const USAGE: &str = "Usage of nvidia-container-runtime-hook:";
/// A container that is no GPU container, so that nothing is executed.
const STATE: &str = r#"{"pid": 1, "bundle": "/bundle"}"#;
const SPEC: &str = r#"{"ociVersion": "1.0.2", "process": {"env": []}, "root": {"path": "/r"}}"#;

/// A machine with a bundle and a broken configuration, so that whoever reads the latter fails.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        std::fs::create_dir_all(root.path().join("bundle")).unwrap();
        std::fs::write(root.path().join("bundle/config.json"), SPEC).unwrap();
        std::fs::create_dir_all(root.path().join("etc/nvidia-container-runtime")).unwrap();
        std::fs::write(root.path().join("etc/nvidia-container-runtime/config.toml"), "broken").unwrap();
        std::fs::write(root.path().join("good.toml"), "").unwrap();
        Machine(root)
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Assert {
        let mut command = Command::new(programs::hook());
        command.env_clear().current_dir(self.0.path()).write_stdin(STATE);
        command.arg("-host-root").arg(self.0.path()).args(arguments).assert()
    }
}

#[rstest]
#[case::poststart(&["poststart"])]
#[case::poststop(&["poststop"])]
#[case::words_behind_a_no_op(&["poststop", "-debug", "prestart", "--no-such-flag"])]
#[case::flags_before_a_no_op(&["-debug", "-config", "/none", "poststart"])]
#[case::prestart_of_a_container_without_gpu(&["-config", "/good.toml", "prestart"])]
#[case::words_behind_prestart(&["-config", "/good.toml", "prestart", "x", "-config", "/none"])]
fn it_does_nothing_and_says_nothing(#[case] arguments: &[&str]) {
    Machine::new().run(arguments).success().stdout(is_empty()).stderr(is_empty());
}

#[rstest]
#[case::nothing(&[], "")]
#[case::an_empty_word(&[""], "")]
#[case::another_command(&["start"], "")]
#[case::another_case(&["Prestart"], "")]
#[case::a_space_behind(&["prestart "], "")]
#[case::an_abbreviation(&["pre"], "")]
#[case::a_lone_dash(&["-"], "")]
#[case::nothing_behind_dashes(&["--"], "")]
#[case::a_flag_behind_dashes(&["--", "-debug", "prestart"], "")]
#[case::a_flag_only(&["-debug"], "")]
#[case::an_unknown_flag(&["-verbose", "prestart"], "flag provided but not defined: -verbose")]
#[case::an_unknown_flag_with_dashes(&["--verbose=1", "prestart"], "flag provided but not defined: -verbose")]
#[case::a_cluster(&["-dc", "x", "prestart"], "flag provided but not defined: -dc")]
#[case::an_abbreviated_flag(&["-deb", "prestart"], "flag provided but not defined: -deb")]
#[case::three_dashes(&["---debug", "prestart"], "bad flag syntax: ---debug")]
#[case::no_name(&["-=x", "prestart"], "bad flag syntax: -=x")]
#[case::no_value(&["-config"], "flag needs an argument: -config")]
#[case::not_a_boolean(&["-debug=2", "prestart"], "invalid boolean value \"2\" for -debug: parse error")]
#[case::no_boolean(&["-debug=", "prestart"], "invalid boolean value \"\" for -debug: parse error")]
#[case::a_boolean_takes_no_next_word(&["-debug", "false", "prestart"], "")]
fn wrong_usage_ends_with_2_and_the_usage(#[case] arguments: &[&str], #[case] message: &str) {
    let expected = match message {
        "" => starts_with(USAGE),
        message => starts_with(message),
    };
    Machine::new().run(arguments).code(2).stdout(is_empty()).stderr(expected.and(contains(USAGE)));
}

#[rstest]
#[case::as_next_word(&["-config", "/good.toml", "prestart"])]
#[case::behind_equals(&["-config=/good.toml", "prestart"])]
#[case::two_dashes(&["--config", "/good.toml", "prestart"])]
#[case::two_dashes_behind_equals(&["--config=/good.toml", "prestart"])]
#[case::the_last_counts(&["-config=/none", "-config=/good.toml", "prestart"])]
#[case::relative(&["-config=good.toml", "prestart"])]
fn a_configuration_file_may_be_named(#[case] arguments: &[&str]) {
    Machine::new().run(arguments).success().stderr(is_empty());
}

#[rstest]
#[case::the_usual_file_is_broken(&["prestart"], "config.toml:1:")]
#[case::the_named_file_is_absent(&["-config=/none", "prestart"], "/none: no such file or directory")]
#[case::an_empty_name_is_none(&["-config=", "prestart"], "config.toml:1:")]
#[case::a_directory(&["-config=/bundle", "prestart"], "/bundle: is a directory")]
#[case::the_flag_swallows_a_flag(&["-config", "-debug", "prestart"], "-debug: no such file or directory")]
fn a_failed_prestart_ends_with_1(#[case] arguments: &[&str], #[case] message: &str) {
    Machine::new().run(arguments).code(1).stdout(is_empty()).stderr(contains(message).count(1));
}

#[rstest]
#[case("-version")]
#[case("--version")]
#[case("-version=true")]
#[case("-version=1")]
fn the_version_is_an_answer(#[case] flag: &str) {
    let version = format!("NVIDIA Container Runtime Hook version {}\n", env!("CARGO_PKG_VERSION"));
    Machine::new().run(&[flag, "prestart"]).success().stdout(version).stderr(is_empty());
}

#[rstest]
#[case("-version=false")]
#[case("-version=F")]
fn a_version_that_is_switched_off_is_none(#[case] flag: &str) {
    Machine::new().run(&[flag, "poststart"]).success().stdout(is_empty());
}

#[rstest]
#[case("-h")]
#[case("-help")]
#[case("--help")]
#[case("-help=false")]
fn help_is_the_usage_on_stderr(#[case] flag: &str) {
    Machine::new().run(&[flag, "prestart"]).success().stdout(is_empty()).stderr(starts_with(USAGE));
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let machine = Machine::new();
    machine.run(&[OsStr::from_bytes(b"\xff\xfe")]).code(2).stderr(starts_with(USAGE));
    machine.run(&[OsStr::from_bytes(b"-\xff"), OsStr::new("prestart")]).code(2).stderr(contains(USAGE));
    machine.run(&[OsStr::from_bytes(b"-config=\xff"), OsStr::new("prestart")]).code(1).stderr(contains("no such file"));
}
