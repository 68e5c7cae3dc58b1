//! `--dtd`: the document type of `-q -x`, from the tree that the document is printed from.

use super::tree::Node;
use std::collections::BTreeMap;

/// What a group holds besides what the tree says.
const LISTS: [(&str, &str); 5] = [
    ("mig_devices", "(#PCDATA | mig_device)*"),
    ("processes", "(process_info*)"),
    ("accounted_processes", "(accounted_process_info*)"),
    ("supported_clocks", "(#PCDATA | supported_mem_clock)*"),
    ("retired_pagelist", "(#PCDATA)"),
];

/// The document type with all elements that a driver writes, each declared once.
pub(super) fn document_type(driver: &str, number: &str, trees: &BTreeMap<String, Vec<Node>>) -> String {
    let mut all: Vec<(String, String)> = Vec::new();
    let root = "(timestamp, driver_version, cuda_version, vgpu_driver_capability*, attached_gpus, error_string?, gpu*)";
    all.push(("nvidia_smi_log".to_owned(), root.to_owned()));
    for name in
        ["timestamp", "driver_version", "cuda_version", "vgpu_driver_capability", "attached_gpus", "error_string"]
    {
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
    let mut out = format!("<!DOCTYPE nvidia_smi_log [\n<!-- nvsmi_device_v{number}.dtd -->\n");
    let mut seen: Vec<&str> = Vec::new();
    for (name, content) in &all {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
            out.push_str(&format!("<!ELEMENT {name} {content}>\n"));
        }
    }
    out + "<!ATTLIST gpu id CDATA #REQUIRED>\n]>\n"
}
