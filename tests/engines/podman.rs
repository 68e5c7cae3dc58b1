//! Podman with the hook in a hooks directory: as root with runc and with crun, and as a user. Also Buildah, which runs
//! the steps of a build with the same directory.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::json;

use super::engine::{Change, Container, Engine, Seen, command, version};
use super::host::{Host, REMAPPED};
use super::oci::{hook, needs, only_gpus};
use super::sandbox::locks_memory;
use super::scenario::Scenario;

/// The user of a rootless Podman, who exists on every machine.
const NOBODY: u32 = 65534;

/// Writes the file that makes an engine start the hook, and returns its folder.
fn folder_of_hooks(host: &Host, container: &Container) -> std::path::PathBuf {
    let folder = host.path("hooks.d").join(&container.name);
    fs::create_dir_all(&folder).unwrap();
    let file = json!({ "version": "1.0.0", "when": { "always": true }, "stages": ["prestart"], "hook": hook(host, container) });
    fs::write(folder.join("nvidia.json"), file.to_string()).unwrap();
    folder
}

/// Podman with a runtime.
pub struct Podman {
    /// The runtime.
    pub runtime: &'static str,
    /// Whether a user of the machine runs it.
    pub rootless: bool,
}

impl Podman {
    fn command(&self, host: &Host) -> Command {
        let mut podman = match self.rootless {
            true => {
                let mut user = command("setpriv", host);
                let id = NOBODY.to_string();
                user.arg(format!("--reuid={id}")).arg(format!("--regid={id}")).args(["--clear-groups", "podman"]);
                user.env("XDG_RUNTIME_DIR", host.path("home"));
                user
            }
            false => command("podman", host),
        };
        for (flag, name) in [("--root", "home/storage"), ("--runroot", "home/run"), ("--tmpdir", "home/tmp")] {
            podman.arg(flag).arg(host.path(name));
        }
        podman.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"]);
        podman.args(["--runtime", self.runtime]).env("CONTAINERS_CONF", host.path("containers.conf"));
        podman
    }

    fn words(&self, host: &Host, container: &Container, said: &std::path::Path) -> Vec<String> {
        let mut words: Vec<String> = ["--network", "none", "--name", &container.name].map(str::to_owned).to_vec();
        let mut add = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
        // The limits are explicit, because a machine may not allow those that Podman sets by default.
        add("--ulimit", "nofile=1024:1024");
        add("--ulimit", "nproc=1024:1024");
        // crun shows a hook's output only with this.
        add("--annotation", &format!("run.oci.hooks.stderr={}", said.display()));
        container.env.iter().for_each(|entry| add("--env", entry));
        add("--env", "PATH=/sbin:/usr/bin:/bin");
        container.mounts.iter().for_each(|place| add("--volume", &format!("/dev/null:{place}:ro")));
        if container.remapped && !self.rootless {
            add("--uidmap", &format!("0:{REMAPPED}:65536"));
            add("--gidmap", &format!("0:{REMAPPED}:65536"));
        }
        words.extend(container.privileged.then(|| "--privileged".to_owned()));
        words.extend(container.read_only.then(|| "--read-only".to_owned()));
        words.push("--rootfs".to_owned());
        words.push(self.rootfs(host, container).to_str().unwrap().to_owned());
        words.extend(["/bin/sh", "-c", &container.script].map(str::to_owned));
        words
    }

    fn rootfs(&self, host: &Host, container: &Container) -> std::path::PathBuf {
        host.path("containers").join(&container.name).join("rootfs")
    }
}

