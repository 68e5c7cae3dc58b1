//! A start of the hook: its three inputs one by one, and all together on a drawn machine. Decided twice, it is the
//! same; the command line follows a closed grammar; nothing of the image goes elsewhere; `explain` and `replay` agree
//! with the start. Must not know what is right beyond that.

use std::ffi::{CStr, CString, OsStr};
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use hook_test_support::core::{Decided, Planned, decide};
use hook_test_support::memory::MemoryHost;
use hook_test_support::programs;
use nvidia_container_runtime_hook::config::{self, Config};
use nvidia_container_runtime_hook::container::State;
use nvidia_container_runtime_hook::host::Host as _;
use nvidia_container_runtime_hook::invocation::{self, Command, Environ, Flags, Invocation};
use nvidia_hook_conformance::case::usual_scene;
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::scene::{Node, Scene};
use nvidia_hook_conformance::tree;
use nvidia_hookctl::check::check;
use nvidia_hookctl::explain::report::Verdict;
use nvidia_hookctl::explain::{Question, Subject, explain};
use nvidia_hookctl::finding::Severity;
use nvidia_hookctl::tree::Tree;

use crate::draw::{self, Dice};
use crate::{is_harmless, naive, written};

const CONFIG_JSON: &str = "/bundle/config.json";
const CONFIG_TOML: &str = "/etc/nvidia-container-runtime/config.toml";
/// A canary: part of values that an image sets and that nobody may read.
const CANARY: &str = "k4n4ry7f3a";

/// The usual scene.
pub fn usual() -> Scene {
    static USUAL: OnceLock<Scene> = OnceLock::new();
    USUAL.get_or_init(|| usual_scene(&Fixtures::read(&programs::fixtures()).unwrap())).clone()
}

