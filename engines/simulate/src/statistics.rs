//! Means with confidence over replications, and percentiles in bounded memory.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Mean and sample variance (`None` for fewer than two values).
pub fn mean_and_variance(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / count };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (values.len() > 1).then(|| squares / (count - 1.0)))
}

/// Mean and half-width of its 95 % confidence interval (Student t).
pub fn mean_and_half_width(values: &[f64]) -> (f64, Option<f64>) {
    let (mean, variance) = mean_and_variance(values);
    let half_width = variance.map(|variance| t_quantile_975(values.len() as u32 - 1) * (variance / values.len() as f64).sqrt());
    (mean, half_width)
}

/// The 0.975 quantile of Student's t with `df` ≥ 1 degrees of freedom, to about 1e-12.
pub fn t_quantile_975(df: u32) -> f64 {
    // In the angle θ = atan(t/√df) the distribution is finite for every df, 1 included.
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if t_central(middle, df) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.tan() * f64::from(df).sqrt()
}

/// P(|T| ≤ √df·tan θ): the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn t_central(theta: f64, df: u32) -> f64 {
    let square = theta.cos().powi(2);
    let odd = df % 2 == 1;
    let (mut term, mut sum) = if odd { (theta.cos(), 0.0) } else { (1.0, 0.0) };
    let mut k = if odd { 1 } else { 0 };
    while k + 2 <= df {
        sum += term;
        term *= square * f64::from(k + 1) / f64::from(k + 2);
        k += 2;
    }
    if odd { FRAC_2_PI * (theta + theta.sin() * sum) } else { theta.sin() * sum }
}

/// Up to so many values percentiles are exact.
pub const MOST_EXACT: u64 = 1 << 22;

/// Mantissa bits that tell buckets apart: a bucket is 2⁻⁸ of its value wide, so its middle is within 0.2 %.
const MANTISSA_BITS: u32 = 8;
/// Below 2⁻³⁰ s (a nanosecond) everything counts as 0.
const LEAST_EXPONENT: u64 = 1023 - 30;
/// 2⁶² s lie beyond any sum of bounded times that anybody waits for.
const MOST_EXPONENT: u64 = 1023 + 62;
const BUCKETS: usize = ((MOST_EXPONENT - LEAST_EXPONENT) << MANTISSA_BITS) as usize + 1;

/// Non-negative values for nearest-rank percentiles: all of them while they are few, else counts in narrow buckets.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    Exact(Vec<f64>),
    Buckets(Vec<u64>),
}

impl Sample {
    /// For so many values in all replications together.
    pub fn for_count(count: u64) -> Self {
        if count <= MOST_EXACT { Self::Exact(Vec::new()) } else { Self::Buckets(vec![0; BUCKETS]) }
    }

    /// Takes in the values; their order leaves no trace in the percentiles.
    pub fn extend(&mut self, values: &[f64]) {
        match self {
            Self::Exact(all) => all.extend_from_slice(values),
            Self::Buckets(counts) => values.iter().for_each(|value| counts[bucket(*value)] += 1),
        }
    }

    /// The smallest value with at least `percent` of all values not above it; 0 without values.
    pub fn percentile(&mut self, percent: f64) -> f64 {
        match self {
            Self::Exact(all) => nearest_rank(all, percent),
            Self::Buckets(counts) => {
                let rank = rank(counts.iter().sum(), percent);
                let mut below = 0;
                let found = counts.iter().position(|count| {
                    below += count;
                    below > rank
                });
                found.map_or(0.0, middle)
            }
        }
    }
}

/// Nearest rank of the values, which it reorders; 0 without values.
pub fn nearest_rank(values: &mut [f64], percent: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = rank(values.len() as u64, percent) as usize;
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// ⌈percent/100·count⌉, counted from 0.
fn rank(count: u64, percent: f64) -> u64 {
    // Multiplied first: 95·20/100 is exact, 0.95·20 is not.
    let rank = (percent * count as f64 / 100.0).ceil() as u64;
    rank.clamp(1, count.max(1)) - 1
}

fn bucket(value: f64) -> usize {
    let bits = value.to_bits() >> (52 - MANTISSA_BITS);
    let least = LEAST_EXPONENT << MANTISSA_BITS;
    if bits < least { 0 } else { ((bits - least) as usize + 1).min(BUCKETS - 1) }
}

fn middle(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let edge = |bucket: u64| f64::from_bits((bucket + (LEAST_EXPONENT << MANTISSA_BITS)) << (52 - MANTISSA_BITS));
    (edge(bucket as u64 - 1) + edge(bucket as u64)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_agree_with_tables() {
        let table = [
            (1, 12.706_204_736_432_095),
            (2, 4.302_652_729_911_275),
            (3, 3.182_446_305_284_263),
            (4, 2.776_445_105_197_793),
            (9, 2.262_157_162_740_991),
            (29, 2.045_229_642_132_703),
            (30, 2.042_272_456_301_237),
            (199, 1.971_956_544_249_395),
            (1000, 1.962_339_080_826_408),
        ];
        for (df, quantile) in table {
            assert!((t_quantile_975(df) - quantile).abs() < 1e-9, "{df}: {}", t_quantile_975(df));
        }
        assert!((t_quantile_975(999_999) - 1.959_966_3).abs() < 1e-6);
    }

    #[test]
    fn means_have_confidence_from_two_values_on() {
        assert_eq!(mean_and_half_width(&[]), (0.0, None));
        assert_eq!(mean_and_half_width(&[3.0]), (3.0, None));
        let (mean, half_width) = mean_and_half_width(&[1.0, 2.0, 3.0]);
        assert_eq!(mean, 2.0);
        assert!(half_width.is_some_and(|half_width| (half_width - 4.302_652_729_911_275 / 3.0f64.sqrt()).abs() < 1e-9));
    }

    #[test]
    fn nearest_ranks_by_hand() {
        let mut values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let ranks: Vec<f64> = [0.0, 5.0, 50.0, 95.0, 95.1, 100.0].into_iter().map(|percent| nearest_rank(&mut values, percent)).collect();
        assert_eq!(ranks, vec![1.0, 1.0, 10.0, 19.0, 20.0, 20.0]);
        assert_eq!(nearest_rank(&mut [], 50.0), 0.0);
    }

    #[test]
    fn buckets_stay_within_a_fifth_of_a_percent() {
        let mut exact = Sample::for_count(1);
        let mut buckets = Sample::for_count(MOST_EXACT + 1);
        for values in (1..=1000).map(|k| [f64::from(k).powi(3) * 1e-3, 0.0]) {
            exact.extend(&values);
            buckets.extend(&values);
        }
        for percent in [1.0, 50.0, 50.1, 60.0, 95.0, 99.0, 100.0] {
            let (expected, seen) = (exact.percentile(percent), buckets.percentile(percent));
            assert!((seen - expected).abs() <= expected * 0.002, "{percent}: {seen} for {expected}");
        }
        assert_eq!((bucket(0.0), bucket(1e-12), bucket(1e300)), (0, 0, BUCKETS - 1));
        assert_eq!(Sample::for_count(MOST_EXACT + 1).percentile(50.0), 0.0);
    }
}
