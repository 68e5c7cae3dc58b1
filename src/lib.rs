//! The NVIDIA container runtime prestart hook.
