//! Runs a scene with real programs: the hook, which becomes the fake, which records how. Must not judge what came of it.
//!
//! The fake learns where to record from variables, and the environment of the hook is part of a case. So the variables
//! `FAKE_NVIDIA_*` stand in front of the case's own, and exactly these entries are taken out of what was recorded.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::launch::{self, Ended, Launch};
use super::outcome::{Executed, Outcome};
use super::scene::{HOOK, Scene};
use super::{base64, other_hook, programs, tree};

/// After this a hook hangs; far beyond what any case takes on a slow machine.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// The folder of this test run. It holds the programs, so that cases can link to them, and one tree a case.
struct Workshop {
    directory: tempfile::TempDir,
    next: AtomicUsize,
}

fn workshop() -> &'static Workshop {
    static WORKSHOP: OnceLock<Workshop> = OnceLock::new();
    WORKSHOP.get_or_init(|| {
        let directory = tempfile::Builder::new().prefix("hook-tests-").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for (name, program) in [("hook", programs::hook()), ("cli", programs::fake())] {
            fs::copy(&program, directory.path().join(name))
                .unwrap_or_else(|why| panic!("{}: {why}", program.display()));
            fs::set_permissions(directory.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        if programs::hook_under_test().is_some() {
            other_hook::prepare(&directory.path().join("other"));
        }
        Workshop { directory, next: AtomicUsize::new(0) }
    })
}

/// Removes the folder of this test run.
pub fn clean_up() {
    tree::remove(workshop().directory.path());
}

/// Which hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Ours, which can be told to take a directory for the machine.
    Ours,
    /// Another, which gets a private root.
    Other,
}

