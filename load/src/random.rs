//! Numbers that look random and that a seed repeats.

use std::{ops::RangeInclusive, time::Duration};

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of `seed` for user number `user`: each user has its own, whatever the others draw.
    pub fn new(seed: u64, user: u64) -> Self {
        let mut first = Self(seed);
        Self(first.draw().wrapping_add(user.wrapping_mul(0xa076_1d64_78bd_642f)))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        // The remainder is fair enough for ends far below 2^64.
        (self.draw() % end as u64) as usize
    }

    /// One of `from`, which is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A pause of so many milliseconds.
    pub fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        let span = range.end() - range.start() + 1;
        Duration::from_millis(range.start() + self.draw() % span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_users_have_numbers_of_their_own() {
        let draw = |seed, user| {
            let mut random = Random::new(seed, user);
            [random.draw(), random.draw(), random.draw()]
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn what_is_drawn_lies_in_its_range() {
        let mut random = Random::new(3, 0);
        for _ in 0..1000 {
            assert!(random.below(7) < 7);
            let pause = random.millis(20..=30).as_millis();
            assert!((20..=30).contains(&pause), "{pause}");
        }
    }
}
