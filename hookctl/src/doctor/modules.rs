//! Why the driver's kernel module is not loaded, or is not the installed one: modules for other kernels, signatures,
//! nouveau. Must not know libraries.

use std::collections::BTreeSet;
use std::path::Path;

use super::examination::Examination;
use super::states::{
    DRIVER_HIDDEN, MODULE_BLOCKED, MODULE_NOT_BUILT, MODULE_NOT_LOADED, MODULE_NOT_SIGNED, MODULE_OF_ANOTHER_KERNEL,
    MODULE_REPLACED, NO_HARDWARE, NOUVEAU,
};
use super::surroundings::Around;
use super::{distributions, hardware};
use crate::driver::is_version;
use crate::inspect::Inspect;
use crate::tree::Tree;

const MODULES: &str = "/lib/modules";
/// Where modprobe reads its configuration, the first rank first (modprobe.d(5)).
const MODPROBE: [&str; 5] =
    ["/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];
/// What to do if the GPU operator's driver container has not loaded the module.
pub const OPERATOR_DRIVER: &str = "look at the pods nvidia-driver-daemonset of the GPU operator (kubectl -n gpu-operator get \
                               pods), whose log says why; where the host has a driver of its own, set driver.enabled=false";
/// Where distributions and installers put the module below a kernel's directory.
const PLACES: [&str; 9] = [
    "kernel/drivers/video",
    "kernel/drivers/video/nvidia",
    "kernel/nvidia",
    "updates/dkms",
    "updates",
    "extra",
    "extra/nvidia",
    "extramodules",
    "kernel/drivers/char/drm",
];
/// Where DKMS keeps what it builds.
const DKMS: &str = "/var/lib/dkms";

/// Whether a file name is the module's, compressed or not.
fn is_module(name: &str) -> bool {
    name.split_once(".ko").is_some_and(|(stem, _)| is_driver(stem))
}

/// Whether a name is the driver's: some distributions add the branch (`nvidia-535`) or the flavour, as Debian does.
fn is_driver(name: &str) -> bool {
    const FLAVOURS: [&str; 5] = ["current", "open", "current-open", "srv", "tesla"];
    let is_branch = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let is_flavour = |text: &str| {
        FLAVOURS.contains(&text) || is_branch(text) || text.starts_with("tesla-") || text.starts_with("legacy-")
    };
    name == "nvidia" || name.strip_prefix("nvidia-").is_some_and(is_flavour)
}

/// The driver's folders of DKMS, one for each name that it goes by.
fn in_dkms(host: &Tree) -> Vec<String> {
    let names = host.names(DKMS).into_iter().filter(|name| is_driver(name));
    names.map(|name| format!("{DKMS}/{name}")).collect()
}

/// The versions of the driver that DKMS knows, each with its folder.
fn versions_in_dkms(host: &Tree) -> Vec<(String, String)> {
    let versions_of = |place: String| {
        let versions = host.names(&place).into_iter().filter(|name| is_version(name));
        versions.map(move |version| (format!("{place}/{version}"), version)).collect::<Vec<_>>()
    };
    in_dkms(host).into_iter().flat_map(versions_of).collect()
}

/// The file of the module for a kernel.
fn module_of(host: &Tree, release: &str) -> Option<String> {
    let listed = host.text(&format!("{MODULES}/{release}/modules.dep")).unwrap_or_default();
    let by_list = listed.lines().filter_map(|line| line.split(':').next()).find(|path| {
        path.rsplit('/').next().is_some_and(is_module) && host.has(&format!("{MODULES}/{release}/{path}"))
    });
    let place = |place: &&str| {
        let directory = format!("{MODULES}/{release}/{place}");
        host.names(&directory).into_iter().find(|name| is_module(name)).map(|name| format!("{directory}/{name}"))
    };
    by_list.map(|path| format!("{MODULES}/{release}/{path}")).or_else(|| PLACES.iter().find_map(place))
}

/// The kernels that have the module, by its files and by DKMS's builds.
fn kernels(host: &Tree) -> Vec<String> {
    let mut kernels: Vec<String> =
        host.names(MODULES).into_iter().filter(|release| module_of(host, release).is_some()).collect();
    for (place, _) in versions_in_dkms(host) {
        let built = host.names(&place);
        kernels.extend(built.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_digit())));
    }
    kernels.sort();
    kernels.dedup();
    kernels
}