impl Engine for Podman {
    fn name(&self) -> &'static str {
        match (self.rootless, self.runtime) {
            (true, _) => "podman-rootless",
            (false, "crun") => "podman-crun",
            (false, _) => "podman-runc",
        }
    }

    fn version(&self) -> Result<String, String> {
        needs(&[self.runtime])?;
        if self.runtime == "crun" && !self.rootless {
            locks_memory()?;
        }
        if self.rootless {
            needs(&["newuidmap", "setpriv"])?;
        }
        version("podman", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        only_gpus(scenario)
    }

    fn settings(&self) -> &'static str {
        if self.rootless { "no-cgroups = true\n" } else { "" }
    }

    fn user(&self) -> u32 {
        if self.rootless { NOBODY } else { 0 }
    }

    fn begin(&self, host: &Host) {
        let settings = "[containers]\npids_limit = 0\n[engine]\nlock_type = \"file\"\n";
        fs::write(host.path("containers.conf"), settings).unwrap();
    }

    fn end(&self, host: &Host) {
        // A rootless Podman leaves a process for the next container.
        if self.rootless {
            self.command(host).args(["system", "migrate"]).output().unwrap();
        }
    }

    fn run(&self, host: &Host, container: &Container, changes: &[Change<'_>]) -> Vec<Seen> {
        let rootfs = self.rootfs(host, container);
        host.rootfs(&rootfs);
        if self.rootless {
            host.give(&rootfs, NOBODY);
        } else if container.remapped {
            host.give(&rootfs, REMAPPED);
        }
        let said = host.path("tmp").join(&container.name);
        let hooks = folder_of_hooks(host, container);
        let podman = |words: &[&str], more: &[String]| {
            let mut podman = self.command(host);
            podman.arg("--hooks-dir").arg(&hooks).args(words).args(more);
            let mut seen = Seen::of(&podman.output().unwrap());
            seen.stderr += &fs::read_to_string(&said).unwrap_or_default();
            seen
        };
        let words = self.words(host, container, &said);
        let mut seen = Vec::new();
        if changes.is_empty() {
            seen.push(podman(&["run", "--rm"], &words));
        } else {
            let created = podman(&["create"], &words);
            assert_eq!(created.exit, 0, "{}", created.stderr);
            let start = || podman(&["start", "--attach", &container.name], &[]);
            seen.push(start());
            for change in changes {
                change();
                seen.push(start());
            }
            podman(&["rm", "--force", &container.name], &[]);
        }
        fs::remove_dir_all(rootfs.parent().unwrap()).unwrap();
        seen
    }
}

/// Buildah, whose containers are steps of a build.
#[derive(Default)]
pub struct Buildah {
    image: OnceLock<()>,
}

impl Buildah {
    fn command(host: &Host, words: &[&str]) -> Command {
        let mut buildah = command("buildah", host);
        for (flag, name) in [("--root", "home/storage"), ("--runroot", "home/run")] {
            buildah.arg(flag).arg(host.path(name));
        }
        buildah.args(["--storage-driver", "overlay"]).args(words).env("BUILDAH_ISOLATION", "oci");
        buildah
    }

    /// Imports the image that builds start from.
    fn import(host: &Host) {
        let said = |words: &[&str]| {
            let output = Buildah::command(host, words).output().unwrap();
            assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let container = said(&["from", "scratch"]);
        let image = host.path("image/.");
        said(&["copy", &container, image.to_str().unwrap(), "/"]);
        said(&["commit", "--rm", &container, "tiny"]);
    }
}

impl Engine for Buildah {
    fn name(&self) -> &'static str {
        "buildah"
    }

    fn version(&self) -> Result<String, String> {
        needs(&["runc"])?;
        version("buildah", &["--version"])
    }

    fn cannot(&self, scenario: &Scenario) -> Option<&'static str> {
        let container = &scenario.container;
        if container.read_only {
            return Some("a build writes its root filesystem");
        }
        if !container.mounts.is_empty() {
            return Some("a build's volumes have other sources by then, so they ask for nothing");
        }
        if !scenario.then.is_empty() {
            return Some("a build step cannot be started again");
        }
        if container.remapped {
            return Some(
                "buildah keeps mounts in a directory that only root may enter, so a remapped container cannot have them",
            );
        }
        only_gpus(scenario)
    }

    fn run(&self, host: &Host, container: &Container, _: &[Change<'_>]) -> Vec<Seen> {
        self.image.get_or_init(|| Buildah::import(host));
        let folder = host.path("containers").join(&container.name);
        fs::create_dir_all(&folder).unwrap();
        let env: String = container
            .env
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, value)| format!("ENV {name}={value:?}\n"))
            .collect();
        let file = format!("FROM localhost/tiny\nENV PATH=/sbin:/usr/bin:/bin\n{env}RUN /bin/sh /look\n");
        fs::write(folder.join("Containerfile"), file).unwrap();
        fs::write(folder.join("look"), &container.script).unwrap();
        let mut build = Buildah::command(host, &["build", "--runtime", "runc", "--network", "none", "--layers=false"]);
        build.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--no-hosts"]);
        build.arg("--hooks-dir").arg(folder_of_hooks(host, container));
        build.arg("--volume").arg(format!("{}:/look:ro", folder.join("look").display()));
        for place in &container.mounts {
            build.arg("--volume").arg(format!("/dev/null:{place}:ro"));
        }
        if container.privileged {
            build.args(["--cap-add", "all"]);
        }
        let seen = Seen::of(&build.arg(&folder).output().unwrap());
        fs::remove_dir_all(&folder).unwrap();
        vec![seen]
    }
}
