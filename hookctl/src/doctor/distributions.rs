//! Remedies for systems that are not installed package by package: how each gets the kernel module, the libraries,
//! ldconfig and its cache. Must not look at a host except for where a driver is.

use std::path::Path;

use super::driver::library;
use super::surroundings::{Around, Distribution, Surroundings};
use crate::inspect::Inspect;
use crate::tree::Tree;

/// Directories where systems keep the driver's libraries, outside the linker's own.
const ELSEWHERE: [&str; 11] = [
    "/run/opengl-driver/lib",
    "/usr/local/glibc/usr/lib",
    "/opt/nvidia/current/usr/lib",
    "/opt/nvidia/lib64",
    "/home/kubernetes/bin/nvidia/lib64",
    "/var/lib/nvidia/lib64",
    "/usr/local/nvidia/lib64",
    "/usr/lib/nvidia/current",
    "/usr/lib64/nvidia",
    "/usr/lib/nvidia",
    "/x86_64-bottlerocket-linux-gnu/sys-root/usr/lib/nvidia/tesla",
];

/// The first directory outside the linker's own that has a library.
#[must_use]
pub fn seen_elsewhere(host: &Tree, name: &str) -> Option<&'static str> {
    ELSEWHERE.into_iter().find(|directory| host.has(&format!("{directory}/{name}")))
}

/// How the kernel module gets onto a system; `None` for the usual ones.
#[must_use]
pub fn module(distribution: Distribution) -> Option<&'static str> {
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
        Distribution::Ostree => {
            "layer the driver with rpm-ostree (or use an image that has it), and reboot; on OpenShift let the GPU \
             operator run its driver container"
        }
        Distribution::Musl => {
            "NVIDIA publishes no driver for systems of musl: use a distribution of glibc for this host (containers may be \
             of musl)"
        }
        Distribution::Appliance(_) => "switch the NVIDIA driver on in the settings of this appliance, and reboot",
    })
}

/// How the libraries of the driver get onto a machine; `module` is the version of the kernel module.
#[must_use]
pub fn libraries(host: &Tree, surroundings: &Surroundings, module: Option<&str>) -> String {
    let version = module.map_or_else(String::new, |module| format!(" {module}"));
    match (surroundings.distribution, surroundings.around) {
        (Distribution::NixOs, _) => {
            "set hardware.graphics.enable = true and hardware.nvidia-container-toolkit.enable = true, and rebuild; \
             the libraries are then below /run/opengl-driver, which CDI uses"
                .to_owned()
        }
        (Distribution::Talos, _) => {
            "add the system extension nvidia-container-toolkit of the driver's version to the image, and use CDI or \
             its runtime class"
                .to_owned()
        }
        (Distribution::Cos, _) if seen_elsewhere(host, "libcuda.so.1").is_some() => {
            "containers get this driver from the device plugin of the cluster, and not by the hook: use that, or CDI"
                .to_owned()
        }
        (Distribution::Flatcar | Distribution::Bottlerocket | Distribution::Cos, _) => {
            format!(
                "use an image or extension of this system that brings the driver{version}: nothing can be installed"
            )
        }
        (Distribution::Ostree | Distribution::Musl | Distribution::Appliance(_), Around::Nothing) => {
            super::distributions::module(surroundings.distribution).unwrap_or_default().to_owned()
        }
        (_, Around::Container(kind)) => format!(
            "install the driver's libraries of exactly the version{version} of the outer host's kernel module in this \
             container ({kind}), with the installer's option --no-kernel-module, and run ldconfig"
        ),
        _ => match seen_elsewhere(host, "libnvidia-ml.so.1") {
            Some(directory) => {
                format!("name {directory} in a file of /etc/ld.so.conf.d, and run ldconfig; they are installed there")
            }
            None => format!(
                "install the driver's libraries of the kernel module's version{version} (in an LXC container with the \
                 installer's option --no-kernel-module), and run ldconfig"
            ),
        },
    }
}

/// What to do if the linker's cache is missing or stale; `None` for systems where ldconfig is run as usual.
#[must_use]
pub fn linker_cache(distribution: Distribution) -> Option<&'static str> {
    Some(match distribution {
        Distribution::NixOs => {
            "use CDI, which hardware.nvidia-container-toolkit.enable = true sets up (--device nvidia.com/gpu=all): this \
             system has no cache of the linker"
        }
        Distribution::Talos => {
            "use the runtime class or CDI of the system extension nvidia-container-toolkit, whose nvidia-container-cli \
             has a cache of its own: this system has none"
        }
        Distribution::Musl => "use a distribution of glibc for this host: musl has no cache of the linker",
        Distribution::Bottlerocket | Distribution::Cos => {
            "use the runtime class of this system's NVIDIA image, or CDI: its file system cannot be changed"
        }
        _ => return None,
    })
}

/// What to do if ldconfig is missing; `None` for systems where a package brings it.
#[must_use]
pub fn ldconfig(distribution: Distribution) -> Option<&'static str> {
    Some(match distribution {
        Distribution::NixOs => {
            "use CDI (hardware.nvidia-container-toolkit.enable = true); for the hook name glibc's own program, \
             nvidia-container-cli.ldconfig = \"@/nix/store/...-glibc-...-bin/bin/ldconfig\""
        }
        Distribution::Musl => "use a distribution of glibc for this host: musl has no ldconfig that writes a cache",
        _ => return None,
    })
}

/// Where a library is, if outside the linker's directories, as an addition to a message.
#[must_use]
pub fn note_of_elsewhere(host: &Tree) -> String {
    let name = super::driver::LIBRARIES[0];
    match seen_elsewhere(host, name) {
        Some(directory) if library(host, Path::new("/"), name).is_none() => {
            format!(" ({directory}, which the linker does not search, has them)")
        }
        _ => String::new(),
    }
}