/// Reports why no module is loaded.
pub fn not_loaded(examination: &mut Examination<'_>) {
    let (host, surroundings) = (examination.host, examination.surroundings);
    if let Some(version) = loaded_and_hidden(host) {
        let message = format!("the kernel module {version} is loaded, and /proc/driver/nvidia is not to be seen");
        examination.found(&DRIVER_HIDDEN, message);
    } else if let Around::Container(kind) = surroundings.around {
        let remedy = "load it on the outer host, whose kernel this is, and give this container its device nodes";
        let message = format!("the kernel module is not loaded, and this is itself a container ({kind})");
        examination.found_with(&MODULE_NOT_LOADED, message, remedy);
    } else if hardware::is_without_gpu(host) {
        examination.found(&NO_HARDWARE, "the kernel module is not loaded, and no device on the PCI bus is of NVIDIA");
    } else if examination.waits_for_driver_container() {
        let message = "the kernel module is not loaded, and the GPU operator's driver container is to load it";
        examination.found_with(&MODULE_NOT_LOADED, message, OPERATOR_DRIVER);
    } else if let Some(remedy) = distributions::module(surroundings.distribution) {
        examination.found_with(&MODULE_NOT_LOADED, "the kernel module is not loaded", remedy);
    } else {
        by_files(examination);
    }
}

/// The version of a loaded module that /proc does not show: its parameters and state are below /sys/module.
fn loaded_and_hidden(host: &Tree) -> Option<String> {
    let state = host.text("/sys/module/nvidia/initstate")?;
    let version = host.text("/sys/module/nvidia/version").unwrap_or_default();
    (state.trim() == "live").then(|| version.trim().to_owned())
}

/// Reports why no module is loaded, judging by the installed modules.
fn by_files(examination: &mut Examination<'_>) {
    let host = examination.host;
    let release = examination.surroundings.release.clone();
    let kernels = kernels(host);
    let has_own = kernels.contains(&release);
    if !release.is_empty() && !kernels.is_empty() && !has_own {
        let message = format!(
            "the kernel module is not loaded: there is one for {}, and none for the running kernel {release}",
            kernels.join(", ")
        );
        match host.has(&format!("{MODULES}/{release}")) || host.names(MODULES).is_empty() {
            true => examination.found(&MODULE_OF_ANOTHER_KERNEL, message),
            false => {
                let remedy = "reboot into the kernel that is installed: the modules of the running one are gone, as after \
                              an upgrade";
                examination.found_with(&MODULE_OF_ANOTHER_KERNEL, message, remedy);
            }
        }
    } else if let Some(place) = blocked(host) {
        let message = format!("the kernel module is not loaded: {place} keeps it from being loaded");
        examination.found(&MODULE_BLOCKED, message);
    } else if host.has("/sys/module/nouveau") {
        examination.found(&NOUVEAU, "the kernel module is not loaded, and nouveau is in its place");
    } else if has_own && secure_boot(host) {
        let message = format!("the kernel module for {release} is there and not loaded, and Secure Boot is on");
        examination.found(&MODULE_NOT_SIGNED, message);
    } else if has_own {
        let message = format!("the kernel module is not loaded, although there is one for {release}");
        examination.found_with(&MODULE_NOT_LOADED, message, "run modprobe nvidia, and read dmesg if it fails");
    } else if let Some(source) = source(host) {
        let headers = match host.has(&format!("{MODULES}/{release}/build")) {
            true => "",
            false => ", and the headers of this kernel are not installed",
        };
        let message = format!(
            "the kernel module is not loaded: {source} is its source, and nothing is built for the running kernel \
             {release}{headers}"
        );
        examination.found(&MODULE_NOT_BUILT, message);
    } else {
        examination.found(&MODULE_NOT_LOADED, "the kernel module is not loaded");
    }
}

