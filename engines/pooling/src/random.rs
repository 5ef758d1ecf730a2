//! Randomness as an argument: simulations draw from a source the caller passes in.

/// A stream of uniformly distributed 64-bit words.
pub trait RandomSource {
    fn next_u64(&mut self) -> u64;

    /// Uniform in [0, 1), 53 bits.
    fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with the given probability.
    fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Uniform in 0..bound (0 when the bound is 0).
    fn below(&mut self, bound: usize) -> usize {
        ((self.uniform() * bound as f64) as usize).min(bound.saturating_sub(1))
    }

    /// Standard normal deviate (Box–Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Gamma deviate with scale 1 (Marsaglia and Tsang 2000). The shape must be positive.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.uniform()).powf(1.0 / shape);
            return boost * self.gamma(shape + 1.0);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        // Each attempt succeeds with probability above 0.95, so the bound is never felt.
        for _ in 0..1000 {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
        d
    }

    /// Beta deviate. Both shapes must be positive.
    fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.gamma(a);
        let sum = x + self.gamma(b);
        if sum > 0.0 { x / sum } else { a / (a + b) }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the k-th word is a hash of seed + k, so a run repeats
/// from its seed alone.
#[derive(Debug, Clone)]
pub struct SeededSource(u64);

impl SeededSource {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl RandomSource for SeededSource {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(draw: impl FnMut() -> f64) -> (f64, f64) {
        let mut draw = draw;
        let values: Vec<f64> = (0..20_000).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        (mean, squares.sum::<f64>() / 20_000.0)
    }

    #[test]
    fn deviates_have_their_moments() {
        let mut source = SeededSource::new(1);
        let (mean, variance) = mean_and_variance(|| source.normal());
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04);
        let (a, b) = (0.3, 5.0);
        let (mean, variance) = mean_and_variance(|| source.beta(a, b));
        let expected = a * b / ((a + b).powi(2) * (a + b + 1.0));
        assert!((mean - a / (a + b)).abs() < 0.003);
        assert!((variance - expected).abs() < 0.001);
    }

    #[test]
    fn a_seed_repeats_its_stream() {
        let mut first = SeededSource::new(7);
        let mut second = SeededSource::new(7);
        assert!((0..100).all(|_| first.next_u64() == second.next_u64()));
        assert!((0..1000).all(|_| first.below(3) < 3));
    }
}
