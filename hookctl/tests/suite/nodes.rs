//! `deploy/`: what the image does on a node, with a folder as the node and stand-ins for the programs that it only
//! copies; and the files that its ConfigMap provides.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use hook_test_support::programs;
use tempfile::TempDir;

const PREFIX: &str = "/opt/nvidia-container-runtime-hook";
const JSON: &str = "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json";
const PROGRAMS: [&str; 2] = ["nvidia-container-runtime-hook", "nvidia-hookctl"];

/// A node, with an image and a ConfigMap beside it.
struct Node(TempDir);

impl Node {
    fn new() -> Self {
        let node = Node(tempfile::tempdir().unwrap());
        for folder in ["node", "programs", "config"] {
            fs::create_dir(node.0.path().join(folder)).unwrap();
        }
        node.put("programs/nvidia-container-runtime-hook", "#!/bin/sh\n# version 1\n");
        fs::set_permissions(node.file("programs/nvidia-container-runtime-hook"), fs::Permissions::from_mode(0o755))
            .unwrap();
        symlink(
            programs::program("HOOKCTL_BIN", env!("CARGO_BIN_EXE_nvidia-hookctl")),
            node.file("programs/nvidia-hookctl"),
        )
        .unwrap();
        for name in ["config.toml", "oci-nvidia-hook.json"] {
            let text = fs::read_to_string(programs::source(&format!("deploy/hook/{name}"))).unwrap();
            node.put(&format!("config/{name}"), &text);
        }
        node
    }

    fn file(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn on(&self, path: &str) -> PathBuf {
        self.0.path().join("node").join(path.trim_start_matches('/'))
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.file(path), text).unwrap();
    }

