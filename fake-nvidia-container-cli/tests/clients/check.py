"""What each client must show of each machine: the devices that it was given, and no other. Run by `run`."""

import json
import os
import subprocess
import sys

WORK = sys.argv[1]
FAKE = os.path.join(WORK, "fake-nvidia-container-cli")
PYTHON = sys.executable

# A machine, and the devices that are given: all, or a list as for nvidia-container-cli.
CASES = [
    ("t4", None),
    ("h100", None),
    ("h100", "6,1"),
    ("a100-mig", None),
    ("a100-mig", "0:3,2"),
    ("mixed", "1"),
    ("empty", None),
]


def run(words, libraries, topology):
    environment = dict(os.environ, LD_LIBRARY_PATH=libraries, FAKE_NVIDIA_TOPOLOGY=topology, TERM="dumb", COLUMNS="200")
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def given(machine, devices):
    """Indexes of the GPUs that are given."""
    if devices is None:
        return list(range(len(machine["gpus"])))
    return sorted({int(device.split(":")[0]) for device in devices.split(",")})


PYNVML = """
import json, pynvml as n
n.nvmlInit()
gpus = []
for at in range(n.nvmlDeviceGetCount()):
    gpu = n.nvmlDeviceGetHandleByIndex(at)
    parts = []
    for part in range(n.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            parts.append(n.nvmlDeviceGetUUID(n.nvmlDeviceGetMigDeviceHandleByIndex(gpu, part)))
        except (n.NVMLError_NotFound, n.NVMLError_NotSupported):
            pass
    n.nvmlDeviceGetMemoryInfo(gpu, version=n.nvmlMemory_v2)
    gpus.append([n.nvmlDeviceGetUUID(gpu), n.nvmlDeviceGetName(gpu), n.nvmlDeviceGetPciInfo(gpu).busId, parts])
print(json.dumps(gpus))
"""

PYNVML_NVITOP = """
import json, nvitop
print(json.dumps([[d.uuid(), d.name(), d.bus_id(), [m.uuid() for m in d.mig_devices()]] for d in nvitop.Device.all()]))
"""

GPUSTAT = """
import json, gpustat
print(json.dumps([[g.uuid, g.name] for g in gpustat.new_query().gpus]))
"""

GPUTIL = """
import json, GPUtil
print(json.dumps([[g.uuid, g.name] for g in GPUtil.getGPUs()]))
"""

SYSTEMINFORMATION = """
require('systeminformation').graphics().then((found) => {
  const gpus = found.controllers;
  console.log(JSON.stringify(gpus.map((c) => [c.name, c.driverVersion, c.memoryTotal])));
});
"""


def last_json(code, output):
    assert code == 0, output
    return json.loads(output.strip().splitlines()[-1])


def check(topology, devices):
    libraries = os.path.join(WORK, "libraries", f"{topology}-{devices}".replace(":", "."))
    words = [FAKE, "libraries", libraries, "--topology", topology]
    words += ["--device", devices] if devices is not None else []
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    machine = json.loads(subprocess.check_output([FAKE, "topologies", topology]))
    indexes = given(machine, devices)
    wanted = []
    for index in indexes:
        gpu = machine["gpus"][index]
        parts = [part["uuid"] for part in gpu["mig"]]
        if devices is not None:
            named = {int(d.split(":")[1]) for d in devices.split(",") if ":" in d and int(d.split(":")[0]) == index}
            parts = [uuid for at, uuid in enumerate(parts) if at in named]
        wanted.append([gpu["uuid"], gpu["model"], gpu["busid"].upper(), parts])
    seen = {
        "nvidia-ml-py": last_json(*run([PYTHON, "-c", PYNVML], libraries, topology)),
        "nvitop": last_json(*run([PYTHON, "-c", PYNVML_NVITOP], libraries, topology)),
    }
    for client, gpus in seen.items():
        assert gpus == wanted, (client, topology, devices, gpus, wanted)
    short = [[uuid, name] for uuid, name, _, _ in wanted]
    gpus = last_json(*run([PYTHON, "-c", GPUSTAT], libraries, topology))
    assert gpus == short, ("gpustat", topology, devices, gpus, short)
    if devices is None and wanted:
        # These run nvidia-smi, which sees the whole machine where no container is.
        gpus = last_json(*run([PYTHON, "-W", "ignore", "-c", GPUTIL], libraries, topology))
        assert gpus == short, ("GPUtil", topology, gpus, short)
        script = os.path.join(WORK, "graphics.js")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SYSTEMINFORMATION)
        # It looks for the GPUs on the bus first, which is not simulated here.
        with open(os.path.join(WORK, "bin", "lspci"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ncat <<END\n")
            for gpu in machine["gpus"]:
                file.write(f"{gpu['busid'][4:]} VGA compatible controller: NVIDIA Corporation Device (rev a1)\n\n")
            file.write("END\n")
        os.chmod(os.path.join(WORK, "bin", "lspci"), 0o755)
        names = sorted(gpu[0] for gpu in last_json(*run(["node", script], libraries, topology)))
        assert names == sorted(gpu[1] for gpu in wanted), ("systeminformation", topology, names)
    print(f"{topology} {devices or 'all'}: {len(wanted)} GPUs, as given")


for case in CASES:
    check(*case)

code, output = run([PYTHON, "-c", PYNVML], os.path.join(WORK, "nowhere"), "t4")
assert "NVMLError_LibraryNotFound" in output, output
