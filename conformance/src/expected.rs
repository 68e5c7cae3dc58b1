//! `expected.toml` of a case folder, and how an outcome differs from it. Must not know how a case is run.

use serde::Deserialize;

use crate::outcome::{Outcome, difference, shown};
use crate::release::Release;
use crate::scene::{HOOK, Scene};

/// From this release on, releases differ only by three rules of `rules.toml` (semver, key-types, mode-any-integrated).
/// A case that shows one of them says so with `published-since`.
pub const PUBLISHED_SINCE: &str = "1.18.2";

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// What the case shows, as a sentence.
    pub why: String,
    /// The source of the rule.
    pub source: String,
    /// The id of an odd behaviour of the published hook that ours shares.
    pub kept: Option<String>,
    /// The oldest published release that does what the case says of the published hook, if not [`PUBLISHED_SINCE`].
    pub published_since: Option<Release>,
    /// The security requirement that the case stands for, such as `S4`; the case then applies to every hook.
    pub requirement: Option<String>,
    /// What is different on disk afterwards.
    #[serde(default)]
    pub leaves: Vec<String>,
    /// Words that must appear nowhere: in no message, argument or variable.
    #[serde(default)]
    pub never: Vec<String>,
    /// Why another hook cannot show this, if it cannot.
    pub ours_only: Option<String>,
    /// The exit status.
    #[serde(default)]
    pub exit: i32,
    /// Standard error, exactly.
    #[serde(default)]
    pub stderr: String,
    /// Standard output, exactly.
    #[serde(default)]
    pub stdout: String,
    /// How nvidia-container-cli is executed, if it is.
    pub exec: Option<Exec>,
    /// What the published hook does instead.
    pub upstream: Option<Upstream>,
}

/// The execution of nvidia-container-cli.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exec {
    /// Each argument and where it came from.
    pub argv: Vec<(String, String)>,
    /// The environment, if it is not exactly the hook's own.
    pub environment: Option<Vec<String>>,
    /// nvidia-container-cli of this version does not understand the command line.
    #[serde(default)]
    pub refused: bool,
}

/// What the published hook does instead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upstream {
    /// The id of the difference in docs/differences.md.
    pub difference: String,
    /// Why ours differs, as a sentence.
    pub why_different: String,
    /// The exit status.
    #[serde(default)]
    pub exit: i32,
    /// The arguments, if something is executed.
    pub argv: Option<Vec<String>>,
    /// The environment, if it is not the one that ours passes on.
    pub environment: Option<Vec<String>>,
    /// Only the messages differ, so a run cannot show that the difference is gone.
    #[serde(default)]
    pub only_words: bool,
}

impl Expected {
    /// How an outcome differs from what this project's hook must do.
    pub fn faults(&self, scene: &Scene, outcome: &Outcome) -> Vec<String> {
        let mut faults = Vec::new();
        if self.why.is_empty() || self.source.is_empty() {
            faults.push("why and source must say something".to_owned());
        }
        if self.exit != outcome.exit {
            faults.push(format!("exit: want {}, got {}", self.exit, outcome.exit));
        }
        for (what, want, got) in [("stdout", &self.stdout, &outcome.stdout), ("stderr", &self.stderr, &outcome.stderr)]
        {
            if want.as_bytes() != got {
                faults.push(format!("{what}: want {want:?}, got {:?}", String::from_utf8_lossy(got)));
            }
        }
        if self.leaves != outcome.leaves {
            faults.push(format!("on disk: want {:?}, got {:?}", self.leaves, outcome.leaves));
        }
        match (&self.exec, &outcome.executed) {
            (None, None) => {}
            (None, Some(executed)) => faults.push(format!("executed {:?}", shown(&executed.argv))),
            (Some(_), None) => faults.push("nothing was executed".to_owned()),
            (Some(exec), Some(executed)) => {
                faults.extend(difference("argv", &exec.argv(), &executed.argv));
                faults.extend(difference("environment", &exec.environment(scene), &executed.environ));
                if exec.refused != executed.refused() {
                    faults.push(format!("nvidia-container-cli refuses the command line: {}", executed.refused()));
                }
                faults.extend(outcome_of_any(scene, outcome));
            }
        }
        faults
    }

