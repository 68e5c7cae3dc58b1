//! The verb `libraries`: the two libraries that answer, in a folder, for programs that run without a container.

use crate::libraries::{self, Seen, Sight};
use crate::outcome::{Outcome, Stop};
use crate::replace::replace;
use crate::settings::Settings;
use crate::simulate::Choice;
use crate::smi::Store;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::{select, topology};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Writes the libraries of a machine's driver into a folder, and beside them the file that says what they see.
pub(super) fn run(
    settings: &Settings,
    name: Option<&str>,
    folder: &Path,
    (device, cuda): (Option<&str>, bool),
) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let state = Store::new(settings.state.as_deref()).read().map_err(Stop::Internal)?;
    let sight = match device {
        None => Sight::Host,
        Some(list) => {
            let unknown = |item| Stop::error("device error", format!("{item}: unknown device"));
            // MIG devices made by nvidia-smi have names too.
            let now = state.applied(machine.clone());
            let devices = select::devices(list, &now.gpus).map_err(unknown)?;
            Sight::of(&now, &Choice { devices, ..Choice::default() })
        }
    };
    let now = libraries::now();
    let seen = Seen { machine: &machine, state: &state, sight: &sight, cuda, nodes: None, now };
    let text = libraries::text(&seen).map_err(Stop::Internal)?;
    write(folder, &machine.driver, &text).map_err(|why| Stop::Internal(format!("{}: {why}", folder.display())))?;
    Ok(Outcome { stdout: super::line(folder), ..Outcome::default() })
}

fn write(folder: &Path, driver: &str, text: &str) -> io::Result<()> {
    let beside = folder.join(given::BESIDE);
    fs::create_dir_all(&beside)?;
    replace(&beside.join(given::FILE), text.as_bytes(), None)?;
    for (file, links) in libraries::names(driver) {
        let Some(library) = libraries::library(&file, None) else { continue };
        // A program that has the old one loaded keeps it.
        replace(&folder.join(&file), &library, None)?;
        for link in links {
            let link = folder.join(link);
            if fs::symlink_metadata(&link).is_ok_and(|there| there.is_symlink()) {
                fs::remove_file(&link)?;
            }
            symlink(&file, link)?;
        }
    }
    Ok(())
}
