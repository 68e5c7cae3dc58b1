//! `--dtd`: the document type of `-q -x`, made from the tree that the document is printed from.

use super::tree::Node;
use std::collections::BTreeMap;

/// The content of groups that the tree does not describe.
const LISTS: [(&str, &str); 5] = [
    ("mig_devices", "(#PCDATA | mig_device)*"),
    ("processes", "(process_info*)"),
    ("accounted_processes", "(accounted_process_info*)"),
    ("supported_clocks", "(#PCDATA | supported_mem_clock)*"),
    ("retired_pagelist", "(#PCDATA)"),
];

/// The document type as it appears in a document.
pub(super) fn document_type(driver: &str, number: &str, trees: &BTreeMap<String, Vec<Node>>) -> String {
    format!("<!DOCTYPE nvidia_smi_log [\n{}]>\n", elements(driver, number, trees))
}

/// All elements that a driver writes for units. No simulated machine has a unit.
pub(super) fn of_units(number: &str) -> String {
    let names = ["timestamp", "driver_version", "cuda_version", "hic_info", "attached_units"];
    let content = |name: &str| format!("<!ELEMENT {name} (#PCDATA)>\n");
    let all: String = names.into_iter().map(content).collect();
    format!("<!-- nvsmi_unit_v{number}.dtd -->\n<!ELEMENT nvidia_smi_log ({})>\n{all}", names.join(", "))
}

/// All elements that a driver writes, each declared once.
pub(super) fn elements(driver: &str, number: &str, trees: &BTreeMap<String, Vec<Node>>) -> String {
    let mut all: Vec<(String, String)> = Vec::new();
    let root = "(timestamp, driver_version, cuda_version, vgpu_driver_capability*, attached_gpus, error_string?, gpu*)";
    all.push(("nvidia_smi_log".to_owned(), root.to_owned()));
    for name in ["timestamp", "driver_version", "cuda_version", "attached_gpus", "error_string"] {
        all.push((name.to_owned(), "(#PCDATA)".to_owned()));
    }
    for (name, tree) in
        [("gpu", "gpu"), ("mig_device", "mig"), ("process_info", "process"), ("accounted_process_info", "accounted")]
    {
        Node::declare(name, trees.get(tree).map_or(&[], Vec::as_slice), driver, &mut all);
    }
    all.push(("supported_mem_clock".to_owned(), "(value, supported_graphics_clock*)".to_owned()));
    for name in ["value", "supported_graphics_clock"] {
        all.push((name.to_owned(), "(#PCDATA)".to_owned()));
    }
    for (name, content) in LISTS {
        all.retain(|(known, _)| known != name);
        all.push((name.to_owned(), content.to_owned()));
    }
    all.extend(declared());
    let mut out = format!("<!-- nvsmi_device_v{number}.dtd -->\n");
    let mut seen: Vec<&str> = Vec::new();
    for (name, content) in &all {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
            out.push_str(&format!("<!ELEMENT {name} {content}>\n"));
        }
    }
    out + "<!ATTLIST gpu id CDATA #REQUIRED>\n"
}

/// The elements that no simulated GPU has.
fn declared() -> Vec<(String, String)> {
    let lines = include_str!("data/declared.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all: Vec<(String, String)> = Vec::new();
    let mut below: Vec<&str> = Vec::new();
    let is_inner = |line: &str| line.starts_with(' ');
    for line in lines {
        if !is_inner(line) {
            below.clear();
        }
        all.push((line.trim().to_owned(), "(#PCDATA)".to_owned()));
        if is_inner(line) {
            below.push(line.trim());
            let names: Vec<String> = below.iter().map(|name| format!("{name}?")).collect();
            let head = all.len() - 1 - below.len();
            if let Some((_, content)) = all.get_mut(head) {
                *content = format!("({})", names.join(", "));
            }
        }
    }
    all
}
