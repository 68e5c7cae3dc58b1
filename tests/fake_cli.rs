//! The contract of `fake-nvidia-container-cli` beyond the recorded runs: records, settings, failures, versions, verbs.
//!
//! Every test runs the program itself, in an empty environment and a folder of its own.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "shared with suites that ask for more")]
mod programs;

/// A folder with a container's root and a record.
struct Lab {
    top: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("rootfs")).unwrap();
        Self { top }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn rootfs(&self) -> String {
        self.path("rootfs").to_str().unwrap().to_owned()
    }

    /// The program under the real name, with nothing but what a test says.
    fn cli(&self, words: &[&str]) -> Command {
        self.named("nvidia-container-cli", words)
    }

    fn named(&self, argv0: &str, words: &[&str]) -> Command {
        let mut command = Command::new(programs::fake());
        command.arg0(argv0).args(words).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_RECORD", self.path("record"));
        command.current_dir(self.top.path()).stdin(Stdio::null());
        command
    }

    /// A `configure` that succeeds unless something else is said.
    fn configure(&self, words: &[&str]) -> Command {
        let rootfs = self.rootfs();
        let mut all = vec!["configure", "--pid=1"];
        all.extend(words);
        all.push(&rootfs);
        self.cli(&all)
    }

    fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("record")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn record(&self) -> Value {
        self.records().pop().unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A command that the shell starts, for what std would set right: signals, descriptors, the environment's order.
fn shell(lab: &Lab, script: &str) -> Output {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).env_clear().env("CLI", programs::fake()).env("RECORD", lab.path("record"));
    command.env("PATH", programs::search_path(lab.top.path()));
    command.current_dir(lab.top.path()).output().unwrap()
}

#[test]
fn a_record_tells_what_the_process_inherited() {
    let lab = Lab::new();
    let script = "trap '' PIPE USR1; umask 027; exec 7</dev/null; exec env -i B=2 A=1 PATH=/bin FAKE_NVIDIA_CONFIG=/dev/null \
                  FAKE_NVIDIA_RECORD=$RECORD $CLI info";
    assert!(shell(&lab, script).status.success());
    let record = lab.record();
    assert_eq!(record["environ"][0], "B=2");
    assert_eq!(record["environ"][1], "A=1");
    assert_eq!(record["umask"], "0027");
    assert_eq!(record["cwd"], lab.top.path().canonicalize().unwrap().to_str().unwrap());
    assert_eq!(ignored(&record), ["SIGUSR1", "SIGPIPE"]);
    let fds = record["fds"].as_array().unwrap();
    assert!(fds.iter().any(|fd| fd["fd"] == 7 && fd["target"] == "/dev/null"), "{fds:?}");
    assert!(fds.iter().all(|fd| !fd["target"].as_str().unwrap().contains("record")), "{fds:?}");
}

#[test]
fn a_default_sigpipe_is_recorded_as_one() {
    let lab = Lab::new();
    let script = "exec env -i PATH=/bin FAKE_NVIDIA_CONFIG=/dev/null FAKE_NVIDIA_RECORD=$RECORD $CLI info";
    assert!(shell(&lab, script).status.success());
    assert_eq!(ignored(&lab.record()), Vec::<&str>::new());
}

