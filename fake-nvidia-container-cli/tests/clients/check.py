"""What each client must show of each machine: the devices that it was given, and no other. Run by `run`."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import containers

WORK, CLIENTS = sys.argv[1:]
FAKE = os.path.join(WORK, "bin/fake-nvidia-container-cli")
PYTHON = sys.executable
HAS_NVML = importlib.util.find_spec("pynvml") is not None
HAS_CWLTOOL = importlib.util.find_spec("cwltool") is not None
HAS_NODE = shutil.which("node") and os.path.isdir(os.path.join(CLIENTS, "node_modules/systeminformation"))

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

# It asks nvidia-smi for XML.
CWLTOOL = """
import json, cwltool.cuda
print(json.dumps(cwltool.cuda.cuda_version_and_device_count()))
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
    if HAS_NVML:
        check_python(libraries, topology, devices, wanted)
    if devices is None and wanted:
        if HAS_CWLTOOL:
            cuda, count = last_json(*run([PYTHON, "-W", "ignore", "-c", CWLTOOL], libraries, topology))
            assert (cuda, count) == (machine["cuda"], len(wanted)), ("cwltool", topology, cuda, count)
        if HAS_NODE:
            check_node(machine, libraries, topology, wanted)
    print(f"{topology} {devices or 'all'}: {len(wanted)} GPUs, as given")


def check_python(libraries, topology, devices, wanted):
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


def check_node(machine, libraries, topology, wanted):
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
    os.environ["NODE_PATH"] = os.path.join(CLIENTS, "node_modules")
    names = sorted(gpu[0] for gpu in last_json(*run(["node", script], libraries, topology)))
    assert names == sorted(gpu[1] for gpu in wanted), ("systeminformation", topology, names)


def recipe_of_pytest():
    """The recipe of the manual, as it is pasted."""
    manual = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/fake-cli.md")
    with open(manual, encoding="utf-8") as file:
        before, rest = file.read().split("<!-- tested with pytest -->\n```python\n")
    folder = os.path.join(WORK, "recipe")
    os.mkdir(folder)
    with open(os.path.join(folder, "test_gpus.py"), "w", encoding="utf-8") as file:
        file.write(rest.split("\n```\n")[0])
    shell = before.rsplit("```sh\n", 1)[1].split("\n```\n")[0].replace("pytest", f"{PYTHON} -m pytest -q")
    done = subprocess.run(["/bin/sh", "-e", "-c", shell], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "2 passed" in done.stdout, (done.stdout, done.stderr)


def main():
    passed, skipped = 0, []
    if os.path.exists(os.path.join(CLIENTS, "missing")):
        with open(os.path.join(CLIENTS, "missing"), encoding="utf-8") as file:
            skipped += file.read().splitlines()
    for case in CASES if HAS_NVML or HAS_NODE else []:
        check(*case)
        passed += 1
    if HAS_NVML:
        _, output = run([PYTHON, "-c", PYNVML], os.path.join(WORK, "nowhere"), "t4")
        assert "NVMLError_LibraryNotFound" in output, output
        recipe_of_pytest()
        passed += 2
    more, reasons = containers.run(WORK)
    for reason in skipped + reasons:
        print(f"skipped: {reason}")
    # The line of a test suite, which the gate counts.
    print(f"test result: ok. {passed + more} passed; 0 failed; {len(skipped + reasons)} ignored")


main()
