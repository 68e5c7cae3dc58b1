//! The verb `libraries`: the two libraries that answer, in a folder, for programs that are run without any container.

use crate::libraries::{self, Seen};
use crate::outcome::{Outcome, Stop};
use crate::simulate::Choice;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::State;
use nvidia_simulated_machine::{select, topology};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes the libraries of a machine's driver into a folder, and beside them the file that says what they see.
pub(super) fn run(name: Option<&str>, folder: &Path, device: Option<&str>, cuda: bool) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    let choice = match device {
        None => None,
        Some(list) => {
            let unknown = |item| Stop::error("device error", format!("{item}: unknown device"));
            Some(Choice { devices: select::devices(list, &machine.gpus).map_err(unknown)?, ..Choice::default() })
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let state = State::default();
    let seen = Seen { machine: &machine, state: &state, choice: choice.as_ref(), cuda, nodes: None, now };
    let text = libraries::text(&seen).map_err(Stop::Internal)?;
    write(folder, &machine.driver, &text).map_err(|why| Stop::Internal(format!("{}: {why}", folder.display())))?;
    Ok(Outcome { stdout: format!("{}\n", folder.display()), ..Outcome::default() })
}

fn write(folder: &Path, driver: &str, text: &str) -> io::Result<()> {
    let beside = folder.join(given::BESIDE);
    fs::create_dir_all(&beside)?;
    // A reader sees the old file or the new one, never a half.
    let new = beside.join(format!(".{}.{}", given::FILE, std::process::id()));
    fs::write(&new, text)?;
    fs::rename(&new, beside.join(given::FILE))?;
    for (file, links) in libraries::names(driver) {
        let Some(library) = libraries::library(&file, None) else { continue };
        let new = folder.join(format!(".{file}.{}", std::process::id()));
        fs::write(&new, library)?;
        // A program that has the old one loaded keeps it.
        fs::rename(&new, folder.join(&file))?;
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
