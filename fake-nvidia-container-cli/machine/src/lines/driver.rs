//! Lines of nvidia-container-cli and of CUDA about the driver and its devices. Must not know how they are found.

super::lines! {
    "driver-missing" Admin ["load library failed: libnvidia-ml.so", "error while loading shared libraries: libnvidia-ml.so", "couldn't find libnvidia-ml.so"]
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory"
        means "The libraries of the driver are not where nvidia-container-cli looks: they are not installed, not in the linker's cache, or not below nvidia-container-cli.root."
        do "install the driver (nvidia-smi must work on the host), run ldconfig, and correct nvidia-container-cli.root; a Docker of a snap does not see them at all"
        played "driver-missing" Init 1 "{PROGRAM}: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory" "";
    "cuda-library-missing" Admin ["load library failed: libcuda.so", "error while loading shared libraries: libcuda.so"]
        "nvidia-container-cli: initialization error: load library failed: libcuda.so.1: cannot open shared object file: no such file or directory"
        means "The CUDA library of the driver is not installed on the host, or not in the linker's cache; old versions of libnvidia-container ask it."
        do "install the driver's package with libcuda.so.1, and run ldconfig";
    "driver-not-loaded" Admin ["nvml error: driver not loaded", "nvidia-smi has failed because it couldn't communicate with the nvidia driver"]
        "nvidia-container-cli: initialization error: nvml error: driver not loaded"
        means "The kernel module of the driver is not loaded."
        do "modprobe nvidia, and read dmesg; after an upgrade of the kernel build the module again (DKMS); with Secure Boot it must be signed"
        played "driver-not-loaded" Init 1 "{PROGRAM}: initialization error: nvml error: driver not loaded" ""
        played "real-prefix" Init 1 "nvidia-container-cli.real: initialization error: nvml error: driver not loaded" "";
    "version-mismatch" Admin ["driver/library version mismatch"]
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"
        means "The driver was upgraded while its old kernel module is still loaded."
        do "reboot, or unload and load the module (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia)"
        played "version-mismatch" Init 1 "{PROGRAM}: initialization error: nvml error: driver/library version mismatch" "";
    "smi-of-another-driver" Image ["mismatch in versions between nvidia-smi and nvml"]
        "Mismatch in versions between nvidia-smi and NVML."
        means "The image brings an nvidia-smi of its own, of another version than the driver's libraries. With a simulated driver every real nvidia-smi says it, even of the same version."
        do "remove the package with nvidia-smi (nvidia-utils) from the image; the driver's own is mounted";
    "insufficient-permissions" Admin ["nvml error: insufficient permissions", "nvml: insufficient permissions"]
        "nvidia-container-cli: initialization error: nvml error: insufficient permissions"
        means "The device nodes are not open to the user who asks, or a security module (SELinux) keeps the container from them."
        do "open the nodes (NVreg_DeviceFileMode=0666), or set nvidia-container-cli.user = \"root:video\" for containers of root; with rootless Podman use --group-add keep-groups; with SELinux --security-opt label=disable"
        played "insufficient-permissions" Init 1 "{PROGRAM}: initialization error: nvml error: insufficient permissions" "";
    "nvml-unknown-error" Admin ["nvml error: unknown error", "failed to initialize nvml: unknown error"]
        "Failed to initialize NVML: Unknown Error"
        means "The container lost its GPUs: systemd wrote the device rules of its control group anew (daemon-reload), or no-cgroups is set and the engine did not allow the devices. When a start says it, a GPU may be sick."
        do "make the links below /dev/char (nvidia-ctk system create-dev-char-symlinks --create-all) or use the cgroup driver cgroupfs, then start the container again; look for Xid lines in dmesg"
        played "unknown-error" DriverInfo 1 "{PROGRAM}: detection error: nvml error: unknown error" "";
    "nvml-function-not-found" Admin ["nvml error: function not found", "undefined symbol: nvml"]
        "nvidia-container-cli: detection error: nvml error: function not found"
        means "The libnvidia-ml of the driver is older than what nvidia-container-cli asks of it."
        do "upgrade the driver, or install an older libnvidia-container"
        played "nvml-function-not-found" DriverInfo 1 "{PROGRAM}: detection error: nvml error: function not found" "";
    "nvml-not-supported" Admin ["nvml error: not supported"]
        "nvidia-container-cli: detection error: nvml error: not supported"
        means "The GPU or its mode (a virtual GPU, a GPU split for a virtual machine) does not answer what nvidia-container-cli asks."
        do "use a driver that supports the GPU for computing (nvidia-smi -q), and a current libnvidia-container"
        played "nvml-not-supported" DriverInfo 1 "{PROGRAM}: detection error: nvml error: not supported" "";
    "requires-reset" Admin ["gpu requires reset"]
        "nvidia-container-cli: detection error: nvml error: gpu requires reset"
        means "A GPU must be reset after a failure."
        do "nvidia-smi --gpu-reset -i GPU, or reboot; look for Xid lines in dmesg"
        played "requires-reset" DeviceInfo 1 "{PROGRAM}: detection error: nvml error: gpu requires reset" "";
    "gpu-lost" Admin ["gpu is lost", "has fallen off the bus"]
        "nvidia-container-cli: detection error: nvml error: gpu is lost"
        means "A GPU fell off the bus."
        do "reboot; if it comes again, check power, cooling and the slot (Xid 79 in dmesg)"
        played "gpu-lost" DeviceInfo 1 "{PROGRAM}: detection error: nvml error: gpu is lost" "";
    "driver-timeout" Admin ["driver rpc error: timed out", "driver error: timed out"]
        "nvidia-container-cli: initialization error: driver rpc error: timed out"
        means "The driver took longer than ten seconds to answer, as with many GPUs that are initialised anew for each container."
        do "run nvidia-persistenced (systemctl enable --now nvidia-persistenced)"
        played "rpc-timeout" Init 1 "{PROGRAM}: initialization error: driver rpc error: timed out" "";
    "driver-process-died" Admin ["driver rpc error: failed to process request", "driver error: failed to process request"]
        "nvidia-container-cli: initialization error: driver rpc error: failed to process request"
        means "The helper process that asks the driver died: the driver crashed in it, it could not change its user (a user namespace with one id only), or the machine is a Tegra without libnvidia-ml. Older versions say driver error."
        do "run nvidia-persistenced, and read the kernel log (dmesg); give rootless users subordinate ids (/etc/subuid, /etc/subgid); on a Jetson use --runtime nvidia"
        played "rpc-failed" Init 1 "{PROGRAM}: initialization error: driver rpc error: failed to process request" ""
        played "rpc-failed-old" Init 1 "{PROGRAM}: initialization error: driver error: failed to process request" "";
    "helper-timeout" Admin ["nvcgo rpc error: timed out"]
        "nvidia-container-cli: initialization error: nvcgo rpc error: timed out"
        means "The helper for control groups did not start within ten seconds: the machine is under load."
        do "start fewer containers at once"
        played "nvcgo-timeout" Init 1 "{PROGRAM}: initialization error: nvcgo rpc error: timed out" "";
    "helper-died" Admin ["nvcgo rpc error"]
        "nvidia-container-cli: initialization error: nvcgo rpc error: failed to process request"
        means "The helper for control groups died: it crashed, or was killed for want of memory."
        do "read the kernel log (dmesg) for the process that died; reinstall libnvidia-container1 in the version of its tools"
        played "nvcgo-failed" Init 1 "{PROGRAM}: initialization error: nvcgo rpc error: failed to process request" "";
    "overflowuid" Admin ["open failed: /proc/sys/kernel/overflowuid"]
        "nvidia-container-cli: initialization error: open failed: /proc/sys/kernel/overflowuid: permission denied"
        means "A security module (AppArmor, SELinux), or a damaged /proc, keeps /proc from the helper of nvidia-container-cli."
        do "read the audit log (ausearch -m avc, dmesg), and allow the access in the profile"
        played "overflowuid" Init 1 "{PROGRAM}: initialization error: open failed: /proc/sys/kernel/overflowuid: permission denied" "";
    "cuda-unknown-error" Admin ["cuda error: unknown error", "cuda error: unknown"]
        "nvidia-container-cli: initialization error: cuda error: unknown error"
        means "The module nvidia_uvm is not loaded, or its node is missing, so CUDA does not start. libnvidia-container before 1.1 asks CUDA at every start."
        do "nvidia-modprobe -u -c=0 (or modprobe nvidia_uvm), load it at boot, and upgrade libnvidia-container"
        played "cuda-unknown-error" Init 1 "{PROGRAM}: initialization error: cuda error: unknown error" "";
    "cuda-no-device" Admin ["cuda error: no cuda-capable device is detected", "no cuda-capable device is detected", "cuda_error_no_device", "cudaerrornodevice"]
        "nvidia-container-cli: initialization error: cuda error: no cuda-capable device is detected"
        means "CUDA sees no GPU: the nodes are missing or closed, or the container got none."
        do "run nvidia-smi on the host; ask for GPUs (--gpus all)"
        played "cuda-no-device" Init 1 "{PROGRAM}: initialization error: cuda error: no cuda-capable device is detected" "";
    "cuda-initialization" Admin ["cuda error: initialization error"]
        "nvidia-container-cli: initialization error: cuda error: initialization error"
        means "CUDA does not start on the host, for want of memory for example. libnvidia-container before 1.1 asks CUDA at every start."
        do "upgrade libnvidia-container; run a CUDA program on the host to see whether CUDA works there"
        played "cuda-initialization" Init 1 "{PROGRAM}: initialization error: cuda error: initialization error" "";
    "root-missing" Admin ["change root failed"]
        "nvidia-container-cli: initialization error: change root failed: no such file or directory"
        means "The directory that nvidia-container-cli.root names does not exist, or not yet: a driver container makes it."
        do "wait for the driver container, or correct nvidia-container-cli.root"
        played "root-missing" Init 1 "{PROGRAM}: initialization error: change root failed: no such file or directory" "";
    "driver-container-nodes" Admin ["/run/nvidia/driver/dev/nvidiactl: no such file or directory"]
        "lstat /run/nvidia/driver/dev/nvidiactl: no such file or directory"
        means "The driver root is that of a driver container which is not running, while the driver is on the host, or not ready yet."
        do "set driver.enabled=false for the GPU operator where the driver is on the host; otherwise wait for its driver pods";
    "wsl-no-adapters" Admin ["wsl environment detected but no adapters were found"]
        "nvidia-container-cli: initialization error: WSL environment detected but no adapters were found"
        means "The distribution runs under WSL 1, or Windows has no driver that gives the GPU to WSL 2."
        do "wsl --set-version DISTRO 2; install the NVIDIA driver in Windows, then wsl --update and wsl --shutdown"
        played "wsl-no-adapters" Init 1 "{PROGRAM}: initialization error: WSL environment detected but no adapters were found" "";
    "ldcache-missing" Admin ["open failed: *ld.so.cache", "detection error: open failed: *ld.so.cache", "open *ld.so.cache: no such file or directory"]
        "nvidia-container-cli: detection error: open failed: /etc/ld.so.cache: no such file or directory"
        means "The linker's cache of the host does not exist or cannot be read, and libraries are looked up nowhere else."
        do "run ldconfig, or set nvidia-container-cli.ldcache to where it is"
        played "ldcache-missing" DriverInfo 1 "{PROGRAM}: detection error: open failed: {FOR}: no such file or directory" "/etc/ld.so.cache";
    "ldcache-format" Admin ["unsupported file format", "corrupted ldcache entry"]
        "nvidia-container-cli: detection error: unsupported file format: /etc/ld.so.cache"
        means "The linker's cache is not one of glibc, or is damaged."
        do "write it anew with ldconfig of glibc, or set nvidia-container-cli.ldcache"
        played "ldcache-format" DriverInfo 1 "{PROGRAM}: detection error: unsupported file format: {FOR}" "/etc/ld.so.cache";
    "library-gone" Admin ["detection error: open failed: */lib*.so.", "stat failed: /usr/lib*.so"]
        "nvidia-container-cli: detection error: open failed: /usr/lib/x86_64-linux-gnu/libnvidia-tls.so.470.86: no such file or directory"
        means "The linker's cache, or a link, leads to a library of a driver that has been replaced or removed."
        do "find what leads there (ldconfig -p, ls -l), remove what is left of the old driver, and run ldconfig; reboot after an upgrade"
        played "library-gone" DriverInfo 1 "{PROGRAM}: detection error: open failed: {FOR}: no such file or directory" "/usr/lib/x86_64-linux-gnu/libnvidia-tls.so.470.86";
    "path-error" Admin ["path error: "]
        "nvidia-container-cli: detection error: path error: ///etc/ld.so.cache: permission denied"
        means "A path of the driver cannot be followed: a directory on it is closed (nvidia-container-cli gives up root's right to pass over permissions), is not a directory, or its links lead in a circle."
        do "look at every part of the path (namei -l PATH): directories belong to root and are open to all (chmod 755)"
        played "path-error" DriverInfo 1 "{PROGRAM}: detection error: path error: {FOR}: permission denied" "///etc/ld.so.cache";
    "nvml-fault" Admin ["nvml error: corrupted inforom", "nvml error: insufficient external power", "nvml error: interrupt request issue", "nvml error: insufficient memory", "nvml error: timeout"]
        "nvidia-container-cli: detection error: nvml error: corrupted inforom"
        means "The driver reports a fault of a GPU or of itself: damaged settings in the GPU's memory (infoROM), missing power, interrupts that do not arrive, no memory, or no answer in time."
        do "look at nvidia-smi -q and at the Xid lines in dmesg on the host; check power cables and the slot, and reboot"
        played "corrupted-inforom" DeviceInfo 1 "{PROGRAM}: detection error: nvml error: corrupted inforom" ""
        played "insufficient-power" DeviceInfo 1 "{PROGRAM}: detection error: nvml error: insufficient external power" "";
    "nvml-not-found" Admin ["nvml error: not found"]
        "nvidia-container-cli: detection error: nvml error: not found"
        means "The driver is too old (340) to answer what nvidia-container-cli asks about the GPU."
        do "install a newer driver; if none supports the GPU, no release of the toolkit does";
    "user-unknown" Admin ["parse user/group failed"]
        "nvidia-container-cli: input error: parse user/group failed: no such file or directory"
        means "The user or the group of nvidia-container-cli.user does not exist on this host."
        do "create it (groupadd --system video), write numbers, or remove the setting";
    "mig-only-all" User ["only 'all' devices are currently supported"]
        "nvidia-container-cli: mig-config error: 0: only 'all' devices are currently supported"
        means "NVIDIA_MIG_CONFIG_DEVICES and NVIDIA_MIG_MONITOR_DEVICES accept all as their only value."
        do "set the variable to all, or leave it out";
    "unknown-device" User ["unknown device id", "device error: * unknown device", ": unknown device"]
        "nvidia-container-cli: device error: 1: unknown device"
        means "No GPU of this host has this index, UUID or bus, or the value is not the name of a device at all. Older versions say unknown device id."
        do "ask for a device that nvidia-smi -L lists, or for all; MIG devices are called MIG-UUID since driver 470"
        played "unknown-device" Device 1 "{PROGRAM}: device error: {FOR}: unknown device" "9"
        played "unknown-device-old" Device 1 "{PROGRAM}: device error: unknown device id: {FOR}" "9";
    "mig-config-and-devices" User ["cannot enable mig-config with specific mig devices", "cannot enable mig-monitor"]
        "nvidia-container-cli: mig-config error: all: cannot enable mig-config with specific MIG devices selected"
        means "Rights over the layout of a GPU and single MIG devices exclude each other."
        do "ask for whole GPUs, or leave NVIDIA_MIG_CONFIG_DEVICES out"
        played "mig-config-denied" MigConfig 1 "{PROGRAM}: mig-config error: all: cannot enable mig-config with specific MIG devices selected" "";
    "unsatisfied-condition" User ["unsatisfied condition"]
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container"
        means "The image requires (NVIDIA_REQUIRE_CUDA) a newer CUDA than the host's driver serves; the toolkit in the image (nvcc) does not count. The driver itself works."
        do "upgrade the driver, use an older image, or start the container with NVIDIA_DISABLE_REQUIRE=true (then it may fail later); see: nvidia-hookctl explain"
        played "unsatisfied-cuda" Requirement 1 "{PROGRAM}: requirement error: unsatisfied condition: {FOR}, please update your driver to a newer version, or use an earlier cuda container" "cuda>=12.6";
    "invalid-expression" Image ["requirement error: invalid expression", "invalid expression"]
        "nvidia-container-cli: requirement error: invalid expression"
        means "A requirement of the image cannot be read: it is misspelled, was built with an empty build argument (cuda>=.0), or is newer than nvidia-container-cli. No driver helps."
        do "correct NVIDIA_REQUIRE_CUDA in the image; until then NVIDIA_DISABLE_REQUIRE=true, or NVIDIA_VISIBLE_DEVICES=void for no GPU"
        played "invalid-expression" Requirement 1 "{PROGRAM}: requirement error: invalid expression" "";
    "imex-channel" Admin ["unsupported imex channel value", "error parsing imex info"]
        "nvidia-container-cli: error parsing IMEX info: unsupported IMEX channel value: all"
        means "The hook asks for a channel that is not a number; versions 1.17.0 and 1.17.1 of the published one asked for all by themselves, for images that set CUDA_VERSION only."
        do "upgrade the toolkit, or name channels 0 to 2047 in NVIDIA_IMEX_CHANNELS"
        played "imex-all" Imex 1 "{PROGRAM}: error parsing IMEX info: unsupported IMEX channel value: {FOR}" "all";
    "no-devices" Admin ["no devices were found"]
        "No devices were found"
        means "nvidia-smi works in the container and sees no GPU: none was given, or the driver drives none."
        do "ask for GPUs (--gpus all, NVIDIA_VISIBLE_DEVICES=all); run nvidia-smi on the host";
    "module-not-found" Admin ["modprobe: fatal: module nvidia* not found"]
        "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0-45-generic"
        means "The running kernel has no driver module, as after a kernel upgrade."
        do "build it (dkms autoinstall, with the kernel's headers installed), install the driver again, or boot the old kernel";
    "module-key-rejected" Admin ["key was rejected by service"]
        "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"
        means "Secure Boot is on, and the module is not signed by a key that the firmware knows."
        do "enroll the key (mokutil --import), or switch Secure Boot off";
    "privilege-denied" Admin ["privilege change failed"]
        "nvidia-container-cli: initialization error: privilege change failed: operation not permitted"
        means "The helper of nvidia-container-cli may not change its user: it runs in a user namespace that lacks the id, or without the rights of root."
        do "give rootless users subordinate ids (/etc/subuid, /etc/subgid); leave nvidia-container-cli.user out there"
        played "privilege-denied" Init 1 "{PROGRAM}: initialization error: privilege change failed: operation not permitted" "";
    "library-unusable" Admin ["load library failed: * file too short", "load library failed: * invalid elf header", "load library failed: * wrong elf class", "load library failed: * version `", "detection error: elf file read error", "detection error: elf section"]
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: file too short"
        means "A library of the driver is damaged, of another architecture, or made for a newer glibc than this host has."
        do "install the packages of the driver anew, in one version and for this architecture; remove what an installer (.run) left";
    "dxcore-missing" Admin ["load library failed: libdxcore.so", "libdxcore.so: cannot open shared object file"]
        "nvidia-container-cli: initialization error: load library failed: libdxcore.so: cannot open shared object file: no such file or directory"
        means "Under WSL 2 the library that leads to the driver of Windows is not seen: the Docker is that of a snap, or /usr/lib/wsl/lib is not in the linker's cache."
        do "install docker-ce from apt in place of the snap; run ldconfig; wsl --update and wsl --shutdown in Windows";
    "wsl-library-gone" Admin ["stat failed: /usr/lib/wsl/"]
        "nvidia-container-cli: mount error: stat failed: /usr/lib/wsl/lib/libcuda.so.1: no such file or directory"
        means "The linker's cache of the distribution under WSL 2 names a library that the driver of Windows no longer provides."
        do "update the driver in Windows; wsl --update, wsl --shutdown, and ldconfig in the distribution";
    "nvml-no-permission" Admin ["nvml error: no permission", "gpu access blocked by the operating system"]
        "Failed to initialize NVML: GPU access blocked by the operating system"
        means "The system keeps programs from the GPU: a driver of Windows that is too old for WSL 2, a security module, or a policy of the hypervisor."
        do "under WSL 2 upgrade the driver in Windows, and wsl --update; elsewhere read the audit log";
    "not-initialized" Admin ["system not yet initialized", "error 802", "cuda_error_system_not_ready", "cudaerrorsystemnotready"]
        "CUDA initialization: Unexpected error from cudaGetDeviceCount(): Error 802: system not yet initialized"
        means "The GPUs are joined by NVSwitches, and the fabric manager has not set them up: it does not run, or is of another version than the driver."
        do "install nvidia-fabricmanager of exactly the driver's version, and: systemctl enable --now nvidia-fabricmanager";
    "forward-compatibility" Image ["forward compatibility was attempted on non supported hw", "cuda_error_compat_not_supported_on_device", "cudaerrorcompatnotsupportedondevice"]
        "CUDA error: forward compatibility was attempted on non supported HW"
        means "The image brings libraries for CUDA forward compatibility, which GeForce and other GPUs outside of data centres do not support."
        do "upgrade the driver of the host, or remove cuda-compat from the image; with this hook: cuda-compat-mode = \"disabled\"";
    "driver-mismatch-cuda" Admin ["cuda_error_system_driver_mismatch", "cudaerrorsystemdrivermismatch", "system has unsupported display driver / cuda driver combination", "does not match dso version"]
        "CUDA error 803: system has unsupported display driver / cuda driver combination"
        means "The libcuda that the program uses is of another version than the kernel module: the driver was upgraded, or the image has a libcuda of its own."
        do "reboot after the upgrade; remove libcuda and cuda-compat from the image";
    "mig-no-instances" Admin ["no mig devices found"]
        "No MIG devices found"
        means "A GPU is in mode MIG and has no instances."
        do "make them (nvidia-smi mig -cgi PROFILE -C), or switch the mode off: nvidia-smi -mig 0";
    "module-no-device" Admin ["could not insert 'nvidia': no such device", "could not insert nvidia: no such device", "no nvidia gpu device is present"]
        "modprobe: ERROR: could not insert 'nvidia': No such device"
        means "The module finds no GPU that it supports: the machine has no GPU, another driver holds it, or it is too old or too new for this driver."
        do "look at lspci -k -d 10de: and dmesg; install a driver of a branch that supports the GPU";
    "api-mismatch" Admin ["nvrm: api mismatch"]
        "NVRM: API mismatch: the client has the version 535.129.03, but this kernel module has the version 535.104.05"
        means "The driver was upgraded while its old kernel module is still loaded."
        do "reboot, or unload and load the module";
}
