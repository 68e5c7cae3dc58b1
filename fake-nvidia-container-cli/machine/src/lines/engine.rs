//! Lines of engines, Kubernetes and CDI. Must not know how they are found.

super::lines! {
    "no-device-driver" Admin ["could not select device driver"]
        "docker: Error response from daemon: could not select device driver \"\" with capabilities: [[gpu]]."
        means "dockerd found no nvidia-container-runtime-hook in its PATH when it started, or it is the Docker of a snap or of Docker Desktop, which cannot see it."
        do "install the package nvidia-container-toolkit, and restart dockerd; use docker-ce rather than a snap, and docker context use default rather than Docker Desktop";
    "unknown-runtime" Admin ["unknown or invalid runtime name: nvidia", "unknown runtime specified nvidia", "specified default runtime 'nvidia' does not exist"]
        "docker: Error response from daemon: unknown or invalid runtime name: nvidia."
        means "dockerd has no runtime of the name nvidia."
        do "nvidia-ctk runtime configure --runtime=docker, and restart dockerd";
    "runtime-not-found" Admin ["\"nvidia-container-runtime\": executable file not found", "nvidia-container-runtime: no such file or directory", "fork/exec *nvidia-container-runtime"]
        "fork/exec /usr/bin/nvidia-container-runtime: no such file or directory"
        means "The engine is configured for nvidia-container-runtime, and no program is there, or the path leads to something else."
        do "install the package nvidia-container-toolkit-base, or correct the path in the engine's configuration, and restart the engine";
    "no-runtime-class" Admin ["no runtime for \"nvidia\" is configured", "no runtime for 'nvidia'", "runtime handler \"nvidia\" not supported", "runtimeclass \"nvidia\" not found", "runtimeclass.node.k8s.io \"nvidia\" not found", "runtimehandler \"nvidia\" not supported"]
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for \"nvidia\" is configured"
        means "The containerd (or CRI-O) of the node has no runtime nvidia, or reads another configuration than the one that was changed; k3s and RKE2 have their own."
        do "nvidia-ctk runtime configure --runtime=containerd and restart containerd; restart k3s or RKE2 after installing the toolkit; create the RuntimeClass";
    "daemon-config" Admin ["unable to configure the docker daemon with file", "the following directives don't match any configuration option"]
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '}' looking for beginning of object key string"
        means "/etc/docker/daemon.json is not valid JSON, has a key that dockerd does not know, or contradicts dockerd's command line, so dockerd does not start."
        do "correct it: dockerd --validate --config-file=/etc/docker/daemon.json";
    "cdi-unresolvable" Admin ["unresolvable cdi devices", "unresolvable cdi device", "cdi device injection failed", "failed to inject cdi devices"]
        "Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all"
        means "No CDI specification that the engine reads defines the device: none is there, the one that is there is faulty, or it is in another directory."
        do "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml, and nvidia-ctk cdi list";
    "cdi-runtime-kind" Admin ["unresolvable cdi devices runtime.nvidia.com/"]
        "failed to create task: could not apply required modification to OCI specification: error modifying OCI spec: failed to inject CDI devices: unresolvable CDI devices runtime.nvidia.com/gpu=all"
        means "NVIDIA's runtime makes this specification itself at each start, and could not: the driver, NVML or libcuda is not usable. The error itself is only in its log."
        do "make nvidia-smi work on the host; run nvidia-ctk cdi generate, which shows the error; until then set nvidia-container-runtime.mode = \"legacy\"";
    "cdi-management-kind" Admin ["unresolvable cdi devices management.nvidia.com/"]
        "failed to inject CDI devices: unresolvable CDI devices management.nvidia.com/gpu=GPU-e78e68c0-0000-0000-0000-000000000000"
        means "The container asks for one GPU of the kind that the GPU operator keeps for its own pods, which has only all."
        do "do not set runtimeClassName: nvidia for pods that get their GPUs from the device plugin; set nvidia-container-runtime.modes.cdi.default-kind = \"nvidia.com/gpu\"";
    "cdi-two-kinds" User ["is not supported when requesting other cdi devices"]
        "requesting a CDI device with vendor 'runtime.nvidia.com' is not supported when requesting other CDI devices"
        means "One request names devices of the runtime's own kind and of another."
        do "ask for devices of one kind";
    "cdi-node-missing" Admin ["failed to stat cdi host device"]
        "Error: setting up CDI devices: failed to inject devices: failed to stat CDI host device \"/dev/dri/renderD129\": no such file or directory"
        means "The CDI specification lists a device node that does not exist since this boot."
        do "make the nodes (nvidia-smi as root, nvidia-modprobe -u -c=0), or write the specification anew: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";
    "cdi-driver" Admin ["could not select device driver \"cdi\""]
        "docker: Error response from daemon: could not select device driver \"cdi\" with capabilities: []"
        means "The engine has no CDI support, or it is not switched on."
        do "use Docker 28.3 or later, or \"features\": {\"cdi\": true} in /etc/docker/daemon.json; enable_cdi = true in containerd 1.7";
    "cdi-stale-file" Admin ["crun: cannot stat `*nvidia", "crun: cannot stat `*libcuda", "failed to fulfil mount request: open *nvidia", "failed to fulfil mount request: open *libcuda", "gathering device information while adding custom device \"/dev/nvidia"]
        "failed to fulfil mount request: open /usr/lib/x86_64-linux-gnu/libcuda.so.535.129.03: no such file or directory"
        means "The CDI specification was written for a driver that has been upgraded or removed since."
        do "write it anew: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";
    "cdi-conflict" Admin ["conflicting device \"nvidia.com", "conflicting device nvidia.com"]
        "conflicting device \"nvidia.com/gpu=0\" (specs \"/etc/cdi/nvidia.yaml\", \"/etc/cdi/nvidia.json\")"
        means "Two CDI specifications in one directory define the same device."
        do "keep one of them";
    "cdi-hook-failed" Admin ["nvidia-cdi-hook` (exit code", "nvidia-ctk` (exit code", "nvidia-cdi-hook: no such file", "nvidia-ctk: no such file or directory"]
        "Error: OCI runtime error: crun: error executing hook `/usr/bin/nvidia-cdi-hook` (exit code: 1)"
        means "A program that the CDI specification starts failed, or is not there: with --userns nomap it may not write to the container, or the specification is of another installation. 1.17.0 fails where the image has one of the links that it makes."
        do "write the specification anew (nvidia-ctk cdi generate); upgrade the toolkit from 1.17.0; start with --userns=keep-id";
    "cdi-link-exists" Admin ["failed to check if link exists", "unexpected link target"]
        "failed to create link [libGLX_nvidia.so.535.183.01 /usr/lib/x86_64-linux-gnu/libGLX_indirect.so.0]: failed to check if link exists: unexpected link target: libGLX_mesa.so.0"
        means "The image has a link that nvidia-cdi-hook is to make, with another target, and version 1.17.0 does not replace it."
        do "upgrade the toolkit to 1.17.1 or later";
    "cdi-pivot-root" Admin ["error updating ldcache: error running pivot_root"]
        "Error updating ldcache: error running pivot_root: pivot_root .: invalid argument"
        means "nvidia-cdi-hook of 1.18.0 cannot change the root for ldconfig, because the host's root is an initramfs, as on Unraid."
        do "upgrade the toolkit, or stay at 1.17.9";
    "cdi-proc-refused" Admin ["error mounting /proc: operation not permitted"]
        "Error updating ldcache: error mounting /proc: operation not permitted"
        means "nvidia-cdi-hook may not mount a /proc of its own for ldconfig: the engine is rootless, or runs in a container."
        do "upgrade the toolkit; or write the specification without this hook: nvidia-ctk cdi generate --disable-hook=update-ldcache";
    "cdi-generate-libcuda" Admin ["failed to locate libcuda.so"]
        "failed to generate CDI spec: failed to create edits common for entities: failed to locate libcuda.so.535.183.06: pattern libcuda.so.535.183.06 not found"
        means "nvidia-ctk does not find the driver's libcuda: it is in an unusual directory, not in the linker's cache, or not installed."
        do "install the CUDA part of the driver, run ldconfig, or name the directory: nvidia-ctk cdi generate --library-search-path=DIR";
    "cdi-minor-number" Admin ["error getting gpu device minor number"]
        "failed to generate CDI spec: failed to create device CDI specs: failed to get device edits: error getting GPU device minor number: Not Supported"
        means "NVML does not tell the node of a GPU: the machine is a Jetson, whose devices are described by CSV files."
        do "nvidia-ctk cdi generate --mode=csv on a Jetson";
    "crun-hook-failed" Admin ["error executing hook `*nvidia-container*` (exit code: 1)", "error executing hook"]
        "Error: OCI runtime error: crun: error executing hook `/usr/bin/nvidia-container-runtime-hook` (exit code: 1)"
        means "The hook failed, and crun does not show what it said."
        do "have it shown: podman run --annotation run.oci.hooks.stderr=/dev/stderr; or ask: nvidia-hookctl explain --bundle DIR; with this project's hook set NVIDIA_CONTAINER_HOOK_LOG";
    "hook-failed" User ["error running hook", "error running prestart hook", "error running createruntime hook", "running hook #"]
        "OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr:"
        means "A hook failed, and what it said is not in this text; it stands after stderr:, or in the log of the engine."
        do "give the whole message; or ask what the start comes to: nvidia-hookctl explain --bundle DIR";
    "runtime-failed" Admin ["nvidia-container-runtime did not terminate successfully"]
        "docker: Error response from daemon: OCI runtime create failed: /usr/bin/nvidia-container-runtime did not terminate successfully: exit status 2: unknown."
        means "NVIDIA's runtime ended before it started the container: 125 where the path in the engine's configuration leads to another program, 2 where it crashed; its log has more."
        do "set nvidia-container-runtime.debug and look at that log; correct the path in /etc/docker/daemon.json";
    "no-low-level-runtime" Admin ["no runtime binary found from candidate list"]
        "failed to create NVIDIA Container Runtime: error constructing low-level runtime: error locating runtime: no runtime binary found from candidate list: [docker-runc runc crun]"
        means "NVIDIA's runtime finds no runc or crun in the PATH that the engine gives it (crun since 1.15)."
        do "install runc, or name it with its path in nvidia-container-runtime.runtimes";
    "runtime-mode" Admin ["invalid runtime mode"]
        "failed to create NVIDIA Container Runtime: failed to construct OCI spec modifier: invalid runtime mode: foo"
        means "nvidia-container-runtime.mode has a value that this release does not know."
        do "set it to auto, legacy, csv or cdi; nvidia-hookctl check names the line";
    "csv-files" Admin ["failed to get list of csv files"]
        "failed to get list of CSV files: open /etc/nvidia-container-runtime/host-files-for-container.d: no such file or directory"
        means "The mode is csv, and the CSV files of JetPack are not there."
        do "install nvidia-container of JetPack; on a machine that is not a Jetson set nvidia-container-runtime.mode = \"auto\"";
    "hooks-json" Admin ["parsing hook \"", "failed to read hooks", "unrecognized hook version", "missing required property: stages"]
        "Error: parsing hook \"/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json\": unrecognized hook version: \"2.0.0\""
        means "A file in hooks.d is not valid, so Podman or CRI-O starts no container."
        do "nvidia-hookctl oci-hook --validate FILE, and correct or remove it";
    "engine-config" Admin ["failed to load toml", "parsing config: toml", "toml: line"]
        "containerd: failed to load TOML: /etc/containerd/config.toml: (12, 3): was expecting token =, but got EOF instead"
        means "The configuration of containerd, CRI-O or Podman is not valid TOML, so the engine does not start, or passes over the file."
        do "correct the line; nvidia-hookctl doctor names it";
    "failed-to-initialize-nvml" Admin ["failed to initialize nvml: driver not loaded", "failed to initialize nvml: insufficient permissions"]
        "Failed to initialize NVML: Insufficient Permissions"
        means "nvidia-smi in the container may not open the device nodes: the engine did not allow them (no-cgroups), the user lacks the group, or SELinux forbids it."
        do "allow the devices (--device /dev/nvidia0 ...), use CDI, or with SELinux --security-opt label=disable";
    "insufficient-gpu" User ["insufficient nvidia.com/gpu"]
        "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
        means "No node offers as many GPUs as the pod asks for: all are taken, or the device plugin reports none."
        do "ask for fewer, or look at the log of the device plugin and at nvidia-hookctl doctor on the node";
    "device-plugin-no-nvml" Admin ["incompatible platform detected", "failed to initialize nvml: error_library_not_found", "error_library_not_found", "no valid resources detected", "did you configure the nvidia container toolkit", "could not load nvml library", "incompatible strategy detected"]
        "Incompatible platform detected; If this is a GPU node, did you configure the NVIDIA Container Toolkit?"
        means "The device plugin itself runs without the driver's libraries: the runtime nvidia is not the default runtime of the node, and its pod does not name it."
        do "set the runtime class nvidia for the plugin's pod, or make nvidia the default runtime, and restart it";
    "apptainer-nvccli" Admin ["while setting up nvidia-container-cli", "nvidia-container-cli failed with"]
        "FATAL: container creation failed: while setting up nvidia-container-cli: exit status 1"
        means "Apptainer (or Singularity) could not run nvidia-container-cli for --nvccli; the line after it says why."
        do "look at the line of nvidia-container-cli itself; --nv works without it";
    "gpus-flag-unknown" Admin ["unknown flag: --gpus", "unknown option: --gpus"]
        "docker: unknown flag: --gpus"
        means "Docker (or its client) is older than 19.03, or it is another program of that name."
        do "upgrade Docker; or start containers with --runtime=nvidia and NVIDIA_VISIBLE_DEVICES=all";
    "gpus-flag-quoting" User ["cannot set both count and deviceids on device request"]
        "docker: Error response from daemon: cannot set both Count and DeviceIDs on device request."
        means "Docker reads --gpus device=0,1 as two options, since the shell removed the quotes; or a Compose file has count and device_ids."
        do "quote twice: --gpus '\"device=0,1\"'; in Compose keep count or device_ids";
    "podman-cdi-path" User ["stat nvidia.com/gpu"]
        "Error: stat nvidia.com/gpu=all: no such file or directory"
        means "This Podman is too old for CDI names (before 4.1), or no specification defines the device."
        do "upgrade Podman; write a specification: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";
    "device-plugin-unhealthy" Admin ["no healthy devices present", "cannot allocate unhealthy devices"]
        "UnexpectedAdmissionError: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu"
        means "The device plugin calls every GPU sick, or has not started yet after a restart of the node."
        do "read the log of the device plugin, and dmesg for Xid lines; delete the pod once the plugin is up";
    "cri-disabled" Admin ["unknown service runtime.v1"]
        "rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService"
        means "containerd does not serve Kubernetes: its plugin cri is disabled, as packages of Docker write it, or failed to load."
        do "take cri out of disabled_plugins in /etc/containerd/config.toml, and restart containerd";
    "containerd-shim-gone" Admin ["failed to start shim: *\"containerd-shim", "runtime \"io.containerd.runtime.v1.linux\"", "\"io.containerd.runtime.v1.linux\" binary not installed"]
        "failed to start shim: exec: \"containerd-shim\": executable file not found in $PATH"
        means "The runtime is configured for a shim that containerd 2.0 no longer has."
        do "write runtime_type = \"io.containerd.runc.v2\" with options.BinaryName, and restart containerd";
    "containerd-config-version" Admin ["drop-in config version * higher than root config version"]
        "containerd: drop-in config version 3 higher than root config version 2"
        means "A file that containerd imports, such as 99-nvidia.toml, says a newer version than the main file, and containerd does not start."
        do "bring /etc/containerd/config.toml to the newest version with containerd config migrate, and restart containerd; with the GPU operator, set RUNTIME_CONFIG_SOURCE=file for its toolkit, and delete the file";
    "crio-runtime" Admin ["runtime_path for runtime", "no runtime entry was found", "but no runtime entry"]
        "default_runtime set to \"nvidia\", but no runtime entry was found"
        means "The configuration of CRI-O names a runtime that is not configured, or whose program is not there."
        do "nvidia-ctk runtime configure --runtime=crio, or let the operator install the toolkit; then restart CRI-O";
    "nvidia-docker-1" Admin ["volumedriver.create", "nvidia_driver_", "could not load uvm kernel module", "nvidia-docker: command not found"]
        "nvidia-docker: command not found"
        means "The wrapper nvidia-docker is out of use; docker itself knows GPUs since 19.03."
        do "docker run --gpus all, with the package nvidia-container-toolkit installed; remove nvidia-docker";
}
