"""What the clients of PyPI see in the place where this runs, as one line of JSON. Run by containers.py in a container."""

import json
import warnings

import gpustat
import nvitop
import pynvml

warnings.simplefilter("ignore")
import GPUtil  # noqa: E402  (it warns of its own imports)

pynvml.nvmlInit()
handles = [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())]
seen = {
    "nvidia-ml-py": [pynvml.nvmlDeviceGetUUID(handle) for handle in handles],
    "gpustat": [gpu.uuid for gpu in gpustat.new_query().gpus],
    "nvitop": [gpu.uuid() for gpu in nvitop.Device.all()],
    "GPUtil": [gpu.uuid for gpu in GPUtil.getGPUs()],
}
print(json.dumps(seen))
