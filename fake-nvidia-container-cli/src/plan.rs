//! What a run does to a machine, as data: decided in one place, applied in another, recorded in a third.
//!
//! It knows operations and their order, not why they are due.

use nvidia_simulated_machine::text::Text;
use serde::Serialize;

/// Mount flags of programs, libraries and firmware.
pub const FILE: &[&str] = &["ro", "nosuid", "nodev"];
/// Mount flags of device nodes.
pub const DEVICE: &[&str] = &["ro", "nosuid", "noexec"];
/// Mount flags of sockets and of tmpfs mounts.
pub const SOCKET: &[&str] = &["nosuid", "nodev", "noexec"];
/// Mount flags of files under /proc.
pub const PROC: &[&str] = &["ro", "nosuid", "nodev", "noexec"];
/// Mount flags of a folder of device nodes.
pub const DEVICE_FOLDER: &[&str] = &["nosuid", "noexec"];

/// An operation that a record shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// A kernel module is loaded.
    Modprobe {
        /// The helper's name for it.
        #[serde(rename = "fn")]
        module: &'static str,
    },
    /// A device node is made on the host.
    Mknod {
        /// Which family of nodes.
        what: &'static str,
        /// Which of them, if there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        minor: Option<u32>,
    },
    /// The driver is asked through its library.
    DriverInit {
        /// The driver root, `/` unless one was given.
        root: Text,
        /// The user to ask as.
        uid: i64,
        /// The group to ask as.
        gid: i64,
    },
    /// A tmpfs is mounted.
    Tmpfs {
        /// The mount point, with the container's root in front.
        dst: Text,
        /// Options of the file system.
        options: &'static str,
        /// Flags of the mount, as `mount` names them.
        flags: &'static [&'static str],
    },
    /// A file or folder of the host is mounted.
    Bind {
        /// The path on the host, below the driver root; for a container's own file, its path in the container.
        src: Text,
        /// The mount point, with the container's root in front.
        dst: Text,
        /// Flags of the mount, as `mount` names them.
        flags: &'static [&'static str],
        /// What kind of thing is mounted.
        #[serde(skip)]
        kind: Kind,
    },
    /// A device is allowed in the container's cgroup.
    CgroupAllow {
        /// The major number that the node has.
        major: u32,
        /// The minor number that the node has.
        minor: u32,
    },
    /// The container's linker cache is rebuilt.
    Ldconfig {
        /// The program, without the `@` that marks the host's.
        path: Text,
        /// Whether it is the host's.
        host: bool,
        /// A folder with newer CUDA libraries, to be searched first.
        compat_dir: Option<Text>,
        /// The folder of libraries.
        libs_dir: Text,
        /// The folder of 32-bit libraries.
        libs32_dir: Text,
    },
}

/// What a bind mount shows; a simulator has to make it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program of the driver.
    Program,
    /// Any other file of the driver.
    File,
    /// One of the container's own files.
    ContainerFile,
    /// A socket of a daemon.
    Socket,
    /// A folder with everything in it.
    Folder,
    /// A GPU's folder under /proc, by the GPU's place.
    GpuFolder(usize),
    /// A file under /proc that represents a right, with the node's minor number.
    Access(u32),
    /// A device node, with its numbers.
    Device {
        /// The major number that the node has.
        major: u32,
        /// The minor number that the node has.
        minor: u32,
    },
}

impl Kind {
    /// The mode of the host's file or folder, which its mount point gets too.
    #[must_use]
    pub fn mode(&self) -> u32 {
        match self {
            Self::Program | Self::Folder => 0o755,
            Self::File | Self::ContainerFile => 0o644,
            Self::Socket | Self::Device { .. } => 0o666,
            Self::GpuFolder(_) => 0o555,
            Self::Access(_) => 0o444,
        }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder | Self::GpuFolder(_))
    }
}

/// An operation, or one of the small things around it that a record leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An operation that a record shows.
    Op(Op),
    /// A folder is made.
    Folder(Text),
    /// A symbolic link is made.
    Link {
        /// Its path, with the container's root in front.
        at: Text,
        /// Its target, as written.
        to: String,
    },
    /// The file or folder made for a mount that is undone is removed, if it is empty.
    Remove(Text),
    /// A file is written.
    File {
        /// Its path, with the container's root in front.
        at: Text,
        /// Its whole content.
        content: String,
        /// Its mode, before the process's umask.
        mode: u32,
    },
}

/// Everything that is done to a machine, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The actions, in order.
    pub actions: Vec<Action>,
}

impl Plan {
    /// Adds an operation at the end.
    pub fn op(&mut self, op: Op) {
        self.actions.push(Action::Op(op));
    }

    /// Adds an action at the end.
    pub fn action(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// The operations that a record shows.
    #[must_use]
    pub fn recorded(&self) -> Vec<&Op> {
        let ops = self.actions.iter().map(|action| match action {
            Action::Op(op) => Some(op),
            _ => None,
        });
        ops.flatten().collect()
    }
}
