//! Why the driver's kernel module is not loaded, or is not the one that is installed: modules of other kernels, signatures,
//! nouveau. Must not know libraries.

use super::examination::Examination;
use super::states::{MODULE_NOT_LOADED, MODULE_NOT_SIGNED, MODULE_OF_ANOTHER_KERNEL, MODULE_REPLACED, NOUVEAU};
use super::surroundings::{Around, Distribution};
use crate::driver::is_version;
use crate::inspect::Inspect;
use crate::tree::Tree;

const MODULES: &str = "/lib/modules";
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
/// Names of the module, compressed or not; some distributions add the branch (`nvidia-535`).
fn is_module(name: &str) -> bool {
    let stem = name.split(".ko").next().unwrap_or_default();
    name.contains(".ko") && (stem == "nvidia" || stem.strip_prefix("nvidia-").is_some_and(is_branch))
}

fn is_branch(text: &str) -> bool {
    text == "current" || text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty()
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

/// The kernels that have the module, by files and by what DKMS has built.
fn kernels(host: &Tree) -> Vec<String> {
    let mut kernels: Vec<String> =
        host.names(MODULES).into_iter().filter(|release| module_of(host, release).is_some()).collect();
    for version in host.names("/var/lib/dkms/nvidia") {
        let built = host.names(&format!("/var/lib/dkms/nvidia/{version}"));
        kernels.extend(built.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_digit())));
    }
    kernels.sort();
    kernels.dedup();
    kernels
}

/// Why no module is loaded.
pub fn not_loaded(examination: &mut Examination<'_>) {
    let (host, surroundings) = (examination.host, examination.surroundings);
    let release = surroundings.release.clone();
    if let Around::Container(kind) = surroundings.around {
        let remedy = "load it on the outer host, whose kernel this is, and give this container its device nodes";
        let message = format!("the kernel module is not loaded, and this is itself a container ({kind})");
        examination.found_with(&MODULE_NOT_LOADED, message, remedy);
        return;
    }
    if let Some(remedy) = by_distribution(surroundings.distribution) {
        examination.found_with(&MODULE_NOT_LOADED, "the kernel module is not loaded", remedy);
        return;
    }
    let kernels = kernels(host);
    let nouveau = host.has("/sys/module/nouveau");
    if !release.is_empty() && !kernels.is_empty() && !kernels.contains(&release) {
        let message = format!(
            "the kernel module is not loaded: there is one for {}, and none for the running kernel {release}",
            kernels.join(", ")
        );
        examination.found(&MODULE_OF_ANOTHER_KERNEL, message);
    } else if nouveau {
        examination.found(&NOUVEAU, "the kernel module is not loaded, and nouveau is in its place");
    } else if kernels.contains(&release) && secure_boot(host) {
        let message = format!("the kernel module for {release} is there and not loaded, and Secure Boot is on");
        examination.found(&MODULE_NOT_SIGNED, message);
    } else if kernels.contains(&release) {
        let message = format!("the kernel module is not loaded, although there is one for {release}");
        examination.found_with(&MODULE_NOT_LOADED, message, "run modprobe nvidia, and read dmesg if it fails");
    } else {
        examination.found(&MODULE_NOT_LOADED, "the kernel module is not loaded");
    }
}

/// How systems that are not installed package by package get the module.
fn by_distribution(distribution: Distribution) -> Option<&'static str> {
    Some(match distribution {
        Distribution::Usual => return None,
        Distribution::NixOs => {
            "set services.xserver.videoDrivers = [ \"nvidia\" ] and hardware.nvidia.open, rebuild, and reboot"
        }
        Distribution::Flatcar => {
            "name the driver in /etc/flatcar/nvidia-metadata (NVIDIA_DRIVER_VERSION=...), and start nvidia.service"
        }
        Distribution::Bottlerocket => "boot the NVIDIA variant of the image: modules cannot be added to another",
        Distribution::Talos => {
            "add the system extension nvidia-open-gpu-kernel-modules to the image, and list nvidia, nvidia_uvm, \
             nvidia_drm and nvidia_modeset in machine.kernel.modules"
        }
        Distribution::Cos => "run: cos-extensions install gpu",
    })
}

/// Whether Secure Boot is on: the last byte of the firmware's variable.
fn secure_boot(host: &Tree) -> bool {
    const VARIABLES: &str = "/sys/firmware/efi/efivars";
    let name = host.names(VARIABLES).into_iter().find(|name| name.starts_with("SecureBoot-"));
    let value = name.and_then(|name| host.bytes(std::path::Path::new(&format!("{VARIABLES}/{name}"))));
    value.is_some_and(|value| value.last() == Some(&1))
}

/// Whether another version than the loaded one is installed for this kernel.
pub fn replaced(examination: &mut Examination<'_>, loaded: &str) {
    let (host, release) = (examination.host, &examination.surroundings.release);
    if release.is_empty() {
        return;
    }
    let by_dkms = host
        .names("/var/lib/dkms/nvidia")
        .into_iter()
        .find(|version| is_version(version) && host.has(&format!("/var/lib/dkms/nvidia/{version}/{release}")));
    let Some(installed) = by_dkms.or_else(|| version_in(host, release)) else { return };
    if installed != loaded {
        let message = format!("the kernel module {loaded} is loaded, and {installed} is installed for {release}");
        examination.found(&MODULE_REPLACED, message);
    }
}

/// The version that the module's file says, where it is not compressed.
fn version_in(host: &Tree, release: &str) -> Option<String> {
    let file = module_of(host, release).filter(|file| file.ends_with(".ko"))?;
    let bytes = host.bytes(std::path::Path::new(&file))?;
    let mut words = bytes.split(|byte| *byte == 0).filter_map(|word| word.strip_prefix(b"version="));
    let version = String::from_utf8_lossy(words.next()?).into_owned();
    is_version(&version).then_some(version)
}
