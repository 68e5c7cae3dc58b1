//! A machine that records its answers, so that the same questions can be answered again. Must not know who asks.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use hook::host::{FileKind, Host, STATUS};

/// What was answered about a path.
#[derive(Debug, Default)]
pub struct Answers {
    /// The content, or the system's error number; `None` for another error.
    pub content: Option<Result<Vec<u8>, Option<i32>>>,
    /// Whether the file is larger than any input may be.
    pub too_large: bool,
    /// The kind of file at the path, if the machine reported it.
    pub kind: Option<Option<FileKind>>,
    /// The system's error number if it did not report the file's kind, whether it can be executed, or the names in it.
    pub failed: Option<i32>,
    /// Whether the path or its directory is a dangling link.
    pub dangling: bool,
    /// Whether it can be executed.
    pub executable: Option<bool>,
    /// The names in the directory.
    pub names: Option<Vec<OsString>>,
}

/// The machine.
pub struct Recorder<'h> {
    host: &'h dyn Host,
    answers: RefCell<BTreeMap<PathBuf, Answers>>,
}

impl<'h> Recorder<'h> {
    /// A recorder that asks `host`.
    #[must_use]
    pub fn new(host: &'h dyn Host) -> Self {
        Recorder { host, answers: RefCell::default() }
    }

    /// What was answered.
    #[must_use]
    pub fn answers(self) -> BTreeMap<PathBuf, Answers> {
        self.answers.into_inner()
    }

    fn note(&self, path: &Path, note: impl FnOnce(&mut Answers)) {
        note(self.answers.borrow_mut().entry(path.to_path_buf()).or_default());
    }

    fn note_answer<T: Clone>(&self, path: &Path, answer: &io::Result<T>, keep: impl FnOnce(&mut Answers, T)) {
        self.note(path, |answers| match answer {
            Ok(answer) => keep(answers, answer.clone()),
            Err(error) => answers.failed = error.raw_os_error(),
        });
    }

    fn note_content(&self, path: &Path, content: &io::Result<Vec<u8>>) {
        let kept = match content {
            Ok(bytes) => Ok(bytes.clone()),
            Err(error) => Err(error.raw_os_error()),
        };
        let too_large = content.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::FileTooLarge);
        self.note(path, |answers| {
            answers.content = Some(kept);
            answers.too_large = too_large;
        });
    }
}

impl Host for Recorder<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let content = self.host.read(path);
        self.note_content(path, &content);
        content
    }

    fn read_settled(&self, path: &Path, _waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        // A capture comes too late for data that went through a pipe or was still being written.
        let content = self.host.read_settled(path, false);
        match &content {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => self.note_content(path, &Ok(Vec::new())),
            content => self.note_content(path, content),
        }
        content
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        let dangling = self.host.is_dangling(path);
        self.note_answer(path, &dangling, |answers, dangling| answers.dangling = dangling);
        dangling
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        let kind = self.host.kind(path);
        self.note_answer(path, &kind, |answers, kind| answers.kind = Some(kind));
        kind
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        let executable = self.host.is_executable(path);
        self.note_answer(path, &executable, |answers, executable| answers.executable = Some(executable));
        executable
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let names = self.host.list(path);
        self.note_answer(path, &names, |answers, names| answers.names = Some(names));
        names
    }

    fn is_root(&self) -> io::Result<bool> {
        let is_root = self.host.is_root();
        // Only the line that counts, instead of the whole process status. A user other than root is not identified.
        let kept =
            is_root.as_ref().map(|root| if *root { &b"Uid:\t0\t0\n"[..] } else { b"Uid:\t65534\t65534\n" }.to_vec());
        let kept = match kept {
            // The status names no user.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Vec::new()),
            kept => kept.map_err(io::Error::raw_os_error),
        };
        self.note(Path::new(STATUS), |answers| answers.content = Some(kept));
        is_root
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        self.host.locate(path)
    }
}
