//! Real mounts, in mount namespaces that this test creates: hostile roots, failures that undo everything, ldconfig.
//! Needs root, util-linux and a static busybox, but no engine:
//! `cargo test -p fake-nvidia-container-cli --features engines --test mounts`.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[allow(dead_code, reason = "shared with the suite, which asks for more")]
mod suite {
    pub(crate) mod hostile_root;
    pub(crate) mod programs;
    pub(crate) mod sandbox;
}
mod mounted {
    mod confined;
    pub(crate) mod container;
    mod shown;
}
use mounted::container::{Container, configure, image, left_here, stderr, tree};
use suite::hostile_root::{Host, Root, cases};
use suite::sandbox::Sandbox;

const EVERYTHING: [&str; 8] = ["--device=all", "-c", "-u", "-v", "-g", "-D", "-n", "--compat32"];

#[test]
fn no_hostile_root_leads_a_mount_outside() {
    for (name, case) in cases() {
        let (sandbox, container) = (Sandbox::new(), Container::start());
        let host = Host::new(&sandbox.path("host"));
        let root = Root::make(&case.tree, &sandbox.rootfs(), &host);
        let before = (host.snapshot(), left_here(&sandbox), container.mounts(), tree(Path::new(&root.path)));
        let output = configure(&sandbox, &container, &EVERYTHING, "t4");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{name}: {output:?}");
        assert_eq!(host.snapshot(), before.0, "{name}");
        assert_eq!(left_here(&sandbox), before.1, "{name}");
        let new = container.mounts().split_off(before.2.len());
        assert!(new.iter().all(|point| point.starts_with(&root.path)), "{name}: {new:?}");
        for path in tree(&container.sees(&root.path)).into_iter().filter(|path| !path.is_symlink() && path.is_file()) {
            let hard = case.tree.iter().any(|thing| thing.starts_with("hard "));
            let content = fs::read(&path).unwrap();
            assert!(hard || content != b"a secret of the host\n", "{name}: {}", path.display());
        }
        if !output.status.success() {
            assert_eq!((new, tree(Path::new(&root.path))), (Vec::new(), before.3), "{name}: {}", stderr(&output));
        }
    }
}

#[test]
fn what_fails_takes_back_what_was_done() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let before = tree(&sandbox.path("rootfs"));
    for (words, error) in [
        (["--ldconfig=@/bin/busybox"], "ldcache error: process /bin/busybox failed with error code: 127"),
        (["--ldconfig=@/missing"], "ldcache error: open failed: /missing: no such file or directory"),
        (["--ldconfig=@"], "ldcache error: open failed: : no such file or directory"),
    ] {
        let container = Container::start();
        let mounts = container.mounts();
        let output = configure(&sandbox, &container, &[&EVERYTHING[..], &words].concat(), "a100");
        assert_eq!(stderr(&output), format!("nvidia-container-cli: {error}\n"));
        assert_eq!((container.mounts(), tree(&sandbox.path("rootfs"))), (mounts, before.clone()), "{words:?}");
    }
}

#[test]
fn the_hosts_ldconfig_makes_a_cache_and_follows_the_driver() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let cache = || {
        let file = sandbox.path("rootfs/etc/ld.so.cache");
        let listed = Command::new("/sbin/ldconfig").arg("-C").arg(file).arg("-p").output().unwrap();
        String::from_utf8(listed.stdout).unwrap()
    };
    for (topology, driver) in [("t4", "550.54.15"), ("h100", "570.172.08"), ("laptop", "470.256.02")] {
        let container = Container::start();
        let words = ["--device=all", "-c", "-u", "-g", "--ldconfig=@/sbin/ldconfig"];
        let output = configure(&sandbox, &container, &words, topology);
        assert!(output.status.success(), "{}", stderr(&output));
        let folder = sandbox.path("rootfs/usr/lib64");
        for (link, file) in [
            ("libcuda.so", "libcuda.so.1".to_owned()),
            ("libcuda.so.1", format!("libcuda.so.{driver}")),
            ("libGLX_nvidia.so.0", format!("libGLX_nvidia.so.{driver}")),
            ("libGLX_indirect.so.0", format!("libGLX_nvidia.so.{driver}")),
            ("libGLESv2_nvidia.so.2", format!("libGLESv2_nvidia.so.{driver}")),
        ] {
            assert_eq!(fs::read_link(folder.join(link)).unwrap(), Path::new(&file), "{link}");
        }
        assert!(fs::symlink_metadata(folder.join("libnvidia-glcore.so.1")).is_err());
        assert!(cache().contains("libcuda.so.1 (libc6") && cache().contains("libEGL_nvidia.so.0"), "{}", cache());
    }
}

