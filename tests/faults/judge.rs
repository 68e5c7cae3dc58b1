//! The allowed outcomes of a start on a failing machine: the outcome on a sound one, or status 1 with one message. Must
//! not know what failed, only where.

use super::trace::{End, Run, Start};

/// Where in a start something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the hook's own code runs.
    BeforeMain,
    /// While it decides.
    Deciding,
    /// While it writes the line about a start.
    Noting,
    /// While it writes a message.
    Saying,
}

/// The outcome of a start on a sound machine.
#[derive(Debug, Clone)]
pub struct Sound {
    /// The run.
    pub run: Run,
    /// The root of its machine, which its texts may name.
    pub root: String,
}

impl Sound {
    /// Whether a run ended in the same way, whatever it said.
    fn is_as(&self, run: &Run, root: &str) -> bool {
        let plain = |text: &[u8], root: &str| String::from_utf8_lossy(text).replace(root, "");
        match (&self.run.end, &run.end) {
            (End::Becomes { program, argv, environ, .. }, End::Becomes { program: p, argv: a, environ: e, .. }) => {
                let list =
                    |texts: &[Vec<u8>], root: &str| texts.iter().map(|text| plain(text, root)).collect::<Vec<_>>();
                plain(program, &self.root) == plain(p, root)
                    && list(argv, &self.root) == list(a, root)
                    && list(environ, &self.root) == list(e, root)
            }
            (sound, end) => sound == end,
        }
    }

    fn says_as(&self, run: &Run, root: &str) -> bool {
        let plain = |text: &[u8], root: &str| String::from_utf8_lossy(text).replace(root, "");
        plain(&self.run.stderr, &self.root) == plain(&run.stderr, root)
    }
}

/// What is wrong with a run, if anything; any one of the sound runs would be right.
pub fn fault(run: &Run, start: &Start, sound: &[&Sound], stage: Stage) -> Option<String> {
    let root = start.cwd.to_str().unwrap();
    let same = sound.iter().find(|sound| sound.is_as(run, root));
    let handed_on = match &run.end {
        End::Becomes { descriptors, .. } => Some(descriptors.as_slice()),
        _ => None,
    };
    if handed_on.is_some_and(|handed_on| handed_on != [0, 1, 2]) {
        return Some(format!("hands on the descriptors {handed_on:?}"));
    }
    if !run.stdout.is_empty() {
        return Some(format!("writes to standard output: {}", run.stdout.escape_ascii()));
    }
    match (&run.end, stage) {
        // A message can be lost with the call that writes it.
        (_, Stage::Saying) if same.is_some() => None,
        (_, _) if same.is_some_and(|sound| sound.says_as(run, root)) => None,
        (End::Becomes { program, argv, .. }, _) => {
            Some(format!("executes {} with {}", program.escape_ascii(), argv.join(&b' ').escape_ascii()))
        }
        (End::Exits(1 | 127) | End::Signal(_), Stage::BeforeMain) => None,
        (End::Exits(1), Stage::Saying) => None,
        (End::Exits(1), Stage::Deciding) => message_fault(run, sound[0]),
        (end, _) => Some(format!("{end:?}, and says {}", run.stderr.escape_ascii())),
    }
}

/// What is wrong with the message of a failed start: it must be one line of text, besides what a sound start says and
/// the hint that follows.
fn message_fault(run: &Run, sound: &Sound) -> Option<String> {
    let said = String::from_utf8_lossy(&run.stderr);
    let usual = String::from_utf8_lossy(&sound.run.stderr);
    let is_of_a_sound_start = |line: &str| {
        matches!(sound.run.end, End::Becomes { .. } | End::Exits(0)) && usual.lines().any(|usual| usual == line)
    };
    let own = |line: &&str| {
        !line.starts_with("see: nvidia-hookctl explain ")
            && !is_of_a_sound_start(line)
            && !line.starts_with("Auto-detected mode as")
    };
    let lines: Vec<&str> = said.lines().filter(own).collect();
    let is_text = said.ends_with('\n') && !said.chars().any(|c| c != '\n' && c.is_control());
    match lines.as_slice() {
        [line] if is_text && !line.is_empty() => None,
        _ => Some(format!("status 1, and says {}", run.stderr.escape_ascii())),
    }
}
