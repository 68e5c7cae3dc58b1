//! `dmon` and `pmon`: one line per GPU or program, round after round.

use super::answer::{Emit, append};
use super::layout::Layout;
use super::scene::{Host, Scene};
use super::text::{fill, pairs};
use super::{help, ok, options, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::figures::thousandths;
use nvidia_simulated_machine::state::{Device, NONE, Values};
use nvidia_simulated_machine::topology::live::Process;
use std::time::Duration;

/// The number of rounds after which the header is repeated.
const HEADER_EVERY: u64 = 20;

/// A column: heading, unit, key and width.
struct Column<'a> {
    heading: &'a str,
    unit: &'a str,
    key: &'a str,
    width: usize,
}

/// The options of both; an option of only one is unknown to the other.
const OPTIONS: &[(&str, &[&str], bool)] = &[
    ("--id", &["-i"], true),
    ("--delay", &["-d"], true),
    ("--count", &["-c"], true),
    ("--select", &["-s"], true),
    ("--options", &["-o"], true),
    ("--filename", &["-f"], true),
    ("--help", &["-h"], false),
    ("--format", &[], true),
    ("--gpm-metrics", &[], true),
    ("--gpm-options", &[], true),
];
/// The options that only dmon has.
const OF_DEVICES: [&str; 3] = ["--format", "--gpm-metrics", "--gpm-options"];

/// What one run of a monitor does.
struct Monitor<'a> {
    is_processes: bool,
    groups: &'a str,
    metrics: Option<&'a str>,
    stamps: &'a str,
    ids: Option<&'a str>,
    format: Format,
}

/// What the lines look like.
#[derive(Clone, Copy, Default)]
struct Format {
    is_csv: bool,
    noheader: bool,
    nounit: bool,
}

impl Format {
    fn of(text: &str) -> Option<Self> {
        let mut format = Self::default();
        for word in text.split(',') {
            match word {
                "csv" => format.is_csv = true,
                "noheader" => format.noheader = true,
                "nounit" => format.nounit = true,
                _ => return None,
            }
        }
        Some(format)
    }
}

/// The outcome of a command line that asks for nothing that exists.
fn unusable(why: &str) -> Outcome {
    told(&format!("{why}\nFailed to process command line \n"), 255)
}

