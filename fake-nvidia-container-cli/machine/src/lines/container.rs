//! Lines of nvidia-container-cli about the container: control groups, namespaces, mounts, ldconfig. Must not know how
//! they are found.

super::lines! {
    "cgroup-not-found" Admin ["cgroup subsystem devices not found"]
        "nvidia-container-cli: container error: cgroup subsystem devices not found"
        means "Control groups are version 2, which nvidia-container-cli before 1.8 does not know, or none are mounted."
        do "upgrade libnvidia-container, or set nvidia-container-cli.no-cgroups = true where the engine allows the devices"
        played "cgroup-not-found" Container 1 "{PROGRAM}: container error: cgroup subsystem devices not found" "";
    "bpf-jit-harden" Admin ["last insn is not an exit or jmp", "device filter program from existing programs"]
        "nvidia-container-cli: mount error: failed to add device rules: unable to generate new device filter program from existing programs: unable to create new device filters program: load program: invalid argument: last insn is not an exit or jmp"
        means "net.core.bpf_jit_harden is 2: the kernel hides the instructions of device filters even from root, so they cannot be extended."
        do "sysctl net.core.bpf_jit_harden=1, and write it to /etc/sysctl.d"
        played "bpf-jit-harden" Mount 1 "{PROGRAM}: mount error: failed to add device rules: unable to generate new device filter program from existing programs: unable to create new device filters program: load program: invalid argument: last insn is not an exit or jmp" "";
    "cgroup-rules-denied" Admin ["bpf_prog_query(bpf_cgroup_device) failed", "unable to find any existing device filters attached to the cgroup", "failed to add device rules: unable to*operation not permitted"]
        "nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted"
        means "The hook may not change the control group (version 2): it runs for a rootless engine, or inside another container."
        do "set nvidia-container-cli.no-cgroups = true, for rootless users in $XDG_CONFIG_HOME/nvidia-container-runtime/config.toml only"
        played "cgroup-rules" Mount 1 "{PROGRAM}: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted" "";
    "device-filter-refused" Admin ["device filter program with no existing programs"]
        "nvidia-container-cli: mount error: failed to add device rules: unable to generate new device filter program with no existing programs: unable to create new device filters program: load program: permission denied: 0: R1=ctx(off=0,imm=0) R10=fp0"
        means "No device rules are attached to the control group (version 2), and the kernel refuses the program that nvidia-container-cli makes for this case. The engine did not restrict devices, as some do in nested containers."
        do "set nvidia-container-cli.no-cgroups = true: without rules of the engine every device is allowed already; or upgrade libnvidia-container";
    "device-rules-failed" Admin ["failed to add device rules"]
        "nvidia-container-cli: mount error: failed to add device rules: unable to attach new device filters program: invalid argument"
        means "nvidia-container-cli could not allow the devices in the container's control group; the end of the line says at which step."
        do "upgrade libnvidia-container; or set nvidia-container-cli.no-cgroups = true and allow the devices in the engine (--device /dev/nvidia0 ...)";
    "cgroup-denied" Admin ["devices.allow: permission denied", "devices.allow: operation not permitted", "write error: *devices.allow"]
        "nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/user.slice/devices.allow: permission denied"
        means "The hook may not change the control group (version 1): it runs for a rootless engine, or inside another container."
        do "set nvidia-container-cli.no-cgroups = true there"
        played "cgroup-denied" Mount 1 "{PROGRAM}: mount error: open failed: {FOR}: permission denied" "/sys/fs/cgroup/devices/user.slice/devices.allow";
    "capability-denied" Admin ["capability change failed"]
        "nvidia-container-cli: permission error: capability change failed: operation not permitted"
        means "The process lacks the capabilities that it needs: it is not root, or an outer container dropped them."
        do "run the engine as root, or with --user in a user namespace; give the outer container CAP_SYS_ADMIN"
        played "capability-denied" Caps 1 "{PROGRAM}: permission error: capability change failed: operation not permitted" "";
    "hidepid" Admin ["container error: open failed: /proc/*/root: no such file or directory", "container error: stat failed: /proc/*: no such file or directory", "stat failed: /proc/*/: no such file"]
        "nvidia-container-cli: container error: stat failed: /proc/4629: no such file or directory"
        means "The process of the container cannot be seen: /proc is mounted with hidepid, or the process died before its hooks ran."
        do "mount /proc without hidepid; look at why the container's process died"
        played "pid-gone" Container 1 "{PROGRAM}: container error: stat failed: /proc/{FOR}: no such file or directory" "4321";
    "rootfs-missing" User ["container error: open failed: *no such file or directory", "container error: * no such file or directory"]
        "nvidia-container-cli: container error: open failed: /var/lib/c/rootfs: no such file or directory"
        means "The root file system that nvidia-container-cli was given does not exist, or is a path as seen after pivot_root."
        do "give the path as the host sees it before pivot_root: root.path of config.json, below the bundle";
    "compat-mode" Admin ["invalid option: cuda-compat-mode"]
        "nvidia-container-cli: container error: invalid option: cuda-compat-mode=hook"
        means "nvidia-container-cli does not know this mode for CUDA compatibility libraries."
        do "set nvidia-container-runtime.modes.legacy.cuda-compat-mode to ldconfig, mount or disabled"
        played "bad-compat-mode" Container 1 "{PROGRAM}: container error: invalid option: cuda-compat-mode={FOR}" "hook";
    "namespace-denied" Admin ["namespace association failed"]
        "nvidia-container-cli: mount error: namespace association failed: /proc/4321/ns/mnt: operation not permitted"
        means "The mount namespace of the container may not be entered: it belongs to another user namespace."
        do "start GPU containers without userns-remap (--userns=host), or use CDI"
        played "namespace-denied" Mount 1 "{PROGRAM}: mount error: namespace association failed: /proc/{FOR}/ns/mnt: operation not permitted" "4321";
    "namespace-unknown" Admin ["namespace association failed: *function not implemented"]
        "nvidia-container-cli: mount error: namespace association failed: /proc/18331/ns/mnt: function not implemented"
        means "The kernel, or what stands in for it (an emulator, a sandbox), cannot enter a namespace."
        do "start GPU containers on a Linux kernel with namespaces, with programs of the host's architecture";
    "file-exists" Image ["file creation failed: * file exists"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/merged/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1: file exists"
        means "The image contains files of the driver, which nvidia-container-cli mounts: it was built with the driver installed, or committed from a container with GPUs."
        do "build the image without packages of the driver (libnvidia-*, nvidia-driver-*)"
        played "file-exists" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: file exists" "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1";
    "jetson-image-files" Image ["file creation failed: */libcudnn* file exists", "file creation failed: */libnvidia-fatbinaryloader* file exists"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/merged/usr/lib/aarch64-linux-gnu/libcudnn_static.a: file exists"
        means "On a Jetson the CSV files of JetPack mount a library that the image brings itself: the image is made for another release of JetPack."
        do "use an image of the board's release (l4t-base, l4t-jetpack with the tag of the release), or upgrade JetPack";
    "rootfs-full" Admin ["file creation failed: *no space left on device"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/merged/usr/bin/nvidia-smi: no space left on device"
        means "The disk (or the quota) on which the container's root lies is full, so the mount points of the driver cannot be made."
        do "free space where the engine keeps containers (docker system df, df -i), or raise the quota"
        played "rootfs-full" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: no space left on device" "/usr/bin/nvidia-smi";
    "rootfs-closed" Admin ["file creation failed: *permission denied", "file creation failed: *operation not permitted"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/c/rootfs/usr/bin/nvidia-smi: permission denied"
        means "The container's root does not let nvidia-container-cli make a mount point: it belongs to another user namespace, lies on NFS, or a security module forbids it."
        do "keep containers on a local disk that root may write to; read the audit log (ausearch -m avc, dmesg); rootless, use CDI"
        played "rootfs-closed" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: permission denied" "/usr/bin/nvidia-smi";
    "rootfs-file-for-directory" Image ["file creation failed: *not a directory", "file creation failed: *is a directory"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/c/rootfs/usr/lib/firmware: not a directory"
        means "The image has a file where the driver's files need a directory, or a directory where they need a file."
        do "remove it in the image"
        played "rootfs-file-for-directory" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: not a directory" "/usr/lib/firmware";
    "compat-library-missing" Image ["stat failed: *compat/lib"]
        "nvidia-container-cli: mount error: stat failed: /var/lib/docker/overlay2/x/merged/usr/local/cuda-10.2/compat/libcuda.so.440.118.02: no such file or directory"
        means "A library for CUDA forward compatibility in the image is a link that leads nowhere, or a volume covers /usr/local/cuda."
        do "repair the package cuda-compat in the image, or leave the volume out; or set nvidia-container-runtime.modes.legacy.cuda-compat-mode = \"disabled\"";
    "gpu-proc-missing" Admin ["stat failed: /proc/driver/nvidia/gpus/"]
        "nvidia-container-cli: mount error: stat failed: /proc/driver/nvidia/gpus/cfdd:00:00.0: no such file or directory"
        means "The driver's directory of a GPU in /proc is not where nvidia-container-cli looks: the GPU is gone, or its PCI domain has more than four digits (as on Azure) and the program is too old for it."
        do "look at /proc/driver/nvidia/gpus and nvidia-smi -L; upgrade libnvidia-container and the driver"
        played "gpu-proc-missing" Mount 1 "{PROGRAM}: mount error: stat failed: {FOR}: no such file or directory" "/proc/driver/nvidia/gpus/0000:3b:00.0";
    "capabilities-proc-missing" Admin ["/proc/driver/nvidia/capabilities*no such file"]
        "stat failed: /proc/driver/nvidia/capabilities/gpu0/mig/gi7/access: no such file or directory"
        means "The access files of MIG in /proc are not seen: an outer container (kind) covers /proc/driver/nvidia, the instance was deleted, or the driver is older than 450."
        do "in a nested node unmount /proc/driver/nvidia; look at the instances: nvidia-smi mig -lgi";
    "device-numbers" Admin ["invalid device node"]
        "nvidia-container-cli: mount error: invalid device node: /dev/nvidiactl"
        means "A device node has other numbers than the driver uses: it was made by hand, or is a file."
        do "remove it, and let nvidia-modprobe -c=0 (or nvidia-smi as root) make it"
        played "device-numbers" Mount 1 "{PROGRAM}: mount error: invalid device node: {FOR}" "/dev/nvidiactl";
    "modeset-missing" Admin ["stat failed: /dev/nvidia-modeset", "/dev/nvidia-modeset: no such file or directory"]
        "nvidia-container-cli: mount error: stat failed: /dev/nvidia-modeset: no such file or directory"
        means "The node of the display driver does not exist, and the container asks for the capability display (or for all)."
        do "nvidia-modprobe -m on the host, or leave display out of NVIDIA_DRIVER_CAPABILITIES"
        played "modeset-missing" Mount 1 "{PROGRAM}: mount error: stat failed: /dev/nvidia-modeset: no such file or directory" "";
    "node-missing" Admin ["stat failed: /dev/nvidia", "/dev/nvidiactl: no such file or directory", "/dev/nvidia-uvm: no such file or directory", "/dev/nvidia0*no such file or directory"]
        "nvidia-container-cli: mount error: stat failed: /dev/nvidia-uvm: no such file or directory"
        means "A device node of the driver does not exist."
        do "nvidia-modprobe -u -c=0, or run nvidia-smi once as root; set nvidia-container-cli.load-kmods = true"
        played "node-missing" Mount 1 "{PROGRAM}: mount error: stat failed: {FOR}: no such file or directory" "/dev/nvidia-uvm";
    "persistenced-socket" Admin ["nvidia-persistenced/socket", "mount operation failed: *nvidia-persistenced/socket: operation not permitted"]
        "nvidia-container-cli: mount error: file creation failed: /run/nvidia-persistenced/socket: no such device or address"
        means "The socket of nvidia-persistenced cannot be mounted: the container already has the host's /run, or the mount is not permitted for a rootless engine."
        do "do not mount /run into the container; for rootless engines stop nvidia-persistenced, or use a version with --no-persistenced"
        played "persistenced-stale" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}/run/nvidia-persistenced/socket: no such device or address" ""
        played "persistenced-denied" Mount 1 "{PROGRAM}: mount error: mount operation failed: {ROOTFS}/run/nvidia-persistenced/socket: operation not permitted" "";
    "mount-denied" Admin ["mount operation failed: * operation not permitted", "mount operation failed: * permission denied", "mount operation failed: * invalid argument"]
        "nvidia-container-cli: mount error: mount operation failed: /var/lib/c/merged/proc/driver/nvidia: operation not permitted"
        means "The kernel refuses a mount, as in nested or rootless containers, or where a security module forbids it."
        do "in LXC allow nesting and an unconfined profile for the outer container; rootless, use CDI"
        played "mount-denied" Mount 1 "{PROGRAM}: mount error: mount operation failed: {FOR}: operation not permitted" "{ROOTFS}/proc/driver/nvidia";
    "mount-source-missing" Admin ["mount operation failed: * no such file or directory"]
        "nvidia-container-cli: mount error: mount operation failed: /var/lib/docker/overlay2/x/merged/proc/driver/nvidia/params: no such file or directory"
        means "A file of the driver that is to be mounted is gone since the driver was asked."
        do "reboot after an upgrade of the driver"
        played "mount-source-missing" Mount 1 "{PROGRAM}: mount error: mount operation failed: {ROOTFS}{FOR}: no such file or directory" "/proc/driver/nvidia/params";
    "jetson-csv-missing" Admin ["mount operation failed: /usr/src/* no such file or directory"]
        "nvidia-container-cli: mount error: mount operation failed: /usr/src/tensorrt: no such file or directory"
        means "On a Jetson a CSV file of JetPack names something that is not installed."
        do "install the JetPack package that brings it, or remove its line from /etc/nvidia-container-runtime/host-files-for-container.d";
    "read-only-rootfs" User ["file creation failed: * read-only file system", "mount error: *read-only file system"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/c/rootfs/usr/bin/nvidia-smi: read-only file system"
        means "The root file system of the container is read-only before the driver's files were put into it."
        do "let the engine make it read-only afterwards (docker run --read-only does), or use CDI"
        played "read-only-rootfs" Mount 1 "{PROGRAM}: mount error: file creation failed: {ROOTFS}{FOR}: read-only file system" "/usr/bin/nvidia-smi";
    "ldconfig-127" Admin ["ldconfig* failed with error code: 127"]
        "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error code: 127"
        means "ldconfig could not start in the container: it is a script, or needs libraries that the container does not have."
        do "set nvidia-container-cli.ldconfig to a static program of the host: \"@/sbin/ldconfig.real\" on Ubuntu, \"@/sbin/ldconfig\" elsewhere"
        played "ldconfig-127" Ldcache 1 "{PROGRAM}: ldcache error: process {FOR} failed with error code: 127" "/sbin/ldconfig.real";
    "ldconfig-1" Admin ["ldconfig* failed with error code: 1", "failed with error code: 1"]
        "nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 1"
        means "ldconfig failed for the container: the kernel has no seccomp, a mount was refused (rootless), the container's /etc is read-only, or ldconfig is for another architecture."
        do "use a kernel with CONFIG_SECCOMP; look at nvidia-container-cli's log (nvidia-container-cli.debug)"
        played "ldconfig-1" Ldcache 1 "{PROGRAM}: ldcache error: process {FOR} failed with error code: 1" "/sbin/ldconfig.real";
    "ldconfig-killed" Admin ["ldconfig* terminated with signal"]
        "nvidia-container-cli: ldcache error: process /sbin/ldconfig terminated with signal 9"
        means "ldconfig was killed: by signal 9 for memory (the container's limit) or time (ten seconds), by 24 for time, by 25 because the cache would exceed 1 MiB, by 31 by the system call filter of an older libnvidia-container."
        do "signal 9: raise the limit of the container's memory; 31: upgrade libnvidia-container; 24 and 25: the image has too many libraries in the linker's directories"
        played "ldconfig-killed" Ldcache 1 "{PROGRAM}: ldcache error: process {FOR} terminated with signal 9" "/sbin/ldconfig.real";
    "ldconfig-missing" Admin ["ldcache error: open failed", "open failed: *ldconfig* no such file or directory", "ldcache error: open failed: * permission denied"]
        "nvidia-container-cli: ldcache error: open failed: /sbin/ldconfig.real: no such file or directory"
        means "The host has no ldconfig at the path that the configuration names."
        do "set nvidia-container-cli.ldconfig: \"@/sbin/ldconfig.real\" on Ubuntu, \"@/sbin/ldconfig\" elsewhere"
        played "ldconfig-missing" Ldcache 1 "{PROGRAM}: ldcache error: open failed: {FOR}: no such file or directory" "/sbin/ldconfig.real";
    "unrecognized-option" Admin ["unrecognized option '--", "unrecognized option"]
        "nvidia-container-cli: unrecognized option '--cuda-compat-mode=ldconfig'"
        means "The hook is newer than nvidia-container-cli, and passes an option that it does not know."
        do "install the toolkit and libnvidia-container of one release; with this hook set nvidia-container-runtime-hook.cli-version"
        played "unrecognized-option" Start 1 "{PROGRAM} configure: unrecognized option '{FOR}'\n{TRY}" "--cuda-compat-mode=disabled";
    "cli-library-missing" Admin ["error while loading shared libraries: libnvidia-container.so", "error while loading shared libraries: libcap.so", "nvidia-container-cli: error while loading shared libraries", "load library failed: libnvidia-container-go.so"]
        "/usr/bin/nvidia-container-cli: error while loading shared libraries: libnvidia-container.so.1: cannot open shared object file: No such file or directory"
        means "nvidia-container-cli does not start: a library that it needs is not installed, or not in the linker's cache."
        do "install libnvidia-container1 of the program's version, and run ldconfig"
        played "library-missing" Start 127 "/usr/bin/nvidia-container-cli: error while loading shared libraries: {FOR}: cannot open shared object file: No such file or directory" "libnvidia-container.so.1";
    "device-node-refused" Admin ["file creation failed: */dev/nvidia* operation not permitted", "file creation failed: */dev/nvidia* permission denied"]
        "nvidia-container-cli: mount error: file creation failed: /var/lib/c/rootfs/dev/nvidia0: operation not permitted"
        means "The container's /dev does not let nvidia-container-cli make the mount point of a node: the host's /dev is mounted there, or it belongs to another user namespace."
        do "do not mount /dev into the container; inside a container give the outer one the nodes, or use CDI";
    "cgroup-path-gone" Admin ["devices.allow: no such file or directory", "failed to get device cgroup", "unable to open the cgroup path"]
        "nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/system.slice/docker-1.scope/devices.allow: no such file or directory"
        means "nvidia-container-cli does not find the control group of the container: the cgroup namespace or the mounts of the outer container are not what it expects."
        do "upgrade libnvidia-container; inside a container start it with --cgroupns=host, or set nvidia-container-cli.no-cgroups = true";
    "cgroup-read-only" Admin ["devices.allow: read-only file system"]
        "nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/devices.allow: read-only file system"
        means "The control groups of this container are mounted for reading only."
        do "set nvidia-container-cli.no-cgroups = true here, or start the outer container with writable control groups";
    "no-device-filters-in-kernel" Admin ["attached to the cgroup: bpf_prog_query(bpf_cgroup_device) failed: invalid argument", "attached to the cgroup: bpf_prog_query(bpf_cgroup_device) failed: function not implemented"]
        "nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: invalid argument"
        means "The kernel is built without device rules for control groups version 2."
        do "boot a kernel with CONFIG_CGROUP_BPF, or set nvidia-container-cli.no-cgroups = true";
    "mig-node-missing" Admin ["stat failed: /dev/nvidia-caps/", "/dev/nvidia-caps/nvidia-cap*no such file"]
        "nvidia-container-cli: mount error: stat failed: /dev/nvidia-caps/nvidia-cap21: no such file or directory"
        means "The device node of a MIG instance does not exist."
        do "run nvidia-smi once as root, or nvidia-modprobe -f with the access file of the instance; set nvidia-container-cli.load-kmods = true";
    "cli-symbol" Admin ["symbol lookup error: *nvidia-container-cli", "relocation error: *libnvidia-container", "mount error: stat failed: /geforce", "mount error: stat failed: /tesla", "mount error: stat failed: /quadro", "mount error: stat failed: /nvidia "]
        "nvidia-container-cli: symbol lookup error: nvidia-container-cli: undefined symbol: nvc_device_mig_caps_mount"
        means "nvidia-container-cli and libnvidia-container are of different releases, so one lacks what the other calls, or takes the name of a GPU for a path."
        do "install libnvidia-container-tools and libnvidia-container1 in one version, and run ldconfig";
}
