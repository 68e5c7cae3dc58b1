//! The command line: wrong usage, help, and what an argument can do to the terminal.

use super::cases::machine;

#[test]
fn wrong_usage_is_status_2_and_help_is_an_answer() {
    let machine = machine("explain/plain");
    for words in
        [&["explain"][..], &["explain", "--bundle", "/a", "--state", "-"], &["explain", "--env", "A"], &["check", "-x"]]
    {
        let said = machine.run(words);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{words:?}");
        assert!(said.stderr.contains("--help"), "{}", said.stderr);
    }
    for command in ["explain", "check", "doctor", "why", "capture", "oci-hook"] {
        let said = machine.run(&[command, "--help"]);
        assert_eq!((said.status, said.stderr.as_str()), (0, ""), "{command}");
        assert!(said.stdout.contains("Examples:"), "{command}");
        let short = machine.run(&[command, "-h"]);
        for line in said.stdout.lines().chain(short.stdout.lines()) {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
    }
}

#[test]
fn a_root_that_is_not_a_directory_is_not_a_machine() {
    for command in [&["doctor"][..], &["check"], &["why", "x"], &["explain", "--env", "A=B"], &["oci-hook"]] {
        for root in ["/does/not/exist", "/proc/self/status"] {
            let said = std::process::Command::new(super::cases::hookctl())
                .args([command[0], "--host-root", root])
                .args(&command[1..])
                .output()
                .unwrap();
            assert_eq!((said.status.code(), said.stdout.len()), (Some(2), 0), "{command:?} {root}");
        }
    }
}

#[test]
fn an_argument_cannot_drive_the_terminal() {
    let said = machine("explain/plain").run(&["explain", "--env", "\u{1b}[31m"]);
    assert_eq!(said.status, 2);
    // Shown escaped; left out if another crate of the workspace has clap compiled with its feature `color`.
    let shown = ["invalid value '\\u{1b}[31m'", "invalid value ''"];
    assert!(shown.iter().any(|shown| said.stderr.contains(shown)), "{}", said.stderr);
    assert!(!said.stderr.contains('\u{1b}'), "{}", said.stderr);
}
