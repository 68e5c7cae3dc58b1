//! `capture` and `replay`: every case of the hook, captured and replayed, has the same outcome; what no start reads
//! never appears; and standing in front of a hook does not change how it ends.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hook::host::Host;
use hook::invocation::Environ;
use hook_test_support::core::{self, Decided, Planned};
use hook_test_support::memory::MemoryHost;
use nvidia_hook_conformance::case::{Case, usual_scene};
use nvidia_hook_conformance::fixtures::Files;
use nvidia_hook_conformance::scene::{Node, Scene};
use nvidia_hookctl::capture::case::{self, Start};
use nvidia_hookctl::replay::{decide, replay};

use super::cases::{hookctl, of_the_hook};

const CANARY: &str = "s3cret-c4nary";

fn captured(scene: &Scene, host: &dyn Host) -> Option<Files> {
    let arguments: Vec<&OsStr> = scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
    let environ: Vec<CString> = scene.environ.iter().map(|entry| CString::new(entry.as_slice()).unwrap()).collect();
    let environ: Vec<&CStr> = environ.iter().map(CString::as_c_str).collect();
    let start = Start {
        arguments: &arguments,
        environ: Environ(&environ),
        stdin: &scene.stdin.content,
        cwd: &scene.cwd,
        ended: Some((1, "said")),
    };
    case::of(&start, host)
}

#[test]
fn every_case_captured_and_replayed_comes_to_the_same() {
    let (_, suite) = of_the_hook();
    let (mut faults, mut replayed) = (Vec::new(), 0);
    for check in suite.checks() {
        let scene = check.scene().unwrap();
        let host = MemoryHost::new(&scene);
        let (Some(files), Some(wanted)) = (captured(&scene, &host), decide(&scene, &host)) else { continue };
        replayed += 1;
        let again = match Case::new("case", files.clone(), Arc::new(Files::new())).scene() {
            Ok(again) => again,
            Err(error) => {
                faults.push(format!("{}: {error:#}", check.name()));
                continue;
            }
        };
        let got = decide(&again, &MemoryHost::new(&again)).unwrap();
        faults.extend(expectation_faults(&files, &again).map(|fault| format!("{}: {fault}", check.name())));
        if got != wanted {
            faults.push(format!("{}: {wanted:?}\n  replayed: {got:?}\n{files:?}", check.name()));
        }
    }
    assert!(replayed > 1000, "{replayed}");
    assert!(faults.is_empty(), "{} of {replayed}\n{}", faults.len(), faults.join("\n"));
}

/// How the expectation of a captured case differs from what the hook's suite would say.
fn expectation_faults(files: &Files, scene: &Scene) -> Option<String> {
    let expected = Case::new("case", files.clone(), Arc::new(Files::new())).expected();
    let expected = match expected {
        Ok(expected) => expected,
        Err(error) => return Some(format!("{error:#}")),
    };
    let argv = expected.exec.as_ref().map(|exec| exec.argv.clone()).unwrap_or_default();
    let wanted: Vec<(String, String)> = match core::decide(scene) {
        Decided::Execute(Planned { argv, origins, .. }) => {
            let text = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
            argv.iter().map(text).zip(origins).collect()
        }
        _ => Vec::new(),
    };
    (argv != wanted).then(|| format!("expects {argv:?}, and the suite {wanted:?}"))
}

#[test]
fn what_no_start_reads_never_appears() {
    let mut scene = usual_scene(&of_the_hook().0);
    let spec = format!(
        r#"{{"ociVersion":"1.0.2","hostname":"{0}","process":{{"args":["{0}"],"cwd":"/{0}","user":{{"username":"{0}"}},
        "env":["NVIDIA_VISIBLE_DEVICES=0","TOKEN={0}","NVIDIA_API_KEY={0}","{0}=1","LD_PRELOAD=/{0}"],"capabilities":{{"bounding":["CAP_{1}"]}}}},
        "root":{{"path":"rootfs","{0}":1}},"annotations":{{"{0}":"{0}"}},
        "mounts":[{{"destination":"/{0}","source":"/home/{0}","options":["{0}"]}}],"linux":{{"cgroupsPath":"{0}"}}}}"#,
        CANARY, "CHOWN"
    );
    scene.put("/bundle/config.json", Node::text(spec.as_str()));
    let config = format!(
        "# {CANARY}\n[nvidia-container-cli]\nenvironment = [\"A={CANARY}\"]\nnote = \"\"\"\n{CANARY}\n\"\"\"\n[x]\ny = '{CANARY}'\n"
    );
    scene.put("/etc/nvidia-container-runtime/config.toml", Node::text(config.as_str()));
    scene.put("/etc/passwd", Node::text(CANARY));
    scene.environ.extend([format!("TOKEN={CANARY}").into_bytes(), b"HOME=/root".to_vec()]);
    scene.stdin.content =
        format!(r#"{{"id":"{CANARY}","pid":42,"bundle":"/bundle","annotations":{{"a":"{CANARY}"}}}}"#).into_bytes();
    let host = MemoryHost::new(&scene);
    let files = captured(&scene, &host).unwrap();
    for (name, text) in &files {
        assert!(!text.contains(CANARY), "{name}: {text}");
    }
    let again = Case::new("case", files, Arc::new(Files::new())).scene().unwrap();
    assert_eq!(decide(&again, &MemoryHost::new(&again)), decide(&scene, &host));
}

