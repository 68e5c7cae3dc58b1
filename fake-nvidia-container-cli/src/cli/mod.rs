//! The command line of `nvidia-container-cli`: global options, then one command with options of its own.
//!
//! It turns words into [`Parsed`] and knows nothing of GPUs: what the values mean is decided later, in the real order.

mod configure;
mod global;
mod list;
pub mod numbers;
mod options;
mod parsed;
mod user;
pub mod version;

pub use parsed::{Command, Parsed};
pub use version::Version;

use crate::argp::{Level, help};
use crate::outcome::Stop;
use crate::text::Text;
use options::Key;
use std::time::Duration;

/// What the parse is told about its surroundings.
#[derive(Clone, Debug)]
pub struct Context {
    /// The first word of the command line as given.
    pub argv0: String,
    /// The version whose options are known.
    pub version: Version,
    /// True if the environment has POSIXLY_CORRECT.
    pub posixly_correct: bool,
    /// The parent process, which stands for the container when `--pid` does not name one.
    pub ppid: i32,
    /// The effective user and group, for `--user` without a value.
    pub euid: (u32, u32),
}

/// The name in front of the real program's messages: the last part of argv[0], with our own name read as the real one.
#[must_use]
pub fn program_name(argv0: &str) -> &str {
    let base = argv0.rsplit('/').next().unwrap_or(argv0);
    base.strip_prefix("fake-").filter(|rest| *rest == "nvidia-container-cli").unwrap_or(base)
}

/// Reads the words after argv[0]. The name that errors carry comes back beside, since `--program-name` changes it.
pub fn parse(context: &Context, words: Vec<Text>) -> (String, Result<Parsed, Stop>) {
    let mut program = program_name(&context.argv0).to_owned();
    let parsed = global::parse(context, &mut program, words);
    (program, parsed)
}

/// The options that argp adds to every level. `None` means that the option is not one of them.
fn common(context: &Context, level: &Level<'_, Key>, key: Key, value: Option<&Text>, extra: &str) -> Option<Stop> {
    match key {
        Key::Help => Some(Stop::print(help::help(level, extra))),
        Key::Usage => Some(Stop::print(help::usage(level))),
        Key::Version => Some(Stop::print(version::text(context.version))),
        Key::Hang => {
            let seconds = value.map_or(Some(3600), |v| numbers::signed(v).ok()).unwrap_or(0);
            std::thread::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
            None
        }
        _ => None,
    }
}

/// `--program-name` changes the name in every later message but getopt's own, which goes on naming argv[0].
fn rename(program: &mut String, value: &str) -> String {
    *program = value.rsplit('/').next().unwrap_or_default().to_owned();
    program.clone()
}

/// Adds a value to a list; an empty list takes the value without a separator, as the recorded program's does.
fn join(list: &mut Option<Text>, separator: char, value: &str) {
    let joined = match list.as_deref() {
        Some(before) if !before.is_empty() => format!("{before}{separator}{value}"),
        _ => value.to_owned(),
    };
    *list = Some(Text::from(joined));
}
