//! The contract of `fake-nvidia-container-cli` beyond the recorded runs: settings, failures, versions, names, verbs.

use super::sandbox::Sandbox;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn faults_of_the_simulator_are_told_apart() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("bad.toml"), "gpus = 2\nmodell = \"T4\"\n").unwrap();
    let cases = [
        ("FAKE_NVIDIA_TOPOLOGY", "bad.toml", "bad.toml:2:1: unknown field `modell`"),
        ("FAKE_NVIDIA_TOPOLOGY", "nowhere", "not a built-in name"),
        ("FAKE_NVIDIA_FAIL", "nonsense", "`nonsense` is not understood"),
        ("FAKE_NVIDIA_FAIL", "every=2,exit=1,at=nowhere", "at=nowhere"),
        ("FAKE_NVIDIA_CLI_VERSION", "0.1.0", "not a version from 1.14.0"),
        ("FAKE_NVIDIA_APPLY", "maybe", "not one of imagine, record, files, mounts"),
        ("FAKE_NVIDIA_CONFIG", "/no/such/file", "/no/such/file"),
        ("FAKE_NVIDIA_RECORD", "/no/such/folder/record", "/no/such/folder/record"),
    ];
    for (name, value, expected) in cases {
        let output = sandbox.configure(&[]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}={value}");
        assert!(stderr(&output).starts_with("fake-nvidia-container-cli: "), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn a_settings_file_serves_where_the_environment_is_empty() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("config.toml");
    fs::write(&file, "topology = \"h100\"\nrecord = \"other\"\nfail = \"gpu-lost\"\ncli-version = \"1.17.8\"\n")
        .unwrap();
    let output =
        sandbox.cli(&["info"]).env("FAKE_NVIDIA_CONFIG", &file).env_remove("FAKE_NVIDIA_RECORD").output().unwrap();
    assert_eq!(stderr(&output), "nvidia-container-cli: detection error: nvml error: gpu is lost\n");
    assert!(sandbox.path("other").exists());
    let output = sandbox
        .cli(&["info"])
        .env("FAKE_NVIDIA_CONFIG", &file)
        .env("FAKE_NVIDIA_FAIL", "rpc-timeout")
        .output()
        .unwrap();
    assert!(stderr(&output).contains("driver rpc error: timed out"));
}

#[test]
fn a_named_failure_comes_at_its_step_and_not_before() {
    let sandbox = Sandbox::new();
    let fails =
        |words: &[&str], fail: &str| stderr(&sandbox.configure(words).env("FAKE_NVIDIA_FAIL", fail).output().unwrap());
    assert!(fails(&["--device=9"], "unsatisfied-cuda").contains("device error: 9: unknown device"));
    assert!(fails(&[], "unsatisfied-cuda").contains("unsatisfied condition: cuda>=12.6, please update your driver"));
    assert!(fails(&[], "unknown-device,for=GPU-1").contains("device error: GPU-1: unknown device"));
    assert!(fails(&[], "driver-missing,real").starts_with("nvidia-container-cli.real: initialization error: load"));
    assert!(fails(&[], "file-exists").contains(&format!("file creation failed: {}/usr/lib", sandbox.rootfs())));
    assert!(fails(&["--bogus"], "gpu-lost").contains("unrecognized option"));
    assert!(fails(&[], "gpu-lost,at=start").contains("gpu is lost"));
    assert_eq!(sandbox.record()["outcome"]["failure"], "gpu-lost,at=start");
}

#[test]
fn a_mount_that_the_machine_refuses_ends_the_plan_before_it() {
    let sandbox = Sandbox::new();
    let run = |path: &str| {
        let fail = format!("[fail]\nat = \"mount\"\nmessage = \"{path}\"\n[[gpus]]\nmodel = \"T4\"\n");
        fs::write(sandbox.path("machine.toml"), fail).unwrap();
        let mut command = sandbox.configure(&["--device=0", "--utility"]);
        command.env("FAKE_NVIDIA_TOPOLOGY", "machine.toml").env("FAKE_NVIDIA_APPLY", "files").output().unwrap()
    };
    for path in ["/proc/driver/nvidia", "/dev/nvidiactl", "/dev/nvidia0"] {
        let expected =
            format!("mount error: mount operation failed: {}{path}: operation not permitted", sandbox.rootfs());
        assert_eq!(stderr(&run(path)), format!("nvidia-container-cli: {expected}\n"));
        assert!(!sandbox.record()["plan"].to_string().contains(&format!("{path}\"")), "{path}");
        // The folder under /proc is the driver's own: if its mount is refused, nothing is created for it.
        assert_eq!(sandbox.path("rootfs/proc").exists(), path != "/proc/driver/nvidia", "{path}");
        // The driver's mounts are undone when one of them fails, and stay when a device's fails.
        assert_eq!(sandbox.path("rootfs/usr/bin/nvidia-smi").exists(), path == "/dev/nvidia0", "{path}");
    }
    assert!(sandbox.path("rootfs/dev/nvidiactl").exists() && !sandbox.path("rootfs/dev/nvidia0").exists());
}

#[test]
fn an_unrecognized_option_is_the_real_programs_text() {
    let sandbox = Sandbox::new();
    let asked = sandbox.configure(&[]).env("FAKE_NVIDIA_FAIL", "unrecognized-option").output().unwrap();
    let words = ["--cuda-compat-mode=disabled"];
    let real = sandbox.configure(&words).env("FAKE_NVIDIA_CLI_VERSION", "1.16.0").output().unwrap();
    assert_eq!(stderr(&asked), stderr(&real));
}

#[test]
fn a_failure_can_be_spelled_out_and_comes_every_nth_run() {
    let sandbox = Sandbox::new();
    let run = || {
        sandbox.configure(&[]).env("FAKE_NVIDIA_FAIL", "every=3,exit=7,at=mount,stderr=no, not now").output().unwrap()
    };
    let ends: Vec<Option<i32>> = (0..6).map(|_| run().status.code()).collect();
    assert_eq!(ends, [Some(0), Some(0), Some(7), Some(0), Some(0), Some(7)]);
    assert_eq!(sandbox.record()["outcome"]["stderr"], "no, not now\n");
}

#[test]
fn an_old_version_does_not_know_new_options() {
    let sandbox = Sandbox::new();
    let knows = |version: &str, words: &[&str]| {
        sandbox.cli(words).env("FAKE_NVIDIA_CLI_VERSION", version).output().unwrap().status.success()
    };
    let rootfs = sandbox.rootfs();
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
    let output = sandbox.cli(&["--version"]).env("FAKE_NVIDIA_CLI_VERSION", "1.15.0").output().unwrap();
    assert!(stdout(&output).starts_with("cli-version: 1.15.0\n"));
}

#[test]
fn undefined_behaviour_of_the_real_program_is_a_clear_error() {
    let sandbox = Sandbox::new();
    let output = sandbox.configure(&["--imex-channel=99"]).env("FAKE_NVIDIA_TOPOLOGY", "gb200").output().unwrap();
    let expected = "mount error: stat failed: /dev/nvidia-caps-imex-channels/channel99: no such file or directory";
    assert_eq!(stderr(&output), format!("nvidia-container-cli: {expected}\n"));
    let made = sandbox.cli(&["-k", "configure", "--pid=1", "--imex-channel=99", &sandbox.rootfs()]).status().unwrap();
    assert!(made.success(), "--load-kmods makes the node");
    fs::write(sandbox.path("two.toml"), "gpus = 1\nimex_channels_present = 2\n").unwrap();
    let gone = "mount error: stat failed: /dev/nvidia-caps-imex-channels/channel2: no such file or directory";
    for (words, error) in [
        (&["--imex-channel=1"][..], None),
        (&["--imex-channel=2"], Some(gone)),
        (&["--imex-channel=2", "--no-devbind"], Some(gone)),
        (&["--imex-channel=2", "--no-cgroups"], Some(gone)),
        (&["--imex-channel=2", "--no-devbind", "--no-cgroups"], None),
    ] {
        let output = sandbox.configure(words).env("FAKE_NVIDIA_TOPOLOGY", "two.toml").output().unwrap();
        let expected = error.map(|error| format!("nvidia-container-cli: {error}\n")).unwrap_or_default();
        assert_eq!(stderr(&output), expected, "{words:?}");
    }
}

#[test]
fn a_refused_mount_leaves_the_files_of_an_image_as_they_were() {
    let sandbox = Sandbox::new();
    let inside = |path: &str| sandbox.path("rootfs").join(path);
    fs::create_dir_all(inside("usr/bin")).unwrap();
    fs::write(inside("usr/bin/nvidia-smi"), "of the image\n").unwrap();
    let refused = "gpus = 1\n[fail]\nat = \"mount\"\nmessage = \"/usr/bin/nvidia-smi\"\n";
    fs::write(sandbox.path("refused.toml"), refused).unwrap();
    let mut command = sandbox.configure(&["--utility"]);
    let output =
        command.env("FAKE_NVIDIA_TOPOLOGY", "refused.toml").env("FAKE_NVIDIA_APPLY", "files").output().unwrap();
    let at = inside("usr/bin/nvidia-smi").display().to_string();
    let error = format!("nvidia-container-cli: mount error: mount operation failed: {at}: operation not permitted\n");
    assert_eq!(stderr(&output), error);
    assert_eq!(fs::read_to_string(at).unwrap(), "of the image\n");
    // Everything created for the driver's folder is gone, including files with content.
    assert_eq!(fs::read_dir(inside("proc/driver")).unwrap().count(), 0);
}

#[test]
fn our_own_name_speaks_with_the_real_ones_voice() {
    let sandbox = Sandbox::new();
    for argv0 in ["fake-nvidia-container-cli", "/opt/x/fake-nvidia-container-cli"] {
        let output = sandbox.named(argv0, &["list", "-d", "9"]).output().unwrap();
        assert_eq!(stderr(&output), "nvidia-container-cli: device error: 9: unknown device\n");
        let output = sandbox.named(argv0, &["--bogus"]).output().unwrap();
        assert!(stderr(&output).starts_with("nvidia-container-cli: unrecognized option '--bogus'\n"));
    }
    let output = sandbox.named("/opt/x/nvidia-container-cli.real", &["--bogus"]).output().unwrap();
    assert!(stderr(&output).starts_with("/opt/x/nvidia-container-cli.real: unrecognized option '--bogus'\n"));
    assert!(stderr(&output).contains("Try `nvidia-container-cli.real --help'"));
}

#[test]
fn the_hidden_option_for_the_name_changes_all_but_getopts_own_line() {
    let sandbox = Sandbox::new();
    let output = sandbox.cli(&["--program-name=/a/b", "--bogus"]).output().unwrap();
    let expected =
        "nvidia-container-cli: unrecognized option '--bogus'\nTry `b --help' or `b --usage' for more information.\n";
    assert_eq!(stderr(&output), expected);
    let output = sandbox.cli(&["--program-name=b", "list", "-d", "9"]).output().unwrap();
    assert_eq!(stderr(&output), "b: device error: 9: unknown device\n");
}

#[test]
fn the_verbs_of_our_own_exist_under_our_name_only() {
    let sandbox = Sandbox::new();
    for verb in ["topologies", "failures", "record-path", "schema"] {
        assert!(sandbox.named("fake-nvidia-container-cli", &[verb]).status().unwrap().success(), "{verb}");
        assert_eq!(sandbox.cli(&[verb]).output().unwrap().status.code(), Some(1), "{verb}");
    }
    let words = ["require", "cuda>=12.4 brand=tesla,driver>=470", "--topology", "t4"];
    let output = sandbox.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert!(output.status.success() && stdout(&output).contains("=> satisfied"), "{}", stdout(&output));
    let output =
        sandbox.named("fake-nvidia-container-cli", &["require", "cuda>=99", "--topology", "t4"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = ["explain", "--topology", "h100-mig", "configure", "--device=0:1", "-u", "--pid=1", "/ctr"];
    let output = sandbox.named("fake-nvidia-container-cli", &words).output().unwrap();
    assert!(stdout(&output).contains("MIG device  0:1  3g.40gb"), "{}", stdout(&output));
    let output = sandbox.named("fake-nvidia-container-cli", &["record-path"]).output().unwrap();
    assert_eq!(stdout(&output).trim_end(), sandbox.path("record").to_str().unwrap());
}

#[test]
fn a_printed_topology_is_a_topology() {
    let sandbox = Sandbox::new();
    for name in ["a100-mig", "gb200", "none", "mixed"] {
        let printed = sandbox.named("fake-nvidia-container-cli", &["topologies", name]).output().unwrap();
        fs::write(sandbox.path("again.json"), &printed.stdout).unwrap();
        let again = sandbox.named("fake-nvidia-container-cli", &["topologies", "again.json"]).output().unwrap();
        assert_eq!(stdout(&again), stdout(&printed), "{name}");
    }
}

#[test]
fn nvidia_smi_tells_the_machine_of_the_settings() {
    let sandbox = Sandbox::new();
    let smi = |words: &[&str], topology: &str| {
        sandbox.named("nvidia-smi", words).env("FAKE_NVIDIA_TOPOLOGY", topology).output().unwrap()
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
    assert_eq!(smi(&["-L"], "gpu-lost").status.code(), Some(15));
    for (fail, exit, text) in [
        ("version-mismatch", 18, "Driver/library version mismatch\nNVML library version: 570.172\n"),
        ("gpu-lost", 15, "for GPU0000:0B:00.0: GPU is lost."),
        ("driver-not-loaded", 9, "couldn't communicate with the NVIDIA driver"),
        ("ldconfig-1", 0, "GPU 0: NVIDIA H100"),
    ] {
        let mut command = sandbox.named("nvidia-smi", &["-L"]);
        let output = command.env("FAKE_NVIDIA_TOPOLOGY", "h100").env("FAKE_NVIDIA_FAIL", fail).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{fail}");
        assert!(stdout(&output).contains(text), "{}", stdout(&output));
    }
    assert!(sandbox.records().is_empty());
}

#[test]
fn a_linker_cache_of_ones_own_has_to_be_one() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("cache"), "glibc-ld.so.cache1.1").unwrap();
    fs::write(sandbox.path("text"), "no cache").unwrap();
    let run = |path: &Path| sandbox.cli(&[&format!("--ldcache={}", path.display()), "info"]).output().unwrap();
    assert!(run(&sandbox.path("cache")).status.success());
    let (text, gone) = (sandbox.path("text"), sandbox.path("gone"));
    let error = |what: String| format!("nvidia-container-cli: detection error: {what}\n");
    assert_eq!(stderr(&run(&text)), error(format!("unsupported file format: {}", text.display())));
    assert_eq!(stderr(&run(&gone)), error(format!("open failed: {}: no such file or directory", gone.display())));
    fs::create_dir(sandbox.path("folder")).unwrap();
    fs::write(sandbox.path("empty"), "").unwrap();
    nix::unistd::mkfifo(&sandbox.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, why) in [("folder", "no such device"), ("fifo", "no such device"), ("empty", "invalid argument")] {
        let path = sandbox.path(name);
        assert_eq!(stderr(&run(&path)), error(format!("file mapping failed: {}: {why}", path.display())));
    }
}

#[test]
fn the_debug_log_has_the_real_programs_form() {
    let sandbox = Sandbox::new();
    assert!(sandbox.cli(&["--debug=log", "list"]).status().unwrap().success());
    let log = fs::read_to_string(sandbox.path("log")).unwrap();
    assert!(log.starts_with("\n-- WARNING, the following logs are for debugging purposes only --\n\nI"), "{log}");
    assert!(log.contains(" nvc.c:0] using unprivileged user 65534:65534\n"), "{log}");
    assert!(sandbox.cli(&["--debug=/no/such/folder/log", "list"]).status().unwrap().success());
    assert!(!sandbox.cli(&["--debug=early", "--root=", "list"]).status().unwrap().success());
    assert!(!sandbox.path("early").exists());
}

#[test]
fn files_mode_follows_links_inside_the_root_only() {
    let sandbox = Sandbox::new();
    let outside = sandbox.path("outside");
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.path("rootfs/usr")).unwrap();
    let output = sandbox.configure(&["-u", "--device=all"]).env("FAKE_NVIDIA_APPLY", "files").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(sandbox.path("rootfs").join(outside.strip_prefix("/").unwrap()).join("bin/nvidia-smi").exists());
}

fn machine(sandbox: &Sandbox, text: &str) -> String {
    let path = sandbox.path("machine.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_real_programs_limits_are_kept() {
    let sandbox = Sandbox::new();
    let info =
        |text: &str| sandbox.cli(&["info"]).env("FAKE_NVIDIA_TOPOLOGY", machine(&sandbox, text)).output().unwrap();
    let error = |what: &str| format!("nvidia-container-cli: detection error: {what}\n");
    assert!(info("gpus = 64\n").status.success());
    assert_eq!(stderr(&info("gpus = 65\n")), error("too many devices"));
    let part = |gi: usize| format!("{{ profile = \"1g.5gb\", gi = {gi} }}");
    let parts = |count: usize| {
        let parts: Vec<String> = (0..count).map(part).collect();
        // No known model can be split into so many.
        format!("[[gpus]]\nmodel = \"Splitter\"\narch = \"8.0\"\nbrand = \"Nvidia\"\nmig = [{}]\n", parts.join(", "))
    };
    assert!(info(&parts(8)).status.success());
    assert_eq!(stderr(&info(&parts(9))), error("too many MIG devices"));
    assert!(stdout(&info("cuda = \"12.10\"\n")).contains("CUDA version:   12.0\n"));
    let wide = machine(&sandbox, "[[gpus]]\nmodel = \"T4\"\nbusid = \"00010000:01:00.0\"\nminor = 70\n");
    sandbox.configure(&["--device=0", "-g"]).env("FAKE_NVIDIA_TOPOLOGY", wide).output().unwrap();
    assert!(sandbox.record()["plan"].to_string().contains("/proc/driver/nvidia/gpus/00010000:01:00.0"));
    for (minor, nodes) in [(1, 2), (0, 4)] {
        let text = format!("[[gpus]]\nmodel = \"A100\"\nminor = {minor}\nmig = [\"7g.40gb\"]\n");
        sandbox.cli(&["-k", "info"]).env("FAKE_NVIDIA_TOPOLOGY", machine(&sandbox, &text)).output().unwrap();
        assert_eq!(sandbox.record()["plan"].to_string().matches("\"nvidia-cap\"").count(), nodes, "{minor}");
    }
}

#[test]
fn what_is_missing_on_the_host_is_told_in_the_real_programs_words() {
    let sandbox = Sandbox::new();
    let (rootfs, missing) = (sandbox.rootfs(), sandbox.path("missing").to_str().unwrap().to_owned());
    for folder in ["empty", "other/etc", "unloaded/usr/lib64", "driver/usr/lib64", "driver/dev"] {
        fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    for file in ["unloaded/usr/lib64/libnvidia-ml.so.1", "driver/usr/lib64/libnvidia-ml.so.1", "driver/dev/nvidiactl"] {
        fs::write(sandbox.path(file), "").unwrap();
    }
    let library = "libnvidia-ml.so.1: cannot open shared object file: no such file or directory";
    for (root, error) in [
        ("missing", "change root failed: no such file or directory".to_owned()),
        ("driver/dev/nvidiactl", "change root failed: not a directory".to_owned()),
        ("other", format!("load library failed: {library}")),
        ("unloaded", "nvml error: driver not loaded".to_owned()),
        ("empty", String::new()),
        ("driver", String::new()),
    ] {
        let root = format!("--root={}", sandbox.path(root).display());
        let output = sandbox.cli(&[&root, "info"]).output().unwrap();
        let line = format!("nvidia-container-cli: initialization error: {error}\n");
        assert_eq!(stderr(&output), if error.is_empty() { String::new() } else { line }, "{root}");
    }
    for mode in ["record", "files"] {
        let run = |words: &[&str]| {
            let words = [&["configure", "-u"], words].concat();
            stderr(&sandbox.cli(&words).env("FAKE_NVIDIA_APPLY", mode).output().unwrap())
        };
        let error = |what: String| format!("nvidia-container-cli: {what}: no such file or directory\n");
        let open = format!("container error: open failed: /proc/1/root{missing}");
        assert_eq!(run(&["--pid=1", &missing]), error(open));
        assert_eq!(run(&[&missing]), error(format!("container error: open failed: {missing}")));
        let ldconfig = format!("--ldconfig=@{missing}");
        assert_eq!(run(&["--pid=1", &ldconfig, &rootfs]), error(format!("ldcache error: open failed: {missing}")));
        assert_eq!(run(&["--pid=1", "--ldconfig=@/sbin/ldconfig.real", &rootfs]), "");
        assert!(!sandbox.path("missing").exists());
    }
    let mut command = sandbox.cli(&["configure", "-u", "--pid=1", &missing]);
    assert!(command.env("FAKE_NVIDIA_APPLY", "imagine").status().unwrap().success());
}

#[test]
fn a_driver_root_that_cannot_be_listed_is_not_an_empty_one() {
    let sandbox = Sandbox::new();
    let library = "libnvidia-ml.so.1: cannot open shared object file: no such file or directory";
    for (mode, error) in [
        (0o711, format!("load library failed: {library}")),
        (0o600, "change root failed: permission denied".to_owned()),
    ] {
        let (root, set) = (sandbox.path("root"), |name: &Path, mode| {
            fs::set_permissions(name, fs::Permissions::from_mode(mode)).unwrap();
        });
        fs::create_dir_all(root.join("etc")).unwrap();
        set(&root, mode);
        let mut command = sandbox.cli(&[&format!("--root={}", root.display()), "info"]);
        if nix::unistd::geteuid().is_root() {
            // Root may look into every folder.
            set(&sandbox.path(""), 0o755);
            set(&root, mode & 0o711);
            command.uid(65_534).gid(65_534).env_remove("FAKE_NVIDIA_RECORD");
        } else {
            set(&root, if mode == 0o711 { 0o311 } else { mode });
        }
        let output = match command.output() {
            // The folder of the build is closed to other users.
            Err(why) if why.kind() == std::io::ErrorKind::PermissionDenied => return,
            output => output.unwrap(),
        };
        assert_eq!(stderr(&output), format!("nvidia-container-cli: initialization error: {error}\n"));
        set(&root, 0o755);
    }
}

#[test]
fn a_long_list_is_read_in_time_that_grows_with_it() {
    let sandbox = Sandbox::new();
    let channels = format!("--imex-channel={}0", "0,".repeat(60_000));
    let command = sandbox.cli(&["--load-kmods", "configure", "--pid=1", "--no-devbind", &channels, &sandbox.rootfs()]);
    let output = sandbox.patiently(command);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn waits_add_up_to_forever() {
    let sandbox = Sandbox::new();
    let forever = "--HANG=9223372036854775807";
    let mut child = sandbox.cli(&[forever, forever, forever, "info"]).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_verb_takes_a_path_of_any_bytes() {
    let sandbox = Sandbox::new();
    let folder = OsStr::from_bytes(b"a\xff");
    let mut command = sandbox.named("fake-nvidia-container-cli", &["libraries"]);
    let output = command.arg(folder).output().unwrap();
    assert_eq!(output.stdout, b"a\xff\n");
    assert!(sandbox.path("").join(folder).join("libcuda.so.1").exists());
    let mut command = sandbox.named("fake-nvidia-container-cli", &["explain", "configure"]);
    let output = command.arg(OsStr::from_bytes(b"--device=\xff")).arg("/ctr").output().unwrap();
    assert!(output.stdout.windows(10).any(|part| part == b"asked for "), "{output:?}");
    assert!(output.stdout.contains(&0xff), "{output:?}");
}

#[test]
fn verbs_know_the_mig_devices_that_nvidia_smi_made() {
    let sandbox = Sandbox::new();
    let fake =
        |name: &str, words: &[&str]| sandbox.named(name, words).env("FAKE_NVIDIA_TOPOLOGY", "h100").output().unwrap();
    let ends = || {
        ["libraries out --device 0:0", "explain configure --device=0:0 /ctr", "require cuda>=1 --device 0:0"]
            .map(|words| fake("fake-nvidia-container-cli", &words.split(' ').collect::<Vec<_>>()).status.code())
    };
    assert_eq!(ends(), [Some(1); 3]);
    for words in ["-i 0 -mig 1", "mig -i 0 -cgi 9 -C"] {
        let output = fake("nvidia-smi", &words.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{words}: {}", stdout(&output));
    }
    assert_eq!(ends(), [Some(0); 3]);
}

#[test]
fn a_signal_ends_a_program_that_was_started_with_it_ignored() {
    let sandbox = Sandbox::new();
    let script = format!("trap '' TERM; exec {} info", super::programs::fake().display());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").current_dir(sandbox.path(""));
    shell.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_FAIL", "signal=TERM");
    assert_eq!(shell.output().unwrap().status.signal(), Some(15));
}

#[test]
fn files_are_made_with_few_descriptors() {
    let sandbox = Sandbox::new();
    let part = "\"1g.10gb\", ".repeat(7);
    let gpu = format!("[[gpus]]\nmodel = \"H100\"\nmig = [{part}]\n");
    fs::write(sandbox.path("wide.toml"), gpu.repeat(32)).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh"]).arg(super::programs::fake());
    shell.args(["configure", "--pid=1", "--device=all", "-c", "-u", &sandbox.rootfs()]).env_clear();
    shell.env("PATH", "/usr/bin:/bin").env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "files");
    shell.env("FAKE_NVIDIA_TOPOLOGY", sandbox.path("wide.toml")).env("FAKE_NVIDIA_STATE", sandbox.path("state"));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}
