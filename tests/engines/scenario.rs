//! A scenario from a file of fixtures/engines: a machine, a configuration, a container, and the expected result. Knows
//! no engine. fixtures/README.md describes the keys.

use std::collections::BTreeMap;
use std::fs;

use hook_test_support::programs;
use serde::Deserialize;

/// A scenario, named after its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The name of the file.
    #[serde(skip)]
    pub name: String,
    /// Its sentence in the document.
    pub why: String,
    /// The simulated machine.
    #[serde(default = "usual_topology")]
    pub topology: String,
    /// The machines of later starts of the same container.
    #[serde(default)]
    pub then: Vec<String>,
    /// How many containers start at once, each with the GPU of its turn.
    #[serde(default = "one")]
    pub at_once: usize,
    /// How nvidia-container-cli fails.
    pub cli_fails: Option<String>,
    /// Whether nvidia-container-cli is missing.
    #[serde(default)]
    pub cli_missing: bool,
    /// Keys of config.toml before its sections.
    #[serde(default)]
    pub config: String,
    /// A config.toml that is not TOML.
    pub broken_config: Option<String>,
    /// The container.
    #[serde(default)]
    pub container: Described,
    /// The expected result.
    pub expect: Expect,
}

/// The container of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Described {
    /// The value of `docker --gpus`; without it an engine that uses `--gpus` cannot say the same.
    pub gpus: Option<String>,
    /// Variables; `{uuid:1}` is the UUID of GPU 1, `{uuid:0:1}` of the second part of GPU 0, `{turn}` the container's
    /// turn.
    #[serde(default)]
    pub env: Vec<String>,
    /// Devices that are asked for by volume mounts.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Whether it is privileged.
    #[serde(default)]
    pub privileged: bool,
    /// Whether its root filesystem is read-only.
    #[serde(default)]
    pub read_only: bool,
    /// Whether its root is another user on the host.
    #[serde(default)]
    pub remapped: bool,
    /// Whether the hook has a time limit of one second.
    #[serde(default)]
    pub hook_has_a_second: bool,
    /// What the container's shell runs after it has looked around.
    #[serde(default)]
    pub script: String,
}

/// The expected result of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The devices that the container sees, `0` or `0:1`, in the machine's order; without it the container does not start.
    pub devices: Option<Vec<String>>,
    /// IMEX channels.
    #[serde(default)]
    pub imex: Vec<u32>,
    /// The driver's libraries in the linker's cache, out of [`super::look::LIBRARIES`].
    #[serde(default = "usual_libraries")]
    pub libraries: Vec<String>,
    /// The same for engines that provide others.
    #[serde(default)]
    pub libraries_of: BTreeMap<String, Vec<String>>,
    /// Whether nvidia-smi and NVML are available.
    #[serde(default = "yes")]
    pub utility: bool,
    /// The container's exit status, if it starts.
    #[serde(default)]
    pub exit: i32,
    /// Part of what the user reads, if it does not start.
    pub error: Option<String>,
    /// The same for engines with messages of their own.
    #[serde(default)]
    pub error_of: BTreeMap<String, String>,
    /// How often nvidia-container-cli configures a container, if the hook calls it.
    pub calls: Option<usize>,
}

fn usual_topology() -> String {
    "h100".to_owned()
}

fn usual_libraries() -> Vec<String> {
    vec!["libcuda.so.1".to_owned(), "libnvidia-ml.so.1".to_owned()]
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

impl Scenario {
    /// Every scenario, by name.
    pub fn all() -> Vec<Scenario> {
        let folder = programs::fixtures().join("engines");
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files =
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
        let mut all: Vec<Scenario> = files
            .map(|file| {
                let text = fs::read_to_string(&file).unwrap();
                let read: Scenario = toml::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
                Scenario { name: file.file_stem().unwrap().to_str().unwrap().to_owned(), ..read }
            })
            .collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        assert!(!all.is_empty(), "{}: no scenarios", folder.display());
        all
    }
}
