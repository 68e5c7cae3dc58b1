//! The image of all containers: what a dynamic program and ldconfig need from the Debian root that `.ci/run` prepares,
//! a shell, and the NVML client.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use hook_test_support::programs::{fixtures, source};

/// The applets of the container's shell.
const APPLETS: [&str; 7] = ["sh", "ls", "grep", "readlink", "sleep", "stat", "id"];
/// What a dynamic program and Debian's ldconfig need.
const OF_DEBIAN: [&str; 4] = ["etc/debian_version", "etc/ld.so.conf", "etc/os-release", "sbin/ldconfig"];

/// Makes the image in a folder.
pub fn make(image: &Path) {
    let debian = source("target/debian");
    assert!(debian.join("etc/debian_version").exists(), "{}: .ci/run prepares it", debian.display());
    for folder in [
        "bin", "sbin", "dev", "proc", "sys", "tmp", "run", "root", "home", "mnt", "etc", "usr/bin", "usr/lib",
        "var/run", "var/tmp",
    ] {
        fs::create_dir_all(image.join(folder)).unwrap();
    }
    for file in OF_DEBIAN {
        fs::copy(debian.join(file), image.join(file)).unwrap();
    }
    fs::create_dir_all(image.join("etc/ld.so.conf.d")).unwrap();
    for file in fs::read_dir(debian.join("etc/ld.so.conf.d")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), image.join("etc/ld.so.conf.d").join(file.file_name())).unwrap();
    }
    libraries(&debian, image);
    fs::write(image.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(image.join("etc/group"), "root:x:0:\n").unwrap();
    for empty in ["hosts", "resolv.conf", "hostname"] {
        fs::write(image.join("etc").join(empty), "").unwrap();
    }
    fs::copy(busybox(), image.join("bin/busybox")).unwrap();
    for applet in APPLETS {
        symlink("busybox", image.join("bin").join(applet)).unwrap();
    }
    client(&image.join("bin/nvml"));
    let refreshed = Command::new("/sbin/ldconfig").arg("-r").arg(image).status().unwrap();
    assert!(refreshed.success());
}

/// The C library and the loader, where Debian has them, and the links to those places.
fn libraries(debian: &Path, image: &Path) {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let folder = format!("usr/lib/{triplet}");
    fs::create_dir_all(image.join(&folder)).unwrap();
    symlink("usr/lib", image.join("lib")).unwrap();
    for name in ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"] {
        fs::copy(debian.join(&folder).join(name), image.join(&folder).join(name)).unwrap();
    }
    let loader = if cfg!(target_arch = "aarch64") { "lib/ld-linux-aarch64.so.1" } else { "lib64/ld-linux-x86-64.so.2" };
    let place = image.join(loader);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(debian.join(loader), place).unwrap();
}

fn busybox() -> PathBuf {
    let places = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from);
    places.into_iter().find(|place| place.exists()).expect("a static busybox")
}

/// Compiles the client. It calls nothing that is newer than the image's C library.
fn client(program: &Path) {
    let mut compile = Command::new("cc");
    let made = compile.arg("-o").arg(program).arg(fixtures().join("engines/nvml.c")).arg("-ldl").status();
    assert!(made.expect("cc").success());
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}