/// What prevents the module from loading: modprobe's configuration, the kernel's command line, or the kernel itself.
fn blocked(host: &Tree) -> Option<String> {
    // A file masks those of its name in later directories, and a link to /dev/null does nothing else.
    let mut masked = BTreeSet::new();
    for directory in MODPROBE {
        for name in host.names(directory).into_iter().filter(|name| name.ends_with(".conf")) {
            let path = format!("{directory}/{name}");
            if masked.insert(name) && host.text(&path).is_some_and(|text| text.lines().any(blocks)) {
                return Some(path);
            }
        }
    }
    let line = host.text("/proc/cmdline").unwrap_or_default();
    let blocking = line.split_whitespace().find(|word| {
        let list = word.strip_prefix("module_blacklist=").or_else(|| word.strip_prefix("modprobe.blacklist="));
        list.is_some_and(|list| list.split(',').any(|module| module == "nvidia"))
    });
    let is_shut = host.text("/proc/sys/kernel/modules_disabled").is_some_and(|text| text.trim() == "1");
    blocking
        .map(|word| format!("{word} on the kernel's command line"))
        .or_else(|| is_shut.then(|| "kernel.modules_disabled = 1, until the next boot,".to_owned()))
}

/// Whether a line of modprobe.d keeps nvidia out (modprobe.d(5)).
fn blocks(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["blacklist", "nvidia"] | ["alias", "nvidia", "off"] => true,
        ["install", "nvidia", program, ..] => program.ends_with("/false") || program.ends_with("/true"),
        _ => false,
    }
}

/// Where the module's source is, for DKMS to build.
fn source(host: &Tree) -> Option<String> {
    let dkms = versions_in_dkms(host).into_iter().map(|(place, _)| place).next();
    let is_source =
        |name: &String| name.rsplit_once('-').is_some_and(|(driver, version)| is_driver(driver) && is_version(version));
    dkms.or_else(|| host.names("/usr/src").into_iter().find(is_source).map(|name| format!("/usr/src/{name}")))
}

/// Whether Secure Boot is on: the last byte of the firmware's variable.
fn secure_boot(host: &Tree) -> bool {
    const VARIABLES: &str = "/sys/firmware/efi/efivars";
    let name = host.names(VARIABLES).into_iter().find(|name| name.starts_with("SecureBoot-"));
    let value = name.and_then(|name| host.bytes(Path::new(&format!("{VARIABLES}/{name}"))));
    value.is_some_and(|value| value.last() == Some(&1))
}

/// Reports a version other than the loaded one that is installed for this kernel.
pub fn replaced(examination: &mut Examination<'_>, loaded: &str) {
    let (host, release) = (examination.host, &examination.surroundings.release);
    if release.is_empty() {
        return;
    }
    let installed = installed_by_dkms(host, release).or_else(|| version_in(host, release));
    let Some(installed) = installed.or_else(|| only_built(host, release)) else { return };
    if installed != loaded {
        let message = format!("the kernel module {loaded} is loaded, and {installed} is installed for {release}");
        examination.found(&MODULE_REPLACED, message);
    }
}

/// The version that DKMS installed for a kernel: of those that it built, the one that the link for the kernel leads to.
fn installed_by_dkms(host: &Tree, release: &str) -> Option<String> {
    in_dkms(host).into_iter().find_map(|place| {
        let is_link = |name: &&String| name.strip_prefix("kernel-").is_some_and(|name| is_for(name, release));
        let link = host.names(&place).iter().find(is_link).map(|name| format!("{place}/{name}"))?;
        let target = host.target(Path::new(&link))?;
        let version = target.strip_prefix(&place).ok()?.iter().next()?.to_str()?;
        is_version(version).then(|| version.to_owned())
    })
}

/// Whether `RELEASE-ARCHITECTURE` is of a release.
fn is_for(name: &str, release: &str) -> bool {
    name.strip_prefix(release).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| !rest.contains('-'))
}

/// The version that DKMS built for a kernel, if it is the only one.
fn only_built(host: &Tree, release: &str) -> Option<String> {
    let built = versions_in_dkms(host).into_iter().filter(|(place, _)| host.has(&format!("{place}/{release}")));
    let mut versions: Vec<String> = built.map(|(_, version)| version).collect();
    versions.dedup();
    if versions.len() == 1 { versions.pop() } else { None }
}

/// The version recorded in the module's file, if the file is not compressed.
fn version_in(host: &Tree, release: &str) -> Option<String> {
    let file = module_of(host, release).filter(|file| file.ends_with(".ko"))?;
    let version = String::from_utf8(host.word_after(Path::new(&file), b"version=")?).ok()?;
    is_version(&version).then_some(version)
}