#[test]
fn an_image_without_ldconfig_gets_the_names_and_one_with_a_broken_one_an_error() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let container = Container::start();
    assert!(configure(&sandbox, &container, &["-c"], "t4").status.success());
    let link = fs::read_link(sandbox.path("rootfs/usr/lib64/libcuda.so.1")).unwrap();
    assert_eq!(link, Path::new("libcuda.so.550.54.15"));
    fs::write(sandbox.path("rootfs/sbin/ldconfig"), "not a program").unwrap();
    let output = configure(&sandbox, &Container::start(), &["-c"], "t4");
    let error = "nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 1\n";
    assert_eq!(stderr(&output), error);
}

#[test]
fn without_a_process_of_its_own_nothing_is_mounted() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let rootfs = sandbox.rootfs();
    let own = std::process::id();
    let mounts = |words: &[&str]| {
        let mut command = sandbox.cli(&[&["configure", "-u"], words].concat());
        command.env("FAKE_NVIDIA_APPLY", "mounts");
        sandbox.patiently(command)
    };
    let (before, inside) = (left_here(&sandbox), tree(&sandbox.path("rootfs")));
    let dead = Container::start();
    let dead = format!("{}", {
        let id = dead.process();
        drop(dead);
        id
    });
    let (container, missing) = (Container::start(), format!("{rootfs}/missing"));
    let lives = container.process().to_string();
    let cases = [
        (vec![rootfs.as_str()], format!("stat failed: {rootfs}/proc/{own}: no such file or directory")),
        (vec!["--pid=0", &rootfs], format!("stat failed: {rootfs}/proc/{own}: no such file or directory")),
        (vec![missing.as_str()], format!("open failed: {missing}: no such file or directory")),
        (vec!["-p", &dead, &rootfs], format!("open failed: /proc/{dead}/root: no such file or directory")),
        (vec!["-p", &lives, &missing], format!("open failed: /proc/{lives}/root{missing}: no such file or directory")),
    ];
    for (words, error) in cases {
        let output = mounts(&words);
        assert_eq!(stderr(&output), format!("nvidia-container-cli: container error: {error}\n"));
    }
    let output = mounts(&["-p", &own.to_string(), &rootfs]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("has no mount namespace of its own"), "{}", stderr(&output));
    assert_eq!((left_here(&sandbox), tree(&sandbox.path("rootfs"))), (before, inside));
}

/// As LXC and Enroot call it: no process is named, and this runs in the container's user namespace.
#[test]
fn among_users_of_its_own_it_mounts_in_the_namespace_that_it_is_in() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    fs::create_dir_all(sandbox.path("rootfs/proc")).unwrap();
    let script = "mount --rbind /proc \"$1/proc\" && \"$0\" --user configure --no-cgroups --device=0 --utility \"$1\" && \
                  grep -c \" $1/usr/bin/nvidia-smi \" /proc/self/mounts";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(suite::programs::fake()).arg(sandbox.rootfs());
    command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "mounts");
    let before = left_here(&sandbox);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), left_here(&sandbox)), ("1\n", before));
}

/// The named process is in a mount namespace that was created for the purpose, and so is this program.
#[test]
fn in_a_namespace_that_was_made_for_it_it_mounts_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let script = "\"$@\" --pid=$$ \"$ROOT\" && grep -c \" $ROOT/usr/bin/nvidia-smi \" /proc/self/mounts";
    let shell = ["sh", "-c", "\"$@\"; exit $?", "sh"];
    // The process that created the namespace can be further up than the parent.
    for shells in 0..3 {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]).args(shell.repeat(shells));
        command.arg(suite::programs::fake()).args(["configure", "--no-cgroups", "--device=0", "--utility"]);
        command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "mounts").env("ROOT", sandbox.rootfs());
        let before = left_here(&sandbox);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{shells}: {}", stderr(&output));
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout).as_ref(), left_here(&sandbox)),
            ("1\n", before),
            "{shells}"
        );
    }
}

