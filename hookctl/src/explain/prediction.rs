//! What nvidia-container-cli would refuse on this host, step by step in its own order and words. Selection is the
//! simulator's, so the two never disagree. Nothing is predicted from what the host does not show. Must not decide what
//! is asked for.

use std::path::Path;

use hook::config::Config;
use hook::contract::capabilities::Capabilities;
use hook::contract::keys::Key;
use hook::host::{FileKind, Host};
use hook::invocation::Environ;
use hook::mode::ldcache::Libraries;
use hook::request::Request;
use nvidia_simulated_machine::requirement::unsatisfied;
use nvidia_simulated_machine::select::{self, Selection};

use nvidia_simulated_machine::topology::Gpu;

use super::devices::shown;
use super::report::{Met, Refusal, Requirements};
use crate::gpus::HostGpus;
use crate::inspect::{names, seen, text};

/// The name with which the program begins its lines.
const PROGRAM: &str = "nvidia-container-cli";
const NVML: &str = "libnvidia-ml.so.1";
const MODESET: &str = "/dev/nvidia-modeset";

/// What a start has asked for, and the host that is to serve it.
pub struct Outlook<'o> {
    /// The configuration.
    pub config: &'o Config<'o>,
    /// What is asked for.
    pub request: &'o Request,
    /// The driver's version, if its module is loaded.
    pub driver: Option<&'o str>,
    /// The GPUs that the driver shows.
    pub gpus: &'o HostGpus,
    /// The requirements, evaluated.
    pub requirements: Option<&'o Requirements>,
    /// The host.
    pub host: &'o dyn Host,
}

/// The devices that a list names on a host; `None` if that cannot be determined.
///
/// # Errors
/// The first item that names no device of the host.
pub fn selection(list: &str, gpus: &HostGpus) -> Result<Option<Selection>, String> {
    if gpus.list.is_empty() {
        return Ok(None);
    }
    match select::devices(list, &gpus.list) {
        Ok(selection) => Ok(Some(selection)),
        Err(item) if may_exist(item, gpus) => Ok(None),
        Err(item) => Err(item.to_owned()),
    }
}

/// Whether a name could belong to something that the driver does not show in files.
fn may_exist(item: &str, gpus: &HostGpus) -> bool {
    let upper = item.to_ascii_uppercase();
    let has_parts = gpus.list.iter().any(|gpu| !gpu.mig.is_empty()) || gpus.may_have_hidden_parts();
    let is_place = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_part = item.split_once(':').is_some_and(|(gpu, part)| is_place(gpu) && is_place(part));
    (upper.starts_with("GPU-") && gpus.list.iter().any(|gpu| gpu.uuid.is_empty()))
        || (upper.starts_with("MIG-") && has_parts && !(upper.starts_with("MIG-GPU-") && gpus.knows_old_names()))
        || (is_part && gpus.may_have_hidden_parts())
}

