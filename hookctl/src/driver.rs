//! What is known about NVIDIA drivers without asking one: which CUDA each branch brought (release notes of the CUDA
//! toolkit), and the version that a host's kernel module reports. Must not know containers.

use std::cmp::Ordering;
use std::path::Path;

use hook::host::Host;

/// The file in which the kernel module reports its version.
pub const PROC_VERSION: &str = "/proc/driver/nvidia/version";

/// CUDA releases and the oldest driver for Linux that serves each, ascending.
const RELEASES: [(&str, &str); 32] = [
    ("7.0", "346.46"),
    ("7.5", "352.31"),
    ("8.0", "367.48"),
    ("9.0", "384.81"),
    ("9.1", "390.46"),
    ("9.2", "396.26"),
    ("10.0", "410.48"),
    ("10.1", "418.39"),
    ("10.2", "440.33"),
    ("11.0", "450.36.06"),
    ("11.1", "455.23"),
    ("11.2", "460.27.03"),
    ("11.3", "465.19.01"),
    ("11.4", "470.42.01"),
    ("11.5", "495.29.05"),
    ("11.6", "510.39.01"),
    ("11.7", "515.43.04"),
    ("11.8", "520.61.05"),
    ("12.0", "525.60.13"),
    ("12.1", "530.30.02"),
    ("12.2", "535.54.03"),
    ("12.3", "545.23.06"),
    ("12.4", "550.54.14"),
    ("12.5", "555.42.02"),
    ("12.6", "560.28.03"),
    ("12.7", "565.57.01"),
    ("12.8", "570.26"),
    ("12.9", "575.51.03"),
    ("13.0", "580.65.06"),
    ("13.1", "590.44.01"),
    ("13.2", "595.45.04"),
    ("13.3", "610.43.02"),
];

/// The newest CUDA release known here.
pub const NEWEST_CUDA: &str = "13.3";
/// Drivers from this branch on may serve a CUDA release not known here.
const UNKNOWN_BRANCH: &str = "620";

/// The oldest driver that serves a CUDA release; `None` for a release newer than all known ones.
#[must_use]
pub fn oldest_for_cuda(version: &str) -> Option<&'static str> {
    RELEASES.iter().find(|(cuda, _)| compare(cuda, version) != Ordering::Less).map(|(_, driver)| *driver)
}

/// The newest CUDA that a driver serves; `None` for a driver older than all known ones or of a later branch.
#[must_use]
pub fn cuda_of(driver: &str) -> Option<&'static str> {
    if compare(driver, UNKNOWN_BRANCH) != Ordering::Less {
        return None;
    }
    RELEASES.iter().rfind(|(_, oldest)| compare(oldest, driver) != Ordering::Greater).map(|(cuda, _)| *cuda)
}

/// The CUDA releases known here, ascending.
pub fn cuda_releases() -> impl DoubleEndedIterator<Item = &'static str> {
    RELEASES.iter().map(|(cuda, _)| *cuda)
}

/// The version that the loaded kernel module reports, if one is loaded.
#[must_use]
pub fn of_host(host: &dyn Host) -> Option<String> {
    let text = host.read(Path::new(PROC_VERSION)).ok()?;
    module_version(&String::from_utf8_lossy(&text)).map(str::to_owned)
}

/// The version in the first line: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  DATE`.
fn module_version(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("NVRM version:"))?;
    line.split_whitespace().find(|word| is_version(word))
}

/// Whether a word is numbers separated by dots.
#[must_use]
pub fn is_version(word: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    word.contains('.') && word.split('.').all(number)
}

/// Compares versions as `nvidia-container-cli` does: number by number, so `12.4` and `12.4.0` are equal.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let mut right = right.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (l, r) => match l.unwrap_or(0).cmp(&r.unwrap_or(0)) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_and_drivers_find_each_other() {
        assert_eq!(oldest_for_cuda("12.8"), Some("570.26"));
        assert_eq!(oldest_for_cuda("12"), Some("525.60.13"));
        assert_eq!(oldest_for_cuda("99.0"), None);
        assert_eq!((cuda_of("550.54.14"), cuda_of("535.129.03")), (Some("12.4"), Some("12.2")));
        assert_eq!((cuda_of("340.1"), cuda_of("999.1")), (None, None));
        assert_eq!(RELEASES.last().map(|(cuda, _)| *cuda), Some(NEWEST_CUDA));
    }

    #[test]
    fn the_table_ascends_in_both_columns() {
        for pair in RELEASES.windows(2) {
            assert_eq!(compare(pair[0].0, pair[1].0), Ordering::Less);
            assert_eq!(compare(pair[0].1, pair[1].1), Ordering::Less);
        }
    }

    #[test]
    fn the_modules_version_is_the_first_word_of_numbers() {
        let open =
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\nGCC version: 13.2.0\n";
        assert_eq!(module_version(open), Some("570.86.15"));
        assert_eq!(
            module_version("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu\n"),
            Some("550.54.14")
        );
        assert_eq!(module_version("GCC version: 13.2.0\n"), None);
    }
}
