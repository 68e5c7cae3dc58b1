//! Functions of GPUs that are split, and of their parts.

use super::table;
use crate::code::{Answer, Code};
use crate::handle::Handle;
use crate::layout::{Pair, Versioned};
use crate::mig::{self, Attributes, ComputeInfo, ComputeInfoV1, InstanceInfo};
use crate::profiles::{self, ComputeProfile, ComputeProfileV3, Profile, ProfileV3};
use nvidia_simulated_shim::c::Out;

table! {
    nvmlDeviceGetMigMode(device: Handle, current: Out<u32>, pending: Out<u32>) => mig::mode;
    nvmlDeviceGetMaxMigDeviceCount(device: Handle, count: Out<u32>) => mig::most;
    nvmlDeviceIsMigDeviceHandle(device: Handle, is: Out<u32>) => mig::is_part;
    nvmlDeviceGetMigDeviceHandleByIndex(device: Handle, index: u32, part: Out<Handle>) => mig::part;
    nvmlDeviceGetDeviceHandleFromMigDeviceHandle(part: Handle, device: Out<Handle>) => crate::identity::parent;
    nvmlDeviceGetGpuInstanceId(device: Handle, id: Out<u32>) => mig::instance_of("gi");
    nvmlDeviceGetComputeInstanceId(device: Handle, id: Out<u32>) => mig::instance_of("ci");
    nvmlDeviceGetAttributes(device: Handle, attributes: Out<Attributes>) => mig::attributes;
    nvmlDeviceGetAttributes_v2(device: Handle, attributes: Out<Attributes>) => mig::attributes;

    nvmlDeviceGetGpuInstanceProfileInfo(device: Handle, number: u32, info: Out<Profile>) => profiles::first;
    nvmlDeviceGetGpuInstanceProfileInfoV(device: Handle, number: u32, info: Out<ProfileV3>) => profiles::versioned;
    nvmlDeviceGetGpuInstanceProfileInfoByIdV(device: Handle, id: u32, info: Out<ProfileV3>)
        => profiles::versioned_by_id;
    nvmlDeviceGetGpuInstancePossiblePlacements(device: Handle, id: u32, all: Out<Pair>, count: Out<u32>)
        => profiles::placements_first;
    nvmlDeviceGetGpuInstancePossiblePlacements_v2(device: Handle, id: u32, all: Out<Pair>, count: Out<u32>)
        => profiles::placements;
    nvmlDeviceGetGpuInstanceRemainingCapacity(device: Handle, id: u32, count: Out<u32>) => mig::room;
    nvmlDeviceGetGpuInstances(device: Handle, profile: u32, all: Out<Handle>, count: Out<u32>) => mig::list;
    nvmlDeviceGetGpuInstanceById(device: Handle, id: u32, instance: Out<Handle>) => mig::by_id;
    nvmlGpuInstanceGetInfo(instance: Handle, info: Out<InstanceInfo>) => mig::info;

    nvmlGpuInstanceGetComputeInstanceProfileInfo(
        instance: Handle, number: u32, engines: u32, info: Out<ComputeProfile>
    ) => profiles::compute_first;
    nvmlGpuInstanceGetComputeInstanceProfileInfoV(
        instance: Handle, number: u32, engines: u32, info: Out<ComputeProfileV3>
    ) => profiles::compute_versioned;
    nvmlGpuInstanceGetComputeInstanceRemainingCapacity(instance: Handle, number: u32, count: Out<u32>)
        => profiles::compute_room;
    nvmlGpuInstanceGetComputeInstances(instance: Handle, profile: u32, all: Out<Handle>, count: Out<u32>)
        => mig::compute_list;
    nvmlGpuInstanceGetComputeInstanceById(instance: Handle, id: u32, compute: Out<Handle>) => mig::compute_by_id;
    nvmlComputeInstanceGetInfo(compute: Handle, info: Out<ComputeInfoV1>) => mig::compute_info_first;
    nvmlComputeInstanceGetInfo_v2(compute: Handle, info: Out<ComputeInfo>) => mig::compute_info;

    nvmlGpmQueryDeviceSupport(device: Handle, support: Out<Versioned<u32>>) => no_metrics;
}

/// No simulated GPU has GPM metrics, but the question itself is answered. The structure's version is a bare number.
fn no_metrics(device: Handle, support: Out<Versioned<u32>>) -> Answer {
    let version = support.version()?;
    if version != 1 {
        return Err(Code::ARGUMENT_VERSION_MISMATCH);
    }
    device.device(|_| Ok(()))?;
    Ok(support.put(Versioned { version, value: 0 })?)
}
