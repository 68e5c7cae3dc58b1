//! C's decimal parsers (strtoimax, strtoumax) for a whole word, with their rules for blanks, signs and ranges.

/// Why a word is not a valid number; the texts are the C library's, lower-cased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNumber {
    /// Not a number, or followed by something else.
    Invalid,
    /// Too large or too small.
    Range,
}

impl BadNumber {
    /// The text of the system error.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Invalid => "invalid argument",
            Self::Range => "numerical result out of range",
        }
    }
}

/// The sign, the digits and the rest of a word, without leading white space; `None` if no digit comes first.
#[must_use]
pub fn scan(word: &str) -> Option<(bool, &str, &str)> {
    let word = word.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let (negative, unsigned) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let (digits, rest) = unsigned.split_at_checked(end)?;
    (!digits.is_empty()).then_some((negative, digits, rest))
}

/// A signed number that takes up the whole word.
pub fn signed(word: &str) -> Result<i64, BadNumber> {
    let (negative, digits, rest) = scan(word).ok_or(BadNumber::Invalid)?;
    if !rest.is_empty() {
        return Err(BadNumber::Invalid);
    }
    let value: i128 = digits.parse().map_err(|_| BadNumber::Range)?;
    i64::try_from(if negative { -value } else { value }).map_err(|_| BadNumber::Range)
}

/// An unsigned number that takes up the whole word. As in C, a minus sign wraps around, and a number that is too large
/// becomes the largest.
#[must_use]
pub fn unsigned(word: &str) -> Option<u64> {
    let (negative, digits, _) = scan(word).filter(|(_, _, rest)| rest.is_empty())?;
    match digits.parse::<u64>() {
        Ok(value) if negative => Some(value.wrapping_neg()),
        Ok(value) => Some(value),
        Err(_) => Some(u64::MAX),
    }
}

/// A process id, which fits a C int.
pub fn pid(word: &str) -> Result<i32, BadNumber> {
    i32::try_from(signed(word)?).map_err(|_| BadNumber::Range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn process_ids_are_read_as_c_reads_them() {
        let cases = [
            (" 5", Ok(5)),
            ("+77", Ok(77)),
            ("-5", Ok(-5)),
            ("0000000000000000000000000000000000000000000000012", Ok(12)),
            ("", Err(BadNumber::Invalid)),
            ("5x", Err(BadNumber::Invalid)),
            ("0x10", Err(BadNumber::Invalid)),
            ("--5", Err(BadNumber::Invalid)),
            ("2147483647", Ok(2147483647)),
            ("2147483648", Err(BadNumber::Range)),
            ("99999999999999999999999999999999999999999999999", Err(BadNumber::Range)),
        ];
        for (word, expected) in cases {
            assert_eq!(pid(word), expected, "{word:?}");
        }
    }

    #[test]
    fn a_minus_sign_wraps_around_and_too_large_is_the_largest() {
        let cases = [
            ("7", Some(7)),
            ("-1", Some(u64::MAX)),
            ("-18446744073709551615", Some(1)),
            ("18446744073709551616", Some(u64::MAX)),
            ("-18446744073709551616", Some(u64::MAX)),
            ("1x", None),
        ];
        for (word, expected) in cases {
            assert_eq!(unsigned(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_word_panics(word: String) {
            let _ = (pid(&word), unsigned(&word));
        }

        #[test]
        fn every_number_is_read(value: i64) {
            prop_assert_eq!(signed(&value.to_string()), Ok(value));
        }
    }
}
