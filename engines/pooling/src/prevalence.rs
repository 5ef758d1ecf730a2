//! Learning the prevalence from pool results, and when to change the pool size.
//!
//! The belief is a grid over prevalence. A pool of `n` is positive with probability
//! `Se·(1 − a(n)) + (1 − Sp)·a(n)`, where `a(n)` is the chance that all members are negative; with
//! test error and pools of several sizes no closed form exists, so each grid point is weighed.

use crate::population::Population;
use crate::scheme::{Assay, Conditions, Evaluator, Scheme, SchemeError};
use serde::{Deserialize, Serialize};

const POINTS: usize = 1000;
const LOWEST_LOGIT: f64 = -13.8; // one in a million
const HIGHEST_LOGIT: f64 = 0.4; // 60 %

/// What is believed about the prevalence.
#[derive(Debug, Clone, PartialEq)]
pub struct PrevalenceBelief {
    /// Clustering of the population; its prevalence field is not used.
    population: Population,
    log_prior: Vec<f64>,
    log_weight: Vec<f64>,
}

/// Summary of a belief.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PrevalenceEstimate {
    pub mean: f64,
    pub median: f64,
    /// Bounds of the central 95 %.
    pub low: f64,
    pub high: f64,
}

/// Results of pools of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolCounts {
    pub persons_per_pool: u32,
    pub pools: u32,
    pub positive: u32,
}

/// Whether to change the scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwitchAdvice {
    /// Index into the candidates; `None` means stay.
    pub switch_to: Option<usize>,
    /// Expected share of tests the best candidate saves against the present scheme.
    pub expected_saving: f64,
    /// Probability that the best candidate needs fewer tests.
    pub probability_cheaper: f64,
}

fn prevalence_at(point: usize) -> f64 {
    let logit = LOWEST_LOGIT + (HIGHEST_LOGIT - LOWEST_LOGIT) * point as f64 / (POINTS as f64 - 1.0);
    1.0 / (1.0 + (-logit).exp())
}

impl PrevalenceBelief {
    /// Starts from a beta prior worth `strength` persons with the given mean. The clustering is that
    /// of `population`, whose own prevalence is ignored.
    pub fn new(population: Population, mean: f64, strength: f64) -> Self {
        let mean = mean.clamp(1e-6, 0.5);
        let strength = strength.max(1e-3);
        let (a, b) = (mean * strength, (1.0 - mean) * strength);
        // The grid is even in logit, whose Jacobian turns the exponents a − 1, b − 1 into a, b.
        let log_prior: Vec<f64> = (0..POINTS).map(prevalence_at).map(|p| a * p.ln() + b * (1.0 - p).ln()).collect();
        Self { population, log_weight: log_prior.clone(), log_prior }
    }

    /// Takes in pool results. Counts with more positives than pools are cut to the pools.
    pub fn observe(&mut self, counts: PoolCounts, assay: Assay) {
        let positive = f64::from(counts.positive.min(counts.pools));
        let negative = f64::from(counts.pools) - positive;
        for (point, weight) in self.log_weight.iter_mut().enumerate() {
            let population = Population { prevalence: prevalence_at(point), ..self.population };
            let clean = population.all_negative(counts.persons_per_pool);
            let chance = assay.sensitivity * (1.0 - clean) + (1.0 - assay.specificity) * clean;
            let chance = chance.clamp(1e-12, 1.0 - 1e-12);
            *weight += positive * chance.ln() + negative * (1.0 - chance).ln();
        }
    }

    /// Lets old results fade before a new day: 1 keeps them whole, 0 returns to the prior.
    pub fn fade(&mut self, keep: f64) {
        let keep = keep.clamp(0.0, 1.0);
        for (weight, prior) in self.log_weight.iter_mut().zip(&self.log_prior) {
            *weight = prior + keep * (*weight - prior);
        }
    }

    /// Probabilities of the grid's prevalences.
    fn probabilities(&self) -> Vec<f64> {
        let highest = self.log_weight.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let raw: Vec<f64> = self.log_weight.iter().map(|w| (w - highest).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|weight| weight / sum).collect()
    }

    pub fn estimate(&self) -> PrevalenceEstimate {
        let probabilities = self.probabilities();
        let quantile = |share: f64| {
            let mut sum = 0.0;
            let reached = |(_, p): &(usize, &f64)| {
                sum += **p;
                sum >= share
            };
            let found = probabilities.iter().enumerate().find(reached);
            prevalence_at(found.map_or(POINTS - 1, |(point, _)| point))
        };
        PrevalenceEstimate {
            mean: probabilities.iter().enumerate().map(|(i, p)| p * prevalence_at(i)).sum(),
            median: quantile(0.5),
            low: quantile(0.025),
            high: quantile(0.975),
        }
    }