/// The signals that a record says were ignored; without 32 and 33, which glibc keeps for itself and hands to a spawned
/// process as ignored when the spawning program has used them.
fn ignored(record: &Value) -> Vec<&str> {
    let names = record["signals"]["ignored"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names.filter(|name| !matches!(*name, "32" | "33")).collect()
}

#[test]
fn closed_standard_streams_do_not_spoil_the_record() {
    let lab = Lab::new();
    let script = "exec env -i FAKE_NVIDIA_CONFIG=/dev/null FAKE_NVIDIA_RECORD=$RECORD $CLI --bogus <&- >&- 2>&-";
    assert_eq!(shell(&lab, script).status.code(), Some(1));
    let record = lab.record();
    assert!(record["outcome"]["stderr"].as_str().unwrap().contains("unrecognized option"));
    assert!(record["fds"].as_array().unwrap().iter().all(|fd| fd["fd"].as_u64() > Some(2)), "{}", record["fds"]);
}

#[test]
fn a_record_tells_options_container_and_end() {
    let lab = Lab::new();
    lab.configure(&["--device=0", "--utility"]).output().unwrap();
    let record = lab.record();
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
    let lab = Lab::new();
    let output = lab.cli(&["list"]).arg(std::ffi::OsStr::from_bytes(b"--\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"nvidia-container-cli list: unrecognized option '--\xff'\n"));
    assert_eq!(lab.record()["argv"][2]["b64"], "LS3/");
}

#[test]
fn a_thousand_runs_at_once_leave_a_thousand_whole_lines() {
    let lab = Lab::new();
    let run = |at: usize| {
        let padding = "x".repeat(at * 7 % 5000);
        lab.configure(&["--require=cuda>=1"]).env("AT", at.to_string()).env("PADDING", padding).status().unwrap();
    };
    std::thread::scope(|scope| {
        for lane in 0..20 {
            scope.spawn(move || (0..50).for_each(|step| run(lane * 50 + step)));
        }
    });
    let mut seen: Vec<String> = Vec::new();
    for record in lab.records() {
        let environ = record["environ"].as_array().unwrap();
        seen.extend(environ.iter().filter_map(|e| e.as_str()?.strip_prefix("AT=").map(str::to_owned)));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

#[test]
fn without_a_record_nothing_else_changes() {
    let lab = Lab::new();
    let with = lab.cli(&["list"]).output().unwrap();
    let without = lab.cli(&["list"]).env_remove("FAKE_NVIDIA_RECORD").output().unwrap();
    assert_eq!(with, without);
    assert_eq!(lab.records().len(), 1);
}

#[test]
fn faults_of_the_simulator_are_told_apart() {
    let lab = Lab::new();
    fs::write(lab.path("bad.toml"), "gpus = 2\nmodell = \"T4\"\n").unwrap();
    let cases = [
        ("FAKE_NVIDIA_TOPOLOGY", "bad.toml", "bad.toml:2:1: unknown field `modell`"),
        ("FAKE_NVIDIA_TOPOLOGY", "nowhere", "no built-in name"),
        ("FAKE_NVIDIA_FAIL", "nonsense", "`nonsense` is not understood"),
        ("FAKE_NVIDIA_FAIL", "every=2,exit=1,at=nowhere", "at=nowhere"),
        ("FAKE_NVIDIA_CLI_VERSION", "0.1.0", "not a version from 1.14.0"),
        ("FAKE_NVIDIA_APPLY", "maybe", "none of record, files, mounts"),
        ("FAKE_NVIDIA_CONFIG", "/no/such/file", "/no/such/file"),
        ("FAKE_NVIDIA_RECORD", "/no/such/folder/record", "/no/such/folder/record"),
    ];
    for (name, value, expected) in cases {
        let output = lab.configure(&[]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}={value}");
        assert!(stderr(&output).starts_with("fake-nvidia-container-cli: "), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn a_settings_file_serves_where_the_environment_is_empty() {
    let lab = Lab::new();
    let file = lab.path("config.toml");
    fs::write(&file, "topology = \"h100\"\nrecord = \"other\"\nfail = \"gpu-lost\"\ncli-version = \"1.17.8\"\n")
        .unwrap();
    let output = lab.cli(&["info"]).env("FAKE_NVIDIA_CONFIG", &file).env_remove("FAKE_NVIDIA_RECORD").output().unwrap();
    assert_eq!(stderr(&output), "nvidia-container-cli: detection error: nvml error: gpu is lost\n");
    assert!(lab.path("other").exists());
    let output =
        lab.cli(&["info"]).env("FAKE_NVIDIA_CONFIG", &file).env("FAKE_NVIDIA_FAIL", "rpc-timeout").output().unwrap();
    assert!(stderr(&output).contains("driver rpc error: timed out"));
}

#[test]
fn a_named_failure_comes_at_its_step_and_not_before() {
    let lab = Lab::new();
    let fails =
        |words: &[&str], fail: &str| stderr(&lab.configure(words).env("FAKE_NVIDIA_FAIL", fail).output().unwrap());
    assert!(fails(&["--device=9"], "unsatisfied-cuda").contains("device error: 9: unknown device"));
    assert!(fails(&[], "unsatisfied-cuda").contains("unsatisfied condition: cuda>=12.6, please update your driver"));
    assert!(fails(&[], "unknown-device,for=GPU-1").contains("device error: GPU-1: unknown device"));
    assert!(fails(&[], "driver-missing,real").starts_with("nvidia-container-cli.real: initialization error: load"));
    assert!(fails(&[], "file-exists").contains(&format!("file creation failed: {}/usr/lib", lab.rootfs())));
    assert!(fails(&["--bogus"], "gpu-lost").contains("unrecognized option"));
    assert!(fails(&[], "gpu-lost,at=start").contains("gpu is lost"));
    assert_eq!(lab.record()["outcome"]["failure"], "gpu-lost,at=start");
}

#[test]
fn an_unrecognized_option_is_the_real_programs_text() {
    let lab = Lab::new();
    let asked = lab.configure(&[]).env("FAKE_NVIDIA_FAIL", "unrecognized-option").output().unwrap();
    let words = ["--cuda-compat-mode=disabled"];
    let real = lab.configure(&words).env("FAKE_NVIDIA_CLI_VERSION", "1.16.0").output().unwrap();
    assert_eq!(stderr(&asked), stderr(&real));
}

#[test]
fn a_failure_can_be_spelled_out_and_comes_every_nth_run() {
    let lab = Lab::new();
    let run =
        || lab.configure(&[]).env("FAKE_NVIDIA_FAIL", "every=3,exit=7,at=mount,stderr=no, not now").output().unwrap();
    let ends: Vec<Option<i32>> = (0..6).map(|_| run().status.code()).collect();
    assert_eq!(ends, [Some(0), Some(0), Some(7), Some(0), Some(0), Some(7)]);
    assert_eq!(lab.record()["outcome"]["stderr"], "no, not now\n");
}

#[test]
fn signals_delays_and_hangs_are_recorded_first() {
    let lab = Lab::new();
    let output = lab.configure(&[]).env("FAKE_NVIDIA_FAIL", "signal=KILL").output().unwrap();
    assert_eq!(output.status.signal(), Some(9));
    assert_eq!(lab.record()["outcome"]["signal"], 9);
    let start = Instant::now();
    assert!(lab.configure(&[]).env("FAKE_NVIDIA_FAIL", "delay=300").status().unwrap().success());
    assert!(start.elapsed() >= Duration::from_millis(300));
    let mut child = lab.configure(&[]).env("FAKE_NVIDIA_FAIL", "hang").spawn().unwrap();
    while lab.records().len() < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_old_version_does_not_know_new_options() {
    let lab = Lab::new();
    let knows = |version: &str, words: &[&str]| {
        lab.cli(words).env("FAKE_NVIDIA_CLI_VERSION", version).output().unwrap().status.success()
    };
    let rootfs = lab.rootfs();
    for (option, before, since) in [
        ("--imex-channel=", "1.14.5", "1.14.6"),
        ("--no-gsp-firmware", "1.16.1", "1.16.2"),
        ("--no-cntlibs", "1.17.3", "1.17.4"),
        ("--cuda-compat-mode=disabled", "1.17.6", "1.17.7"),
    ] {
        let words = ["configure", "--pid=1", option, rootfs.as_str()];
        assert!(!knows(before, &words) && knows(since, &words), "{option}");
    }
    let words = ["--no-create-imex-channels", "info"];
    assert!(!knows("1.16.2", &words) && knows("1.17.0", &words));
    let output = lab.cli(&["--version"]).env("FAKE_NVIDIA_CLI_VERSION", "1.15.0").output().unwrap();
    assert!(stdout(&output).starts_with("cli-version: 1.15.0\n"));
}

#[test]
fn undefined_behaviour_of_the_real_program_is_a_clear_error() {
    let lab = Lab::new();
    let output = lab.configure(&["--imex-channel=99"]).env("FAKE_NVIDIA_TOPOLOGY", "gb200").output().unwrap();
    let expected = "mount error: stat failed: /dev/nvidia-caps-imex-channels/channel99: no such file or directory";
    assert_eq!(stderr(&output), format!("nvidia-container-cli: {expected}\n"));
    let made = lab.cli(&["-k", "configure", "--pid=1", "--imex-channel=99", &lab.rootfs()]).status().unwrap();
    assert!(made.success(), "--load-kmods makes the node");
}

#[test]
fn our_own_name_speaks_with_the_real_ones_voice() {
    let lab = Lab::new();
    for argv0 in ["fake-nvidia-container-cli", "/opt/x/fake-nvidia-container-cli"] {
        let output = lab.named(argv0, &["list", "-d", "9"]).output().unwrap();
        assert_eq!(stderr(&output), "nvidia-container-cli: device error: 9: unknown device\n");
        let output = lab.named(argv0, &["--bogus"]).output().unwrap();
        assert!(stderr(&output).starts_with("nvidia-container-cli: unrecognized option '--bogus'\n"));
    }
    let output = lab.named("/opt/x/nvidia-container-cli.real", &["--bogus"]).output().unwrap();
    assert!(stderr(&output).starts_with("/opt/x/nvidia-container-cli.real: unrecognized option '--bogus'\n"));
    assert!(stderr(&output).contains("Try `nvidia-container-cli.real --help'"));
}

#[test]
fn the_verbs_of_our_own_exist_under_our_name_only() {
    let lab = Lab::new();
    for verb in ["topologies", "failures", "record-path", "schema"] {
        assert!(lab.named("fake-nvidia-container-cli", &[verb]).status().unwrap().success(), "{verb}");
        assert_eq!(lab.cli(&[verb]).output().unwrap().status.code(), Some(1), "{verb}");
    }
    let words = ["require", "cuda>=12.4 brand=tesla,driver>=470", "--topology", "t4"];
    let output = lab.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert!(output.status.success() && stdout(&output).contains("=> satisfied"), "{}", stdout(&output));
    let output = lab.named("fake-nvidia-container-cli", &["require", "cuda>=99", "--topology", "t4"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = ["explain", "--topology", "h100-mig", "configure", "--device=0:1", "-u", "--pid=1", "/ctr"];
    let output = lab.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert!(stdout(&output).contains("MIG device  0:1  3g.40gb"), "{}", stdout(&output));
    let output = lab.named("fake-nvidia-container-cli", &["record-path"]).output().unwrap();
    assert_eq!(stdout(&output).trim_end(), lab.path("record").to_str().unwrap());
}

#[test]
fn a_printed_topology_is_a_topology() {
    let lab = Lab::new();
    for name in ["a100-mig", "gb200", "none", "mixed"] {
        let printed = lab.named("fake-nvidia-container-cli", &["topologies", name]).output().unwrap();
        fs::write(lab.path("again.json"), &printed.stdout).unwrap();
        let again = lab.named("fake-nvidia-container-cli", &["topologies", "again.json"]).output().unwrap();
        assert_eq!(stdout(&again), stdout(&printed), "{name}");
    }
}

#[test]
fn nvidia_smi_tells_the_machine_of_the_settings() {
    let lab = Lab::new();
    let smi = |words: &[&str], topology: &str| {
        lab.named("nvidia-smi", words).env("FAKE_NVIDIA_TOPOLOGY", topology).output().unwrap()
    };
    let list = stdout(&smi(&["-L"], "h100-mig"));
    assert_eq!(list.lines().filter(|l| l.starts_with("GPU ")).count(), 2);
    assert_eq!(list.lines().filter(|l| l.starts_with("  MIG ")).count(), 6);
    let query = ["--query-gpu=index,name,memory.total", "--format=csv"];
    assert_eq!(stdout(&smi(&query, "t4")), "index, name, memory.total [MiB]\n0, Tesla T4, 15360 MiB\n");
    let query = ["--query-gpu=uuid,memory.total", "--format=csv,noheader,nounits"];
    assert_eq!(stdout(&smi(&query, "t4")), "GPU-4dc08a19-16d0-00dc-8399-06e95c254e12, 15360\n");
    assert_eq!(smi(&["--query-gpu=shoes", "--format=csv"], "t4").status.code(), Some(2));
    assert!(stdout(&smi(&["mig", "-lgi"], "h100-mig")).contains("MIG 3g.40gb"));
    assert_eq!(smi(&[], "none").status.code(), Some(9));
    assert!(lab.records().is_empty());
}

#[test]
fn a_linker_cache_of_ones_own_has_to_be_one() {
    let lab = Lab::new();
    fs::write(lab.path("cache"), "glibc-ld.so.cache1.1").unwrap();
    fs::write(lab.path("text"), "no cache").unwrap();
    let run = |path: &Path| lab.cli(&[&format!("--ldcache={}", path.display()), "info"]).output().unwrap();
    assert!(run(&lab.path("cache")).status.success());
    let (text, gone) = (lab.path("text"), lab.path("gone"));
    let error = |what: String| format!("nvidia-container-cli: detection error: {what}\n");
    assert_eq!(stderr(&run(&text)), error(format!("unsupported file format: {}", text.display())));
    assert_eq!(stderr(&run(&gone)), error(format!("open failed: {}: no such file or directory", gone.display())));
}

#[test]
fn the_debug_log_has_the_real_programs_form() {
    let lab = Lab::new();
    assert!(lab.cli(&["--debug=log", "list"]).status().unwrap().success());
    let log = fs::read_to_string(lab.path("log")).unwrap();
    assert!(log.starts_with("\n-- WARNING, the following logs are for debugging purposes only --\n\nI"), "{log}");
    assert!(log.contains(" nvc.c:0] using unprivileged user 65534:65534\n"), "{log}");
    assert!(lab.cli(&["--debug=/no/such/folder/log", "list"]).status().unwrap().success());
    assert!(!lab.cli(&["--debug=early", "--root=", "list"]).status().unwrap().success());
    assert!(!lab.path("early").exists());
}

#[test]
fn a_failure_with_exit_0_makes_a_plain_recorder() {
    let lab = Lab::new();
    let words = ["--user=nobody-knows", "configure", "--require=junk", "/ctr"];
    let output = lab.cli(&words).env("FAKE_NVIDIA_FAIL", "exit=0").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(lab.record()["argv"][1], "--user=nobody-knows");
}

#[test]
fn files_mode_follows_links_inside_the_root_only() {
    let lab = Lab::new();
    let outside = lab.path("outside");
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, lab.path("rootfs/usr")).unwrap();
    let output = lab.configure(&["-u", "--device=all"]).env("FAKE_NVIDIA_APPLY", "files").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(lab.path("rootfs").join(outside.strip_prefix("/").unwrap()).join("bin/nvidia-smi").exists());
}

#[test]
fn a_closed_pipe_ends_the_program_as_it_would_the_real_one() {
    let lab = Lab::new();
    let mut command = lab.cli(&["list"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(File::create(lab.path("err")).unwrap()).output().unwrap();
    assert!(fs::read_to_string(lab.path("err")).unwrap().is_empty());
    assert!(output.status.signal() == Some(13) || output.status.success(), "{:?}", output.status);
    assert!(programs::fake().exists());
}
