//! The command line of the hook, as tables: commands, flags, usage, exit status. The cases in fixtures/ cover a
//! successful `prestart`. Nothing here reads a file of this machine: each run has its own directory as root.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::test;

const USAGE: &str = "Usage of nvidia-container-runtime-hook:";
/// A container that is not a GPU container, so nothing is executed.
const STATE: &str = r#"{"pid": 1, "bundle": "/bundle"}"#;
const SPEC: &str = r#"{"ociVersion": "1.0.2", "process": {"env": []}, "root": {"path": "/r"}}"#;

/// A name, arguments, and words of the message.
type Row = (&'static str, &'static [&'static str], &'static str);

/// Command lines that do nothing and print nothing.
const NOTHING: &[Row] = &[
    ("poststart", &["poststart"], ""),
    ("poststop", &["poststop"], ""),
    ("words after a no op", &["poststop", "-debug", "prestart", "--no-such-flag"], ""),
    ("flags before a no op", &["-debug", "-config", "/none", "poststart"], ""),
    ("prestart of a container without gpu", &["-config", "/good.toml", "prestart"], ""),
    ("words after prestart", &["-config", "/good.toml", "prestart", "x", "-config", "/none"], ""),
];

/// Command lines that end with 2 and the usage, and the message before it.
const WRONG_USAGE: &[Row] = &[
    ("nothing", &[], ""),
    ("an empty word", &[""], ""),
    ("another command", &["start"], ""),
    ("another case", &["Prestart"], ""),
    ("a space after", &["prestart "], ""),
    ("an abbreviation", &["pre"], ""),
    ("a lone dash", &["-"], ""),
    ("nothing after dashes", &["--"], ""),
    ("a flag after dashes", &["--", "-debug", "prestart"], ""),
    ("a flag only", &["-debug"], ""),
    ("an unknown flag", &["-verbose", "prestart"], "flag provided but not defined: -verbose"),
    ("an unknown flag with dashes", &["--verbose=1", "prestart"], "flag provided but not defined: -verbose"),
    ("a cluster", &["-dc", "x", "prestart"], "flag provided but not defined: -dc"),
    ("an abbreviated flag", &["-deb", "prestart"], "flag provided but not defined: -deb"),
    ("three dashes", &["---debug", "prestart"], "bad flag syntax: ---debug"),
    ("no name", &["-=x", "prestart"], "bad flag syntax: -=x"),
    ("no value", &["-config"], "flag needs an argument: -config"),
    ("not a boolean", &["-debug=2", "prestart"], "invalid boolean value \"2\" for -debug: parse error"),
    ("no boolean", &["-debug=", "prestart"], "invalid boolean value \"\" for -debug: parse error"),
    ("a boolean takes no next word", &["-debug", "false", "prestart"], ""),
];

/// Ways to name a configuration file.
const NAMED_CONFIGURATION: &[Row] = &[
    ("as next word", &["-config", "/good.toml", "prestart"], ""),
    ("after equals", &["-config=/good.toml", "prestart"], ""),
    ("two dashes", &["--config", "/good.toml", "prestart"], ""),
    ("two dashes after equals", &["--config=/good.toml", "prestart"], ""),
    ("the last counts", &["-config=/none", "-config=/good.toml", "prestart"], ""),
];

/// Command lines that end with 1, and part of the message.
const FAILED: &[Row] = &[
    ("the usual file is broken", &["prestart"], "config.toml:1:"),
    ("the named file is absent", &["-config=/none", "prestart"], "/none: no such file or directory"),
    ("an empty name counts as unset", &["-config=", "prestart"], "config.toml:1:"),
    ("a directory", &["-config=/bundle", "prestart"], "/bundle: is a directory"),
    ("a relative name", &["-config=good.toml", "prestart"], "-config is \"good.toml\", which is relative"),
    ("the flag swallows a flag", &["-config", "-debug", "prestart"], "-config is \"-debug\", which is relative"),
];

/// Ways to ask for the version.
const VERSION: &[Row] = &[
    ("-version", &["-version", "prestart"], ""),
    ("--version", &["--version", "prestart"], ""),
    ("-version=true", &["-version=true", "prestart"], ""),
    ("-version=1", &["-version=1", "prestart"], ""),
];

/// Ways not to ask for the version.
const NO_VERSION: &[Row] =
    &[("-version=false", &["-version=false", "poststart"], ""), ("-version=F", &["-version=F", "poststart"], "")];

/// Ways to ask for the usage.
const HELP: &[Row] = &[
    ("-h", &["-h", "prestart"], ""),
    ("-help", &["-help", "prestart"], ""),
    ("--help", &["--help", "prestart"], ""),
    ("-help=false", &["-help=false", "prestart"], ""),
];

/// Compares what the hook said with words of the message.
type Check = fn(&Said, &str);

/// What the hook said.
#[derive(Debug)]
struct Said {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A machine with a bundle and a broken configuration, which fails a hook that reads it.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        std::fs::create_dir_all(root.path().join("bundle")).unwrap();
        std::fs::write(root.path().join("bundle/config.json"), SPEC).unwrap();
        std::fs::create_dir_all(root.path().join("etc/nvidia-container-runtime")).unwrap();
        std::fs::write(root.path().join("etc/nvidia-container-runtime/config.toml"), "broken").unwrap();
        std::fs::write(root.path().join("good.toml"), "# the defaults\n").unwrap();
        Machine(root)
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        let mut command = Command::new(crate::hook());
        command.env_clear().current_dir(self.0.path()).arg("-host-root").arg(self.0.path()).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The hook may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(STATE.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The tests.
pub fn tests() -> Vec<Trial> {
    let tables: [(&str, &'static [Row], Check); 7] = [
        ("nothing to do", NOTHING, |said, _| said.is(0, "", "")),
        ("wrong usage", WRONG_USAGE, wrong_usage),
        ("a named configuration file", NAMED_CONFIGURATION, |said, _| said.is(0, "", "")),
        ("a failed prestart", FAILED, failed),
        ("version", VERSION, |said, _| {
            let version = env!("CARGO_PKG_VERSION");
            let contract = "contract: NVIDIA Container Toolkit 1.20.0";
            said.is(0, &format!("NVIDIA Container Runtime Hook version {version}\n{contract}\n"), "");
        }),
        ("no version", NO_VERSION, |said, _| said.is(0, "", "")),
        ("help", HELP, |said, _| {
            assert!(said.status == Some(0) && said.stdout.is_empty() && said.stderr.starts_with(USAGE), "{said:?}");
        }),
    ];
    let rows = tables.into_iter().flat_map(|(table, rows, check)| rows.iter().map(move |row| (table, *row, check)));
    let mut tests: Vec<Trial> = rows
        .map(|(table, (name, arguments, message), check)| {
            test(format!("command line: {table}: {name}"), move || check(&Machine::new().run(arguments), message))
        })
        .collect();
    tests.push(test("command line: bytes that are not text do no harm", bytes_that_are_not_text_do_no_harm));
    tests
}

impl Said {
    fn is(&self, status: i32, stdout: &str, stderr: &str) {
        assert_eq!((self.status, self.stdout.as_str(), self.stderr.as_str()), (Some(status), stdout, stderr));
    }
}

fn wrong_usage(said: &Said, message: &str) {
    let start = if message.is_empty() { USAGE } else { message };
    assert!(said.status == Some(2) && said.stdout.is_empty(), "{said:?}");
    assert!(said.stderr.starts_with(start) && said.stderr.contains(USAGE), "{said:?}");
}

fn failed(said: &Said, message: &str) {
    assert!(said.status == Some(1) && said.stdout.is_empty(), "{said:?}");
    assert_eq!(said.stderr.matches(message).count(), 1, "{said:?}");
}

fn bytes_that_are_not_text_do_no_harm() {
    let machine = Machine::new();
    wrong_usage(&machine.run(&[OsStr::from_bytes(b"\xff\xfe")]), USAGE);
    let said = machine.run(&[OsStr::from_bytes(b"-\xff"), OsStr::new("prestart")]);
    assert!(said.status == Some(2) && said.stderr.contains(USAGE), "{said:?}");
    let said = machine.run(&[OsStr::from_bytes(b"-config=\xff"), OsStr::new("prestart")]);
    assert!(said.status == Some(1) && said.stderr.contains("which is relative"), "{said:?}");
}
