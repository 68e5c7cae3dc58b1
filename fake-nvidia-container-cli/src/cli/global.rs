//! The global options, read in order up to the command word; the rest belongs to the command.

use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::{Context, common, configure, join, list, rename, user};
use crate::argp::{Getopt, Item, Level, Order};
use crate::outcome::Stop;
use crate::text::Text;

/// The section of `--help` that argp's groups give.
const COMMANDS: &str = "\n Commands:\n  configure                  Give GPUs to a container\n  \
    info                       Tell driver and devices\n  list                       List driver files and devices\n\n Of the simulator itself, as \
    `fake-nvidia-container-cli':\n  explain, require, topologies, failures, record-path, schema\n";

/// Reads the whole command line.
pub(super) fn parse(context: &Context, program: &mut String, words: Vec<Text>) -> Result<Parsed, Stop> {
    let mut parsed = Parsed::new(Command::Info);
    let options = table(None, context.version);
    let argv0 = shown_argv0(context, program);
    let mut scan = Getopt::new(&options, words, Order::InOrder);
    let word = loop {
        let name = program.clone();
        let level = Level {
            argv0: &argv0,
            name: &name,
            options: &options,
            operands: " COMMAND [ARG...]",
            about: "A simulator: answers as nvidia-container-cli would, for GPUs that are not there.",
        };
        match scan.next_item().map_err(|why| Stop::complain(level.option_error(&why)))? {
            Item::Option(Key::ProgramName, value) => {
                rename(program, &value.unwrap_or_default());
            }
            Item::Option(key, value) => match common(context, &level, key, value.as_ref(), COMMANDS) {
                Some(stop) => return Err(stop),
                None => option(context, &mut parsed, key, value)?,
            },
            Item::Operand(word) => break command(&word).ok_or_else(|| Stop::complain(level.usage_error()))?,
            Item::End => return Err(Stop::complain(level.usage_error())),
        }
    };
    parsed.command = word;
    let rest = scan.rest();
    match word {
        Command::Configure => configure::parse(context, program, parsed, rest),
        Command::List | Command::Info => list::parse(context, program, parsed, rest),
    }
}

/// getopt names the program as it was called; our own name is read as the real one.
fn shown_argv0(context: &Context, program: &str) -> String {
    if context.argv0.ends_with(program) && !context.argv0.ends_with(&format!("fake-{program}")) {
        context.argv0.clone()
    } else {
        program.to_owned()
    }
}

fn command(word: &str) -> Option<Command> {
    match word {
        "info" => Some(Command::Info),
        "list" => Some(Command::List),
        "configure" => Some(Command::Configure),
        _ => None,
    }
}

fn option(context: &Context, parsed: &mut Parsed, key: Key, value: Option<Text>) -> Result<(), Stop> {
    match key {
        Key::Debug => parsed.debug = value,
        Key::LoadKmods => {
            parsed.load_kmods = true;
            join(&mut parsed.init_flags, ' ', "load-kmods");
        }
        Key::NoPivot => parsed.no_pivot = true,
        Key::Root => parsed.root = value,
        Key::Ldcache => parsed.ldcache = value,
        Key::NoCreateImexChannels => join(&mut parsed.init_flags, ' ', "no-create-imex-channels"),
        Key::User => (parsed.uid, parsed.gid) = user_ids(context, value.as_ref())?,
        _ => {}
    }
    Ok(())
}

fn user_ids(context: &Context, value: Option<&Text>) -> Result<(i64, i64), Stop> {
    match value {
        None => Ok((i64::from(context.euid.0), i64::from(context.euid.1))),
        Some(value) => user::parse(value),
    }
}
