//! A case as data: the small machine in which the hook is started, how it is started, and what it is fed. Both kinds of
//! cases (folders and recorded lines) become this. Must not know where it will be put, or what should come of it.

/// The name by which the hook is started: its `argv[0]`.
pub const HOOK: &str = "nvidia-container-runtime-hook";
/// The nvidia-container-cli of a scene that says nothing else.
pub const CLI: &str = "/usr/bin/nvidia-container-cli";

/// What stands at a path.
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
    /// A symbolic link; an absolute target is one of the scene.
    Symlink(String),
    /// A named pipe without a writer.
    Fifo,
    /// Whatever is asked about this path, the system answers with this error number. A machine in memory can say so; no
    /// tree on disk can be made to.
    Fails(i32),
    /// A regular file of so many zero bytes, none of which takes room on a disk.
    Zeros(u64),
}

impl Node {
    /// A readable text file.
    pub fn text(content: impl Into<Vec<u8>>) -> Self {
        Node::File { content: content.into(), mode: 0o644 }
    }

    /// A program of the name that is looked for.
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
    /// Further descriptors that are open.
    pub opened: Vec<i32>,
    /// Standard error is a pipe that nobody reads any more.
    pub unread_stderr: bool,
    /// No file may grow beyond so many bytes.
    pub file_size: Option<u64>,
}

/// A case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// Absolute paths and what stands there. Parents come into being by themselves.
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
    /// How the fake is to fail (FAKE_NVIDIA_FAIL), where it is.
    pub cli_fails: Option<String>,
    /// The version that the fake imitates (FAKE_NVIDIA_CLI_VERSION), where not the newest.
    pub cli_version: Option<String>,
    /// What else the hook inherits.
    pub inherited: Inherited,
    /// How often it is started beyond the first time; all must come to the same.
    pub again: usize,
}

impl Scene {
    /// Whether it can only be told, not put on disk: something in it fails.
    pub fn fails(&self) -> bool {
        self.files.iter().any(|(_, node)| matches!(node, Node::Fails(_)))
    }

    /// Puts something at a path in place of what stands there.
    pub fn put(&mut self, path: &str, node: Node) {
        self.remove(path);
        self.files.push((path.to_owned(), node));
    }

    /// Takes away what stands at a path.
    pub fn remove(&mut self, path: &str) {
        self.files.retain(|(known, _)| known != path);
    }
}
