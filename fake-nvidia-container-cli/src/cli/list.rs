//! `list` and `info`: options only.

use super::join;
use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::scan::{Flow, Form, Handler, Line, read};
use crate::argp::{Level, Order};
use crate::outcome::Stop;
use nvidia_simulated_machine::text::Text;

/// Reads the words after `list` or `info`.
pub(super) fn parse(line: &mut Line<'_>, parsed: Parsed, words: Vec<Text>) -> Result<Parsed, Stop> {
    let count = words.len();
    let options = table(Some(parsed.command), line.context.version);
    let (word, about) = match parsed.command {
        Command::List => ("list", "List the driver files and devices of a simulated machine."),
        _ => ("info", "Show the driver and the devices of a simulated machine."),
    };
    let argv0 = format!("{} {word}", line.program);
    let form = Form {
        name: argv0.clone(),
        argv0,
        options: &options,
        operands: "",
        about,
        extra: "",
        order: if line.context.posixly_correct { Order::Posix } else { Order::Permute },
    };
    let mut list = List { parsed };
    read(line, &form, words, &mut list)?;
    if list.parsed.command == Command::List {
        default_listing(&mut list.parsed, count);
    }
    Ok(list.parsed)
}

struct List {
    parsed: Parsed,
}

impl Handler for List {
    fn option(&mut self, key: Key, value: Option<Text>) -> Result<(), Stop> {
        option(&mut self.parsed, key, &value.unwrap_or_default());
        Ok(())
    }

    fn operand(&mut self, _: Text, level: &Level<'_, Key>) -> Result<Flow, Stop> {
        Err(Stop::complain(level.too_many_arguments()))
    }

    fn end(&mut self, _: &Level<'_, Key>) -> Result<(), Stop> {
        Ok(())
    }
}

fn option(parsed: &mut Parsed, key: Key, value: &str) {
    match key {
        Key::Csv => parsed.csv_output = true,
        Key::Device => join(&mut parsed.devices, ',', value),
        Key::Libraries => parsed.list_libs = true,
        Key::Binaries => parsed.list_bins = true,
        Key::Ipcs => parsed.list_ipcs = true,
        Key::Firmwares => parsed.list_firmwares = true,
        Key::Compat32 => parsed.compat32 = true,
        Key::MigConfig => join(&mut parsed.mig_config, ',', value),
        Key::MigMonitor => join(&mut parsed.mig_monitor, ',', value),
        Key::ImexChannel => join(&mut parsed.imex_channels, ',', value),
        Key::NoPersistenced => join(&mut parsed.driver_opts, ' ', "no-persistenced"),
        Key::NoFabricmanager => join(&mut parsed.driver_opts, ' ', "no-fabricmanager"),
        Key::NoGspFirmware => {
            parsed.list_firmwares = false;
            join(&mut parsed.driver_opts, ' ', "no-gsp-firmware");
        }
        _ => {}
    }
}

/// With no word at all, or with one word that sets an IMEX channel, everything is listed.
fn default_listing(parsed: &mut Parsed, words: usize) {
    if words > 0 && !(words == 1 && parsed.imex_channels.is_some()) {
        return;
    }
    parsed.devices = Some(Text::from("all"));
    parsed.mig_config = None;
    parsed.mig_monitor = None;
    parsed.list_libs = true;
    parsed.list_bins = true;
    parsed.list_ipcs = true;
    parsed.list_firmwares = true;
    parsed.compat32 = true;
}
