//! A number that may change with time: a constant, a ramp or seeded noise. The same text and the same time are the same
//! number in every process that reads them, so nothing has to be kept.

/// A number as a file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `37` or `0x25`.
    Constant(u64),
    /// `ramp FROM TO SECONDS`: from one to the other in so many seconds, and from the start again.
    Ramp {
        /// Where it begins.
        from: u64,
        /// Where it ends.
        to: u64,
        /// How long it takes, in milliseconds; not 0.
        length: u64,
    },
    /// `noise FROM TO SEED`: another number between both, bounds included, every second.
    Noise {
        /// The least.
        from: u64,
        /// The most.
        to: u64,
        /// What makes one series differ from another.
        seed: u64,
    },
}

impl Value {
    /// Reads a value; `None` if it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let value = match words.next()? {
            "ramp" => {
                let (from, to, seconds) = (number(words.next()?)?, number(words.next()?)?, number(words.next()?)?);
                Self::Ramp { from, to, length: seconds.checked_mul(1000).filter(|length| *length > 0)? }
            }
            "noise" => {
                let (from, to, seed) = (number(words.next()?)?, number(words.next()?)?, number(words.next()?)?);
                Self::Noise { from: from.min(to), to: from.max(to), seed }
            }
            constant => Self::Constant(number(constant)?),
        };
        words.next().is_none().then_some(value)
    }

    /// The number at a time, in milliseconds since the epoch.
    #[must_use]
    pub fn at(self, now: u64) -> u64 {
        match self {
            Self::Constant(value) => value,
            Self::Ramp { from, to, length } => {
                let passed = u128::from(now.checked_rem(length).unwrap_or_default());
                let way = u128::from(from.abs_diff(to)).saturating_mul(passed);
                let way = way.checked_div(u128::from(length)).unwrap_or_default();
                let way = u64::try_from(way).unwrap_or(u64::MAX);
                if from <= to { from.saturating_add(way) } else { from.saturating_sub(way) }
            }
            Self::Noise { from, to, seed } => {
                let mixed = mix(seed ^ mix(now / 1000));
                let span = to.saturating_sub(from).saturating_add(1);
                from.saturating_add(mixed.checked_rem(span).unwrap_or_default())
            }
        }
    }
}

/// Decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Spreads the bits of a number over all of its places (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
