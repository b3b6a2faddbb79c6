//! Reproducible random numbers: each is a function of a seed and an index.
//!
//! They are our own code, because the generators of a crate have a state that every draw changes. Here any operation of a million
//! can be computed alone and in any order, and a seed gives the same account in every version.

/// Hashes two numbers to one (the last step of `SplitMix64`).
pub(super) const fn mix(seed: u64, index: u64) -> u64 {
    let mut bits = seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The top 53 bits as a number from 0 to 1, without 1.
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A sequence of numbers, each a function of the seed and of its index.
pub(super) struct Draws {
    seed: u64,
    drawn: u64,
}

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) const fn bits(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn)
    }

    /// A number from `low` to `high`, without `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * unit(self.bits())
    }

    /// A whole number from `low` to `high`, inclusive.
    pub(super) fn whole(&mut self, low: u32, high: u32) -> u32 {
        let choices = u64::from(high - low) + 1;
        low + u32::try_from(self.bits() % choices).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_in_their_range_and_reproducible() {
        let (mut one, mut two) = (Draws::new(7), Draws::new(7));
        for _ in 0..1000 {
            let number = one.whole(3, 9);
            assert!((3..=9).contains(&number));
            assert_eq!(number, two.whole(3, 9));
            let share = one.between(0.1, 0.2);
            assert!((0.1..0.2).contains(&share));
            two.bits();
        }
    }
}
