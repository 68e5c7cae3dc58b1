//! Which files belong to a driver, and which capability each serves. One row a file; the order is the order of every
//! list and of every mount.

use Capability::{Compute, Graphics, Ngx, Utility, Video};

/// What a file serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// CUDA and OpenCL.
    Compute,
    /// nvidia-smi and NVML.
    Utility,
    /// The video codecs.
    Video,
    /// OpenGL and Vulkan.
    Graphics,
    /// NGX.
    Ngx,
}

/// Programs and what they serve.
pub const BINS: [(&str, Capability); 6] = [
    ("nvidia-smi", Utility),
    ("nvidia-debugdump", Utility),
    ("nvidia-persistenced", Utility),
    ("nv-fabricmanager", Utility),
    ("nvidia-cuda-mps-control", Compute),
    ("nvidia-cuda-mps-server", Compute),
];

/// Libraries and what they serve. `libnvidia-tileiras` is known from 1.19 on.
pub const LIBS: [(&str, Capability); 34] = [
    ("libnvidia-ml", Utility),
    ("libnvidia-cfg", Utility),
    ("libnvidia-nscq", Utility),
    ("libcuda", Compute),
    ("libcudadebugger", Compute),
    ("libnvidia-opencl", Compute),
    ("libnvidia-gpucomp", Compute),
    ("libnvidia-ptxjitcompiler", Compute),
    ("libnvidia-fatbinaryloader", Compute),
    ("libnvidia-allocator", Compute),
    ("libnvidia-compiler", Compute),
    ("libnvidia-pkcs11", Compute),
    ("libnvidia-pkcs11-openssl3", Compute),
    ("libnvidia-nvvm", Compute),
    (TILEIRAS, Compute),
    ("libnvidia-ngx", Ngx),
    ("libvdpau_nvidia", Video),
    ("libnvidia-encode", Video),
    ("libnvidia-opticalflow", Video),
    ("libnvcuvid", Video),
    ("libnvidia-eglcore", Graphics),
    ("libnvidia-glcore", Graphics),
    ("libnvidia-tls", Graphics),
    ("libnvidia-glsi", Graphics),
    ("libnvidia-fbc", Graphics),
    ("libnvidia-ifr", Graphics),
    ("libnvidia-rtcore", Graphics),
    ("libnvoptix", Graphics),
    ("libGLX_nvidia", Graphics),
    ("libEGL_nvidia", Graphics),
    ("libGLESv2_nvidia", Graphics),
    ("libGLESv1_CM_nvidia", Graphics),
    ("libnvidia-glvkspirv", Graphics),
    ("libnvidia-cbl", Graphics),
];

/// The library that only new versions know.
pub const TILEIRAS: &str = "libnvidia-tileiras";

/// The libraries of a full driver of today.
pub const USUAL_LIBS: [&str; 29] = [
    "libnvidia-ml",
    "libnvidia-cfg",
    "libnvidia-nscq",
    "libcuda",
    "libcudadebugger",
    "libnvidia-opencl",
    "libnvidia-gpucomp",
    "libnvidia-ptxjitcompiler",
    "libnvidia-allocator",
    "libnvidia-pkcs11",
    "libnvidia-pkcs11-openssl3",
    "libnvidia-nvvm",
    "libnvidia-ngx",
    "libvdpau_nvidia",
    "libnvidia-encode",
    "libnvidia-opticalflow",
    "libnvcuvid",
    "libnvidia-eglcore",
    "libnvidia-glcore",
    "libnvidia-tls",
    "libnvidia-glsi",
    "libnvidia-fbc",
    "libnvidia-rtcore",
    "libnvoptix",
    "libGLX_nvidia",
    "libEGL_nvidia",
    "libGLESv2_nvidia",
    "libGLESv1_CM_nvidia",
    "libnvidia-glvkspirv",
];

/// The 32-bit libraries of a full driver of today.
pub const USUAL_LIBS32: [&str; 14] = [
    "libnvidia-ml",
    "libcuda",
    "libnvidia-opencl",
    "libnvidia-ptxjitcompiler",
    "libnvidia-allocator",
    "libvdpau_nvidia",
    "libnvidia-encode",
    "libnvcuvid",
    "libnvidia-eglcore",
    "libnvidia-glcore",
    "libnvidia-tls",
    "libnvidia-glsi",
    "libGLX_nvidia",
    "libEGL_nvidia",
];

/// The names of all programs.
pub fn bins() -> impl Iterator<Item = &'static str> {
    BINS.iter().map(|(name, _)| *name)
}

/// What a library serves, by the start of its file name.
#[must_use]
pub fn library(file: &str) -> Option<Capability> {
    let is = |name: &str| file.strip_prefix(name).is_some_and(|rest| rest.starts_with(".so"));
    LIBS.iter().find(|(name, _)| is(name)).map(|(_, capability)| *capability)
}
