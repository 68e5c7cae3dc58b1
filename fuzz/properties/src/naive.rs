//! A second reading of docs/specification.md, written from its text, section by section, without the hook's code, as
//! simply and slowly as possible. The hook must decide every scene as this reading does. It shares with the hook the
//! machine in memory and the TOML and JSON parsers, whose reading the specification adopts; it must not use the hook's
//! rules.

mod config;
mod container;
mod json;
mod line;
mod platform;
mod request;

use hook_test_support::core::{Decided, decide};
use hook_test_support::memory::MemoryHost;
use nvidia_hook_conformance::outcome::difference;
use nvidia_hook_conformance::scene::{Node, Scene};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The outcome that a scene should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The command line asks for something else; the exit status.
    NoPrestart(i32),
    /// Nothing is done.
    Nothing,
    /// An error: the start of its message and, after `…`, what else it contains.
    Refused(&'static str),
    /// The program is executed.
    Executed {
        /// Its arguments.
        argv: Vec<Vec<u8>>,
        /// Its environment.
        environ: Vec<Vec<u8>>,
    },
}

/// A step: its result, or the start of its error message.
type Step<T> = Result<T, &'static str>;

/// What the command line asks of a prestart.
struct Flags {
    config: Option<String>,
    debug: bool,
}

/// The outcome that a scene should have.
pub fn verdict(scene: &Scene) -> Verdict {
    match flags(&scene.args) {
        Err(exit) => Verdict::NoPrestart(exit),
        Ok(flags) => prestart(scene, &flags).unwrap_or_else(Verdict::Refused),
    }
}

/// Where the hook and this reading disagree about a scene, in words; nothing if a document is beyond this reading.
pub fn disagreement(scene: &Scene) -> Option<String> {
    let (naive, decided) = (verdict(scene), decide(scene));
    let disagreement = match (&naive, &decided) {
        (Verdict::NoPrestart(_), Decided::NoPrestart) | (Verdict::Nothing, Decided::Nothing) => None,
        (Verdict::Refused(words), Decided::Failed(message)) => {
            let (start, also) = words.split_once('…').unwrap_or((words, ""));
            let same = message.starts_with(start) && message.contains(also);
            (!same).then(|| format!("the error should begin with {words:?}, and the hook says {message:?}"))
        }
        (Verdict::Executed { argv, environ }, Decided::Execute(planned)) => {
            difference("argv", argv, &planned.argv).or_else(|| difference("environment", environ, &planned.environ))
        }
        _ => Some(format!("it should be {naive:?}, and the hook decides {decided:?}")),
    };
    let specs = scene.files.iter().filter_map(|(path, node)| match node {
        Node::File { content, .. } if path.ends_with("/config.json") => Some(content),
        _ => None,
    });
    disagreement.filter(|_| !specs.chain([&scene.stdin.content]).any(|document| is_beyond(document)))
}

/// Whether a document can be skipped, but not be taken whole as this reading takes it: it has numbers out of range,
/// lists nested too deep, or lone surrogates.
fn is_beyond(document: &[u8]) -> bool {
    let first = || serde_json::Deserializer::from_slice(document);
    IgnoredAny::deserialize(&mut first()).is_ok() && json::Json::deserialize(&mut first()).is_err()
}

/// Section 2: the flags of a prestart, else the exit status.
fn flags(args: &[Vec<u8>]) -> Result<Flags, i32> {
    let mut words = args.iter().map(|word| String::from_utf8(word.clone()).unwrap());
    let mut flags = Flags { config: None, debug: false };
    let mut version = false;
    let mut command = None;
    while let Some(word) = words.next() {
        if word == "--" {
            command = words.next();
            break;
        }
        if !word.starts_with('-') || word == "-" {
            command = Some(word);
            break;
        }
        let word = word.strip_prefix("--").or(word.strip_prefix('-')).unwrap().to_owned();
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let boolean = || match value.as_deref() {
            None => Ok(true),
            Some(word) => truth(word).ok_or(2),
        };
        match name {
            "h" | "help" => return Err(0),
            "debug" => flags.debug = boolean()?,
            "version" => version = boolean()?,
            "config" => flags.config = Some(value.or_else(|| words.next()).ok_or(2)?),
            _ => return Err(2),
        }
    }
    match command.as_deref() {
        _ if version => Err(0),
        Some("prestart") => Ok(flags),
        Some("poststart" | "poststop") => Err(0),
        _ => Err(2),
    }
}

/// A boolean, as Go's `strconv.ParseBool` reads it.
fn truth(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The first entry of a name in the hook's own environment.
fn own<'s>(scene: &'s Scene, name: &str) -> Option<&'s [u8]> {
    let start = format!("{name}=");
    scene.environ.iter().find_map(|entry| entry.strip_prefix(start.as_bytes()))
}

/// A path without `.`, `..` and unnecessary slashes, by its text alone.
fn clean(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if path.starts_with('/') || elements.last().is_some_and(|last| *last != "..") => drop(elements.pop()),
            element => elements.push(element),
        }
    }
    match (path.starts_with('/'), elements.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

/// The items of a comma-separated list, trimmed, without empty ones.
fn items(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Each item once, at its first place.
fn once(list: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for item in list {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// A version, read leniently: its three numbers, and what follows a dash.
fn version(text: &str) -> Option<([u64; 3], String)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let is_tag = |tag: &str| {
        let fits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        tag.split('.').all(fits)
    };
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (numbers, tag) = text.split_once('-').map_or((text, None), |(numbers, tag)| (numbers, Some(tag)));
    let number = |part: &str| part.chars().all(|c| c.is_ascii_digit()).then(|| part.parse::<u64>().ok()).flatten();
    let mut numbers: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
    // A number in the tag does not begin with 0.
    let padded = |part: &str| part.len() > 1 && part.starts_with('0') && part.chars().all(|c| c.is_ascii_digit());
    let tag_is_odd = tag.is_some_and(|tag| !is_tag(tag) || tag.split('.').any(padded));
    if numbers.len() > 3 || tag_is_odd || build.is_some_and(|build| !is_tag(build)) {
        return None;
    }
    numbers.resize(3, 0);
    Some(([numbers[0], numbers[1], numbers[2]], tag.unwrap_or_default().to_owned()))
}

/// The steps of a prestart, in order.
fn prestart(scene: &Scene, flags: &Flags) -> Step<Verdict> {
    let host = MemoryHost::new(scene);
    let config = config::read(scene, flags, &host)?;
    let state = container::state(&scene.stdin.content)?;
    let container = container::read(&state, &config, &host)?;
    let Some(request) = request::of(&container, &config)? else { return Ok(Verdict::Nothing) };
    if !config.flag("nvidia-container-runtime-hook.skip-mode-detection", false) {
        platform::check_mode(scene, &config, &request, &host)?;
    }
    line::written(scene, flags, &config, &container, &request, &host)
}
