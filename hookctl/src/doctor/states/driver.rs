//! States of the driver: kernel module, libraries, GPUs and device nodes. Must not know how they are found.

super::states! { DRIVER:
    MODULE_NOT_LOADED "module-not-loaded" Error
        "The kernel module of the driver is not loaded."
        says ["nvidia-container-cli: initialization error: nvml error: driver not loaded"];
        do "install the driver, or run modprobe nvidia and read dmesg; with Secure Boot the module must be signed"
        from ["NVIDIA/nvidia-container-toolkit #1269", "NVIDIA/nvidia-container-toolkit #154"];
    MODULE_OF_ANOTHER_KERNEL "module-of-another-kernel" Error
        "The kernel module was built for another kernel than the one that runs, as after an upgrade of the kernel."
        says ["modprobe: FATAL: Module nvidia not found", "nvidia-container-cli: initialization error: nvml error: driver not loaded"];
        do "build the module for the running kernel (dkms autoinstall, with the kernel's headers installed, or the driver's installer again), or boot the kernel that has it"
        from ["NVIDIA/nvidia-docker #365"];
    MODULE_NOT_SIGNED "module-not-signed" Error
        "The kernel module is there for the running kernel, is not loaded, and Secure Boot is on."
        says ["modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"];
        do "enroll the key that signed the module (mokutil --import), or switch Secure Boot off"
        from ["kernel documentation, module signing"];
    NOUVEAU "nouveau-in-the-way" Error
        "The module nouveau drives the GPUs in place of NVIDIA's."
        says ["nvidia-container-cli: initialization error: nvml error: driver not loaded"];
        do "blacklist nouveau, rebuild the initramfs, and reboot"
        from ["NVIDIA driver README, nouveau"];
    MODULE_REPLACED "module-replaced" Warning
        "Another version of the kernel module is installed than the one that is loaded."
        says ["Failed to initialize NVML: Driver/library version mismatch"];
        do "reboot, or unload and load the module, before the libraries are used"
        from ["NVIDIA/nvidia-container-toolkit #394"];
    MODULE_NOT_BUILT "module-not-built" Error
        "The source of the kernel module is installed, and nothing is built from it for the running kernel."
        says ["modprobe: FATAL: Module nvidia not found", "nvidia-container-cli: initialization error: nvml error: driver not loaded"];
        do "install the headers of the running kernel (linux-headers-RELEASE, kernel-devel-RELEASE) and run dkms autoinstall; its log says why a build fails"
        from ["dkms(8)", "NVIDIA/nvidia-docker #365"];
    MODULE_BLOCKED "module-blocked" Error
        "Something keeps the kernel module from being loaded: modprobe's configuration, the kernel's command line, or kernel.modules_disabled."
        says ["nvidia-container-cli: initialization error: nvml error: driver not loaded"];
        do "remove that entry (on Ubuntu: prime-select nvidia), rebuild the initramfs, and reboot"
        from ["modprobe.d(5)", "kernel documentation, sysctl kernel.modules_disabled"];
    NO_HARDWARE "no-hardware" Error
        "Nothing on the PCI bus of this machine is of NVIDIA."
        says ["nvidia-container-cli: initialization error: nvml error: driver not loaded", "No devices were found"];
        do "put a GPU in, or pass one through to this virtual machine; containers without GPUs need NVIDIA_VISIBLE_DEVICES=void, or an image that asks for none"
        from ["NVIDIA driver README", "hpc/charliecloud #209"];
    GPU_HELD "gpu-held" Warning
        "Another driver than NVIDIA's holds a GPU of NVIDIA, as vfio-pci does for virtual machines."
        says ["nvidia-container-cli: device error: 1: unknown device"];
        do "where containers are to have it, release it from that driver (/etc/modprobe.d, the kernel's command line), and reboot"
        from ["kernel documentation, VFIO"];
    DRIVER_TOO_OLD "driver-too-old" Error
        "The driver is older than 340.29, the first that nvidia-container-cli works with."
        says ["nvidia-container-cli: detection error: nvml error: function not found"];
        do "install a driver of a branch that supports the GPU; the GPU may be too old for any"
        from ["NVIDIA/libnvidia-container README"];
    LIBRARIES_MIXED "libraries-mixed" Error
        "The libraries of the driver are of different versions, as after an upgrade that did not finish."
        says ["Failed to initialize NVML: Driver/library version mismatch", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"];
        do "install all packages of the driver in one version, and remove what an installer (.run) left: nvidia-uninstall"
        from ["NVIDIA/nvidia-container-toolkit #394", "NVIDIA driver README"];
    VERSION_MISMATCH "version-mismatch" Error
        "The kernel module and the libraries of the driver are of different versions."
        says ["nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"];
        do "the driver was upgraded while it was in use: reboot, or unload and load the module"
        from ["NVIDIA/nvidia-container-toolkit #394"];
    LIBRARIES_MISSING "libraries-missing" Error
        "The libraries of the driver cannot be found."
        says ["nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory"];
        do "install the driver's libraries of the kernel module's version, and run ldconfig"
        from ["NVIDIA/nvidia-container-toolkit #154", "AbdBarho/stable-diffusion-webui-docker #48"];
    LIBRARY_DAMAGED "library-damaged" Error
        "A library of the driver is empty, or not made for this machine. Empty ones are mount points: an image made from a GPU container keeps them."
        says ["nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: file too short"];
        do "remove it where it is empty, and make the image anew without a GPU; otherwise install the driver's packages anew, of this architecture"
        from ["NVIDIA/libnvidia-container #140", "NVIDIA/enroot #155"];
    DRIVER_HIDDEN "driver-hidden" Error
        "The kernel module is loaded, and something is mounted over /proc/driver/nvidia, so its version and GPUs cannot be seen."
        says [];
        do "find it (grep /proc/driver /proc/self/mountinfo), and unmount it, or look from outside of this container"
        from ["a machine with an H200 and driver 580, tried so"];
    DRIVER_ROOT_MISSING "driver-root-missing" Error
        "The directory that nvidia-container-cli.root names does not exist."
        says ["nvidia-container-cli: initialization error: change root failed: no such file or directory"];
        do "wait for the driver container, or correct nvidia-container-cli.root"
        from ["NVIDIA/gpu-operator #350"];
    DRIVER_ELSEWHERE "driver-elsewhere" Error
        "The driver is installed in another place than nvidia-container-cli.root says."
        says ["nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory"];
        do "set nvidia-container-cli.root to where the driver is"
        from ["canonical/microk8s-core-addons #251", "NVIDIA/gpu-operator #425"];
    NO_GPU "no-gpu" Error
        "The kernel module is loaded and drives no GPU."
        says ["nvidia-container-cli: device error: 0: unknown device", "No devices were found"];
        do "is there one (lspci -d 10de:), and not held by vfio-pci or nouveau? See dmesg"
        from ["NVIDIA driver README"];
    FABRIC_MANAGER "fabric-manager" Error
        "The machine has NVSwitches, and the fabric manager does not run or is of another version than the driver, so CUDA does not start."
        says ["Error 802: system not yet initialized"];
        do "install the fabric manager of exactly the driver's version, and: systemctl enable --now nvidia-fabricmanager"
        from ["NVIDIA Fabric Manager user guide"];
    MIG_INSTANCE_EMPTY "mig-instance-empty" Warning
        "A GPU instance (MIG) has no compute instance, so there is nothing in it that a container could use."
        says ["nvidia-container-cli: initialization error: cuda error: no cuda-capable device is detected", "No MIG devices found"];
        do "make compute instances (nvidia-smi mig -cci), or switch the mode off: nvidia-smi -mig 0"
        from ["NVIDIA MIG user guide"];
    MIG_NODE_MISSING "mig-node-missing" Error
        "The device node of a MIG instance below /dev/nvidia-caps does not exist."
        says ["nvidia-container-cli: mount error: stat failed: /dev/nvidia-caps/nvidia-cap21: no such file or directory"];
        do "run nvidia-modprobe -f /proc/driver/nvidia/capabilities/gpu0/mig/gi0/access for each, or nvidia-smi once as root"
        from ["NVIDIA MIG user guide"];
    NODE_IS_A_FILE "node-is-a-file" Error
        "A file or a directory stands where a device node should be."
        says ["nvidia-container-cli: mount error: stat failed: /dev/nvidiactl"];
        do "something wrote there before the driver did: remove it, and run nvidia-modprobe -c 0 for /dev/nvidiactl and GPU 0 (a -c N for each GPU) or nvidia-modprobe -u -c 0 for /dev/nvidia-uvm"
        from ["NVIDIA driver README, device nodes"];
    NODE_MISSING "node-missing" Error
        "A device node of the driver does not exist."
        says ["lstat /dev/nvidiactl: no such file or directory", "nvidia-container-cli: initialization error: cuda error: unknown error"];
        do "run nvidia-modprobe -c 0 (with a -c N for each other GPU) and nvidia-modprobe -u -c 0, or nvidia-smi once as root"
        from ["NVIDIA/gpu-operator #425"];
    UVM_MISSING "uvm-missing" Error
        "The node /dev/nvidia-uvm does not exist: the module nvidia_uvm is not loaded, so CUDA does not work in containers."
        says ["nvidia-container-cli: initialization error: cuda error: unknown error", "CUDA_ERROR_UNKNOWN"];
        do "run nvidia-modprobe -u -c 0 (or modprobe nvidia_uvm), and load nvidia_uvm at boot (/etc/modules-load.d)"
        from ["NVIDIA/nvidia-docker #579"];
    MODESET_MISSING "modeset-missing" Warning
        "The node /dev/nvidia-modeset does not exist, which the driver capability display needs."
        says ["nvidia-container-cli: mount error: stat failed: /dev/nvidia-modeset: no such file or directory"];
        do "run nvidia-modprobe -m, or leave the capability display out of NVIDIA_DRIVER_CAPABILITIES"
        from ["NVIDIA/enroot #15"];
    NODE_CLOSED "node-closed" Warning
        "Not everybody may read and write the device nodes."
        says ["nvidia-container-cli: initialization error: nvml error: insufficient permissions"];
        do "containers of other users than root fail (\"insufficient permissions\"): set NVreg_DeviceFileMode=0666 for the module nvidia, which lasts over a reboot as chmod does not, or set nvidia-container-cli.user, as on SUSE (\"root:video\")"
        from ["NVIDIA/nvidia-docker #1608", "NVIDIA/nvidia-container-toolkit #179"];
    NODE_CLOSED_ROOTLESS "node-closed-rootless" Warning
        "Not everybody may read and write the device nodes, and a rootless engine has no other way to them."
        says ["nvidia-container-cli: initialization error: nvml error: insufficient permissions"];
        do "open the nodes with the option NVreg_DeviceFileMode=0666 of the module nvidia (/etc/modprobe.d), or let crun keep the user's groups (podman run --group-add keep-groups); another user in the configuration does not help, since no group of the host exists in the container"
        from ["NVIDIA/nvidia-docker #1608", "NVIDIA/nvidia-container-runtime #85"];
    CHAR_LINKS_MISSING "char-links-missing" Warning
        "The links of the device nodes below /dev/char are missing: with cgroups that systemd manages, containers lose their GPUs when systemd reloads."
        says ["Failed to initialize NVML: Unknown Error"];
        do "run nvidia-ctk system create-dev-char-symlinks --create-all, and at every boot by a udev rule; or use the cgroup driver cgroupfs (\"exec-opts\": [\"native.cgroupdriver=cgroupfs\"])"
        from ["NVIDIA/nvidia-container-toolkit #48", "NVIDIA/nvidia-container-toolkit #251", "NVIDIA/nvidia-docker #1730"];
    NO_PERSISTENCE "no-persistence" Warning
        "nvidia-persistenced does not run: unless nvidia-smi -pm 1 keeps it up, the driver starts anew for each container, which is slow with many GPUs."
        says ["nvidia-container-cli: initialization error: driver rpc error: timed out"];
        do "systemctl enable --now nvidia-persistenced"
        from ["NVIDIA/nvidia-container-toolkit #202", "NVIDIA/nvidia-docker #628"];
    WSL1 "wsl1" Error
        "The distribution runs under WSL 1, which has no GPU support."
        says ["nvidia-container-cli: initialization error: WSL environment detected but no adapters were found"];
        do "convert it in Windows with: wsl --set-version DISTRO 2"
        from ["AbdBarho/stable-diffusion-webui-docker #117"];
    WSL_WITHOUT_DRIVER "wsl-without-driver" Error
        "Under WSL 2 the driver of Windows, or what it brings into the distribution, is missing."
        says ["nvidia-container-cli: initialization error: WSL environment detected but no adapters were found", "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1"];
        do "install the NVIDIA driver in Windows, never in the distribution; then run wsl --update and wsl --shutdown in Windows"
        from ["NVIDIA/nvidia-container-toolkit #289", "AbdBarho/stable-diffusion-webui-docker #117"];
    WSL_LINUX_DRIVER "wsl-linux-driver" Warning
        "Under WSL a driver for Linux is installed in the distribution, where it hides that of Windows."
        says ["nvidia-container-cli: mount error: file creation failed: libnvidia-ml.so.1: file exists"];
        do "remove the packages of the driver (libnvidia-*, nvidia-driver-*) from the distribution; that of Windows is in /usr/lib/wsl/lib"
        from ["NVIDIA/nvidia-container-toolkit #289"];
    TEGRA "tegra" Warning
        "This is a Tegra (Jetson), whose own GPU the hook does not serve: there is no libnvidia-ml for it."
        says ["nvidia-container-cli: initialization error: driver error: failed to process request", "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported"];
        do "start containers with --runtime nvidia, in mode csv (or cdi), and not with --gpus; keep the container packages of JetPack"
        from ["NVIDIA/libnvidia-container #135", "NVIDIA/TensorRT-LLM #799"];
    TEGRA_WITHOUT_CSV "tegra-without-csv" Warning
        "A Tegra without the CSV files of JetPack: mode csv then mounts nothing into containers."
        says ["error while loading shared libraries: libnvrm_gpu.so: cannot open shared object file"];
        do "install nvidia-container and nvidia-l4t-* of JetPack, which bring /etc/nvidia-container-runtime/host-files-for-container.d"
        from ["dusty-nv/jetson-containers #1703", "NVIDIA/libnvidia-container #135"];
    MUSL "musl" Error
        "The system is one of musl, for which NVIDIA publishes neither a driver nor nvidia-container-cli."
        says ["nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1"];
        do "use a distribution of glibc for the host; containers may be of musl, as far as their programs are"
        from ["NVIDIA/nvidia-container-toolkit, supported platforms"];
}
