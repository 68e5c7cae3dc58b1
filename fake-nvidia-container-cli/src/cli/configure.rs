//! `configure`: options in any place, then one ROOTFS.

use super::join;
use super::options::{Key, table};
use super::parsed::{Command, Parsed};
use super::scan::{Flow, Form, Handler, Line, read};
use crate::argp::{Level, Order};
use crate::outcome::Stop;
use nvidia_simulated_machine::number;
use nvidia_simulated_machine::text::Text;

/// How many `--require` options are accepted.
const MAX_REQUIREMENTS: usize = 32;

/// Reads the words after `configure`.
pub(super) fn parse(line: &mut Line<'_>, parsed: Parsed, words: Vec<Text>) -> Result<Parsed, Stop> {
    let options = table(Some(Command::Configure), line.context.version);
    let argv0 = format!("{} configure", line.program);
    let form = Form {
        name: argv0.clone(),
        argv0,
        options: &options,
        operands: " ROOTFS",
        about: "Give a container the devices and the driver of a simulated machine.",
        extra: "",
        order: if line.context.posixly_correct { Order::Posix } else { Order::Permute },
    };
    let mut configure = Configure { parsed };
    read(line, &form, words, &mut configure)?;
    Ok(finish(line.context.ppid, configure.parsed))
}

struct Configure {
    parsed: Parsed,
}

impl Handler for Configure {
    fn option(&mut self, key: Key, value: Option<Text>) -> Result<(), Stop> {
        option(&mut self.parsed, key, value.unwrap_or_default())
    }

    fn operand(&mut self, word: Text, level: &Level<'_, Key>) -> Result<Flow, Stop> {
        if self.parsed.rootfs.is_some() {
            return Err(Stop::complain(level.usage_error()));
        }
        self.parsed.rootfs = Some(rootfs(word)?);
        Ok(Flow::More)
    }

    fn end(&mut self, level: &Level<'_, Key>) -> Result<(), Stop> {
        if self.parsed.rootfs.is_some() { Ok(()) } else { Err(Stop::complain(level.usage_error())) }
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
            let pid = number::pid(&value);
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

/// Without `--pid` the container is the parent process's, which the real program calls standalone.
fn finish(ppid: i32, mut parsed: Parsed) -> Parsed {
    let supervised = parsed.pid > 0;
    if !supervised {
        parsed.pid = ppid;
    }
    join(&mut parsed.container_flags, ' ', if supervised { "supervised" } else { "standalone" });
    parsed
}
