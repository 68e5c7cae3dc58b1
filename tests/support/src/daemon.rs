//! A daemon that an engine needs: starts it, waits until it answers, ends it. Must not know which engine it belongs to.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a daemon may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that answers. It removes its mounts when it ends.
#[derive(Debug)]
pub struct Daemon(Child);

impl Daemon {
    /// Starts a daemon, whose output goes into a log, and waits until it answers. A failure shows the log.
    pub fn start(command: &mut Command, log: &Path, answers: impl Fn() -> bool) -> Daemon {
        let out = File::create(log).unwrap();
        let process = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let mut daemon = Daemon(process);
        let deadline = Instant::now() + PATIENCE;
        while !answers() {
            let ended = daemon.0.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let state = ended.map_or("does not answer".to_owned(), |status| format!("ended, {status}"));
                panic!("{:?} {state}:\n{}", command.get_program(), fs::read_to_string(log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}
