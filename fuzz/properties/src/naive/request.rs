//! Sections 7, 8 and 9: what a container asks for and gets.

use super::config::{CAPABILITIES, Config};
use super::container::Container;
use super::{Step, clean, items, once, truth, version};

const MOUNT: &str = "invalid device mount: ";
const MIG_CONFIG: &str = "cannot set MIG_CONFIG_DEVICES in non privileged container";
const MIG_MONITOR: &str = "cannot set MIG_MONITOR_DEVICES in non privileged container";
const CONTROL: &str = "invalid value of ";
const NOT_ALLOWED: &str = "unsupported capabilities found in ";
const CUDA_VERSION: &str = "failed to get requirements failed to get version: invalid CUDA version ";

const ROOT: &str = "/var/run/nvidia-container-devices/";

/// What a GPU container gets.
pub struct Request {
    /// Empty for driver files only.
    pub devices: Vec<String>,
    pub mig_config: Option<String>,
    pub mig_monitor: Option<String>,
    pub channels: Vec<String>,
    pub capabilities: Vec<String>,
    pub requirements: Vec<String>,
}

/// What a container gets; `None` if it is not a GPU container.
pub fn of(container: &Container, config: &Config) -> Step<Option<Request>> {
    let accepted = container.privileged || config.flag("accept-nvidia-visible-devices-envvar-when-unprivileged", true);
    let (mounted, mounted_channels) = by_mounts(container)?;
    let devices = if mounted.is_empty() {
        match by_variables(container, config) {
            Some(devices) if accepted => plain(devices)?,
            _ => return Ok(None),
        }
    } else {
        mounted
    };
    let mig_config = mig(container, "NVIDIA_MIG_CONFIG_DEVICES", MIG_CONFIG)?;
    let mig_monitor = mig(container, "NVIDIA_MIG_MONITOR_DEVICES", MIG_MONITOR)?;
    let mut channels = if !mounted_channels.is_empty() {
        mounted_channels
    } else if accepted {
        let listed = items(container.variable("NVIDIA_IMEX_CHANNELS").unwrap_or_default());
        if listed.iter().any(|item| ["all", "none", "void"].contains(&item.as_str())) {
            Vec::new()
        } else {
            plain(once(listed))?
        }
    } else {
        Vec::new()
    };
    if config.flag("features.ignore-imex-channel-requests", false) {
        channels.clear();
    }
    let capabilities = capabilities(container, config)?;
    let requirements = plain(requirements(container, config)?)?;
    Ok(Some(Request { devices, mig_config, mig_monitor, channels, capabilities, requirements }))
}

/// The texts, if none has a control character other than NUL.
fn plain(texts: Vec<String>) -> Step<Vec<String>> {
    let drives = |text: &String| text.chars().any(|c| c.is_control() && c != '\0');
    if texts.iter().any(drives) { Err(CONTROL) } else { Ok(texts) }
}

/// The devices and the channels that mounts ask for.
fn by_mounts(container: &Container) -> Step<(Vec<String>, Vec<String>)> {
    let (mut devices, mut channels) = (Vec::new(), Vec::new());
    for (source, destination) in &container.mounts {
        let destination = clean(destination);
        let Some(name) = destination.strip_prefix(ROOT) else { continue };
        if clean(source) != "/dev/null" {
            continue;
        }
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            ["cdi", rest @ ..] => devices.push(cdi_of_mount(rest).ok_or(MOUNT)?),
            ["imex", channel] if is_name(channel) => channels.push((*channel).to_owned()),
            ["imex", ..] => return Err(MOUNT),
            ["none" | "void"] => return Err(MOUNT),
            [name] if is_name(name) => devices.push((*name).to_owned()),
            [gpu, gi, ci] if is_old_mig(gpu, gi, ci) => devices.push(name.to_owned()),
            _ => return Err(MOUNT),
        }
    }
    if devices.iter().any(|device| device == "all") {
        devices = vec!["all".to_owned()];
    }
    Ok((once(devices), once(channels)))
}

fn is_name(name: &str) -> bool {
    let bad = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    !name.is_empty() && !name.starts_with('-') && !name.contains(bad)
}

/// `MIG-GPU-UUID/GI/CI`
fn is_old_mig(gpu: &str, gi: &str, ci: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_uuid = |uuid: &str| {
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12] && uuid.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    gpu.strip_prefix("MIG-GPU-").is_some_and(is_uuid) && is_number(gi) && is_number(ci)
}

