//! Functions about things that few machines have: racks, units, encoders, samples, repairs.

use super::table;
use crate::code::{Answer, Code};
use crate::counted::{self, Sample, Violation};
use crate::handle::Handle;
use crate::layout::Versioned;
use crate::memory::Memory;
use crate::platform::{self, Platform};
use crate::repair::{self, Sram};
use crate::states::{self, Chosen, Offset, Told};
use crate::{link, sensors, settings, system};
use nvidia_simulated_shim::c::Out;

// Where it is, and what it can do.
table! {
    nvmlDeviceGetPlatformInfo(device: Handle, platform: Out<Platform>) => platform::place;
    nvmlDeviceGetPdi(device: Handle, pdi: Out<[u64; 2]>) => platform::pdi;
    // PCIe, and mains power.
    nvmlDeviceGetBusType(device: Handle, kind: Out<u32>) => platform::always(2);
    nvmlDeviceGetPowerSource(device: Handle, source: Out<u32>) => platform::always(0);
    nvmlDeviceGetCapabilities(device: Handle, mask: Out<Versioned<u32>>) => platform::always_versioned(0);
    nvmlDeviceGetSupportedPerformanceStates(device: Handle, states: Out<u32>, bytes: u32) => states::supported;
    nvmlDeviceGetAPIRestriction(device: Handle, which: u32, restricted: Out<u32>) => platform::restricted;
    nvmlDeviceGetAdaptiveClockInfoStatus(device: Handle, on: Out<u32>) => platform::adaptive;
    nvmlDeviceGetInforomConfigurationChecksum(device: Handle, sum: Out<u32>) => platform::checksum;
    nvmlDeviceGetLastBBXFlushTime(device: Handle, time: Out<u64>, length: Out<u64>) => platform::flushed;
    nvmlDeviceGetPowerMizerMode_v1(device: Handle, mode: Out<[u32; 3]>) => platform::power_mizer;
    nvmlDeviceValidateInforom(device: Handle) => platform::valid;
    nvmlDeviceGetGridLicensableFeatures(device: Handle, features: Out<[u32; 2]>) => platform::licences;
    nvmlDeviceGetGridLicensableFeatures_v2(device: Handle, features: Out<[u32; 2]>) => platform::licences;
    nvmlDeviceGetGridLicensableFeatures_v3(device: Handle, features: Out<[u32; 2]>) => platform::licences;
    nvmlDeviceGetGridLicensableFeatures_v4(device: Handle, features: Out<[u32; 2]>) => platform::licences;
    nvmlDeviceGetNvLinkRemotePciInfo(device: Handle, number: u32, info: Out<crate::bus::PciInfoV1>) => link::remote_short;
    nvmlDeviceGetNvLinkRemotePciInfo_v2(device: Handle, number: u32, info: Out<crate::bus::PciInfo>) => link::remote;
    nvmlDeviceGetNvLinkRemoteDeviceType(device: Handle, number: u32, kind: Out<u32>) => link::remote_kind;

    nvmlSystemGetConfComputeCapabilities(capabilities: Out<[u32; 2]>) => platform::capabilities;
    nvmlSystemGetConfComputeKeyRotationThresholdInfo(limit: Out<[u64; 2]>) => platform::key_rotation;
    nvmlSystemGetNvlinkBwMode(mode: Out<u32>) => platform::link_mode;
    nvmlDeviceGetConfComputeGpuCertificate(device: Handle, certificate: usize) => platform::certificate;
    nvmlSystemGetConfComputeState(state: Out<[u32; 3]>) => platform::confidential;
    nvmlSystemGetConfComputeGpusReadyState(ready: Out<[u32; 1]>) => platform::confidential;
    nvmlDeviceGetConfComputeProtectedMemoryUsage(device: Handle, memory: Out<Memory>) => crate::memory::protected;

    nvmlUnitGetHandleByIndex(_index: u32, _unit: usize) => |_, _| Err(Code::INVALID_ARGUMENT);
    nvmlGetExcludedDeviceInfoByIndex(_index: u32, _info: usize) => |_, _| Err(Code::INVALID_ARGUMENT);
    nvmlGetBlacklistDeviceInfoByIndex(_index: u32, _info: usize) => |_, _| Err(Code::INVALID_ARGUMENT);
}

