//! Whether a requirement is met when not everything is known: the simulator's evaluator is asked with every value that
//! the unknowns could have. Only a result that is the same for all of them is certain. Must not know the grammar.

use std::collections::BTreeSet;

use nvidia_simulated_machine::requirement::{DeviceFacts, Facts, Verdict, evaluate};
use schemars::JsonSchema;
use serde::Serialize;

use crate::driver;

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// It is met.
    Yes,
    /// It is not met.
    No,
    /// It depends on something that cannot be seen on this host.
    Unknown,
    /// It is not a valid expression, so nvidia-container-cli refuses it whatever the driver is.
    Invalid,
}

impl From<Verdict> for Met {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Satisfied => Met::Yes,
            Verdict::Unsatisfied => Met::No,
            Verdict::Invalid => Met::Invalid,
        }
    }
}

/// What is known about the machine that is to meet it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// The driver's version.
    pub driver: Option<&'k str>,
    /// The newest CUDA that the driver serves.
    pub cuda: Option<&'k str>,
    /// The device for which it is evaluated.
    pub device: Device<'k>,
}

impl Known<'_> {
    /// Whether more than one value must be tried.
    fn is_open(&self) -> bool {
        let device = match self.device {
            Device::None => false,
            Device::Unseen => true,
            Device::Seen { arch, brand } => arch.is_empty() || brand.is_empty(),
        };
        device || self.driver.is_none() || self.cuda.is_none()
    }
}

/// What is known about a device.
#[derive(Debug, Clone, Copy, Default)]
pub enum Device<'k> {
    /// None is selected, so whatever is asked of one holds.
    None,
    /// Nothing is known.
    #[default]
    Unseen,
    /// One is selected; an empty field is not known.
    Seen {
        /// The compute capability.
        arch: &'k str,
        /// The brand word.
        brand: &'k str,
    },
}

/// How many bytes of expressions are evaluated with more than one value, in all that an image states.
pub const WORK: usize = 4 << 20;
/// A longer expression is not tried with more than one value: an image may state a megabyte.
const LENGTH: usize = 8 << 10;

/// Evaluates an expression. Where that would take more than `work` bytes, the answer is "unknown".
#[must_use]
pub fn met(expression: &str, known: Known<'_>, work: usize) -> Met {
    if expression.len() > LENGTH && known.is_open() {
        return Met::Unknown;
    }
    let values = Values::of(expression);
    let cudas = known.cuda.map_or_else(|| values.cudas.clone(), |one| vec![one.to_owned()]);
    let drivers = known.driver.map_or_else(|| values.drivers.clone(), |one| vec![one.to_owned()]);
    let (archs, brands) = values.of_device(known.device);
    let sizes = [cudas.len(), drivers.len(), archs.len().max(1), brands.len().max(1)];
    let tries = sizes.into_iter().fold(1_usize, usize::saturating_mul);
    if tries > 1 && tries.saturating_mul(expression.len()) > work {
        return Met::Unknown;
    }
    let devices = devices(&archs, &brands);
    let mut answer = None;
    for (cuda, driver) in cudas.iter().flat_map(|cuda| drivers.iter().map(move |driver| (cuda, driver))) {
        for device in &devices {
            let device = device.as_ref().map(|(arch, brand)| DeviceFacts { arch, brand });
            let met = Met::from(evaluate(expression, Facts { cuda, driver, device }));
            if *answer.get_or_insert(met) != met {
                return Met::Unknown;
            }
        }
    }
    answer.unwrap_or(Met::Unknown)
}

/// Whether no CUDA release known here can meet an expression, whatever the driver and the device are; `false` where
/// finding out would take more than `work` bytes.
#[must_use]
pub fn is_unmeetable(expression: &str, work: usize) -> bool {
    let work = work / driver::cuda_releases().count().max(1);
    // The newest release meets most: the others are then not tried.
    let known = driver::cuda_releases().rev().map(|cuda| Known { cuda: Some(cuda), ..Known::default() });
    let is_named = expression.to_ascii_lowercase().contains("cuda");
    is_named && known.map(|known| met(expression, known, work)).all(|met| met == Met::No)
}

/// The oldest driver that the first alternative of an expression asks for, by its CUDA or by itself; `None` if it asks
/// for none, or not by a version.
#[must_use]
pub fn needed_driver(expression: &str) -> Option<String> {
    let first = expression.split(' ').find(|alternative| terms(alternative).next().is_some())?;
    let value = |wanted: &str| {
        let of_name = |term: &&str| term.get(..wanted.len()).is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let rest = terms(first).filter(of_name).find_map(|term| {
            let rest = term.get(wanted.len()..)?;
            rest.strip_prefix(">=").or_else(|| rest.strip_prefix(['=', '>']))
        });
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        rest.filter(|text| text.starts_with(|c: char| c.is_ascii_digit())).filter(digits)
    };
    match value("cuda") {
        Some(cuda) => driver::oldest_for_cuda(cuda).map(str::to_owned),
        None => value("driver").map(str::to_owned),
    }
}

fn terms(alternative: &str) -> impl Iterator<Item = &str> {
    alternative.split(',').filter(|term| !term.is_empty())
}

/// Values on either side of every comparison in an expression, for each thing that is compared.
struct Values {
    cudas: Vec<String>,
    drivers: Vec<String>,
    archs: Vec<String>,
    brands: Vec<String>,
}