    /// What a published hook does; `None` if that was never recorded.
    pub fn published(&self, scene: &Scene, release: Release) -> Option<Published> {
        let is_asked_of_every = self.requirement.is_some() && self.upstream.is_none();
        if !is_asked_of_every && (self.ours_only.is_some() || release < self.published_since()) {
            return None;
        }
        let ours = self.exec.as_ref();
        let environment = ours.map_or_else(|| scene.environ.clone(), |exec| exec.environment(scene));
        Some(match &self.upstream {
            None => Published { exit: self.exit, argv: ours.map(Exec::argv), environment },
            Some(it) => Published {
                exit: it.exit,
                argv: it.argv.as_deref().map(bytes),
                environment: it.environment.as_deref().map_or(environment, bytes),
            },
        })
    }

    /// The oldest published release that the case says anything about.
    pub fn published_since(&self) -> Release {
        self.published_since.or_else(|| PUBLISHED_SINCE.parse().ok()).unwrap_or(Release::MAIN)
    }

    /// Whether a run can show that ours and the published hook differ here.
    pub fn differs_visibly(&self) -> bool {
        self.upstream.as_ref().is_some_and(|it| !it.only_words)
    }
}

/// What an observer sees of any hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The exit status.
    pub exit: i32,
    /// The arguments, if something is executed.
    pub argv: Option<Vec<Vec<u8>>>,
    /// The environment.
    pub environment: Vec<Vec<u8>>,
}

impl Published {
    /// Whether two hooks differ in more than words.
    pub fn differs(&self, other: &Published) -> bool {
        let environment = |it: &Published| it.argv.is_some().then(|| it.environment.clone());
        let argv = |it: &Published| it.argv.as_deref().map(sort_requirements);
        (self.exit, argv(self), environment(self)) != (other.exit, argv(other), environment(other))
    }

    /// What differs. Messages are each hook's own, but a failure must have one.
    pub fn faults(&self, outcome: &Outcome) -> Vec<String> {
        let mut faults = Vec::new();
        if self.exit != outcome.exit {
            faults.push(format!("exit: want {}, got {} ({:?})", self.exit, outcome.exit, outcome.stderr()));
        }
        match (&self.argv, &outcome.executed) {
            (None, None) => {}
            (None, Some(executed)) => faults.push(format!("executed {:?}", shown(&executed.argv))),
            (Some(_), None) => faults.push("nothing was executed".to_owned()),
            (Some(argv), Some(executed)) => {
                // The published hook passes the requirements in the random order of a map.
                faults.extend(difference("argv", &sort_requirements(argv), &sort_requirements(&executed.argv)));
                faults.extend(difference("environment", &self.environment, &executed.environ));
            }
        }
        faults
    }
}

/// What holds whenever nvidia-container-cli is executed.
pub fn outcome_of_any(scene: &Scene, outcome: &Outcome) -> Vec<String> {
    let Some(executed) = &outcome.executed else { return Vec::new() };
    let mut faults = Vec::new();
    if !executed.same_pid {
        faults.push(format!("nvidia-container-cli is another process than {HOOK}"));
    }
    if executed.cwd != scene.cwd {
        faults.push(format!("working directory: want {}, got {}", scene.cwd, executed.cwd));
    }
    if outcome.records.len() != 1 {
        faults.push(format!("nvidia-container-cli was executed {} times", outcome.records.len()));
    }
    faults
}

impl Exec {
    /// The arguments.
    pub fn argv(&self) -> Vec<Vec<u8>> {
        self.argv.iter().map(|(argument, _)| argument.clone().into_bytes()).collect()
    }

    /// The environment.
    pub fn environment(&self, scene: &Scene) -> Vec<Vec<u8>> {
        self.environment.as_deref().map_or_else(|| scene.environ.clone(), bytes)
    }
}

fn bytes(texts: &[String]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.clone().into_bytes()).collect()
}

/// Sorts the `--require` arguments among their own places.
pub fn sort_requirements(argv: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_requirement = |argument: &&Vec<u8>| argument.starts_with(b"--require=");
    let mut sorted: Vec<&Vec<u8>> = argv.iter().filter(is_requirement).collect();
    sorted.sort();
    let mut sorted = sorted.into_iter();
    let place = |argument| if is_requirement(&argument) { sorted.next().unwrap_or(argument) } else { argument };
    argv.iter().map(place).cloned().collect()
}
