//! Talks to a started program through its standard streams, within a limit, and ends what programs left behind. Must
//! not know what the program is, nor what a case expects of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::scene::Stdin;

/// How often the processes that are left are looked for: each may have started others.
const SEARCHES: usize = 100;

/// Writes standard input and reads the other streams until the program has ended and closed them. If it has not within
/// `patience`, it is ended with its process group, and the result is an error.
///
/// Other processes can keep the streams open, in a session that no signal to the group reaches. So threads of their own
/// read and write, and nobody waits for them any longer than for the program.
pub fn feed(child: &mut Child, input: &Stdin, patience: Duration) -> Result<(Vec<u8>, Vec<u8>)> {
    let deadline = Instant::now() + patience;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("a stream of the launcher is missing");
    };
    let held = write(stdin, input);
    let streams = (read(stdout), read(stderr));
    let left = || deadline.saturating_duration_since(Instant::now());
    let said = streams.0.recv_timeout(left()).and_then(|said| Ok((said, streams.1.recv_timeout(left())?)));
    drop(held);
    let has_ended = has_ended(child, deadline)?;
    match said {
        Ok(said) if has_ended => Ok(said),
        _ => {
            let _ = killpg(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGKILL);
            child.kill()?;
            child.wait()?;
            bail!("the hook hangs")
        }
    }
}

/// Writes standard input. If it is to stay open, it does until the result is dropped.
fn write(mut stdin: ChildStdin, input: &Stdin) -> Sender<()> {
    let (hold, held) = mpsc::channel::<()>();
    let (content, keep_open) = (input.content.clone(), input.keep_open);
    std::thread::spawn(move || {
        // The hook may end without reading it all.
        if stdin.write_all(&content).is_ok() && keep_open {
            let _ = held.recv();
        }
    });
    hold
}

/// Reads a stream to its end.
fn read(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    receive
}

/// Waits for a program, which usually ends as it closes its streams.
fn has_ended(child: &mut Child, deadline: Instant) -> Result<bool> {
    let mut pause = Duration::from_micros(50);
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(true)
}

/// The processes that hooks leave behind: they become children of this process, and are ended with this value.
#[derive(Debug)]
pub struct Leftovers {
    /// Children that this process had before, from a shell that became this program.
    known: BTreeSet<i32>,
}

impl Leftovers {
    /// From now on, processes whose parents end become children of this one.
    #[must_use]
    pub fn adopt() -> Leftovers {
        // An old kernel without it leaves them to init, as before.
        let _ = nix::sys::prctl::set_child_subreaper(true);
        Leftovers { known: children().collect() }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        for _ in 0..SEARCHES {
            let left: Vec<i32> = children().filter(|child| !self.known.contains(child)).collect();
            if left.is_empty() {
                return;
            }
            for child in left {
                let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The children of this process that have not ended.
fn children() -> impl Iterator<Item = i32> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let child = process.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        // After the name, which can contain anything: the state, and the parent.
        let mut words = stat.rsplit_once(") ")?.1.split(' ');
        let (state, parent) = (words.next()?, words.next()?);
        (parent == own && !matches!(state, "Z" | "X")).then_some(child)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    /// What a shell's words come to, with a limit of a fifth of a second.
    fn fed(words: &str, in_own_group: bool) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", words]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if in_own_group {
            shell.process_group(0);
        }
        feed(&mut shell.spawn().unwrap(), &Stdin::default(), Duration::from_millis(200))
    }

    #[test]
    fn a_program_that_hangs_is_left_in_time() {
        // The last runs in another group than the one that is ended, as after setsid().
        let hanging = [
            ("sleep 30", true),
            ("exec 0<&- 1>&- 2>&-; exec sleep 30", true),
            ("sleep 30 & exit 0", true),
            ("sleep 30; exit 0", false),
        ];
        for (words, in_own_group) in hanging {
            let since = Instant::now();
            let why = fed(words, in_own_group).unwrap_err().to_string();
            assert_eq!(why, "the hook hangs", "{words}");
            assert!(since.elapsed() < Duration::from_secs(15), "{words}: {:?}", since.elapsed());
        }
    }
}
