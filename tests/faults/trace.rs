//! Runs a program and intercepts its system calls: each stops at the tracer before and after it. The tracer lets the
//! call pass, answers in the kernel's place, or makes its buffer shorter. Returns what the program became or how it
//! ended. Must not judge that.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::libc::{self, user_regs_struct};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::launcher::{ARGUMENT, Lack};

/// A program that runs longer than this hangs; the hook itself gives up after ten seconds of silence.
const HANGS_AFTER: Duration = Duration::from_secs(40);
/// The longest text that is read from a program's memory.
const LONGEST: usize = 2 << 20;

/// How a program is started.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Its file.
    pub program: PathBuf,
    /// Its words, its name first.
    pub argv: Vec<OsString>,
    /// Its environment.
    pub environ: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// What is written to its standard input.
    pub stdin: Vec<u8>,
    /// What it lacks.
    pub lacks: Vec<Lack>,
}

/// What the tracer does to system calls; they are counted from the first one of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// Nothing.
    None,
    /// One call fails with this error.
    Fails(usize, i32),
    /// A call and all later ones of its kind fail with this error.
    FailsFromThenOn(usize, i32),
    /// A call that reads or writes is asked for at most this many bytes.
    Short(usize, u64),
    /// The same for every later one.
    ShortFromThenOn(usize, u64),
}

/// A system call that a program made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub number: u64,
    /// Its first argument; for most calls, a descriptor.
    pub first: u64,
    /// The path that it names, if it names one.
    pub path: Option<String>,
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It asked to become another program.
    Becomes {
        /// The program.
        program: Vec<u8>,
        /// Its arguments.
        argv: Vec<Vec<u8>>,
        /// Its environment.
        environ: Vec<Vec<u8>>,
        /// The descriptors that it would pass on.
        descriptors: Vec<i32>,
    },
    /// It ended with this status.
    Exits(i32),
    /// This signal ended it.
    Signal(Signal),
    /// It was still running after the time limit.
    Hangs,
}

/// A program that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its system calls, up to the last.
    pub calls: Vec<Call>,
    /// What became of it.
    pub end: End,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// When each running program started. Nothing else stops one that hangs, because the tracer waits for it.
static RUNNING: Mutex<BTreeMap<i32, Instant>> = Mutex::new(BTreeMap::new());

/// Stops programs that hang, as long as this process lives.
pub fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            for (pid, since) in RUNNING.lock().unwrap().iter() {
                if since.elapsed() > HANGS_AFTER {
                    let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
                }
            }
        }
    });
}

