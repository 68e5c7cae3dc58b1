"""Clients in containers, on the machine h100: each sees exactly the GPUs that it asked for. Every check needs root, and a
program of Debian; without either it is skipped with a reason. Programs that call nvidia-container-cli by themselves are in the suite
`engines`."""

import json
import os
import shutil
import subprocess
import sys

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
    """A machine in a folder, with its specification."""

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


CHECKS = [clients_of_pypi_in_podman]


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
