//! Pseudorandom numbers from a seed, by SplitMix64 (Steele, Lea, Flood, 2014), or chosen numbers, and the draws made
//! with them. Must not know what is drawn.

/// A sequence of numbers.
pub struct Dice {
    /// The chosen numbers, the next at the end; after them comes the sequence of the seed.
    chosen: Vec<u8>,
    seed: u64,
}

impl Dice {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Dice { chosen: Vec::new(), seed }
    }

    /// The numbers that bytes choose, one for each, and after them the sequence whose seed is their count.
    pub fn of(bytes: &[u8]) -> Self {
        Dice { chosen: bytes.iter().rev().copied().collect(), seed: bytes.len() as u64 }
    }

    fn next(&mut self) -> u64 {
        if let Some(chosen) = self.chosen.pop() {
            return chosen.into();
        }
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// True in one of this many draws.
    pub fn one_in(&mut self, draws: usize) -> bool {
        self.below(draws) == 0
    }

    /// One of the choices.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Up to this many of the choices, some perhaps repeated.
    pub fn several<T: Copy>(&mut self, choices: &[T], most: usize) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.pick(choices)).collect()
    }

    /// Puts items in another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}
