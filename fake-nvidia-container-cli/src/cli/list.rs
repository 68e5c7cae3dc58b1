//! `list` and `info`: options only.

use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::{Context, common, join, rename};
use crate::argp::{Getopt, Item, Level, Order};
use crate::outcome::Stop;
use crate::text::Text;

/// Reads the words after `list` or `info`.
pub(super) fn parse(
    context: &Context,
    program: &mut String,
    mut parsed: Parsed,
    words: Vec<Text>,
) -> Result<Parsed, Stop> {
    let count = words.len();
    let options = table(Some(parsed.command), context.version);
    let order = if context.posixly_correct { Order::Posix } else { Order::Permute };
    let mut scan = Getopt::new(&options, words, order);
    let (word, about) = match parsed.command {
        Command::List => ("list", "List the driver files and devices of a simulated machine."),
        _ => ("info", "Tell the driver and the devices of a simulated machine."),
    };
    let argv0 = format!("{program} {word}");
    let mut name = argv0.clone();
    loop {
        let shown = name.clone();
        let level = Level { argv0: &argv0, name: &shown, options: &options, operands: "", about };
        match scan.next_item().map_err(|why| Stop::complain(level.option_error(&why)))? {
            Item::Option(Key::ProgramName, value) => {
                name = rename(program, &value.unwrap_or_default());
            }
            Item::Option(key, value) => match common(context, &level, key, value.as_ref(), "") {
                Some(stop) => return Err(stop),
                None => option(&mut parsed, key, &value.unwrap_or_default()),
            },
            Item::Operand(_) => return Err(Stop::complain(level.too_many_arguments())),
            Item::End => break,
        }
    }
    if parsed.command == Command::List {
        default_listing(&mut parsed, count);
    }
    Ok(parsed)
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
