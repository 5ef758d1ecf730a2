//! How many members of a pool are positive: independent persons, or persons who share a household
//! or workshop (group random effect).

use crate::random::RandomSource;
use serde::{Deserialize, Serialize};

/// Counts of positives are tabulated up to here; the last entry stands for "this many or more".
pub(crate) const COUNT_CAP: usize = 8;
/// Largest group that shares a random effect.
pub const MAX_GROUP: u32 = 1000;
/// Pools beyond this size are treated as this large.
const MAX_POOL: u32 = 1_000_000;

/// Groups of persons who are positive together more often than by chance. Each group draws its own
/// prevalence from a beta distribution with the population's mean (beta-binomial counts).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    /// Persons per group; groups are pooled together as far as the pool size allows.
    pub group_size: u32,
    /// Correlation of two members of one group, 0 ≤ ρ < 1.
    pub correlation: f64,
}

/// Who is tested.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Share of positive persons, 0..1.
    pub prevalence: f64,
    pub clustering: Option<Clustering>,
}

impl Population {
    pub fn independent(prevalence: f64) -> Self {
        Self { prevalence, clustering: None }
    }

    /// Whether prevalence and correlation are probabilities and the group is not empty.
    pub fn is_valid(&self) -> bool {
        let clustered = self.clustering.is_none_or(|group| (1..=MAX_GROUP).contains(&group.group_size) && (0.0..1.0).contains(&group.correlation));
        (0.0..=1.0).contains(&self.prevalence) && clustered
    }

    /// The same prevalence without the group effect: the members of an array's columns.
    pub(crate) fn unclustered(&self) -> Self {
        Self::independent(self.prevalence)
    }

    /// Beta shapes of a group's own prevalence, with the group size; `None` when independent.
    fn beta_shapes(&self) -> Option<(f64, f64, u32)> {
        let group = self.clustering?;
        let inside = self.prevalence > 0.0 && self.prevalence < 1.0;
        if group.correlation <= 0.0 || group.group_size < 2 || !inside {
            return None;
        }
        let total = (1.0 - group.correlation) / group.correlation;
        let a = self.prevalence * total;
        Some((a, total - a, group.group_size.min(MAX_GROUP)))
    }

    /// Probability that `n` persons pooled together are all negative.
    pub fn all_negative(&self, n: u32) -> f64 {
        let n = n.min(MAX_POOL);
        let Some((a, b, group)) = self.beta_shapes() else {
            return (1.0 - self.prevalence).powi(n as i32);
        };
        let whole = group_all_negative(a, b, group).powi((n / group) as i32);
        whole * group_all_negative(a, b, n % group)
    }

    /// Distribution of the number of positives among `n` persons pooled together.
    pub(crate) fn counts(&self, n: u32) -> Counts {
        let Some((a, b, group)) = self.beta_shapes() else {
            return binomial(n, self.prevalence);
        };
        let mut counts = beta_binomial(n % group, a, b);
        let one_group = beta_binomial(group, a, b);
        for _ in 0..n / group {
            counts = convolve(&counts, &one_group);
        }
        counts
    }

    /// Distribution of the number of positives among the other `n - 1` members of a person's pool,
    /// given the person's own state.
    pub(crate) fn other_counts(&self, n: u32, person_positive: bool) -> Counts {
        let others = n.saturating_sub(1);
        let Some((a, b, group)) = self.beta_shapes() else {
            return binomial(others, self.prevalence);
        };
        let mates = group.min(n).saturating_sub(1);
        let own_group = if person_positive { beta_binomial(mates, a + 1.0, b) } else { beta_binomial(mates, a, b + 1.0) };
        convolve(&own_group, &self.counts(others - mates))
    }

    /// Draws who of `n` consecutive persons is positive.
    pub fn draw(&self, n: usize, source: &mut dyn RandomSource) -> Vec<bool> {
        let Some((a, b, group)) = self.beta_shapes() else {
            return (0..n).map(|_| source.chance(self.prevalence)).collect();
        };
        let mut positives = Vec::with_capacity(n);
        while positives.len() < n {
            let own = source.beta(a, b);
            for _ in 0..(group as usize).min(n - positives.len()) {
                positives.push(source.chance(own));
            }
        }
        positives
    }
}

