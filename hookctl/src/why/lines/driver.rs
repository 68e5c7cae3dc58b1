//! Lines of nvidia-container-cli about the driver and its devices. Must not know how they are found.

super::lines! {
    "driver-missing" Admin ["load library failed: libnvidia-ml.so", "error while loading shared libraries: libnvidia-ml.so", "couldn't find libnvidia-ml.so"]
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory"
        means "The libraries of the driver are not where nvidia-container-cli looks: they are not installed, not in the linker's cache, or not below nvidia-container-cli.root."
        do "install the driver (nvidia-smi must work on the host), run ldconfig, and correct nvidia-container-cli.root; a Docker of a snap does not see them at all"
        [LIBRARIES_MISSING, DRIVER_ELSEWHERE, DRIVER_ROOT_MISSING, LDCACHE_STALE, DOCKER_SNAP, WSL_WITHOUT_DRIVER];
    "cuda-library-missing" Admin ["load library failed: libcuda.so", "error while loading shared libraries: libcuda.so"]
        "nvidia-container-cli: initialization error: load library failed: libcuda.so.1: cannot open shared object file: no such file or directory"
        means "The CUDA library of the driver is not installed on the host, or not in the linker's cache; old versions of libnvidia-container ask it."
        do "install the driver's package with libcuda.so.1, and run ldconfig"
        [LIBRARIES_MISSING, DRIVER_ELSEWHERE, LDCACHE_STALE];
    "driver-not-loaded" Admin ["nvml error: driver not loaded", "nvidia-smi has failed because it couldn't communicate with the nvidia driver"]
        "nvidia-container-cli: initialization error: nvml error: driver not loaded"
        means "The kernel module of the driver is not loaded."
        do "modprobe nvidia, and read dmesg; after an upgrade of the kernel build the module again (DKMS); with Secure Boot it must be signed"
        [MODULE_NOT_LOADED, MODULE_OF_ANOTHER_KERNEL, MODULE_NOT_SIGNED, NOUVEAU];
    "version-mismatch" Admin ["driver/library version mismatch"]
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"
        means "The driver was upgraded while its old kernel module is still loaded."
        do "reboot, or unload and load the module (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia)"
        [VERSION_MISMATCH, MODULE_REPLACED];
    "insufficient-permissions" Admin ["nvml error: insufficient permissions", "nvml: insufficient permissions"]
        "nvidia-container-cli: initialization error: nvml error: insufficient permissions"
        means "The device nodes are not open to the user who asks, or a security module (SELinux) keeps the container from them."
        do "open the nodes (NVreg_DeviceFileMode=0666), or set nvidia-container-cli.user = \"root:video\" for containers of root; with rootless Podman use --group-add keep-groups; with SELinux --security-opt label=disable"
        [NODE_CLOSED, NODE_CLOSED_ROOTLESS, SELINUX];
    "nvml-unknown-error" Admin ["nvml error: unknown error", "failed to initialize nvml: unknown error"]
        "Failed to initialize NVML: Unknown Error"
        means "The container lost its GPUs: systemd wrote the device rules of its control group anew (daemon-reload), or no-cgroups is set and the engine did not allow the devices. When a start says it, a GPU may be sick."
        do "make the links below /dev/char (nvidia-ctk system create-dev-char-symlinks --create-all) or use the cgroup driver cgroupfs, then start the container again; look for Xid lines in dmesg"
        [CHAR_LINKS_MISSING, NO_CGROUPS_FOR_ALL];
    "nvml-function-not-found" Admin ["nvml error: function not found", "undefined symbol: nvml"]
        "nvidia-container-cli: detection error: nvml error: function not found"
        means "The libnvidia-ml of the driver is older than what nvidia-container-cli asks of it."
        do "upgrade the driver, or install an older libnvidia-container"
        [VERSION_MISMATCH];
    "nvml-not-supported" Admin ["nvml error: not supported"]
        "nvidia-container-cli: detection error: nvml error: not supported"
        means "The GPU or its mode (a virtual GPU, a GPU split for a virtual machine) does not answer what nvidia-container-cli asks."
        do "use a driver that supports the GPU for computing (nvidia-smi -q), and a current libnvidia-container";
    "requires-reset" Admin ["gpu requires reset"]
        "nvidia-container-cli: detection error: nvml error: gpu requires reset"
        means "A GPU must be reset after a failure."
        do "nvidia-smi --gpu-reset -i GPU, or reboot; look for Xid lines in dmesg";
    "gpu-lost" Admin ["gpu is lost"]
        "nvidia-container-cli: detection error: nvml error: gpu is lost"
        means "A GPU fell off the bus."
        do "reboot; if it comes again, check power, cooling and the slot (Xid 79 in dmesg)";
    "driver-timeout" Admin ["driver rpc error: timed out", "driver error: timed out"]
        "nvidia-container-cli: initialization error: driver rpc error: timed out"
        means "The driver took longer than ten seconds to answer, as with many GPUs that are initialised anew for each container."
        do "run nvidia-persistenced (systemctl enable --now nvidia-persistenced)"
        [NO_PERSISTENCE];
    "driver-process-died" Admin ["driver rpc error: failed to process request", "driver error: failed to process request"]
        "nvidia-container-cli: initialization error: driver rpc error: failed to process request"
        means "The helper process that asks the driver died: the driver crashed in it, it could not change its user (a user namespace with one id only), or the machine is a Tegra without libnvidia-ml. Older versions say driver error."
        do "run nvidia-persistenced, and read the kernel log (dmesg); give rootless users subordinate ids (/etc/subuid, /etc/subgid); on a Jetson use --runtime nvidia"
        [SINGLE_ID_MAP, TEGRA, NO_PERSISTENCE];
    "helper-timeout" Admin ["nvcgo rpc error: timed out", "nvcgo rpc error"]
        "nvidia-container-cli: initialization error: nvcgo rpc error: timed out"
        means "The helper for control groups did not start within ten seconds: the machine is under load."
        do "start fewer containers at once";
    "overflowuid" Admin ["open failed: /proc/sys/kernel/overflowuid"]
        "nvidia-container-cli: initialization error: open failed: /proc/sys/kernel/overflowuid: permission denied"
        means "A security module (AppArmor, SELinux), or a damaged /proc, keeps /proc from the helper of nvidia-container-cli."
        do "read the audit log (ausearch -m avc, dmesg), and allow the access in the profile"
        [SELINUX, HIDEPID];
    "cuda-unknown-error" Admin ["cuda error: unknown error", "cuda error: unknown"]
        "nvidia-container-cli: initialization error: cuda error: unknown error"
        means "The module nvidia_uvm is not loaded, or its node is missing, so CUDA does not start. libnvidia-container before 1.1 asks CUDA at every start."
        do "nvidia-modprobe -u -c=0 (or modprobe nvidia_uvm), load it at boot, and upgrade libnvidia-container"
        [UVM_MISSING, NODE_MISSING];
    "cuda-no-device" Admin ["cuda error: no cuda-capable device is detected", "no cuda-capable device is detected"]
        "nvidia-container-cli: initialization error: cuda error: no cuda-capable device is detected"
        means "CUDA sees no GPU: the nodes are missing or closed, or the container got none."
        do "run nvidia-smi on the host; ask for GPUs (--gpus all)"
        [NO_GPU, UVM_MISSING, NODE_MISSING, NODE_CLOSED];
    "root-missing" Admin ["change root failed"]
        "nvidia-container-cli: initialization error: change root failed: no such file or directory"
        means "The directory that nvidia-container-cli.root names does not exist, or not yet: a driver container makes it."
        do "wait for the driver container, or correct nvidia-container-cli.root"
        [DRIVER_ROOT_MISSING, DRIVER_ELSEWHERE];
    "driver-container-nodes" Admin ["/run/nvidia/driver/dev/nvidiactl: no such file or directory"]
        "lstat /run/nvidia/driver/dev/nvidiactl: no such file or directory"
        means "The driver root is that of a driver container which is not running, while the driver is on the host, or not ready yet."
        do "set driver.enabled=false for the GPU operator where the driver is on the host; otherwise wait for its driver pods"
        [DRIVER_ELSEWHERE, DRIVER_ROOT_MISSING];
    "wsl-no-adapters" Admin ["wsl environment detected but no adapters were found"]
        "nvidia-container-cli: initialization error: WSL environment detected but no adapters were found"
        means "The distribution runs under WSL 1, or Windows has no driver that gives the GPU to WSL 2."
        do "wsl --set-version DISTRO 2; install the NVIDIA driver in Windows, then wsl --update and wsl --shutdown"
        [WSL1, WSL_WITHOUT_DRIVER];
    "ldcache-missing" Admin ["open failed: *ld.so.cache", "open *ld.so.cache: no such file or directory"]
        "nvidia-container-cli: detection error: open failed: /etc/ld.so.cache: no such file or directory"
        means "The linker's cache of the host does not exist or cannot be read, and libraries are looked up nowhere else."
        do "run ldconfig, or set nvidia-container-cli.ldcache to where it is"
        [LDCACHE_MISSING, LDCACHE_UNREADABLE];
    "ldcache-format" Admin ["unexpected cache format", "ldcache error: invalid"]
        "nvidia-container-cli: detection error: unexpected cache format: /etc/ld.so.cache"
        means "The linker's cache is not one of glibc, or is damaged."
        do "write it anew with ldconfig of glibc, or set nvidia-container-cli.ldcache"
        [LDCACHE_UNREADABLE];
    "unknown-device" User ["unknown device id", "device error: * unknown device", ": unknown device"]
        "nvidia-container-cli: device error: 1: unknown device"
        means "No GPU of this host has this index, UUID or bus, or the value is not the name of a device at all. Older versions say unknown device id."
        do "ask for a device that nvidia-smi -L lists, or for all; MIG devices are called MIG-UUID since driver 470"
        [NO_GPU];
    "mig-config-and-devices" User ["cannot enable mig-config with specific mig devices", "cannot enable mig-monitor"]
        "nvidia-container-cli: mig-config error: all: cannot enable mig-config with specific MIG devices selected"
        means "Rights over the layout of a GPU and single MIG devices exclude each other."
        do "ask for whole GPUs, or leave NVIDIA_MIG_CONFIG_DEVICES out";
    "unsatisfied-condition" User ["unsatisfied condition"]
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container"
        means "The image requires (NVIDIA_REQUIRE_CUDA) a newer CUDA than the host's driver serves; the toolkit in the image (nvcc) does not count. The driver itself works."
        do "upgrade the driver, use an older image, or start the container with NVIDIA_DISABLE_REQUIRE=true (then it may fail later); see: nvidia-hookctl explain";
    "invalid-expression" Image ["requirement error: invalid expression", "invalid expression"]
        "nvidia-container-cli: requirement error: invalid expression"
        means "A requirement of the image cannot be read: it is misspelled, was built with an empty build argument (cuda>=.0), or is newer than nvidia-container-cli. No driver helps."
        do "correct NVIDIA_REQUIRE_CUDA in the image; until then NVIDIA_DISABLE_REQUIRE=true, or NVIDIA_VISIBLE_DEVICES=void for no GPU";
    "imex-channel" Admin ["unsupported imex channel value", "error parsing imex info"]
        "nvidia-container-cli: error parsing IMEX info: unsupported IMEX channel value: all"
        means "The hook asks for a channel that is not a number; version 1.17.0 of the published one asked for all by itself, for images that set CUDA_VERSION only."
        do "upgrade the toolkit, or name channels 0 to 2047 in NVIDIA_IMEX_CHANNELS";
    "no-devices" Admin ["no devices were found"]
        "No devices were found"
        means "nvidia-smi works in the container and sees no GPU: none was given, or the driver drives none."
        do "ask for GPUs (--gpus all, NVIDIA_VISIBLE_DEVICES=all); run nvidia-smi on the host"
        [NO_GPU];
    "module-not-found" Admin ["modprobe: fatal: module nvidia* not found"]
        "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0-45-generic"
        means "There is no module of the driver for the kernel that runs, as after an upgrade of the kernel."
        do "build it (dkms autoinstall, with the kernel's headers installed), install the driver again, or boot the old kernel"
        [MODULE_OF_ANOTHER_KERNEL, MODULE_NOT_LOADED];
    "module-key-rejected" Admin ["key was rejected by service"]
        "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"
        means "Secure Boot is on, and the module is not signed by a key that the firmware knows."
        do "enroll the key (mokutil --import), or switch Secure Boot off"
        [MODULE_NOT_SIGNED];
}
