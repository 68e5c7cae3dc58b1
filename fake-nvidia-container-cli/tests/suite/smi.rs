//! nvidia-smi as a program: what is kept between runs, what is refused, what loops and files do.

use super::sandbox::{Sandbox, unwritable};
use nix::fcntl::{Flock, FlockArg};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// nvidia-smi on a built-in machine, with the test's own state.
fn smi(sandbox: &Sandbox, topology: &str, words: &[&str]) -> Command {
    let mut command = sandbox.named("nvidia-smi", words);
    command.env("FAKE_NVIDIA_TOPOLOGY", topology).env("FAKE_NVIDIA_STATE", sandbox.path("state"));
    command
}

/// What it prints, and its exit code.
fn told(sandbox: &Sandbox, topology: &str, words: &[&str]) -> (String, i32) {
    let output = smi(sandbox, topology, words).output().unwrap();
    assert_eq!(output.stderr, b"", "{words:?}");
    (stdout(&output), output.status.code().unwrap())
}

fn query(sandbox: &Sandbox, topology: &str, field: &str) -> String {
    let words = [&format!("--query-gpu={field}"), "--format=csv,noheader", "-i", "0"];
    told(sandbox, topology, &words).0.trim_end().to_owned()
}

/// Code 0 would say that it was done.
#[test]
fn an_option_that_is_not_simulated_is_an_error() {
    let sandbox = Sandbox::new();
    let output = smi(&sandbox, "h100", &["boost-slider", "--vboost", "1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]));
    assert_eq!(said, "fake-nvidia-container-cli: nvidia-smi boost-slider --vboost is not simulated\n");
    assert_eq!(told(&sandbox, "h100", &["boost-slider"]).1, 0, "the usage");
}

#[test]
fn a_failure_that_was_asked_for_is_seen() {
    let sandbox = Sandbox::new();
    let fails = |fail: &str| {
        let output = smi(&sandbox, "t4", &["-L"]).env("FAKE_NVIDIA_FAIL", fail).output().unwrap();
        (stdout(&output), output.status.code().unwrap())
    };
    let mismatch = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54\n";
    assert_eq!(fails("version-mismatch"), (mismatch.to_owned(), 18));
    let lost = "Unable to determine the device handle for GPU0000:00:1E.0: GPU is lost.  Reboot the system to recover this GPU\n";
    assert_eq!(fails("gpu-lost"), (lost.to_owned(), 15));
    assert_eq!((fails("requires-reset").1, fails("unknown-error").1, fails("rpc-timeout").1), (16, 255, 255));
    assert_eq!((fails("driver-missing").1, fails("driver-not-loaded").1), (12, 9));
    assert_eq!(fails("insufficient-permissions").1, 4);
    assert_eq!(fails("exit=7,stderr=no"), ("no\n".to_owned(), 7));
    assert_eq!(fails("mount-denied").1, 0, "nvidia-smi mounts nothing");
    // nvidia-smi has its own command line, linker's cache, rights and helpers.
    for of_cli in ["unrecognized-option", "library-missing", "ldcache-missing", "privilege-denied", "nvcgo-timeout"] {
        assert_eq!(fails(of_cli), fails("mount-denied"), "{of_cli}");
    }
    assert_eq!(fails("nonsense").1, 3);
    let ends = |_| smi(&sandbox, "t4", &["-L"]).env("FAKE_NVIDIA_FAIL", "every=2,exit=7").status().unwrap().code();
    assert_eq!((0..4).map(ends).collect::<Vec<_>>(), [Some(0), Some(7), Some(0), Some(7)]);
}

#[test]
fn broken_settings_are_not_the_default_machine() {
    let sandbox = Sandbox::new();
    for (name, value) in [("FAKE_NVIDIA_APPLY", "nowhere"), ("FAKE_NVIDIA_CONFIG", "/no/such/file")] {
        let output = smi(&sandbox, "h100", &["-L"]).env(name, value).output().unwrap();
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(3), ""), "{name}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.starts_with("fake-nvidia-container-cli: ") && line.contains(value), "{line}");
    }
}

#[test]
fn a_machine_whose_driver_does_not_answer_says_so() {
    let sandbox = Sandbox::new();
    assert_eq!(told(&sandbox, "none", &[]).1, 9);
    assert_eq!(told(&sandbox, "gpu-lost", &["-q"]).1, 15);
    assert_eq!(told(&sandbox, "empty", &[]), ("No devices were found\n".to_owned(), 6));
    assert_eq!(told(&sandbox, "empty", &["-L"]), ("No devices found.\n".to_owned(), 6));
    assert_eq!(told(&sandbox, "none", &["--help"]).1, 0);
}

#[test]
fn wrong_words_are_named() {
    let sandbox = Sandbox::new();
    for (words, text, exit) in [
        (&["-lms100"][..], "ERROR: Option -lms100 is not recognized. Please run 'nvidia-smi -h'.\n\n", 255),
        (&["-m"], "ERROR: Option -m is missing its value. Please run 'nvidia-smi -h' for help.\n\n", 2),
        (&["-x"], "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n", 2),
        (&["--query-gpu=shoes", "--format=csv"], "Field \"shoes\" is not a valid field to query.\n\n", 2),
        (&["--query-gpu=name", "--format=xml"], "Format modifier is not recognized.\n", 2),
        (&["-i", "9"], "No devices were found\n", 6),
        (&["mig", "-lgi"], "No MIG-enabled devices found.\n", 0),
        (&["mig", "-lgip"], "No MIG-supported devices found.\n", 0),
    ] {
        assert_eq!(told(&sandbox, "t4", words), (text.to_owned(), exit), "{words:?}");
    }
}

#[test]
fn what_root_changes_stays_changed() {
    let sandbox = Sandbox::new();
    let run = |words: &[&str]| told(&sandbox, "a100", words);
    let bus = "00000000:0B:00.0";
    let line = |text: &str| (format!("{text}\nAll done.\n"), 0);
    assert_eq!(run(&["-pm", "0", "-i", "0"]), line(&format!("Disabled persistence mode for GPU {bus}.")));
    assert_eq!(run(&["-pm", "0", "-i", "0"]), line(&format!("Persistence mode is already Disabled for GPU {bus}.")));
    let limit = format!("Power limit for GPU {bus} was set to 250.00 W from 400.00 W.");
    assert_eq!(run(&["-pl", "250", "-i", "0"]), line(&limit));
    let wrong = run(&["-pl", "50", "-i", "0"]);
    assert!(wrong.0.starts_with("Provided power limit 50.00 W is not a valid power limit"), "{}", wrong.0);
    assert!(wrong.0.ends_with("Terminating early due to previous errors.\n") && wrong.1 == 2);
    assert_eq!(run(&["-c", "3", "-i", "0"]), line(&format!("Set compute mode to EXCLUSIVE_PROCESS for GPU {bus}.")));
    let fields = "persistence_mode,power.limit,enforced.power.limit,compute_mode";
    assert_eq!(query(&sandbox, "a100", fields), "Disabled, 250.00 W, 250.00 W, Exclusive_Process");
    assert!(run(&["-i", "0"]).0.contains("E. Process") && run(&["-i", "1"]).0.contains("Default"));
    assert_eq!(run(&["-e", "0", "-i", "0"]).0.lines().last(), Some("Reboot required."));
    assert_eq!(query(&sandbox, "a100", "ecc.mode.current,ecc.mode.pending"), "Enabled, Disabled");
    assert_eq!(run(&["-r", "-i", "0"]), line(&format!("GPU {bus} was successfully reset.")));
    assert_eq!(query(&sandbox, "a100", "ecc.mode.current,ecc.mode.pending"), "Disabled, Disabled");
    assert_eq!(query(&sandbox, "a100", "ecc.errors.corrected.volatile.total"), "[N/A]");
}

#[test]
fn a_change_that_may_not_be_kept_is_refused() {
    let Some(state) = unwritable() else { return };
    let sandbox = Sandbox::new();
    let mut command = smi(&sandbox, "t4", &["-pm", "0"]);
    let output = command.env("FAKE_NVIDIA_STATE", state).output().unwrap();
    let line = "Unable to set persistence mode for GPU 00000000:00:1E.0: Insufficient Permissions";
    assert_eq!(stdout(&output), format!("{line}\nTerminating early due to previous errors.\n"));
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_gpu_is_split_and_joined_again() {
    let sandbox = Sandbox::new();
    let run = |words: &[&str]| told(&sandbox, "h100", &[words, &["-i", "0"]].concat());
    assert_eq!(run(&["-mig", "1"]).0, "Enabled MIG Mode for GPU 00000000:0B:00.0\nAll done.\n");
    let made = run(&["mig", "-cgi", "3g.40gb,19", "-C"]);
    let expected = "\
Successfully created GPU instance ID  2 on GPU  0 using profile MIG 3g.40gb (ID  9)
Successfully created compute instance ID  0 on GPU  0 GPU instance ID  2 using profile MIG 3g.40gb (ID  2)
Successfully created GPU instance ID  7 on GPU  0 using profile MIG 1g.10gb (ID 19)
Successfully created compute instance ID  0 on GPU  0 GPU instance ID  7 using profile MIG 1g.10gb (ID  0)
";
    assert_eq!(made, (expected.to_owned(), 0));
    assert_eq!(told(&sandbox, "h100", &["-L"]).0.lines().filter(|line| line.starts_with("  MIG ")).count(), 2);
    assert!(run(&["mig", "-lgip"]).0.contains("MIG 3g.40gb        9     0/2"));
    let full = run(&["mig", "-cgi", "0"]);
    let why = "Insufficient Resources";
    assert_eq!(
        full.0,
        format!(
            "Unable to create a GPU instance on GPU  0 using profile 0: {why}\nFailed to create GPU instances: {why}\n"
        )
    );
    assert_eq!(run(&["-mig", "0"]).1, 19);
    assert_eq!(
        run(&["mig", "-dci", "-gi", "2"]).0,
        "Successfully destroyed compute instance ID  0 from GPU  0 GPU instance ID  2\n"
    );
    assert_eq!(run(&["mig", "-dgi", "-gi", "2"]).0, "Successfully destroyed GPU instance ID  2 from GPU  0\n");
    assert_eq!((run(&["mig", "-dci"]).1, run(&["mig", "-dgi"]).1, run(&["-mig", "0"]).1), (0, 0, 0));
    assert_eq!(run(&["mig", "-lgi"]), ("No MIG-enabled devices found.\n".to_owned(), 0));
}

#[test]
fn instances_that_many_runs_make_at_the_same_time_are_all_there() {
    let sandbox = Sandbox::new();
    assert_eq!(told(&sandbox, "a100", &["-i", "0", "-mig", "1"]).1, 0);
    let at_once = |words: &[&str]| {
        let runs: Vec<_> =
            (0..7).map(|_| smi(&sandbox, "a100", words).stdout(Stdio::piped()).spawn().unwrap()).collect();
        let told = runs.into_iter().map(|run| stdout(&run.wait_with_output().unwrap()));
        told.map(|text| text.lines().next().unwrap_or_default().to_owned()).collect::<BTreeSet<String>>()
    };
    let told = at_once(&["mig", "-i", "0", "-cgi", "19", "-C"]);
    let made: Vec<&String> = told.iter().filter(|line| line.starts_with("Successfully created")).collect();
    assert_eq!(made.len(), 7, "each run made one of its own: {told:?}");
    let parts = || self::told(&sandbox, "a100", &["-L"]).0.matches("  MIG ").count();
    assert_eq!(parts(), 7);
    at_once(&["mig", "-i", "0", "-dci"]);
    assert_eq!(parts(), 0);
}

#[test]
fn a_loop_prints_until_nobody_reads_and_its_header_once() {
    let sandbox = Sandbox::new();
    let mut command = smi(&sandbox, "t4", &["--query-gpu=index", "--format=csv", "-lms", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let read: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    assert_eq!(read, ["index", "0", "0", "0"]);
    child.wait().unwrap();
}

#[test]
fn a_file_takes_what_is_printed() {
    let sandbox = Sandbox::new();
    let words = ["--query-gpu=name", "--format=csv,noheader", "-f", "list"];
    assert_eq!(told(&sandbox, "t4", &words), (String::new(), 0));
    assert_eq!(fs::read_to_string(sandbox.path("list")).unwrap(), "Tesla T4\n");
}

#[test]
fn every_field_of_the_help_can_be_asked_for_on_every_machine() {
    let sandbox = Sandbox::new();
    for topology in ["t4", "h100-mig", "mixed", "gb200", "v100x16", "a100-mig", "l40s", "b200"] {
        let (help, _) = told(&sandbox, topology, &["--help-query-gpu"]);
        let lines: Vec<&str> = help.lines().collect();
        let is_field = |pair: &&[&str]| pair[0].is_empty() && pair[1].starts_with('"');
        let fields: Vec<&str> =
            lines.windows(2).filter(is_field).map(|pair| pair[1].split('"').nth(1).unwrap()).collect();
        assert!(fields.len() > 120, "{topology}: {}", fields.len());
        let (table, exit) = told(&sandbox, topology, &[&format!("--query-gpu={}", fields.join(",")), "--format=csv"]);
        assert_eq!(exit, 0, "{table}");
        let widths: Vec<usize> = table.lines().map(|line| line.split(", ").count()).collect();
        assert!(widths.iter().all(|width| *width == fields.len()), "{topology}: {widths:?} of {}", fields.len());
    }
}

#[test]
fn all_forms_answer_on_all_machines_and_tables_are_straight() {
    let sandbox = Sandbox::new();
    let machines = ["t4", "l40s", "a100", "a100-mig", "h100", "h100-mig", "b200", "gb200", "mixed", "v100x16"];
    for topology in machines {
        let (table, exit) = told(&sandbox, topology, &[]);
        let widths: Vec<usize> = table
            .lines()
            .skip(1)
            .filter(|line| line.starts_with(['|', '+']))
            .map(|line| line.chars().count())
            .collect();
        assert!(exit == 0 && widths.windows(2).all(|pair| pair[0] == pair[1]), "{topology}\n{table}");
        for words in
            [&["-q"][..], &["-q", "-x"], &["topo", "-m"], &["nvlink", "-s"], &["dmon", "-c", "1"], &["pmon", "-c", "1"]]
        {
            let (text, exit) = told(&sandbox, topology, words);
            assert_eq!((exit, text.contains("{")), (0, false), "{topology} {words:?}\n{text}");
        }
    }
}

#[test]
fn the_lists_of_mig_are_straight() {
    let sandbox = Sandbox::new();
    for (topology, driver) in
        [("a100-mig", "450.80.02"), ("a100-mig", "510.47.03"), ("h100-mig", "570.1"), ("h100-mig", "590.1")]
    {
        let machine = stdout(&sandbox.named("fake-nvidia-container-cli", &["topologies", topology]).output().unwrap());
        let mut machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
        machine["driver"] = driver.into();
        fs::write(sandbox.path("machine.json"), machine.to_string()).unwrap();
        for list in ["-lgip", "-lgi", "-lcip", "-lci"] {
            let (table, exit) = told(&sandbox, "machine.json", &["mig", list]);
            let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
            assert!(exit == 0 && widths.windows(2).all(|pair| pair[0] == pair[1]), "{driver} {list}\n{table}");
        }
        assert_eq!(told(&sandbox, "machine.json", &["mig", "-lgipp"]).1, 0);
    }
}

/// The names of the elements of a document without attributes or empty elements, in the order in which they open; the
/// document must be well-formed.
fn elements(document: &str) -> Vec<String> {
    let (mut open, mut all): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for tag in document.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
            None => {
                let name = tag.split(' ').next().unwrap().to_owned();
                open.push(name.clone());
                all.push(name);
            }
        }
    }
    assert_eq!(open, <[String; 0]>::default());
    all
}

#[test]
fn the_xml_is_well_formed_and_its_document_type_declares_each_element_once() {
    let sandbox = Sandbox::new();
    for topology in ["t4", "h100-mig", "mixed", "gb200", "v100x16"] {
        let (text, exit) = told(&sandbox, topology, &["-q", "-x", "--dtd"]);
        let (head, document) = text.split_once("]>\n").unwrap();
        let declared: Vec<&str> =
            head.split("<!ELEMENT ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect();
        let mut once = declared.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((exit, once.len()), (0, declared.len()), "{topology}");
        for name in elements(document) {
            assert!(once.binary_search(&name.as_str()).is_ok(), "{topology}: {name}");
        }
    }
}

#[test]
fn sections_are_parts_of_the_whole() {
    let sandbox = Sandbox::new();
    let (text, _) = told(&sandbox, "h100", &["-q", "-d", "MEMORY,ROW_REMAPPER", "-i", "2"]);
    let sections: Vec<&str> =
        text.lines().filter(|l| l.starts_with("    ") && !l.starts_with("     ")).map(str::trim).collect();
    let expected = ["FB Memory Usage", "BAR1 Memory Usage", "Conf Compute Protected Memory Usage", "Remapped Rows"];
    assert_eq!(sections, expected);
    assert_eq!(told(&sandbox, "h100", &["-q", "-d", "SHOES"]).1, 2);
}

/// The verb `set`, which must succeed.
fn set(sandbox: &Sandbox, topology: &str, words: &[&str]) {
    let output = setting(sandbox, topology, words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn setting(sandbox: &Sandbox, topology: &str, words: &[&str]) -> Command {
    let mut command = sandbox.named("fake-nvidia-container-cli", &[&["set"], words].concat());
    command.env("FAKE_NVIDIA_TOPOLOGY", topology);
    command
}

#[test]
fn what_is_set_is_shown_until_it_is_taken_back() {
    let sandbox = Sandbox::new();
    let fields = "temperature.gpu,utilization.gpu,clocks_event_reasons.gpu_idle,memory.used,memory.free";
    let before = query(&sandbox, "t4", fields);
    set(&sandbox, "t4", &["0", "temperature.gpu=81", "utilization.gpu=97", "process.7=C,512,python3"]);
    assert_eq!(query(&sandbox, "t4", fields), "81, 97 %, Not Active, 512 MiB, 14400 MiB");
    let apps = ["--query-compute-apps=pid,name,used_memory", "--format=csv,noheader"];
    assert_eq!(told(&sandbox, "t4", &apps).0, "7, python3, 512 MiB\n");
    assert!(told(&sandbox, "t4", &["-r"]).0.contains("In use by another client"));
    set(&sandbox, "t4", &["0", "utilization.gpu=noise:10..20:3"]);
    let noise: u32 = query(&sandbox, "t4", "utilization.gpu").split(' ').next().unwrap().parse().unwrap();
    assert!((10..=20).contains(&noise), "{noise}");
    set(&sandbox, "t4", &["--clear"]);
    assert_eq!(query(&sandbox, "t4", fields), before);
}

#[test]
fn a_gpu_that_falls_off_the_bus_is_missed_by_those_that_ask_for_it() {
    let sandbox = Sandbox::new();
    set(&sandbox, "a100", &["1", "lost=true"]);
    let (text, exit) = told(&sandbox, "a100", &[]);
    assert!(
        text.starts_with("Unable to determine the device handle for GPU0000:13:00.0: GPU is lost.  Reboot"),
        "{text}"
    );
    assert_eq!((exit, told(&sandbox, "a100", &["-q", "-i", "0"]).1), (15, 0));
    set(&sandbox, "a100", &["1", "lost=", "sick=true"]);
    let sick = "Unable to determine the device handle for GPU0000:13:00.0: Unknown Error\n";
    assert_eq!(told(&sandbox, "a100", &["-q"]), (sick.to_owned(), 255));
    set(&sandbox, "a100", &["1", "sick="]);
    assert_eq!(told(&sandbox, "a100", &[]).1, 0);
}

#[test]
fn a_reset_does_not_bring_back_a_gpu_that_fell_off_the_bus() {
    let sandbox = Sandbox::new();
    set(&sandbox, "h100", &["0", "lost=true"]);
    let (text, exit) = told(&sandbox, "h100", &["-r", "-i", "0"]);
    assert!(exit == 15 && text.contains("GPU is lost") && !text.contains("successfully"), "{text}");
    set(&sandbox, "h100", &["0", "lost=", "sick=true"]);
    assert_eq!(told(&sandbox, "h100", &["-r", "-i", "0"]).1, 0);
    assert_eq!(told(&sandbox, "h100", &["-q", "-i", "0"]).1, 0);
}

#[test]
fn all_counters_of_a_kind_are_reset() {
    let sandbox = Sandbox::new();
    let of = |kind: &str| {
        ["corrected", "uncorrected"].map(|which| {
            let sram = if which == "uncorrected" { &["sram.parity", "sram.secded"][..] } else { &[] };
            let names = ["dram", "sram", "total"].iter().chain(sram);
            names.map(|name| format!("ecc.errors.{which}.{kind}.{name}")).collect::<Vec<_>>()
        })
    };
    for (kind, number) in [("volatile", "0"), ("aggregate", "1")] {
        let keys = of(kind).concat();
        let all: Vec<String> = keys.iter().map(|key| format!("{key}=3")).collect();
        let words: Vec<&str> = ["0"].into_iter().chain(all.iter().map(String::as_str)).collect();
        set(&sandbox, "h100", &words);
        let counted = || told(&sandbox, "h100", &["-q", "-d", "ECC", "-i", "0"]).0.matches(": 3\n").count();
        assert!(counted() > 4, "{kind}");
        assert_eq!(told(&sandbox, "h100", &["-p", number, "-i", "0"]).1, 0);
        assert_eq!(counted(), 0, "{kind}");
        set(&sandbox, "h100", &words);
        assert_eq!(told(&sandbox, "h100", &["-r", "-i", "0"]).1, 0);
        assert_eq!(counted() == 0, kind == "volatile", "a reset keeps what is counted for life");
    }
}

#[test]
fn clocks_that_no_gpu_has_are_refused_or_bounded() {
    let sandbox = Sandbox::new();
    for (what, clocks) in [("gpu", "1500,300"), ("gpu", "300,400,500"), ("gpu", "-5"), ("memory", "2619,1")] {
        let (text, exit) = told(&sandbox, "h100", &["-i", "0", &format!("--lock-{what}-clocks={clocks}")]);
        assert!(exit == 2 && text.contains("are not valid. Please format input as"), "{what} {clocks}: {text}");
    }
    assert_eq!(told(&sandbox, "h100", &["-i", "0", "-lmc", "99999"]).1, 0);
    assert_eq!(told(&sandbox, "h100", &["-i", "0", "-lgc", "300,99999"]).1, 0);
    assert_eq!(query(&sandbox, "h100", "clocks.current.memory,clocks.current.graphics"), "2619 MHz, 1980 MHz");
}

/// The UUIDs in what `set` prints.
fn changed(sandbox: &Sandbox, topology: &str, words: &[&str]) -> usize {
    let output = setting(sandbox, topology, words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}");
    let text = stdout(&output);
    text.matches("\"GPU-").count() + text.matches("\"MIG-").count()
}

#[test]
fn changes_of_mig_devices_are_listed_and_taken_back() {
    let sandbox = Sandbox::new();
    let change = || {
        for device in ["1", "1:0", "0:0"] {
            set(&sandbox, "a100-mig", &[device, "memory.used=512"]);
        }
    };
    change();
    let listed = |words: &[&str]| changed(&sandbox, "a100-mig", words);
    // A GPU stands for its MIG devices too.
    assert_eq!((listed(&[]), listed(&["1"]), listed(&["1:0"]), listed(&["0:1"])), (3, 2, 1, 0));
    set(&sandbox, "a100-mig", &["--clear", "1:0"]);
    assert_eq!(listed(&[]), 2);
    change();
    set(&sandbox, "a100-mig", &["--clear", "1"]);
    assert_eq!(listed(&[]), 1);
    set(&sandbox, "a100-mig", &["--clear"]);
    assert_eq!(listed(&[]), 0);
}

#[test]
fn a_mig_device_that_nvidia_smi_made_can_be_set_and_is_taken_back_with_all_else() {
    let sandbox = Sandbox::new();
    assert_eq!(told(&sandbox, "h100", &["-mig", "1", "-i", "0"]).1, 0);
    assert_eq!(told(&sandbox, "h100", &["mig", "-i", "0", "-cgi", "9", "-C"]).1, 0);
    set(&sandbox, "h100", &["0:0", "memory.used=5"]);
    assert_eq!(changed(&sandbox, "h100", &["0:0"]), 1);
    assert!(told(&sandbox, "h100", &["-L"]).0.contains("MIG 3g.40gb"));
    set(&sandbox, "h100", &["--clear"]);
    assert_eq!(changed(&sandbox, "h100", &[]), 0);
    assert!(!told(&sandbox, "h100", &["-L"]).0.contains("MIG"));
}

#[test]
fn what_cannot_be_set_is_named() {
    let sandbox = Sandbox::new();
    for (words, text) in [
        (&["0", "shoes=1"][..], "`shoes` is not a key"),
        (&["9", "temperature.gpu=1"], "`9` is not a GPU of t4"),
        (&["0", "temperature.gpu"], "`temperature.gpu` is not KEY=VALUE"),
        (&["0", "temperature.gpu=ramp:1"], "`ramp:1` is not like ramp:30..90:60"),
        (&["0", "process.1=X"], "`X` is not like C,512,python3"),
        (&["0", "lost=Yes"], "lost: `Yes` is neither true nor false"),
        (&["0", "sick=call:false..1:3"], "sick: `1` is neither true nor false"),
    ] {
        let output = setting(&sandbox, "t4", words).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.contains(text) && line.lines().count() == 1, "{words:?}: {line}");
        assert_eq!(output.status.code(), Some(3));
    }
    let both = setting(&sandbox, "t4", &["0", "temperature.gpu=92", "--clear"]).output().unwrap();
    assert!(!both.status.success() && String::from_utf8(both.stderr).unwrap().contains("--clear"));
    let keys = stdout(&setting(&sandbox, "t4", &["--keys"]).output().unwrap());
    assert!(keys.lines().any(|line| line == "lost = false"));
    fs::write(sandbox.path("state"), "torn").unwrap();
    let output = smi(&sandbox, "t4", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("state") && line.contains("`set --clear`"), "the file is named, and the remedy: {line}");
    set(&sandbox, "t4", &["--clear"]);
    assert_eq!(told(&sandbox, "t4", &[]).1, 0);
}

#[test]
fn a_change_that_cannot_be_written_leaves_the_others() {
    let sandbox = Sandbox::new();
    set(&sandbox, "t4", &["0", "temperature.gpu=81"]);
    let before = fs::read(sandbox.path("state")).unwrap();
    // The replacement cannot be written, as on a full disk: a folder has its name.
    fs::create_dir_all(sandbox.path(".state.new/full")).unwrap();
    let output = setting(&sandbox, "t4", &["0", "temperature.gpu=82"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        (fs::read(sandbox.path("state")).unwrap(), query(&sandbox, "t4", "temperature.gpu")),
        (before, "81".into())
    );
    fs::remove_dir_all(sandbox.path(".state.new")).unwrap();
    set(&sandbox, "t4", &["0", "temperature.gpu=82"]);
    assert_eq!(query(&sandbox, "t4", "temperature.gpu"), "82");
    let mut command = setting(&sandbox, "t4", &["0", "temperature.gpu=1"]);
    let output = command.env("FAKE_NVIDIA_STATE", "/dev/null").output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && line.contains("/dev/null: not a regular file"), "{line}");
}

#[test]
fn a_lock_on_the_file_of_changes_delays_nobody() {
    let sandbox = Sandbox::new();
    set(&sandbox, "t4", &["0", "temperature.gpu=81"]);
    let file = fs::File::open(sandbox.path("state")).unwrap();
    let _held = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    for degrees in ["82", "83"] {
        let output = sandbox.patiently(setting(&sandbox, "t4", &["0", &format!("temperature.gpu={degrees}")]));
        assert_eq!(output.status.code(), Some(0));
        let asked = smi(&sandbox, "t4", &["--query-gpu=temperature.gpu", "--format=csv,noheader"]);
        assert_eq!(stdout(&sandbox.patiently(asked)), format!("{degrees}\n"));
    }
    let mode = fs::metadata(sandbox.path(".state.lock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "no other user can delay a change");
}

#[test]
fn parts_that_nvidia_smi_makes_are_devices_of_the_cli() {
    let sandbox = Sandbox::new();
    let words = ["mig", "-i", "0", "-cgi", "9", "-C"];
    assert_eq!(told(&sandbox, "h100", &["-mig", "1", "-i", "0"]).1, 0);
    assert_eq!(told(&sandbox, "h100", &words).1, 0);
    let list = told(&sandbox, "h100", &["-L"]).0;
    let part = list.lines().find(|line| line.starts_with("  MIG ")).unwrap();
    let uuid = part.rsplit_once("UUID: ").unwrap().1.trim_end().trim_end_matches(')').to_owned();
    let cli = |device: &str| {
        let mut command = sandbox.cli(&["list", "--device", device]);
        command.env("FAKE_NVIDIA_TOPOLOGY", "h100").output().unwrap().status.success()
    };
    assert!(cli("0:0") && cli(&uuid) && !cli("0:1") && !cli("1:0"));
}

#[test]
fn the_machine_of_the_manual_is_one() {
    let sandbox = Sandbox::new();
    let manual = fs::read_to_string(super::programs::source("../docs/nvidia-smi.md")).unwrap();
    let machine = manual.split_once("<!-- a machine -->\n```toml\n").unwrap().1.split_once("```").unwrap().0;
    fs::write(sandbox.path("machine.toml"), machine).unwrap();
    let (table, exit) = told(&sandbox, "machine.toml", &[]);
    assert!(exit == 0 && table.contains("4711      C   /usr/bin/python3"), "{table}");
    assert_eq!(query(&sandbox, "machine.toml", "memory.used,power.draw,temperature.gpu.tlimit"), "44 MiB, 85.32 W, 40");
    let degrees = query(&sandbox, "machine.toml", "temperature.gpu");
    assert_eq!(degrees, query(&sandbox, "machine.toml", "temperature.gpu"), "the clock stands still");
    assert_eq!(told(&sandbox, "machine.toml", &["mig", "-lgi"]).1, 0);
}
