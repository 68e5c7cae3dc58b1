//! Whether a requirement is met where not everything is known: the simulator's evaluator, asked with every value that the
//! unknown could have. Only what comes out the same for all of them is certain. Must not know the grammar.

use std::collections::BTreeSet;

use nvidia_simulated_machine::requirement::{DeviceFacts, Facts, Verdict, evaluate};
use schemars::JsonSchema;
use serde::Serialize;

use crate::driver;

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It depends on something that cannot be seen here.
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

/// What is known of the machine that is to meet it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// The driver's version.
    pub driver: Option<&'k str>,
    /// The newest CUDA that the driver serves.
    pub cuda: Option<&'k str>,
    /// The device that it is evaluated for.
    pub device: Device<'k>,
}

/// What is known of a device.
#[derive(Debug, Clone, Copy, Default)]
pub enum Device<'k> {
    /// None is selected, so that what is asked of one holds.
    None,
    /// Nothing is known.
    #[default]
    Unseen,
    /// One is selected; what is empty is not known.
    Seen {
        /// The compute capability.
        arch: &'k str,
        /// The brand word.
        brand: &'k str,
    },
}

/// Evaluations that are tried before the answer is "unknown".
const TRIES: usize = 20_000;
/// An expression that is longer is not evaluated with more than one value.
const LENGTH: usize = 8 << 10;

/// Evaluates an expression.
#[must_use]
pub fn met(expression: &str, known: Known<'_>) -> Met {
    let values = Values::of(expression);
    let cudas = known.cuda.map_or_else(|| values.versions.clone(), |one| vec![one.to_owned()]);
    let drivers = known.driver.map_or_else(|| values.versions.clone(), |one| vec![one.to_owned()]);
    // Counted before anything is made: an image may state a megabyte, and the product of its values is not for memory.
    let tries =
        [cudas.len(), drivers.len(), values.device_count(known.device)].into_iter().fold(1, usize::saturating_mul);
    if tries > 1 && (tries > TRIES || expression.len() > LENGTH) {
        return Met::Unknown;
    }
    let devices = values.devices(known.device);
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

/// Whether no CUDA release that is known here can meet an expression, whatever the driver and the device are.
#[must_use]
pub fn is_unmeetable(expression: &str) -> bool {
    let known = driver::cuda_releases().map(|cuda| Known { cuda: Some(cuda), ..Known::default() });
    expression.contains("cuda") && known.map(|known| met(expression, known)).all(|met| met == Met::No)
}

/// The oldest driver with the CUDA that an expression asks for first; `None` where it is not a version.
#[must_use]
pub fn needed_driver(expression: &str) -> Option<&'static str> {
    let first = expression.split(' ').find(|alternative| terms(alternative).next().is_some())?;
    let cuda = terms(first).find_map(|term| {
        let (name, rest) = term.split_at_checked(4).filter(|(name, _)| name.eq_ignore_ascii_case("cuda"))?;
        let _ = name;
        rest.strip_prefix(">=").or_else(|| rest.strip_prefix(['=', '>']))
    })?;
    let is_version = cuda.starts_with(|c: char| c.is_ascii_digit())
        && cuda.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_version { driver::oldest_for_cuda(cuda) } else { None }
}

fn terms(alternative: &str) -> impl Iterator<Item = &str> {
    alternative.split(',').filter(|term| !term.is_empty())
}

/// The values on either side of every comparison in an expression.
struct Values {
    versions: Vec<String>,
    brands: Vec<String>,
}

impl Values {
    fn of(expression: &str) -> Self {
        const OPERATORS: [char; 4] = ['<', '>', '=', '!'];
        let values = expression.split([' ', ',']).filter_map(|term| {
            let at = term.find(OPERATORS)?;
            Some((term.get(..at)?, term.get(at..)?.trim_start_matches(OPERATORS)))
        });
        let (mut versions, mut brands) = (BTreeSet::from(["0".to_owned()]), BTreeSet::from(["x".to_owned()]));
        for (name, value) in values {
            if name.eq_ignore_ascii_case("brand") {
                brands.insert(value.to_ascii_lowercase());
            } else if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                // The value itself, and one that is more: less is another value, or 0.
                versions.extend([value.to_owned(), format!("{value}.1")]);
            }
        }
        Values { versions: versions.into_iter().collect(), brands: brands.into_iter().collect() }
    }

    /// How many devices [`Values::devices`] has.
    fn device_count(&self, device: Device<'_>) -> usize {
        let count = |known: &str, all: &[String]| if known.is_empty() { all.len() } else { 1 };
        match device {
            Device::None => 1,
            Device::Unseen => self.versions.len().saturating_mul(self.brands.len()),
            Device::Seen { arch, brand } => count(arch, &self.versions).saturating_mul(count(brand, &self.brands)),
        }
    }

    fn devices(&self, device: Device<'_>) -> Vec<Option<(String, String)>> {
        let (arch, brand) = match device {
            Device::None => return vec![None],
            Device::Unseen => ("", ""),
            Device::Seen { arch, brand } => (arch, brand),
        };
        let choose = |known: &str, all: &[String]| if known.is_empty() { all.to_vec() } else { vec![known.to_owned()] };
        let (archs, brands) = (choose(arch, &self.versions), choose(brand, &self.brands));
        archs.iter().flat_map(|arch| brands.iter().map(move |brand| Some((arch.clone(), brand.clone())))).collect()
    }
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
            assert_eq!(met(expression, known), expected, "{expression}");
        }
        assert_eq!(met("cuda>=12", Known::default()), Met::Unknown);
        assert_eq!(met("cuda>=.0", Known::default()), Met::Invalid);
    }

    #[test]
    fn a_device_that_is_seen_decides() {
        let seen = |arch, brand| Known { cuda: Some("12.4"), device: Device::Seen { arch, brand }, ..Known::default() };
        assert_eq!(met("cuda>=12.8 brand=tesla", seen("7.5", "Tesla")), Met::Yes);
        assert_eq!(met("arch>=8.0", seen("7.5", "")), Met::No);
        assert_eq!(met("brand=geforce", seen("7.5", "")), Met::Unknown);
        assert_eq!(met("brand=geforce", Known { device: Device::None, ..Known::default() }), Met::Yes);
    }

    #[test]
    fn a_requirement_beyond_every_known_release_is_unmeetable() {
        assert!(is_unmeetable("cuda>=99.0"));
        assert!(!is_unmeetable("cuda>=12.8") && !is_unmeetable("driver>=999"));
        assert!(!is_unmeetable("cuda>=99 brand=tesla"));
        assert_eq!(needed_driver("brand=tesla,cuda>=12.8"), Some("570.26"));
        assert_eq!((needed_driver("driver>=470"), needed_driver("cuda>=.0")), (None, None));
    }

    #[test]
    fn a_hostile_expression_is_not_worked_on_for_long() {
        let long: Vec<String> = (0..50_000).map(|n| format!("brand=b{n},driver>={n}")).collect();
        assert_eq!(met(&long.join(" "), Known::default()), Met::Unknown);
    }
}
