//! What a record of `fake-nvidia-container-cli` contains, and that it is written whatever happens.

use super::programs;
use super::sandbox::Sandbox;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Starts a command through the shell, for things that std would change: signals, descriptors, the environment's order.
fn shell(sandbox: &Sandbox, script: &str) -> Output {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).env_clear().env("CLI", programs::fake()).env("RECORD", sandbox.path("record"));
    command.env("PATH", programs::search_path(&sandbox.path("bin")));
    command.current_dir(sandbox.path("")).output().unwrap()
}

#[test]
fn a_record_tells_what_the_process_inherited() {
    let sandbox = Sandbox::new();
    let script = "trap '' PIPE USR1; umask 027; exec 7</dev/null; exec env -i B=2 A=1 PATH=/bin FAKE_NVIDIA_CONFIG=/dev/null \
                  FAKE_NVIDIA_RECORD=$RECORD $CLI info";
    assert!(shell(&sandbox, script).status.success());
    let record = sandbox.record();
    assert_eq!(record["environ"][0], "B=2");
    assert_eq!(record["environ"][1], "A=1");
    assert_eq!(record["umask"], "0027");
    assert_eq!(record["cwd"], sandbox.path("").canonicalize().unwrap().to_str().unwrap());
    assert_eq!(ignored(&record), ["SIGUSR1", "SIGPIPE"]);
    let fds = record["fds"].as_array().unwrap();
    assert!(fds.iter().any(|fd| fd["fd"] == 7 && fd["target"] == "/dev/null"), "{fds:?}");
    assert!(fds.iter().all(|fd| !fd["target"].as_str().unwrap().contains("record")), "{fds:?}");
}

#[test]
fn a_default_sigpipe_is_recorded_as_one() {
    let sandbox = Sandbox::new();
    let script = "exec env -i PATH=/bin FAKE_NVIDIA_CONFIG=/dev/null FAKE_NVIDIA_RECORD=$RECORD $CLI info";
    assert!(shell(&sandbox, script).status.success());
    assert_eq!(ignored(&sandbox.record()), Vec::<&str>::new());
}

