//! What the image requires of the driver and the GPUs, and whether this host meets it. Must not know the grammar of an
//! expression: the evaluator does.

use super::origins::Origins;
use super::prediction::selection;
use super::report::{Driver, Met, Requirement, Requirements};
use crate::driver;
use crate::gpus::HostGpus;
use crate::requirement::{Device, Known, WORK, met as met_by, needed_driver};
use hook::config::Config;
use hook::container::Spec;
use hook::contract::keys::Key;
use hook::contract::variables::DISABLE_REQUIRE;
use hook::host::Host;
use hook::request::requirements;
use hook::text::go_bool;

/// The part of the report about requirements; `devices` is the list that is given, `None` if nothing is given.
pub fn image_requirements(
    config: &Config<'_>,
    spec: &Spec<'_>,
    host: &dyn Host,
    gpus: &HostGpus,
    devices: Option<&str>,
) -> Requirements {
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
        device: Device::Unseen,
    };
    let chosen = chosen(gpus, devices);
    let origins = Origins { config, directories: &[] };
    let stated = requirements::stated(config, &spec.environment).unwrap_or_default();
    let work = WORK / (stated.len() * chosen.len()).max(1);
    let items = stated.iter().map(|stated| requirement(stated, known, &chosen, work, &origins)).collect();
    Requirements { disabled_by, driver, items }
}

/// The devices for which requirements are evaluated.
fn chosen<'g>(gpus: &'g HostGpus, devices: Option<&str>) -> Vec<Device<'g>> {
    if devices == Some("none") {
        return vec![Device::None];
    }
    let Some(Ok(Some(selection))) = devices.map(|list| selection(list, gpus)) else { return vec![Device::Unseen] };
    let seen = selection.gpus.iter().filter_map(|at| gpus.list.get(*at));
    seen.map(|gpu| Device::Seen { arch: &gpu.arch, brand: &gpu.brand }).collect()
}

fn requirement(
    stated: &requirements::Requirement,
    known: Known<'_>,
    chosen: &[Device<'_>],
    work: usize,
    origins: &Origins<'_>,
) -> Requirement {
    // Each device must meet it: the program ends with the first that does not.
    let of = |device: &Device<'_>| met_by(&stated.expression, Known { device: *device, ..known }, work);
    let all: Vec<Met> = chosen.iter().map(of).collect();
    let first_device = all.iter().position(|met| matches!(met, Met::No | Met::Invalid)).unwrap_or_default();
    let met = all.into_iter().fold(Met::Yes, |worst, one| match (worst, one) {
        (Met::No | Met::Invalid, _) => worst,
        (_, Met::Yes) => worst,
        _ => one,
    });
    let helps = |driver: &String| {
        let is_newer = known.driver.is_none_or(|own| driver::compare(driver, own).is_gt());
        let with = Known { driver: Some(driver), cuda: driver::cuda_of(driver), ..known };
        let then = |device: &Device<'_>| met_by(&stated.expression, Known { device: *device, ..with }, work);
        is_newer && !chosen.iter().map(then).any(|met| matches!(met, Met::No | Met::Invalid))
    };
    let needs = matches!(met, Met::No | Met::Unknown).then(|| needed_driver(&stated.expression)).flatten();
    let needs = needs.filter(helps);
    Requirement {
        expression: stated.expression.clone(),
        origin: origins.list(&stated.origin),
        met,
        needs_driver: needs,
        first_device,
    }
}
