//! A number that may change with time: a constant, a ramp or seeded noise. The same text and the same time are the same
//! number in every process that reads them, so nothing has to be kept. What changes with a caller's calls is in it too; how
//! many those were, the caller says.

use crate::at_last;

/// A number as a file tells it, in thousandths: `41.25` is 41250.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `37`, `-8`, `41.25` or `0x25`.
    Constant(i64),
    /// `ramp:30..90:60`: from one number to the other in so many seconds, again and again; with `@SINCE` after it, a
    /// time in milliseconds since the epoch, once from then on.
    Ramp {
        /// Where it begins.
        from: i64,
        /// Where it ends.
        to: i64,
        /// How long it takes, in milliseconds; not 0.
        length: u64,
        /// When it began, if it goes once.
        since: Option<u64>,
    },
    /// `noise:10..90:7`: another number each second, in whole steps from the first; the last part is the seed.
    Noise {
        /// One end.
        from: i64,
        /// The other.
        to: i64,
        /// What makes one series differ from another.
        seed: u64,
    },
}

impl Value {
    /// Reads a value; `None` if the text is not one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let Some((kind, moving)) = text.split_once(':') else { return number(text).map(Self::Constant) };
        let (moving, since) = match moving.split_once('@') {
            Some((moving, since)) => (moving, Some(since.parse().ok()?)),
            None => (moving, None),
        };
        let (range, by) = moving.split_once(':').unwrap_or((moving, "0"));
        // What `str` has for a longer separator could panic.
        let dots = range.as_bytes().windows(2).position(|two| two == b"..")?;
        let (from, to) = (range.get(..dots)?, range.get(dots.checked_add(2)?..)?);
        let (from, to, by) = (number(from)?, number(to)?, by.parse::<u64>().ok()?);
        match kind {
            "ramp" => Some(Self::Ramp { from, to, length: by.checked_mul(1000).filter(|length| *length > 0)?, since }),
            "noise" => Some(Self::Noise { from, to, seed: by }),
            _ => None,
        }
    }

    /// The number at a time, in milliseconds since the epoch. Noise differs from key to key.
    #[must_use]
    pub fn at(self, key: &str, now: u64) -> i64 {
        match self {
            Self::Constant(value) => value,
            Self::Ramp { from, to, length, since } => {
                let passed = match since {
                    Some(since) => now.saturating_sub(since).min(length),
                    None => now.checked_rem(length).unwrap_or_default(),
                };
                let (span, of) = (from.abs_diff(to), |part: u64| part.checked_div(length).unwrap_or_default());
                // In two steps, since a product of both may be larger than a number; no division of 128 bits, which
                // would bring code that can panic.
                let rest = span.checked_rem(length).unwrap_or_default();
                let way = of(span).saturating_mul(passed).saturating_add(of(rest.saturating_mul(passed)));
                if from <= to { from.saturating_add_unsigned(way) } else { from.saturating_sub_unsigned(way) }
            }
            Self::Noise { from, to, seed } => {
                let steps = (from.abs_diff(to) / 1000).saturating_add(1);
                let way = scramble(key, seed, now / 1000).checked_rem(steps).unwrap_or_default().saturating_mul(1000);
                if from <= to { from.saturating_add_unsigned(way) } else { from.saturating_sub_unsigned(way) }
            }
        }
    }
}

/// What a value is at a caller's call of a number, from 1: `call:0..79:100` is 0 until the hundredth call, and 79 from then
/// on. Both may be words, and the second may move or step again: `call:0..call:31..79:20:10`. Any other text is itself.
#[must_use]
pub fn at_call(text: &str, call: u64) -> &str {
    let mut text = text;
    while let Some((before, after, number)) = step(text) {
        if call < number {
            return before;
        }
        text = after;
    }
    text
}

/// Before, after, and the number of the call between them.
fn step(text: &str) -> Option<(&str, &str, u64)> {
    let (range, number) = at_last(text.strip_prefix("call:")?, b':')?;
    // What `str` has for a longer separator could panic.
    let dots = range.as_bytes().windows(2).position(|two| two == b"..")?;
    Some((range.get(..dots)?, range.get(dots.checked_add(2)?..)?, number.parse().ok()?))
}

/// Decimal, with up to three places and a sign, or hexadecimal after `0x`.
fn number(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok()?.checked_mul(1000);
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(places) {
        return None;
    }
    // Places beyond the third are too small to be seen.
    let thousandths = places.bytes().chain([b'0'; 3]).take(3);
    let thousandths = thousandths.fold(0, |sum: i64, digit| sum * 10 + i64::from(digit.saturating_sub(b'0')));
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(thousandths)?.checked_mul(sign)
}

/// A number that looks like chance, the same for the same key, seed and second: as the simulator's own surfaces have it.
fn scramble(key: &str, seed: u64, second: u64) -> u64 {
    let bytes = key.bytes().chain(seed.to_le_bytes()).chain(second.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}
