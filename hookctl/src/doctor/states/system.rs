//! States of the system around the driver: kernel settings, namespaces, control groups, the linker's cache and
//! ldconfig. Must not know how they are found.

super::states! { SYSTEM:
    BPF_JIT_HARDEN "bpf-jit-harden" Error
        "The setting net.core.bpf_jit_harden is 2 on a host with control groups version 2: nvidia-container-cli reads device filters back as zeros and cannot extend them."
        says ["nvidia-container-cli: mount error: failed to add device rules: unable to generate new device filter program from existing programs: unable to create new device filters program: load program: invalid argument: last insn is not an exit or jmp"];
        do "run sysctl net.core.bpf_jit_harden=1 (and write it to /etc/sysctl.d), or set nvidia-container-cli.no-cgroups = true and let the engine grant the devices"
        from ["NVIDIA/libnvidia-container #176", "NVIDIA/nvidia-container-toolkit #117", "bottlerocket-os/bottlerocket #2504"];
    HIDEPID "proc-hidepid" Error
        "/proc is mounted with hidepid, so nvidia-container-cli cannot see the container's process."
        says ["nvidia-container-cli: container error: stat failed: /proc/4629: no such file or directory"];
        do "mount /proc without the option (mount -o remount,hidepid=0 /proc), and take hidepid out of /etc/fstab"
        from ["NVIDIA/nvidia-docker #645"];
    NO_SECCOMP "no-seccomp" Error
        "The kernel is built without seccomp, so nvidia-container-cli cannot confine ldconfig and gives up."
        says ["nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 1"];
        do "boot a kernel with CONFIG_SECCOMP and CONFIG_SECCOMP_FILTER"
        from ["NVIDIA/nvidia-docker #659", "NVIDIA/nvidia-docker #552"];
    SELINUX "selinux-label" Warning
        "SELinux is enforced, and containers of Podman and CRI-O may not use device nodes without a policy that allows it."
        says ["Failed to initialize NVML: Insufficient Permissions"];
        do "setsebool -P container_use_devices on, or start GPU containers with --security-opt label=disable"
        from ["NVIDIA/nvidia-container-runtime #42", "NVIDIA/nvidia-container-runtime #85"];
    SINGLE_ID_MAP "single-id-map" Error
        "Only one user id is mapped in this user namespace, or setgroups is denied in it, so the helper of nvidia-container-cli cannot change its user."
        says ["nvidia-container-cli: initialization error: driver error: failed to process request", "nvidia-container-cli: initialization error: driver rpc error: failed to process request"];
        do "give the user ranges of subordinate ids in /etc/subuid and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER), then podman system migrate"
        from ["NVIDIA/libnvidia-container #104"];
    ROOTLESS "rootless-cgroups" Error
        "The hook of a rootless engine may not change control groups, and no-cgroups is not set."
        says ["nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted", "nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/user.slice/devices.allow: permission denied"];
        do "for rootless engines set nvidia-container-cli.no-cgroups = true in $XDG_CONFIG_HOME/nvidia-container-runtime/config.toml, which leaves root's containers alone"
        from ["NVIDIA/libnvidia-container #154", "opencontainers/runc #2952", "NVIDIA/nvidia-docker #1155"];
    NESTED_CGROUPS "nested-cgroups" Error
        "This host is itself an unprivileged container, where the hook may not change control groups."
        says ["nvidia-container-cli: mount error: write error: /sys/fs/cgroup/devices/docker/ID/devices.allow: operation not permitted", "nvidia-container-cli: mount error: failed to add device rules"];
        do "set nvidia-container-cli.no-cgroups = true here: the outer container allows the devices"
        from ["NVIDIA/nvidia-container-runtime #78"];
    NO_CGROUPS_FOR_ALL "no-cgroups-for-all" Warning
        "no-cgroups is true for the containers of root: the engine itself must allow the devices, and the hook does not confine them."
        says ["Failed to initialize NVML: Unknown Error", "Failed to initialize NVML: Insufficient Permissions"];
        do "set it only in the configuration of rootless users ($XDG_CONFIG_HOME/nvidia-container-runtime/config.toml)"
        from ["NVIDIA/libnvidia-container #154"];
    CGROUPS_UNKNOWN_TO_CLI "cgroups-unknown-to-cli" Error
        "Control groups are version 2, which this nvidia-container-cli does not know."
        says ["nvidia-container-cli: container error: cgroup subsystem devices not found"];
        do "upgrade nvidia-container-cli, or boot with systemd.unified_cgroup_hierarchy=0"
        from ["NVIDIA/nvidia-docker #1660"];
    CGROUPS_READ_ONLY "cgroups-read-only" Error
        "This host is itself a container, with its control groups mounted for reading only, so the hook cannot allow devices."
        says ["nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/devices.allow: read-only file system"];
        do "set nvidia-container-cli.no-cgroups = true here (the outer container allows the devices), or start the outer container with --privileged and its control groups writable"
        from ["NVIDIA/nvidia-container-runtime #78", "cgroups(7)"];
    CGROUP_DEVICES_MISSING "cgroup-devices-missing" Error
        "The kernel is built without device rules for control groups."
        says ["nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: invalid argument", "nvidia-container-cli: container error: cgroup subsystem devices not found"];
        do "boot a kernel with CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL (version 1: CONFIG_CGROUP_DEVICE), or set nvidia-container-cli.no-cgroups = true"
        from ["kernel documentation, cgroup v2, device controller"];
    CGROUPS_NOT_MOUNTED "cgroups-not-mounted" Warning
        "No control groups are mounted at /sys/fs/cgroup, so devices cannot be allowed to containers."
        says ["nvidia-container-cli: container error: cgroup subsystem devices not found"];
        do "in a container, mount them, or set nvidia-container-cli.no-cgroups = true"
        from ["cgroups(7)"];
    LDCACHE_MISSING "ldcache-missing" Error
        "The linker's cache does not exist, and nvidia-container-cli looks libraries up nowhere else."
        says ["nvidia-container-cli: detection error: open failed: /etc/ld.so.cache: no such file or directory"];
        do "run ldconfig, or set nvidia-container-cli.ldcache to where the cache is"
        from ["siderolabs/extensions #171", "NVIDIA/nvidia-container-toolkit #71"];
    LDCACHE_UNREADABLE "ldcache-unreadable" Error
        "The linker's cache cannot be read, or is not a cache of glibc."
        says ["nvidia-container-cli: detection error: open failed: /etc/ld.so.cache: permission denied", "nvidia-container-cli: detection error: unsupported file format: /etc/ld.so.cache"];
        do "write it anew with ldconfig of glibc, and chmod 644 it"
        from ["NVIDIA/nvidia-container-toolkit #71", "ld.so(8)"];
    LDCACHE_STALE "ldcache-stale" Error
        "The linker's cache does not list the driver's libraries, although they are installed, or lists files that are gone."
        says ["nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1", "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system"];
        do "run ldconfig; where the libraries are in a directory that /etc/ld.so.conf does not name, add it in /etc/ld.so.conf.d first"
        from ["NVIDIA/nvidia-container-toolkit #154", "ldconfig(8)"];
    LDCONFIG_MISSING "ldconfig-missing" Error
        "The ldconfig that the configuration names does not exist on this host."
        says ["nvidia-container-cli: ldcache error: open failed: /sbin/ldconfig.real: no such file or directory"];
        do "install it, or name it with nvidia-container-cli.ldconfig = \"@PATH\""
        from ["NVIDIA/nvidia-container-toolkit #59", "NixOS/nixpkgs #173953"];
    LDCONFIG_OF_CONTAINER "ldconfig-of-container" Warning
        "The ldconfig that the configuration names is a program of the container, which runs as root on the host."
        says ["ldconfig value \"/usr/sbin/ldconfig\" is not host-relative (does not start with a '@')"];
        do "write nvidia-container-cli.ldconfig = \"@/sbin/ldconfig\""
        from ["NVIDIA/nvidia-container-toolkit #830"];
    LDCONFIG_WRONG_ARCHITECTURE "ldconfig-wrong-architecture" Error
        "The ldconfig of this host is a program for another architecture."
        says ["nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 1", "exec format error"];
        do "install the ldconfig (package libc-bin or glibc) of this host's architecture"
        from ["execve(2)"];
    LDCONFIG_IS_A_SCRIPT "ldconfig-is-a-script" Error
        "The ldconfig of this host is a script, whose interpreter is not there where nvidia-container-cli runs it, in the container."
        says ["nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 127"];
        do "install the program itself as ldconfig.real beside it, or name a static ldconfig with nvidia-container-cli.ldconfig = \"@PATH\""
        from ["NVIDIA/nvidia-docker #587", "NixOS/nixpkgs #173953"];
    LDCONFIG_IS_DYNAMIC "ldconfig-is-dynamic" Warning
        "The ldconfig of this host needs libraries, which it may not find where nvidia-container-cli runs it, in the container."
        says ["nvidia-container-cli: ldcache error: process /sbin/ldconfig failed with error code: 127"];
        do "name a statically linked ldconfig with nvidia-container-cli.ldconfig = \"@PATH\""
        from ["NVIDIA/nvidia-docker #587"];
}