/// Runs a monitor. Without `-c` it goes on until nobody reads it any more.
pub(super) fn run(name: &str, words: &[String], host: &Host, emit: Emit<'_>) -> Outcome {
    let is_processes = name == "pmon";
    let foreign = |word: &String| is_processes && OF_DEVICES.iter().any(|option| word.starts_with(option));
    let unknown = |line: String| ok(format!("{line}\n{}", help::usage(name)));
    if let Some(word) = words.iter().find(|word| foreign(word)) {
        return unknown(format!("Option \"{word}\" is not recognized."));
    }
    let words = match options::read(words, OPTIONS) {
        Ok(words) => words,
        Err(line) => return unknown(line),
    };
    if words.has("--help") {
        return ok(help::usage(name));
    }
    let number = |option: &str, default: u64| words.get(option).map_or(Ok(default), str::parse);
    let (Ok(delay), Ok(count)) = (number("--delay", 1), number("--count", u64::MAX)) else {
        return unusable("Invalid value of -d or -c");
    };
    let (known, default) = if is_processes { ("um", "u") } else { ("pucvmet", "puc") };
    let groups = words.get("--select").unwrap_or(default);
    if groups.is_empty() || groups.contains(|group| !known.contains(group)) {
        return unusable("Failed to find any metric to display");
    }
    let Some(format) = words.get("--format").map_or(Some(Format::default()), Format::of) else {
        return unusable("Failed to find a valid format");
    };
    let monitor = Monitor {
        is_processes,
        groups,
        metrics: words.get("--gpm-metrics"),
        stamps: words.get("--options").unwrap_or(""),
        ids: words.get("--id"),
        format,
    };
    let mut out = Outcome::default();
    for round in 0..count.max(1) {
        let text = match host
            .scene_of_round(round + 1)
            .and_then(|scene| monitor.round(&scene, round.is_multiple_of(HEADER_EVERY)))
        {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        let goes_on = match words.get("--filename") {
            None => emit(&text),
            Some(path) => append(path, &text, round == 0).map_err(|wrong| out = wrong).is_ok(),
        };
        if !goes_on {
            break;
        }
        if round + 1 < count.max(1) {
            std::thread::sleep(Duration::from_secs(delay));
        }
    }
    out
}

impl Monitor<'_> {
    fn round(&self, scene: &Scene, has_header: bool) -> Result<String, Outcome> {
        let devices = scene.chosen(self.ids)?;
        scene.all_answer(&devices)?;
        let columns = self.columns(&scene.layout);
        let mut out = String::new();
        if has_header {
            out.push_str(&self.header(&scene.layout, &columns));
        }
        for device in devices {
            if !self.is_processes {
                out.push_str(&self.line(scene, &format!("{:>5}", device.place), &columns, &device.values, ""));
                continue;
            }
            let programs: Vec<Option<&Process>> = device.processes.iter().map(Some).collect();
            for process in if programs.is_empty() { vec![None] } else { programs } {
                out.push_str(&self.program(scene, device, process, &columns));
            }
        }
        Ok(out)
    }

    /// The name of a text of the layout that the other monitor has too.
    fn own(&self, name: &str) -> String {
        format!("{}.{name}", if self.is_processes { "pmon" } else { "dmon" })
    }

    /// The columns of the groups, in the order in which they were asked for, and the columns of metrics.
    fn columns<'l>(&self, layout: &'l Layout) -> Vec<Column<'l>> {
        let width = layout.number(&self.own("width"));
        let column = |line: &'l String| {
            let mut words = line.split(' ');
            let place = self.groups.find(words.next()?)?;
            Some((place, Column { heading: words.next()?, unit: words.next()?, key: words.next()?, width }))
        };
        let mut asked: Vec<_> = layout.lines(&self.own("columns")).iter().filter_map(column).collect();
        asked.sort_by_key(|(place, _)| *place);
        let metrics = layout.lines("gpm.columns");
        let metric = |number: &str| {
            let mut words = metrics.iter().map(|line| line.split(' ')).find_map(|mut words| {
                let is = words.next() == Some(number);
                is.then_some(words)
            })?;
            // A metric is what happened since the previous sample.
            Some(Column { heading: words.next()?, unit: words.next()?, key: "=-", width: layout.number("gpm.width") })
        };
        let numbers = self.metrics.unwrap_or("").split(',');
        asked.into_iter().map(|(_, column)| column).chain(numbers.filter_map(metric)).collect()
    }

    /// The names of the texts for the stamps that -o asks for.
    fn stamps(&self) -> impl Iterator<Item = &'static str> {
        [("D", "monitor.date"), ("T", "monitor.time")]
            .into_iter()
            .filter(|(letter, _)| self.stamps.contains(letter))
            .map(|(_, name)| name)
    }

    /// The two lines above the columns.
    fn header(&self, layout: &Layout, columns: &[Column<'_>]) -> String {
        let mut out = String::new();
        let texts: [Vec<&str>; 2] =
            [columns.iter().map(|c| c.heading).collect(), columns.iter().map(|c| c.unit).collect()];
        let rows = [!self.format.noheader, !self.format.noheader && !self.format.nounit];
        for (row, texts) in texts.into_iter().enumerate().filter(|(row, _)| rows.get(*row) == Some(&true)) {
            let first = ["gpu", "Idx"].get(row).copied().unwrap_or_default();
            let stamps: Vec<&str> =
                self.stamps().map(|name| layout.lines(name).get(row).map_or("", String::as_str)).collect();
            if self.format.is_csv {
                let cells = stamps.iter().map(|stamp| stamp.trim()).chain([first]).chain(texts);
                out.push_str(&format!("#{}\n", cells.collect::<Vec<_>>().join(", ")));
                continue;
            }
            let head = if self.is_processes { layout.lines("pmon.head").get(row).cloned() } else { None };
            let head = head.unwrap_or_else(|| format!("# {first}"));
            // The mark of a header is at the beginning of the line.
            out.push_str(&if stamps.is_empty() {
                head
            } else {
                format!("#{}{}", stamps.concat(), head.replacen('#', " ", 1))
            });
            out.extend(columns.iter().zip(texts).map(|(c, text)| format!("{text:>width$}", width = c.width)));
            if self.is_processes {
                out.push_str(layout.line("pmon.gap"));
                out.push_str(["command", "name"].get(row).copied().unwrap_or_default());
            }
            out.push_str(layout.line(&self.own("end")));
            out.push('\n');
        }
        out
    }

    fn line(&self, scene: &Scene, first: &str, columns: &[Column<'_>], values: &Values, last: &str) -> String {
        let form = |name: &str| scene.layout.lines(name).get(2).map_or("", String::as_str);
        let stamps: Vec<String> = self.stamps().map(|name| scene.now.local.strftime(form(name)).to_string()).collect();
        let cells = columns.iter().map(|column| cell(values, column.key));
        if self.format.is_csv {
            let stamps = stamps.iter().map(|stamp| stamp.trim().to_owned());
            let all: Vec<String> = stamps.chain([first.trim().to_owned()]).chain(cells).collect();
            return format!(" {}\n", all.join(", "));
        }
        let mut out = if stamps.is_empty() { String::new() } else { format!(" {}", stamps.concat()) };
        out.push_str(first);
        for (column, cell) in columns.iter().zip(cells) {
            out.push_str(&format!("{cell:>width$}", width = column.width));
        }
        let end = self.own("end");
        out + if last.is_empty() { scene.layout.line(&end) } else { last } + "\n"
    }

    /// The line of a program, or of a GPU without one.
    fn program(&self, scene: &Scene, device: &Device, process: Option<&Process>, columns: &[Column<'_>]) -> String {
        let layout = &scene.layout;
        let dash = || "-".to_owned();
        let number =
            |of: fn(&Process) -> Option<u32>| process.and_then(of).map_or_else(|| NONE.to_owned(), |n| n.to_string());
        let values = Values(
            [
                ("sm", number(|p| p.sm)),
                ("mem", number(|p| p.mem)),
                ("enc", number(|p| p.enc)),
                ("dec", number(|p| p.dec)),
                ("ccpm", number(|_| Some(0))),
            ]
            .into_iter()
            .chain([("fb", process.and_then(|p| p.memory).map_or_else(|| NONE.to_owned(), |used| used.to_string()))])
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
        );
        let told = [
            ("index", device.place.to_string()),
            ("pid", process.map_or_else(dash, |p| p.pid.to_string())),
            ("type", process.map_or_else(dash, |p| p.kind.clone())),
        ];
        let path = process.map_or("-", |p| p.name.split(' ').next().unwrap_or_default());
        let name: String = path.rsplit('/').next().unwrap_or(path).chars().take(15).collect();
        let last = format!("{}{name:<15}", layout.line("pmon.gap"));
        self.line(scene, &fill(layout.line("pmon.row"), &pairs(&told)), columns, &values, &last)
    }
}

/// What a column shows: whole numbers, with the fraction cut off.
fn cell(values: &Values, key: &str) -> String {
    if let Some(text) = key.strip_prefix('=') {
        return text.to_owned();
    }
    let (key, parts) = key.split_once('/').map_or((key, Some(1)), |(key, parts)| (key, parts.parse::<i64>().ok()));
    let whole = thousandths(values.get(key)).map(|number| number / 1000);
    whole.zip(parts).map_or_else(|| "-".to_owned(), |(number, parts)| (number / parts.max(1)).to_string())
}
