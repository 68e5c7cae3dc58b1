//! What is tested, and what is wrong with an outcome: every case folder and every recorded run, compared with this
//! project's hook or a published release. Must not run anything, nor know how a verdict is reported.

use anyhow::Result;

use crate::case::{Case, usual_scene};
use crate::expected::{Expected, outcome_of_any};
use crate::fixtures::Fixtures;
use crate::outcome::Outcome;
use crate::overrides::Overrides;
use crate::recorded::Recorded;
use crate::release::Release;
use crate::requirement;
use crate::rules::{self, Rules};
use crate::scene::Scene;
use crate::tree;

/// Whose behaviour is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// The behaviour of this project's hook, including the wording of its messages.
    Ours,
    /// The behaviour of a published hook; its messages can be worded in any way.
    Published(Release),
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The hook did what it should, as this project's hook would.
    Passes,
    /// The hook did what a published hook should, where this project's hook differs on purpose.
    DiffersAsListed,
    /// The check was not run, or proves nothing, for this reason.
    Skipped(String),
    /// The check failed with these faults.
    Fails(Vec<String>),
}

/// Everything that is tested.
#[derive(Debug)]
pub struct Suite {
    /// The case folders.
    pub cases: Vec<Case>,
    /// The recorded runs.
    pub recorded: Vec<Recorded>,
    /// Where ours differs from the recorded runs.
    pub overrides: Overrides,
    /// The rules by which releases differ from the newest.
    pub rules: Rules,
    /// A start that a loader would complain about: LD_PRELOAD names a missing library, and nothing is executed.
    pub preloading: Scene,
}

/// One test.
#[derive(Debug, Clone, Copy)]
pub enum Check<'s> {
    /// A case folder.
    Folder(&'s Case),
    /// A recorded run, and where ours differs from all of them.
    Recorded(&'s Recorded, &'s Overrides),
    /// The file of the hook: the machine's loader must have no part in its start.
    Program(&'s Scene),
}

impl Suite {
    /// Reads all cases of some fixtures. An error inside a case folder is a fault of its check.
    pub fn read(fixtures: &Fixtures) -> Result<Suite> {
        Ok(Suite {
            cases: Case::all(fixtures)?,
            recorded: Recorded::all(fixtures)?,
            overrides: Overrides::read(fixtures)?,
            rules: rules::read(fixtures)?,
            preloading: preloading(fixtures),
        })
    }

    /// Every check of a released hook, including its file, which is not checked for test builds.
    pub fn checks_of_a_release(&self) -> impl Iterator<Item = Check<'_>> {
        self.checks().chain([Check::Program(&self.preloading)])
    }

    /// Every check: the folders, then the recorded runs.
    pub fn checks(&self) -> impl Iterator<Item = Check<'_>> {
        let folders = self.cases.iter().map(Check::Folder);
        folders.chain(self.recorded.iter().map(|recorded| Check::Recorded(recorded, &self.overrides)))
    }
}

