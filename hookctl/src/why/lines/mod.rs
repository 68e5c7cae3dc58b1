//! The table of the lines that users meet: what each means, whose it is to cure, what to do, and which states of a host are
//! behind it. `why` answers from it, and docs/troubleshooting.md is made from it. Must not know how a line is found in what
//! an engine printed.

mod container;
mod driver;
mod engine;
mod hook;

use crate::doctor::states::State;
use schemars::JsonSchema;
use serde::Serialize;

/// Whose a failure is to cure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// Whoever starts the container.
    User,
    /// Whoever builds the image.
    Image,
    /// Whoever runs the host.
    Admin,
}

impl Owner {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Owner::User => "user",
            Owner::Image => "image",
            Owner::Admin => "admin",
        }
    }

    /// In words that say who that is.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Owner::User => "user: whoever starts the container",
            Owner::Image => "image: whoever builds the image",
            Owner::Admin => "admin: whoever runs the host",
        }
    }
}

/// A line.
#[derive(Debug)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Its wordings, old and new, in small letters; `*` stands for anything on the line.
    pub patterns: &'static [&'static str],
    /// A line as users meet it.
    pub example: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Whose it is.
    pub owner: Owner,
    /// What to do.
    pub remedy: &'static str,
    /// The states of the host that may be behind it.
    pub states: &'static [&'static State],
}

/// Declares the lines of a file.
macro_rules! lines {
    ($($name:literal $owner:ident [$($pattern:literal),+] $example:literal means $meaning:literal do $remedy:literal $([$($state:ident),+])?;)+) => {
        /// The lines of this file, in the order of the document.
        pub static LINES: &[$crate::why::lines::Line] = &[
            $($crate::why::lines::Line {
                name: $name,
                patterns: &[$($pattern),+],
                example: $example,
                meaning: $meaning,
                owner: $crate::why::lines::Owner::$owner,
                remedy: $remedy,
                states: &[$($(&$crate::doctor::states::$state),+)?],
            },)+
        ];
    };
}
pub(crate) use lines;

/// Every line, in the order of the document.
pub fn all() -> impl Iterator<Item = &'static Line> {
    [driver::LINES, container::LINES, hook::LINES, engine::LINES].into_iter().flatten()
}
