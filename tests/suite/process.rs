//! The hook as a process: what it passes on to the program that it becomes, what it does with inputs that are not plain
//! files, and what it must never print. The cases in fixtures/ say what it decides, which is not repeated here.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use hook_test_support::programs;
use libtest_mimic::Trial;
use nvidia_hook_conformance::case::usual_scene;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::outcome::Outcome;
use nvidia_hook_conformance::run::{Runner, Seat};
use nvidia_hook_conformance::scene::{Inherited, Node, Scene};
use serde_json::{Value, json};

use crate::test;

const CONFIG_TOML: &str = "/etc/nvidia-container-runtime/config.toml";
const CONFIG_JSON: &str = "/bundle/config.json";
/// Stands in for a secret.
const SECRET: &str = "s3cr3t";

/// The tests.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, fn()); 27] = [
        ("environment: a thousand entries keep order, duplicates and oddities", many_entries),
        ("signals: a default SIGPIPE stays default", default_sigpipe),
        ("signals: an ignored SIGPIPE stays ignored", ignored_sigpipe),
        ("signals: blocked ones stay blocked", blocked_signals),
        ("signals: a standard error that nobody reads decides nothing", unread_stderr),
        ("signals: a limit of file sizes decides nothing", file_size),
        ("memory: too little is an error like any other", little_memory),
        ("umask: it is handed on", umasks),
        ("descriptors: 0 to 2 are handed on and nothing else", descriptors),
        ("descriptors: further ones are closed for the program", further_descriptors),
        ("descriptors: a closed standard input is an error", closed_stdin),
        ("descriptors: a closed standard output or error is handed on as /dev/null", closed_streams),
        ("descriptors: a closed standard error changes no failure", closed_stderr),
        ("descriptors: all closed is an error like any other", all_closed),
        ("inputs: a configuration that is being written is waited for", rewritten),
        ("inputs: too long a list of arguments is called that", too_long),
        ("inputs: a pipe in place of a file does not hang", pipes),
        ("inputs: a pipe that is named as the configuration is read to its end", named_pipe),
        ("inputs: a pipe without content is an error", empty_pipe),
        ("inputs: a device without end is an error", endless_devices),
        ("inputs: ten megabytes of config.json, state and config.toml", large_inputs),
        ("inputs: a hundred thousand variables and mounts", many_items),
        ("inputs: deep nesting is skipped or refused", deep_nesting),
        ("messages: control characters of an input are escaped in each", control_characters),
        ("messages: no secret of the container is shown", secrets),
        ("messages: a huge value is not repeated in full", huge_values),
        ("messages: nothing of prestart goes to standard output", nothing_on_stdout),
    ];
    tests.map(|(name, run)| test(name, run)).into()
}

fn scene() -> Scene {
    static USUAL: OnceLock<Scene> = OnceLock::new();
    USUAL.get_or_init(|| usual_scene(&Fixtures::read(&programs::fixtures()).unwrap())).clone()
}

/// Runs the hook, with a folder on disk.
static RUNNER: Mutex<Option<Arc<Runner>>> = Mutex::new(None);

fn run(scene: &Scene) -> Outcome {
    let new = || Arc::new(Runner::new(&crate::hook(), programs::fake().as_deref(), Seat::HostRoot).unwrap());
    let runner = RUNNER.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(new).clone();
    runner.run(scene).unwrap()
}

