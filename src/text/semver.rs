//! Version numbers as the published hook reads them: semantic versions, read leniently (`12`, `v12.4`, `12.4.1-rc1+x`).
//! Must not know what a version belongs to.

use std::cmp::Ordering;

/// A version whose missing parts count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// The first number.
    pub major: u64,
    /// The second number; 0 if the text has only one number.
    pub minor: u64,
    /// The third number; 0 if the text has fewer.
    pub patch: u64,
    /// The pre-release, after the `-`; empty if there is no `-`.
    pub pre: &'a str,
}

/// Why a text is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// It does not have the form of a version.
    Form,
    /// A number does not fit into 64 bits.
    Number,
    /// A numeric pre-release part begins with a zero.
    LeadingZero,
}

impl Invalid {
    /// The reason, in the published hook's words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Invalid::Form => "invalid semantic version",
            Invalid::Number => "error parsing version segment: value out of range",
            Invalid::LeadingZero => "version segment starts with 0",
        }
    }
}

impl<'a> Version<'a> {
    /// Reads a version: optional `v`, one to three numbers, optional pre-release, optional build metadata.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = split_at(text, '+');
        let (numbers, pre) = split_at(text, '-');
        if !build.is_none_or(identifiers_are_valid) || !pre.is_none_or(identifiers_are_valid) {
            return Err(Invalid::Form);
        }
        let mut parts = numbers.split('.');
        let mut next = || parts.next().map_or(Ok(0), number);
        let (major, minor, patch) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(Invalid::Form);
        }
        let pre = pre.unwrap_or_default();
        if pre.split('.').any(|part| part.len() > 1 && part.starts_with('0') && is_number(part)) {
            return Err(Invalid::LeadingZero);
        }
        Ok(Version { major, minor, patch, pre })
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version<'_> {
    /// Semantic Versioning 2.0.0, section 11.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_pre(self.pre, other.pre))
    }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let (mut a, mut b) = (a.split('.'), b.split('.'));
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(a), Some(b)) => match compare_identifiers(a, b) {
                        Ordering::Equal => {}
                        decided => return decided,
                    },
                }
            }
        }
    }
}

fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

fn split_at(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn number(digits: &str) -> Result<u64, Invalid> {
    if !is_number(digits) {
        return Err(Invalid::Form);
    }
    digits.parse().map_err(|_| Invalid::Number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn identifiers_are_valid(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap()
    }

    #[test]
    fn lenient_forms_are_versions_and_others_are_not() {
        for text in ["12", "v12.4", "12.4.1-rc1", "011.00", "1.0.0-rc1.1+b-1", "1.0-rc2"] {
            assert!(Version::parse(text).is_ok(), "{text}");
        }
        for text in ["", "v", "V1", " 1", "1 ", "1.", "1..2", "1.2.3.4", "1-", "1.0.0+", "1.x", "-1", "1.0.0-é"] {
            assert_eq!(Version::parse(text), Err(Invalid::Form), "{text}");
        }
        assert_eq!(Version::parse("18446744073709551616"), Err(Invalid::Number));
        assert_eq!(Version::parse("1.0.0-01"), Err(Invalid::LeadingZero));
    }

    #[test]
    fn order_is_that_of_semantic_versioning() {
        let sorted = ["1.0.0-1", "1.0.0-alpha", "1.0.0-rc", "1.0.0-rc1", "1.0.0-rc1.1", "1.0.0-rc10", "1.0.0-rc5", "1"];
        for pair in sorted.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0.0").cmp(&version("v1")), Ordering::Equal);
    }
}