/// Runs a scene.
pub fn run(scene: &Scene, which: Which) -> Outcome {
    let shop = workshop();
    let base = shop.directory.path().canonicalize().unwrap();
    let place = base.join(format!("case-{}", shop.next.fetch_add(1, Ordering::Relaxed)));
    let root = place.join("root");
    fs::create_dir_all(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    tree::make(&root, scene, &base.join("cli"));
    let outcome = run_in(&place, &root, scene, which, &base);
    tree::remove(&place);
    outcome
}

fn run_in(place: &Path, root: &Path, scene: &Scene, which: Which, base: &Path) -> Outcome {
    if which == Which::Other {
        other_hook::install(&base.join("other"), root);
    }
    // At the top of the tree, where both a hook in a private root and one outside can write.
    let recorded = root.join(".record");
    let inside = |path: &Path| match which {
        Which::Ours => path.to_path_buf(),
        Which::Other => Path::new("/").join(path.strip_prefix(root).unwrap()),
    };
    let settings = settings(scene, &inside(&recorded));
    let launch = Launch {
        program: match which {
            Which::Ours => base.join("hook"),
            Which::Other => other_hook::inside(),
        },
        argv: argv(scene, root, which),
        environ: settings.iter().chain(&scene.environ).cloned().collect(),
        cwd: inside(&tree::below(root, &scene.cwd)),
        root: (which == Which::Other).then(|| root.to_path_buf()),
        unprivileged: scene.unprivileged,
        ignore_sigpipe: scene.inherited.ignore_sigpipe,
        blocked: scene.inherited.blocked.clone(),
        umask: scene.inherited.umask.unwrap_or(0o022),
        closed: scene.inherited.closed.clone(),
        report: place.join("ended"),
    };
    let spec = place.join("launch");
    fs::write(&spec, serde_json::to_vec(&launch).unwrap()).unwrap();
    let (stdout, stderr) = feed(spawn(&spec), scene);
    let stderr = if which == Which::Ours { without_hint(stderr) } else { stderr };
    let report = fs::read(&launch.report).unwrap_or_default();
    let ended = serde_json::from_slice::<Ended>(&report);
    let ended = ended.unwrap_or_else(|_| panic!("not started: {}", String::from_utf8_lossy(&stderr)));
    let records = read_records(&recorded);
    let executed = records.first().map(|record| executed(record, &settings, root, &ended));
    Outcome { exit: ended.exit, stdout, stderr, executed, records }
}

/// What the hook says without the hint that follows every error where the bundle is known. It is the same everywhere,
/// and tests/explain.rs looks at it, so that it need not stand in each expectation.
fn without_hint(stderr: Vec<u8>) -> Vec<u8> {
    const HINT: &str = "see: nvidia-container-runtime-hook explain --bundle ";
    let body = stderr.strip_suffix(b"\n").unwrap_or(&stderr);
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    if body[start..].starts_with(HINT.as_bytes()) { stderr[..start].to_vec() } else { stderr }
}

/// The variables by which the fake is told what to do.
fn settings(scene: &Scene, record: &Path) -> Vec<Vec<u8>> {
    let mut settings = vec![[b"FAKE_NVIDIA_RECORD=", record.as_os_str().as_bytes()].concat()];
    // Without a failure the fake would go on to its simulated driver; what that says is no part of these cases.
    let fails = scene.cli_fails.as_deref().unwrap_or("exit=0");
    settings.push(format!("FAKE_NVIDIA_FAIL={fails}").into_bytes());
    settings.extend(scene.cli_version.iter().map(|version| format!("FAKE_NVIDIA_CLI_VERSION={version}").into_bytes()));
    settings
}

fn argv(scene: &Scene, root: &Path, which: Which) -> Vec<Vec<u8>> {
    let mut argv = vec![HOOK.as_bytes().to_vec()];
    if which == Which::Ours {
        argv.extend([b"-host-root".to_vec(), root.as_os_str().as_bytes().to_vec()]);
    }
    argv.extend(scene.args.iter().cloned());
    argv
}

fn spawn(spec: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(launch::ARGUMENT)
        .arg(spec)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Writes standard input and reads the rest until the hook has ended.
fn feed(mut child: Child, scene: &Scene) -> (Vec<u8>, Vec<u8>) {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let mut stdin = child.stdin.take().unwrap();
    let (send, ended) = mpsc::channel();
    let results = std::thread::scope(|scope| {
        let content = &scene.stdin.content;
        // The hook may end without having read it all.
        let writer = scope.spawn(move || stdin.write_all(content).is_ok().then_some(stdin));
        let held = scene.stdin.keep_open.then_some(writer);
        let mut readers = Vec::new();
        for stream in
            [Box::new(child.stdout.take().unwrap()) as Box<dyn Read + Send>, Box::new(child.stderr.take().unwrap())]
        {
            let send = send.clone();
            readers.push(scope.spawn(move || {
                let (mut stream, mut bytes) = (stream, Vec::new());
                stream.read_to_end(&mut bytes).unwrap();
                let _ = send.send(());
                bytes
            }));
        }
        let hangs = readers.iter().any(|_| ended.recv_timeout(HANGS_AFTER).is_err());
        if hangs {
            let _ = killpg(group, Signal::SIGKILL);
        }
        drop(held.map(|writer| writer.join().unwrap()));
        assert!(!hangs, "the hook hangs");
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    child.wait().unwrap();
    let [stdout, stderr] = <[Vec<u8>; 2]>::try_from(results).unwrap();
    (stdout, stderr)
}

fn read_records(file: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn executed(record: &serde_json::Value, settings: &[Vec<u8>], root: &Path, ended: &Ended) -> Executed {
    let list = |name: &str| -> Vec<Vec<u8>> { record[name].as_array().unwrap().iter().map(bytes).collect() };
    let path = |name: &str| {
        let path = PathBuf::from(record[name].as_str().unwrap_or_default());
        match path.strip_prefix(root) {
            Ok(below) => Path::new("/").join(below).to_string_lossy().into_owned(),
            Err(_) => path.to_string_lossy().into_owned(),
        }
    };
    Executed {
        argv: list("argv"),
        environ: list("environ").into_iter().filter(|entry| !settings.contains(entry)).collect(),
        program: path("exe"),
        cwd: path("cwd"),
        same_pid: record["pid"] == ended.pid,
        understood: !record["parsed"].is_null(),
    }
}

/// The bytes of a text of the record, which has `{"b64": ...}` where they are no UTF-8.
fn bytes(value: &serde_json::Value) -> Vec<u8> {
    match value.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => base64::decode(value["b64"].as_str().unwrap()).unwrap(),
    }
}
