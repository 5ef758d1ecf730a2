//! Checks a plan's figures without any of the planner's formulas: every true state of a small group
//! and every outcome of its pools is enumerated and weighed.
//!
//! Clustering is enumerated group by group; dilution is not (its figures are checked by simulation).

use crate::matrix::PoolMatrix;
use crate::population::Population;
use crate::scheme::{Assay, Figures, Scheme};

/// Largest group whose states are enumerated (2^n of them).
pub const MAX_ENUMERATED_PERSONS: u32 = 16;
const MAX_ENUMERATED_POOLS: usize = 12;

/// Expected figures of a scheme for a small group by enumeration; `None` when the group is too large
/// or the scheme impossible.
pub fn enumerate(scheme: &Scheme, population: &Population, assay: Assay) -> Option<Figures> {
    scheme.validate().ok()?;
    match scheme {
        Scheme::Individual => nested(&[1], population, assay),
        Scheme::Dorfman { size } => nested(&[*size, 1], population, assay),
        Scheme::Hierarchical { sizes } => nested(sizes, population, assay),
        Scheme::Array { rows, columns } => {
            let matrix = PoolMatrix::array(*rows, *columns).ok()?;
            crossed(&matrix, Some(*rows as usize), population, assay)
        }
        Scheme::Matrix { matrix } => crossed(matrix, None, population, assay),
    }
}

/// Differences between claimed and enumerated figures above `tolerance`; empty when they agree or
/// when the group is too large to enumerate.
pub fn verify(scheme: &Scheme, population: &Population, assay: Assay, claimed: &Figures, tolerance: f64) -> Vec<String> {
    let Some(truth) = enumerate(scheme, population, assay) else {
        return Vec::new();
    };
    [
        ("tests_per_person", claimed.tests_per_person, truth.tests_per_person),
        ("sensitivity", claimed.sensitivity, truth.sensitivity),
        ("specificity", claimed.specificity, truth.specificity),
        ("mean_stages", claimed.mean_stages, truth.mean_stages),
    ]
    .into_iter()
    .filter(|(_, claim, truth)| (claim - truth).abs() > tolerance || claim.is_nan())
    .map(|(name, claim, truth)| format!("{name}: claimed {claim}, enumerated {truth}"))
    .collect()
}

/// Probability of one exact state of `n` persons.
fn state_probability(state: u32, n: u32, population: &Population) -> f64 {
    let p = population.prevalence;
    let group = population.clustering.map_or(1, |clustering| clustering.group_size);
    let correlation = population.clustering.map_or(0.0, |clustering| clustering.correlation);
    let mut probability = 1.0;
    let mut positives = 0.0;
    for person in 0..n {
        let seen = f64::from(person % group);
        if person % group == 0 {
            positives = 0.0;
        }
        // Pólya's urn: the next member follows those of the group already seen.
        let weight = correlation / (1.0 - correlation);
        let next = (p + weight * positives) / (1.0 + weight * seen);
        let positive = state >> person & 1 == 1;
        probability *= if positive { next } else { 1.0 - next };
        positives += f64::from(u8::from(positive));
    }
    probability
}

fn test_positive(contains_positive: bool, assay: Assay) -> f64 {
    if contains_positive { assay.sensitivity } else { 1.0 - assay.specificity }
}

/// Sums over states of one group.
#[derive(Default)]
struct Sums {
    tests: f64,
    found: f64,
    positives: f64,
    false_alarms: f64,
    negatives: f64,
    stages: f64,
}

impl Sums {
    /// Adds one person of one state who comes to the final single test with the given probability.
    fn person(&mut self, weight: f64, positive: bool, tested: f64, assay: Assay) {
        let reported = tested * test_positive(positive, assay);
        if positive {
            self.positives += weight;
            self.found += weight * reported;
        } else {
            self.negatives += weight;
            self.false_alarms += weight * reported;
        }
    }

    fn figures(&self, persons: f64, stages: u32) -> Figures {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Figures {
            tests_per_person: self.tests / persons,
            sensitivity: share(self.found, self.positives),
            specificity: 1.0 - share(self.false_alarms, self.negatives),
            mean_stages: self.stages / persons,
            stages,
        }
    }
}

fn nested(sizes: &[u32], population: &Population, assay: Assay) -> Option<Figures> {
    let n = *sizes.first()?;
    if n > MAX_ENUMERATED_PERSONS {
        return None;
    }
    let mut sums = Sums::default();
    for state in 0..1u32 << n {
        let weight = state_probability(state, n, population);
        for person in 0..n {
            let mut reached = 1.0;
            for (stage, size) in sizes.iter().enumerate() {
                sums.tests += weight * reached / f64::from(*size);
                sums.stages += weight * reached;
                if stage + 1 == sizes.len() {
                    sums.person(weight, state >> person & 1 == 1, reached, assay);
                }
                let first = person / size * size;
                let members = (((1u64 << size) - 1) as u32) << first;
                reached *= test_positive(state & members != 0, assay);
            }
        }
    }
    Some(sums.figures(f64::from(n), sizes.len() as u32))
}

