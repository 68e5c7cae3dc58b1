//! Which files belong to a driver: what each serves, which drivers have it, and by which names programs ask for it. One
//! row per file; the order is the order of every list and every mount.
//!
//! It knows file names and versions, but not the folders of a machine or a container.

use Capability::{Compute, Graphics, Ngx, Utility, Video};

/// What a file serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// CUDA and OpenCL programs.
    Compute,
    /// nvidia-smi and the files that it depends on.
    Utility,
    /// Encoding and decoding of video.
    Video,
    /// OpenGL and Vulkan programs.
    Graphics,
    /// NGX, the library of neural graphics.
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

/// A library of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// The start of its file name: `libcuda` of `libcuda.so.570.172.08`.
    pub name: &'static str,
    /// The capability that brings it into a container.
    pub serves: Capability,
    /// What follows `.so` in its SONAME, the name that programs ask for and that ldconfig links to the file. `None` for
    /// a library that only the driver's own files load: its SONAME is the file name, so nothing is linked.
    pub soname: Option<&'static str>,
    /// The first driver branch that installs it, and the first one that no longer does.
    branches: (u32, u32),
    /// Whether the driver installs it for 32-bit programs too.
    both_widths: bool,
}

const EVER: (u32, u32) = (0, u32::MAX);
const fn since(branch: u32) -> (u32, u32) {
    (branch, u32::MAX)
}
const fn until(branch: u32) -> (u32, u32) {
    (0, branch)
}

const fn library_of(
    name: &'static str,
    serves: Capability,
    soname: Option<&'static str>,
    branches: (u32, u32),
    both_widths: bool,
) -> Library {
    Library { name, serves, soname, branches, both_widths }
}

/// For 64-bit and 32-bit programs.
const BOTH: bool = true;
/// For 64-bit programs only.
const WIDE: bool = false;
const ONE: Option<&str> = Some(".1");

/// All libraries. SONAMEs and branches come from public packages and the driver's README.
pub const LIBS: [Library; 34] = [
    library_of("libnvidia-ml", Utility, ONE, EVER, BOTH),
    library_of("libnvidia-cfg", Utility, ONE, EVER, WIDE),
    library_of("libnvidia-nscq", Utility, Some(".2"), since(450), WIDE),
    library_of("libcuda", Compute, ONE, EVER, BOTH),
    library_of("libcudadebugger", Compute, ONE, since(520), WIDE),
    library_of("libnvidia-opencl", Compute, ONE, EVER, BOTH),
    library_of("libnvidia-gpucomp", Compute, None, since(545), WIDE),
    library_of("libnvidia-ptxjitcompiler", Compute, ONE, EVER, BOTH),
    library_of("libnvidia-fatbinaryloader", Compute, None, until(450), BOTH),
    library_of("libnvidia-allocator", Compute, ONE, since(435), BOTH),
    library_of("libnvidia-compiler", Compute, None, until(520), BOTH),
    library_of("libnvidia-pkcs11", Compute, None, since(530), WIDE),
    library_of("libnvidia-pkcs11-openssl3", Compute, None, since(530), WIDE),
    library_of("libnvidia-nvvm", Compute, Some(".4"), since(495), WIDE),
    library_of(TILEIRAS, Compute, None, since(590), WIDE),
    library_of("libnvidia-ngx", Ngx, ONE, since(415), WIDE),
    library_of("libvdpau_nvidia", Video, ONE, EVER, BOTH),
    library_of("libnvidia-encode", Video, ONE, EVER, BOTH),
    library_of("libnvidia-opticalflow", Video, ONE, since(418), WIDE),
    library_of("libnvcuvid", Video, ONE, EVER, BOTH),
    library_of("libnvidia-eglcore", Graphics, None, EVER, BOTH),
    library_of("libnvidia-glcore", Graphics, None, EVER, BOTH),
    library_of("libnvidia-tls", Graphics, None, EVER, BOTH),
    library_of("libnvidia-glsi", Graphics, None, EVER, BOTH),
    library_of("libnvidia-fbc", Graphics, ONE, EVER, WIDE),
    library_of("libnvidia-ifr", Graphics, ONE, until(495), WIDE),
    library_of("libnvidia-rtcore", Graphics, None, since(410), WIDE),
    library_of("libnvoptix", Graphics, ONE, since(410), WIDE),
    library_of("libGLX_nvidia", Graphics, Some(".0"), EVER, BOTH),
    library_of("libEGL_nvidia", Graphics, Some(".0"), EVER, BOTH),
    library_of("libGLESv2_nvidia", Graphics, Some(".2"), EVER, WIDE),
    library_of("libGLESv1_CM_nvidia", Graphics, ONE, EVER, WIDE),
    library_of("libnvidia-glvkspirv", Graphics, None, since(396), WIDE),
    library_of("libnvidia-cbl", Graphics, None, (410, 465), WIDE),
];

/// The library that nvidia-container-cli has known since 1.19.
pub const TILEIRAS: &str = "libnvidia-tileiras";

/// The first branch whose driver has MIG and shows MIG rights as files and nodes.
pub const MIG_SINCE: u32 = 450;

