//! The files of `fixtures/` that hold cases, from a folder or packed into a program. Must not know what they mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// The folders that are read.
pub const FOLDERS: [&str; 3] = ["defaults", "hook", "recorded"];

/// Texts by their path, with `/` between folders.
pub type Files = BTreeMap<String, String>;

/// All files below the [`FOLDERS`].
#[derive(Debug, Clone, Default)]
pub struct Fixtures {
    files: Files,
}

impl Fixtures {
    /// These files.
    pub fn of(files: Files) -> Fixtures {
        Fixtures { files }
    }

    /// Reads a folder that is laid out like `fixtures/`.
    pub fn read(folder: &Path) -> Result<Fixtures> {
        let mut files = Files::new();
        for name in FOLDERS {
            for file in files_below(&folder.join(name))? {
                let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                let path = file.strip_prefix(folder).unwrap_or(&file);
                files.insert(path.to_string_lossy().into_owned(), text);
            }
        }
        Ok(Fixtures::of(files))
    }

    /// Reads what `build.rs` packed: path, text, path, text and so on, with a zero byte after each, compressed by zlib.
    pub fn unpack(packed: &[u8]) -> Result<Fixtures> {
        let bytes =
            miniz_oxide::inflate::decompress_to_vec_zlib(packed).map_err(|why| anyhow!("unpack the cases: {why}"))?;
        let text = String::from_utf8(bytes).context("read the packed cases")?;
        let mut parts = text.split_terminator('\0').map(str::to_owned);
        let mut files = Files::new();
        while let Some(path) = parts.next() {
            let text = parts.next().with_context(|| format!("the packed {path} has no text"))?;
            files.insert(path, text);
        }
        Ok(Fixtures::of(files))
    }

    /// A file that must be there.
    pub fn file(&self, path: &str) -> Result<&str> {
        self.files.get(path).map(String::as_str).with_context(|| format!("fixtures/{path} is missing"))
    }

    /// The files below a folder, by their path in it.
    pub fn below(&self, folder: &str) -> Files {
        let prefix = format!("{folder}/");
        let of = |(path, text): (&String, &String)| Some((path.strip_prefix(&prefix)?.to_owned(), text.clone()));
        self.files.iter().filter_map(of).collect()
    }
}

/// All files below a directory, by path.
pub fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files_below(&path)?);
        } else {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_build_script_packs_is_what_is_read() {
        let text = "hook/a/b/expected.toml\0why = \"é\"\n\0recorded/empty.jsonl\0\0";
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), 9);
        assert_eq!(
            Fixtures::unpack(&packed).unwrap().below("hook/a"),
            Files::from([("b/expected.toml".to_owned(), "why = \"é\"\n".to_owned())])
        );
        assert_eq!(Fixtures::unpack(&packed).unwrap().file("recorded/empty.jsonl").unwrap(), "");
        assert!(Fixtures::unpack(&packed[1..]).is_err());
        assert!(Fixtures::unpack(b"").is_err());
    }
}
