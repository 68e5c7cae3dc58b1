//! Which form of a function `cuGetProcAddress` finds: `forms.txt`, read afresh by each call. It must not know addresses.

use nvidia_simulated_given::pieces;

const FORMS: &str = include_str!("forms.txt");

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    /// The CUDA version that the program was built for.
    pub(super) version: u32,
    /// Whether a form for per-thread default streams is preferred.
    pub(super) per_thread: bool,
    /// The CUDA version of the driver, which lacks later forms.
    pub(super) driver: Option<u32>,
}

/// Why there is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// The driver has no such function.
    Unknown,
    /// The function is newer than the program.
    Newer,
}

/// What is added to the name for the newest form that the program and the driver both know. If any form is for
/// per-thread streams, a program that prefers those gets no other.
pub(super) fn suffix(wanted: Wanted<'_>) -> Result<&'static str, Absent> {
    let mut rows = pieces(FORMS, '\n').filter_map(|line| line.split_once(' '));
    let (_, row) = rows.find(|(name, _)| *name == wanted.name).ok_or(Absent::Unknown)?;
    let forms = pieces(row, ' ').filter_map(|form| form.split_once('='));
    let forms = forms.filter_map(|(since, suffix)| Some((since.parse::<u32>().ok()?, suffix)));
    let has = forms.filter(|(since, _)| wanted.driver.is_none_or(|driver| *since <= driver));
    let is_per_thread = |suffix: &str| suffix.ends_with("_ptsz") || suffix.ends_with("_ptds");
    let per_thread = wanted.per_thread && has.clone().any(|(_, suffix)| is_per_thread(suffix));
    let known = has.filter(|(_, suffix)| is_per_thread(suffix) == per_thread);
    known.clone().next().ok_or(Absent::Unknown)?;
    known.filter(|(since, _)| *since <= wanted.version).last().map(|(_, suffix)| suffix).ok_or(Absent::Newer)
}
