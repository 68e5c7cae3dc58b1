//! `nvidia-smi -q`, as text and as XML: what is around the tree of `data/log.txt`, and its blocks.

use super::clocks;
use super::scene::Scene;
use super::text::{fill, pairs};
use super::tree::{self, Node, Page, Style, formed};
use nvidia_simulated_machine::state::{Device, NONE, Part, Values};
use nvidia_simulated_machine::topology::live::{Accounted, Process};
use std::collections::BTreeMap;

/// All trees by name.
type Trees = BTreeMap<String, Vec<Node>>;

/// The text; `sections` are the words of `-d`.
pub(super) fn text(scene: &Scene, devices: &[&Device], sections: Option<&[String]>) -> String {
    let layout = &scene.layout;
    let column = layout.number("q.column");
    let versions = scene.versions();
    let line = |label: &str, value: &str| format!("{label:<column$}: {value}\n");
    let of = |name: &str| fill(layout.line(name), &pairs(&versions));
    let mut out = "\n==============NVSMI LOG==============\n\n".to_owned();
    out.push_str(&line("Timestamp", &scene.now.line()));
    for (label, name) in [
        ("Driver Version", "q.driver"),
        ("CUDA Version", "q.cuda"),
        ("KMD Version", "q.kmd"),
        ("CUDA UMD Version", "q.umd"),
    ] {
        if !layout.line(name).is_empty() {
            out.push_str(&line(label, &of(name)));
        }
    }
    out.push_str(&format!("\n{}", line("Attached GPUs", &scene.devices.len().to_string())));
    let trees = tree::read();
    for device in devices {
        out.push_str(&format!("GPU {}\n", device.get("pci.bus_id")));
        gpu(scene, device, &trees, (Style::Text(column), sections), &mut out);
        out.push('\n');
    }
    out
}

/// The XML, with the document type embedded or named.
pub(super) fn xml(scene: &Scene, devices: &[&Device], is_embedded: bool) -> String {
    let trees = tree::read();
    let number = scene.layout.line("x.dtd");
    let mut out = "<?xml version=\"1.0\" ?>\n".to_owned();
    if is_embedded {
        out.push_str(&super::dtd::document_type(&scene.machine.driver, number, &trees));
    } else {
        out.push_str(&format!("<!DOCTYPE nvidia_smi_log SYSTEM \"nvsmi_device_v{number}.dtd\">\n"));
    }
    out.push_str("<nvidia_smi_log>\n");
    let attached = scene.devices.len().to_string();
    let head = [
        ("timestamp", scene.now.line()),
        ("driver_version", scene.machine.driver.clone()),
        ("cuda_version", scene.cuda().to_owned()),
        ("attached_gpus", attached),
    ];
    for (name, value) in head {
        out.push_str(&format!("\t<{name}>{}</{name}>\n", tree::escaped(&value)));
    }
    for device in devices {
        out.push_str(&format!("\t<gpu id=\"{}\">\n", device.get("pci.bus_id")));
        gpu(scene, device, &trees, (Style::Xml, None), &mut out);
        out.push_str("\t</gpu>\n\n");
    }
    out + "</nvidia_smi_log>\n"
}

/// The document type alone, for GPUs or for units.
pub(super) fn document_type(scene: &Scene, is_of_units: bool) -> String {
    let number = scene.layout.line("x.dtd");
    if is_of_units {
        super::dtd::of_units(number)
    } else {
        super::dtd::elements(&scene.machine.driver, number, &tree::read())
    }
}

/// The log of units, the boxes of S-class systems: a simulated machine has none.
pub(super) fn units(scene: &Scene, is_xml: bool) -> String {
    let head = [
        ("Timestamp", "timestamp", scene.now.line()),
        ("Driver Version", "driver_version", scene.machine.driver.clone()),
    ];
    let head = head.into_iter().chain([("CUDA Version", "cuda_version", scene.cuda().to_owned())]);
    if is_xml {
        let facts: String =
            head.map(|(_, name, value)| format!("\t<{name}>{}</{name}>\n", tree::escaped(&value))).collect();
        let kind = format!("<!DOCTYPE nvidia_smi_log SYSTEM \"nvsmi_unit_v{}.dtd\">", scene.layout.line("x.dtd"));
        return format!(
            "<?xml version=\"1.0\" ?>\n{kind}\n<nvidia_smi_log>\n{facts}\t<hic_info>\n\t</hic_info>\n\
             \t<attached_units>0</attached_units>\n</nvidia_smi_log>\n"
        );
    }
    let column = scene.layout.number("q.column");
    let facts: String = head.map(|(label, _, value)| format!("{label:<column$}: {value}\n")).collect();
    let line = |label: &str, value: &str| format!("{label:<column$}: {value}\n");
    let (hic, count) = (line("HIC Info", NONE), line("Attached Units", "0"));
    format!("\n==============NVSMI LOG==============\n\n{facts}\n{hic}{count}\n")
}