/// Runs a program.
#[expect(clippy::zombie_processes, reason = "the tracer waits for it, since it alone is told that the program stops")]
pub fn run(start: &Start, meddling: Meddling) -> Run {
    let mut child = spawn(start);
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let since = Instant::now();
    RUNNING.lock().unwrap().insert(pid.as_raw(), since);
    // The input fits into a pipe, so a program that reads nothing blocks nothing.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&start.stdin).unwrap();
    drop(stdin);
    let (calls, end) = Tracer { pid, calls: Vec::new(), meddling, kind: None, memory: None }.follow();
    RUNNING.lock().unwrap().remove(&pid.as_raw());
    let hangs = end == End::Signal(Signal::SIGKILL) && since.elapsed() > HANGS_AFTER;
    let read = |stream: Option<&mut dyn Read>| {
        let mut bytes = Vec::new();
        stream.unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let stdout = read(child.stdout.as_mut().map(|it| it as &mut dyn Read));
    let stderr = read(child.stderr.as_mut().map(|it| it as &mut dyn Read));
    Run { calls, end: if hangs { End::Hangs } else { end }, stdout, stderr }
}

fn spawn(start: &Start) -> Child {
    let mut command = Command::new("/proc/self/exe");
    command.arg(ARGUMENT).args(start.lacks.iter().map(Lack::word)).arg("--").arg(&start.program).args(&start.argv);
    command.env_clear().envs(start.environ.iter().map(|(name, value)| (name, value))).current_dir(&start.cwd);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Follows one program. It must be used by the thread that started the program: the kernel answers no other.
struct Tracer {
    pid: Pid,
    calls: Vec<Call>,
    meddling: Meddling,
    /// The kind of call that fails from now on.
    kind: Option<u64>,
    /// The program's memory, once it runs.
    memory: Option<File>,
}

impl Tracer {
    fn follow(mut self) -> (Vec<Call>, End) {
        let end = match self.enter() {
            Some(end) => end,
            None => {
                self.memory = File::open(format!("/proc/{}/mem", self.pid)).ok();
                self.pass_calls()
            }
        };
        (self.calls, end)
    }

    /// Lets the launcher become the program.
    fn enter(&self) -> Option<End> {
        if let Some(end) = self.stop() {
            return Some(end);
        }
        let options = ptrace::Options::PTRACE_O_TRACESYSGOOD
            | ptrace::Options::PTRACE_O_TRACEEXEC
            | ptrace::Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.pid, options).unwrap();
        ptrace::cont(self.pid, None).unwrap();
        if let Some(end) = self.stop() {
            return Some(end);
        }
        // The end of the launcher's own execve.
        ptrace::syscall(self.pid, None).unwrap();
        self.stop()
    }

    /// Waits until the program stops at a call, and passes on the signals that it gets.
    fn stop(&self) -> Option<End> {
        loop {
            match waitpid(self.pid, None).unwrap() {
                WaitStatus::Exited(_, status) => return Some(End::Exits(status)),
                WaitStatus::Signaled(_, signal, _) => return Some(End::Signal(signal)),
                WaitStatus::PtraceSyscall(_)
                | WaitStatus::PtraceEvent(..)
                | WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                    return None;
                }
                WaitStatus::Stopped(_, signal) => ptrace::syscall(self.pid, signal).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn pass_calls(&mut self) -> End {
        loop {
            // At the beginning of a call.
            ptrace::syscall(self.pid, None).unwrap();
            if let Some(end) = self.stop() {
                return end;
            }
            let registers = ptrace::getregs(self.pid).unwrap();
            let at = self.calls.len();
            self.calls.push(self.call(&registers));
            let answer = self.answer(at, registers.orig_rax);
            if answer.is_none() && registers.orig_rax == libc::SYS_execve as u64 {
                return self.becomes(&registers);
            }
            let changed = self.change(at, registers, answer);
            // And at its end.
            ptrace::syscall(self.pid, None).unwrap();
            if let Some(end) = self.stop() {
                return end;
            }
            if changed {
                self.restore(&registers, answer);
            }
        }
    }

    /// After a changed call: restores its arguments, because a caller may rely on them, and sets the tracer's answer.
    fn restore(&self, before: &user_regs_struct, answer: Option<i32>) {
        let mut after = ptrace::getregs(self.pid).unwrap();
        (after.rdi, after.rdx) = (before.rdi, before.rdx);
        if let Some(errno) = answer.filter(|_| before.orig_rax != libc::SYS_brk as u64) {
            after.rax = -i64::from(errno) as u64;
        }
        ptrace::setregs(self.pid, after).unwrap();
    }

    /// The error with which the tracer answers a call.
    fn answer(&mut self, at: usize, number: u64) -> Option<i32> {
        // These cannot be answered: the program is gone.
        if [libc::SYS_exit_group, libc::SYS_exit].contains(&(number as i64)) {
            return None;
        }
        match self.meddling {
            Meddling::Fails(which, errno) if which == at => Some(errno),
            Meddling::FailsFromThenOn(which, errno) => {
                if which == at {
                    self.kind = Some(number);
                }
                (self.kind == Some(number)).then_some(errno)
            }
            _ => None,
        }
    }

    /// Changes a call before it happens, if there is something to change.
    fn change(&self, at: usize, mut registers: user_regs_struct, answer: Option<i32>) -> bool {
        let number = registers.orig_rax as i64;
        let most = match self.meddling {
            Meddling::Short(which, most) if which == at => Some(most),
            Meddling::ShortFromThenOn(which, most) if which <= at => Some(most),
            _ => None,
        };
        let is_data = [libc::SYS_read, libc::SYS_pread64, libc::SYS_write].contains(&number);
        if answer.is_some() && number == libc::SYS_brk {
            // `brk` returns no error, only the current end of the heap.
            registers.rdi = 0;
        } else if answer.is_some() {
            // There is no such call, so nothing happens.
            registers.orig_rax = u64::MAX;
        } else if let (Some(most), true) = (most, is_data) {
            registers.rdx = registers.rdx.min(most);
        } else {
            return false;
        }
        ptrace::setregs(self.pid, registers).unwrap();
        true
    }

    fn call(&self, registers: &user_regs_struct) -> Call {
        let address = match registers.orig_rax as i64 {
            libc::SYS_open
            | libc::SYS_stat
            | libc::SYS_lstat
            | libc::SYS_access
            | libc::SYS_execve
            | libc::SYS_readlink
            | libc::SYS_rename => Some(registers.rdi),
            libc::SYS_openat
            | libc::SYS_openat2
            | libc::SYS_newfstatat
            | libc::SYS_statx
            | libc::SYS_faccessat
            | libc::SYS_faccessat2
            | libc::SYS_readlinkat => Some(registers.rsi),
            _ => None,
        };
        let path = address.and_then(|address| self.text(address)).map(|path| String::from_utf8_lossy(&path).into());
        Call { number: registers.orig_rax, first: registers.rdi, path }
    }

    /// What the program asks to become; it is killed instead.
    fn becomes(&self, registers: &user_regs_struct) -> End {
        let end = End::Becomes {
            program: self.text(registers.rdi).unwrap_or_default(),
            argv: self.texts(registers.rsi),
            environ: self.texts(registers.rdx),
            descriptors: self.descriptors(),
        };
        kill(self.pid, Signal::SIGKILL).unwrap();
        while !matches!(waitpid(self.pid, None).unwrap(), WaitStatus::Signaled(..)) {}
        end
    }

    fn memory(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.memory.as_ref().and_then(|memory| memory.read_at(buffer, address).ok()).unwrap_or(0)
    }

    /// The C string at an address.
    fn text(&self, address: u64) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut address = address;
        // One page at a time, because the next one may not be there.
        while text.len() < LONGEST {
            let mut page = vec![0; 4096 - usize::try_from(address % 4096).unwrap()];
            let got = self.memory(address, &mut page);
            page.truncate(got);
            match page.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    text.extend_from_slice(&page[..end]);
                    return Some(text);
                }
                None if got == 0 => return None,
                None => text.extend_from_slice(&page),
            }
            address += got as u64;
        }
        None
    }

    /// The C strings of a null-terminated list.
    fn texts(&self, address: u64) -> Vec<Vec<u8>> {
        let pointers = (0..).map(|index| {
            let mut pointer = [0; 8];
            self.memory(address + index * 8, &mut pointer);
            u64::from_ne_bytes(pointer)
        });
        pointers.take_while(|pointer| *pointer != 0).map(|pointer| self.text(pointer).unwrap()).collect()
    }

    /// The open descriptors that are not close-on-exec.
    fn descriptors(&self) -> Vec<i32> {
        let handed_on = |number: &i32| {
            let text = std::fs::read_to_string(format!("/proc/{}/fdinfo/{number}", self.pid)).unwrap_or_default();
            let flags = text.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0").trim();
            i32::from_str_radix(flags, 8).unwrap() & libc::O_CLOEXEC == 0
        };
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap();
        let numbers = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse::<i32>().unwrap());
        let mut numbers: Vec<i32> = numbers.filter(handed_on).collect();
        numbers.sort_unstable();
        numbers
    }
}
