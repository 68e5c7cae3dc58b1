//! The part of the plan that belongs to devices: nodes, folders under /proc, rights to parts, channels.

use super::mounts::{CLASS, Mounts, PROC_DRIVER, PROFILES};
use crate::driver::{CAPS_MAJOR, IMEX_MAJOR, NVIDIA_MAJOR, caps, proc};
use crate::outcome::Stop;
use crate::plan::{Action, DEVICE_FOLDER, Kind, PROC};
use nvidia_simulated_machine::topology::{Gpu, NvCaps};

impl Mounts<'_> {
    /// Step 14: a GPU's node, its folder under /proc, its bit for graphics, its rule in the cgroup.
    pub(super) fn gpu(&mut self, at: usize) -> Result<(), Stop> {
        let Some(gpu) = self.machine.gpus.get(at) else { return Ok(()) };
        let node = format!("/dev/nvidia{}", gpu.minor);
        self.device_node(&node, NVIDIA_MAJOR, gpu.minor)?;
        let folder = format!("{PROC_DRIVER}/gpus/{}", proc::bus(gpu));
        self.bind(&self.host(&folder), &folder, PROC, Kind::GpuFolder(at))?;
        if self.container.flags.graphics {
            self.profile(gpu)?;
        }
        self.allow(NVIDIA_MAJOR, gpu.minor);
        Ok(())
    }

    fn profile(&mut self, gpu: &Gpu) -> Result<(), Stop> {
        // The real program shifts by the minor number, of which the processor uses six bits.
        self.egl_mask |= 1_u64.wrapping_shl(gpu.minor);
        let content = format!(
            "{{ \"profiles\": [{{\"name\": \"_container_\", \"settings\": [\"EGLVisibleDGPUDevices\", {:#x}]}}], \
             \"rules\": [{{\"pattern\": [], \"profile\": \"_container_\"}}]}}",
            self.egl_mask
        );
        let at = self.place(&format!("{PROFILES}/10-container.conf"))?;
        self.plan.action(Action::File { at, content, mode: 0o555 });
        Ok(())
    }

    /// Step 15: the rights to each part.
    pub(super) fn parts(&mut self, parts: &[(usize, usize)]) -> Result<(), Stop> {
        for (gpu, mig) in parts {
            let Some(gpu) = self.machine.gpus.get(*gpu) else { continue };
            let Some(mig) = gpu.mig.get(*mig) else { continue };
            for access in caps::accesses(gpu, mig) {
                self.proc_caps(&access.proc, Kind::Access(access.minor))?;
                if self.machine.dev_caps() {
                    self.device(&access.dev(), CAPS_MAJOR, access.minor)?;
                }
            }
        }
        Ok(())
    }

    /// Steps 16 and 17: a global right opens the whole folder.
    pub(super) fn right(&mut self, gpus: &[usize], minor: u32) -> Result<(), Stop> {
        if gpus.is_empty() {
            return Ok(());
        }
        self.proc_caps(caps::PROC, Kind::Folder)?;
        if !self.machine.dev_caps() {
            return Ok(());
        }
        self.bind(&self.host(caps::DEV), caps::DEV, DEVICE_FOLDER, Kind::Folder)?;
        self.allow(CAPS_MAJOR, minor);
        for gpu in gpus.iter().filter_map(|at| self.machine.gpus.get(*at)) {
            caps::all(gpu).for_each(|minor| self.allow(CAPS_MAJOR, minor));
        }
        Ok(())
    }

    fn proc_caps(&mut self, path: &str, kind: Kind) -> Result<(), Stop> {
        if self.machine.nvcaps == NvCaps::None {
            return Err(Stop::error(CLASS, format!("stat failed: {}: no such file or directory", self.host(path))));
        }
        self.bind(&self.host(path), path, PROC, kind)
    }

    /// Step 18. If there is no such node, the real program goes on with garbage; here it is a clear error.
    pub(super) fn channel(&mut self, channel: u32) -> Result<(), Stop> {
        let path = format!("/dev/nvidia-caps-imex-channels/channel{channel}");
        let flags = &self.container.flags;
        let there = channel < self.machine.imex_channels_present || self.made.contains(&channel);
        if there {
            self.device(&path, IMEX_MAJOR, channel)
        } else if flags.no_devbind && flags.no_cgroups {
            Ok(())
        } else {
            Err(Stop::error(CLASS, format!("stat failed: {}: no such file or directory", self.host(&path))))
        }
    }
}
