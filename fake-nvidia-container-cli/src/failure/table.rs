//! The named failures: the texts that users meet, with their meaning and remedy. One row a failure; the verb `failures`
//! and the table in docs/fake-cli.md come from here.

use super::Step;

/// A failure with a name.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// The step at which it is due.
    pub step: Step,
    /// The exit code.
    pub exit: i32,
    /// The text; `{PROGRAM}` is the program's name, `{FOR}` what `for=` says.
    pub text: &'static str,
    /// What `{FOR}` is when nothing is said.
    pub example: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Named {
    /// The text with its argument filled in.
    #[must_use]
    pub fn text(&self, argument: Option<&str>) -> String {
        format!("{}\n", self.text.replace("{FOR}", argument.unwrap_or(self.example)))
    }
}

/// The failure of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Named> {
    NAMED.iter().find(|n| n.name == name)
}

/// All failures with a name.
pub const NAMED: &[Named] = &[Named {
    name: "driver-not-loaded",
    step: Step::Init,
    exit: 1,
    text: "{PROGRAM}: initialization error: nvml error: driver not loaded",
    example: "",
    meaning: "The kernel module is not loaded",
    remedy: "modprobe nvidia; look at secure boot and the kernel log",
}];
