//! A case folder as fixtures/README.md describes it: which files it may have, and the scene that they make.
//! Must not know how a case is run.

use std::fs;
use std::path::{Path, PathBuf};

use super::expected::Expected;
use super::host_toml::HostToml;
use super::programs;
use super::scene::{CLI, Node, Scene};

/// The folder that holds what applies where a case says nothing.
const DEFAULTS: &str = "defaults";
/// Where the files of a case stand in its scene.
const PLACES: [(&str, &str); 2] =
    [("config.toml", "/etc/nvidia-container-runtime/config.toml"), ("bundle/config.json", "/bundle/config.json")];

/// A case folder.
#[derive(Debug, Clone)]
pub struct Case {
    /// `AREA/CASE`.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

impl Case {
    /// The area.
    pub fn area(&self) -> &str {
        self.name.split('/').next().unwrap()
    }

    /// Every case folder, by name.
    pub fn all() -> Vec<Case> {
        let areas = folders(&programs::fixtures().join("hook"));
        let cases =
            areas.into_iter().flat_map(|area| folders(&area).into_iter().map(move |folder| (file_name(&area), folder)));
        cases.map(|(area, folder)| Case { name: format!("{area}/{}", file_name(&folder)), folder }).collect()
    }

    /// The expectations.
    pub fn expected(&self) -> Result<Expected, String> {
        let text = self.read("expected.toml")?.ok_or("no expected.toml")?;
        toml::from_str(&text).map_err(|why| format!("expected.toml: {why}"))
    }

    /// The scene.
    pub fn scene(&self) -> Result<Scene, String> {
        self.check_files()?;
        let mut scene = usual_scene()?;
        for (file, place) in PLACES {
            if let Some(text) = self.read(file)? {
                scene.put(place, Node::text(text));
            }
        }
        if let Some(text) = self.read("state.json")? {
            scene.stdin.content = text.into_bytes();
        }
        if let Some(text) = self.read("host.toml")? {
            let host: HostToml = toml::from_str(&text).map_err(|why| format!("host.toml: {why}"))?;
            host.apply(&mut scene)?;
        }
        Ok(scene)
    }

    fn check_files(&self) -> Result<(), String> {
        let known = ["config.toml", "state.json", "bundle/config.json", "host.toml", "expected.toml"];
        for file in files(&self.folder) {
            let name = file.strip_prefix(&self.folder).unwrap().to_string_lossy().into_owned();
            if !known.contains(&name.as_str()) {
                return Err(format!("{name} is no file of a case; see fixtures/README.md"));
            }
        }
        Ok(())
    }

    fn read(&self, file: &str) -> Result<Option<String>, String> {
        read(&self.folder.join(file))
    }
}

/// The scene of a case that says nothing.
pub fn usual_scene() -> Result<Scene, String> {
    let mut scene = Scene {
        args: vec![b"prestart".to_vec()],
        // The search path of nvidia-container-cli is this one then, so that most cases hand on what they got.
        environ: vec![b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_vec()],
        cwd: "/".to_owned(),
        files: vec![(CLI.to_owned(), Node::EXECUTABLE_CLI)],
        ..Scene::default()
    };
    let default = |file| read(&programs::fixtures().join(DEFAULTS).join(file));
    for (file, place) in PLACES {
        if let Some(text) = default(file)? {
            scene.put(place, Node::text(text));
        }
    }
    scene.stdin.content = default("state.json")?.unwrap_or_default().into_bytes();
    Ok(scene)
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(format!("{}: {why}", path.display())),
    }
}

/// The directories in a directory, by name.
pub fn folders(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|why| panic!("{}: {why}", directory.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// All files below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