/// A hook that is a shell script, and a directory for captures.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(script: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let hook = folder.path().join("hook");
        fs::write(&hook, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("captures")).unwrap();
        fs::create_dir(folder.path().join("bundle")).unwrap();
        fs::write(
            folder.path().join("bundle/config.json"),
            format!(r#"{{"ociVersion":"1.0.2","process":{{"env":["NVIDIA_VISIBLE_DEVICES=0","T={CANARY}"]}},"root":{{"path":"rootfs"}}}}"#),
        )
        .unwrap();
        Stage { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> String {
        format!(r#"{{"pid":4242,"bundle":"{}"}}"#, self.path("bundle").display())
    }

    fn run(&self, options: &[&str], to: &Path) -> std::process::Output {
        let mut command = Command::new(hookctl());
        command.arg("capture").arg("--to").arg(to).args(options).arg("--").arg(self.path("hook")).arg("prestart");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TOKEN", CANARY).current_dir("/");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The hook may end without having read it.
        let _ = child.stdin.take().unwrap().write_all(self.state().as_bytes());
        child.wait_with_output().unwrap()
    }
}

#[test]
fn a_hook_ends_as_it_would_and_a_failing_start_is_kept() {
    let stage = Stage::new("cat; echo out; echo err >&2; echo \"$TOKEN\" >&2; exit 3\n");
    let output = stage.run(&[], &stage.path("captures"));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}out\n", stage.state()));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("err\n{CANARY}\n"));
    let case = stage.path("captures/start");
    assert_eq!(fs::metadata(&case).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["state.json", "host.toml", "expected.toml"] {
        let file = case.join(name);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let text = fs::read_to_string(file).unwrap();
        assert!(name == "expected.toml" || !text.contains(CANARY), "{name}: {text}");
    }
    let said = Command::new(hookctl()).arg("replay").arg(&case).output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.contains("exit status"), "{text}");
    // A second failure makes a second folder.
    stage.run(&[], &stage.path("captures"));
    assert!(stage.path("captures/start-2").is_dir());
}

#[test]
fn a_start_that_succeeds_is_kept_only_where_that_is_asked_for() {
    let stage = Stage::new("cat > /dev/null\n");
    let captures = stage.path("captures");
    assert_eq!(stage.run(&[], &captures).status.code(), Some(0));
    assert_eq!(fs::read_dir(&captures).unwrap().count(), 0);
    assert_eq!(stage.run(&["--always"], &captures).status.code(), Some(0));
    assert_eq!(fs::read_dir(&captures).unwrap().count(), 1);
}

#[test]
fn a_failure_to_capture_changes_nothing() {
    let stage = Stage::new("echo said >&2; exit 7\n");
    fs::write(stage.path("file"), "").unwrap();
    symlink(stage.path("captures"), stage.path("link")).unwrap();
    for to in ["nowhere", "file", "link"] {
        let output = stage.run(&[], &stage.path(to));
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(7), b"said\n".as_slice()), "{to}");
    }
    assert_eq!(fs::read_dir(stage.path("captures")).unwrap().count(), 0, "a link was followed");
    fs::remove_file(stage.path("hook")).unwrap();
    assert_eq!(stage.run(&[], &stage.path("captures")).status.code(), Some(127));
}

#[test]
fn a_directory_of_captures_is_bounded() {
    let stage = Stage::new("exit 1\n");
    for number in 0..64 {
        fs::create_dir(stage.path(&format!("captures/old-{number}"))).unwrap();
    }
    assert_eq!(stage.run(&[], &stage.path("captures")).status.code(), Some(1));
    assert_eq!(fs::read_dir(stage.path("captures")).unwrap().count(), 64);
}

#[test]
fn a_bundle_is_captured_without_a_hook() {
    let stage = Stage::new("");
    let output = Command::new(hookctl())
        .args(["capture", "--to"])
        .arg(stage.path("captures"))
        .arg("--bundle")
        .arg(stage.path("bundle"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let case = stage.path("captures/bundle");
    assert!(replay(&case).is_ok());
    assert!(!fs::read_to_string(case.join("host.toml")).unwrap().contains(CANARY));
    fs::remove_file(case.join("expected.toml")).unwrap();
    assert!(replay(&case).unwrap_err().contains("not a case folder"));
}

#[test]
fn a_case_on_disk_that_has_the_program_comes_to_the_same() {
    let (_, suite) = of_the_hook();
    let mut replayed = 0;
    for check in suite.checks() {
        let scene = check.scene().unwrap();
        let host = MemoryHost::new(&scene);
        let (Some(files), Some(wanted)) = (captured(&scene, &host), decide(&scene, &host)) else { continue };
        if replayed == 10 || !files["host.toml"].contains("is = \"cli\"") {
            continue;
        }
        replayed += 1;
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        assert_eq!(replay(folder.path()).unwrap(), wanted, "{}", check.name());
    }
    assert_eq!(replayed, 10);
}

#[test]
fn a_start_without_rights_is_replayed_without_them_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (case, scratch) = (folder.path().join("case"), folder.path().join("scratch"));
    fs::create_dir_all(case.join("bundle")).unwrap();
    fs::create_dir(&scratch).unwrap();
    fs::write(case.join("expected.toml"), "why = \"\"\nsource = \"\"\n").unwrap();
    fs::write(case.join("state.json"), r#"{"pid":42,"bundle":"/bundle"}"#).unwrap();
    for (entry, words) in [
        (r#""/etc/nvidia-container-runtime/config.toml" = { text = "", mode = "600" }"#, "permission denied"),
        (r#""/etc/nvidia-container-runtime" = { is = "directory", mode = "0" }"#, "permission denied"),
    ] {
        fs::write(case.join("host.toml"), format!("unprivileged = true\n[files]\n{entry}\n")).unwrap();
        let said = Command::new(hookctl()).arg("replay").arg(&case).env("TMPDIR", &scratch).output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(text.contains(words), "{entry}: {text} {}", String::from_utf8_lossy(&said.stderr));
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{entry}");
    }
}