    /// Every file of the node, sorted.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.on("/")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(format!("/{}", path.strip_prefix(self.on("/")).unwrap().display())),
                }
            }
        }
        found.sort();
        found
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new("/bin/sh")
            .arg(programs::source("deploy/image/node"))
            .args(words)
            .env("PROGRAMS", self.file("programs"))
            .env("CONFIG", self.file("config"))
            .env("ROOT", self.on("/").to_str().unwrap().trim_end_matches('/'))
            .output()
            .unwrap()
    }

    fn succeeds(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// What `install hook` makes, sorted.
fn installed() -> [String; 4] {
    let below = |name: &str| format!("{PREFIX}/{name}");
    [below("config.toml"), below(PROGRAMS[0]), below(PROGRAMS[1]), JSON.to_owned()]
}

fn wrote(paths: &[String]) -> String {
    paths.iter().map(|path| format!("node-files: wrote {path}\n")).collect()
}

#[test]
fn the_hook_is_installed_once_and_its_engine_s_file_last() {
    let node = Node::new();
    let [config, hook, ctl, json] = installed();
    assert_eq!(node.succeeds(&["install", "hook"]), wrote(&[hook.clone(), ctl, config, json]));
    assert_eq!(node.files(), installed());
    assert_eq!(fs::metadata(node.on(&hook)).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(node.succeeds(&["install", "hook"]), "");
}

#[test]
fn an_upgrade_replaces_what_changed_and_leaves_an_open_program_alone() {
    let node = Node::new();
    node.succeeds(&["install", "hook"]);
    let [config, hook, ..] = installed();
    let old = fs::File::open(node.on(&hook)).unwrap();
    node.put("programs/nvidia-container-runtime-hook", "#!/bin/sh\n# version 2\n");
    node.put("config/config.toml", "disable-require = true\n");
    assert_eq!(node.succeeds(&["install", "hook"]), wrote(&[hook.clone(), config]));
    assert_eq!(std::io::read_to_string(old).unwrap(), "#!/bin/sh\n# version 1\n");
    assert_eq!(fs::read_to_string(node.on(&hook)).unwrap(), "#!/bin/sh\n# version 2\n");
    assert_eq!(node.files(), installed());
}

#[test]
fn a_faulty_configuration_leaves_the_node_as_it_was() {
    let node = Node::new();
    node.put("config/config.toml", "disable-require = \"yes\"\n");
    let said = node.fails(&["install", "hook"]);
    assert!(said.ends_with(
        "node-files: the configuration of the ConfigMap is faulty, see above; the node was left as it was\n"
    ));
    assert_eq!(node.files(), Vec::<String>::new());
}

#[test]
fn a_file_by_which_no_engine_would_start_the_hook_leaves_the_node_as_it_was() {
    let faulty = "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/opt/elsewhere\"}, \"when\": {\"always\": true}, \"stages\": [\"prestart\"]}";
    let node = Node::new();
    let good = fs::read_to_string(node.file("config/oci-nvidia-hook.json")).unwrap();
    let refused = || {
        node.put("config/oci-nvidia-hook.json", faulty);
        let said = node.fails(&["install", "hook"]);
        assert!(
            said.ends_with(
                "node-files: the ConfigMap's oci-nvidia-hook.json would not start the hook, see above; the node was left as it was\n"
            ),
            "{said}"
        );
    };
    refused();
    assert!(!node.on(PREFIX).exists());

    // In service, nothing of a faulty version replaces what is there.
    node.put("config/oci-nvidia-hook.json", &good);
    node.succeeds(&["install", "hook"]);
    node.put("programs/nvidia-container-runtime-hook", "#!/bin/sh\n# version 2\n");
    node.put("config/config.toml", "disable-require = true\n");
    refused();
    assert_eq!(node.files(), installed());
    let [config, hook, _, json] =
        installed().map(|path| String::from_utf8_lossy(&fs::read(node.on(&path)).unwrap()).into_owned());
    assert!(
        hook.contains("# version 1") && !config.contains("disable-require") && json == good,
        "{hook}{config}{json}"
    );
}

#[test]
fn what_install_made_is_removed_and_nothing_else() {
    let node = Node::new();
    node.succeeds(&["install", "hook"]);
    let note = format!("{PREFIX}/note-of-an-administrator");
    fs::write(node.on(&note), "").unwrap();
    let [config, hook, ctl, json] = installed();
    let removed: String =
        [json, hook, ctl, config].iter().map(|path| format!("node-files: removed {path}\n")).collect();
    assert_eq!(node.succeeds(&["remove", "hook"]), removed);
    assert_eq!(node.files(), std::slice::from_ref(&note));
    fs::remove_file(node.on(&note)).unwrap();
    assert_eq!(node.succeeds(&["remove", "hook"]), "");
    assert!(!node.on(PREFIX).exists());
}

#[test]
fn the_engine_s_file_of_another_hook_stays() {
    let node = Node::new();
    node.succeeds(&["install", "hook"]);
    fs::write(node.on(JSON), "{\"hook\": {\"path\": \"/usr/bin/nvidia-container-runtime-hook\"}}").unwrap();
    let said = node.fails(&["remove", "hook"]);
    assert_eq!(said, format!("node-files: {JSON} starts another hook; it is not this one's to remove\n"));
    assert_eq!(node.files(), installed());
}

#[test]
fn a_node_with_another_hook_stays_as_it_was() {
    let node = Node::new();
    fs::create_dir_all(node.on(JSON).parent().unwrap()).unwrap();
    let other = "{\"hook\": {\"path\": \"/usr/bin/nvidia-container-runtime-hook\"}}";
    fs::write(node.on(JSON), other).unwrap();
    let said = node.fails(&["install", "hook"]);
    assert!(
        said.ends_with(&format!(
            "node-files: {JSON} starts another hook, and the node was left as it was; remove that hook, or set HOOKS_DIR to another directory that the engine reads\n"
        )),
        "{said}"
    );
    assert_eq!(node.files(), [JSON]);
    assert_eq!(fs::read_to_string(node.on(JSON)).unwrap(), other);
}

/// NVIDIA's device plugin has both ways to tell which GPUs a container gets.
#[test]
fn the_configuration_gives_the_gpus_of_mounts_and_not_those_of_variables() {
    let bundle = tempfile::tempdir().unwrap();
    fs::create_dir(bundle.path().join("rootfs")).unwrap();
    let given = |env: &str, destination: &str| {
        let spec = format!(
            "{{\"ociVersion\": \"1.0.0\", \"root\": {{\"path\": \"rootfs\"}}, \
              \"process\": {{\"args\": [\"sh\"], \"cwd\": \"/\", \"env\": [\"{env}\"]}}, \
              \"mounts\": [{{\"source\": \"/dev/null\", \"destination\": \"{destination}\"}}]}}"
        );
        fs::write(bundle.path().join("config.json"), spec).unwrap();
        let mut explain = Command::new(programs::program("HOOKCTL_BIN", env!("CARGO_BIN_EXE_nvidia-hookctl")));
        explain.args(["explain", "--config"]).arg(programs::source("deploy/hook/config.toml"));
        let output = explain.arg("--bundle").arg(bundle.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("  given           "));
        line.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    assert_eq!(given("NVIDIA_VISIBLE_DEVICES=GPU-1", "/data"), "nothing");
    assert_eq!(given("A=b", "/var/run/nvidia-container-devices/GPU-1"), "GPU-1");
}

/// In the pod, a link of the node leads nowhere.
#[test]
fn a_link_in_place_of_the_engine_s_file_is_another_hook() {
    let node = Node::new();
    fs::create_dir_all(node.on(JSON).parent().unwrap()).unwrap();
    symlink("/etc/alternatives/no-such-hook.json", node.on(JSON)).unwrap();
    for verb in ["install", "remove"] {
        let said = node.fails(&[verb, "hook"]);
        assert!(said.contains(&format!("node-files: {JSON} starts another hook")), "{said}");
    }
    assert_eq!(node.files(), [JSON]);
    assert!(node.on(JSON).is_symlink());
}

#[test]
fn other_words_are_refused() {
    for words in [&[][..], &["install"], &["install", "everything"], &["reinstall", "hook"]] {
        assert_eq!(Node::new().fails(words), "node-files: usage: node-files install|remove hook|gpus\n");
    }
}
