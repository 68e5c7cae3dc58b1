//! A case folder as fixtures/README.md describes it: which files it may have, and the scene that they make.
//! Must not know how a case is run.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::expected::Expected;
use crate::fixtures::{Files, Fixtures};
use crate::host_toml::HostToml;
use crate::scene::{CLI, Node, Scene};

/// Where the files of a case are in its scene.
const PLACES: [(&str, &str); 2] =
    [("config.toml", "/etc/nvidia-container-runtime/config.toml"), ("bundle/config.json", "/bundle/config.json")];
/// The other files of a case.
const OTHERS: [&str; 3] = ["state.json", "host.toml", "expected.toml"];

/// A case folder.
#[derive(Debug, Clone)]
pub struct Case {
    /// `AREA/CASE`.
    pub name: String,
    files: Files,
    defaults: Arc<Files>,
}

impl Case {
    /// A case of these files; `defaults` stand in for those that it leaves out.
    pub fn new(name: &str, files: Files, defaults: Arc<Files>) -> Case {
        Case { name: name.to_owned(), files, defaults }
    }

    /// Every case folder, by name.
    pub fn all(fixtures: &Fixtures) -> Result<Vec<Case>> {
        let defaults = Arc::new(fixtures.below("defaults"));
        let mut cases: BTreeMap<String, Files> = BTreeMap::new();
        for (path, text) in fixtures.below("hook") {
            let mut parts = path.splitn(3, '/');
            let (Some(area), Some(case), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
                bail!("fixtures/hook/{path} is not in a case folder AREA/CASE");
            };
            cases.entry(format!("{area}/{case}")).or_default().insert(file.to_owned(), text);
        }
        Ok(cases.into_iter().map(|(name, files)| Case::new(&name, files, Arc::clone(&defaults))).collect())
    }

    /// The area.
    pub fn area(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(area, _)| area)
    }

    /// The expectations.
    pub fn expected(&self) -> Result<Expected> {
        let text = self.files.get("expected.toml").context("no expected.toml")?;
        toml::from_str(text).context("expected.toml")
    }

    /// The scene.
    pub fn scene(&self) -> Result<Scene> {
        let known = |name: &str| OTHERS.contains(&name) || PLACES.iter().any(|(file, _)| *file == name);
        if let Some(name) = self.files.keys().find(|name| !known(name)) {
            bail!("{name} is not a file of a case; see fixtures/README.md");
        }
        let mut scene = usual(&self.defaults);
        put(&mut scene, &self.files);
        if let Some(text) = self.files.get("host.toml") {
            let host: HostToml = toml::from_str(text).context("host.toml")?;
            host.apply(&mut scene).context("host.toml")?;
        }
        Ok(scene)
    }
}

/// The scene of a case without files of its own.
pub fn usual_scene(fixtures: &Fixtures) -> Scene {
    usual(&fixtures.below("defaults"))
}

fn usual(defaults: &Files) -> Scene {
    let mut scene = Scene {
        args: vec![b"prestart".to_vec()],
        // nvidia-container-cli gets the same search path, so most cases pass on the environment that they got.
        environ: vec![b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_vec()],
        cwd: "/".to_owned(),
        files: vec![(CLI.to_owned(), Node::EXECUTABLE_CLI)],
        ..Scene::default()
    };
    put(&mut scene, defaults);
    scene
}

fn put(scene: &mut Scene, files: &Files) {
    for (file, place) in PLACES {
        if let Some(text) = files.get(file) {
            scene.put(place, Node::text(text.as_str()));
        }
    }
    if let Some(text) = files.get("state.json") {
        scene.stdin.content = text.clone().into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_outside_of_a_case_folder_is_an_error() {
        for (path, is_case) in [("hook/area/case/expected.toml", true), ("hook/area/expected.toml", false)] {
            let fixtures = Fixtures::of(Files::from([(path.to_owned(), String::new())]));
            assert_eq!(Case::all(&fixtures).is_ok(), is_case, "{path}");
        }
    }
}