fn gpu(scene: &Scene, device: &Device, trees: &Trees, (style, sections): (Style, Option<&[String]>), out: &mut String) {
    let block = |name: &str, node: &Node, level: usize, out: &mut String| {
        Block { scene, device, trees, style }.print(name, node, level, out);
    };
    let page = Page { style, driver: &scene.machine.driver, values: &device.values, sections, block: &block };
    tree::print(&page, trees.get("gpu").map_or(&[], Vec::as_slice), 1, out);
}

/// What a block is printed from.
#[derive(Clone, Copy)]
struct Block<'a> {
    scene: &'a Scene,
    device: &'a Device,
    trees: &'a Trees,
    style: Style,
}

impl Block<'_> {
    fn print(self, name: &str, node: &Node, level: usize, out: &mut String) {
        let element = node.element.as_deref().unwrap_or_default();
        match name.split_once(' ').map_or((name, ""), |(name, rest)| (name, rest)) {
            ("mig", _) => self.parts(element, level, out),
            ("processes", _) => self.processes(element, level, out),
            ("accounted", _) => self.accounted(element, level, out),
            ("pages", _) => self.pages(element, level, out),
            ("clocks", _) => self.clocks(element, level, out),
            ("samples", what) => self.samples(what, level, out),
            _ => {}
        }
    }

    /// Prints another tree with its own values.
    fn below(self, name: &str, style: Style, values: &Values, level: usize, out: &mut String) {
        let nothing = |_: &str, _: &Node, _: usize, _: &mut String| {};
        let driver = &self.scene.machine.driver;
        let page = Page { style, driver, values, sections: None, block: &nothing };
        let tree = self.trees.get(name).map_or(&[][..], Vec::as_slice);
        // The conditions of `-d` apply only on the first level.
        tree::print(&page, tree, level, out);
    }

    fn page(self) -> Page<'static> {
        static EMPTY: std::sync::LazyLock<Values> = std::sync::LazyLock::new(Values::default);
        Page { style: self.style, driver: "", values: &EMPTY, sections: None, block: &|_, _, _, _| {} }
    }

    fn parts(self, element: &str, level: usize, out: &mut String) {
        let page = self.page();
        match self.style {
            Style::Text(_) => {
                if self.device.parts.is_empty() && self.device.get("mig.mode.current") == "Enabled" {
                    page.leaf("MIG Devices", "None", level, out);
                }
                for (dev, part) in self.device.parts.iter().enumerate() {
                    page.open("MIG Device", level, out);
                    self.below("mig", self.style, &part_values(part, dev), level + 1, out);
                }
            }
            Style::Xml => {
                page.open(element, level, out);
                if self.device.parts.is_empty() {
                    out.push_str(&format!("{}None\n", "\t".repeat(level + 2)));
                }
                for (dev, part) in self.device.parts.iter().enumerate() {
                    page.open("mig_device", level + 1, out);
                    self.below("mig", self.style, &part_values(part, dev), level + 2, out);
                    page.close("mig_device", level + 1, out);
                }
                page.close(element, level, out);
            }
        }
    }

    fn processes(self, element: &str, level: usize, out: &mut String) {
        let all: Vec<Values> = self.device.processes.iter().map(process_values).collect();
        self.group(("Processes", element, "process_info", "process"), &all, level, out);
    }

    fn accounted(self, element: &str, level: usize, out: &mut String) {
        let all: Vec<Values> = self.device.accounted.iter().map(accounted_values).collect();
        self.group(("Accounted Processes", element, "accounted_process_info", "accounted"), &all, level, out);
    }

    /// A list of programs.
    fn group(self, names: (&str, &str, &str, &str), all: &[Values], level: usize, out: &mut String) {
        let (label, element, each, tree) = names;
        let page = self.page();
        match self.style {
            Style::Text(_) if all.is_empty() => page.leaf(label, "None", level, out),
            Style::Text(_) => {
                page.open(label, level, out);
                let narrow = Style::Text(self.scene.layout.number("q.column.processes"));
                for values in all {
                    self.below(tree, narrow, values, level + 1, out);
                }
            }
            Style::Xml => {
                page.open(element, level, out);
                for values in all {
                    page.open(each, level + 1, out);
                    self.below(tree, self.style, values, level + 2, out);
                    page.close(each, level + 1, out);
                }
                page.close(element, level, out);
            }
        }
    }

    /// The list of retired pages: empty, or N/A if the GPU does not retire pages.
    fn pages(self, element: &str, level: usize, out: &mut String) {
        if self.device.get("retired_pages.pending") == NONE {
            self.page().leaf(element, NONE, level, out);
        } else {
            self.page().open(element, level, out);
            self.page().close(element, level, out);
        }
    }

    fn clocks(self, element: &str, level: usize, out: &mut String) {
        let page = self.page();
        let all = clocks::supported(self.device);
        let name = if self.style == Style::Xml { element } else { "Supported Clocks" };
        if all.is_empty() {
            return page.leaf(name, NONE, level, out);
        }
        page.open(name, level, out);
        for (memory, graphics) in all {
            let memory = format!("{memory} MHz");
            if self.style == Style::Xml {
                page.open("supported_mem_clock", level + 1, out);
                page.leaf("value", &memory, level + 2, out);
            } else {
                page.leaf("Memory", &memory, level + 1, out);
            }
            let label = if self.style == Style::Xml { "supported_graphics_clock" } else { "Graphics" };
            for clock in graphics {
                page.leaf(label, &format!("{clock} MHz"), level + 2, out);
            }
            if self.style == Style::Xml {
                page.close("supported_mem_clock", level + 1, out);
            }
        }
        page.close(name, level, out);
    }

    /// What the driver sampled of a value: for how long, how often, and optionally what; otherwise a simulated GPU
    /// shows one value for all of these. A text alone says why there are no samples.
    fn samples(self, what: &str, level: usize, out: &mut String) {
        let mut words: Vec<&str> = what.split(' ').collect();
        let (form, key) = (words.pop().unwrap_or_default(), words.pop().unwrap_or_default());
        let page = self.page();
        page.open(&words.join(" "), level, out);
        let value = self.device.get(key);
        let said = if value == NONE { NONE } else { self.device.get(&format!("samples.{key}")) };
        let parts: Vec<&str> = said.split(';').map(str::trim).collect();
        for (at, label) in ["Duration", "Number of Samples", "Max", "Min", "Avg"].into_iter().enumerate() {
            let shown = match (parts.get(at), parts.as_slice()) {
                (_, [why]) => (*why).to_owned(),
                (Some(said), _) if at < 2 => (*said).to_owned(),
                (said, _) => formed(said.unwrap_or(&value), form),
            };
            page.leaf(label, &shown, level + 1, out);
        }
    }
}

fn part_values(part: &Part, dev: usize) -> Values {
    let mut values = part.values.clone();
    let more = [("dev", dev.to_string()), ("gi", part.gi.to_string()), ("ci", part.ci.to_string())];
    values.0.extend(more.map(|(key, value)| (key.to_owned(), value)));
    values
}

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn process_values(process: &Process) -> Values {
    let pairs = [
        ("gi", or_none(process.gi)),
        ("ci", or_none(process.ci)),
        ("pid", process.pid.to_string()),
        ("type", process.kind.clone()),
        ("name", process.name.clone()),
        ("memory", or_none(process.memory)),
    ];
    Values(pairs.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
}

fn accounted_values(process: &Accounted) -> Values {
    let pairs = [
        ("pid", process.pid.to_string()),
        ("gpu_utilization", process.gpu_utilization.to_string()),
        ("mem_utilization", process.mem_utilization.to_string()),
        ("max_memory_usage", process.max_memory_usage.to_string()),
        ("time", process.time.to_string()),
        ("is_running", "0".to_owned()),
    ];
    Values(pairs.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
}
