//! States of the NVIDIA container toolkit: its configuration and nvidia-container-cli. Must not know how they are
//! found.

super::states! { TOOLS:
    CONFIG_ERROR "config-error" Error
        "The configuration has an error, so no container with the hook starts."
        says ["error getting hook config: failed to load config"];
        do "see: nvidia-hookctl check"
        from ["NVIDIA/nvidia-container-toolkit #572", "NVIDIA/nvidia-container-toolkit #830"];
    CONFIG_WARNING "config-warning" Warning
        "The configuration holds something that is probably not what was meant."
        says [];
        do "see: nvidia-hookctl check"
        from ["NVIDIA/nvidia-container-toolkit #1208", "NVIDIA/nvidia-container-toolkit #1626"];
    CLI_MISSING "cli-missing" Error
        "There is no nvidia-container-cli in the directories that the hook searches."
        says ["couldn't find binary nvidia-container-cli in PATH", "exec: \"nvidia-container-cli\": executable file not found in $PATH"];
        do "install the package libnvidia-container-tools, or set nvidia-container-cli.path"
        from ["specification, section 11"];
    CLI_NOT_EXECUTABLE "cli-not-executable" Error
        "nvidia-container-cli.path names something that is not an executable file."
        says ["exec failed: permission denied"];
        do "correct the key, or remove it to have the program searched"
        from ["specification, section 11"];
    WRONG_ARCHITECTURE "program-of-another-architecture" Error
        "The hook or nvidia-container-cli is a program for another architecture, or not a program at all."
        says ["exec failed: exec format error: /usr/bin/nvidia-container-cli", "fork/exec /usr/bin/nvidia-container-runtime-hook: exec format error"];
        do "install the packages of this host's architecture"
        from ["execve(2)"];
    PACKAGES_SKEW "packages-of-two-releases" Warning
        "The packages of the NVIDIA container toolkit are of different releases, and they are made to work in one."
        says ["nvidia-container-cli: unrecognized option '--cuda-compat-mode=ldconfig'", "symbol lookup error: nvidia-container-cli: undefined symbol"];
        do "install nvidia-container-toolkit, nvidia-container-toolkit-base, libnvidia-container-tools and libnvidia-container1 in one version"
        from ["NVIDIA/nvidia-container-runtime #26", "specification, section 11"];
    CLI_LIBRARY_MISSING "cli-library-missing" Warning
        "libnvidia-container.so.1, which a dynamically linked nvidia-container-cli needs, is not in the linker's cache or default directories."
        says ["/usr/bin/nvidia-container-cli: error while loading shared libraries: libnvidia-container.so.1: cannot open shared object file: No such file or directory"];
        do "install libnvidia-container1 of the program's version, and run ldconfig"
        from ["kata-containers/kata-containers #5594"];
    CLI_VERSION_UNKNOWN "cli-version-unknown" Note
        "The file name of libnvidia-container.so.1 does not tell its version."
        says [];
        do "is it from a package? The version can be told by: nvidia-container-cli --version"
        from ["specification, section 11"];
    CLI_OLDER_THAN_HOOK "cli-older-than-hook" Error
        "nvidia-container-cli is older than the options that the hook passes to it."
        says ["nvidia-container-cli: unrecognized option '--cuda-compat-mode=ldconfig'", "nvidia-container-cli configure: unrecognized option '--no-cntlibs'"];
        do "install both from one release, or set nvidia-container-runtime-hook.cli-version"
        from ["NVIDIA/nvidia-container-runtime #26", "awslabs/amazon-eks-ami #2062"];
    HOOK_MISSING "hook-missing" Warning
        "The hook is not installed in a place where engines look for it, so only CDI gives GPUs to containers here."
        says ["could not select device driver \"\" with capabilities: [[gpu]]"];
        do "install the package nvidia-container-toolkit, or use CDI (--device nvidia.com/gpu=all)"
        from ["NVIDIA/nvidia-docker #1682", "NVIDIA/nvidia-container-toolkit #854"];
    OPERATOR_CONFIG "operator-config-ignored" Warning
        "The GPU operator's toolkit and a hook of the host have different configurations; the operator's programs read only their own."
        says [];
        do "change /usr/local/nvidia/toolkit/.config/nvidia-container-runtime/config.toml by the operator's settings, or remove the toolkit of the host"
        from ["canonical/microk8s-core-addons #251"];
}