// The performance states and their clocks.
table! {
    nvmlDeviceGetMinMaxClockOfPState(device: Handle, which: u32, state: u32, least: Out<u32>, most: Out<u32>)
        => states::range;
    nvmlDeviceGetCurrentClockFreqs(device: Handle, clocks: Out<Told>) => states::current;
    nvmlDeviceGetPerformanceModes(device: Handle, modes: Out<Told>) => states::modes;
    nvmlDeviceGetDynamicPstatesInfo(device: Handle, info: Out<Chosen>) => states::chosen;
    nvmlDeviceGetGpcClkVfOffset(device: Handle, offset: Out<i32>) => states::moved;
    nvmlDeviceGetMemClkVfOffset(device: Handle, offset: Out<i32>) => states::moved;
    nvmlDeviceGetGpcClkMinMaxVfOffset(device: Handle, least: Out<i32>, most: Out<i32>) => states::movable;
    nvmlDeviceGetMemClkMinMaxVfOffset(device: Handle, least: Out<i32>, most: Out<i32>) => states::movable;
    nvmlDeviceGetClockOffsets(device: Handle, offset: Out<Offset>) => states::offset;
}

// What is counted.
table! {
    nvmlDeviceGetViolationStatus(device: Handle, policy: u32, time: Out<Violation>) => counted::violation;
    nvmlDeviceGetSamples(
        device: Handle, what: u32, since: u64, form: Out<u32>, count: Out<u32>, samples: Out<Sample>
    ) => counted::samples;
    nvmlDeviceGetAccountingPids(device: Handle, count: Out<u32>, _pids: usize)
        => |device, count, _| counted::ended(device, count);
    nvmlDeviceGetAccountingStats(device: Handle, _pid: u32, stats: Out<u64>)
        => |device, _, stats| counted::accounted(device, stats);
    nvmlDeviceGetEncoderSessions(device: Handle, count: Out<u32>, _sessions: usize)
        => |device, count, _| counted::none("encoder.stats.sessionCount")(device, count);
    nvmlDeviceGetFBCSessions(device: Handle, count: Out<u32>, _sessions: usize)
        => |device, count, _| counted::none("encoder.stats.sessionCount")(device, count);
    nvmlDeviceGetFBCStats(device: Handle, stats: Out<[u32; 3]>) => counted::captures;
    nvmlDeviceGetEncoderCapacity(device: Handle, codec: u32, room: Out<u32>) => counted::encoder_room;
    nvmlDeviceGetSramEccErrorStatus(device: Handle, errors: Out<Sram>) => repair::sram;
    nvmlDeviceGetRepairStatus(device: Handle, status: Out<[u32; 3]>) => repair::status;
    nvmlDeviceGetUnrepairableMemoryFlag_v1(device: Handle, flag: Out<[u32; 2]>) => repair::unrepairable;
    nvmlDeviceGetTargetFanSpeed(device: Handle, fan: u32, speed: Out<u32>) => sensors::fan_numbered;
    nvmlDeviceGetFanControlPolicy_v2(device: Handle, fan: u32, policy: Out<u32>) => sensors::fan_policy;
    nvmlDeviceGetFanSpeedRPM(device: Handle, speed: Out<[u32; 3]>) => sensors::fan_turns;
    nvmlDeviceGetCoolerInfo(device: Handle, cooler: Out<[u32; 4]>) => sensors::cooler;
    nvmlDeviceGetMinMaxFanSpeed(device: Handle, least: Out<u32>, most: Out<u32>) => settings::fan_range;
    nvmlUnitGetDevices(_unit: usize, count: Out<u32>, _devices: usize) => |_, count, _| no_unit(count);
}

/// No handle of a unit is valid.
fn no_unit(count: Out<u32>) -> Answer {
    system::none(count).and(Err(Code::INVALID_ARGUMENT))
}
