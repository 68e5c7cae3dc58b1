//! What the image requires of the driver (SPEC section 9). Must not evaluate it: `nvidia-container-cli` does.

use std::collections::BTreeSet;

use crate::config::Config;

use crate::container::ImageEnvironment;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::{CUDA_VERSION, DISABLE_REQUIRE, REQUIRE_JETPACK_PREFIX, REQUIRE_PREFIX};
use crate::error::Error;
use crate::text::go_bool;
use crate::text::semver::Version;

/// One requirement and the variable that states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The expression, as the image states it.
    pub expression: String,
    /// The variable that states it.
    pub origin: Origin,
}

/// The requirements of a container in the order of `process.env`; a legacy image's CUDA version comes last.
///
/// # Errors
/// [`Error::CudaVersion`] if a legacy image's version cannot be read.
pub fn stated(config: &Config<'_>, environment: &ImageEnvironment<'_>) -> Result<Vec<Requirement>, Error> {
    if config.flag(Key::DisableRequire) || environment.get(DISABLE_REQUIRE).and_then(go_bool) == Some(true) {
        return Ok(Vec::new());
    }
    let mut seen = BTreeSet::new();
    // In reverse, so that the last entry of a repeated name, the one that counts, is kept.
    let mut requirements: Vec<Requirement> = environment
        .iter()
        .rev()
        .filter(|(name, _)| {
            name.starts_with(REQUIRE_PREFIX) && !name.starts_with(REQUIRE_JETPACK_PREFIX) && seen.insert(*name)
        })
        .map(|(name, value)| Requirement { expression: value.to_owned(), origin: Origin::Variable(name.to_owned()) })
        .collect();
    requirements.reverse();
    if environment.is_legacy() {
        let version = environment.get(CUDA_VERSION).unwrap_or_default();
        requirements.push(Requirement {
            expression: minimum_cuda(version)?,
            origin: Origin::Variable(CUDA_VERSION.to_owned()),
        });
    }
    Ok(requirements)
}

fn minimum_cuda(text: &str) -> Result<String, Error> {
    let invalid = |reason| Error::CudaVersion { value: text.to_owned(), reason };
    let version = Version::parse(text).map_err(|fault| invalid(fault.words()))?;
    // The published hook keeps both numbers in 32 bits.
    let major = u32::try_from(version.major).map_err(|_| invalid("invalid major version"))?;
    let minor = u32::try_from(version.minor).map_err(|_| invalid("invalid minor version"))?;
    Ok(format!("cuda>={major}.{minor}"))
}
