//! Functions of a GPU.

use super::table;
use crate::bus::{self, PciInfo, PciInfoExt, PciInfoV1};
use crate::clocks::{self, Clocks};
use crate::device::Unit::{Same, Thousandth};
use crate::device::{reading, shared, switch, switches, text};
use crate::fields::{self, Field};
use crate::handle::Handle;
use crate::identity::{self, Fabric, FabricV3};
use crate::layout::{Pair, Versioned};
use crate::link;
use crate::memory::{self, Memory, MemoryV2};
use crate::processes::{self, DetailList, Process, ProcessV1, Sample, SharesList, Work};
use crate::sensors::{self, Sensors, Temperature};
use nvidia_simulated_shim::c::Out;

// Which one it is.
table! {
    nvmlDeviceGetName(device: Handle, name: Out<u8>, length: u32) => identity::name;
    nvmlDeviceGetUUID(device: Handle, uuid: Out<u8>, length: u32) => identity::uuid;
    nvmlDeviceGetSerial(device: Handle, serial: Out<u8>, length: u32) => text("serial");
    nvmlDeviceGetIndex(device: Handle, index: Out<u32>) => identity::index;
    nvmlDeviceGetMinorNumber(device: Handle, minor: Out<u32>) => shared("minor_number");
    nvmlDeviceGetModuleId(device: Handle, module: Out<u32>) => reading("platform.module_id", Same);
    nvmlDeviceGetBrand(device: Handle, brand: Out<u32>) => identity::brand;
    nvmlDeviceGetArchitecture(device: Handle, architecture: Out<u32>) => identity::architecture;
    nvmlDeviceGetCudaComputeCapability(device: Handle, major: Out<i32>, minor: Out<i32>) => identity::capability;
    nvmlDeviceGetBoardId(device: Handle, board: Out<u32>) => identity::board;
    nvmlDeviceGetBoardPartNumber(device: Handle, number: Out<u8>, length: u32) => text("board_part_number");
    nvmlDeviceGetMultiGpuBoard(device: Handle, several: Out<u32>) => switch("multigpu_board");
    nvmlDeviceOnSameBoard(one: Handle, other: Handle, same: Out<i32>) => identity::same_board;
    nvmlDeviceGetVbiosVersion(device: Handle, version: Out<u8>, length: u32) => text("vbios_version");
    nvmlDeviceGetInforomImageVersion(device: Handle, version: Out<u8>, length: u32) => text("inforom.img");
    nvmlDeviceGetInforomVersion(device: Handle, object: u32, version: Out<u8>, length: u32) => identity::inforom;
    nvmlDeviceGetGspFirmwareVersion(device: Handle, version: Out<u8>) => identity::firmware;
    nvmlDeviceGetGspFirmwareMode(device: Handle, on: Out<u32>, default: Out<u32>)
        => switches("gsp.mode.current", "gsp.mode.default");
    nvmlDeviceGetNumGpuCores(device: Handle, cores: Out<u32>) => reading("cores", Same);
    nvmlDeviceGetMemoryBusWidth(device: Handle, bits: Out<u32>) => reading("memory.bus", Same);
    nvmlDeviceGetIrqNum(device: Handle, number: Out<u32>) => reading("irq", Same);
    nvmlDeviceGetNumaNodeId(device: Handle, node: Out<u32>) => reading("gpu_numa_id", Same);

    nvmlDeviceGetPciInfo(device: Handle, info: Out<PciInfoV1>) => bus::pci_short;
    nvmlDeviceGetPciInfo_v2(device: Handle, info: Out<PciInfoV1>) => bus::pci_short;
    nvmlDeviceGetPciInfo_v3(device: Handle, info: Out<PciInfo>) => bus::pci_whole;
    nvmlDeviceGetPciInfoExt(device: Handle, info: Out<PciInfoExt>) => bus::pci_ext;
    nvmlDeviceGetGpuFabricInfo(device: Handle, info: Out<Fabric>) => identity::fabric;
    nvmlDeviceGetGpuFabricInfoV(device: Handle, info: Out<FabricV3>) => identity::fabric_versioned;
}

