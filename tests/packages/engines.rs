//! Containers that engines start with the installed hook, as docs/install.md shows.

use super::documents::blocks;
use super::machine::Machine;

/// A container must see all GPUs of the simulated machine.
fn sees_all(printed: &str) {
    let gpus: Vec<&str> = printed.lines().filter(|line| line.starts_with("GPU ")).collect();
    assert_eq!(gpus.len(), 8, "{printed}");
    for (index, gpu) in gpus.iter().enumerate() {
        assert!(gpu.starts_with(&format!("GPU {index}: NVIDIA H100 80GB HBM3 (UUID: GPU-")), "{printed}");
    }
}

#[test]
fn what_is_shown_for_docker_works() {
    for block in blocks("docs/install.md", "tested with Docker") {
        sees_all(&Machine::new().run_on_debian(&block));
    }
}

#[test]
fn what_is_shown_for_podman_works() {
    for block in blocks("docs/install.md", "tested with Podman") {
        let script = format!("podman import --quiet debian.tar debian >/dev/null\n{block}");
        let machine = Machine::new();
        sees_all(&machine.run_on_debian(&script));
        sees_all(&machine.run_on_rpm(&script));
        // "As root it needs no option."
        let without = script.replace("--hooks-dir /usr/share/containers/oci/hooks.d ", "");
        assert_ne!(without, script);
        sees_all(&machine.run_on_debian(&without));
    }
}

#[test]
fn a_container_without_the_hook_sees_nothing() {
    let script = "podman import --quiet debian.tar debian >/dev/null\n\
        apt-get purge --yes nvidia-prestart-hook >/dev/null\n\
        ! podman run --rm -e NVIDIA_VISIBLE_DEVICES=all debian nvidia-smi -L 2>/dev/null\n";
    assert_eq!(Machine::new().run_on_debian(script), "");
}

/// docs/verify.md and docs/support.md: nothing leaves the machine.
#[test]
fn a_start_makes_no_call_of_the_network() {
    let script = "mkdir -p bundle/rootfs\n\
        echo '{\"ociVersion\":\"1.0.2\",\"process\":{\"env\":[\"NVIDIA_VISIBLE_DEVICES=0\"]},\"root\":{\"path\":\"rootfs\"}}' \
          >bundle/config.json\n\
        echo '{\"id\":\"x\",\"pid\":1,\"bundle\":\"/tmp/release/bundle\"}' >state.json\n\
        sed -i 's/\"mounts\"/\"record\"/' /etc/fake-nvidia/config.toml\n";
    for block in blocks("docs/verify.md", "tested by a start") {
        let printed = Machine::new().run_on_debian(&format!("{script}{{ {block} }} 2>&1\n"));
        assert!(printed.contains("exited with 0"), "{printed}");
        let calls: Vec<&str> = printed.lines().filter(|line| line.contains('(')).collect();
        assert!(calls.is_empty(), "{printed}");
    }
}
