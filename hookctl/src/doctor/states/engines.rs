//! States of the container engines and of the files they read: their configuration, hooks.d, CDI specifications. Must
//! not know how they are found.

super::states! { ENGINES:
    DOCKER_WITHOUT_HOOK "docker-without-hook" Error
        "dockerd found no nvidia-container-runtime-hook in its PATH when it started, so docker does not know --gpus."
        says ["could not select device driver \"\" with capabilities: [[gpu]]"];
        do "install it as /usr/bin/nvidia-container-runtime-hook (package nvidia-container-toolkit), and restart dockerd"
        from ["NVIDIA/nvidia-docker #1034", "NVIDIA/nvidia-docker #1682", "NVIDIA/nvidia-container-toolkit #871"];
    DOCKER_SNAP "docker-snap" Error
        "The Docker of this host is a snap: it sees neither the hook nor the driver's libraries of the host."
        says ["could not select device driver \"\" with capabilities: [[gpu]]", "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1"];
        do "remove the snap and install docker-ce from Docker's apt repository, or use the CDI support of newer snaps (docker run --device nvidia.com/gpu=all)"
        from ["canonical/docker-snap #148", "NVIDIA/nvidia-docker #1637", "NVIDIA/nvidia-docker #1642"];
    DOCKER_SNAP_TOO "docker-snap-too" Warning
        "There is a Docker snap beside the Docker of a package; the one that the socket belongs to decides."
        says ["could not select device driver \"\" with capabilities: [[gpu]]"];
        do "remove one of the two: snap remove docker"
        from ["canonical/docker-snap #148", "NVIDIA/nvidia-docker #1637"];
    DOCKER_DESKTOP "docker-desktop" Error
        "The Docker of this host is Docker Desktop for Linux, whose containers run in a virtual machine without the GPU."
        says ["could not select device driver \"nvidia\" with capabilities: [[gpu]]"];
        do "install Docker Engine (docker-ce), and choose it: docker context use default"
        from ["open-webui/open-webui #1192"];
    DOCKER_DESKTOP_TOO "docker-desktop-too" Warning
        "Docker Desktop for Linux is installed beside Docker Engine; containers of its context have no GPU."
        says ["could not select device driver \"nvidia\" with capabilities: [[gpu]]"];
        do "choose Docker Engine: docker context use default"
        from ["open-webui/open-webui #1192"];
    DOCKER_DESKTOP_WSL "docker-desktop-wsl" Note
        "The Docker of this distribution is that of Docker Desktop for Windows, which brings its own toolkit."
        says [];
        do "nothing of the toolkit is needed here: install the NVIDIA driver in Windows, and run wsl --update; --gpus then works by itself"
        from ["Docker documentation, GPU support in Docker Desktop"];
    DOCKER_TOO_OLD "docker-too-old" Warning
        "Docker is older than 19.03, the first that knows --gpus."
        says ["unknown flag: --gpus"];
        do "upgrade Docker, or start containers with --runtime=nvidia and NVIDIA_VISIBLE_DEVICES"
        from ["Docker Engine 19.03 release notes"];
    DOCKER_ROOTLESS "docker-rootless" Error
        "A user has a rootless Docker, and no-cgroups is not set in the file that its hook reads: that is one below ~/.config only if dockerd itself has XDG_CONFIG_HOME set."
        says ["nvidia-container-cli: mount error: failed to add device rules: unable to find any existing device filters attached to the cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted"];
        do "set no-cgroups = true under [nvidia-container-cli] in ~/.config/nvidia-container-runtime/config.toml of that user, add Environment=XDG_CONFIG_HOME=%h/.config under [Service] with systemctl --user edit docker, and: systemctl --user restart docker; this project's hook needs only nvidia-container-runtime-hook.rootless = \"auto\" in /etc/nvidia-container-runtime/config.toml"
        from ["NVIDIA/libnvidia-container #154", "NVIDIA/nvidia-docker #1688"];
    DOCKER_CONFIG "docker-config-broken" Error
        "dockerd refuses its configuration, and does not start: it is not valid JSON, has a key that dockerd does not know, or a value of another type."
        says ["unable to configure the Docker daemon with file /etc/docker/daemon.json", "the following directives don't match any configuration option: _comment"];
        do "correct it: dockerd --validate --config-file=/etc/docker/daemon.json"
        from ["dockerd reference, daemon.json"];
    DOCKER_RUNTIME "docker-runtime-missing" Error
        "The configuration of dockerd names an NVIDIA runtime that does not exist."
        says ["fork/exec /usr/bin/nvidia-container-runtime: no such file or directory", "exec: \"nvidia-container-runtime\": executable file not found in $PATH"];
        do "install the package nvidia-container-toolkit, or correct the path of the runtime, and restart dockerd"
        from ["dockerd reference, daemon.json"];
    DOCKER_DEFAULT_RUNTIME "docker-default-runtime-unknown" Error
        "The default runtime of dockerd is not among its runtimes."
        says ["specified default runtime 'nvidia' does not exist"];
        do "add it to \"runtimes\" (nvidia-ctk runtime configure --runtime=docker), and restart dockerd"
        from ["dockerd reference, daemon.json"];
    DOCKER_USERNS "docker-userns-remap" Warning
        "dockerd maps the users of containers (userns-remap), and the hook's helper may lack rights to their files and device nodes."
        says ["nvidia-container-cli: mount error: file creation failed: permission denied", "nvidia-container-cli: initialization error: nvml error: insufficient permissions"];
        do "start GPU containers with --userns=host, or use CDI"
        from ["dockerd reference, user namespaces", "NVIDIA/nvidia-container-toolkit #648"];
    HOOK_DIR_NOT_READ "hooks-dir-not-read" Error
        "A file that starts the hook is in a directory that the engine's hooks_dir leaves out."
        says [];
        do "add the directory to hooks_dir and restart the engine, or move the file"
        from ["NVIDIA/gpu-operator #448", "NVIDIA/gpu-operator #280", "NVIDIA/gpu-operator #172"];
    HOOK_DIR_OF_USER "hooks-dir-of-user" Warning
        "A user's containers.conf leaves the directory out in which the file that starts the hook is."
        says [];
        do "add the directory to hooks_dir of that user's containers.conf, or remove hooks_dir from it"
        from ["podman-container-tools/podman #3155", "containers.conf(5)"];
    HOOK_FILE_NAME "hook-file-name" Warning
        "A file in hooks.d has a name that does not end in .json, so engines pass over it."
        says [];
        do "rename it, or write it anew: nvidia-hookctl oci-hook --hooks-dir DIR"
        from ["oci-hooks(5)"];
    CRIO_RUNTIME "crio-runtime-missing" Error
        "The configuration of CRI-O names an NVIDIA runtime that does not exist."
        says ["runtime_path for runtime \"nvidia\" not found"];
        do "install the toolkit (or let the GPU operator do it), or correct runtime_path, and restart CRI-O"
        from ["crio.conf(5)", "NVIDIA/gpu-operator #448"];
    CRIO_DEFAULT "crio-default-runtime-unknown" Error
        "The default runtime of CRI-O is not among its runtimes, so CRI-O does not start."
        says ["default_runtime set to \"nvidia\", but no runtime entry was found"];
        do "add [crio.runtime.runtimes.nvidia] (nvidia-ctk runtime configure --runtime=crio), and restart CRI-O"
        from ["crio.conf(5)"];
    HOOK_FILE_MISSING "hook-file-missing" Warning
        "No file starts the hook, so containers of Podman and CRI-O get no GPU from it."
        says [];
        do "use CDI (--device nvidia.com/gpu=all), or run: nvidia-hookctl oci-hook --hooks-dir /usr/share/containers/oci/hooks.d"
        from ["NVIDIA/nvidia-container-toolkit #17"];
    HOOK_FILE_BROKEN "hook-file-broken" Error
        "A file in hooks.d is not valid, and engines refuse to start any container with it."
        says ["parsing hook \"oci-nvidia-hook.json\"", "failed to read hooks"];
        do "correct or remove it"
        from ["podman-container-tools/podman #16839", "podman-container-tools/podman #884"];
    HOOK_FILE_FAULTY "hook-file-faulty" Error
        "The file that starts the hook has a fault, so the hook does not run, or not as it should."
        says ["error executing hook `/usr/bin/nvidia-container-runtime-hook` (exit code: 1)", "No help topic for 'prestart'"];
        do "see: nvidia-hookctl oci-hook --validate FILE"
        from ["NVIDIA/nvidia-container-toolkit #14", "NVIDIA/nvidia-docker #885"];
    HOOK_TWICE "hook-twice" Error
        "More than one file starts the hook, so it runs more than once for each container."
        says ["nvidia-container-cli: mount error: file creation failed: file exists"];
        do "keep one of them"
        from ["NVIDIA/nvidia-docker #885"];
    ENGINE_CONFIG "engine-config-broken" Error
        "The configuration of an engine is not valid TOML."
        says ["failed to load TOML"];
        do "correct this line"
        from ["crio.conf(5)", "containers.conf(5)"];
    CONTAINERD_RUNTIME "containerd-runtime-missing" Error
        "The configuration of containerd names an NVIDIA runtime that does not exist."
        says ["exec: \"nvidia-container-runtime\": executable file not found in $PATH", "failed to create containerd task: failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error"];
        do "install the package nvidia-container-toolkit, or correct BinaryName, and restart containerd"
        from ["containerd, CRI configuration guide"];
    CONTAINERD_IMPORT "containerd-import-missing" Error
        "A file that adds the NVIDIA runtime to containerd is not imported by its configuration."
        says ["no runtime for \"nvidia\" is configured"];
        do "add imports = [\"/etc/containerd/conf.d/*.toml\"] to /etc/containerd/config.toml, and restart containerd"
        from ["NVIDIA/nvidia-container-toolkit #1067", "NVIDIA/nvidia-container-toolkit #1404"];
    CONTAINERD_DEFAULT "containerd-default-runtime-unknown" Error
        "The default runtime of containerd is not among its runtimes."
        says ["no runtime for \"nvidia\" is configured", "default runtime \"nvidia\" is not configured"];
        do "add it: nvidia-ctk runtime configure --runtime=containerd"
        from ["containerd, CRI configuration guide"];
    CONTAINERD_WITHOUT_NVIDIA "containerd-without-nvidia" Warning
        "The containerd of a Kubernetes node has no NVIDIA runtime, although the toolkit is installed, and there are no CDI specifications."
        says ["no runtime for \"nvidia\" is configured", "Incompatible platform detected"];
        do "run nvidia-ctk runtime configure --runtime=containerd and restart containerd; on k3s and RKE2 restart them after installing the toolkit"
        from ["NVIDIA/k8s-device-plugin #637", "K3s documentation, NVIDIA container runtime"];
    CONTAINERD_CRI_OFF "containerd-cri-disabled" Error
        "The plugin that serves Kubernetes is disabled in containerd's configuration, as packages of Docker write it, and this is a Kubernetes node."
        says ["unknown service runtime.v1.RuntimeService"];
        do "take cri out of disabled_plugins in /etc/containerd/config.toml, and restart containerd"
        from ["containerd, CRI configuration guide"];
    CONTAINERD_SECTION "containerd-section-ignored" Error
        "The NVIDIA runtime is configured in a section that containerd does not read: it belongs to another version of the configuration, or the same section of a later file takes its place."
        says ["no runtime for \"nvidia\" is configured"];
        do "write it anew for the version that the file says: nvidia-ctk runtime configure --runtime=containerd"
        from ["containerd, CRI configuration guide", "containerd/containerd #5837", "NVIDIA/gpu-operator #301"];
    CONTAINERD_VERSION "containerd-config-version" Error
        "A file that containerd's configuration imports is of a newer version than the main file, so containerd does not start, or reads only a part."
        says ["drop-in config version 3 higher than root config version 2"];
        do "bring the main file to the newest version: save the output of containerd config migrate as /etc/containerd/config.toml, and restart containerd"
        from ["containerd/containerd #12891", "NVIDIA/aicr #1688"];
    CONTAINERD_PLAIN "containerd-runtime-is-runc" Error
        "The NVIDIA runtime of containerd starts runc, since its program is not named where containerd reads it; pods that use it get no GPU."
        says [];
        do "write options.BinaryName, with no other spelling of it, for the runtime (nvidia-ctk runtime configure --runtime=containerd), and restart containerd"
        from ["containerd, CRI configuration guide", "NVIDIA/gpu-operator #1374", "kubernetes-sigs/kubespray #12167"];
    CONTAINERD_SHIM "containerd-shim-gone" Error
        "The NVIDIA runtime is configured for a shim that containerd 2.0 and later no longer have."
        says ["failed to start shim: exec: \"containerd-shim\": executable file not found in $PATH"];
        do "write runtime_type = \"io.containerd.runc.v2\" with options.BinaryName, and restart containerd"
        from ["containerd 2.0 release notes"];
    K3S_CONTAINERD "k3s-own-containerd" Warning
        "The NVIDIA runtime is configured for a containerd that this Kubernetes does not use: k3s and RKE2 run their own."
        says ["no runtime for \"nvidia\" is configured"];
        do "restart k3s or RKE2 after installing the toolkit, so that it finds the runtime, or write its config.toml.tmpl; /etc/containerd/config.toml does not count"
        from ["NVIDIA/k8s-device-plugin #637"];
    CDI_BROKEN "cdi-broken" Error
        "A CDI specification cannot be read, and engines pass over it or refuse devices because of it."
        says ["unresolvable CDI devices nvidia.com/gpu=all", "failed to parse CDI Spec"];
        do "write it anew: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        from ["CDI specification"];
    CDI_FOR_NEWER_ENGINE "cdi-for-newer-engine" Warning
        "A CDI specification is of a version that an engine of this host is too old for."
        says ["unresolvable CDI devices nvidia.com/gpu=all", "failed to parse CDI Spec"];
        do "upgrade the engine, or write the specification anew with nvidia-ctk cdi generate, which says the oldest version that will do"
        from ["CDI specification, released versions"];
    CDI_STALE "cdi-stale" Error
        "A CDI specification names files or nodes that do not exist, as after an upgrade of the driver."
        says ["failed to fulfil mount request: open /usr/lib/x86_64-linux-gnu/libcuda.so.535.129.03: no such file or directory", "error gathering device information while adding custom device \"/dev/nvidia0\": no such file or directory"];
        do "write it anew: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml, or enable nvidia-cdi-refresh.service"
        from ["moby/moby #52704"];
    CDI_MISSING "cdi-missing" Error
        "The engine is set to use CDI, and its directories have no specification of nvidia.com/gpu."
        says ["unresolvable CDI devices nvidia.com/gpu=all"];
        do "write one: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        from ["CDI specification", "moby/moby #50228"];
    CDI_DIR_NOT_READ "cdi-dir-not-read" Warning
        "The CDI specifications are in a directory that dockerd is told not to read."
        says ["unresolvable CDI devices nvidia.com/gpu=all"];
        do "add the directory to cdi-spec-dirs of /etc/docker/daemon.json, or remove that key, and restart dockerd"
        from ["dockerd reference, cdi-spec-dirs"];
    CDI_CONFLICT "cdi-conflict" Error
        "Two CDI specifications in one directory define the same device, so that engines resolve neither."
        says ["conflicting device \"nvidia.com/gpu=0\"", "unresolvable CDI devices nvidia.com/gpu=0"];
        do "keep one of them"
        from ["CDI specification"];
}
