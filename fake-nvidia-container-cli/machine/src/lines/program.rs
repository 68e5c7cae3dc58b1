//! Lines of programs in a container that did start: CUDA, NVML, video, Vulkan, OpenCL, and what frameworks make of
//! them. Must not know how they are found.

super::lines! {
    "nvidia-smi-not-found" User ["\"nvidia-smi\": executable file not found", "nvidia-smi: command not found", "nvidia-smi: not found"]
        "exec: \"nvidia-smi\": executable file not found in $PATH: unknown"
        means "The container got no driver files: it did not ask for GPUs, lacks the capability utility, or the hook did not run."
        do "start it with --gpus all, or NVIDIA_VISIBLE_DEVICES=all and NVIDIA_DRIVER_CAPABILITIES=compute,utility; see: nvidia-hookctl explain";
    "nvml-library-in-container" User ["nvml shared library not found", "nvmlerror_librarynotfound"]
        "pynvml.NVMLError_LibraryNotFound: NVML Shared Library Not Found"
        means "The program does not find libnvidia-ml.so.1: its container asked for no GPUs or lacks the capability utility, or the driver is not installed where it runs."
        do "start it with --gpus all, or NVIDIA_VISIBLE_DEVICES=all and NVIDIA_DRIVER_CAPABILITIES=compute,utility; see: nvidia-hookctl explain";
    "libcuda-in-container" User ["importerror: libcuda.so.1", "oserror: libcuda.so", "could not load dynamic library 'libcuda.so", "failed to load libcuda.so", "cannot load libcuda.so", "failed call to cuinit: unknown error (303)"]
        "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"
        means "The container got no driver files: it did not ask for GPUs, lacks the capability compute, or the hook did not run."
        do "start it with --gpus all, or NVIDIA_VISIBLE_DEVICES=all and NVIDIA_DRIVER_CAPABILITIES=compute,utility; see: nvidia-hookctl explain";
    "no-gpu-in-container" User ["found no nvidia driver on your system", "no cuda gpus are available", "no compatible gpus were discovered", "could not find cuda drivers on your machine"]
        "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx"
        means "The program sees no GPU: its container did not ask for one, the hook did not run, CUDA_VISIBLE_DEVICES hides them, or the driver does not work on the host."
        do "run nvidia-smi on the host and in the container; start it with --gpus all, or with the runtime nvidia and NVIDIA_VISIBLE_DEVICES=all; see: nvidia-hookctl explain";
    "cuda-unknown-in-container" Admin ["cuda_error_unknown", "cudaerrorunknown", "cuda unknown error - this may be due", "failed to initialize cuda: unknown error", "cuinit: unknown error (999)", "cuda runtime error (999)", "cuda runtime error (30)", "cuda failure 999"]
        "cu->cuInit(0) failed -> CUDA_ERROR_UNKNOWN: unknown error"
        means "CUDA does not start in the container, though nvidia-smi may work there: /dev/nvidia-uvm is missing or closed, or the module nvidia_uvm has not worked since the host was suspended."
        do "run nvidia-modprobe -u -c=0 on the host and start the container again; after a suspend first reload the module: rmmod nvidia_uvm, modprobe nvidia_uvm";
    "cuda-driver-too-old" User ["cuda driver version is insufficient for cuda runtime version", "the nvidia driver on your system is too old", "cudaerrorinsufficientdriver"]
        "CUDA driver version is insufficient for CUDA runtime version"
        means "The program in the container was built for a newer CUDA than the host's driver serves."
        do "upgrade the driver, or use an image of an older CUDA";
    "cuda-code-missing" Image ["no kernel image is available for execution on the device", "is not compatible with the current pytorch installation", "cudaerrornokernelimagefordevice", "cuda_error_no_binary_for_gpu"]
        "CUDA error: no kernel image is available for execution on the device"
        means "The program contains no code for this GPU: the image is older than the GPU's architecture, or no longer supports it."
        do "use an image that is built for the GPU's compute capability: nvidia-smi --query-gpu=compute_cap --format=csv";
    "video-capability" User ["cannot load libnvcuvid.so", "failed to load libnvcuvid.so", "unable to load libnvcuvid.so", "dlopen \"libnvcuvid.so\" failed", "libnvcuvid.so.1: cannot open shared object file", "cannot load libnvidia-encode.so", "libnvidia-encode.so.1: cannot open shared object file"]
        "[hevc_nvenc @ 0x55ca461fa380] Cannot load libnvidia-encode.so.1"
        means "The container lacks the driver's libraries for video: NVIDIA_DRIVER_CAPABILITIES does not name the capability video, which is not among the defaults."
        do "set NVIDIA_DRIVER_CAPABILITIES=compute,video,utility for the container";
    "graphics-capability" User ["failed with error_incompatible_driver", "vk_error_incompatible_driver", "vkcreateinstance: found no drivers", "could not get 'vkcreateinstance' via 'vk_icdgetinstanceprocaddr' for icd libglx_nvidia", "optix_error_library_not_found", "optix error: 'library not found'", "libnvoptix.so.1: cannot open shared object file"]
        "ERROR at ./vulkaninfo/vulkaninfo.h:649:vkCreateInstance failed with ERROR_INCOMPATIBLE_DRIVER"
        means "The container lacks the driver's libraries for Vulkan and OptiX, because NVIDIA_DRIVER_CAPABILITIES does not name graphics; or Vulkan does not find nvidia_icd.json, or libraries that the driver's need (libX11, libXext)."
        do "set NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility; for Vulkan look for nvidia_icd.json below /etc/vulkan/icd.d and /usr/share/vulkan/icd.d, and install libx11-6 and libxext6 in the image";
    "opencl-platform" Image ["platform_not_found_khr", "clgetplatformids(-1001)", "clgetplatformids failed: -1001"]
        "pyopencl._cl.LogicError: clGetPlatformIDs failed: PLATFORM_NOT_FOUND_KHR"
        means "OpenCL finds no platform: the image lacks the file that names NVIDIA's library, which nvidia-container-cli does not mount, or the container got no GPUs."
        do "write libnvidia-opencl.so.1 into /etc/OpenCL/vendors/nvidia.icd in the image; start it with --gpus all";
    "jetson-library" Admin ["error while loading shared libraries: libnvrm", "error while loading shared libraries: libnvos", "libnvrm_gpu.so: cannot open"]
        "error while loading shared libraries: libnvrm_gpu.so: cannot open shared object file: No such file or directory"
        means "A program for a Jetson runs without the libraries of the board, which mode csv mounts."
        do "start it with --runtime nvidia; install nvidia-container of JetPack, whose CSV files say what is mounted";
}
