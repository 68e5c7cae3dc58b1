//! Lines of the hook, in any implementation. Must not know how they are found.

super::lines! {
    "hook-called-directly" User ["invoking the nvidia container runtime hook directly"]
        "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported. Please use the NVIDIA Container Runtime (e.g. specify the --runtime=nvidia flag) instead."
        means "The mode is not legacy: nvidia-container-runtime.mode says so, only CDI devices are asked for, or the machine is a Tegra."
        do "start the container with --runtime nvidia or with CDI; to have --gpus served, set the mode to auto, or nvidia-container-runtime-hook.skip-mode-detection = true";
    "config-unreadable" Admin ["error getting hook config", "failed to load config", "error loading config"]
        "error getting hook config: failed to load config: couldn't open required configuration file: /etc/nvidia-container-runtime/config.toml: permission denied"
        means "The configuration of the toolkit cannot be read, or has an error, so no container with the hook starts."
        do "see: nvidia-hookctl check";
    "ldconfig-not-host" Admin ["is not host-relative (does not start with a '@')", "not host-relative"]
        "ldconfig value \"/usr/sbin/ldconfig\" is not host-relative (does not start with a '@')"
        means "Since 1.17.3 ldconfig must be a program of the host: the value must begin with '@'."
        do "write nvidia-container-cli.ldconfig = \"@/sbin/ldconfig\"";
    "cli-not-found" Admin ["couldn't find binary nvidia-container-cli", "\"nvidia-container-cli\": executable file not found", "nvidia-container-cli: no such file or directory"]
        "couldn't find binary nvidia-container-cli in PATH: exec: \"nvidia-container-cli\": executable file not found in $PATH"
        means "nvidia-container-cli is not installed, or not where the hook looks."
        do "install the package libnvidia-container-tools, or set nvidia-container-cli.path";
    "state-invalid" Admin ["could not decode container state"]
        "could not decode container state: EOF"
        means "The hook got no valid container state on its standard input: it was started by hand, or by a wrapper that reads its input."
        do "let a runtime start it; a wrapper must hand standard input on";
    "spec-not-found" Admin ["could not open oci spec", "open /config.json: no such file or directory"]
        "could not open OCI spec: open /config.json: no such file or directory"
        means "The container state names no bundle, or one that the hook cannot see (as in a virtual machine of Kata)."
        do "give the hook a state with the bundle's path as it sees it";
    "spec-invalid" Admin ["could not decode oci spec"]
        "could not decode OCI spec: json: cannot unmarshal array into Go struct field Process.process.capabilities"
        means "config.json of the bundle is not what the OCI specification says, or has the form of an old release candidate that the hook does not know."
        do "upgrade the runtime and the hook together; this project's hook reads both forms";
    "spec-member-empty" Admin ["is empty in oci spec"]
        "Process is empty in OCI spec"
        means "config.json of the bundle lacks a member that the OCI specification requires."
        do "look at the bundle: nvidia-hookctl explain --bundle DIR";
    "capabilities-unsupported" User ["unsupported capabilities found", "unsupported driver capabilities"]
        "unsupported capabilities found in 'compute,graphics' (allowed 'compute,utility')"
        means "The container asks for driver capabilities (NVIDIA_DRIVER_CAPABILITIES) that the host's configuration does not allow."
        do "ask for less, or let the administrator extend supported-driver-capabilities";
    "config-capability" Admin ["invalid value for config option"]
        "Invalid value for config option 'supported-driver-capabilities'; cuda (supported: compat32,compute,display,graphics,ngx,utility,video)"
        means "The configuration names a driver capability that does not exist."
        do "correct supported-driver-capabilities; see: nvidia-hookctl check";
    "mig-unprivileged" User ["devices in non privileged container", "mig_monitor_devices in non privileged", "mig_config_devices in non privileged"]
        "cannot set MIG_MONITOR_DEVICES in non privileged container"
        means "NVIDIA_MIG_CONFIG_DEVICES and NVIDIA_MIG_MONITOR_DEVICES need CAP_SYS_ADMIN."
        do "give the container CAP_SYS_ADMIN (privileged), or unset the variable";
    "envvar-refused" User ["insufficient privileges to read device list", "ignoring devices requested by environment variable"]
        "insufficient privileges to read device list from NVIDIA_VISIBLE_DEVICES envvar"
        means "The host's configuration does not listen to variables of unprivileged containers (accept-nvidia-visible-devices-envvar-when-unprivileged = false)."
        do "request GPUs as the host accepts them: through its device plugin, or by mounts; or run the container privileged";
    "requirements-failed" Image ["failed to get requirements", "invalid cuda version"]
        "failed to get requirements failed to get version: invalid CUDA version x: invalid version string"
        means "CUDA_VERSION of an image without NVIDIA_REQUIRE_CUDA is not a version."
        do "correct CUDA_VERSION in the image, or start the container with NVIDIA_DISABLE_REQUIRE=true";
    "invalid-variable" Image ["invalid environment variable:"]
        "invalid environment variable: FOO"
        means "An entry of the container's environment has no '='."
        do "correct the image or the command line that adds it";
    "device-mount" User ["invalid device mount", "unsupported mount"]
        "invalid device mount: mounts[3] at /var/run/nvidia-container-devices/0,1"
        means "A mount asks for a device by a name that no device has."
        do "mount /dev/null at /var/run/nvidia-container-devices/DEVICE, one mount for each device";
    "no-help-topic" Admin ["no help topic for 'prestart'"]
        "No help topic for 'prestart'"
        means "The file in hooks.d starts another program than the hook, mostly nvidia-ctk."
        do "let it start nvidia-container-runtime-hook: nvidia-hookctl oci-hook writes the file";
    "exec-failed" Admin ["exec failed:", "fork/exec /*: exec format error", "exec format error"]
        "exec failed: exec format error: /usr/bin/nvidia-container-cli"
        means "The kernel refuses to execute a program: it is for another architecture, or not a program."
        do "install the packages of this host's architecture";
    "image-architecture" User ["exec /*: exec format error", "standard_init_linux.go*exec format error", "exec user process caused*exec format error"]
        "exec /usr/local/bin/python: exec format error"
        means "The container's own program is for another architecture than this machine, or is a script without a first line #!."
        do "use an image for this architecture (docker run --platform, docker image inspect); the hook and the driver are not at fault";
    "hook-crashed" Admin ["error running*signal: segmentation fault", "sigsegv: segmentation violation", "unexpected signal during runtime execution"]
        "error running hook: signal: segmentation fault (core dumped), stdout: , stderr:"
        means "The hook or nvidia-container-cli crashed, mostly in a library: NVML as it was loaded, or a faulty build of libnvidia-container."
        do "upgrade the toolkit, libnvidia-container (all in one version) and the driver; run nvidia-container-cli -k -d /dev/stderr info to see which crashes";
    "glibc-too-old" Admin ["nvidia-container*version `glibc_*not found"]
        "/usr/bin/nvidia-container-runtime-hook: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by /usr/bin/nvidia-container-runtime-hook)"
        means "The program was built for a newer glibc than this system has."
        do "install the packages that are made for this distribution and its release";
    "hook-not-in-path" Admin ["\"nvidia-container-runtime-hook\": executable file not found", "nvidia-container-runtime-hook: no such file or directory", "fork/exec *nvidia-container-runtime-hook"]
        "exec: \"nvidia-container-runtime-hook\": executable file not found in $PATH"
        means "The hook is not installed where the runtime or the engine looks for it, or may not be executed."
        do "install the package nvidia-container-toolkit; correct nvidia-container-runtime-hook.path, and restart the engine";
    "hook-timeout" Admin ["hook ran past specified timeout"]
        "error running prestart hook #0: hook ran past specified timeout of 5s"
        means "The file in hooks.d, or the engine, gives the hook less time than the driver needs to answer."
        do "write a timeout of 30 or more, or none; run nvidia-persistenced";
}