/// Single-stage designs; `rows` is given for arrays, whose lonely positive lines are tested too.
fn crossed(matrix: &PoolMatrix, rows: Option<usize>, population: &Population, assay: Assay) -> Option<Figures> {
    let (n, pools) = (matrix.sample_count() as u32, matrix.pool_count());
    if n > MAX_ENUMERATED_PERSONS || pools > MAX_ENUMERATED_POOLS {
        return None;
    }
    let mask = |pools: &[u32]| pools.iter().fold(0u32, |mask, pool| mask | 1 << pool);
    let members: Vec<u32> = (0..pools).map(|pool| mask(matrix.members(pool))).collect();
    let mut sums = Sums::default();
    for state in 0..1u32 << n {
        let weight = state_probability(state, n, population);
        sums.tests += weight * pools as f64;
        for outcome in 0..1u32 << pools {
            let chance: f64 = members
                .iter()
                .enumerate()
                .map(|(pool, members)| {
                    let positive = test_positive(state & members != 0, assay);
                    if outcome >> pool & 1 == 1 { positive } else { 1.0 - positive }
                })
                .product();
            if chance == 0.0 {
                continue;
            }
            for person in 0..n {
                let own = mask(matrix.pools_of(person as usize));
                let tested = f64::from(u8::from(is_tested(own, outcome, rows)));
                let weight = weight * chance;
                sums.tests += weight * tested;
                sums.stages += weight * (1.0 + tested);
                sums.person(weight, state >> person & 1 == 1, tested, assay);
            }
        }
    }
    Some(sums.figures(f64::from(n), 2))
}

fn is_tested(own: u32, outcome: u32, rows: Option<usize>) -> bool {
    if own & outcome == own {
        return true;
    }
    let Some(rows) = rows else { return false };
    let row_outcomes = outcome & ((1 << rows) - 1);
    let column_outcomes = outcome >> rows;
    let own_positive = own & outcome != 0;
    own_positive && (row_outcomes == 0 || column_outcomes == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::Clustering;
    use crate::scheme::{Conditions, Evaluator};
    use proptest::prelude::*;

    fn schemes() -> Vec<Scheme> {
        let cyclic = (0..7).map(|i| vec![i, (i + 1) % 7, (i + 3) % 7]).collect();
        vec![
            Scheme::Individual,
            Scheme::Dorfman { size: 5 },
            Scheme::Hierarchical { sizes: vec![6, 3, 1] },
            Scheme::Hierarchical { sizes: vec![8, 4, 2, 1] },
            Scheme::Array { rows: 3, columns: 3 },
            Scheme::Array { rows: 2, columns: 4 },
            Scheme::Matrix { matrix: PoolMatrix::new(7, cyclic).expect("Fano plane") },
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn formulas_equal_enumeration(p in 0.0..0.9f64, se in 0.6..1.0f64, sp in 0.6..1.0f64) {
            let population = Population::independent(p);
            let assay = Assay { sensitivity: se, specificity: sp };
            let conditions = Conditions { population, assay, dilution: None };
            let mut evaluator = Evaluator::new(&conditions).expect("valid");
            for scheme in schemes() {
                let mut claimed = evaluator.figures(&scheme).expect("valid");
                if p == 0.0 {
                    claimed.sensitivity = 0.0;
                }
                let differences = verify(&scheme, &population, assay, &claimed, 1e-9);
                prop_assert!(differences.is_empty(), "{scheme:?}: {differences:?}");
            }
        }

        #[test]
        fn clustered_pools_equal_enumeration(
            p in 0.001..0.5f64, se in 0.7..1.0f64, sp in 0.7..1.0f64, rho in 0.0..0.9f64,
        ) {
            let clustering = Some(Clustering { group_size: 3, correlation: rho });
            let population = Population { prevalence: p, clustering };
            let assay = Assay { sensitivity: se, specificity: sp };
            let conditions = Conditions { population, assay, dilution: None };
            let mut evaluator = Evaluator::new(&conditions).expect("valid");
            for sizes in [vec![6, 1], vec![9, 3, 1], vec![12, 6, 3, 1]] {
                let scheme = Scheme::Hierarchical { sizes };
                let claimed = evaluator.figures(&scheme).expect("valid");
                let differences = verify(&scheme, &population, assay, &claimed, 1e-9);
                prop_assert!(differences.is_empty(), "{scheme:?}: {differences:?}");
            }
        }
    }

    #[test]
    fn a_wrong_claim_is_found() {
        let population = Population::independent(0.1);
        let scheme = Scheme::Dorfman { size: 4 };
        let mut claimed = enumerate(&scheme, &population, Assay::PERFECT).expect("small");
        claimed.tests_per_person += 1e-3;
        let differences = verify(&scheme, &population, Assay::PERFECT, &claimed, 1e-6);
        assert_eq!(differences.len(), 1);
    }
}