/// As LXC calls it, but as the machine's root: nothing shows that the mount namespace is a container's.
#[test]
fn among_the_users_of_the_machine_it_does_not_mount_where_it_is() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    let script = "mount --rbind /proc \"$1/proc\" && \"$0\" --user configure --no-cgroups --device=0 --utility \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script]);
    command.arg(suite::programs::fake()).arg(sandbox.rootfs());
    command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "mounts");
    let before = tree(&sandbox.path("rootfs"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains(" has no mount namespace of its own: "), "{}", stderr(&output));
    assert_eq!(tree(&sandbox.path("rootfs")), before);
}

/// From a namespace that was made for it, this program does not mount in that of the machine: neither that of a process
/// which the command line names, nor, without one, that of its parent.
#[test]
fn from_a_namespace_of_its_own_it_does_not_mount_in_that_of_an_ancestor() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    fs::create_dir_all(sandbox.path("rootfs/proc")).unwrap();
    let before = (left_here(&sandbox), tree(&sandbox.path("rootfs")));
    let named = format!("--pid={}", std::process::id());
    let words = [&["configure", &named][..], &["--user", "configure"]];
    let script = "mount --rbind /proc \"$ROOT/proc\" && exec \"$@\" --no-cgroups --device=0 --utility \"$ROOT\"";
    for words in words {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
        command.arg(suite::programs::fake()).args(words).env("ROOT", sandbox.rootfs());
        command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "mounts");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(" has no mount namespace of its own: "), "{words:?}: {}", stderr(&output));
        assert_eq!((left_here(&sandbox), tree(&sandbox.path("rootfs"))), before, "{words:?}");
    }
}

#[test]
fn a_fifo_in_place_of_the_hosts_ldconfig_is_not_waited_for() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    nix::unistd::mkfifo(&sandbox.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let word = format!("--ldconfig=@{}", sandbox.path("fifo").display());
    let output = configure(&sandbox, &Container::start(), &["-c", &word], "t4");
    let error = format!("ldcache error: open failed: {}: permission denied", sandbox.path("fifo").display());
    assert_eq!(stderr(&output), format!("nvidia-container-cli: {error}\n"));
}

#[test]
fn a_limit_on_descriptors_is_raised_or_everything_is_undone() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    fs::write(sandbox.path("wide.toml"), "gpus = 1\nmodel = \"GB200\"\nimex_channels_present = 2048\n").unwrap();
    let channels: Vec<String> = (0..600).map(|channel| channel.to_string()).collect();
    let channels = format!("--imex-channel={}", channels.join(","));
    let before = tree(&sandbox.path("rootfs"));
    for (limit, succeeds) in [("-n 500", false), ("-Sn 500", true)] {
        let container = Container::start();
        let mounts = container.mounts();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit} && exec \"$@\""), "sh"]).arg(suite::programs::fake());
        command.args(["configure", &format!("--pid={}", container.process()), "--no-cgroups", "--device=0", &channels]);
        command.args(["--utility", "--compute", &sandbox.rootfs()]).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("FAKE_NVIDIA_CONFIG", "/dev/null").env("FAKE_NVIDIA_APPLY", "mounts");
        command.env("FAKE_NVIDIA_TOPOLOGY", sandbox.path("wide.toml")).env("FAKE_NVIDIA_STATE", sandbox.path("state"));
        let output = command.output().unwrap();
        assert_eq!(output.status.success(), succeeds, "{limit}: {}", stderr(&output));
        if !succeeds {
            assert!(stderr(&output).contains("too many open files"), "{}", stderr(&output));
            assert_eq!((container.mounts(), tree(&sandbox.path("rootfs"))), (mounts, before.clone()));
        }
    }
}

#[test]
fn a_mount_point_that_is_moved_meanwhile_keeps_no_mount() {
    let sandbox = Sandbox::new();
    image(&sandbox);
    for name in ["nvidia0", "other"] {
        fs::write(sandbox.path("rootfs/dev").join(name), "").unwrap();
    }
    let host = Host::new(&sandbox.path("host"));
    let swapper = Root::make(&[], &sandbox.rootfs(), &host).swap("dev/nvidia0", "dev/other");
    for _ in 0..40 {
        let container = Container::start();
        let before = container.mounts();
        let output = configure(&sandbox, &container, &["--device=0", "--utility"], "t4");
        if !output.status.success() {
            assert_eq!(container.mounts(), before, "{}", stderr(&output));
        }
    }
    swapper.stop();
}