    /// Compares the present scheme with others over everything still believed possible.
    ///
    /// Advises a switch when the best candidate saves at least `worthwhile` (share of tests) in
    /// expectation and is cheaper with at least 80 % probability, so that noise does not make the
    /// field change tubes every morning.
    pub fn advise(&self, conditions: &Conditions, present: &Scheme, candidates: &[Scheme], worthwhile: f64) -> Result<SwitchAdvice, SchemeError> {
        let mut evaluator = Evaluator::new(conditions)?;
        let mut present_cost = 0.0;
        let mut costs = vec![0.0; candidates.len()];
        let mut cheaper = vec![0.0; candidates.len()];
        for (point, probability) in self.probabilities().into_iter().enumerate() {
            if probability < 1e-9 {
                continue;
            }
            evaluator.set_population(Population { prevalence: prevalence_at(point), ..self.population })?;
            let now = evaluator.figures(present)?.tests_per_person;
            present_cost += probability * now;
            for (i, candidate) in candidates.iter().enumerate() {
                let then = evaluator.figures(candidate)?.tests_per_person;
                costs[i] += probability * then;
                cheaper[i] += if then < now { probability } else { 0.0 };
            }
        }
        let best = (0..candidates.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
        let Some(best) = best else {
            return Ok(SwitchAdvice { switch_to: None, expected_saving: 0.0, probability_cheaper: 0.0 });
        };
        let expected_saving = 1.0 - costs[best] / present_cost;
        let probability_cheaper = cheaper[best];
        let switch = expected_saving >= worthwhile && probability_cheaper >= 0.8;
        Ok(SwitchAdvice { switch_to: switch.then_some(best), expected_saving, probability_cheaper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RandomSource, SeededSource};
    use proptest::prelude::*;

    fn conditions(assay: Assay) -> Conditions {
        Conditions { population: Population::independent(0.01), assay, dilution: None }
    }

    #[test]
    fn the_belief_finds_the_prevalence_and_its_doubt_shrinks() {
        let assay = Assay { sensitivity: 0.95, specificity: 0.995 };
        let truth = Population::independent(0.02);
        let mut source = SeededSource::new(11);
        let mut belief = PrevalenceBelief::new(truth, 0.005, 50.0);
        let mut width = f64::INFINITY;
        for _ in 0..4 {
            let mut counts = PoolCounts { persons_per_pool: 10, pools: 1000, positive: 0 };
            for _ in 0..1000 {
                let infected = truth.draw(10, &mut source).contains(&true);
                let chance = if infected { 0.95 } else { 0.005 };
                counts.positive += u32::from(source.chance(chance));
            }
            belief.observe(counts, assay);
            let estimate = belief.estimate();
            assert!(estimate.high - estimate.low < width);
            width = estimate.high - estimate.low;
        }
        let estimate = belief.estimate();
        assert!(estimate.low <= 0.02 && 0.02 <= estimate.high, "{estimate:?}");
        assert!(width < 0.005);
    }

    #[test]
    fn the_scheme_changes_when_prevalence_moves_and_not_before() {
        let assay = Assay::PERFECT;
        let tens = Scheme::Dorfman { size: 10 };
        let others = [Scheme::Dorfman { size: 5 }, Scheme::Dorfman { size: 20 }];
        let advise = |positive: u32| {
            let mut belief = PrevalenceBelief::new(Population::independent(0.0), 0.01, 20.0);
            let counts = PoolCounts { persons_per_pool: 10, pools: 2000, positive };
            belief.observe(counts, assay);
            let advice = belief.advise(&conditions(assay), &tens, &others, 0.05);
            advice.expect("valid").switch_to
        };
        assert_eq!(advise(191), None); // about 1 %
        assert_eq!(advise(1100), Some(0)); // about 8 %
        assert_eq!(advise(20), Some(1)); // about 0.1 %
    }

    #[test]
    fn fading_returns_to_the_prior() {
        let mut belief = PrevalenceBelief::new(Population::independent(0.0), 0.01, 100.0);
        let before = belief.estimate();
        let counts = PoolCounts { persons_per_pool: 5, pools: 100, positive: 60 };
        belief.observe(counts, Assay::PERFECT);
        assert!(belief.estimate().mean > 5.0 * before.mean);
        belief.fade(0.0);
        assert!((belief.estimate().mean - before.mean).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn beliefs_are_probabilities_and_grow_with_positives(
            size in 1u32..30, pools in 1u32..500, share in 0.0..1.0f64,
        ) {
            let positive = (f64::from(pools) * share) as u32;
            let mut previous = 0.0;
            for positive in [positive, (positive + 1).min(pools)] {
                let mut belief = PrevalenceBelief::new(Population::independent(0.0), 0.01, 10.0);
                let counts = PoolCounts { persons_per_pool: size, pools, positive };
                belief.observe(counts, Assay { sensitivity: 0.97, specificity: 0.99 });
                prop_assert!((belief.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-9);
                let estimate = belief.estimate();
                prop_assert!(estimate.low <= estimate.median && estimate.median <= estimate.high);
                prop_assert!(estimate.mean >= previous - 1e-12);
                previous = estimate.mean;
            }
        }
    }
}
