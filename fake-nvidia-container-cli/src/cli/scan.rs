//! The one loop over the words of a level. It handles getopt's messages and the options that every level has, and
//! passes the rest to a handler. It knows no option of a single level.

use super::options::Key;
use super::{Context, version};
use crate::argp::{Getopt, Item, Level, Opt, Order, help};
use crate::outcome::Stop;
use nvidia_simulated_machine::number;
use nvidia_simulated_machine::text::Text;
use std::time::Duration;

/// How long `--HANG` without a value waits.
const HANG: Duration = Duration::from_secs(3600);

/// What a command line changes about how it is read, at any level.
#[derive(Debug)]
pub(super) struct Line<'c> {
    pub(super) context: &'c Context,
    /// The name in front of errors, which `--program-name` changes.
    pub(super) program: String,
    /// How long all `--HANG` options so far ask to wait.
    pub(super) hang: Duration,
}

/// A level as described to a user, and how its words are read.
#[derive(Debug)]
pub(super) struct Form<'a> {
    /// The name in getopt's own messages, which nothing changes.
    pub(super) argv0: String,
    /// The name in usage lines until `--program-name` sets another.
    pub(super) name: String,
    pub(super) options: &'a [Opt<Key>],
    pub(super) operands: &'static str,
    pub(super) about: &'static str,
    /// The end of `--help`.
    pub(super) extra: &'static str,
    pub(super) order: Order,
}

/// Whether the level goes on after an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    /// The words that follow belong to another level.
    Done,
}

/// What a level does with its own options and operands.
pub(super) trait Handler {
    /// An option that not every level has.
    fn option(&mut self, key: Key, value: Option<Text>) -> Result<(), Stop>;
    /// A word that is not an option.
    fn operand(&mut self, word: Text, level: &Level<'_, Key>) -> Result<Flow, Stop>;
    /// No words are left.
    fn end(&mut self, level: &Level<'_, Key>) -> Result<(), Stop>;
}

/// Reads the words of a level, and returns those left for another level.
pub(super) fn read(
    line: &mut Line<'_>,
    form: &Form<'_>,
    words: Vec<Text>,
    handler: &mut dyn Handler,
) -> Result<Vec<Text>, Stop> {
    let mut scan = Getopt::new(form.options, words, form.order);
    let mut name = form.name.clone();
    loop {
        let Form { argv0, options, operands, about, .. } = form;
        let level = Level { argv0, name: &name, options, operands, about };
        match scan.next_item().map_err(|why| Stop::complain(level.option_error(&why)))? {
            Item::Option(Key::Help, _) => return Err(Stop::print(help::help(&level, form.extra))),
            Item::Option(Key::Usage, _) => return Err(Stop::print(help::usage(&level))),
            Item::Option(Key::Version, _) => return Err(Stop::print(version::text(line.context.version))),
            Item::Option(Key::Hang, value) => line.hang = line.hang.saturating_add(hang(value.as_deref())),
            Item::Option(Key::ProgramName, value) => {
                line.program = value.unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
                name.clone_from(&line.program);
            }
            Item::Option(key, value) => handler.option(key, value)?,
            Item::Operand(word) => {
                if handler.operand(word, &level)? == Flow::Done {
                    return Ok(scan.rest());
                }
            }
            Item::End => {
                handler.end(&level)?;
                return Ok(Vec::new());
            }
        }
    }
}

/// Anything but a positive number means no wait, as with C's `atoi` in a countdown.
fn hang(value: Option<&str>) -> Duration {
    value.map_or(HANG, |word| {
        let seconds = number::signed(word).ok().and_then(|seconds| u64::try_from(seconds).ok());
        Duration::from_secs(seconds.unwrap_or_default())
    })
}
