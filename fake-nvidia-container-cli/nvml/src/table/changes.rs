//! Functions that set something, for the process that calls them.

use super::table;
use crate::handle::Handle;
use crate::{counted, settings};
use nvidia_simulated_shim::c::Out;

const APPLICATIONS: &[&str] = &["clocks.applications.memory", "clocks.applications.graphics"];
const LOCKED: &[&str] = &["clocks.current.graphics", "clocks.current.sm"];

table! {
    nvmlDeviceSetPersistenceMode(device: Handle, mode: u32) => settings::switch("persistence_mode", "persistence_mode");
    nvmlDeviceSetComputeMode(device: Handle, mode: u32) => settings::compute_mode;
    nvmlDeviceSetEccMode(device: Handle, mode: u32) => settings::switch("ecc.mode.pending", "ecc.mode.current");
    nvmlDeviceSetMigMode(device: Handle, mode: u32, status: Out<u32>) => settings::mig_mode;
    nvmlDeviceSetAccountingMode(device: Handle, mode: u32) => settings::switch("accounting.mode", "accounting.mode");
    nvmlDeviceClearAccountingPids(device: Handle) => counted::forget;
    nvmlDeviceSetAutoBoostedClocksEnabled(device: Handle, on: u32) => settings::switch("auto_boost", "auto_boost");
    nvmlDeviceSetDefaultAutoBoostedClocksEnabled(device: Handle, on: u32, _flags: u32)
        => |device, on, _| settings::switch("auto_boost.default", "auto_boost.default")(device, on);
    nvmlDeviceSetPowerManagementLimit(device: Handle, limit: u32) => settings::power_limit;
    nvmlDeviceSetPowerManagementLimit_v2(device: Handle, limit: Out<[u32; 3]>) => settings::power_limit_versioned;
    nvmlDeviceSetApplicationsClocks(device: Handle, memory: u32, graphics: u32) => settings::applications;
    nvmlDeviceResetApplicationsClocks(device: Handle) => settings::reset(APPLICATIONS, "clocks.applications.graphics");
    nvmlDeviceSetGpuLockedClocks(device: Handle, least: u32, most: u32) => settings::lock_graphics;
    nvmlDeviceResetGpuLockedClocks(device: Handle) => settings::reset(LOCKED, "clocks.max.graphics");
    nvmlDeviceSetMemoryLockedClocks(device: Handle, least: u32, most: u32) => settings::lock_memory;
    nvmlDeviceResetMemoryLockedClocks(device: Handle)
        => settings::reset(&["clocks.current.memory"], "clocks.max.memory");
    nvmlDeviceSetTemperatureThreshold(device: Handle, which: u32, degrees: Out<i32>) => settings::target;
    nvmlDeviceSetFanSpeed_v2(device: Handle, fan: u32, speed: u32) => settings::fan;
    nvmlDeviceSetDefaultFanSpeed_v2(device: Handle, fan: u32) => settings::fan_default;
}
