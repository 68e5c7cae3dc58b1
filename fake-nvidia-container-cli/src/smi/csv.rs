//! `--query-gpu` and the other queries: one row per GPU, program or page; one column per field of `data/`.

use super::clocks;
use super::scene::Scene;
use super::told;
use super::tree::decimals;
use super::words::Words;
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::figures::{among, thousandths, within};
use nvidia_simulated_machine::state::{Device, NONE, Values};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name in the header, whatever name was asked for.
    pub(super) name: &'static str,
    pub(super) alias: &'static str,
    unit: &'static str,
    key: &'static str,
    /// What is shown if there is no value.
    none: &'static str,
    /// The drivers that know it: `545-`, `580.126-590,595-`; empty for all.
    drivers: &'static str,
    pub(super) meaning: &'static str,
}

/// What a header and a row look like.
#[derive(Clone, Copy, Debug, Default)]
struct Format {
    noheader: bool,
    nounits: bool,
}

/// The fields of a query: `gpu`, `compute-apps`, ...; the texts come from `data/`.
pub(super) fn fields(query: &str, driver: &str) -> Vec<Field> {
    lines(query).into_iter().filter(|line| !line.starts_with('#')).map(field).filter(|f| f.is_of(driver)).collect()
}

/// The lines about a query, including section headings.
pub(super) fn lines(query: &str) -> Vec<&'static str> {
    if query == "gpu" {
        let rest = include_str!("data/fields.txt").lines().skip_while(|line| !line.is_empty());
        return rest.filter(|line| !line.is_empty()).collect();
    }
    let tables = include_str!("data/queries.txt").split("=== ");
    let table = tables.filter_map(|table| table.split_once('\n')).find(|(name, _)| *name == query);
    table.map(|(_, lines)| lines.lines().filter(|line| !line.is_empty()).collect()).unwrap_or_default()
}

/// Reads the line of a field.
pub(super) fn field(line: &'static str) -> Field {
    let mut parts = line.split('|').map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (name, alias, unit, key, since, meaning) = (next(), next(), next(), next(), next(), next());
    let (key, none) = key.split_once('=').unwrap_or((key, "[N/A]"));
    let key = if key.is_empty() { name } else { key };
    Field { name, alias, unit, key, none, drivers: since, meaning }
}

impl Field {
    /// Whether a driver knows it.
    pub(super) fn is_of(&self, driver: &str) -> bool {
        self.drivers.is_empty() || among(driver, self.drivers)
    }

    fn heading(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{} [{}]", self.name, self.unit) }
    }

    /// A value as its cell shows it.
    fn cell(&self, value: &str, format: Format) -> String {
        let number = thousandths(value).filter(|_| !self.unit.is_empty());
        let Some(number) = number else {
            return match value {
                NONE => self.none.to_owned(),
                // What the driver refuses to report is in brackets.
                words if words.starts_with("Requested functionality") || REFUSALS.contains(&words) => {
                    format!("[{words}]")
                }
                words => words.to_owned(),
            };
        };
        let text = if self.unit == "W" { decimals(number, 2) } else { value.to_owned() };
        if format.nounits { text } else { format!("{text} {}", self.unit) }
    }
}

/// Words in place of a value.
const REFUSALS: [&str; 5] =
    ["Insufficient Permissions", "Unknown Error", "Not Supported", "GPU requires reset", "GPU is lost"];

/// The queries, by option.
pub(super) const QUERIES: [(&str, &str); 6] = [
    ("--query-gpu", "gpu"),
    ("--query-supported-clocks", "supported-clocks"),
    ("--query-compute-apps", "compute-apps"),
    ("--query-accounted-apps", "accounted-apps"),
    ("--query-retired-pages", "retired-pages"),
    ("--query-remapped-rows", "remapped-rows"),
];

/// Answers a query; `is_first` is false for the later rounds of a loop, which have no header.
pub(super) fn run(words: &Words, scene: &Scene, query: (&str, &str), is_first: bool) -> Result<String, Outcome> {
    let (option, name) = query;
    let format = format(words, &scene.machine.driver)?;
    let columns = columns(words.get(option).unwrap_or_default(), &fields(name, &scene.machine.driver))?;
    let devices = scene.chosen(words.get("--id"))?;
    scene.all_answer(&devices)?;
    let mut out = String::new();
    if is_first && !format.noheader {
        out.push_str(&row(columns.iter().map(Field::heading)));
    }
    for device in devices {
        for values in rows(scene, device, name) {
            out.push_str(&row(columns.iter().map(|field| field.cell(values.get(field.key), format))));
        }
    }
    Ok(out)
}