/// A reader that returns one byte at a time.
struct Drops<'d>(&'d [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

/// A container state: however it arrives, it is the same.
pub fn state(data: &[u8]) {
    let said = |state: Result<State, _>| match state {
        Ok(state) => Ok((state.pid, state.bundle)),
        Err(error) => Err(nvidia_container_runtime_hook::error::Error::to_string(&error)),
    };
    let whole = said(State::read(&mut Cursor::new(data)));
    // If it is invalid, the message shows as much of it as had arrived.
    assert_eq!(whole.ok(), said(State::read(&mut Drops(data))).ok());
    let with = |content: Vec<u8>| {
        let mut scene = usual();
        scene.stdin.content = content;
        foretold(&scene)
    };
    comes_to_the_same(&with(data.to_vec()), written::json(data).map(with));
}

/// A `config.json`.
pub fn spec(data: &[u8]) {
    let with = |content: &[u8]| {
        let mut scene = usual();
        scene.put(CONFIG_JSON, Node::text(content));
        (foretold(&scene), scene)
    };
    let (decision, scene) = with(data);
    comes_to_the_same(&decision, written::json(data).map(|content| with(&content).0));
    if !matches!(decision, Decided::Failed(_)) {
        for (variables, privileged) in
            [(&["NVIDIA_VISIBLE_DEVICES=1", "A=\"\\\n"][..], false), (&[], true), (&["A"], true)]
        {
            let Some(more) = written::with_more(data, variables, privileged) else { continue };
            let mut with_more = usual();
            with_more.put(CONFIG_JSON, Node::text(more));
            let variables = variables.iter().map(|&entry| entry.to_owned()).collect();
            explanation_agrees(&scene, &decide(&with_more), variables, privileged);
        }
    }
}

/// A configuration: what a start refuses in it, `check` reports as an error, and vice versa.
pub fn config(data: &[u8]) {
    let mut scene = usual();
    scene.put(CONFIG_TOML, Node::text(data));
    let decision = foretold(&scene);
    let otherwise = written::toml(data).map(|content| {
        let mut scene = usual();
        scene.put(CONFIG_TOML, Node::text(content));
        decided(&scene)
    });
    comes_to_the_same(&decision, otherwise);
    let folder = tempfile::tempdir().unwrap();
    tree::make(folder.path(), &scene_without_programs(&scene), Path::new("")).unwrap();
    let invocation = Invocation { flags: Flags::default(), environ: Environ(&[]) };
    let report = check(&invocation, &Tree::new(Some(folder.path().to_path_buf())));
    // This start need not meet what `check` finds about the machine, but it does meet what `check` finds in the text.
    let of_text = |id: &str| ["syntax", "type", "unreadable"].contains(&id);
    let error = report.findings.iter().find(|it| it.severity == Severity::Error && of_text(it.id));
    let memory = MemoryHost::new(&scene);
    let found = config::find(&invocation, &memory);
    let refused = found.as_ref().map_or(true, |file| Config::read(file.as_ref()).is_err());
    assert!(!refused || matches!(decision, Decided::Failed(_)), "{decision:?}");
    if let Some(error) = error {
        assert!(refused, "check: {error:?}, and the start: {decision:?}");
    }
    if refused {
        assert!(report.count.errors > 0, "{decision:?}, and check finds no error");
    }
}

/// Nothing is executed here, so any file with the same permissions serves as a program.
fn scene_without_programs(scene: &Scene) -> Scene {
    let mut scene = scene.clone();
    for (_, node) in &mut scene.files {
        if let Node::Cli { mode } = node {
            *node = Node::File { content: b"program".to_vec(), mode: *mode };
        }
    }
    scene
}

/// All inputs together, on a drawn machine.
pub fn start(data: &[u8]) {
    let mut scene = draw::scene(Dice::of(data));
    let canaries = plant(&mut scene);
    let decision = foretold(&scene);
    if canaries {
        let told = format!("{decision:?}");
        assert!(!told.contains(CANARY), "{told}");
        if let Decided::Execute(Planned { argv, environ, .. }) = &decision {
            let all = argv.iter().chain(environ).map(|text| String::from_utf8_lossy(text).into_owned());
            assert!(!all.into_iter().any(|text| text.contains(CANARY)));
        }
    }
}

/// Plants canaries among the variables and members that nobody reads, if the specification is valid.
fn plant(scene: &mut Scene) -> bool {
    let Some((_, Node::File { content, .. })) = scene.files.iter_mut().find(|(path, _)| path == CONFIG_JSON) else {
        return false;
    };
    let Ok(mut spec) = serde_json::from_slice::<serde_json::Value>(content) else { return false };
    let Some(env) = spec.pointer_mut("/process/env").and_then(serde_json::Value::as_array_mut) else { return false };
    for name in ["PATH", "LD_PRELOAD", "NVC_DEBUG", "XDG_CONFIG_HOME", "TOKEN"] {
        env.push(format!("{name}={CANARY}").into());
    }
    let Some(members) = spec.as_object_mut() else { return false };
    members.insert("annotations".to_owned(), serde_json::json!({"token": CANARY}));
    *content = serde_json::to_vec(&spec).unwrap();
    true
}

/// The same document in another form has the same result. A refused document may be refused for its form alone: a
/// duplicate member is no longer one in the other form.
fn comes_to_the_same(decision: &Decided, otherwise: Option<Decided>) {
    let seen = |decision: &Decided| match decision {
        Decided::Execute(planned) => Some((planned.argv.clone(), planned.environ.clone())),
        _ => None,
    };
    let Some(otherwise) = otherwise else { return };
    if !matches!(decision, Decided::Failed(_)) {
        assert_eq!(std::mem::discriminant(decision), std::mem::discriminant(&otherwise), "{otherwise:?}");
        assert_eq!(seen(decision), seen(&otherwise));
    }
}

/// The decision about a scene, which `explain`, `replay` and the second reading of the specification must share.
fn foretold(scene: &Scene) -> Decided {
    let decision = decided(scene);
    assert_eq!(naive::disagreement(scene), None);
    explanation_agrees(scene, &decision, Vec::new(), false);
    replay_agrees(scene, &decision);
    decision
}

/// The decision about a scene: decided twice the same, in harmless words, with a command line of the closed grammar.
fn decided(scene: &Scene) -> Decided {
    let decision = decide(scene);
    assert_eq!(decision, decide(scene), "decided twice");
    match &decision {
        Decided::Failed(message) => {
            assert!(!message.is_empty() && !message.contains('\n') && is_harmless(message), "{message:?}");
        }
        Decided::Execute(planned) => {
            assert_eq!(planned.argv.len(), planned.origins.len());
            let fault = grammar_fault(&planned.argv);
            assert!(fault.is_none(), "{fault:?}: {:?}", planned.argv);
        }
        Decided::NoPrestart | Decided::Nothing => {}
    }
    decision
}

/// What in a command line is not of the closed grammar: each argument must be known, with its value after `=`, and the
/// last two must be a process id and an absolute path.
fn grammar_fault(argv: &[Vec<u8>]) -> Option<String> {
    const BEFORE: [&str; 8] = [
        "--root=",
        "--load-kmods",
        "--no-create-imex-channels",
        "--no-pivot",
        "--debug=",
        "--ldcache=",
        "--user=",
        "--user",
    ];
    const AFTER: [&str; 17] = [
        "--cuda-compat-mode=",
        "--no-cntlibs",
        "--ldconfig=",
        "--no-cgroups",
        "--device=",
        "--mig-config=",
        "--mig-monitor=",
        "--imex-channel=",
        "--compute",
        "--compat32",
        "--display",
        "--graphics",
        "--ngx",
        "--utility",
        "--video",
        "--require=",
        "--pid=",
    ];
    let known = |list: &[&str], word: &[u8]| {
        list.iter().any(|known| {
            if known.ends_with('=') { word.starts_with(known.as_bytes()) } else { word == known.as_bytes() }
        })
    };
    let [program, words @ .., pid, root] = argv else { return Some("too short".to_owned()) };
    if !program.starts_with(b"/") || !root.starts_with(b"/") {
        return Some("a relative program or root".to_owned());
    }
    let number = pid.strip_prefix(b"--pid=").and_then(|pid| std::str::from_utf8(pid).ok()?.parse::<i32>().ok());
    if number.is_none_or(|pid| pid < 1) {
        return Some("no process id before the root".to_owned());
    }
    let Some(at) = words.iter().position(|word| word == b"configure") else { return Some("no configure".to_owned()) };
    let wrong = words[..at]
        .iter()
        .find(|word| !known(&BEFORE, word))
        .or_else(|| words[at + 1..].iter().find(|word| !known(&AFTER, word)));
    wrong.map(|word| format!("{:?}", String::from_utf8_lossy(word)))
}

/// `explain` predicts the verdict and the command line, even of a container with more variables or with privilege.
fn explanation_agrees(scene: &Scene, decision: &Decided, variables: Vec<String>, privileged: bool) {
    let arguments: Vec<&OsStr> = scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
    let environ: Vec<CString> = scene.environ.iter().filter_map(|entry| CString::new(entry.as_slice()).ok()).collect();
    let environ: Vec<&CStr> = environ.iter().map(CString::as_c_str).collect();
    let Ok((flags, Command::Prestart)) = invocation::parse(&arguments) else { return };
    let question = Question { subject: Subject::State(scene.stdin.content.clone()), variables, privileged };
    let invocation = Invocation { flags, environ: Environ(&environ) };
    let host = MemoryHost::new(scene);
    let report = explain(&question, &invocation, &host);
    match decision {
        // The decision does not ask whether the kernel would execute the program; the explanation does.
        Decided::Execute(planned) if !may_be_executed(&host, &planned.argv) => {
            assert_eq!(report.verdict, Verdict::Error);
            assert!(report.stderr.iter().any(|line| line.starts_with("exec failed: ")), "{:?}", report.stderr);
        }
        Decided::Execute(planned) => {
            assert!(matches!(report.verdict, Verdict::Execute | Verdict::Refused), "{:?}", report.verdict);
            let shown: Vec<String> = report.argv.iter().map(|argument| argument.text.clone()).collect();
            let argv: Vec<String> =
                planned.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            assert_eq!(shown, argv);
        }
        Decided::Nothing => assert_eq!(report.verdict, Verdict::Nothing),
        Decided::Failed(_) => assert_eq!(report.verdict, Verdict::Error),
        Decided::NoPrestart => {}
    }
    let json = nvidia_container_runtime_hook::text::harmless_json(&serde_json::to_string(&report).unwrap());
    assert!(is_harmless(&json) && !json.contains(CANARY), "{json}");
}

/// Whether the program of a command line may be executed, or the machine does not say.
fn may_be_executed(host: &MemoryHost, argv: &[Vec<u8>]) -> bool {
    let program = Path::new(OsStr::from_bytes(&argv[0]));
    host.is_executable(program).unwrap_or(true) || host.kind(program).is_err()
}

/// `replay` has the same result.
fn replay_agrees(scene: &Scene, decision: &Decided) {
    let Some(outcome) = nvidia_hookctl::replay::decide(scene, &MemoryHost::new(scene)) else {
        assert_eq!(*decision, Decided::NoPrestart);
        return;
    };
    match decision {
        Decided::Execute(planned) => {
            let argv: Vec<String> =
                planned.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            let replayed: Vec<String> = outcome.argv.unwrap().into_iter().map(|(argument, _)| argument).collect();
            assert_eq!(replayed, argv);
        }
        Decided::Nothing | Decided::NoPrestart => assert!(outcome.exit == 0 && outcome.argv.is_none()),
        Decided::Failed(_) => assert!(outcome.exit == 1 && outcome.argv.is_none()),
    }
}