/// Removes that folder after the last test.
pub fn end() {
    RUNNER.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// Runs a scene in which the program must be executed, and returns the record of it.
fn record(scene: &Scene) -> Value {
    let outcome = run(scene);
    assert_eq!((outcome.exit, outcome.stderr().as_str()), (0, ""));
    outcome.records[0].clone()
}

/// Runs a scene that must fail, with a message on one line.
fn message(scene: &Scene) -> String {
    let outcome = run(scene);
    let message = outcome.stderr();
    assert_eq!(outcome.exit, 1, "{message}");
    assert!(outcome.executed.is_none() && outcome.stdout.is_empty());
    assert_eq!(message.matches('\n').count(), 1, "{message:?}");
    message
}

fn inheriting(inherited: Inherited) -> Scene {
    Scene { inherited, ..scene() }
}

/// A scene with this config.json.
fn with_spec(spec: &Value) -> Scene {
    let mut scene = scene();
    scene.put(CONFIG_JSON, Node::text(spec.to_string()));
    scene
}

/// A config.json with these variables and mounts.
fn spec(env: &Value, mounts: &Value) -> Value {
    json!({"ociVersion": "1.0.2", "process": {"env": env}, "root": {"path": "/bundle/rootfs"}, "mounts": mounts})
}

fn many_entries() {
    let mut scene = scene();
    scene.put(CONFIG_TOML, Node::text("nvidia-container-cli.path = \"/usr/bin/nvidia-container-cli\""));
    scene.environ = (0..1000).map(|n| format!("V{}={n}", n % 7).into_bytes()).collect();
    scene.environ.extend([b"".to_vec(), b"no-equals".to_vec(), b"=x".to_vec(), b"BYTES=\xff\xfe".to_vec()]);
    let outcome = run(&scene);
    assert_eq!(outcome.executed.unwrap().environ, scene.environ);
}

/// The ignored signals, without the two that glibc keeps for itself, whose default cannot be restored.
fn ignored_in(record: &Value) -> Vec<&str> {
    let signals = record["signals"]["ignored"].as_array().unwrap().iter();
    signals.map(|name| name.as_str().unwrap()).filter(|name| !["32", "33"].contains(name)).collect()
}

fn default_sigpipe() {
    assert_eq!(ignored_in(&record(&scene())), [""; 0]);
}

fn ignored_sigpipe() {
    let record = record(&inheriting(Inherited { ignore_sigpipe: true, ..Inherited::default() }));
    assert_eq!(ignored_in(&record), ["SIGPIPE"]);
}

fn blocked_signals() {
    assert_eq!(record(&scene())["signals"]["blocked"], json!([]));
    let blocked = vec!["SIGTERM".to_owned(), "SIGCHLD".to_owned()];
    let record = record(&inheriting(Inherited { blocked, ..Inherited::default() }));
    assert_eq!(record["signals"]["blocked"], json!(["SIGTERM", "SIGCHLD"]));
}

/// Scenes that write to standard error keep their exit status when it is not read.
fn unread_stderr() {
    let mut ignored = scene();
    ignored.put(CONFIG_TOML, Node::text("accept-nvidia-visible-devices-envvar-when-unprivileged = false"));
    let mut debugged = scene();
    debugged.args.insert(0, b"-debug".to_vec());
    let mut failing = scene();
    failing.put(CONFIG_TOML, Node::text("nonsense"));
    for ignore_sigpipe in [false, true] {
        let unread = |scene: &Scene| {
            let inherited = Inherited { unread_stderr: true, ignore_sigpipe, ..Inherited::default() };
            run(&Scene { inherited, ..scene.clone() })
        };
        assert_eq!((unread(&ignored).exit, unread(&failing).exit), (0, 1));
        let executed = unread(&debugged);
        assert_eq!(executed.exit, 0);
        assert_eq!(executed.records[0]["signals"]["blocked"], json!([]));
        assert_eq!(ignored_in(&executed.records[0]).is_empty(), !ignore_sigpipe);
    }
}

fn file_size() {
    let mut scene = with_spec(&spec(&json!([]), &json!([])));
    scene.put("/hook.log", Node::text(""));
    scene.environ.push(b"NVIDIA_CONTAINER_HOOK_LOG=/hook.log".to_vec());
    scene.inherited.file_size = Some(10);
    let outcome = run(&scene);
    assert_eq!((outcome.exit, outcome.stderr().as_str()), (0, ""));
    scene.args.insert(0, b"-debug".to_vec());
    assert!(run(&scene).stderr().contains("the note of this start could not be written"));
}

/// Whatever the limit is, the hook ends by itself: it does its work, or says what it lacks.
fn little_memory() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bundle")).unwrap();
    let escaped = "\\u0041".repeat(400_000);
    let large =
        format!(r#"{{"ociVersion":"1.0.2","process":{{"env":["NVIDIA_A={escaped}"]}},"root":{{"path":"/r"}}}}"#);
    fs::write(root.path().join("bundle/config.json"), large).unwrap();
    let mut refused = 0;
    for kibibytes in (3_000..16_000).step_by(500) {
        let mut hook = Command::new("sh")
            .args(["-c", "ulimit -v $0 && exec \"$@\"", &kibibytes.to_string()])
            .arg(crate::hook())
            .arg("-host-root")
            .arg(root.path())
            .arg("prestart")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = hook.stdin.take().unwrap().write_all(br#"{"pid":1,"bundle":"/bundle"}"#);
        let output = hook.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // 127 comes from the dynamic loader, which found no room for the libraries.
        let status = output.status.code();
        assert!(matches!(status, Some(0 | 1 | 127)), "{kibibytes}: {status:?} {said}");
        if status == Some(1) {
            assert!(said.to_lowercase().contains("memory"), "{kibibytes}: {said}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

fn further_descriptors() {
    let record = record(&inheriting(Inherited { opened: vec![3, 7, 100], ..Inherited::default() }));
    assert_eq!(open_in(&record), [0, 1, 2]);
}

fn umasks() {
    for (umask, shown) in [(0o077, "0077"), (0o000, "0000")] {
        let record = record(&inheriting(Inherited { umask: Some(umask), ..Inherited::default() }));
        assert_eq!(record["umask"], shown);
    }
}

/// The numbers of the descriptors that the program got.
fn open_in(record: &Value) -> Vec<u64> {
    record["fds"].as_array().unwrap().iter().map(|it| it["fd"].as_u64().unwrap()).collect()
}

fn descriptors() {
    assert_eq!(open_in(&record(&scene())), [0, 1, 2]);
}

fn closing(closed: &[i32]) -> Scene {
    inheriting(Inherited { closed: closed.to_vec(), ..Inherited::default() })
}

fn closed_stdin() {
    assert!(message(&closing(&[0])).contains("standard input"));
}

fn closed_streams() {
    for closed in [&[1][..], &[2], &[1, 2]] {
        let record = record(&closing(closed));
        assert_eq!(open_in(&record), [0, 1, 2]);
        for descriptor in record["fds"].as_array().unwrap() {
            let is_closed = closed.iter().any(|number| descriptor["fd"] == *number);
            assert_eq!(descriptor["target"] == "/dev/null", is_closed, "{closed:?} {descriptor}");
        }
    }
}

fn closed_stderr() {
    let mut scene = closing(&[2]);
    scene.put(CONFIG_TOML, Node::text("nonsense"));
    assert_eq!(run(&scene).exit, 1);
}

fn all_closed() {
    assert_eq!(run(&closing(&[0, 1, 2])).exit, 1);
}

/// A writer empties the file and rewrites it, over and over; whatever the hook sees, it never takes the defaults.
fn rewritten() {
    const WHOLE: &str = "accept-nvidia-visible-devices-envvar-when-unprivileged = false\n";
    let root = tempfile::tempdir().unwrap();
    let config = root.path().join("c.toml");
    fs::create_dir(root.path().join("bundle")).unwrap();
    let all = spec(&json!(["NVIDIA_VISIBLE_DEVICES=all"]), &json!([]));
    fs::write(root.path().join("bundle/config.json"), all.to_string()).unwrap();
    let writes = std::sync::atomic::AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while writes.load(std::sync::atomic::Ordering::Relaxed) {
                fs::write(&config, WHOLE).unwrap();
            }
        });
        for _ in 0..50 {
            let mut hook = Command::new(crate::hook())
                .args(["-host-root".as_ref(), root.path().as_os_str()])
                .args(["-config", "/c.toml", "prestart"])
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let _ = hook.stdin.take().unwrap().write_all(br#"{"pid":1,"bundle":"/bundle"}"#);
            let said = String::from_utf8(hook.wait_with_output().unwrap().stderr).unwrap();
            let settled = said.contains("Ignoring devices requested by environment variable(s)");
            let refused =
                ["it is empty", "it changes while", "file does not exist"].iter().any(|words| said.contains(words));
            assert!(settled || refused, "{said}");
        }
        writes.store(false, std::sync::atomic::Ordering::Relaxed);
    });
}

fn too_long() {
    let devices = format!("NVIDIA_VISIBLE_DEVICES={}", "GPU-1234,".repeat(100) + &"x".repeat(200_000));
    let said = message(&with_spec(&spec(&json!([devices]), &json!([]))));
    assert!(said.contains("larger than the system allows") && !said.contains("executable program"), "{said}");
}

fn pipes() {
    for path in [CONFIG_TOML, CONFIG_JSON] {
        let mut scene = scene();
        scene.put(path, Node::Fifo);
        assert!(message(&scene).contains(path));
    }
}

/// The status and message of a start whose configuration is a pipe with this content, and the pipe. The hook waits for
/// the writer, which waits for a reader before it writes: their order changes nothing.
fn start_with_a_pipe(content: String) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let writing = thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, content)
    });
    let hook = Command::new(crate::hook()).arg("-config").arg(&pipe).arg("prestart").output().unwrap();
    writing.join().unwrap().unwrap();
    (hook.status.code(), String::from_utf8(hook.stderr).unwrap(), pipe.display().to_string())
}

