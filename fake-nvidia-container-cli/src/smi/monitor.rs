//! `dmon` and `pmon`: a line a GPU or a program, round after round.

use super::answer::Emit;
use super::layout::Layout;
use super::scene::{Host, Scene};
use super::text::{fill, pairs};
use super::{ok, options, told};
use crate::outcome::Outcome;
use nvidia_simulated_machine::state::{Device, NONE, Values};
use nvidia_simulated_machine::topology::live::Process;
use std::time::Duration;

/// The rounds after which the header comes again.
const HEADER_EVERY: u64 = 20;

/// A column: the letter of its group, heading, unit and key.
struct Column<'a> {
    heading: &'a str,
    unit: &'a str,
    key: &'a str,
}

/// The options of both.
const OPTIONS: &[(&str, &[&str], bool)] = &[
    ("--id", &["-i"], true),
    ("--delay", &["-d"], true),
    ("--count", &["-c"], true),
    ("--select", &["-s"], true),
    ("--options", &["-o"], true),
    ("--filename", &["-f"], true),
    ("--help", &["-h"], false),
];

/// What one run of a monitor does.
struct Monitor<'a> {
    is_processes: bool,
    groups: &'a str,
    stamps: &'a str,
    ids: Option<&'a str>,
}

/// Runs a monitor. Without `-c` it goes on until nobody reads it any more.
pub(super) fn run(name: &str, words: &[String], host: &Host, emit: Emit<'_>) -> Outcome {
    let words = match options::read(words, OPTIONS) {
        Ok(words) => words,
        Err(line) => return told(&line, 2),
    };
    if words.has("--help") {
        return ok(format!("\n    Usage: nvidia-smi {name} [-i ids] [-d seconds] [-c rounds] [-s groups] [-o DT]\n"));
    }
    let is_processes = name == "pmon";
    let number = |option: &str, default: u64| words.get(option).map_or(Ok(default), str::parse);
    let (Ok(delay), Ok(count)) = (number("--delay", 1), number("--count", u64::MAX)) else {
        return told("Invalid value of -d or -c. Please run 'nvidia-smi -h' for help.", 2);
    };
    let groups = words.get("--select").unwrap_or(if is_processes { "u" } else { "puc" });
    let monitor =
        Monitor { is_processes, groups, stamps: words.get("--options").unwrap_or(""), ids: words.get("--id") };
    for round in 0..count.max(1) {
        let text = match host
            .scene_of_round(round + 1)
            .and_then(|scene| monitor.round(&scene, round.is_multiple_of(HEADER_EVERY)))
        {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        if !emit(&text) {
            break;
        }
        if round + 1 < count.max(1) {
            std::thread::sleep(Duration::from_secs(delay));
        }
    }
    Outcome::default()
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

    /// The columns of the groups that were asked for, in the order of the layout.
    fn columns<'l>(&self, layout: &'l Layout) -> Vec<Column<'l>> {
        let lines = layout.lines(if self.is_processes { "pmon.columns" } else { "dmon.columns" });
        let column = |line: &'l String| {
            let mut words = line.split(' ');
            let group = words.next()?;
            let column = Column { heading: words.next()?, unit: words.next()?, key: words.next()? };
            self.groups.contains(group).then_some(column)
        };
        lines.iter().filter_map(column).collect()
    }

    fn header(&self, layout: &Layout, columns: &[Column<'_>]) -> String {
        let width = layout.number("monitor.width");
        let mut out = String::new();
        let stamps = [("#Date       ", "#YYYYMMDD   "), ("Time     ", "HH:MM:SS ")];
        let texts: [fn(&Column<'_>) -> String; 2] = [|c| c.heading.to_owned(), |c| c.unit.to_owned()];
        for (row, text) in texts.into_iter().enumerate() {
            let first = ["# gpu", "# Idx"].get(row).copied().unwrap_or_default().to_owned();
            let first =
                if self.is_processes { layout.lines("pmon.head").get(row).cloned().unwrap_or(first) } else { first };
            for (letter, (heading, form)) in ["D", "T"].into_iter().zip(stamps) {
                if self.stamps.contains(letter) {
                    out.push_str(if row == 0 { heading } else { form });
                }
            }
            // The mark of a header is at the beginning of the line.
            out.push_str(&if out.ends_with(' ') { first.replacen('#', " ", 1) } else { first });
            out.extend(columns.iter().map(|column| format!("{:>width$}", text(column))));
            if self.is_processes {
                out.push_str(layout.line("pmon.gap"));
                out.push_str(["command", "name"].get(row).copied().unwrap_or_default());
            }
            out.push_str(layout.line("monitor.end"));
            out.push('\n');
        }
        out
    }

    fn line(&self, scene: &Scene, first: &str, columns: &[Column<'_>], values: &Values, last: &str) -> String {
        let width = scene.layout.number("monitor.width");
        let mut out = String::new();
        for (letter, form) in [("D", " %Y%m%d   "), ("T", "%H:%M:%S ")] {
            if self.stamps.contains(letter) {
                out.push_str(&scene.now.local.strftime(form).to_string());
            }
        }
        out.push_str(first);
        for column in columns {
            let cell = values.number(column.key).map_or_else(|| "-".to_owned(), |number| number.to_string());
            out.push_str(&format!("{cell:>width$}"));
        }
        let end = if last.is_empty() { scene.layout.line("monitor.end") } else { last };
        out + end + "\n"
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
