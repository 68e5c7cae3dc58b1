//! The named failures: the lines of the machine's table that are played. The verb `failures` and the table in
//! docs/fake-cli.md show them. This module must not have texts of its own.

use nvidia_simulated_machine::lines::{Line, Played, played};

/// A failure with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// How it is played.
    pub played: &'static Played,
    /// Its line, with its meaning and remedy.
    pub line: &'static Line,
}

impl Named {
    /// The text with its argument filled in.
    #[must_use]
    pub fn text(&self, argument: Option<&str>) -> String {
        format!("{}\n", self.played.text.replace("{FOR}", argument.unwrap_or(self.played.example)))
    }
}

/// All failures with a name.
pub fn named() -> impl Iterator<Item = Named> {
    played().map(|(line, played)| Named { played, line })
}

/// The failure with this name.
#[must_use]
pub fn find(name: &str) -> Option<Named> {
    named().find(|named| named.played.name == name)
}
