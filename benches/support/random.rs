//! Numbers for shuffling, the same for the same seed: SplitMix64 (Steele, Lea, Flood, 2014). Not for secrets.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::scenes::Result;

/// A sequence of numbers.
pub struct Random(u64);

impl Random {
    /// The sequence of `BENCH_SEED`, or of the time, and the seed to print.
    pub fn from_environment() -> Result<(Self, u64)> {
        let seed = match std::env::var("BENCH_SEED") {
            Ok(text) => text.parse()?,
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        };
        Ok((Random(seed), seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Puts items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}
