//! The lines that users meet when a machine does not give its GPUs to a container: what each means, who can fix it,
//! what to do, and by which name the simulator reproduces it. This is the only such table:
//! `fake-nvidia-container-cli failures`, `nvidia-hookctl why` and docs/troubleshooting.md are generated from it. Must
//! not know how a line is found in an engine's output, nor which state of a host leads to it.

mod container;
mod driver;
mod engine;
mod hook;
mod program;

use crate::step::Step;

/// Who can fix a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The person who starts the container.
    User,
    /// The person who builds the image.
    Image,
    /// The administrator of the host.
    Admin,
}

impl Owner {
    /// As one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Owner::User => "user",
            Owner::Image => "image",
            Owner::Admin => "admin",
        }
    }

    /// As words that say who that is.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Owner::User => "user: whoever starts the container",
            Owner::Image => "image: whoever builds the image",
            Owner::Admin => "admin: whoever runs the host",
        }
    }
}

/// A line that users meet.
#[derive(Debug)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Its wordings, old and new, in lower case; `*` stands for anything on the line.
    pub patterns: &'static [&'static str],
    /// A line as users meet it.
    pub example: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Who can fix it.
    pub owner: Owner,
    /// What to do.
    pub remedy: &'static str,
    /// How the simulator reproduces it, in each of its wordings.
    pub played: &'static [Played],
}

/// A failure that the simulator reproduces.
#[derive(Debug, Clone, Copy)]
pub struct Played {
    /// The name that requests it.
    pub name: &'static str,
    /// The step at which it occurs.
    pub step: Step,
    /// The exit code of a run that ends this way.
    pub exit: i32,
    /// The text: `{PROGRAM}` is the program's name, `{FOR}` the value of `for=`, `{ROOTFS}` the container's root,
    /// `{TRY}` the line that follows option errors.
    pub text: &'static str,
    /// The default for `{FOR}`.
    pub example: &'static str,
}

/// Declares the lines of a file.
macro_rules! lines {
    ($($name:literal $owner:ident [$($pattern:literal),+] $example:literal means $meaning:literal do $remedy:literal
        $(played $played:literal $step:ident $exit:literal $text:literal $word:literal)*;)+) => {
        /// The lines of this file, in the order of the document.
        pub static LINES: &[$crate::lines::Line] = &[
            $($crate::lines::Line {
                name: $name,
                patterns: &[$($pattern),+],
                example: $example,
                meaning: $meaning,
                owner: $crate::lines::Owner::$owner,
                remedy: $remedy,
                played: &[$($crate::lines::Played {
                    name: $played,
                    step: $crate::step::Step::$step,
                    exit: $exit,
                    text: $text,
                    example: $word,
                }),*],
            },)+
        ];
    };
}
pub(crate) use lines;

/// Every line, in the order of the document.
pub fn all() -> impl Iterator<Item = &'static Line> {
    [driver::LINES, container::LINES, hook::LINES, engine::LINES, program::LINES].into_iter().flatten()
}

/// Every failure that the simulator reproduces, with its line.
pub fn played() -> impl Iterator<Item = (&'static Line, &'static Played)> {
    all().flat_map(|line| line.played.iter().map(move |played| (line, played)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_is_told_once_and_in_full() {
        let mut names = BTreeSet::new();
        for line in all() {
            assert!(names.insert(line.name), "{} is there twice", line.name);
            assert!(line.meaning.ends_with('.') && !line.remedy.ends_with('.'), "{}", line.name);
            for pattern in line.patterns {
                assert_eq!(pattern.to_ascii_lowercase(), **pattern, "{}: patterns are in small letters", line.name);
            }
        }
        assert!(names.len() >= 100, "{}", names.len());
    }

    #[test]
    fn every_failure_is_named_once() {
        let mut names = BTreeSet::new();
        for (_, played) in played() {
            assert!(names.insert(played.name), "{} is there twice", played.name);
            assert_eq!(played.text.contains("{FOR}"), !played.example.is_empty(), "{}", played.name);
        }
        assert!(names.len() >= 36, "{}", names.len());
    }
}
