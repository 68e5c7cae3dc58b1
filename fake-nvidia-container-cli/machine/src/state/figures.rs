//! The built-in figures: layers of values, and which of them apply to a GPU.
//!
//! It reads `figures/*.toml` once, on the first use; a run that never uses them pays nothing.

use crate::topology::{Gpu, Topology};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Values for the GPUs that fit all conditions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    /// Product names.
    model: Option<Vec<String>>,
    /// Architectures.
    architecture: Option<Vec<String>>,
    /// Brand words.
    brand: Option<Vec<String>>,
    /// The first driver version.
    since: Option<String>,
    /// The first driver version to which it no longer applies.
    until: Option<String>,
    /// MIG mode.
    mig: Option<bool>,
    values: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct File {
    layer: Vec<Layer>,
}

/// The layers in order; the first one names every key.
fn layers() -> Result<&'static [Layer], String> {
    static LAYERS: OnceLock<Result<Vec<Layer>, String>> = OnceLock::new();
    let read = || {
        let texts =
            [include_str!("figures/base.toml"), include_str!("figures/models.toml"), include_str!("figures/late.toml")];
        let file = |text: &str| toml::from_str::<File>(text).map_err(|why| format!("built-in figures: {why}"));
        let files: Vec<File> = texts.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(files.into_iter().flat_map(|file| file.layer).collect())
    };
    LAYERS.get_or_init(read).as_deref().map_err(Clone::clone)
}

/// Every key with its default value.
pub fn vocabulary() -> Result<&'static BTreeMap<String, String>, String> {
    layers()?.first().map(|layer| &layer.values).ok_or_else(|| "built-in figures: no layer".to_owned())
}

/// Whether a key exists.
pub fn known(key: &str) -> Result<bool, String> {
    vocabulary().map(|words| words.contains_key(key))
}

/// What the figures say about a GPU, with MIG mode on or off.
pub(super) fn of(machine: &Topology, gpu: &Gpu, mig: bool) -> Result<BTreeMap<String, String>, String> {
    let architecture = architecture(&gpu.arch);
    let names = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref().is_none_or(|list| list.iter().any(|one| one.eq_ignore_ascii_case(word)))
    };
    let fits = |layer: &&Layer| {
        names(&layer.model, &gpu.model)
            && names(&layer.architecture, architecture)
            && names(&layer.brand, &gpu.brand)
            && within(&machine.driver, layer.since.as_deref(), layer.until.as_deref())
            && layer.mig.is_none_or(|wanted| wanted == mig)
    };
    let mut all = BTreeMap::new();
    for layer in layers()?.iter().filter(fits) {
        all.extend(layer.values.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(all)
}

/// The name of the architecture of a compute capability.
#[must_use]
pub fn architecture(capability: &str) -> &'static str {
    match capability.split_once('.').unwrap_or((capability, "")) {
        ("3", _) => "Kepler",
        ("5", _) => "Maxwell",
        ("6", _) => "Pascal",
        ("7", "5") => "Turing",
        ("7", _) => "Volta",
        ("8", "9") => "Ada Lovelace",
        ("8", _) => "Ampere",
        ("9", _) => "Hopper",
        _ => "Blackwell",
    }
}

/// Whether a driver version is at least `since` and below `until`.
#[must_use]
pub fn within(driver: &str, since: Option<&str>, until: Option<&str>) -> bool {
    since.is_none_or(|since| parts(driver) >= parts(since)) && until.is_none_or(|until| parts(driver) < parts(until))
}

/// Whether a driver version is in one of several ranges: `580.126-590,595-` is 580.126 up to, without, 590, and from 595
/// on; `-535` is all before 535.
#[must_use]
pub fn among(driver: &str, ranges: &str) -> bool {
    let end = |version| Some(version).filter(|version: &&str| !version.is_empty());
    ranges.split(',').any(|range| {
        let (since, until) = range.split_once('-').unwrap_or((range, ""));
        within(driver, end(since), end(until))
    })
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// A decimal number in thousandths: `85.32` is 85320.
#[must_use]
pub fn thousandths(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let three: String = fraction.chars().chain("000".chars()).take(3).collect();
    let value = whole.parse::<i64>().ok()? * 1000 + three.parse::<i64>().ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_layer_names_a_key_that_the_first_does_not() {
        for layer in layers().unwrap() {
            for key in layer.values.keys() {
                assert!(known(key).unwrap(), "{key}");
            }
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(within("550.54.15", Some("550"), Some("550.90")));
        assert!(!within("550.100.1", None, Some("550.90")));
        assert!(!within("470.256.02", Some("510"), None));
        assert!(among("535.161.07", "535.161-545,550-") && among("550.54", "535.161-545,550-"));
        assert!(!among("545.23.08", "535.161-545,550-") && among("470.1", "-535") && !among("535.54.03", "-535"));
    }

    #[test]
    fn numbers_have_three_places() {
        assert_eq!(thousandths("85.32"), Some(85_320));
        assert_eq!(thousandths("-8"), Some(-8000));
        for wrong in ["", "-", "x", "1.x", ".5", "9999999999999"] {
            assert_eq!(thousandths(wrong), None, "{wrong}");
        }
    }
}
