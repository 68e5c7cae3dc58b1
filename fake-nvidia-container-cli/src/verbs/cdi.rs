//! The verb `cdi`: the CDI specification of a machine in a folder.

use crate::cdi::{Naming, Place, Specification, yaml};
use crate::driver_root::{LIVE, MACHINE, Nodes, is_loaded};
use crate::outcome::{Outcome, Stop};
use crate::replace::replace;
use crate::smi::{STATE, Store};
use clap::{Args, ValueEnum};
use nvidia_simulated_machine::topology;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The words of the verb.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The folder of the machine, as `driver-root` laid it
    folder: PathBuf,
    /// How devices are named: index, type-index, uuid
    #[arg(long, value_delimiter = ',', default_value = "index,uuid")]
    device_name_strategy: Vec<String>,
    /// The form of the specification; that of the output's name if left out, else yaml
    #[arg(long)]
    format: Option<Form>,
    /// The file to write, e.g. /etc/cdi/nvidia.yaml; standard output if left out
    #[arg(long)]
    output: Option<PathBuf>,
    /// The folder of libraries in containers, e.g. /usr/lib64; that of the machine if left out
    #[arg(long)]
    library_folder: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Yaml,
    Json,
}

/// Writes the specification.
pub(super) fn run(words: &Words) -> Result<Outcome, Stop> {
    let text = text(words).map_err(Stop::Internal)?;
    let Some(output) = &words.output else { return Ok(Outcome { stdout: text, ..Outcome::default() }) };
    write(output, &text).map_err(|why| Stop::Internal(format!("{}: {why}", output.display())))?;
    Ok(Outcome { stdout: super::line(output), ..Outcome::default() })
}

fn text(words: &Words) -> Result<String, String> {
    let given = &words.folder;
    let folder = fs::canonicalize(given).map_err(|why| format!("{}: {why}", given.display()))?;
    let file = folder.join(MACHINE.trim_start_matches('/'));
    if !file.exists() {
        return Err(format!("{}: not a driver root of this program; driver-root makes one", given.display()));
    }
    let root = folder.to_str().ok_or_else(|| format!("{}: not UTF-8", folder.display()))?;
    let machine = topology::load(file.to_str())?;
    if !is_loaded(&machine) {
        return Err(format!("{}: the driver of this machine is not loaded, so there are no devices", given.display()));
    }
    let changes = folder.join(LIVE.trim_start_matches('/')).join(STATE);
    let machine = Store::new(Some(&changes)).read()?.applied(machine);
    let namings = words.device_name_strategy.iter().map(|word| Naming::of(word)).collect::<Result<Vec<_>, _>>()?;
    let place = Place { root, nodes: nodes(&folder), libraries: words.library_folder.as_deref() };
    let specification = Specification::of(&machine, place, &namings);
    let specification = specification.ok_or_else(|| format!("{}: this machine has no GPU", given.display()))?;
    if let Some(missing) = specification.host_paths().find(|path| fs::symlink_metadata(path).is_err()) {
        return Err(format!("{missing}: missing; driver-root {} makes it", given.display()));
    }
    let document = serde_json::to_value(specification).map_err(|why| why.to_string())?;
    let by_name = words.output.as_ref().and_then(|output| output.extension()).is_some_and(|end| end == "json");
    match words.format.unwrap_or(if by_name { Form::Json } else { Form::Yaml }) {
        Form::Yaml => Ok(yaml(&document)),
        Form::Json => Ok(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"),
    }
}

/// What the nodes of a folder are.
fn nodes(folder: &Path) -> Nodes {
    let control = fs::symlink_metadata(folder.join("dev/nvidiactl"));
    if control.is_ok_and(|of| of.file_type().is_char_device()) { Nodes::Real } else { Nodes::Files }
}

/// Engines watch the folder: they see the old file or the new one.
fn write(output: &Path, text: &str) -> std::io::Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    replace(output, text.as_bytes(), None)
}