impl Values {
    fn of(expression: &str) -> Self {
        const OPERATORS: [char; 4] = ['<', '>', '=', '!'];
        let named = |wanted: &str| {
            let values = expression.split([' ', ',']).filter_map(|term| {
                let at = term.find(OPERATORS)?;
                let (name, value) = (term.get(..at)?, term.get(at..)?.trim_start_matches(OPERATORS));
                name.eq_ignore_ascii_case(wanted).then_some(value)
            });
            values.collect::<BTreeSet<&str>>()
        };
        let versions = |name: &str| {
            let is_version = |value: &&str| value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            // The value itself, and one above it: one below is another value, or 0.
            let values = named(name).into_iter().filter(is_version);
            let around = values.flat_map(|value| [value.to_owned(), format!("{value}.1")]);
            around.chain(["0".to_owned()]).collect::<BTreeSet<String>>().into_iter().collect()
        };
        let brands = named("brand").into_iter().chain(["x"]).map(str::to_ascii_lowercase).collect();
        Values { cudas: versions("cuda"), drivers: versions("driver"), archs: versions("arch"), brands }
    }

    /// The architectures and brands that a device may have; none if no device is selected.
    fn of_device(&self, device: Device<'_>) -> (Vec<String>, Vec<String>) {
        let (arch, brand) = match device {
            Device::None => return (Vec::new(), Vec::new()),
            Device::Unseen => ("", ""),
            Device::Seen { arch, brand } => (arch, brand),
        };
        let choose = |known: &str, all: &[String]| if known.is_empty() { all.to_vec() } else { vec![known.to_owned()] };
        (choose(arch, &self.archs), choose(brand, &self.brands))
    }
}

fn devices<'v>(archs: &'v [String], brands: &'v [String]) -> Vec<Option<(&'v str, &'v str)>> {
    if archs.is_empty() {
        return vec![None];
    }
    archs.iter().flat_map(|arch| brands.iter().map(move |brand| Some((arch.as_str(), brand.as_str())))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_counts_only_where_it_decides() {
        let known = Known { driver: Some("550.54.14"), cuda: Some("12.4"), ..Known::default() };
        for (expression, expected) in [
            ("cuda>=12.4", Met::Yes),
            ("cuda>=12.8", Met::No),
            ("cuda>=12.8 driver>=550", Met::Yes),
            ("cuda>=12.8 brand=tesla,driver>=470,driver<471", Met::No),
            ("cuda>=12.8 brand=tesla,driver>=550", Met::Unknown),
            ("cuda>=12 bogus", Met::Yes),
            ("cuda>=99 bogus", Met::Invalid),
            ("cuda>=99,bogus", Met::No),
            ("cuda==12", Met::Invalid),
            ("cuda>=.0", Met::Invalid),
            ("CUDA!12.4.0", Met::No),
            ("cuda>=99 ,", Met::No),
            ("", Met::Yes),
            (" , ", Met::Yes),
            ("brand<x", Met::Invalid),
            ("arch>=8.0", Met::Unknown),
        ] {
            assert_eq!(met(expression, known, WORK), expected, "{expression}");
        }
        assert_eq!(met("cuda>=12", Known::default(), WORK), Met::Unknown);
        assert_eq!(met("cuda>=.0", Known::default(), WORK), Met::Invalid);
    }

    #[test]
    fn a_device_that_is_seen_decides() {
        let seen = |arch, brand| Known { cuda: Some("12.4"), device: Device::Seen { arch, brand }, ..Known::default() };
        assert_eq!(met("cuda>=12.8 brand=tesla", seen("7.5", "Tesla"), WORK), Met::Yes);
        assert_eq!(met("arch>=8.0", seen("7.5", ""), WORK), Met::No);
        assert_eq!(met("brand=geforce", seen("7.5", ""), WORK), Met::Unknown);
        assert_eq!(met("brand=geforce", Known { device: Device::None, ..Known::default() }, WORK), Met::Yes);
    }

    #[test]
    fn a_requirement_beyond_every_known_release_is_unmeetable() {
        assert!(is_unmeetable("cuda>=99.0", WORK));
        assert!(!is_unmeetable("cuda>=12.8", WORK) && !is_unmeetable("driver>=999", WORK));
        assert!(!is_unmeetable("cuda>=99 brand=tesla", WORK));
        assert_eq!(needed_driver("brand=tesla,cuda>=12.8").as_deref(), Some("570.26"));
        assert_eq!(needed_driver("driver>=545,driver<546").as_deref(), Some("545"));
        assert_eq!((needed_driver("brand=tesla"), needed_driver("cuda>=.0")), (None, None));
    }

    #[test]
    fn a_hostile_expression_is_not_worked_on_for_long() {
        let long: Vec<String> = (0..50_000).map(|n| format!("brand=b{n},driver>={n}")).collect();
        assert_eq!(met(&long.join(" "), Known::default(), WORK), Met::Unknown);
        let drivers: Vec<String> = (0..49).map(|n| format!("driver>={n}")).collect();
        let brands: Vec<String> = (0..199).map(|n| format!("brand=b{n}")).collect();
        let wide = format!("cuda>=99,{} {}", drivers.join(","), brands.join(","));
        let known = Known { cuda: Some("12.4"), ..Known::default() };
        assert_eq!((met(&wide, known, WORK), is_unmeetable(&wide, WORK)), (Met::Unknown, false));
    }
}
