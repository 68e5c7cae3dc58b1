//! What compute clusters use: the hook script of Enroot, and Charliecloud, which copies the driver into an image. Both
//! call nvidia-container-cli themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use hook_test_support::programs::static_simulator;

use super::containerd::of_the_hook;
use super::engine::{Change, Container, Engine, SEARCH_PATH, Seen, command, version};
use super::host::Host;
use super::look::LIBRARIES;
use super::lxc::with_capabilities;
use super::oci::{needs, only_gpus};
use super::scenario::Scenario;

/// Enroot's hook script, in namespaces as Enroot makes them: its own users and mounts, and the root filesystem with /proc.
pub struct Enroot;

/// Where the script or its files are: named by the environment, or where a package has them.
fn place_of_enroot(variable: &str, usual: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from)
}

/// Runs the hook, then the container; `$0` is the root filesystem.
const START: &str = r#"
mount --rbind /proc "$0/proc" && mount -t tmpfs -o mode=755 dev "$0/dev" && : > "$0/dev/null" && mount --bind /dev/null "$0/dev/null" || exit 99
/bin/bash "$HOOK" || exit
exec /usr/sbin/chroot "$0" /bin/busybox env -i $CONTAINER_ENV /bin/busybox sh -c "$SCRIPT"
"#;

impl Engine for Enroot {
    fn name(&self) -> &'static str {
        "enroot"
    }

    fn version(&self) -> Result<String, String> {
        let hook = place_of_enroot("ENROOT_SYSCONF_PATH", "/etc/enroot").join("hooks.d/98-nvidia.sh");
        if !hook.is_file() {
            return Err("Enroot's hook script 98-nvidia.sh is not installed".to_owned());
        }
        version("enroot", &["version"]).or_else(|_| Ok("its hook script alone".to_owned()))
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        let described = &scenario.container;
        if described.hook_has_a_second {
            return Some("Enroot gives its hooks no time limit");
        }
        if described.privileged || described.read_only || !described.mounts.is_empty() {
            return Some("Enroot's hook script reads only variables");
        }
        let unread = ["NVIDIA_IMEX_", "CUDA_VERSION"];
        if described.env.iter().any(|entry| unread.iter().any(|name| entry.starts_with(name))) {
            return Some("Enroot's hook script knows neither IMEX channels nor legacy CUDA images");
        }
        let requires = described.env.iter().any(|entry| entry.starts_with("NVIDIA_REQUIRE_"));
        of_the_hook(scenario).filter(|_| !requires).or(only_gpus(scenario))
    }

    fn starts_the_hook(&self) -> bool {
        false
    }

    fn begin(&self, host: &Host) {
        // The script calls it to mount a device node of another vendor, if there is one.
        let mount = host.path("bin/enroot-mount");
        fs::write(&mount, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&mount, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        let folder = host.path("containers").join(&container.name);
        host.rootfs(&folder.join("rootfs"));
        fs::write(folder.join("environ"), with_capabilities(&container.env).join("\n") + "\n").unwrap();
        let start = || {
            let mut enroot = command("unshare", host);
            enroot.args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c", START]).arg(folder.join("rootfs"));
            enroot.env("HOOK", place_of_enroot("ENROOT_SYSCONF_PATH", "/etc/enroot").join("hooks.d/98-nvidia.sh"));
            enroot.env("ENROOT_LIBRARY_PATH", place_of_enroot("ENROOT_LIBRARY_PATH", "/usr/lib/enroot"));
            enroot.env("ENROOT_ROOTFS", folder.join("rootfs")).env("ENROOT_ENVIRON", folder.join("environ"));
            enroot.env("PATH", format!("{}:{SEARCH_PATH}", host.path("bin").display())).envs(host.environment());
            enroot.env("SCRIPT", &container.script).env("CONTAINER_ENV", "PATH=/sbin:/usr/bin:/bin");
            Seen::of(&enroot.output().unwrap())
        };
        let mut seen = vec![start()];
        for change in changes {
            change();
            seen.push(start());
        }
        fs::remove_dir_all(&folder).unwrap();
        seen
    }
}

/// Charliecloud: `ch-fromhost --nvidia` copies into an image what nvidia-container-cli lists, and `ch-run` starts it.
pub struct Charliecloud;

/// A machine with the driver's files and nodes beside its own, then the two programs; `$0` is the image, `$1` the driver's root.
const FROM_HOST: &str = r#"
for folder in usr/bin usr/lib/$(uname -m)-linux-gnu dev; do
    mount -t overlay -o "lowerdir=$1/$folder:/$folder" driver "/$folder" || exit 99
done
if test -n "$ASKS"; then ch-fromhost --nvidia "$0" >&2 || exit; fi
exec ch-run --no-home "$0" -- /bin/sh -c "$SCRIPT"
"#;

impl Engine for Charliecloud {
    fn name(&self) -> &'static str {
        "charliecloud"
    }

    fn version(&self) -> Result<String, String> {
        needs(&["ch-fromhost"])?;
        version("ch-run", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        let described = &scenario.container;
        let is_all = described.env.iter().all(|entry| entry == "NVIDIA_VISIBLE_DEVICES=all");
        let is_plain = described.gpus.as_deref().is_none_or(|gpus| gpus == "all") && described.mounts.is_empty();
        (!is_all || !is_plain).then_some("Charliecloud gives an image the driver and every GPU, and reads no variable")
    }

    fn starts_the_hook(&self) -> bool {
        false
    }

    fn libraries(&self) -> Option<&'static [&'static str]> {
        Some(&LIBRARIES)
    }

    fn run(&self, host: &Host, container: &Container, _: &[Change<'_>]) -> Vec<Seen> {
        let folder = host.path("containers").join(&container.name);
        host.rootfs(&folder.join("rootfs"));
        let mut lay = command(static_simulator().to_str().unwrap(), host);
        lay.args(["driver-root", "--nodes"]).arg(folder.join("driver")).envs(host.environment());
        assert!(lay.output().unwrap().status.success());
        fs::create_dir_all(folder.join("driver/dev")).unwrap();
        let mut cloud = command("unshare", host);
        cloud.args(["--mount", "/bin/sh", "-c", FROM_HOST]).arg(folder.join("rootfs")).arg(folder.join("driver"));
        cloud.env("ASKS", if container.env.is_empty() { "" } else { "all" }).env("SCRIPT", &container.script);
        cloud.env("USER", "root").envs(host.environment());
        cloud.env("PATH", format!("{}:{SEARCH_PATH}", host.path("bin").display()));
        let seen = Seen::of(&cloud.output().unwrap());
        fs::remove_dir_all(&folder).unwrap();
        vec![seen]
    }
}
