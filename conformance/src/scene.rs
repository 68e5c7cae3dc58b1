//! A case as data: the small machine in which the hook starts, how it is started, and its input. Both kinds of cases
//! (folders and recorded lines) become a scene. Must not know where a scene is put, or what its outcome should be.

/// The name by which the hook is started: its `argv[0]`.
pub const HOOK: &str = "nvidia-container-runtime-hook";
/// The default nvidia-container-cli of a scene.
pub const CLI: &str = "/usr/bin/nvidia-container-cli";

/// The file at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Its bytes.
        content: Vec<u8>,
        /// Its permissions.
        mode: u32,
    },
    /// A copy of fake-nvidia-container-cli.
    Cli {
        /// Its permissions.
        mode: u32,
    },
    /// A directory.
    Directory {
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link; an absolute target is a path of the scene.
    Symlink(String),
    /// A named pipe without a writer.
    Fifo,
    /// Every access to this path fails with this error number: possible in memory, but not in a tree on disk.
    Fails(i32),
    /// A sparse regular file of this many zero bytes.
    Zeros(u64),
}

impl Node {
    /// A readable text file.
    pub fn text(content: impl Into<Vec<u8>>) -> Self {
        Node::File { content: content.into(), mode: 0o644 }
    }

    /// An executable nvidia-container-cli.
    pub const EXECUTABLE_CLI: Node = Node::Cli { mode: 0o755 };
}

/// What the hook finds on descriptor 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stdin {
    /// What the runtime writes.
    pub content: Vec<u8>,
    /// The runtime does not close its end until the hook has ended.
    pub keep_open: bool,
}

/// Properties of the process that a program inherits and that the hook has to pass on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited {
    /// SIGPIPE is ignored; otherwise it has its default action.
    pub ignore_sigpipe: bool,
    /// The names of blocked signals.
    pub blocked: Vec<String>,
    /// The file mode mask; 022 unless given.
    pub umask: Option<u32>,
    /// Descriptors that are closed.
    pub closed: Vec<i32>,
    /// Additional open descriptors.
    pub opened: Vec<i32>,
    /// Standard error is a pipe without a reader.
    pub unread_stderr: bool,
    /// No file may grow beyond this many bytes.
    pub file_size: Option<u64>,
}

/// A case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// Absolute paths and the files there. Parent directories are made automatically.
    pub files: Vec<(String, Node)>,
    /// The arguments after the program's name.
    pub args: Vec<Vec<u8>>,
    /// The hook's environment, entry by entry.
    pub environ: Vec<Vec<u8>>,
    /// The working directory.
    pub cwd: String,
    /// Standard input.
    pub stdin: Stdin,
    /// The hook runs as a user to whom the permissions of the files apply.
    pub unprivileged: bool,
    /// How the fake fails (FAKE_NVIDIA_FAIL), if it should.
    pub cli_fails: Option<String>,
    /// The version that the fake imitates (FAKE_NVIDIA_CLI_VERSION), if not the newest.
    pub cli_version: Option<String>,
    /// What else the hook inherits.
    pub inherited: Inherited,
    /// How many more times the hook is started; every start must have the same outcome.
    pub again: usize,
}

impl Scene {
    /// Whether the scene cannot be put on disk, because something in it fails.
    pub fn fails(&self) -> bool {
        self.files.iter().any(|(_, node)| matches!(node, Node::Fails(_)))
    }

    /// Puts a file at a path, in place of any other.
    pub fn put(&mut self, path: &str, node: Node) {
        self.remove(path);
        self.files.push((path.to_owned(), node));
    }

    /// Removes the file at a path.
    pub fn remove(&mut self, path: &str) {
        self.files.retain(|(known, _)| known != path);
    }
}
