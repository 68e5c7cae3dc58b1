//! Names of environment variables. All but [`HOOK_LOG`] and the variables of the configuration search belong to the
//! container, so the image chooses their values. Only these names are ever read from the container. Must not know what
//! a value means.

/// Devices by index, UUID or name, `all`, `none` or `void` (SPEC section 7).
pub const VISIBLE_DEVICES: &str = "NVIDIA_VISIBLE_DEVICES";
/// Driver capabilities: a comma list or `all` (SPEC section 8).
pub const DRIVER_CAPABILITIES: &str = "NVIDIA_DRIVER_CAPABILITIES";
/// MIG devices that the container may reconfigure (SPEC section 7).
pub const MIG_CONFIG: &str = "NVIDIA_MIG_CONFIG_DEVICES";
/// MIG devices that the container may monitor (SPEC section 7).
pub const MIG_MONITOR: &str = "NVIDIA_MIG_MONITOR_DEVICES";
/// IMEX channels by number (SPEC section 7).
pub const IMEX_CHANNELS: &str = "NVIDIA_IMEX_CHANNELS";
/// Switches off all requirements if it is true in Go's sense (SPEC section 9).
pub const DISABLE_REQUIRE: &str = "NVIDIA_DISABLE_REQUIRE";
/// Each variable with this prefix states a requirement on the driver (SPEC section 9).
pub const REQUIRE_PREFIX: &str = "NVIDIA_REQUIRE_";
/// Requirements on Jetson's software, which only mode csv evaluates.
pub const REQUIRE_JETPACK_PREFIX: &str = "NVIDIA_REQUIRE_JETPACK";
/// The requirement on CUDA; an image without it may be a legacy image (SPEC section 6).
pub const REQUIRE_CUDA: &str = "NVIDIA_REQUIRE_CUDA";
/// The CUDA version that a legacy image was built with (SPEC section 6).
pub const CUDA_VERSION: &str = "CUDA_VERSION";
/// Every other variable of the contract begins with this.
pub const PREFIX: &str = "NVIDIA_";

/// The hook's own environment: where the line about each start goes (SPEC section 4, `nvidia-container-runtime-hook.log`).
pub const HOOK_LOG: &[u8] = b"NVIDIA_CONTAINER_HOOK_LOG";
/// The hook's own environment: the configuration file (SPEC section 3).
pub const CONFIG_FILE: &[u8] = b"NVIDIA_CTK_CONFIG_FILE_PATH";
/// The hook's own environment: the directory that may hold the configuration (SPEC section 3).
pub const XDG_CONFIG_HOME: &[u8] = b"XDG_CONFIG_HOME";