fn format(words: &Words, driver: &str) -> Result<Format, Outcome> {
    if !words.has("--format") && within(driver, None, Some("580")) {
        return Err(told("\"--format=\" switch is missing. Please run 'nvidia-smi -h' for help.", 2));
    }
    let mut format = Format::default();
    for word in words.get("--format").unwrap_or("csv").split(',').map(str::trim) {
        match word {
            "csv" => {}
            "noheader" => format.noheader = true,
            "nounits" => format.nounits = true,
            _ => return Err(told("Format modifier is not recognized.", 2)),
        }
    }
    Ok(format)
}

fn columns(asked: &str, known: &[Field]) -> Result<Vec<Field>, Outcome> {
    let find = |word: &str| {
        let named = |field: &&Field| field.name == word || (!word.is_empty() && field.alias == word);
        let field = known.iter().find(named).copied();
        field.ok_or_else(|| told(&format!("Field \"{word}\" is not a valid field to query.\n"), 2))
    };
    asked.split(',').map(find).collect()
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(", ") + "\n"
}

/// The rows of a device; a row's own values override the device's.
fn rows(scene: &Scene, device: &Device, query: &str) -> Vec<Values> {
    let mut common = device.values.clone();
    let mut put = |key: &str, value: String| drop(common.0.insert(key.to_owned(), value));
    put("timestamp", scene.now.stamp());
    put("driver_version", scene.machine.driver.clone());
    put("count", scene.devices.len().to_string());
    put("index", device.place.to_string());
    let with = |pairs: &[(&str, String)]| {
        let mut values = common.clone();
        values.0.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        values
    };
    match query {
        "compute-apps" => {
            let computes = device.processes.iter().filter(|process| process.kind.contains('C'));
            let row = |process: &nvidia_simulated_machine::topology::live::Process| {
                let memory = process.memory.map_or_else(|| NONE.to_owned(), |used| used.to_string());
                let name = process.name.split(' ').next().unwrap_or_default();
                with(&[
                    ("pid", process.pid.to_string()),
                    ("process_name", name.to_owned()),
                    ("used_gpu_memory", memory),
                ])
            };
            computes.map(row).collect()
        }
        "accounted-apps" => {
            let row = |process: &nvidia_simulated_machine::topology::live::Accounted| {
                with(&[
                    ("pid", process.pid.to_string()),
                    ("gpu_utilization", process.gpu_utilization.to_string()),
                    ("mem_utilization", process.mem_utilization.to_string()),
                    ("max_memory_usage", process.max_memory_usage.to_string()),
                    ("time", process.time.to_string()),
                ])
            };
            device.accounted.iter().map(row).collect()
        }
        "retired-pages" => pages(device).iter().map(|page| with(page)).collect(),
        "supported-clocks" => clocks::supported(device)
            .into_iter()
            .flat_map(|(memory, all)| all.into_iter().map(move |graphics| (memory, graphics)))
            .map(|(memory, graphics)| with(&[("memory", memory.to_string()), ("graphics", graphics.to_string())]))
            .collect(),
        _ => vec![common],
    }
}

/// The retired pages: `retired_pages.addresses` lists them as `0x1f:single;0x2e:double`. A GPU that does not retire
/// pages has a row for each cause.
fn pages(device: &Device) -> Vec<[(&'static str, String); 3]> {
    let page = |address: &str, cause: &str| {
        [
            ("retired_pages.address", address.to_owned()),
            ("retired_pages.timestamp", NONE.to_owned()),
            ("retired_pages.cause", format!("{cause} Bit ECC")),
        ]
    };
    if device.get("retired_pages.pending") == NONE {
        return vec![page(NONE, "Single"), page(NONE, "Double")];
    }
    let listed = device.get("retired_pages.addresses").split(';').filter_map(|one| one.split_once(':'));
    listed.map(|(address, cause)| page(address, if cause == "double" { "Double" } else { "Single" })).collect()
}