impl Outlook<'_> {
    /// The first refusal.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.channels()
            .or_else(|| self.library())
            .or_else(|| self.devices())
            .or_else(|| self.mig())
            .or_else(|| self.requirement())
            .or_else(|| self.modeset())
    }

    /// Whether the host shows enough of its driver to tell what is missing.
    fn is_seen(&self) -> bool {
        self.driver.is_some() && !self.gpus.list.is_empty()
    }

    fn channels(&self) -> Option<Refusal> {
        let list = self.request.imex.channels()?.value.join(",");
        let channel = select::channels(&list).err()?;
        Some(refusal(
            &format!("error parsing IMEX info: unsupported IMEX channel value: {channel}"),
            "an IMEX channel is a number",
            "name the channels: 0 to 2047",
        ))
    }

    fn library(&self) -> Option<Refusal> {
        let root = self.config.text(Key::CliRoot);
        let can_load = || Libraries::of(self.host, Environ::default()).and_then(|libraries| libraries.can_load(NVML));
        if !self.is_seen() || !matches!(root, "" | "/") || !matches!(can_load(), Ok(false)) {
            return None;
        }
        Some(refusal(
            &format!(
                "initialization error: load library failed: {NVML}: cannot open shared object file: no such file or directory"
            ),
            "the kernel module is loaded, and the linker of this host does not find the driver's libraries",
            "install the libraries of the kernel module's version, or see: nvidia-hookctl doctor",
        ))
    }

    fn devices(&self) -> Option<Refusal> {
        let list = shown(&self.request.devices.value).filter(|list| list != "none")?;
        let item = selection(&list, self.gpus).err()?;
        let number = match self.gpus.list.len() {
            1 => "1 GPU".to_owned(),
            many => format!("{many} GPUs"),
        };
        Some(refusal(
            &format!("device error: {item}: unknown device"),
            &format!("this host has {number}, by the names {}", self.gpus.names()),
            "ask for one of these names, or for all; nvidia-smi -L lists them, those of MIG devices too",
        ))
    }

    fn mig(&self) -> Option<Refusal> {
        let lists = [("mig-config", &self.request.mig_config), ("mig-monitor", &self.request.mig_monitor)];
        let given = shown(&self.request.devices.value).unwrap_or_default();
        let has_parts = match selection(&given, self.gpus) {
            Ok(Some(chosen)) if given != "none" => !chosen.migs.is_empty() && !chosen.all,
            _ => false,
        };
        lists.into_iter().find_map(|(what, list)| match select::all_or_nothing(list.as_deref()?) {
            Err(item) => Some(refusal(
                &format!("{what} error: {item}: only 'all' devices are currently supported"),
                "MIG rights are given for all devices or for none",
                "write all, or leave the variable out",
            )),
            Ok(true) if has_parts => Some(refusal(
                &format!("{what} error: all: cannot enable {what} with specific MIG devices selected"),
                "MIG rights are given with whole GPUs, and the container asks for single MIG devices",
                "ask for GPUs or for all in NVIDIA_VISIBLE_DEVICES, or leave the variable for MIG rights out",
            )),
            Ok(_) => None,
        })
    }

    fn requirement(&self) -> Option<Refusal> {
        let requirements = self.requirements.filter(|requirements| requirements.disabled_by.is_none())?;
        // All requirements are judged for the first device, then for the next.
        let refused = requirements.items.iter().filter(|item| matches!(item.met, Met::No | Met::Invalid));
        let refused = refused.min_by_key(|item| item.first_device)?;
        let origin = refused.origin.first().map(|origin| origin.name.as_str()).unwrap_or_default();
        if refused.met == Met::Invalid {
            let why = unreadable(&refused.expression);
            return Some(refusal(
                "requirement error: invalid expression",
                &format!("the requirement '{}' of {origin} cannot be read: {why}; no driver helps", refused.expression),
                "correct the image; until then start the container with NVIDIA_DISABLE_REQUIRE=true, or without GPUs \
                 with NVIDIA_VISIBLE_DEVICES=void",
            ));
        }
        let cuda = requirements.driver.as_ref().and_then(|driver| driver.cuda.as_deref());
        let driver = match (self.driver, cuda) {
            (Some(version), Some(cuda)) => format!("this host has driver {version}, which serves CUDA up to {cuda}"),
            (Some(version), None) => format!("this host has driver {version}"),
            _ => "this host does not meet it".to_owned(),
        };
        let gpus = self.models(&refused.expression);
        let needed = match &refused.needs_driver {
            Some(version) => format!("upgrade the driver to {version} or newer"),
            None => "use another driver or GPU".to_owned(),
        };
        Some(refusal(
            &format!("requirement error: {}", unsatisfied(&refused.expression)),
            &format!("the image requires it by {origin}; {driver}{gpus}"),
            &format!(
                "{needed}, use an older image, or start the container with NVIDIA_DISABLE_REQUIRE=true (then it may fail later)"
            ),
        ))
    }

    /// The GPU models, each once, with the values that an expression compares.
    fn models(&self, expression: &str) -> String {
        let lower = expression.to_ascii_lowercase();
        let facts = |gpu: &Gpu| {
            let known = |word: &str, value: &str| {
                (lower.contains(word) && !value.is_empty()).then(|| format!("{word} {value}"))
            };
            let facts: Vec<String> =
                [known("brand", &gpu.brand), known("arch", &gpu.arch)].into_iter().flatten().collect();
            if facts.is_empty() { gpu.model.clone() } else { format!("{} ({})", gpu.model, facts.join(", ")) }
        };
        let mut models: Vec<String> = self.gpus.list.iter().map(facts).collect();
        models.dedup();
        if models.is_empty() { String::new() } else { format!(", and {}", models.join(" and ")) }
    }

    /// The display driver's node is mounted for the capability display whether or not it exists.
    fn modeset(&self) -> Option<Refusal> {
        let display = Capabilities::named("display")?;
        let wanted = self.request.capabilities.value.contains(display);
        if !wanted || !self.is_seen() || seen(self.host, Path::new(MODESET)).is_some() || self.can_make_modeset() {
            return None;
        }
        Some(refusal(
            &format!("mount error: stat failed: {MODESET}: no such file or directory"),
            "the container asks for the driver capability display, which needs this node, and it does not exist",
            "run nvidia-modprobe -m on the host, or leave display out of NVIDIA_DRIVER_CAPABILITIES",
        ))
    }

    /// Whether `--load-kmods` would make the node: the module is loaded, or there is one for the running kernel.
    fn can_make_modeset(&self) -> bool {
        if !self.config.flag(Key::CliLoadKmods) {
            return false;
        }
        let release = text(self.host, "/proc/sys/kernel/osrelease").unwrap_or_default();
        let modules = format!("/lib/modules/{}/modules.dep", release.trim());
        let file = |path: &str| matches!(seen(self.host, Path::new(path)), Some(FileKind::Regular { .. }));
        seen(self.host, Path::new("/sys/module/nvidia_modeset")).is_some()
            || file(&modules) && text(self.host, &modules).unwrap_or_default().contains("nvidia-modeset.ko")
            || names(self.host, &format!("/lib/modules/{}/updates/dkms", release.trim()))
                .iter()
                .any(|name| name.starts_with("nvidia-modeset.ko"))
    }
}

/// Why an expression cannot be read, as far as its form shows.
fn unreadable(expression: &str) -> &'static str {
    const OPERATORS: [char; 3] = ['=', '<', '>'];
    let after = expression.split(OPERATORS).skip(1).map(str::trim_start);
    let is_empty = |value: &str| value.is_empty() || value.starts_with(['.', ',', '$']);
    if expression.contains(['"', '\'']) {
        "it contains quotes, as after one pair of them too many"
    } else if !expression.contains(OPERATORS) {
        "it compares nothing; it must be like cuda>=12.2"
    } else if expression.contains(" =")
        || expression.contains("= ")
        || expression.contains(" >")
        || expression.contains(" <")
    {
        "there must be no blanks around an operator, since a blank begins an alternative"
    } else if expression.contains("=>") || expression.contains("=<") || expression.contains("==") {
        "its operator is none of =, !=, <, <=, > and >="
    } else if after.last().is_some_and(is_empty) {
        "it has no value to compare with, as after a build argument that was not set"
    } else {
        "it is misspelled, or newer than nvidia-container-cli"
    }
}

fn refusal(detail: &str, why: &str, remedy: &str) -> Refusal {
    Refusal { line: format!("{PROGRAM}: {detail}"), why: why.to_owned(), remedy: remedy.to_owned() }
}
