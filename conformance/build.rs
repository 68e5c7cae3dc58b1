//! Packs the cases of fixtures/ into a release build, so that the program needs no checkout. A debug build reads the tree
//! instead: an edited case then needs no build.
#![allow(clippy::disallowed_methods, reason = "a build script reads the tree")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What the library calls `fixtures::FOLDERS`.
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

fn pack(fixtures: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", fixtures.join(folder).display());
        gather(fixtures, &fixtures.join(folder), &mut files)?;
    }
    Ok(miniz_oxide::deflate::compress_to_vec_zlib(&serde_json::to_vec(&files)?, 9))
}

fn gather(top: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(top, &path, files)?;
        } else {
            files.insert(path.strip_prefix(top)?.to_string_lossy().into_owned(), fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
