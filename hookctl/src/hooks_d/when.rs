//! The conditions of a file in hooks.d: joined by AND in format 1.0.0, by OR in 0.1.0. Must not know the rest of the
//! file.

use regex_lite::Regex;

/// Sample commands: an expression that matches all of them counts as matching every command.
const COMMANDS: [&str; 5] = ["/bin/sh", "sh", "python3", "/usr/local/bin/entrypoint.sh", "/pause"];

/// Conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    pub(super) always: Option<bool>,
    pub(super) has_bind_mounts: Option<bool>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) commands: Vec<String>,
    /// One of them is enough, as in format 0.1.0.
    pub(super) any: bool,
    /// The file has no `when` at all, not even an empty one.
    pub(super) is_missing: bool,
}

/// For which containers a file starts its hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// For every container.
    All,
    /// For the containers that this clause describes.
    Some(String),
    /// For none, and the reason.
    None(String),
}

impl When {
    /// For which containers the conditions hold, by the engines' own rules.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.any {
            return self.any_of();
        }
        if self.always == Some(false) {
            return Reach::None(
                "\"always\" is false, so no container matches: conditions are joined by AND".to_owned(),
            );
        }
        if self.has_bind_mounts == Some(false) {
            return Reach::None("\"hasBindMounts\" is false, which no container matches".to_owned());
        }
        if self.is_missing {
            return Reach::None("\"when\" is missing, so no container matches".to_owned());
        }
        if self.is_empty() {
            return Reach::None("\"when\" is empty, so no container matches".to_owned());
        }
        let clauses = self.clauses();
        if clauses.is_empty() { Reach::All } else { Reach::Some(format!("containers {}", clauses.join(", and "))) }
    }

    fn any_of(&self) -> Reach {
        let commands = self.commands.iter().any(|pattern| matches_all(pattern));
        if self.always == Some(true) || commands {
            return Reach::All;
        }
        let clauses = self.clauses();
        match clauses.is_empty() {
            true => Reach::None(
                "it has no \"cmds\", \"annotations\" or \"hasbindmounts\", so no container matches".to_owned(),
            ),
            false => Reach::Some(format!("containers {}", clauses.join(", or "))),
        }
    }

    fn is_empty(&self) -> bool {
        let no_flag = self.always.is_none() && self.has_bind_mounts.is_none();
        no_flag && self.annotations.is_empty() && self.commands.is_empty()
    }

    /// The conditions that some containers do not meet.
    fn clauses(&self) -> Vec<String> {
        let mut clauses = Vec::new();
        if self.has_bind_mounts == Some(true) {
            clauses.push("that have bind mounts".to_owned());
        }
        for (key, value) in &self.annotations {
            clauses.push(match key.as_str() {
                ".*" => format!("with an annotation whose value matches \"{value}\""),
                _ => format!("with an annotation that matches \"{key}\" = \"{value}\""),
            });
        }
        if !self.commands.is_empty() && !self.commands.iter().any(|pattern| matches_all(pattern)) {
            clauses.push(format!("whose command matches \"{}\"", self.commands.join("\" or \"")));
        }
        clauses
    }
}

/// Whether an expression matches any command that a container could execute.
fn matches_all(pattern: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| COMMANDS.iter().all(|command| regex.is_match(command)))
}