/// Which of these tests' signals a record says were ignored. Whatever runs the tests may ignore others.
fn ignored(record: &Value) -> Vec<&str> {
    let names = record["signals"]["ignored"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names.filter(|name| matches!(*name, "SIGUSR1" | "SIGPIPE")).collect()
}

#[test]
fn closed_standard_streams_do_not_spoil_the_record() {
    let sandbox = Sandbox::new();
    let script = "exec env -i FAKE_NVIDIA_CONFIG=/dev/null FAKE_NVIDIA_RECORD=$RECORD $CLI --bogus <&- >&- 2>&-";
    assert_eq!(shell(&sandbox, script).status.code(), Some(1));
    let record = sandbox.record();
    assert!(record["outcome"]["stderr"].as_str().unwrap().contains("unrecognized option"));
    assert!(record["fds"].as_array().unwrap().iter().all(|fd| fd["fd"].as_u64() > Some(2)), "{}", record["fds"]);
}

#[test]
fn a_record_tells_options_container_and_end() {
    let sandbox = Sandbox::new();
    sandbox.configure(&["--device=0", "--utility"]).output().unwrap();
    let record = sandbox.record();
    assert_eq!(record["argv"][0], "nvidia-container-cli");
    assert_eq!(record["parsed"]["devices"], "0");
    assert_eq!(record["rootfs"]["exists"], true);
    assert_eq!(record["target"]["pid"], 1);
    assert_eq!(record["outcome"]["exit"], 0);
    assert_eq!(record["plan"][0]["op"], "driver_init");
    assert!(record["namespaces"]["mnt"].as_str().unwrap().starts_with("mnt:["));
}

#[test]
fn words_that_are_not_utf8_are_kept() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let output = sandbox.cli(&["list"]).arg(std::ffi::OsStr::from_bytes(b"--\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"nvidia-container-cli list: unrecognized option '--\xff'\n"));
    assert_eq!(sandbox.record()["argv"][2]["b64"], "LS3/");
}

#[test]
fn a_thousand_runs_at_once_leave_a_thousand_whole_lines() {
    let sandbox = Sandbox::new();
    let run = |at: usize| {
        let padding = "x".repeat(at * 7 % 5000);
        sandbox.configure(&["--require=cuda>=1"]).env("AT", at.to_string()).env("PADDING", padding).status().unwrap();
    };
    std::thread::scope(|scope| {
        for lane in 0..20 {
            scope.spawn(move || (0..50).for_each(|step| run(lane * 50 + step)));
        }
    });
    let mut seen: Vec<String> = Vec::new();
    for record in sandbox.records() {
        let environ = record["environ"].as_array().unwrap();
        seen.extend(environ.iter().filter_map(|e| e.as_str()?.strip_prefix("AT=").map(str::to_owned)));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

#[test]
fn without_a_record_nothing_else_changes() {
    let sandbox = Sandbox::new();
    let with = sandbox.cli(&["list"]).output().unwrap();
    let without = sandbox.cli(&["list"]).env_remove("FAKE_NVIDIA_RECORD").output().unwrap();
    assert_eq!(with, without);
    assert_eq!(sandbox.records().len(), 1);
}

#[test]
fn signals_and_hangs_are_recorded_first() {
    let sandbox = Sandbox::new();
    let output = sandbox.configure(&[]).env("FAKE_NVIDIA_FAIL", "signal=KILL").output().unwrap();
    assert_eq!(output.status.signal(), Some(9));
    assert_eq!(sandbox.record()["outcome"]["signal"], 9);
    let mut child =
        sandbox.configure(&[]).env("FAKE_NVIDIA_FAIL", "hang,stderr=held").stderr(Stdio::piped()).spawn().unwrap();
    // The message is the last thing before the hang, so once it is there, the record is too.
    let mut message = [0; 4];
    child.stderr.take().unwrap().read_exact(&mut message).unwrap();
    assert_eq!((&message, sandbox.records().len()), (b"held", 2));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

/// The only test that reads a clock, since it tests a delay. It has no upper bound, so load cannot make it fail.
#[test]
fn a_delayed_run_takes_at_least_its_delay() {
    let sandbox = Sandbox::new();
    let start = Instant::now();
    assert!(sandbox.configure(&[]).env("FAKE_NVIDIA_FAIL", "delay=300").status().unwrap().success());
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_failure_with_exit_0_makes_a_plain_recorder() {
    let sandbox = Sandbox::new();
    let words = ["--user=nobody-knows", "configure", "--require=junk", "/ctr"];
    let output = sandbox.cli(&words).env("FAKE_NVIDIA_FAIL", "exit=0").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(sandbox.record()["argv"][1], "--user=nobody-knows");
}

#[test]
fn a_closed_pipe_ends_the_program_as_it_would_the_real_one() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.cli(&["list"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(File::create(sandbox.path("err")).unwrap()).output().unwrap();
    assert!(fs::read_to_string(sandbox.path("err")).unwrap().is_empty());
    assert!(output.status.signal() == Some(13) || output.status.success(), "{:?}", output.status);
    assert!(programs::fake().exists());
}

#[test]
fn a_record_is_private_and_nobodys_else() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let sandbox = Sandbox::new();
    let record = sandbox.path("record");
    let refused = |why: &str| {
        let mut command = sandbox.configure(&["-u"]);
        let output = sandbox.patiently({
            command.env("FAKE_NVIDIA_APPLY", "files");
            command
        });
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(3) && stderr.contains(why), "{stderr}");
        // Nothing was done before the refusal.
        assert_eq!(fs::read_dir(sandbox.path("rootfs")).unwrap().count(), 0);
        fs::remove_file(&record).unwrap();
    };
    fs::write(sandbox.path("victim"), "as it was").unwrap();
    symlink("victim", &record).unwrap();
    refused("a symbolic link");
    fs::hard_link(sandbox.path("victim"), &record).unwrap();
    refused("a second name");
    nix::unistd::mkfifo(&record, nix::sys::stat::Mode::S_IRWXU).unwrap();
    refused("");
    assert_eq!(fs::read_to_string(sandbox.path("victim")).unwrap(), "as it was");
    assert!(sandbox.configure(&[]).status().unwrap().success());
    assert_eq!(fs::metadata(&record).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_lock_that_somebody_holds_keeps_no_run_waiting() {
    use nix::fcntl::{Flock, FlockArg};
    let sandbox = Sandbox::new();
    let hold = |name: &str| Flock::lock(File::create(sandbox.path(name)).unwrap(), FlockArg::LockExclusive).unwrap();
    let held = (hold("record"), hold("record.runs"));
    let mut command = sandbox.configure(&[]);
    command.env("FAKE_NVIDIA_FAIL", "every=2,exit=7");
    assert!(sandbox.patiently(command).status.success());
    assert_eq!(sandbox.records().len(), 1);
    drop(held);
}

#[test]
fn a_fifo_for_settings_or_debug_messages_keeps_no_run_waiting() {
    let sandbox = Sandbox::new();
    let fifo = sandbox.path("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut command = sandbox.cli(&["info"]);
    command.env("FAKE_NVIDIA_CONFIG", &fifo);
    let output = sandbox.patiently(command);
    assert!(output.status.code() == Some(3) && String::from_utf8_lossy(&output.stderr).contains("not a file"));
    let debug = format!("--debug={}", fifo.display());
    assert!(sandbox.patiently(sandbox.cli(&[&debug, "info"])).status.success());
}
