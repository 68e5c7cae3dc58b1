//! Builds the two libraries of the simulated driver: rustc compiles the crates next to this one again, without std and
//! as shared libraries that need nothing but the kernel. `bazel/standalone.bzl` passes rustc the same options.
//!
//! Cargo cannot do this: a dependency is never a shared library with another profile, and a target for static programs
//! has no shared libraries. rustc is the build's own and is run the way cargo runs it, so a build without a network
//! works here too. If `FAKE_NVIDIA_LIBRARIES` names a folder, the libraries are taken from there. For a target that the
//! crates do not know, the libraries are empty files. If rustc fails to link, the build fails: there is no program
//! without the libraries on x86_64 and aarch64.
#![allow(clippy::print_stdout, reason = "cargo speaks to a build script that way")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The libraries: the crate's folder, its name, and the library's SONAME.
const LIBRARIES: [(&str, &str, &str); 2] =
    [("nvml", "nvidia_simulated_nvml", "libnvidia-ml.so.1"), ("cuda", "nvidia_simulated_cuda", "libcuda.so.1")];
/// The crates that both libraries are built from, the lower one first.
const PARTS: [(&str, &str); 2] = [("given", "nvidia_simulated_given"), ("shim", "nvidia_simulated_shim")];

fn main() -> Result<(), String> {
    for (folder, ..) in PARTS.iter().map(|(folder, name)| (*folder, *name, "")).chain(LIBRARIES) {
        println!("cargo::rerun-if-changed=../{folder}/src");
    }
    println!("cargo::rerun-if-env-changed=FAKE_NVIDIA_LIBRARIES");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let ready = env::var_os("FAKE_NVIDIA_LIBRARIES").filter(|folder| !folder.is_empty());
    let known = ["x86_64", "aarch64"].contains(&variable("CARGO_CFG_TARGET_ARCH")?.to_str().unwrap_or_default());
    for (folder, name, library) in LIBRARIES {
        let to = out.join(library);
        match &ready {
            Some(ready) => copy(&Path::new(ready).join(library), &to)?,
            None if known => compile(&out, folder, name, Some(library), &to)?,
            None => fs::write(&to, b"").map_err(|why| format!("{}: {why}", to.display()))?,
        }
    }
    Ok(())
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", from.display());
    fs::copy(from, to).map(drop).map_err(|why| format!("{}: {why}", from.display()))
}

/// Compiles a crate: to a shared library if it has a library's name, otherwise to an rlib for the other crates.
fn compile(out: &Path, folder: &str, name: &str, library: Option<&str>, to: &Path) -> Result<(), String> {
    if library.is_some() {
        for (folder, name) in PARTS {
            compile(out, folder, name, None, &out.join(format!("lib{name}.rlib")))?;
        }
    }
    let mut rustc = Command::new(variable("RUSTC")?);
    rustc.arg(format!("{folder}/src/lib.rs")).args(["--edition=2024", "--cap-lints=allow", "--cfg=standalone"]);
    rustc.arg(format!("--crate-name={name}")).arg("--target").arg(variable("TARGET")?);
    rustc.args([
        "-Copt-level=s",
        "-Cpanic=abort",
        "-Ccodegen-units=1",
        "-Coverflow-checks=off",
        "-Cdebug-assertions=off",
    ]);
    if env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|machine| machine == "aarch64") {
        // Otherwise atomics would be functions that ask a C library about the processor.
        rustc.arg("-Ctarget-feature=-outline-atomics");
    }
    // Otherwise the program would contain paths of the build machine.
    let crates =
        PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..").canonicalize().map_err(|why| why.to_string())?;
    rustc.arg("--remap-path-prefix").arg(format!("{}=", crates.display())).current_dir(crates);
    rustc.arg("-L").arg(out).arg("-o").arg(to);
    for (_, part) in PARTS.iter().filter(|(_, part)| *part != name) {
        let rlib = out.join(format!("lib{part}.rlib"));
        if rlib.exists() && !(library.is_none() && *part == "nvidia_simulated_shim") {
            rustc.arg("--extern").arg(format!("{part}={}", rlib.display()));
        }
    }
    match library {
        None => rustc.arg("--crate-type=rlib"),
        Some(library) => link(&mut rustc, library),
    };
    run(rustc, name)
}

/// Adds the options for a library that loads anywhere: no C library, no start-up code, no undefined symbols, nothing
/// that an old loader does not know.
fn link<'a>(rustc: &'a mut Command, library: &str) -> &'a mut Command {
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("-Clinker=");
        option.push(linker);
        rustc.arg(option);
    }
    // A target for static programs still builds shared libraries if asked.
    rustc.args(["--crate-type=cdylib", "-Clto=fat", "-Cstrip=symbols", "-Ctarget-feature=-crt-static"]);
    rustc.args(["-Clink-arg=-nostdlib", "-Clink-arg=-nostartfiles"]);
    if env::var_os("CARGO_CFG_TARGET_ENV").is_some_and(|library| library == "musl") {
        // Otherwise rustc would add its own start-up code.
        rustc.arg("-Clink-self-contained=no");
    }
    let options = "-z,defs,-z,now,-z,relro,-z,noexecstack,-Bsymbolic,--hash-style=both,--build-id=none";
    rustc.arg(format!("-Clink-arg=-Wl,{options},-soname,{library}"))
}

fn run(mut rustc: Command, name: &str) -> Result<(), String> {
    let output = rustc.output().map_err(|why| format!("rustc could not be started: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!(
        "rustc could not make the library {name} ({}); FAKE_NVIDIA_LIBRARIES may name a folder with both:\n{said}",
        output.status
    ))
}
