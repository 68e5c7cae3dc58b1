"""Clients in containers, and programs that call nvidia-container-cli by themselves, on the machine h100: each sees exactly
the GPUs that it asked for. Every check needs root, and a program of Debian; without either it is skipped with a reason."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Podman reads specifications in /etc/cdi: it sees those of the test there, and nothing is installed on the machine.
SEE = 'mkdir -p /etc/cdi && mount --bind "$0" /etc/cdi && exec podman "$@"'


class Skip(Exception):
    """Why a check cannot be made here."""


def need(*programs):
    if os.geteuid() != 0:
        raise Skip("needs root")
    for program in programs:
        if not shutil.which(program) and not os.path.exists(program):
            raise Skip(f"{program} is not installed")


class Machine:
    """A machine in a folder, with its specification, and an image of one static program."""

    def __init__(self, work):
        self.work = work
        self.fake = os.path.join(work, "bin/fake-nvidia-container-cli")
        self.root = os.path.join(work, "host")
        subprocess.run([self.fake, "driver-root", "--nodes", "--topology", "h100", self.root], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.root, "etc/fake-nvidia/machine.json"), encoding="utf-8") as file:
            self.uuids = [gpu["uuid"] for gpu in json.load(file)["gpus"]]

    def podman(self, words):
        specifications = os.path.join(self.work, "cdi")
        output = os.path.join(specifications, "nvidia.yaml")
        subprocess.run([self.fake, "cdi", "--output", output, self.root], check=True, stdout=subprocess.DEVNULL)
        own = ["--cgroup-manager", "cgroupfs", "--runtime", "runc", "--root", os.path.join(self.work, "storage")]
        own += ["--runroot", os.path.join(self.work, "run"), "run", "--rm", "--network", "none"]
        own += ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        return said(["unshare", "--mount", "/bin/sh", "-c", SEE, specifications, *own, *words])

    def image(self, name, applets=()):
        """A root with busybox in it."""
        image = os.path.join(self.work, name)
        for folder in ["bin", "dev", "proc", "sys", "tmp", "etc", "sbin", "usr/bin", "usr/lib", "mnt", "run", "root", "home"]:
            os.makedirs(os.path.join(image, folder), exist_ok=True)
        shutil.copy("/bin/busybox", os.path.join(image, "bin/busybox"))
        for applet in ("sh", "ls", "cat", "grep", *applets):
            os.symlink("busybox", os.path.join(image, "bin", applet))
        return image

    def settings(self, apply):
        return dict(os.environ, FAKE_NVIDIA_TOPOLOGY="h100", FAKE_NVIDIA_APPLY=apply, FAKE_NVIDIA_CONFIG="/dev/null")

    def listed(self, text):
        """The UUIDs in a listing."""
        return [uuid for uuid in self.uuids if uuid in text]


def said(words, **options):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def clients_of_pypi_in_podman(machine):
    need("podman", "runc")
    if not os.path.realpath(sys.executable).startswith("/") or "/venv/" not in sys.executable:
        raise Skip("the clients of PyPI are not installed")
    # The root of this machine is the image, under a layer of its own: what a container makes there is gone with it.
    words = ["--device", "nvidia.com/gpu=6", "--device", f"nvidia.com/gpu={machine.uuids[1]}", "--rootfs", "/:O"]
    output = machine.podman([*words, sys.executable, os.path.join(HERE, "inside.py")])
    for client, uuids in json.loads(output.strip().splitlines()[-1]).items():
        assert uuids == [machine.uuids[1], machine.uuids[6]], (client, uuids)


def ch_fromhost_of_charliecloud(machine):
    need("podman", "runc", "ch-fromhost")
    image = machine.image("ch")
    # It asks the image's linker where libraries belong, and puts those of the host there.
    shutil.copy("/sbin/ldconfig", os.path.join(image, "sbin/ldconfig"))
    os.makedirs(os.path.join(image, "usr/lib/x86_64-linux-gnu"), exist_ok=True)
    with open(os.path.join(image, "etc/ld.so.conf"), "w", encoding="utf-8") as file:
        file.write("/usr/lib/x86_64-linux-gnu\n")
    for name in ("passwd", "group", "hosts", "resolv.conf"):
        open(os.path.join(image, "etc", name), "w", encoding="utf-8").close()
    words = ["--privileged", "--device", "nvidia.com/gpu=all", "--env", "USER=root", "--env", "FAKE_NVIDIA_TOPOLOGY=h100", "--volume", f"{machine.work}:{machine.work}"]
    words += ["--env", f"PATH={machine.work}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--rootfs", "/:O", "ch-fromhost", "--nvidia", image]
    machine.podman(words)
    copied = os.listdir(os.path.join(image, "usr/lib/x86_64-linux-gnu"))
    assert "libcuda.so.570.172.08" in copied and "libnvidia-ml.so.1" in copied, copied
    assert os.path.exists(os.path.join(image, "usr/bin/nvidia-smi"))


def as_container_of_user(words, environment):
    """Runs a program with the user ids of a container: root in it is somebody else outside."""
    libc = ctypes.CDLL(None, use_errno=True)
    ready, mapped = os.pipe(), os.pipe()

    def enter():
        assert libc.unshare(0x10000000 | 0x00020000) == 0, os.strerror(ctypes.get_errno())  # user and mount namespaces
        os.write(ready[1], b"x")
        os.read(mapped[0], 1)
        os.setgid(0)
        os.setuid(0)

    def write_maps():
        os.read(ready[0], 1)
        child = next(iter(children()))
        for table in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{table}", "w", encoding="ascii") as file:
                file.write("0 300000 65536\n")
        os.write(mapped[1], b"x")

    writer = threading.Thread(target=write_maps)
    writer.start()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, preexec_fn=enter)
    writer.join()
    return done.returncode, done.stdout + done.stderr


def children():
    """The processes that this one has started."""
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
            yield from file.read().split()


def hook_of_lxc(machine):
    hook = "/usr/share/lxc/hooks/nvidia"
    need(hook)
    image = machine.image("lxc")
    # As LXC starts it for a container of a user: with the user ids of the container.
    environment = machine.settings("files")
    environment.update(LXC_HOOK_VERSION="1", LXC_HOOK_SECTION="lxc", LXC_HOOK_TYPE="mount", LXC_LOG_LEVEL="ERROR")
    environment.update(LXC_ROOTFS_PATH=image, LXC_ROOTFS_MOUNT=image, NVIDIA_VISIBLE_DEVICES="1,6", NVIDIA_DRIVER_CAPABILITIES="utility")
    subprocess.run(["chmod", "-R", "a+rwX", machine.work], check=True)
    code, output = as_container_of_user([hook, "--ldconfig", "@/sbin/ldconfig"], environment)
    assert code == 0, output
    nodes = sorted(node for node in os.listdir(os.path.join(image, "dev")) if node.startswith("nvidia"))
    assert nodes == ["nvidia1", "nvidia6", "nvidiactl"], nodes


def ctr_of_containerd(machine):
    need("containerd", "ctr", "runc")
    image = machine.image("ctr")
    state = os.path.join(machine.work, "containerd")
    os.makedirs(state)
    socket = os.path.join(state, "sock")
    configuration = os.path.join(state, "config.toml")
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(f'version = 2\nroot = "{state}/root"\nstate = "{state}/state"\n')
        file.write('disabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        file.write(f'[grpc]\naddress = "{socket}"\n')
    with open(os.path.join(state, "log"), "w", encoding="utf-8") as log:
        daemon = subprocess.Popen(["containerd", "-c", configuration], stdout=log, stderr=log)
    try:
        for _ in range(300):
            if subprocess.run(["ctr", "-a", socket, "version"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        words = ["ctr", "-a", socket, "run", "--rm", "--gpus", "6", "--rootfs", image, "clients", "/usr/bin/nvidia-smi", "-L"]
        listed = said(words, env=machine.settings("mounts"))
        assert machine.listed(listed) == [machine.uuids[6]], listed
    finally:
        daemon.terminate()
        daemon.wait()


CHECKS = [clients_of_pypi_in_podman, ch_fromhost_of_charliecloud, hook_of_lxc, ctr_of_containerd]


def run(work):
    """Makes every check; the number of those that passed, and why the others were skipped."""
    machine = None
    passed, skipped = 0, []
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            need("runc")
            machine = machine or Machine(work)
            check(machine)
        except Skip as why:
            skipped.append(f"{name}: {why}")
            continue
        print(f"{name}: the GPUs that were asked for")
        passed += 1
    return passed, skipped
