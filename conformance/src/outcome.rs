//! The result of a run, in the terms of the scene: no path shows where the scene was on disk. Must not judge it.

/// How the hook ended and what it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status.
    pub exit: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The execution of nvidia-container-cli, if there was one.
    pub executed: Option<Executed>,
    /// The complete records of the fake, one per run.
    pub records: Vec<serde_json::Value>,
    /// What changed on disk: `/PATH (MODE)` for a new file, `/PATH changed`, `/PATH gone`.
    pub leaves: Vec<String>,
    /// What differed when the hook ran again, in words.
    pub unsteady: Option<String>,
}

/// How nvidia-container-cli was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The arguments, the program's name first.
    pub argv: Vec<Vec<u8>>,
    /// The environment, entry by entry.
    pub environ: Vec<Vec<u8>>,
    /// The program's file.
    pub program: String,
    /// The working directory.
    pub cwd: String,
    /// It has the process id of the hook.
    pub same_pid: bool,
    /// The fake understood the command line.
    pub understood: bool,
}

impl Executed {
    /// Whether the fake, which is strict, refuses the command line. It looks users up on this machine, so the name of a
    /// user leaves the question open.
    pub fn refused(&self) -> bool {
        let is_named = |user: &[u8]| user.iter().any(|byte| byte.is_ascii_alphabetic());
        let names_user = self.argv.iter().any(|word| word.strip_prefix(b"--user=").is_some_and(is_named));
        !self.understood && !names_user
    }
}

impl Outcome {
    /// How another run of the same scene differs, in words.
    pub fn differs_from(&self, other: &Outcome) -> Option<String> {
        let nothing = Vec::new();
        let argv = |it: &Outcome| it.executed.as_ref().map_or(nothing.clone(), |executed| executed.argv.clone());
        let environ = |it: &Outcome| it.executed.as_ref().map_or(nothing.clone(), |executed| executed.environ.clone());
        if (self.exit, &self.stdout, &self.stderr) != (other.exit, &other.stdout, &other.stderr) {
            return Some(format!(
                "status {} and {:?}, then {} and {:?}",
                self.exit,
                self.stderr(),
                other.exit,
                other.stderr()
            ));
        }
        difference("argv, then again", &argv(self), &argv(other))
            .or_else(|| difference("environment, then again", &environ(self), &environ(other)))
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Bytes as readable text.
pub fn shown(bytes: &[Vec<u8>]) -> Vec<String> {
    bytes.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// The first place where two lists differ, in words; `None` if they are equal.
pub fn difference(what: &str, want: &[Vec<u8>], got: &[Vec<u8>]) -> Option<String> {
    if want == got {
        return None;
    }
    let at = want.iter().zip(got).position(|(a, b)| a != b).unwrap_or(want.len().min(got.len()));
    let show = |list: &[Vec<u8>]| {
        list.get(at).map_or("nothing".to_owned(), |text| format!("{:?}", String::from_utf8_lossy(text)))
    };
    Some(format!("{what}[{at}]: want {}, got {}", show(want), show(got)))
}
