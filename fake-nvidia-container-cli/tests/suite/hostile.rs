//! Roots that were made to attack the host: nothing outside of ROOTFS is ever created, written or removed, the program
//! never blocks, and the answer is the real program's. Each file in tests/hostile is one of these roots.
//!
//! These tests use the mode `files`, which needs no rights; the `engines` suites try the same roots with real mounts.

use super::hostile_root::{Host, Root, cases};
use super::sandbox::Sandbox;
use proptest::prelude::*;
use std::process::Output;

/// Everything that can be asked for, in the mode `files`.
fn configure(sandbox: &Sandbox, rootfs: &str) -> Output {
    let words = ["configure", "--pid=1", "--device=all", "-c", "-u", "-v", "-g", "-D", "-n", "--compat32", rootfs];
    let mut command = sandbox.cli(&words);
    command.env("FAKE_NVIDIA_APPLY", "files").env_remove("FAKE_NVIDIA_RECORD");
    sandbox.patiently(command)
}

#[test]
fn no_hostile_root_leads_outside() {
    let cases = cases();
    assert!(cases.len() > 20, "{}", cases.len());
    for (name, case) in cases {
        let sandbox = Sandbox::new();
        let host = Host::new(&sandbox.path("host"));
        let root = Root::make(&case.tree, &sandbox.rootfs(), &host);
        let before = host.snapshot();
        let output = configure(&sandbox, &root.path);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = case.error.map(|error| format!("nvidia-container-cli: {}\n", root.fill(&error, &host)));
        assert_eq!(stderr, expected.clone().unwrap_or_default(), "{name}");
        assert_eq!(output.status.code(), Some(i32::from(expected.is_some())), "{name}");
        assert_eq!(host.snapshot(), before, "{name}");
    }
}

/// One thing in a root, as written in tests/hostile: at a name that the plan has, or on the way to one.
fn thing() -> impl Strategy<Value = String> {
    let names = [
        "/lib",
        "/usr",
        "/usr/bin",
        "/usr/lib64",
        "/usr/lib",
        "/proc",
        "/proc/driver",
        "/proc/driver/nvidia",
        "/proc/driver/nvidia/params",
        "/proc/driver/nvidia/gpus",
        "/etc",
        "/etc/nvidia",
        "/dev",
        "/dev/nvidia0",
        "/dev/nvidiactl",
        "/run",
        "/tmp",
        "/tmp/nvidia-mps",
        "/usr/bin/nvidia-smi",
        "/usr/lib64/libcuda.so",
        "/usr/lib64/libcuda.so.550.54.15",
        "/usr/local/cuda/compat",
        "/usr/local/cuda/compat/libcuda.so.999.1",
        "/lib/firmware",
        "/lib/firmware/nvidia",
        "/a",
        "/b",
        "/a/c",
    ];
    let name = prop::sample::select(names.to_vec());
    let step =
        prop::sample::select(vec!["..", "a", "b", "usr", "proc/self/root", "proc/self/cwd", ".", "missing", "lib"]);
    let target = (any::<bool>(), prop::collection::vec(step, 1..6), any::<bool>()).prop_map(|(top, steps, host)| {
        let path = steps.join("/");
        format!("{}{path}{}", if top { "/" } else { "" }, if host { "{HOST}" } else { "" })
    });
    let link = (name.clone(), prop_oneof![target, Just("{HOST}".to_owned()), Just("{HOST}/victim".to_owned())]);
    prop_oneof![
        6 => link.prop_map(|(name, target)| format!("link {name} -> {target}")),
        1 => name.clone().prop_map(|name| format!("fifo {name}")),
        1 => name.clone().prop_map(|name| format!("hard {name} = {{HOST}}/victim")),
        1 => name.clone().prop_map(|name| format!("chain {name} 21 -> {{HOST}}")),
        1 => name.clone().prop_map(|name| format!("file {name}")),
        3 => name.prop_map(|name| format!("dir {name}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_tree_leads_outside(things in prop::collection::vec(thing(), 1..8)) {
        let sandbox = Sandbox::new();
        let host = Host::new(&sandbox.path("host"));
        let root = Root::make(&things, &sandbox.rootfs(), &host);
        let before = host.snapshot();
        let output = configure(&sandbox, &root.path);
        prop_assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {:?}", things, output);
        prop_assert_eq!(host.snapshot(), before, "{:?}", things);
    }
}

/// A process in the container swaps a folder and a link to the host, as fast as the kernel can, while the plan is made
/// and executed.
#[test]
fn a_component_that_changes_meanwhile_leads_nowhere() {
    for name in ["usr", "dev", "proc", "lib"] {
        let sandbox = Sandbox::new();
        let host = Host::new(&sandbox.path("host"));
        let things = [format!("dir /{name}"), "link /other -> {HOST}".to_owned()];
        let root = Root::make(&things, &sandbox.rootfs(), &host);
        let before = host.snapshot();
        let swapper = root.swap(name, "other");
        for _ in 0..25 {
            let output = configure(&sandbox, &root.path);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        }
        swapper.stop();
        assert_eq!(host.snapshot(), before, "{name}");
    }
}
