//! `configure`: options in any place, then one ROOTFS.

use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::{Context, common, join, numbers, rename};
use crate::argp::{Getopt, Item, Level, Order};
use crate::outcome::Stop;
use crate::text::Text;

/// How many `--require` are taken.
const MAX_REQUIREMENTS: usize = 32;

/// Reads the words after `configure`.
pub(super) fn parse(
    context: &Context,
    program: &mut String,
    mut parsed: Parsed,
    words: Vec<Text>,
) -> Result<Parsed, Stop> {
    let options = table(Some(Command::Configure), context.version);
    let order = if context.posixly_correct { Order::Posix } else { Order::Permute };
    let mut scan = Getopt::new(&options, words, order);
    let argv0 = format!("{program} configure");
    let mut name = argv0.clone();
    loop {
        let shown = name.clone();
        let level = Level {
            argv0: &argv0,
            name: &shown,
            options: &options,
            operands: " ROOTFS",
            about: "Give a container the devices and the driver of a simulated machine.",
        };
        match scan.next_item().map_err(|why| Stop::complain(level.option_error(&why)))? {
            Item::Option(Key::ProgramName, value) => {
                name = rename(program, &value.unwrap_or_default());
            }
            Item::Option(key, value) => match common(context, &level, key, value.as_ref(), "") {
                Some(stop) => return Err(stop),
                None => option(&mut parsed, key, value.unwrap_or_default())?,
            },
            Item::Operand(_) if parsed.rootfs.is_some() => return Err(Stop::complain(level.usage_error())),
            Item::Operand(word) => parsed.rootfs = Some(rootfs(word)?),
            Item::End if parsed.rootfs.is_none() => return Err(Stop::complain(level.usage_error())),
            Item::End => return Ok(finish(context, parsed)),
        }
    }
}

fn rootfs(word: Text) -> Result<Text, Stop> {
    if word.starts_with('/') && word.as_str() != "/" {
        Ok(word)
    } else {
        Err(Stop::error("input error", "invalid rootfs directory"))
    }
}

fn option(parsed: &mut Parsed, key: Key, value: Text) -> Result<(), Stop> {
    match key {
        Key::Pid => {
            let pid = numbers::pid(&value);
            let pid = pid.map_err(|why| Stop::error("input error", format!("parse pid failed: {}", why.text())))?;
            parsed.pid = pid;
        }
        Key::Device => join(&mut parsed.devices, ',', &value),
        Key::Require if parsed.reqs.len() == MAX_REQUIREMENTS => {
            return Err(Stop::error("input error", "too many requirements"));
        }
        Key::Require => parsed.reqs.push(value),
        Key::Ldconfig => parsed.ldconfig = Some(value),
        Key::MigConfig => join(&mut parsed.mig_config, ',', &value),
        Key::MigMonitor => join(&mut parsed.mig_monitor, ',', &value),
        Key::ImexChannel => join(&mut parsed.imex_channels, ',', &value),
        Key::NoCntlibs => join(&mut parsed.container_flags, ' ', "cuda-compat-mode=disabled"),
        Key::CudaCompatMode => join(&mut parsed.container_flags, ' ', &format!("cuda-compat-mode={value}")),
        Key::NoPersistenced => join(&mut parsed.driver_opts, ' ', "no-persistenced"),
        Key::NoFabricmanager => join(&mut parsed.driver_opts, ' ', "no-fabricmanager"),
        Key::NoGspFirmware => join(&mut parsed.driver_opts, ' ', "no-gsp-firmware"),
        other => {
            if let Some(word) = container_word(other) {
                join(&mut parsed.container_flags, ' ', word);
            }
        }
    }
    Ok(())
}

/// The switches that go to the container as words of the same name.
fn container_word(key: Key) -> Option<&'static str> {
    Some(match key {
        Key::Compute => "compute",
        Key::Utility => "utility",
        Key::Video => "video",
        Key::Graphics => "graphics",
        Key::Display => "display",
        Key::Ngx => "ngx",
        Key::Compat32 => "compat32",
        Key::NoCgroups => "no-cgroups",
        Key::NoDevbind => "no-devbind",
        _ => return None,
    })
}

/// Without a live process the container is the parent's, which the real program calls standalone.
fn finish(context: &Context, mut parsed: Parsed) -> Parsed {
    let supervised = parsed.pid > 0;
    if !supervised {
        parsed.pid = context.ppid;
    }
    join(&mut parsed.container_flags, ' ', if supervised { "supervised" } else { "standalone" });
    parsed
}
