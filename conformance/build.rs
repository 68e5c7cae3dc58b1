//! Packs the cases of fixtures/ into a release build, so the program needs no checkout. A debug build reads the tree
//! instead, so an edited case needs no rebuild.
#![allow(clippy::disallowed_methods, reason = "a build script reads the tree")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The library's `fixtures::FOLDERS`.
const FOLDERS: [&str; 3] = ["defaults", "hook", "recorded"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let fixtures = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../fixtures");
    println!("cargo::rustc-check-cfg=cfg(packed)");
    if env::var("PROFILE")? == "release" {
        fs::write(PathBuf::from(env::var("OUT_DIR")?).join("cases"), pack(&fixtures)?)?;
        println!("cargo::rustc-cfg=packed");
    } else {
        println!("cargo::rustc-env=CASES_TREE={}", fixtures.display());
    }
    Ok(())
}

/// Path, text, path, text and so on, with a zero byte after each, compressed by zlib.
fn pack(fixtures: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", fixtures.join(folder).display());
        gather(&fixtures.join(folder), &mut files)?;
    }
    files.sort();
    let mut packed = String::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        if text.contains('\0') {
            return Err(format!("{}: a zero byte in a case", file.display()).into());
        }
        let path = file.strip_prefix(fixtures)?.to_string_lossy();
        packed.extend([&path, "\0", &text, "\0"]);
    }
    Ok(miniz_oxide::deflate::compress_to_vec_zlib(packed.as_bytes(), 9))
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