// How it is set.
table! {
    nvmlDeviceGetPersistenceMode(device: Handle, mode: Out<u32>) => switch("persistence_mode");
    nvmlDeviceGetComputeMode(device: Handle, mode: Out<u32>) => identity::compute_mode;
    nvmlDeviceGetAddressingMode(device: Handle, mode: Out<Versioned<u32>>) => identity::addressing;
    nvmlDeviceGetVirtualizationMode(device: Handle, mode: Out<u32>) => identity::virtualization;
    nvmlDeviceGetDisplayMode(device: Handle, mode: Out<u32>) => switch("display_attached");
    nvmlDeviceGetDisplayActive(device: Handle, active: Out<u32>) => switch("display_active");
    nvmlDeviceGetEccMode(device: Handle, current: Out<u32>, pending: Out<u32>)
        => switches("ecc.mode.current", "ecc.mode.pending");
    nvmlDeviceGetDefaultEccMode(device: Handle, mode: Out<u32>) => switch("ecc.mode.default");
    nvmlDeviceGetC2cModeInfoV(device: Handle, mode: Out<u32>) => switch("c2c.mode");
    nvmlDeviceGetAccountingMode(device: Handle, mode: Out<u32>) => switch("accounting.mode");
    nvmlDeviceGetAccountingBufferSize(device: Handle, size: Out<u32>) => reading("accounting.buffer_size", Same);
    nvmlDeviceGetPowerManagementMode(device: Handle, mode: Out<u32>) => switch("power.management");
    nvmlDeviceGetAutoBoostedClocksEnabled(device: Handle, on: Out<u32>, default: Out<u32>)
        => switches("auto_boost", "auto_boost.default");
}

