//! A scenario: a machine, a configuration, a container, and what comes of it, as a file of fixtures/engines says. Knows no
//! engine; keys are described in fixtures/README.md.

use std::collections::BTreeMap;
use std::fs;

use hook_test_support::programs;
use serde::Deserialize;

/// A scenario, by the name of its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The name of the file.
    #[serde(skip)]
    pub name: String,
    /// The sentence of the document.
    pub why: String,
    /// The simulated machine.
    #[serde(default = "usual_topology")]
    pub topology: String,
    /// The machines of further starts of the same container.
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
    /// Keys of config.toml that stand before its sections.
    #[serde(default)]
    pub config: String,
    /// A config.toml that is no TOML.
    pub broken_config: Option<String>,
    /// The container.
    #[serde(default)]
    pub container: Described,
    /// What comes of it.
    pub expect: Expect,
}

/// The container of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Described {
    /// What `docker --gpus` is given; without it an engine of `--gpus` cannot say the same.
    pub gpus: Option<String>,
    /// Variables; `{uuid:1}` is the UUID of GPU 1, `{uuid:0:1}` that of its second part, `{turn}` the container's turn.
    #[serde(default)]
    pub env: Vec<String>,
    /// Devices that are asked for by volume mounts.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Every right.
    #[serde(default)]
    pub privileged: bool,
    /// A root filesystem that cannot be written.
    #[serde(default)]
    pub read_only: bool,
    /// A root that is somebody else on the host.
    #[serde(default)]
    pub remapped: bool,
    /// A hook that has a second.
    #[serde(default)]
    pub hook_has_a_second: bool,
    /// What the container's shell runs after it has looked around.
    #[serde(default)]
    pub script: String,
}

/// What comes of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The devices that the container sees, `0` or `0:1`, in the machine's order; without it the container does not start.
    pub devices: Option<Vec<String>>,
    /// IMEX channels.
    #[serde(default)]
    pub imex: Vec<u32>,
    /// The driver's libraries by the linker's cache, of those that [`super::look::LIBRARIES`] names.
    #[serde(default = "usual_libraries")]
    pub libraries: Vec<String>,
    /// The same for engines that give others.
    #[serde(default)]
    pub libraries_of: BTreeMap<String, Vec<String>>,
    /// Whether nvidia-smi and NVML are there to ask.
    #[serde(default = "yes")]
    pub utility: bool,
    /// The container's exit status, where it starts.
    #[serde(default)]
    pub exit: i32,
    /// A part of what the user reads, where it does not start.
    pub error: Option<String>,
    /// The same for engines that have words of their own.
    #[serde(default)]
    pub error_of: BTreeMap<String, String>,
    /// How often nvidia-container-cli configures a container, where the hook calls it.
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
