//! Which variables of a container the hook reads: only these may be shown or kept, since any other may be secret. Must
//! not know what a value means.

use hook::contract::variables::{
    CUDA_VERSION, DISABLE_REQUIRE, DRIVER_CAPABILITIES, IMEX_CHANNELS, MIG_CONFIG, MIG_MONITOR, REQUIRE_PREFIX,
    VISIBLE_DEVICES,
};

/// Every name that is read as it stands.
const NAMES: [&str; 7] =
    [VISIBLE_DEVICES, DRIVER_CAPABILITIES, MIG_CONFIG, MIG_MONITOR, IMEX_CHANNELS, DISABLE_REQUIRE, CUDA_VERSION];

/// Whether the hook reads the container's variable of this name; `swarm` are the variables of swarm-resource.
#[must_use]
pub fn is_read(name: &str, swarm: &[&str]) -> bool {
    NAMES.contains(&name) || name.starts_with(REQUIRE_PREFIX) || swarm.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_looks_like_the_hooks_is_not_read() {
        for name in ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_REQUIRE_DRIVER", "CUDA_VERSION", "SWARM"] {
            assert!(is_read(name, &["SWARM"]), "{name}");
        }
        for name in ["NVIDIA_API_KEY", "NVIDIA_VISIBLE_DEVICES_TOKEN", "nvidia_visible_devices", "SWARM", ""] {
            assert!(!is_read(name, &[]), "{name}");
        }
    }
}
