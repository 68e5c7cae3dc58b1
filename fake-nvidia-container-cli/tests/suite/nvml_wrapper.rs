//! An NVML client from crates.io, on every built-in machine: it sees what the machine is.

use super::sandbox::Sandbox;
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor, TopologyLevel};
use nvml_wrapper::error::NvmlError;

fn started(sandbox: &Sandbox, topology: &str) -> Result<Nvml, NvmlError> {
    let words = ["libraries", "libs", "--topology", topology];
    assert!(sandbox.named("fake-nvidia-container-cli", &words).output().unwrap().status.success());
    Nvml::builder().lib_path(sandbox.path("libs/libnvidia-ml.so.1").as_os_str()).init()
}

#[test]
fn every_machine_is_told_as_it_is() {
    for name in nvidia_simulated_machine::topology::names() {
        let machine = nvidia_simulated_machine::topology::load(Some(name)).unwrap();
        let sandbox = Sandbox::new();
        let nvml = match started(&sandbox, name) {
            Ok(nvml) => nvml,
            Err(why) => {
                assert!(machine.fail.is_some() && matches!(why, NvmlError::DriverNotLoaded), "{name}: {why}");
                continue;
            }
        };
        assert_eq!(nvml.sys_driver_version().unwrap(), machine.driver);
        assert_eq!(nvml.device_count().unwrap(), u32::try_from(machine.gpus.len()).unwrap());
        if machine.fail.is_some() {
            assert!(matches!(nvml.device_by_index(0), Err(NvmlError::GpuLost)));
            continue;
        }
        for gpu in &machine.gpus {
            let device = nvml.device_by_index(gpu.index).unwrap();
            assert_eq!((device.uuid().unwrap(), device.minor_number().unwrap()), (gpu.uuid.clone(), gpu.minor));
            assert!(gpu.model.ends_with(&device.name().unwrap()), "{}", gpu.model);
            assert_eq!(device.memory_info().unwrap().total >> 20, gpu.memory);
            let bus = device.pci_info().unwrap().bus_id;
            assert_eq!(bus, gpu.busid.to_ascii_uppercase());
            assert_eq!(nvml.device_by_pci_bus_id(bus).unwrap().uuid().unwrap(), gpu.uuid);
            assert_eq!(nvml.device_by_uuid(gpu.uuid.as_str()).unwrap().index().unwrap(), gpu.index);
            let capability = device.cuda_compute_capability().unwrap();
            assert_eq!(format!("{}.{}", capability.major, capability.minor), gpu.arch);
            assert!(device.architecture().is_ok() && device.brand().is_ok());
            assert_eq!(device.mig_device_count().unwrap() > 0, gpu.mig_enabled, "{name}");
            for (part, at) in gpu.mig.iter().zip(0..) {
                let device = device.mig_device_by_index(at).unwrap();
                assert_eq!(device.uuid().unwrap(), part.uuid);
                assert!(device.name().unwrap().ends_with(&part.profile));
                assert!(device.attributes().unwrap().multiprocessor_count > 0, "{name} {}", part.profile);
            }
        }
    }
}

#[test]
fn a_monitor_reads_what_the_topology_says() {
    let sandbox = Sandbox::new();
    let topology = "model = \"H100\"\ngpus = 2\n[state]\n\"temperature.gpu\" = 81\n\"power.draw\" = \"412.25\"\n\
        \"utilization.gpu\" = \"ramp:50..50:60\"\n\"clocks.current.sm\" = 1755\n\
        \"ecc.errors.corrected.volatile.total\" = 3\n\"memory.used\" = 1024\n";
    std::fs::write(sandbox.path("busy.toml"), topology).unwrap();
    let nvml = started(&sandbox, sandbox.path("busy.toml").to_str().unwrap()).unwrap();
    let gpu = nvml.device_by_index(1).unwrap();
    assert_eq!(gpu.temperature(TemperatureSensor::Gpu).unwrap(), 81);
    assert_eq!((gpu.power_usage().unwrap(), gpu.enforced_power_limit().unwrap()), (412_250, 700_000));
    assert_eq!((gpu.utilization_rates().unwrap().gpu, gpu.clock_info(Clock::SM).unwrap()), (50, 1755));
    assert_eq!(gpu.total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile).unwrap(), 3);
    let memory = gpu.memory_info().unwrap();
    assert_eq!((memory.used >> 20, memory.total), (1024, memory.free + memory.used + memory.reserved));
    assert!(gpu.running_compute_processes().unwrap().is_empty());
    assert!(matches!(gpu.fan_speed(0), Err(NvmlError::InvalidArg)));
    let other = nvml.device_by_index(0).unwrap();
    assert_eq!(gpu.topology_common_ancestor(other).unwrap(), TopologyLevel::Node);
}
