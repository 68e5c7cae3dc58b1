//! How engines come to start the hook: dockerd by its name in PATH, Podman and CRI-O by a file in a directory.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Examination;
use crate::finding::Finding;
use crate::oci_hook::{faults, nvidia_hook};
use hook::host::{Host, path_of};
use hook::plan::program::DEFAULT_DIRECTORIES;

const HOOK: &str = "nvidia-container-runtime-hook";
/// The directories of hooks, from the lowest rank to the highest: a file masks one of its name in a lower one.
const HOOK_DIRECTORIES: [&str; 3] =
    ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d", "/run/containers/oci/hooks.d"];
const DOCKER_PID: &str = "/run/docker.pid";

/// The checks.
pub fn checks(examination: &Examination<'_>) -> Vec<Finding> {
    let mut checks = vec![docker(examination)];
    checks.extend(hooks(examination));
    checks
}

fn installed(examination: &Examination<'_>, program: &str) -> bool {
    DEFAULT_DIRECTORIES.iter().any(|directory| examination.host.is_executable(&Path::new(directory).join(program)))
}

/// dockerd knows `--gpus` only if it finds the hook in its own PATH when it starts.
fn docker(examination: &Examination<'_>) -> Finding {
    let id = "docker";
    if !installed(examination, "dockerd") {
        return Finding::ok(id, "no dockerd here");
    }
    let (path, whose) = match path_of_dockerd(examination) {
        Some(path) => (path, "the PATH of the running dockerd"),
        None => (DEFAULT_DIRECTORIES.join(":").into_bytes(), "the usual PATH of services"),
    };
    let found = path.split(|byte| *byte == b':').map(|directory| path_of(directory).join(HOOK));
    let found = found.filter(|path| path.is_absolute()).find(|path| examination.host.is_executable(path));
    match found {
        Some(path) => Finding::ok(id, format!("dockerd finds the hook at {}, by {whose}", path.display())),
        None => Finding::error(
            id,
            format!(
                "{HOOK} is in no directory of {whose}, so docker knows no --gpus (\"could not select device driver\")"
            ),
            format!("install it as /usr/bin/{HOOK}, and restart dockerd"),
        ),
    }
}

/// PATH of the running dockerd, which only root may see. Nothing else of its environment is looked at.
fn path_of_dockerd(examination: &Examination<'_>) -> Option<Vec<u8>> {
    let pid = String::from_utf8(examination.host.read(Path::new(DOCKER_PID)).ok()?).ok()?;
    let pid: u32 = pid.trim().parse().ok()?;
    let environment = examination.host.read(Path::new(&format!("/proc/{pid}/environ"))).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"PATH=")).map(<[u8]>::to_vec)
}

/// Which files start the hook, what is wrong with each, and whether it would run twice.
fn hooks(examination: &Examination<'_>) -> Vec<Finding> {
    let id = "hooks.d";
    let mut effective = BTreeMap::new();
    let mut checks = Vec::new();
    for directory in HOOK_DIRECTORIES {
        for name in examination.host.list(Path::new(directory)) {
            let file = Path::new(directory).join(&name);
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let content = examination.host.read(&file).unwrap_or_default();
            if let Some((masked, _)) = effective.insert(name, (file.clone(), content)) {
                checks.push(Finding::ok(id, format!("{} is masked by {}", masked.display(), file.display())));
            }
        }
    }
    let mut starting = Vec::new();
    for (file, content) in effective.into_values() {
        match serde_json::from_slice::<Value>(&content) {
            Err(error) => {
                let message = format!("{} is not JSON: {error}", file.display());
                checks.push(Finding::error(
                    id,
                    message,
                    "engines refuse to start any container with it: correct or remove it",
                ));
            }
            Ok(document) if nvidia_hook(&document).is_some() => {
                checks.push(hook_file(examination, &file, &content));
                starting.push(file.display().to_string());
            }
            Ok(_) => {}
        }
    }
    if starting.len() > 1 {
        let message =
            format!("{} start the hook, so it runs more than once for each container", starting.join(" and "));
        checks.push(Finding::error(id, message, "keep one of them"));
    }
    if starting.is_empty() {
        checks.push(no_file(examination));
    }
    checks
}

fn hook_file(examination: &Examination<'_>, file: &Path, content: &[u8]) -> Finding {
    let id = "hooks.d";
    match faults(content, examination.host).into_iter().next() {
        None => Finding::ok(id, format!("{} starts the hook", file.display())),
        Some(fault) => Finding { id, message: format!("{}: {}", file.display(), fault.message), ..fault },
    }
}

fn no_file(examination: &Examination<'_>) -> Finding {
    let id = "hooks.d";
    let engines: Vec<&str> = ["podman", "crio"].into_iter().filter(|engine| installed(examination, engine)).collect();
    if engines.is_empty() {
        return Finding::ok(id, "no file starts the hook, and no Podman or CRI-O is here to need one");
    }
    Finding::warning(
        id,
        format!("no file starts the hook, so containers of {} get no GPU from it", engines.join(" and ")),
        "use CDI (--device nvidia.com/gpu=all), or run: nvidia-hookctl oci-hook --hooks-dir \
         /usr/share/containers/oci/hooks.d",
    )
}
