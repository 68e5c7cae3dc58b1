"""What the plugin gives: the tests of somebody who monitors GPUs with NVML and nvidia-smi."""

import subprocess

import pynvml
import pytest

pytest_plugins = ["simulated_gpus"]


def names():
    pynvml.nvmlInit()
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [pynvml.nvmlDeviceGetName(handle) for handle in handles]
    finally:
        pynvml.nvmlShutdown()


def temperature(gpu):
    pynvml.nvmlInit()
    try:
        return pynvml.nvmlDeviceGetTemperature(pynvml.nvmlDeviceGetHandleByIndex(gpu), pynvml.NVML_TEMPERATURE_GPU)
    finally:
        pynvml.nvmlShutdown()


def smi(*words):
    return subprocess.run(["nvidia-smi", *words], capture_output=True, text=True, check=True).stdout


def test_a_machine_has_one_t4(simulated_gpus):
    assert names() == ["Tesla T4"]


@pytest.mark.parametrize("topology, name, count", [("h100", "NVIDIA H100 80GB HBM3", 8), ("l40s", "NVIDIA L40S", 4)])
def test_a_machine_is_what_the_test_asks_for(simulated_gpus, topology, name, count):
    simulated_gpus.machine(topology)
    assert names() == [name] * count
    assert smi("--query-gpu=name", "--format=csv,noheader").splitlines() == [name] * count


def test_what_a_gpu_shows_can_be_changed(simulated_gpus):
    simulated_gpus.machine("h100")
    simulated_gpus.set(3, "temperature.gpu=96")
    assert temperature(3) == 96
    assert smi("-i", "3", "--query-gpu=temperature.gpu", "--format=csv,noheader").strip() == "96"


def test_a_change_ends_with_its_test(simulated_gpus):
    simulated_gpus.set(0, "temperature.gpu=96")
    simulated_gpus.machine("t4")
    assert temperature(0) != 96


def test_a_machine_without_a_driver(simulated_gpus):
    simulated_gpus.machine("none")
    with pytest.raises(pynvml.NVMLError_DriverNotLoaded):
        pynvml.nvmlInit()
