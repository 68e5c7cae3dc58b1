"""A pytest plugin: GPUs for tests, without a GPU.

    def test_an_overheated_gpu_is_drained(simulated_gpus):
        simulated_gpus.machine("h100")
        simulated_gpus.set(0, "temperature.gpu=96")
        assert my_monitor.hot_gpus() == [0]

NVML in this process (pynvml, nvitop, gpustat) and nvidia-smi in child processes see the same machine. `fake-nvidia-container-cli`
is searched in PATH, or named by FAKE_NVIDIA_CONTAINER_CLI.
"""

import ctypes
import os
import shutil
import subprocess

import pytest


class SimulatedGpus:
    """The machine that the tests of a session look at. `folder` is where its programs and libraries are."""

    def __init__(self, folder, program):
        self.folder = folder
        self.program = program
        # That of the test which runs: it takes its variables back.
        self.monkeypatch = None
        self.libraries = folder / "lib"
        (folder / "bin").mkdir()
        (folder / "bin" / "nvidia-smi").symlink_to(program)
        self.environment = {
            "FAKE_NVIDIA_CONFIG": os.devnull,
            "FAKE_NVIDIA_STATE": str(self.libraries / "fake-nvidia" / "state.json"),
            "LD_LIBRARY_PATH": str(self.libraries),
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        self.machine("t4")
        # Loaded by its path once, it is what `libnvidia-ml.so.1` means to this process from now on.
        ctypes.CDLL(str(self.libraries / "libnvidia-ml.so.1"), mode=ctypes.RTLD_GLOBAL)

    def machine(self, topology):
        """Becomes another machine: a built-in one, or a TOML or JSON file. What was `set` is forgotten."""
        self.environment["FAKE_NVIDIA_TOPOLOGY"] = str(topology)
        if self.monkeypatch:
            for name, value in self.environment.items():
                self.monkeypatch.setenv(name, value)
        (self.libraries / "fake-nvidia" / "state.json").unlink(missing_ok=True)
        self.run("libraries", self.libraries, "--topology", topology)

    def set(self, gpu, *changes):
        """Changes what a GPU shows, as `fake-nvidia-container-cli set` does: "utilization.gpu=80", "xid=79"."""
        self.run("set", gpu, *changes)

    def run(self, *words):
        """Runs the simulator. Returns what it printed; fails the test where it fails."""
        done = subprocess.run(
            [self.program, *map(str, words)],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def _simulated_machine(tmp_path_factory):
    program = os.environ.get("FAKE_NVIDIA_CONTAINER_CLI") or shutil.which("fake-nvidia-container-cli")
    assert program, "fake-nvidia-container-cli is not in PATH"
    return SimulatedGpus(tmp_path_factory.mktemp("simulated-gpus"), os.path.abspath(program))


@pytest.fixture
def simulated_gpus(_simulated_machine, monkeypatch):
    """A machine with one T4, until the test chooses another."""
    _simulated_machine.monkeypatch = monkeypatch
    _simulated_machine.machine("t4")
    return _simulated_machine