// What is measured.
table! {
    nvmlDeviceGetUtilizationRates(device: Handle, shares: Out<Pair>) => sensors::utilization;
    nvmlDeviceGetEncoderUtilization(device: Handle, share: Out<u32>, period: Out<u32>)
        => sensors::engine("utilization.encoder");
    nvmlDeviceGetDecoderUtilization(device: Handle, share: Out<u32>, period: Out<u32>)
        => sensors::engine("utilization.decoder");
    nvmlDeviceGetJpgUtilization(device: Handle, share: Out<u32>, period: Out<u32>)
        => sensors::engine("utilization.jpeg");
    nvmlDeviceGetOfaUtilization(device: Handle, share: Out<u32>, period: Out<u32>)
        => sensors::engine("utilization.ofa");
    nvmlDeviceGetEncoderStats(device: Handle, sessions: Out<u32>, rate: Out<u32>, latency: Out<u32>)
        => sensors::encoder_statistics;

    nvmlDeviceGetTemperature(device: Handle, sensor: u32, degrees: Out<u32>) => sensors::temperature;
    nvmlDeviceGetTemperatureV(device: Handle, temperature: Out<Temperature>) => sensors::temperature_versioned;
    nvmlDeviceGetTemperatureThreshold(device: Handle, which: u32, degrees: Out<u32>) => sensors::threshold;
    nvmlDeviceGetThermalSettings(device: Handle, last: u32, sensors: Out<Sensors>) => sensors::thermal;
    nvmlDeviceGetMarginTemperature(device: Handle, margin: Out<Versioned<i32>>) => sensors::margin;
    nvmlDeviceGetFanSpeed(device: Handle, speed: Out<u32>) => sensors::fan;
    nvmlDeviceGetFanSpeed_v2(device: Handle, fan: u32, speed: Out<u32>) => sensors::fan_numbered;
    nvmlDeviceGetNumFans(device: Handle, count: Out<u32>) => sensors::fans;

    nvmlDeviceGetPowerUsage(device: Handle, power: Out<u32>) => sensors::power;
    nvmlDeviceGetTotalEnergyConsumption(device: Handle, energy: Out<u64>) => sensors::energy;
    nvmlDeviceGetPowerManagementLimit(device: Handle, limit: Out<u32>) => reading("power.limit", Thousandth);
    nvmlDeviceGetEnforcedPowerLimit(device: Handle, limit: Out<u32>) => reading("enforced.power.limit", Thousandth);
    nvmlDeviceGetPowerManagementDefaultLimit(device: Handle, limit: Out<u32>)
        => reading("power.default_limit", Thousandth);
    nvmlDeviceGetPowerManagementLimitConstraints(device: Handle, least: Out<u32>, most: Out<u32>) => sensors::limits;
    nvmlDeviceGetPerformanceState(device: Handle, state: Out<u32>) => clocks::performance;
    nvmlDeviceGetPowerState(device: Handle, state: Out<u32>) => clocks::performance;

    nvmlDeviceGetClockInfo(device: Handle, which: u32, clock: Out<u32>) => clocks::clocks(Clocks::Current);
    nvmlDeviceGetMaxClockInfo(device: Handle, which: u32, clock: Out<u32>) => clocks::clocks(Clocks::Most);
    nvmlDeviceGetApplicationsClock(device: Handle, which: u32, clock: Out<u32>) => clocks::clocks(Clocks::Set);
    nvmlDeviceGetDefaultApplicationsClock(device: Handle, which: u32, clock: Out<u32>)
        => clocks::clocks(Clocks::Default);
    nvmlDeviceGetMaxCustomerBoostClock(device: Handle, which: u32, clock: Out<u32>) => clocks::clocks(Clocks::Boost);
    nvmlDeviceGetClock(device: Handle, which: u32, kind: u32, clock: Out<u32>) => clocks::clock_of;
    nvmlDeviceGetSupportedMemoryClocks(device: Handle, count: Out<u32>, clocks: Out<u32>) => clocks::memory_clocks;
    nvmlDeviceGetSupportedGraphicsClocks(device: Handle, memory: u32, count: Out<u32>, clocks: Out<u32>)
        => clocks::graphics_clocks;
    nvmlDeviceGetCurrentClocksEventReasons(device: Handle, reasons: Out<u64>) => clocks::reasons;
    nvmlDeviceGetCurrentClocksThrottleReasons(device: Handle, reasons: Out<u64>) => clocks::reasons;
    nvmlDeviceGetSupportedClocksEventReasons(device: Handle, reasons: Out<u64>)
        => reading("clocks_event_reasons.supported", Same);
    nvmlDeviceGetSupportedClocksThrottleReasons(device: Handle, reasons: Out<u64>)
        => reading("clocks_event_reasons.supported", Same);

    nvmlDeviceGetCurrPcieLinkGeneration(device: Handle, generation: Out<u32>)
        => reading("pcie.link.gen.current", Same);
    nvmlDeviceGetMaxPcieLinkGeneration(device: Handle, generation: Out<u32>) => reading("pcie.link.gen.max", Same);
    nvmlDeviceGetGpuMaxPcieLinkGeneration(device: Handle, generation: Out<u32>)
        => reading("pcie.link.gen.gpumax", Same);
    nvmlDeviceGetCurrPcieLinkWidth(device: Handle, width: Out<u32>) => reading("pcie.link.width.current", Same);
    nvmlDeviceGetMaxPcieLinkWidth(device: Handle, width: Out<u32>) => reading("pcie.link.width.max", Same);
    nvmlDeviceGetPcieSpeed(device: Handle, speed: Out<u32>) => sensors::bus_speed;
    nvmlDeviceGetPcieLinkMaxSpeed(device: Handle, speed: Out<u32>) => reading("pcie.link.gen.max", Same);
    nvmlDeviceGetPcieThroughput(device: Handle, direction: u32, rate: Out<u32>) => sensors::throughput;
    nvmlDeviceGetPcieReplayCounter(device: Handle, count: Out<u32>) => reading("pcie.replays", Same);

    nvmlDeviceGetFieldValues(device: Handle, count: i32, fields: Out<Field>) => fields::values;
}

