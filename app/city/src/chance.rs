//! Counter-based chance: what is drawn depends on (seed, purpose, key) alone, never on what was drawn before for others.
//!
//! Only integer arithmetic, additions and multiplications are used, so a seed gives the same city on every machine.

/// What a draw is for. Every purpose is a stream of its own, so that adding one changes none of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub(crate) enum Purpose {
    City = 1,
    Household,
    Person,
    Name,
    Document,
    Employment,
    Enterprise,
    RosterError,
    HouseholdInfection,
    WorkplaceInfection,
    PersonInfection,
    Attendance,
    Party,
    Mishap,
    Sampling,
    Courier,
    Swab,
    Well,
    Controls,
    Kill,
    Flip,
    Power,
    Clock,
}

/// A short private stream of random numbers (SplitMix64).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance(u64);

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    pub(crate) fn new(seed: u64, purpose: Purpose, key: u64) -> Self {
        let of_purpose = mix(seed.wrapping_add((purpose as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self(mix(of_purpose ^ key.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform whole number in 0..limit; 0 when the limit is 0.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u32
    }

    /// Uniform in low..=high.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Standard normal to within ±6: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u32) as usize]
    }

    /// One of the values, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let total = of.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total);
        for (value, weight) in of {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        of[of.len() - 1].0
    }
}

/// The place of `index` after shuffling 0..modulus: different for every index below it. `step` has no factor in common
/// with the modulus, which makes it a permutation.
pub(crate) fn shuffled(index: u64, modulus: u64, step: u64, seed: u64) -> u64 {
    let start = mix(seed) % modulus;
    ((u128::from(index) * u128::from(step) + u128::from(start)) % u128::from(modulus)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_seed_purpose_and_key() {
        let first = |seed, purpose, key| Chance::new(seed, purpose, key).bits();
        let here = first(1, Purpose::Name, 5);
        assert_eq!(here, first(1, Purpose::Name, 5));
        for other in [first(2, Purpose::Name, 5), first(1, Purpose::Person, 5), first(1, Purpose::Name, 6)] {
            assert_ne!(here, other);
        }
    }

    #[test]
    fn draws_keep_to_their_distribution() {
        let mut chance = Chance::new(9, Purpose::City, 0);
        let draws = 20_000;
        let normals: Vec<f64> = (0..draws).map(|_| chance.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(draws);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(draws);
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let heavy = (0..draws).filter(|_| chance.weighted(&[('a', 3), ('b', 1)]) == 'a').count();
        assert!((14_600..15_400).contains(&heavy), "{heavy}");
        assert!((0..draws).all(|_| chance.between(3, 5) < 6));
    }

    #[test]
    fn shuffling_leaves_nobody_out() {
        let mut seen: Vec<u64> = (0..1000).map(|index| shuffled(index, 1000, 387, 4)).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..1000));
    }
}