impl Check<'_> {
    /// `AREA/CASE`, or `recorded/FAMILY/CASE`.
    pub fn name(&self) -> String {
        match self {
            Check::Folder(case) => case.name.clone(),
            Check::Recorded(recorded, _) => format!("recorded/{}", recorded.name()),
            Check::Program(_) => format!("{}/the-program-is-static", requirement::AREA),
        }
    }

    /// `AREA`, or `recorded/FAMILY`.
    pub fn area(&self) -> String {
        match self {
            Check::Folder(case) => case.area().to_owned(),
            Check::Recorded(recorded, _) => format!("recorded/{}", recorded.area()),
            Check::Program(_) => requirement::AREA.to_owned(),
        }
    }

    /// What the check shows, as a sentence, if it has one.
    pub fn why(&self) -> Option<String> {
        match self {
            Check::Folder(case) => case.expected().ok().map(|expected| expected.why),
            Check::Recorded(..) => None,
            Check::Program(_) => {
                Some("no interpreter, no RPATH, PIE, RELRO, no executable stack; LD_PRELOAD loads nothing".to_owned())
            }
        }
    }

    /// The scene to run.
    pub fn scene(&self) -> Result<Scene> {
        match self {
            Check::Folder(case) => case.scene(),
            Check::Recorded(recorded, _) => Ok(recorded.scene.clone()),
            Check::Program(scene) => Ok((*scene).clone()),
        }
    }

    /// Why running this check says nothing about a contract, if so.
    pub fn skip(&self, contract: Contract) -> Result<Option<String>> {
        if self.scene()?.fails() {
            return Ok(Some(tree::UNMAKABLE.to_owned()));
        }
        let Contract::Published(release) = contract else { return Ok(None) };
        let unknown = || format!("what {release} does here was not recorded");
        Ok(match self {
            Check::Recorded(recorded, _) => recorded.published(release)?.is_none().then(unknown),
            Check::Program(_) => None,
            Check::Folder(case) => {
                let expected = case.expected()?;
                match (&expected.ours_only, expected.published(&case.scene()?, release)) {
                    (Some(reason), None) => Some(format!("only this project's hook can show it: {reason}")),
                    (_, published) => published.is_none().then(unknown),
                }
            }
        })
    }

    /// The verdict on an outcome.
    pub fn judge(&self, scene: &Scene, outcome: &Outcome, contract: Contract) -> Result<Verdict> {
        let (faults, listed) = match (self, contract) {
            (Check::Folder(case), Contract::Ours) => (faults_of_ours(&case.expected()?, scene, outcome), false),
            (Check::Folder(case), Contract::Published(release)) => {
                let expected = case.expected()?;
                match expected.published(scene, release) {
                    None => return Ok(Verdict::Skipped(format!("what {release} does here was not recorded"))),
                    Some(published) => {
                        let mut faults = published.faults(outcome);
                        faults.extend(outcome_of_any(scene, outcome));
                        if expected.requirement.is_some() {
                            faults.extend(requirement::faults(&expected, scene, outcome));
                        }
                        (faults, expected.differs_visibly())
                    }
                }
            }
            (Check::Program(_), _) => (preloading_faults(outcome), false),
            (Check::Recorded(recorded, overrides), Contract::Ours) => {
                let differs = recorded.faults(outcome, recorded.newest())?;
                let faults = match overrides.find(recorded.name()) {
                    None => differs,
                    Some(_) if differs.is_empty() => vec!["overrides.toml lists a difference that is gone".to_owned()],
                    Some(ours) => ours.faults(scene, outcome),
                };
                (faults, false)
            }
            (Check::Recorded(recorded, overrides), Contract::Published(release)) => {
                let ours = match overrides.find(recorded.name()) {
                    Some(ours) => Some(ours.published(scene)),
                    None => recorded.published(recorded.newest())?,
                };
                let theirs = recorded.published(release)?;
                let listed = ours.zip(theirs).is_some_and(|(ours, theirs)| ours.differs(&theirs));
                (recorded.faults(outcome, release)?, listed)
            }
        };
        Ok(match (faults.is_empty(), listed) {
            (true, false) => Verdict::Passes,
            (true, true) => Verdict::DiffersAsListed,
            (false, _) => Verdict::Fails(faults),
        })
    }
}

fn faults_of_ours(expected: &Expected, scene: &Scene, outcome: &Outcome) -> Vec<String> {
    let mut faults = expected.faults(scene, outcome);
    if expected.requirement.is_some() {
        faults.extend(requirement::faults(expected, scene, outcome));
    }
    let published = expected.published(scene, Release::MAIN);
    if expected.differs_visibly() && published.is_some_and(|published| published.faults(outcome).is_empty()) {
        faults.push("[upstream] describes what ours does: no difference is left".to_owned());
    }
    faults
}

/// The start of [`Suite::preloading`].
fn preloading(fixtures: &Fixtures) -> Scene {
    let mut scene = usual_scene(fixtures);
    scene.args = vec![b"poststop".to_vec()];
    scene.environ.push(b"LD_PRELOAD=/no/such/library.so".to_vec());
    scene
}

/// A loader reports what it cannot load.
fn preloading_faults(outcome: &Outcome) -> Vec<String> {
    let quiet = outcome.exit == 0 && outcome.stderr.is_empty();
    (!quiet)
        .then(|| format!("with LD_PRELOAD: status {}, and {:?}", outcome.exit, outcome.stderr()))
        .into_iter()
        .collect()
}
