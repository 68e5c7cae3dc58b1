//! How long a decision takes without any process or file: the pure core on every case of fixtures/hook/ and on the
//! scenarios of the other benches, each on a machine in memory. `cargo bench --bench plan [-- NAME]`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a bench fails by panicking, and uses what the tests use"
)]

mod scenes;

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use hook_test_support::memory::MemoryHost;
use hook_test_support::programs;
use nvidia_container_runtime_hook::invocation::Environ;
use nvidia_container_runtime_hook::invocation::{self, Command, Invocation};
use nvidia_container_runtime_hook::prestart::{self, Texts, Trail};
use nvidia_hook_conformance::fixtures::Fixtures;
use nvidia_hook_conformance::judge::Suite;
use nvidia_hook_conformance::scene::{CLI, Node, Scene};
use scenes::large::Large;
use scenes::scenario::Variant;

fn main() {
    divan::main();
}

/// A scene, ready to be decided.
struct Prepared {
    scene: Scene,
    environ: Vec<CString>,
    host: MemoryHost,
}

impl Prepared {
    fn new(scene: Scene) -> Self {
        let environ = scene.environ.iter().map(|entry| CString::new(entry.as_slice()).unwrap()).collect();
        Prepared { environ, host: MemoryHost::new(&scene), scene }
    }

    /// Decides; whether the decision is an execution, nothing or an error is the tests' concern.
    fn decide(&self) {
        let arguments: Vec<&OsStr> = self.scene.args.iter().map(|word| OsStr::from_bytes(word)).collect();
        let environ: Vec<&CStr> = self.environ.iter().map(CString::as_c_str).collect();
        if let Ok((flags, Command::Prestart)) = invocation::parse(&arguments) {
            let invocation = Invocation { flags, environ: Environ(&environ) };
            let mut state = self.scene.stdin.content.as_slice();
            let (texts, mut trail) = (Texts::default(), Trail::default());
            let _ = divan::black_box(prestart::decide(&invocation, &mut state, &self.host, &texts, &mut trail));
        }
    }
}

/// The cases.
fn suite() -> &'static Suite {
    static SUITE: OnceLock<Suite> = OnceLock::new();
    SUITE.get_or_init(|| Suite::read(&Fixtures::read(&programs::fixtures()).unwrap()).unwrap())
}

/// All cases of an area of the fixtures, one after the other.
#[divan::bench(args = areas())]
fn folders(bencher: Bencher<'_, '_>, area: &str) {
    let all = suite().cases.iter().filter(|case| case.area() == area);
    decide_all(bencher, all.map(|case| Prepared::new(case.scene().unwrap())).collect());
}

/// The areas of the fixtures.
fn areas() -> Vec<String> {
    suite().cases.iter().map(|case| case.area().to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// All recorded cases, one after the other.
#[divan::bench]
fn recorded(bencher: Bencher<'_, '_>) {
    decide_all(bencher, suite().recorded.iter().map(|recorded| Prepared::new(recorded.scene.clone())).collect());
}

fn decide_all(bencher: Bencher<'_, '_>, all: Vec<Prepared>) {
    bencher.counter(ItemsCount::new(all.len())).bench_local(|| all.iter().for_each(Prepared::decide));
}

/// The scenarios of the other benches; the throughput counts the specification's bytes.
#[divan::bench(args = scenarios())]
fn scenario(bencher: Bencher<'_, '_>, name: &str) {
    let variant = variants().find(|variant| variant.name() == name).unwrap();
    let spec = variant.spec().unwrap();
    let size = spec.len();
    let mut scene = Scene { args: vec![b"prestart".to_vec()], cwd: "/".to_owned(), ..Scene::default() };
    scene.put(CLI, Node::EXECUTABLE_CLI);
    scene.put("/etc/nvidia-container-runtime/config.toml", Node::text(variant.config(CLI).unwrap()));
    scene.put("/bundle/config.json", Node::text(spec));
    scene.stdin.content = br#"{"ociVersion":"1.2.0","id":"c","pid":4242,"bundle":"/bundle"}"#.to_vec();
    let prepared = Prepared::new(scene);
    bencher.counter(BytesCount::new(size)).bench_local(|| prepared.decide());
}

fn variants() -> impl Iterator<Item = Variant> {
    Variant::SMALL.into_iter().chain(Large::ALL.map(Variant::Large))
}

fn scenarios() -> Vec<&'static str> {
    variants().map(Variant::name).collect()
}
