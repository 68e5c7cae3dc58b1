//! Functions that belong to no device: starting, versions, handles, events.

use super::table;
use crate::code::words;
use crate::driver::{start, stop};
use crate::events::{self, Event, EventV1};
use crate::handle::Handle;
use crate::identity::UuidV1;
use crate::{link, system};
use nvidia_simulated_shim::c::{Fixed, Out, Words};

/// The words of a code: the only function that returns anything other than a code.
// SAFETY: the name is NVML's, and no row has it.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(code: u32) -> Fixed {
    words(code)
}

table! {
    always
    nvmlInit() => start;
    nvmlInit_v2() => start;
    // Flags ask for less than is done anyway.
    nvmlInitWithFlags(_flags: u32) => |_| start();
    nvmlShutdown() => stop;
    // The library knows its own version.
    nvmlSystemGetNVMLVersion(version: Out<u8>, length: u32) => system::library;
}

table! {
    nvmlSystemGetDriverVersion(version: Out<u8>, length: u32) => system::text("driver");
    nvmlSystemGetCudaDriverVersion(version: Out<i32>) => system::cuda;
    nvmlSystemGetCudaDriverVersion_v2(version: Out<i32>) => system::cuda;
    nvmlSystemGetDriverBranch(branch: Out<[u8; 84]>, length: u32) => system::branch;
    nvmlSystemGetProcessName(pid: u32, name: Out<u8>, length: u32) => system::process_name;
    nvmlSystemGetTopologyGpuSet(processor: u32, count: Out<u32>, devices: Out<Handle>) => link::near_processor;
    nvmlSystemGetHicVersion(count: Out<u32>, _entries: usize) => |count, _| system::none(count);

    nvmlGetVgpuVersion(supported: Out<[u32; 2]>, current: Out<[u32; 2]>) => system::virtual_versions;

    nvmlUnitGetCount(count: Out<u32>) => system::none;
    nvmlGetExcludedDeviceCount(count: Out<u32>) => system::none;
    nvmlGetBlacklistDeviceCount(count: Out<u32>) => system::none;

    nvmlDeviceGetCount(count: Out<u32>) => system::count;
    nvmlDeviceGetCount_v2(count: Out<u32>) => system::count;
    nvmlDeviceGetHandleByIndex(index: u32, device: Out<Handle>) => system::by_index;
    nvmlDeviceGetHandleByIndex_v2(index: u32, device: Out<Handle>) => system::by_index;
    nvmlDeviceGetHandleBySerial(serial: Words, device: Out<Handle>) => system::by_serial;
    nvmlDeviceGetHandleByUUID(uuid: Words, device: Out<Handle>) => system::by_uuid;
    nvmlDeviceGetHandleByUUIDV(uuid: Out<UuidV1>, device: Out<Handle>) => system::by_uuid_structure;
    nvmlDeviceGetHandleByPciBusId(bus: Words, device: Out<Handle>) => system::by_bus;
    nvmlDeviceGetHandleByPciBusId_v2(bus: Words, device: Out<Handle>) => system::by_bus;

    nvmlEventSetCreate(set: Out<Handle>) => events::create;
    nvmlEventSetFree(set: Handle) => events::free;
    nvmlEventSetWait(set: Handle, event: Out<EventV1>, timeout: u32) => events::wait_first;
    nvmlEventSetWait_v2(set: Handle, event: Out<Event>, timeout: u32) => events::wait;
    nvmlDeviceRegisterEvents(device: Handle, kinds: u64, set: Handle) => events::register;
    nvmlDeviceGetSupportedEventTypes(device: Handle, kinds: Out<u64>) => events::supported;
}