/// Distribution over 0..=COUNT_CAP; the last entry holds the tail.
pub(crate) type Counts = [f64; COUNT_CAP + 1];

fn group_all_negative(a: f64, b: f64, n: u32) -> f64 {
    (0..n).fold(1.0, |product, i| product * (b + f64::from(i)) / (a + b + f64::from(i)))
}

fn binomial(n: u32, p: f64) -> Counts {
    let mut counts = [0.0; COUNT_CAP + 1];
    if p >= 1.0 {
        counts[COUNT_CAP.min(n as usize)] = 1.0;
        return counts;
    }
    let mut term = (1.0 - p).powi(n as i32);
    for (k, count) in counts.iter_mut().enumerate().take(COUNT_CAP.min(n as usize) + 1) {
        *count = term;
        term *= p / (1.0 - p) * (f64::from(n) - k as f64) / (k as f64 + 1.0);
    }
    with_tail(counts, n)
}

fn beta_binomial(n: u32, a: f64, b: f64) -> Counts {
    let mut counts = [0.0; COUNT_CAP + 1];
    let mut term = group_all_negative(a, b, n);
    for (k, count) in counts.iter_mut().enumerate().take(COUNT_CAP.min(n as usize) + 1) {
        *count = term;
        let k = k as f64;
        let left = f64::from(n) - k;
        term *= left / (k + 1.0) * (a + k) / (b + left - 1.0).max(f64::MIN_POSITIVE);
    }
    with_tail(counts, n)
}

/// Replaces the last entry by everything not in the entries before it.
fn with_tail(mut counts: Counts, n: u32) -> Counts {
    if n as usize > COUNT_CAP {
        let below: f64 = counts[..COUNT_CAP].iter().sum();
        counts[COUNT_CAP] = (1.0 - below).max(0.0);
    }
    counts
}

fn convolve(left: &Counts, right: &Counts) -> Counts {
    let mut sum = [0.0; COUNT_CAP + 1];
    for (i, x) in left.iter().enumerate().filter(|(_, x)| **x > 0.0) {
        for (j, y) in right.iter().enumerate() {
            sum[(i + j).min(COUNT_CAP)] += x * y;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededSource;
    use proptest::prelude::*;

    fn clustered(prevalence: f64, group_size: u32, correlation: f64) -> Population {
        let clustering = Some(Clustering { group_size, correlation });
        Population { prevalence, clustering }
    }

    proptest! {
        #[test]
        fn counts_are_distributions_with_the_same_zero(
            prevalence in 0.0..1.0f64, size in 1u32..60, group in 1u32..12, correlation in 0.0..0.9f64,
        ) {
            let population = clustered(prevalence, group, correlation);
            let counts = population.counts(size);
            prop_assert!((counts.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!((counts[0] - population.all_negative(size)).abs() < 1e-9);
            for person_positive in [false, true] {
                let others = population.other_counts(size, person_positive);
                prop_assert!((others.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn clustering_keeps_pools_cleaner(
            prevalence in 0.001..0.3f64, size in 2u32..40, group in 2u32..10, correlation in 0.01..0.9f64,
        ) {
            let together = clustered(prevalence, group, correlation).all_negative(size);
            prop_assert!(together >= Population::independent(prevalence).all_negative(size) - 1e-12);
        }
    }

    #[test]
    fn drawn_groups_have_the_stated_mean_and_clean_share() {
        let population = clustered(0.05, 4, 0.4);
        let mut source = SeededSource::new(3);
        let positives = population.draw(400_000, &mut source);
        let share = positives.iter().filter(|positive| **positive).count() as f64 / 400_000.0;
        let clean = positives.chunks(8).filter(|pool| !pool.contains(&true)).count() as f64;
        assert!((share - 0.05).abs() < 0.002);
        assert!((clean / 50_000.0 - population.all_negative(8)).abs() < 0.006);
    }
}