// Memory and its errors.
table! {
    nvmlDeviceGetMemoryInfo(device: Handle, memory: Out<Memory>) => memory::memory;
    nvmlDeviceGetMemoryInfo_v2(device: Handle, memory: Out<MemoryV2>) => memory::memory_v2;
    nvmlDeviceGetBAR1MemoryInfo(device: Handle, memory: Out<Memory>) => memory::bar1;
    nvmlDeviceGetConfComputeMemSizeInfo(device: Handle, memory: Out<[u64; 2]>) => memory::confidential;
    nvmlDeviceGetTotalEccErrors(device: Handle, kind: u32, counter: u32, count: Out<u64>) => memory::total;
    nvmlDeviceGetMemoryErrorCounter(device: Handle, kind: u32, counter: u32, place: u32, count: Out<u64>)
        => memory::in_place;
    nvmlDeviceGetDetailedEccErrors(device: Handle, kind: u32, counter: u32, counts: Out<[u64; 4]>) => memory::detailed;
    nvmlDeviceGetRemappedRows(
        device: Handle, corrected: Out<u32>, uncorrected: Out<u32>, pending: Out<u32>, failed: Out<u32>
    ) => memory::remapped;
    nvmlDeviceGetRowRemapperHistogram(device: Handle, rows: Out<[u32; 5]>) => memory::histogram;
    nvmlDeviceGetRetiredPages(device: Handle, cause: u32, count: Out<u32>, _pages: usize)
        => |device, cause, count, _| memory::retired(device, cause, count);
    nvmlDeviceGetRetiredPages_v2(device: Handle, cause: u32, count: Out<u32>, _pages: usize, _times: usize)
        => |device, cause, count, _, _| memory::retired(device, cause, count);
    nvmlDeviceGetRetiredPagesPendingStatus(device: Handle, pending: Out<u32>) => switch("retired_pages.pending");
}

// Who uses it.
table! {
    nvmlDeviceGetComputeRunningProcesses(device: Handle, count: Out<u32>, all: Out<ProcessV1>)
        => processes::first(Work::Compute);
    nvmlDeviceGetGraphicsRunningProcesses(device: Handle, count: Out<u32>, all: Out<ProcessV1>)
        => processes::first(Work::Graphics);
    nvmlDeviceGetMPSComputeRunningProcesses(device: Handle, count: Out<u32>, all: Out<ProcessV1>)
        => processes::first(Work::Shared);
    nvmlDeviceGetComputeRunningProcesses_v2(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Compute);
    nvmlDeviceGetGraphicsRunningProcesses_v2(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Graphics);
    nvmlDeviceGetMPSComputeRunningProcesses_v2(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Shared);
    nvmlDeviceGetComputeRunningProcesses_v3(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Compute);
    nvmlDeviceGetGraphicsRunningProcesses_v3(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Graphics);
    nvmlDeviceGetMPSComputeRunningProcesses_v3(device: Handle, count: Out<u32>, all: Out<Process>)
        => processes::list(Work::Shared);
    nvmlDeviceGetRunningProcessDetailList(device: Handle, list: Out<DetailList>) => processes::details;
    nvmlDeviceGetProcessUtilization(device: Handle, samples: Out<Sample>, count: Out<u32>, since: u64)
        => processes::utilization;
    nvmlDeviceGetProcessesUtilizationInfo(device: Handle, list: Out<SharesList>) => processes::shares;
}

// How it is connected.
table! {
    nvmlDeviceGetTopologyCommonAncestor(one: Handle, other: Handle, level: Out<u32>) => link::ancestor;
    nvmlDeviceGetTopologyNearestGpus(device: Handle, level: u32, count: Out<u32>, devices: Out<Handle>)
        => link::nearest;
    nvmlDeviceGetP2PStatus(one: Handle, other: Handle, way: u32, status: Out<u32>) => link::peer;
    nvmlDeviceGetCpuAffinity(device: Handle, words: u32, bits: Out<usize>) => link::processors;
    nvmlDeviceGetCpuAffinityWithinScope(device: Handle, words: u32, bits: Out<usize>, scope: u32)
        => link::affinity("cpu_affinity");
    nvmlDeviceGetMemoryAffinity(device: Handle, words: u32, bits: Out<usize>, scope: u32)
        => link::affinity("numa_affinity");
    nvmlDeviceGetNvLinkState(device: Handle, number: u32, up: Out<u32>) => link::state;
    nvmlDeviceGetNvLinkVersion(device: Handle, number: u32, version: Out<u32>) => link::link_version;
    nvmlDeviceGetNvLinkCapability(device: Handle, number: u32, which: u32, able: Out<u32>) => link::ability;
    nvmlDeviceGetNvLinkErrorCounter(device: Handle, number: u32, which: u32, count: Out<u64>) => link::link_errors;
}
