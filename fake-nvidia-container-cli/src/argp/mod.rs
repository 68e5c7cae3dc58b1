//! GNU argp's reading of a command line, as far as the recorded program shows it: abbreviations, clusters, permutation,
//! and the messages of getopt, byte for byte.
//!
//! It knows tables of options, not what any option means.

mod getopt;
pub mod help;
mod wrap;

pub use getopt::{Getopt, Item, Order};
pub use wrap::wrap;

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// None; `--x=1` is an error.
    No,
    /// Always, as the rest of the word or as the next word; the name is for `--help`.
    Required(&'static str),
    /// Only when it is attached; the name is for `--help`.
    Optional(&'static str),
}

/// One option of a level, with what `--help` says about it.
#[derive(Clone, Copy, Debug)]
pub struct Opt<K> {
    /// The name after two dashes.
    pub long: &'static str,
    /// The letter after one dash.
    pub short: Option<u8>,
    /// Whether it takes a value.
    pub arg: Arg,
    /// What the caller calls it.
    pub key: K,
    /// One line for `--help`; empty for an option that is accepted and not shown.
    pub doc: &'static str,
}

/// One level of the command line: the whole program, or one command.
#[derive(Clone, Copy, Debug)]
pub struct Level<'a, K> {
    /// The name in front of getopt's own messages.
    pub argv0: &'a str,
    /// The name in the `Try ...` line and the usage line.
    pub name: &'a str,
    /// The options in declaration order, which is also the order of an ambiguity's candidates.
    pub options: &'a [Opt<K>],
    /// What follows the options, e.g. `ROOTFS`.
    pub operands: &'static str,
    /// What the level does, for `--help`.
    pub about: &'static str,
}

impl<K> Level<'_, K> {
    /// The line that follows every option error.
    #[must_use]
    pub fn try_help(&self) -> String {
        let name = self.name;
        wrap(&format!("Try `{name} --help' or `{name} --usage' for more information."))
    }

    /// A getopt message with its `Try` line.
    #[must_use]
    pub fn option_error(&self, message: &str) -> String {
        format!("{}: {message}\n{}", self.argv0, self.try_help())
    }

    /// The complaint about a positional word where none is taken.
    #[must_use]
    pub fn too_many_arguments(&self) -> String {
        format!("{}: Too many arguments\n{}", self.name, self.try_help())
    }

    /// The complaint about missing or surplus words: the short usage line and the `Try` line.
    #[must_use]
    pub fn usage_error(&self) -> String {
        format!("Usage: {} [OPTION...]{}\n{}", self.name, self.operands, self.try_help())
    }
}