/// The branch of a driver: the first number of its version, e.g. 570 of `570.172.08`; 0 if it is not a number.
#[must_use]
pub fn branch(driver: &str) -> u32 {
    driver.split('.').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The names of the libraries that a full driver installs, in the order of the table.
pub fn usual_libs(driver: &str) -> impl Iterator<Item = &'static str> {
    let branch = branch(driver);
    LIBS.iter().filter(move |library| (library.branches.0..library.branches.1).contains(&branch)).map(|l| l.name)
}

/// The names of the libraries that it installs for 32-bit programs too.
pub fn usual_libs32(driver: &str) -> impl Iterator<Item = &'static str> {
    let both = |name: &&str| LIBS.iter().any(|library| library.name == *name && library.both_widths);
    usual_libs(driver).filter(both)
}

/// The file names of its GSP firmware: one file in the first drivers with firmware, then one for each kind of chip.
#[must_use]
pub fn usual_firmware(driver: &str) -> &'static [&'static str] {
    match branch(driver) {
        0..470 => &[],
        470..525 => &["gsp.bin"],
        525..530 => &["gsp_ad10x.bin", "gsp_tu10x.bin"],
        _ => &["gsp_ga10x.bin", "gsp_tu10x.bin"],
    }
}

/// The sockets of its daemons and the MPS folder.
#[must_use]
pub fn usual_ipcs(driver: &str) -> &'static [&'static str] {
    match branch(driver) {
        0..460 => &["/run/nvidia-persistenced/socket", "/tmp/nvidia-mps"],
        _ => &["/run/nvidia-persistenced/socket", "/run/nvidia-fabricmanager/socket", "/tmp/nvidia-mps"],
    }
}

/// The names of all programs.
pub fn bins() -> impl Iterator<Item = &'static str> {
    BINS.iter().map(|(name, _)| *name)
}

/// The table row of a library's file.
fn row(file: &str) -> Option<&'static Library> {
    let is = |name: &str| file.strip_prefix(name).is_some_and(|rest| rest.starts_with(".so"));
    LIBS.iter().find(|library| is(library.name))
}

/// What a library serves, by its file name.
#[must_use]
pub fn library(file: &str) -> Option<Capability> {
    row(file).map(|library| library.serves)
}

/// The SONAME of a library's file: `libcuda.so.1` for `libcuda.so.570.172.08`, or the file name itself if only the
/// driver loads it. The SONAME of a file that is not in the table ends in `.so.1`.
#[must_use]
pub fn soname(file: &str) -> String {
    let (stem, _) = file.split_once(".so").unwrap_or((file, ""));
    match row(file) {
        Some(Library { soname: Some(number), .. }) => format!("{stem}.so{number}"),
        Some(_) => file.to_owned(),
        None => format!("{stem}.so.1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_ask_for_libraries_by_the_drivers_names() {
        for (file, name) in [
            ("libcuda.so.550.54.15", "libcuda.so.1"),
            ("libGLX_nvidia.so.550.54.15", "libGLX_nvidia.so.0"),
            ("libEGL_nvidia.so.550.54.15", "libEGL_nvidia.so.0"),
            ("libGLESv2_nvidia.so.550.54.15", "libGLESv2_nvidia.so.2"),
            ("libnvidia-nvvm.so.550.54.15", "libnvidia-nvvm.so.4"),
            ("libnvidia-glcore.so.550.54.15", "libnvidia-glcore.so.550.54.15"),
            ("libnvidia-pkcs11-openssl3.so.550.54.15", "libnvidia-pkcs11-openssl3.so.550.54.15"),
            ("libcudart.so.12.4.1", "libcudart.so.1"),
        ] {
            assert_eq!(soname(file), name);
        }
    }

    #[test]
    fn a_driver_has_the_files_of_its_age() {
        let has = |driver: &str, name: &str| usual_libs(driver).any(|library| library == name);
        for (name, ages) in [
            ("libnvidia-fatbinaryloader", [true, false, false, false, false, false]),
            ("libnvidia-ifr", [true, true, false, false, false, false]),
            ("libnvidia-compiler", [true, true, false, false, false, false]),
            ("libnvidia-nscq", [false, true, true, true, true, true]),
            ("libnvidia-nvvm", [false, false, true, true, true, true]),
            ("libcudadebugger", [false, false, true, true, true, true]),
            ("libnvidia-pkcs11", [false, false, true, true, true, true]),
            ("libnvidia-gpucomp", [false, false, false, true, true, true]),
            ("libcuda", [true; 6]),
        ] {
            let drivers = ["440.33.01", "470.256.02", "535.161.07", "550.54.15", "570.172.08", "580.65.06"];
            assert_eq!(drivers.map(|driver| has(driver, name)), ages, "{name}");
        }
        assert_eq!(usual_firmware("440.33.01"), <&[&str]>::default());
        assert_eq!(usual_firmware("470.256.02"), ["gsp.bin"]);
        assert_eq!(usual_firmware("580.65.06"), ["gsp_ga10x.bin", "gsp_tu10x.bin"]);
    }
}