/// A writer that fails closes its pipe without a word: that is not a configuration, and above all not the defaults.
fn empty_pipe() {
    let (status, message, pipe) = start_with_a_pipe(String::new());
    let why = "the pipe ended without any content; let its writer write the configuration; for the defaults, a comment";
    assert_eq!(status, Some(1));
    assert!(message.contains(&format!("{pipe}: {why}")), "{message}");
}

fn named_pipe() {
    let long = format!("# {}\nnvidia-container-cli.load-kmods = 1\n", "x".repeat(200_000));
    let (_, message, pipe) = start_with_a_pipe(long);
    assert!(message.contains(&format!("{pipe}:2:35: nvidia-container-cli.load-kmods must be")), "{message}");
}

fn endless_devices() {
    for path in [CONFIG_TOML, CONFIG_JSON] {
        let mut scene = scene();
        // The link leads out of the case's tree: making a device needs more rights than a test has.
        scene.put(path, Node::Symlink(format!("{}dev/zero", "../".repeat(40))));
        assert!(message(&scene).contains(path));
    }
}

fn large_inputs() {
    const SIZE: usize = 10 << 20;
    let mut large = spec(&json!(["NVIDIA_VISIBLE_DEVICES=all"]), &json!([]));
    large["annotations"] = json!({"filler": "x".repeat(SIZE)});
    let mut scene = with_spec(&large);
    scene.put(CONFIG_TOML, Node::text(format!("# {}\n", "x".repeat(78)).repeat(SIZE / 81)));
    let state = json!({"filler": "y".repeat(SIZE), "pid": 4242, "bundle": "/bundle"});
    scene.stdin.content = state.to_string().into_bytes();
    record(&scene);
}

