//! What values mean together: contradictions, and settings without effect.

use super::document::Document;
use super::paths::is_of_user;
use crate::finding::{Finding, Severity};
use hook::config::{Config, ConfigFile};
use hook::contract::cli_version::CompatSyntax;
use hook::contract::keys::Key;

struct Findings<'f> {
    config: &'f Config<'f>,
    document: &'f Document<'f>,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, severity: Severity, id: &'static str, key: Key, message: &str, remedy: &str) {
        self.list.push(Finding {
            severity,
            id,
            key: Some(key.row().name.to_owned()),
            place: self.document.place(key),
            message: message.to_owned(),
            remedy: remedy.to_owned(),
            line: None,
        });
    }
}

/// The contradictions in a configuration.
pub fn contradictions(config: &Config<'_>, document: &Document<'_>) -> Vec<Finding> {
    let mut findings = Findings { config, document, list: Vec::new() };
    ldconfig(&mut findings);
    cli_version(&mut findings);
    compat_mode(&mut findings);
    mode(&mut findings);
    requests(&mut findings);
    findings.list
}

/// Settings meant for some containers, in a file that applies to all.
pub fn for_all(config: &Config<'_>, document: &Document<'_>, file: &ConfigFile) -> Vec<Finding> {
    let mut findings = Findings { config, document, list: Vec::new() };
    if config.flag(Key::CliNoCgroups) && !is_of_user(file) {
        findings.add(
            Severity::Warning,
            "no-cgroups-for-all",
            Key::CliNoCgroups,
            "no-cgroups = true in this file counts for the containers of root (rootful) too, which then get no access to the devices \
             from the hook",
            "set it for rootless users only, in $XDG_CONFIG_HOME/nvidia-container-runtime/config.toml, or write \
             nvidia-container-runtime-hook.rootless = \"auto\" in place of it",
        );
    }
    findings.list
}

fn ldconfig(findings: &mut Findings<'_>) {
    if !findings.config.text(Key::CliLdconfig).starts_with('@') {
        findings.add(
            Severity::Warning,
            "ldconfig-from-container",
            Key::CliLdconfig,
            "ldconfig has no '@': a program of the container runs as root on the host",
            "write \"@/sbin/ldconfig\", and remove features.allow-ldconfig-from-container",
        );
    } else if findings.config.flag(Key::AllowLdconfigFromContainer) {
        findings.add(
            Severity::Note,
            "no-effect",
            Key::AllowLdconfigFromContainer,
            "allow-ldconfig-from-container has no effect while ldconfig begins with '@'",
            "remove it",
        );
    }
}

fn cli_version(findings: &mut Findings<'_>) {
    let version = findings.config.cli_version();
    if !version.has_no_create_imex_channels() && findings.config.flag(Key::DisableImexChannelCreation) {
        findings.add(
            Severity::Warning,
            "cli-version",
            Key::DisableImexChannelCreation,
            "disable-imex-channel-creation needs nvidia-container-cli 1.17.0, and cli-version says older: \
             a container that asks for IMEX channels would not start",
            "raise cli-version, or set ignore-imex-channel-requests = true",
        );
    }
    let mode = Key::LegacyCudaCompatMode;
    let can_say = match version.compat_syntax() {
        CompatSyntax::Mode => true,
        CompatSyntax::NoCntlibs => matches!(findings.config.text(mode), "disabled" | "hook" | "mount"),
        CompatSyntax::None => findings.config.text(mode) == "mount",
    };
    if findings.config.is_set(mode) && !can_say {
        findings.add(
            Severity::Warning,
            "cli-version",
            mode,
            "cuda-compat-mode needs nvidia-container-cli 1.17.7, and cli-version says older: this value is not passed on",
            "raise cli-version with nvidia-container-cli",
        );
    }
}

fn compat_mode(findings: &mut Findings<'_>) {
    let mode = Key::LegacyCudaCompatMode;
    match findings.config.text(mode) {
        "hook" => findings.add(
            Severity::Warning,
            "compat-mode-hook",
            mode,
            "cuda-compat-mode \"hook\" is the work of nvidia-container-runtime; for containers that an engine starts with \
             this hook alone it means disabled",
            "write \"ldconfig\" where containers are started with --gpus",
        ),
        "ldconfig" | "mount" | "disabled" if findings.config.flag(Key::AllowCudaCompatLibs) => findings.add(
            Severity::Warning,
            "no-effect",
            Key::AllowCudaCompatLibs,
            "allow-cuda-compat-libs-from-container has no effect while cuda-compat-mode is a known value",
            "remove it, or write cuda-compat-mode = \"mount\"",
        ),
        _ => {}
    }
}

fn mode(findings: &mut Findings<'_>) {
    let (mode, skip) = (findings.config.text(Key::RuntimeMode), findings.config.flag(Key::HookSkipModeDetection));
    let served = matches!(mode, "auto" | "legacy") || !Key::RuntimeMode.row().allowed.contains(&mode);
    if !served && !skip {
        findings.add(
            Severity::Note,
            "mode-not-served",
            Key::RuntimeMode,
            "in this mode the hook refuses GPU containers that an engine starts with it alone (docker --gpus)",
            "fine where all use the NVIDIA runtime; otherwise \"auto\", or skip-mode-detection = true",
        );
    }
}

fn requests(findings: &mut Findings<'_>) {
    let config = findings.config;
    if !config.flag(Key::AcceptEnvvarUnprivileged) && !config.flag(Key::AcceptVolumeMounts) {
        findings.add(
            Severity::Note,
            "nobody-may-ask",
            Key::AcceptEnvvarUnprivileged,
            "unprivileged containers have no way to ask for GPUs: neither variables nor mounts are accepted",
            "set accept-nvidia-visible-devices-as-volume-mounts = true if they should have one",
        );
    }
}
