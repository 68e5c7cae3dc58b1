//! What the image requires of the driver, and whether this host's driver meets it. Must not know the grammar of an
//! expression: `requirement` does.

use super::origins::Origins;
use super::report::{Driver, Met, Requirement, Requirements};
use super::requirement::{Known, evaluate, needed_driver};
use crate::driver;
use hook::config::Config;
use hook::container::Spec;
use hook::contract::keys::Key;
use hook::contract::variables::DISABLE_REQUIRE;
use hook::host::Host;
use hook::request::requirements;
use hook::text::go_bool;

/// The part of the report about requirements.
pub fn image_requirements(config: &Config<'_>, spec: &Spec<'_>, host: &dyn Host) -> Requirements {
    let by_image = spec.environment.get(DISABLE_REQUIRE).and_then(go_bool) == Some(true);
    let disabled_by = match (config.flag(Key::DisableRequire), by_image) {
        (true, _) => Some(format!("disable-require at {}", config.place(Key::DisableRequire))),
        (false, true) => Some(format!("the container's {DISABLE_REQUIRE}")),
        (false, false) => None,
    };
    let driver = driver::of_host(host).map(|version| {
        let cuda = driver::cuda_of(&version).map(str::to_owned);
        Driver { version, cuda }
    });
    let known = Known {
        driver: driver.as_ref().map(|driver| driver.version.as_str()),
        cuda: driver.as_ref().and_then(|driver| driver.cuda.as_deref()),
    };
    let origins = Origins { config, directories: &[] };
    let stated = requirements::stated(config, &spec.environment).unwrap_or_default();
    let items = stated.iter().map(|stated| requirement(stated, known, &origins)).collect();
    Requirements { disabled_by, driver, items }
}

fn requirement(stated: &requirements::Requirement, known: Known<'_>, origins: &Origins<'_>) -> Requirement {
    let met = evaluate(&stated.expression, known);
    let needs = if met == Met::Yes { None } else { needed_driver(&stated.expression) };
    Requirement {
        expression: stated.expression.clone(),
        origin: origins.list(&stated.origin),
        met,
        needs_driver: needs.map(str::to_owned),
    }
}