/// The CDI name of `cdi/VENDOR/CLASS/NAME` or `cdi/VENDOR/CLASS=NAME`.
fn cdi_of_mount(rest: &[&str]) -> Option<String> {
    let name = match rest {
        [vendor, class, name] => format!("{vendor}/{class}={name}"),
        [vendor, class_and_name] => format!("{vendor}/{class_and_name}"),
        _ => return None,
    };
    is_cdi(&name).then_some(name)
}

/// Whether a name is a fully qualified CDI name, by the grammar of the CDI specification.
pub fn is_cdi(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let fits = |text: &str, others: &str, first: fn(&char) -> bool| {
        let last = |c: char| c.is_ascii_alphanumeric();
        text.starts_with(|c| first(&c)) && text.ends_with(last) && text.chars().all(|c| last(c) || others.contains(c))
    };
    fits(vendor, "_-.", char::is_ascii_alphabetic)
        && fits(class, "_-.", char::is_ascii_alphabetic)
        && fits(device, "_-.:", char::is_ascii_alphanumeric)
}

/// The devices that variables ask for; `None` if they ask for nothing at all, empty for `none`.
fn by_variables(container: &Container, config: &Config) -> Option<Vec<String>> {
    let swarm = items(config.text("swarm-resource", ""));
    let set: Vec<&str> = swarm.iter().filter_map(|name| container.variable(name)).collect();
    let asked = if !set.is_empty() {
        set.join(",")
    } else {
        match container.variable("NVIDIA_VISIBLE_DEVICES") {
            None if container.is_legacy_image() => "all".to_owned(),
            value => value.unwrap_or_default().to_owned(),
        }
    };
    let asked = items(&asked);
    if asked.is_empty() || asked.iter().any(|item| item == "void") {
        return None;
    }
    match asked.iter().find(|item| *item == "all" || *item == "none") {
        Some(special) if special == "all" => Some(vec!["all".to_owned()]),
        Some(_) => Some(Vec::new()),
        None => Some(once(asked)),
    }
}

fn mig(container: &Container, name: &str, fault: &'static str) -> Step<Option<String>> {
    match container.filled(name) {
        Some(_) if !container.privileged => Err(fault),
        value => plain(value.map(str::to_owned).into_iter().collect()).map(|mut texts| texts.pop()),
    }
}

fn capabilities(container: &Container, config: &Config) -> Step<Vec<String>> {
    let value = container.variable("NVIDIA_DRIVER_CAPABILITIES");
    let asked: Vec<String> = match value {
        None if container.is_legacy_image() => vec!["all".to_owned()],
        None | Some("") => {
            let supports = |name: &String| config.supported.contains(name);
            ["compute", "utility"].map(str::to_owned).into_iter().filter(supports).collect()
        }
        Some(value) => items(value),
    };
    let granted = if asked.iter().any(|item| item == "all") { config.supported.clone() } else { asked };
    if !granted.iter().all(|item| config.supported.contains(item)) {
        return Err(NOT_ALLOWED);
    }
    Ok(CAPABILITIES.iter().map(|name| (*name).to_owned()).filter(|name| granted.contains(name)).collect())
}

fn requirements(container: &Container, config: &Config) -> Step<Vec<String>> {
    let disabled = container.variable("NVIDIA_DISABLE_REQUIRE").and_then(truth) == Some(true);
    if disabled || config.flag("disable-require", false) {
        return Ok(Vec::new());
    }
    let mut requirements = Vec::new();
    for (at, (name, value)) in container.environment.iter().enumerate() {
        // The last entry of a name wins, in its own place.
        let counts = container.environment[at + 1..].iter().all(|(later, _)| later != name);
        if counts && name.starts_with("NVIDIA_REQUIRE_") && !name.starts_with("NVIDIA_REQUIRE_JETPACK") {
            requirements.push(value.clone());
        }
    }
    if container.is_legacy_image() {
        let ([major, minor, _], _) = version(container.variable("CUDA_VERSION").unwrap()).ok_or(CUDA_VERSION)?;
        // As recorded: both are 32-bit numbers.
        if major.max(minor) > u64::from(u32::MAX) {
            return Err(CUDA_VERSION);
        }
        requirements.push(format!("cuda>={major}.{minor}"));
    }
    Ok(requirements)
}
