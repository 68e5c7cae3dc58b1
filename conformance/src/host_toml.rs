//! `host.toml` of a case folder: how the machine and the start of the hook differ from the usual ones. One type per
//! table; an unknown key is an error. fixtures/README.md describes the file. Must not know expectations.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde::Deserialize;

use crate::ldcache;
use crate::scene::{Inherited, Node, Scene};

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostToml {
    args: Option<Vec<Text>>,
    environment: Option<Vec<Text>>,
    cwd: Option<String>,
    #[serde(default)]
    unprivileged: bool,
    cli_fails: Option<String>,
    cli_version: Option<String>,
    #[serde(default)]
    again: usize,
    #[serde(default)]
    stdin: StdinToml,
    #[serde(default)]
    inherited: InheritedToml,
    #[serde(default)]
    files: BTreeMap<String, FileToml>,
}

/// A string, or bytes that are not text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Bytes(Base64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64 {
    base64: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StdinToml {
    #[serde(default)]
    keep_open: bool,
    text: Option<String>,
    base64: Option<String>,
}

/// What else the hook inherits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct InheritedToml {
    ignore_sigpipe: bool,
    blocked: Vec<String>,
    umask: Option<String>,
    closed: Vec<i32>,
    opened: Vec<i32>,
    unread_stderr: bool,
    file_size: Option<u64>,
}

/// The file at a path: exactly one of the members other than `mode`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileToml {
    text: Option<String>,
    base64: Option<String>,
    libraries: Option<Vec<String>>,
    zeros: Option<u64>,
    symlink: Option<String>,
    fails: Option<String>,
    is: Option<Kind>,
    mode: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Absent,
    Directory,
    Fifo,
    Cli,
}

impl HostToml {
    /// Changes a scene as the file says.
    pub fn apply(self, scene: &mut Scene) -> Result<()> {
        let list = |texts: Vec<Text>| texts.into_iter().map(Text::bytes).collect::<Result<Vec<_>>>();
        if let Some(args) = self.args {
            scene.args = list(args)?;
        }
        if let Some(environment) = self.environment {
            scene.environ = list(environment)?;
        }
        scene.cwd = self.cwd.unwrap_or(std::mem::take(&mut scene.cwd));
        scene.unprivileged = self.unprivileged;
        scene.cli_fails = self.cli_fails;
        scene.cli_version = self.cli_version;
        scene.again = self.again;
        scene.inherited = self.inherited.inherited()?;
        scene.stdin.keep_open = self.stdin.keep_open;
        match (self.stdin.text, self.stdin.base64) {
            (None, None) => {}
            (Some(text), None) => scene.stdin.content = text.into_bytes(),
            (None, Some(text)) => scene.stdin.content = decode(&text)?,
            (Some(_), Some(_)) => bail!("stdin: text and base64"),
        }
        for (path, file) in self.files {
            if !path.starts_with('/') {
                bail!("files: {path} is relative");
            }
            match file.node().with_context(|| format!("files: {path}"))? {
                Some(node) => scene.put(&path, node),
                None => scene.remove(&path),
            }
        }
        Ok(())
    }
}

impl InheritedToml {
    fn inherited(self) -> Result<Inherited> {
        let octal = |text: &String| u32::from_str_radix(text, 8).with_context(|| format!("umask {text} is not octal"));
        Ok(Inherited {
            ignore_sigpipe: self.ignore_sigpipe,
            umask: self.umask.as_ref().map(octal).transpose()?,
            blocked: self.blocked,
            closed: self.closed,
            opened: self.opened,
            unread_stderr: self.unread_stderr,
            file_size: self.file_size,
        })
    }
}

impl Text {
    fn bytes(self) -> Result<Vec<u8>> {
        match self {
            Text::Plain(text) => Ok(text.into_bytes()),
            Text::Bytes(bytes) => decode(&bytes.base64),
        }
    }
}

impl FileToml {
    fn node(self) -> Result<Option<Node>> {
        let given =
            self.mode.map(|mode| u32::from_str_radix(&mode, 8).with_context(|| format!("mode {mode} is not octal")));
        let given = given.transpose()?;
        let file = |content| Node::File { content, mode: given.unwrap_or(0o644) };
        let node = match (self.text, self.base64, self.libraries, self.zeros, self.symlink, self.fails, self.is) {
            (Some(text), None, None, None, None, None, None) => file(text.into_bytes()),
            (None, Some(text), None, None, None, None, None) => file(decode(&text)?),
            (None, None, Some(libraries), None, None, None, None) => file(ldcache::build(&libraries)?),
            (None, None, None, Some(size), None, None, None) => Node::Zeros(size),
            (None, None, None, None, Some(target), None, None) => Node::Symlink(target),
            (None, None, None, None, None, Some(name), None) => Node::Fails(error_number(&name)?),
            (None, None, None, None, None, None, Some(kind)) => match kind {
                Kind::Absent => return Ok(None),
                Kind::Directory => Node::Directory { mode: given.unwrap_or(0o755) },
                Kind::Fifo => Node::Fifo,
                Kind::Cli => Node::Cli { mode: given.unwrap_or(0o755) },
            },
            _ => bail!("exactly one of text, base64, libraries, zeros, symlink, fails and is"),
        };
        Ok(Some(node))
    }
}

/// The number of the system error with this name, errno(3).
fn error_number(name: &str) -> Result<i32> {
    let numbers = 1..=i32::from(u8::MAX);
    let mut named = numbers.filter(|number| format!("{:?}", nix::errno::Errno::from_raw(*number)) == name);
    named.next().with_context(|| format!("fails: {name} is not an error of the system"))
}

/// Decodes base64 (RFC 4648), which can be broken into lines.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).context("not base64")
}
