//! How a run ends: what it prints, its exit code, and the one type for every stop on the way there.
//!
//! It knows the shapes of the messages (which are the real program's), not when they are due.

/// What the program has printed and how it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Everything for standard output.
    pub stdout: String,
    /// Everything for standard error.
    pub stderr: String,
    /// The exit code that the caller sees.
    pub exit: i32,
    /// The signal that the program sends to itself in the end, if a failure asks for one.
    pub signal: Option<i32>,
    /// True if a failure asks the program never to end.
    pub hang: bool,
}

/// Why a run stops before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// An error of the real program: `PROGRAM: CLASS: DETAIL`, exit 1.
    Error {
        /// The class, e.g. `device error`.
        class: &'static str,
        /// The rest of the line.
        detail: String,
    },
    /// Finished text: help, usage, an option error, or a failure that was asked for.
    Text(Outcome),
    /// A fault of the simulator or of its settings: exit 3, with a prefix that the real program never has.
    Internal(String),
}

impl Stop {
    /// An error of the real program.
    pub fn error(class: &'static str, detail: impl Into<String>) -> Self {
        Self::Error { class, detail: detail.into() }
    }

    /// Text on standard output and success.
    #[must_use]
    pub fn print(stdout: String) -> Self {
        Self::Text(Outcome { stdout, ..Outcome::default() })
    }

    /// Text on standard error and the exit code of a usage error.
    #[must_use]
    pub fn complain(stderr: String) -> Self {
        Self::Text(Outcome { stderr, exit: 1, ..Outcome::default() })
    }

    /// The outcome that a user sees; `program` is the name in front of the real program's errors.
    #[must_use]
    pub fn outcome(self, program: &str) -> Outcome {
        match self {
            Self::Error { class, detail } => {
                Outcome { stderr: format!("{program}: {class}: {detail}\n"), exit: 1, ..Outcome::default() }
            }
            Self::Text(outcome) => outcome,
            Self::Internal(what) => {
                Outcome { stderr: format!("fake-nvidia-container-cli: {what}\n"), exit: 3, ..Outcome::default() }
            }
        }
    }
}
