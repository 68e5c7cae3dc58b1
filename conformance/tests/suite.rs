//! The program `nvidia-hook-conformance` as a user sees it: words, formats, exit status. The hooks are one-line
//! scripts; what a real hook does is for this project's own suites.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What the program said.
#[derive(Debug)]
struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

/// `CONFORMANCE_BIN`, so that a package build can test what it installs, or the program that cargo built.
fn program() -> PathBuf {
    let named = std::env::var_os("CONFORMANCE_BIN").filter(|path| !path.is_empty());
    named.map_or_else(|| env!("CARGO_BIN_EXE_nvidia-hook-conformance").into(), PathBuf::from)
}

fn run(words: &[&str]) -> Said {
    let mut command = Command::new(program());
    if let Some(folder) = std::env::var_os("FIXTURES_DIR") {
        command.arg("--cases").arg(folder);
    }
    let output = command.args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A hook that is a script.
struct Hook(TempDir);

impl Hook {
    fn new(script: &str) -> Hook {
        let folder = TempDir::new().unwrap();
        let hook = Hook(folder);
        fs::write(hook.path(), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(hook.path(), fs::Permissions::from_mode(0o755)).unwrap();
        hook
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("hook")
    }

    fn run(&self, words: &[&str]) -> Said {
        let path = self.path();
        run(&[&[path.to_str().unwrap()], words].concat())
    }
}

#[test]
fn a_reader_that_leaves_early_is_not_a_failure_and_a_full_disk_is() {
    let printed = |into: Stdio| {
        let mut command = Command::new(program());
        if let Some(folder) = std::env::var_os("FIXTURES_DIR") {
            command.arg("--cases").arg(folder);
        }
        let output = command.arg("--list").stdout(into).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(printed(writer.into()), (Some(0), String::new()));
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let why = "nvidia-hook-conformance: write to standard output: No space left on device (os error 28)\n";
    assert_eq!(printed(full.into()), (Some(1), why.to_owned()));
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    for words in [&[][..], &["--formad", "tap", "x"], &["--format", "xml", "x"], &["--release", "1.17.5", "x"]] {
        let said = run(words);
        assert!(said.status == Some(2) && said.out.is_empty() && !said.err.is_empty(), "{words:?}: {said:?}");
    }
    let help = run(&["--help"]);
    assert!(help.status == Some(0) && help.out.contains("Examples:") && help.err.is_empty(), "{help:?}");
    assert!(run(&["--version"]).out.starts_with("nvidia-hook-conformance "));
}

#[test]
fn what_is_not_there_is_wrong_usage() {
    let hook = Hook::new("exit 0");
    for said in [run(&["/no/such/hook"]), hook.run(&["no-such-case"]), run(&["--list", "no-such-case"])] {
        assert!(said.status == Some(2) && said.out.is_empty(), "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    assert!(run(&["/no/such/hook"]).err.contains("/no/such/hook: No such file"));
    let nothing = run(&["--cases", hook.0.path().to_str().unwrap(), "--list"]);
    assert!(nothing.status == Some(2), "{nothing:?}");
}

#[test]
fn a_list_names_areas_cases_and_parts() {
    let list = |words: &[&str]| run(&[&["--list"], words].concat()).out;
    let all = list(&[]);
    assert!(all.lines().count() > 1500 && all.contains("state/empty\n") && all.contains("recorded/imex/"), "{all}");
    let state = list(&["state"]);
    assert!(state.lines().count() > 5 && state.lines().all(|name| name.starts_with("state/")), "{state}");
    assert_eq!(list(&["state/empty"]), "state/empty\n");
    assert!(list(&["pipe-ope"]).contains("state/a-runtime-may-keep-the-pipe-open\n"));
    assert_eq!(list(&["state/empty", "state/cut-off"]).lines().count(), 2);
}

#[test]
fn a_hook_that_does_nothing_passes_where_nothing_is_right() {
    let hook = Hook::new("exit 0");
    let said = hook.run(&["command-line/poststop-does-nothing"]);
    assert!(said.status == Some(0) && said.out.ends_with("\n1 passed, 0 skipped, 0 failed\n"), "{said:?}");
    let said = hook.run(&["command-line/poststop-does-nothing", "arguments/typical"]);
    assert!(said.status == Some(1) && said.out.contains("\nFAIL arguments/typical: "), "{said:?}");
    assert!(said.out.ends_with("\n1 passed, 0 skipped, 1 FAILED\n"), "{said:?}");
    let said = hook.run(&["--format", "tap", "command-line/poststop-does-nothing", "arguments/typical"]);
    assert!(said.status == Some(1) && said.out.starts_with("TAP version 14\n"), "{said:?}");
    assert!(said.out.contains("\n1..2\nnot ok 1 - arguments/typical\n"), "{said:?}");
    let said = hook.run(&["--format", "junit", "arguments/typical"]);
    assert!(said.status == Some(1) && said.out.starts_with("<?xml "), "{said:?}");
    assert!(said.out.contains("<testsuite name=\"arguments\" tests=\"1\" failures=\"1\" skipped=\"0\">"), "{said:?}");
}

#[test]
fn what_a_start_leaves_is_told_and_is_not_there_for_the_next() {
    let leaves = |there: &str| {
        Hook::new(&format!(r#"[ "$3" = poststop ] && exit 0; [ -e "$2{there}" ] && exit 9; echo >"$2{there}""#))
    };
    for there in ["/left", "/usr/bin/left", "/device"] {
        let said = leaves(there).run(&["state/empty", "state/cut-off", "state/not-json"]);
        assert!(said.out.contains("\n0 passed, 0 skipped, 3 FAILED\n"), "{said:?}");
        assert_eq!(said.out.matches(&format!("got [\"{there} (0644)\"]")).count(), 3, "{said:?}");
    }
}

#[test]
fn processes_that_a_hook_left_are_ended() {
    let hook = Hook::new(r#"[ "$3" = poststop ] && { sleep 300 <&- >&- 2>&- & echo $! >>"$0.left"; exit 0; }"#);
    let said = hook.run(&["command-line/poststop-does-nothing"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    let left = fs::read_to_string(hook.0.path().join("hook.left")).unwrap();
    for process in left.lines() {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
    assert!(!left.is_empty());
}

#[test]
fn what_cannot_run_is_skipped_with_a_reason_and_is_no_success() {
    // The hook does not know -host-root, and a private root has no shell for it.
    let hook = Hook::new("exit 2");
    let said = hook.run(&["command-line/poststop-does-nothing"]);
    assert!(said.status == Some(1) && said.out.contains("\nskipped, 1: the hook cannot be run here: "), "{said:?}");
    assert!(said.out.ends_with("\n0 passed, 1 skipped, 0 failed\n"), "{said:?}");
}

#[test]
fn a_hook_is_held_against_the_release_that_it_names_or_that_is_given() {
    let about = |script: &str, words: &[&str]| {
        let said = Hook::new(script).run(&[words, &["state/empty"]].concat());
        said.out.lines().next().unwrap().split_once(": ").unwrap().1.to_owned()
    };
    let says = |version: &str| {
        format!("[ \"$1\" = -version ] || exit 2; echo 'NVIDIA Container Runtime Hook version {version}'; echo commit")
    };
    assert_eq!(
        about(&says("1.17.8"), &[]),
        "in a private root, held against release 1.17.9, since it says that it is 1.17.8"
    );
    assert_eq!(
        about(&says("unknown"), &[]),
        "in a private root, held against release main, the newest, since no runs of unknown were recorded"
    );
    assert_eq!(
        about("exit 2", &["--release", "1.14.1"]),
        "in a private root, held against release 1.14.1, as --release says"
    );
    assert_eq!(
        about("exit 0", &[]),
        "told its root by -host-root, held against this project's hook, since it knows -host-root"
    );
    assert_eq!(
        about("exit 0", &["--release", "main", "--private-root"]),
        "in a private root, held against release main, as --release says"
    );
}

#[test]
fn what_a_hook_and_its_path_say_is_shown_in_one_line_without_commands_for_a_terminal() {
    let hook = Hook::new("[ \"$1\" = -version ] || exit 2; printf 'Hook version 1.\\033[31m\\n'");
    let place = hook.0.path().join("a\nnot ok 1 \u{1b}c");
    fs::rename(hook.path(), &place).unwrap();
    for format in ["text", "tap", "junit"] {
        let said = run(&["--format", format, place.to_str().unwrap(), "state/empty"]);
        assert!(!said.out.contains('\u{1b}') && !said.out.contains("\nnot ok 1 \\u"), "{said:?}");
        assert!(format == "junit" || said.out.contains("/a\\nnot ok 1 \\u{1b}c: in a private root"), "{said:?}");
        assert!(format == "junit" || said.out.contains("no runs of 1.\\u{1b}[31m were recorded"), "{said:?}");
    }
    let said = run(&["/no/such\n\u{1b}c", "state/empty"]);
    assert!(said.err.lines().count() == 1 && said.err.contains("/no/such\\n\\u{1b}c: No such file"), "{said:?}");
}

#[test]
fn the_cases_of_a_folder_are_read_as_they_are() {
    let top = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let place = top.path().join(path);
        fs::create_dir_all(place.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(place, text).unwrap();
    };
    write("defaults/state.json", "");
    for file in ["main.jsonl", "1.20.0.jsonl", "founding.jsonl", "releases.jsonl"] {
        write(&format!("recorded/{file}"), "");
    }
    write("recorded/overrides.toml", "[reasons]\n");
    write("recorded/rules.toml", "");
    write("hook/own/case/expected.toml", "why = \"exit 7\"\nsource = \"x\"\nexit = 7\n");
    let cases = top.path().to_str().unwrap();
    let hook = Hook::new("[ \"$3\" = poststop ] || exit 7");
    let program = || Command::new(program());
    let output = program().args(["--cases", cases]).arg(hook.path()).arg("own").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    write("hook/own/case/expected.toml", "why = \"exit 8\"\nsource = \"x\"\nexit = 8\n");
    let output = program().args(["--cases", cases]).arg(hook.path()).arg("own").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
