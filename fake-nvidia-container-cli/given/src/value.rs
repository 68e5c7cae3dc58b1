//! A number that may change with time: a constant, a ramp or seeded noise. The same text and the same time are the same
//! number in every process that reads them, so nothing has to be kept.

use crate::pieces;

/// A number as a file tells it, in thousandths: `41.25` is 41250.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `37`, `-8`, `41.25` or `0x25`.
    Constant(i64),
    /// `ramp FROM TO SECONDS`: from one to the other in so many seconds, and from the start again.
    Ramp {
        /// Where it begins.
        from: i64,
        /// Where it ends.
        to: i64,
        /// How long it takes, in milliseconds; not 0.
        length: u64,
    },
    /// `noise FROM TO SEED`: another number between both, bounds included, every second; whole numbers between whole
    /// ones.
    Noise {
        /// The least.
        from: i64,
        /// The most.
        to: i64,
        /// What makes one series differ from another.
        seed: u64,
    },
}

impl Value {
    /// Reads a value; `None` if it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Some(bounds) = text.strip_prefix("ramp ") {
            let (from, to, length) = three(bounds)?;
            return Some(Self::Ramp { from, to, length: u64::try_from(length).ok().filter(|length| *length > 0)? });
        }
        if let Some(bounds) = text.strip_prefix("noise ") {
            let (from, to, seed) = three(bounds)?;
            return Some(Self::Noise { from: from.min(to), to: from.max(to), seed: seed.unsigned_abs() });
        }
        number(text).map(Self::Constant)
    }

    /// The number at a time, in milliseconds since the epoch.
    #[must_use]
    pub fn at(self, now: u64) -> i64 {
        match self {
            Self::Constant(value) => value,
            Self::Ramp { from, to, length } => {
                let passed = now.checked_rem(length).unwrap_or_default();
                let (span, of) = (from.abs_diff(to), |part: u64| part.checked_div(length).unwrap_or_default());
                // In two steps, since a product of both may be larger than a number; no division of 128 bits, which
                // would bring code that can panic.
                let rest = span.checked_rem(length).unwrap_or_default();
                let way = of(span).saturating_mul(passed).saturating_add(of(rest.saturating_mul(passed)));
                if from <= to { from.saturating_add_unsigned(way) } else { from.saturating_sub_unsigned(way) }
            }
            Self::Noise { from, to, seed } => {
                let step = if from % 1000 == 0 && to % 1000 == 0 { 1000 } else { 1 };
                let steps = (from.abs_diff(to) / step).saturating_add(1);
                let chosen = mix(seed ^ mix(now / 1000)).checked_rem(steps).unwrap_or_default();
                from.saturating_add_unsigned(chosen.saturating_mul(step))
            }
        }
    }
}

fn three(text: &str) -> Option<(i64, i64, i64)> {
    let mut words = pieces(text, ' ');
    let three = (number(words.next()?)?, number(words.next()?)?, number(words.next()?)?);
    words.next().is_none().then_some(three)
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

/// Spreads the bits of a number over all of its places (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