fn many_items() {
    let mut env: Vec<String> = (0..100_000).map(|n| format!("NVIDIA_UNKNOWN_{n}={n}")).collect();
    env.push("NVIDIA_VISIBLE_DEVICES=9".to_owned());
    let mut mounts: Vec<Value> =
        (0..100_000).map(|n| json!({"destination": format!("/m{n}"), "source": "/x"})).collect();
    mounts.push(json!({"destination": "/var/run/nvidia-container-devices/3", "source": "/dev/null"}));
    let mut scene = with_spec(&spec(&json!(env), &json!(mounts)));
    scene.put(CONFIG_TOML, Node::text("accept-nvidia-visible-devices-as-volume-mounts = true"));
    let record = record(&scene);
    assert!(record["argv"].as_array().unwrap().contains(&json!("--device=3")));
}

fn deep_nesting() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut skipped = scene();
    let text = format!(r#"{{"x": {deep}, "ociVersion": "1.0.2", "process": {{}}, "root": {{"path": "/r"}}}}"#);
    skipped.put(CONFIG_JSON, Node::text(text));
    assert_eq!(run(&skipped).exit, 0);
    for (path, text) in [(CONFIG_JSON, format!(r#"{{"process": {deep}}}"#)), (CONFIG_TOML, format!("x = {deep}"))] {
        let mut scene = scene();
        scene.put(path, Node::text(text));
        assert!(message(&scene).contains(path));
    }
}

/// Scenes that fail because of a text that an image, an engine or a user can choose.
fn failing_with(text: &str) -> Vec<(&'static str, Scene)> {
    let all = "NVIDIA_VISIBLE_DEVICES=all";
    let image = |entry: String| with_spec(&spec(&json!([all, entry]), &json!([])));
    let mount = format!("/var/run/nvidia-container-devices/{text}");
    let mut mounted = with_spec(&spec(&json!([all]), &json!([{"destination": mount, "source": "/dev/null"}])));
    mounted.put(CONFIG_TOML, Node::text("accept-nvidia-visible-devices-as-volume-mounts = true"));
    let fed = |state: Value| {
        let mut scene = scene();
        scene.stdin.content = state.to_string().into_bytes();
        scene
    };
    let configured = |key: &str| {
        let mut scene = scene();
        scene
            .put(CONFIG_TOML, Node::text(format!("{key} = {}", json!(text).to_string().replace("\\u001b", "\\u001B"))));
        scene
    };
    let mut flagged = scene();
    flagged.args = vec![b"-config".to_vec(), text.as_bytes().to_vec(), b"prestart".to_vec()];
    let caps = |caps: Value| {
        let mut scene = spec(&json!([all]), &json!([]));
        scene["process"]["capabilities"] = caps;
        with_spec(&scene)
    };
    vec![
        ("capabilities", image(format!("NVIDIA_DRIVER_CAPABILITIES={text}"))),
        ("version", image(format!("CUDA_VERSION={text}"))),
        ("mount", mounted),
        ("bundle", fed(json!({"pid": 1, "bundle": text}))),
        ("missing bundle", fed(json!({"pid": 1, "bundle": format!("/{text}")}))),
        ("pid", fed(json!({"pid": text, "bundle": "/bundle"}))),
        ("capabilities member", caps(json!(text))),
        ("mode", configured("nvidia-container-runtime.mode")),
        ("ldconfig", configured("nvidia-container-cli.ldconfig")),
        ("path", configured("nvidia-container-cli.path")),
        ("cli-version", configured("nvidia-container-runtime-hook.cli-version")),
        ("supported", configured("supported-driver-capabilities")),
        ("wrong type", configured("disable-require")),
        ("flag", flagged),
    ]
}

fn control_characters() {
    for (name, scene) in failing_with("x\u{1b}[2J\r\u{7}\u{202e}\u{9b}y") {
        let outcome = run(&scene);
        let said = outcome.stderr();
        assert_eq!(outcome.exit, 1, "{name}: {said}");
        let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!said.chars().any(harmful), "{name}: {said:?}");
    }
}

fn huge_values() {
    // A long name can be a valid device, and a path is the engine's.
    let others = ["mount", "missing bundle", "flag"];
    for (name, scene) in failing_with(&"x".repeat(100_000)).into_iter().filter(|(name, _)| !others.contains(name)) {
        let outcome = run(&scene);
        assert_eq!(outcome.exit, 1, "{name}");
        assert!(outcome.stderr.len() < 4096, "{name}: {} bytes", outcome.stderr.len());
    }
}

fn secrets() {
    let secret = format!("TOKEN={SECRET}");
    let root = json!({"path": "/r"});
    let specs = [
        json!({"ociVersion": "1.0.2", "process": {"env": secret}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"env": {"TOKEN": SECRET}}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"env": [SECRET]}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"env": [secret, 5]}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"env": [[secret]]}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": secret, "root": root}),
        json!({"ociVersion": "1.0.2", "process": [secret], "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"capabilities": secret}, "root": root}),
        json!({"ociVersion": "1.0.2", "process": {"env": [secret]}, "root": secret}),
        json!(secret),
        spec(&json!([secret, "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=bogus"]), &json!([])),
        spec(&json!([secret, "CUDA_VERSION=bogus"]), &json!([])),
    ];
    for spec in specs {
        let mut scene = with_spec(&spec);
        for args in [&["prestart"][..], &["-debug", "prestart"]] {
            scene.args = args.iter().map(|word| word.as_bytes().to_vec()).collect();
            let outcome = run(&scene);
            assert_eq!(outcome.exit, 1, "{spec}");
            assert!(!outcome.stderr().contains(SECRET), "{}", outcome.stderr());
        }
    }
}

fn nothing_on_stdout() {
    let mut refused = with_spec(&spec(&json!(["NVIDIA_VISIBLE_DEVICES=all"]), &json!([])));
    refused.put(CONFIG_TOML, Node::text("accept-nvidia-visible-devices-envvar-when-unprivileged = false"));
    let mut debugged = scene();
    debugged.args.insert(0, b"-debug".to_vec());
    for scene in [scene(), refused, debugged] {
        let outcome = run(&scene);
        assert_eq!((outcome.exit, outcome.stdout.as_slice()), (0, b"".as_slice()));
    }
}
