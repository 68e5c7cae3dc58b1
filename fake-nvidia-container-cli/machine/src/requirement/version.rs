//! The comparison of versions in requirements: dotted numbers, with the real program's view of missing parts.

use std::cmp::Ordering;

/// Compares two versions; `None` if either is not a version.
///
/// Numbers are compared from the left; a run of dots counts as one. If one version ends first, the rest of the other
/// counts only if it contains more than zeros: 12.4 equals 12.4.0, but is more than 12.
#[must_use]
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    let valid = |v: &str| v.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !valid(left) || !valid(right) {
        return None;
    }
    let (mut left, mut right) = (left, right);
    while !left.is_empty() && !right.is_empty() {
        let (a, after_a) = number(left)?;
        let (b, after_b) = number(right)?;
        if a != b {
            return Some(a.cmp(&b));
        }
        (left, right) = (after_a.trim_start_matches('.'), after_b.trim_start_matches('.'));
    }
    let more = |rest: &str| !rest.trim_start_matches(['0', '.']).is_empty();
    Some(more(left).cmp(&more(right)))
}

/// The number at the start; a missing one, or one that fills 64 bits, makes the version invalid.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find('.').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let value = digits.parse::<u64>().ok().filter(|v| *v != u64::MAX)?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_recorded() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ("12.4", "12.4", Some(Equal)),
            ("12.4", "12.4.0", Some(Equal)),
            ("12.4", "12", Some(Greater)),
            ("12.0", "12", Some(Equal)),
            ("12.4", "12.4.1", Some(Less)),
            ("12.4", "12..4", Some(Equal)),
            ("12.4", "12.", Some(Greater)),
            ("3.7", "3.07", Some(Equal)),
            ("3.7", "3.70", Some(Less)),
            ("12.4", "9", Some(Greater)),
            ("12.4", ".5", None),
            ("12.4", ".", None),
            ("12.4", "v12", None),
            ("12.4", "13.x", None),
            ("12.4", "-1", None),
            ("12.4", "18446744073709551615", None),
            ("12.4", "18446744073709551614", Some(Less)),
            ("12.4", "13.99999999999999999999999", Some(Less)),
        ];
        for (left, right, expected) in cases {
            assert_eq!(compare(left, right), expected, "{left} {right}");
        }
    }
}
