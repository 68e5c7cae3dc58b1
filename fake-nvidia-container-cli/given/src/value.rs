//! A number that can change with time: a constant, a ramp or seeded noise. The same text and the same time yield the
//! same number in every process that reads them, so nothing has to be stored. Values that change with the caller's
//! calls are here too; the caller passes the number of its call.

use crate::at_last;

/// A number as a file states it, in thousandths: `41.25` is 41250.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `37`, `-8`, `41.25` or `0x25`.
    Constant(i64),
    /// `ramp:30..90:60`: from one number to the other in this many seconds, repeatedly; with `@SINCE` after it, a time
    /// in milliseconds since the epoch, once from then on. It moves in steps of the decimal places of its ends.
    Ramp {
        /// Where it begins.
        from: i64,
        /// Where it ends.
        to: i64,
        /// How long it takes, in milliseconds; not 0.
        length: u64,
        /// When it began, if it runs once.
        since: Option<u64>,
        /// The step in which it moves, in thousandths; not 0.
        step: u64,
    },
    /// `noise:10..90:7`: a different number each second, in whole steps from the first; the last part is the seed.
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
        // The `str` method for a longer separator could panic.
        let dots = range.as_bytes().windows(2).position(|two| two == b"..")?;
        let (from, to) = (range.get(..dots)?, range.get(dots.checked_add(2)?..)?);
        let step = resolution(from).min(resolution(to));
        let (from, to, by) = (number(from)?, number(to)?, by.parse::<u64>().ok()?);
        match kind {
            "ramp" => {
                let length = by.checked_mul(1000).filter(|length| *length > 0)?;
                Some(Self::Ramp { from, to, length, since, step })
            }
            "noise" => Some(Self::Noise { from, to, seed: by }),
            _ => None,
        }
    }

    /// The number at a time, in milliseconds since the epoch. Noise differs from key to key.
    #[must_use]
    pub fn at(self, key: &str, now: u64) -> i64 {
        match self {
            Self::Constant(value) => value,
            Self::Ramp { from, to, length, since, step } => {
                let passed = match since {
                    Some(since) => now.saturating_sub(since).min(length),
                    None => now.checked_rem(length).unwrap_or_default(),
                };
                let (span, of) = (from.abs_diff(to), |part: u64| part.checked_div(length).unwrap_or_default());
                // In two steps, since the product of both could overflow; a division of 128 bits would bring in code
                // that can panic.
                let rest = span.checked_rem(length).unwrap_or_default();
                let way = of(span).saturating_mul(passed).saturating_add(of(rest.saturating_mul(passed)));
                let way = way.saturating_sub(way.checked_rem(step).unwrap_or_default());
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

/// The value at the caller's call with this number, counted from 1: `call:0..79:100` is 0 until the hundredth call, and
/// 79 from then on. Both can be words, and the second can move or step again: `call:0..call:31..79:20:10`. Any other
/// text is returned as it is.
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

/// The text before, the text after, and the number of the call between them.
fn step(text: &str) -> Option<(&str, &str, u64)> {
    let (range, number) = at_last(text.strip_prefix("call:")?, b':')?;
    // The `str` method for a longer separator could panic.
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
    // Places after the third are too small to be seen.
    let thousandths = places.bytes().chain([b'0'; 3]).take(3);
    let thousandths = thousandths.fold(0, |sum: i64, digit| sum * 10 + i64::from(digit.saturating_sub(b'0')));
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(thousandths)?.checked_mul(sign)
}

/// The smallest difference, in thousandths, that a number with these decimal places shows.
fn resolution(text: &str) -> u64 {
    match text.split_once('.').map_or(0, |(_, places)| places.len()) {
        0 => 1000,
        1 => 100,
        2 => 10,
        _ => 1,
    }
}

/// A number that looks random but is the same for the same key, seed and second, as in the simulator's own output.
fn scramble(key: &str, seed: u64, second: u64) -> u64 {
    let bytes = key.bytes().chain(seed.to_le_bytes()).chain(second.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}
