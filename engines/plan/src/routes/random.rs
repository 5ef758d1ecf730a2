//! Draws from a seed: SplitMix64 (Steele, Lea and Flood 2014), so a run repeats from its seed alone.

/// A stream of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Different seeds and streams of one seed are unrelated.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut start = Self(seed ^ stream.wrapping_mul(0xA076_1D64_78BD_642F));
        Self(start.next_u64())
    }

    #[inline]
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Uniform in `0..bound`; 0 when the bound is 0.
    #[inline]
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (((self.next_u64() >> 32).wrapping_mul(bound as u64)) >> 32) as usize
    }

    /// Uniform in (0, 1].
    #[inline]
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    #[inline]
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() <= probability
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn draws_repeat_and_stay_in_bounds() {
        let (mut one, mut same, mut other) = (Random::new(7, 0), Random::new(7, 0), Random::new(7, 1));
        let draws: Vec<usize> = (0..1000).map(|_| one.below(10)).collect();
        assert_eq!(draws, (0..1000).map(|_| same.below(10)).collect::<Vec<_>>());
        assert_ne!(draws, (0..1000).map(|_| other.below(10)).collect::<Vec<_>>());
        assert!((0..10).all(|value| draws.iter().filter(|draw| **draw == value).count() > 60));
        let mut shuffled: Vec<usize> = (0..50).collect();
        one.shuffle(&mut shuffled);
        assert!(shuffled.windows(2).any(|pair| pair[0] > pair[1]));
        shuffled.sort_unstable();
        assert_eq!(shuffled, (0..50).collect::<Vec<_>>());
    }
}
