//! A scene in memory, as a host of the pure core: answers what the real file system would, without touching it.
//! Must not know why something is asked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nvidia_container_runtime_hook::host::{EMPTY, FileKind, Host, check_size, present, unsettled};

use nvidia_hook_conformance::scene::{Node, Scene};

/// As many symbolic links as Linux follows.
const MAX_LINKS: usize = 40;

/// The machine of a scene.
pub struct MemoryHost {
    nodes: BTreeMap<String, Node>,
    cwd: String,
    unprivileged: bool,
}

impl MemoryHost {
    /// The machine on which a scene takes place.
    pub fn new(scene: &Scene) -> Self {
        let mut nodes = BTreeMap::new();
        let directories = scene.files.iter().flat_map(|(path, _)| path.match_indices('/').map(|(at, _)| &path[..at]));
        for directory in directories.filter(|path| !path.is_empty()).chain([scene.cwd.trim_end_matches('/')]) {
            nodes.insert(directory.to_owned(), Node::Directory { mode: 0o755 });
        }
        nodes.extend(scene.files.iter().cloned());
        MemoryHost { nodes, cwd: scene.cwd.clone(), unprivileged: scene.unprivileged }
    }

    /// The node at a path and its place, after following symbolic links.
    fn resolve(&self, path: &str) -> Result<(String, Option<&Node>), Errno> {
        let start = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.cwd) };
        // A slash at the end asks for a directory, as an element `.` does.
        let mut rest: Vec<String> = start.split('/').rev().map(str::to_owned).collect();
        let (mut place, mut links) = (String::new(), 0);
        let mut node = None;
        while let Some(element) = rest.pop() {
            self.check_directory(&place, node, &element)?;
            match element.as_str() {
                "" | "." => continue,
                ".." => place.truncate(place.rfind('/').unwrap_or(0)),
                name => place = format!("{place}/{name}"),
            }
            node = self.nodes.get(&place);
            match node {
                None if !place.is_empty() => return Err(Errno::ENOENT),
                Some(Node::Fails(number)) => return Err(Errno::from_raw(*number)),
                _ => {}
            }
            if let Some(Node::Symlink(target)) = node {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP);
                }
                rest.extend(target.split('/').rev().map(str::to_owned));
                place.truncate(if target.starts_with('/') { 0 } else { place.rfind('/').unwrap_or(0) });
                node = self.nodes.get(&place);
            }
        }
        Ok((place, node))
    }

    fn check_directory(&self, place: &str, node: Option<&Node>, element: &str) -> Result<(), Errno> {
        match node {
            Some(Node::Directory { mode }) if self.unprivileged && mode & 0o001 == 0 && !element.is_empty() => {
                Err(Errno::EACCES)
            }
            Some(Node::Directory { .. }) => Ok(()),
            None if place.is_empty() => Ok(()),
            _ => Err(Errno::ENOTDIR),
        }
    }

    fn node(&self, path: &Path) -> Result<(String, Option<&Node>), Errno> {
        self.resolve(path.to_str().ok_or(Errno::ENOENT)?)
    }
}

impl Host for MemoryHost {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            // The error of the standard library, which does not ask the system.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "file name contained an unexpected NUL byte"));
        }
        match self.node(path)?.1 {
            Some(Node::File { content, mode }) if !self.unprivileged || mode & 0o004 != 0 => Ok(content.clone()),
            Some(Node::File { .. }) => Err(Errno::EACCES.into()),
            Some(Node::Fifo) => Err(io::Error::other("a pipe, not a file")),
            Some(Node::Zeros(size)) => {
                let size = usize::try_from(*size).unwrap();
                check_size(size).map(|()| vec![0; size])
            }
            Some(Node::Cli { .. }) => Ok(b"\x7fELF".to_vec()),
            _ => Err(Errno::EISDIR.into()),
        }
    }

    /// Memory has no writers, so there is nothing to wait for.
    fn read_settled(&self, path: &Path, waits_for_pipe: bool) -> io::Result<Vec<u8>> {
        match self.node(path) {
            Ok((_, Some(Node::Fifo))) if waits_for_pipe => Ok(Vec::new()),
            Ok((_, Some(Node::File { .. }))) => match self.read(path)? {
                content if content.is_empty() => Err(unsettled(EMPTY)),
                content => Ok(content),
            },
            _ => self.read(path),
        }
    }

    fn is_dangling(&self, path: &Path) -> io::Result<bool> {
        // Links above the path's directory are followed.
        let stands = |path: &Path| {
            let parent = self.node(path.parent()?).ok()?.0;
            self.nodes.get(&format!("{parent}/{}", path.file_name()?.to_str()?))
        };
        let link = path.ancestors().find_map(|place| stands(place).map(|node| (place, node)));
        Ok(link.is_some_and(|(place, node)| matches!(node, Node::Symlink(_)) && self.node(place).is_err()))
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        let kind = |node: Option<&Node>| match node {
            Some(Node::File { content, .. }) => FileKind::Regular { empty: content.is_empty() },
            Some(Node::Cli { .. }) => FileKind::Regular { empty: false },
            Some(Node::Fifo) => FileKind::Other,
            Some(Node::Zeros(size)) => FileKind::Regular { empty: *size == 0 },
            _ => FileKind::Directory,
        };
        present(self.node(path).map(|(_, node)| kind(node)).map_err(io::Error::from))
    }

    fn is_executable(&self, path: &Path) -> io::Result<bool> {
        let wanted = if self.unprivileged { 0o001 } else { 0o111 };
        match self.node(path) {
            Ok((_, Some(Node::File { mode, .. } | Node::Cli { mode }))) => Ok(mode & wanted != 0),
            Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let Some((place, node)) = present(self.node(path).map_err(io::Error::from))? else { return Ok(Vec::new()) };
        match node {
            None | Some(Node::Directory { .. }) => {}
            Some(_) => return Ok(Vec::new()),
        }
        let below = format!("{place}/");
        let names = self.nodes.keys().filter_map(|known| known.strip_prefix(&below));
        Ok(names.filter(|name| !name.contains('/')).map(OsString::from).collect())
    }

    fn locate<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        Cow::Borrowed(path)
    }
}
