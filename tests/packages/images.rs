//! The images that users build from the released programs, built by buildah's rules and run: the one that puts files on
//! the nodes of a cluster, with the rights and mounts of its manifests, and the one that has simulated GPUs. Without a
//! registry, a stand-in of the same name is their base.

use std::fs;

use hook_test_support::programs;

use super::machine::Machine;

/// The start of a script: the bases, and a build context as the head of each Containerfile requires it.
const CONTEXT: &str = r#"mkdir -p busybox/bin && cp /bin/busybox busybox/bin
for applet in sh cp mv cmp cat chmod mkdir rm rmdir printf sha256sum grep sed sleep; do ln -s busybox "busybox/bin/$applet"; done
tar -C busybox -c . | podman import --quiet - docker.io/library/busybox:1.37 >/dev/null
podman import --quiet debian.tar debian >/dev/null
mkdir programs && tar -xzf nvidia-prestart-hook-*.tar.gz --strip-components=2 -C programs --wildcards '*/bin/*'
build() { podman build --quiet --pull=never --build-arg PROGRAMS=programs "$@" . >/dev/null; }
"#;

fn machine() -> Machine {
    let machine = Machine::new();
    machine.take(&super::release::file("nvidia-prestart-hook-", ".tar.gz"));
    for (from, to) in [
        ("deploy/image/Containerfile", "deploy/image/Containerfile"),
        ("deploy/image/node", "deploy/image/node"),
        ("deploy/hook/config.toml", "config/config.toml"),
        ("deploy/hook/oci-nvidia-hook.json", "config/oci-nvidia-hook.json"),
        ("fake-nvidia-container-cli/examples/image/Containerfile", "example/Containerfile"),
    ] {
        machine.take_as(&programs::source(from), to);
    }
    machine
}

/// The options of a container with the rights that a manifest gives, in exactly these words.
fn rights(manifest: &str, list: &str) -> String {
    let text = fs::read_to_string(programs::source(manifest)).unwrap();
    for words in
        [&format!("add: [{list}]"), "drop: [ALL]", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"]
    {
        assert!(text.contains(words), "{manifest}: {words}");
    }
    let list = list.replace(' ', "");
    format!("--rm --read-only --cap-drop=ALL --cap-add={list} --security-opt=no-new-privileges")
}

#[test]
fn the_image_for_nodes_installs_the_hook_and_removes_it() {
    let rights = rights("deploy/hook/daemonset.yaml", "DAC_OVERRIDE, FOWNER");
    let script = format!(
        r#"{CONTEXT}build -f deploy/image/Containerfile -t nvidia-hook-node
hooks=/usr/share/containers/oci/hooks.d place=/opt/nvidia-container-runtime-hook
mkdir -p $hooks $place
node() {{ podman run {rights} -v "$PWD/config:/config:ro" -v $place:$place -v $hooks:$hooks nvidia-hook-node "$@"; }}
node install hook
$place/nvidia-container-runtime-hook -version
node install hook
node remove hook
ls -A $place $hooks"#
    );
    let printed = machine().run(&script);
    let hook = "/opt/nvidia-container-runtime-hook";
    let mut lines = printed.lines();
    for file in ["nvidia-container-runtime-hook", "nvidia-hookctl", "config.toml"] {
        assert_eq!(lines.next(), Some(format!("node-files: wrote {hook}/{file}").as_str()), "{printed}");
    }
    let engine = "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json";
    assert_eq!(lines.next(), Some(format!("node-files: wrote {engine}").as_str()), "{printed}");
    assert!(lines.next().is_some_and(|line| line.starts_with("NVIDIA Container Runtime Hook version ")), "{printed}");
    let removed: Vec<&str> = lines.skip_while(|line| !line.starts_with("node-files: ")).collect();
    assert!(
        removed[..4].iter().all(|line| line.starts_with("node-files: removed /")),
        "a second time it writes nothing"
    );
    assert_eq!(removed[4..], [&format!("{hook}:"), "", "/usr/share/containers/oci/hooks.d:"], "{printed}");
}

#[test]
fn the_image_for_nodes_lays_out_gpus_that_an_engine_hands_out_by_cdi() {
    let rights = rights("deploy/gpus/daemonset.yaml", "CHOWN, DAC_OVERRIDE, FOWNER, MKNOD");
    let script = format!(
        r#"{CONTEXT}build -f deploy/image/Containerfile -t nvidia-hook-node
mkdir -p /opt/fake-nvidia /var/run/cdi
node() {{
  podman run {rights} -e TOPOLOGY=h100 -v /opt/fake-nvidia:/opt/fake-nvidia -v /var/run/cdi:/var/run/cdi nvidia-hook-node "$@" >/dev/null
}}
node install gpus
stat -c '%F %t:%T' /opt/fake-nvidia/driver/dev/nvidia3
uuid=$(sed -n 's/.*"name": "\(GPU-[^"]*\)".*/\1/p' /var/run/cdi/fake-nvidia-device-plugin.json | sed -n 4p)
podman run --rm --device nvidia.com/gpu=3 debian nvidia-smi -L
podman run --rm --device "k8s.device-plugin.nvidia.com/gpu=$uuid" debian nvidia-smi -L
node remove gpus
ls -A /var/run/cdi /opt/fake-nvidia"#
    );
    let printed = machine().run(&script);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "character special file c3:3", "{printed}");
    assert!(lines[1].starts_with("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-"), "{printed}");
    assert_eq!(lines[1], lines[2], "by the name that NVIDIA's device plugin gives it");
    assert_eq!(lines[3..], ["/opt/fake-nvidia:", "", "/var/run/cdi:"], "{printed}");
}

#[test]
fn the_image_of_the_example_has_gpus_in_it() {
    let script = format!(
        "{CONTEXT}build -f example/Containerfile --build-arg BASE=debian --build-arg TOPOLOGY=l40s -t gpus\n\
         podman run --rm gpus nvidia-smi -L"
    );
    let printed = machine().run(&script);
    assert_eq!(printed.lines().filter(|line| line.contains(": NVIDIA L40S (UUID: GPU-")).count(), 4, "{printed}");
}
