//! The global options, read in order up to the command word; the rest belongs to the command.

use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::scan::{Flow, Form, Handler, Line, read};
use super::{Context, configure, join, list, user};
use crate::argp::{Level, Order};
use crate::outcome::Stop;
use nvidia_simulated_machine::text::Text;

/// The section of `--help` that argp makes from its groups.
const COMMANDS: &str = "\n Commands:\n  configure                  Give GPUs to a container\n  \
    info                       Show the driver and its devices\n  list                       List driver files and devices\n\n \
    Of the simulator itself, as `fake-nvidia-container-cli':\n  \
    explain, require, topologies, failures, set, libraries, driver-root, cdi,\n  record-path, schema\n";

/// Reads the whole command line.
pub(super) fn parse(line: &mut Line<'_>, words: Vec<Text>) -> Result<Parsed, Stop> {
    let options = table(None, line.context.version);
    let form = Form {
        argv0: shown_argv0(line.context, &line.program),
        name: line.program.clone(),
        options: &options,
        operands: " COMMAND [ARG...]",
        about: "A simulator: answers as nvidia-container-cli would, for GPUs that are not there.",
        extra: COMMANDS,
        order: Order::InOrder,
    };
    let mut global = Global { context: line.context, parsed: Parsed::new(Command::Info) };
    let rest = read(line, &form, words, &mut global)?;
    match global.parsed.command {
        Command::Configure => configure::parse(line, global.parsed, rest),
        Command::List | Command::Info => list::parse(line, global.parsed, rest),
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

struct Global<'c> {
    context: &'c Context,
    parsed: Parsed,
}

impl Handler for Global<'_> {
    fn option(&mut self, key: Key, value: Option<Text>) -> Result<(), Stop> {
        let parsed = &mut self.parsed;
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
            Key::User => (parsed.uid, parsed.gid) = user_ids(self.context, value.as_ref())?,
            _ => {}
        }
        Ok(())
    }

    fn operand(&mut self, word: Text, level: &Level<'_, Key>) -> Result<Flow, Stop> {
        self.parsed.command = command(&word).ok_or_else(|| Stop::complain(level.usage_error()))?;
        Ok(Flow::Done)
    }

    fn end(&mut self, level: &Level<'_, Key>) -> Result<(), Stop> {
        Err(Stop::complain(level.usage_error()))
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

fn user_ids(context: &Context, value: Option<&Text>) -> Result<(i64, i64), Stop> {
    match value {
        None => Ok((i64::from(context.euid.0), i64::from(context.euid.1))),
        Some(value) => user::parse(value),
    }
}
