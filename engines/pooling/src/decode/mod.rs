//! What pool results say about the samples in them, for any 0/1 design.
//!
//! Model: samples are positive independently with their prior; a pool with a positive sample reads
//! positive with the assay's sensitivity, one without reads negative with its specificity; pools
//! without a usable result say nothing. Posteriors are sums over all good explanations
//! (module `search`), reweighed by the pools' Cq values where given (module `cq`).
//!
//! A sample is `positive` when the best explanation needs it, its posterior is not low and no sample in
//! exactly the same pools could stand in its place. That is a presumption: a single test of the person's own specimen confirms it. It is `negative` only when at
//! least one pool speaks for it *and* leaving it off the retest list keeps the required sensitivity.
//! All others are to be retested singly.

mod cq;
mod search;

use crate::matrix::PoolMatrix;
use crate::scheme::Assay;
use search::{Bystander, Component, Explanations, Leaf, Suspect};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Explanations whose Cq values are examined.
const MAX_LEAVES_WITH_CQ: usize = 120;
/// Most positives whose Cq values are fitted together; beyond, pools count as binary.
const MAX_FITTED: usize = 32;
/// Explanations in which every undecided suspect's Cq effect is examined too.
const MAX_LEAVES_EXTENDED: usize = 6;

/// Main cause and pool differ by at most this: three equal members give 1.6 cycles, the rest is noise.
const LATEST_MEMBER: f64 = 2.6;

/// Explanations this much less probable than the likeliest do not count for samples that are not suspected.
const NEGLIGIBLE: f64 = 1e-3;
/// Calls with a lower posterior than this are reported as uncertain.
const CERTAIN_ENOUGH: f64 = 0.6;

/// Result of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Negative,
    Positive {
        cq: Option<f64>,
    },
    /// Missing, invalid, single-target or grey: no evidence either way.
    Unusable,
}

/// What is known about samples beforehand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// Estimated from the pools themselves.
    Estimated,
    /// One prevalence for all.
    Prevalence(f64),
    /// One probability per sample.
    PerSample(Vec<f64>),
}

/// Settings of a decode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodeOptions {
    pub assay: Assay,
    pub prior: Prior,
    /// Share of positive persons that must end up positive or on the retest list.
    pub required_sensitivity: f64,
    /// A sample of the best explanation is called positive when its posterior is above this. Two
    /// samples that explain the pools equally well have about 0.5 each: one is called, the other
    /// retested, and a finding says so. Set 0.6 to retest both.
    pub positive_above: f64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { assay: Assay { sensitivity: 0.98, specificity: 0.998 }, prior: Prior::Estimated, required_sensitivity: 0.99, positive_above: 0.2 }
    }
}

/// What the decoder noticed. Pools and samples count from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Finding {
    /// A positive pool that the best explanation calls false: its other pools contradict it.
    PoolUnexplained { pool: u32 },
    /// A negative pool that holds a sample called positive by its other pools.
    PoolMissedPositive { pool: u32, samples: Vec<u32> },
    /// A sample called positive although others explain its pools about as well.
    PositiveUncertain { sample: u32 },
    /// A pool without a usable result.
    PoolUnusable { pool: u32 },
    /// A sample none of whose pools has a usable result.
    SampleWithoutEvidence { sample: u32 },
    /// Too many positives for the design: every suspect is retested.
    TooManyExplanations,
}

impl Finding {
    /// Stable code for messages and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PoolUnexplained { .. } => "pool_unexplained",
            Self::PoolMissedPositive { .. } => "pool_missed_positive",
            Self::PositiveUncertain { .. } => "positive_uncertain",
            Self::PoolUnusable { .. } => "pool_unusable",
            Self::SampleWithoutEvidence { .. } => "sample_without_evidence",
            Self::TooManyExplanations => "too_many_explanations",
        }
    }

    /// The pool it is about, from 0.
    pub fn pool(&self) -> Option<u32> {
        match self {
            Self::PoolUnexplained { pool } | Self::PoolMissedPositive { pool, .. } | Self::PoolUnusable { pool } => Some(*pool),
            _ => None,
        }
    }

    /// The samples it is about, from 0.
    pub fn samples(&self) -> &[u32] {
        match self {
            Self::PoolMissedPositive { samples, .. } => samples,
            Self::PositiveUncertain { sample } | Self::SampleWithoutEvidence { sample } => std::slice::from_ref(sample),
            _ => &[],
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolUnexplained { pool } => write!(f, "pool {}: positive, but its samples' other pools are negative", pool + 1),
            Self::PoolMissedPositive { pool, samples } => {
                let names: Vec<String> = samples.iter().map(|s| (s + 1).to_string()).collect();
                write!(f, "pool {}: negative, but holds sample {}", pool + 1, names.join(", "))
            }
            Self::PositiveUncertain { sample } => {
                write!(f, "sample {}: others explain its pools about as well", sample + 1)
            }
            Self::PoolUnusable { pool } => write!(f, "pool {}: no usable result", pool + 1),
            Self::SampleWithoutEvidence { sample } => {
                write!(f, "sample {}: no pool with a usable result", sample + 1)
            }
            Self::TooManyExplanations => {
                write!(f, "too many explanations: the design cannot tell so many positives apart")
            }
        }
    }
}

/// Result of a decode. Samples count from 0; the three lists are ascending and disjoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decoded {
    pub positive: Vec<u32>,
    pub negative: Vec<u32>,
    pub retest: Vec<u32>,
    /// Probability of being positive, per sample.
    pub posterior: Vec<f64>,
    pub findings: Vec<Finding>,
    /// Mean prior that was used.
    pub prevalence: f64,
}

/// Decodes the readings of a design's pools.
///
/// Refuses readings or priors of the wrong number, and probabilities out of range.
pub fn decode(matrix: &PoolMatrix, readings: &[Reading], options: &DecodeOptions) -> Result<Decoded, String> {
    let priors = priors(matrix, readings, options)?;
    let case = Case { matrix, readings, priors: &priors, assay: bounded(options.assay) };
    let components = case.components();
    let mut odds: Vec<f64> = priors.iter().map(|prior| prior / (1.0 - prior)).collect();
    let mut posterior = vec![None; matrix.sample_count()];
    let mut called_false = vec![false; matrix.pool_count()];
    let mut cut_short = false;
    let mut best = vec![false; matrix.sample_count()];
    for component in &components {
        let explanations = case.explain(component, &mut posterior, &mut odds);
        let most_probable = explanations.leaves.first().filter(|_| explanations.best_is_known());
        if let Some(most_probable) = most_probable {
            for pool in &most_probable.false_pools {
                called_false[component.positive[*pool as usize].0 as usize] = true;
            }
            for index in &most_probable.included {
                best[component.suspects[*index as usize].sample as usize] = true;
            }
        }
        if !explanations.are_enough() {
            cut_short = true;
            case.judge_apart(component, &mut posterior);
        }
    }
    let of_odds = |(posterior, odds): (Option<f64>, f64)| posterior.unwrap_or(odds / (1.0 + odds));
    let mut decoded = Decoded {
        positive: Vec::new(),
        negative: Vec::new(),
        retest: Vec::new(),
        prevalence: priors.iter().sum::<f64>() / priors.len().max(1) as f64,
        findings: Vec::new(),
        posterior: posterior.into_iter().zip(odds).map(of_odds).collect(),
    };
    case.decide(&mut decoded, &best, options);
    case.find(&mut decoded, &called_false, cut_short);
    Ok(decoded)
}

/// Certain tests would make some explanations impossible and others infinitely better.
fn bounded(assay: Assay) -> Assay {
    Assay { sensitivity: assay.sensitivity.clamp(0.5, 0.9999), specificity: assay.specificity.clamp(0.5, 0.9999) }
}

fn priors(matrix: &PoolMatrix, readings: &[Reading], options: &DecodeOptions) -> Result<Vec<f64>, String> {
    let samples = matrix.sample_count();
    if readings.len() != matrix.pool_count() {
        let (given, pools) = (readings.len(), matrix.pool_count());
        return Err(format!("{given} readings for {pools} pools"));
    }
    if !options.assay.is_valid() {
        return Err("sensitivity and specificity must be probabilities with a sum above 1".to_owned());
    }
    let cq = |reading: &Reading| matches!(reading, Reading::Positive { cq: Some(cq) } if !(*cq > 0.0 && *cq < 100.0));
    if let Some(pool) = readings.iter().position(cq) {
        return Err(format!("pool {}: the Cq is not between 0 and 100", pool + 1));
    }
    let priors = match &options.prior {
        Prior::Estimated => vec![estimate(matrix, readings, bounded(options.assay)); samples],
        Prior::Prevalence(prevalence) => vec![*prevalence; samples],
        Prior::PerSample(priors) if priors.len() == samples => priors.clone(),
        Prior::PerSample(priors) => {
            return Err(format!("{} priors for {samples} samples", priors.len()));
        }
    };
    match priors.iter().position(|prior| !(0.0..=1.0).contains(prior)) {
        Some(sample) => Err(format!("sample {}: the prior is not a probability", sample + 1)),
        None => Ok(priors.into_iter().map(|prior| prior.clamp(1e-9, 0.9)).collect()),
    }
}

/// Most probable prevalence given how many pools are positive, with a weak pull to one in a hundred.
fn estimate(matrix: &PoolMatrix, readings: &[Reading], assay: Assay) -> f64 {
    let mut by_size = std::collections::BTreeMap::<usize, (f64, f64)>::new();
    for (pool, reading) in readings.iter().enumerate() {
        let counts = by_size.entry(matrix.members(pool).len()).or_default();
        match reading {
            Reading::Negative => counts.0 += 1.0,
            Reading::Positive { .. } => counts.1 += 1.0,
            Reading::Unusable => {}
        }
    }
    let quality = |p: f64| {
        let mut sum = p.ln() + 99.0 * (1.0 - p).ln();
        for (size, (negative, positive)) in &by_size {
            let clean = (1.0 - p).powi(*size as i32);
            let chance = assay.sensitivity * (1.0 - clean) + (1.0 - assay.specificity) * clean;
            sum += positive * chance.ln() + negative * (1.0 - chance).ln();
        }
        sum
    };
    let candidates = (0..80).map(|i| 1e-4 * 5000f64.powf(f64::from(i) / 79.0));
    let scored = candidates.map(|p| (quality(p), p));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.01, |(_, p)| p)
}

struct Case<'a> {
    matrix: &'a PoolMatrix,
    readings: &'a [Reading],
    priors: &'a [f64],
    assay: Assay,
}

impl Case<'_> {
    /// Cost of calling a positive pool false.
    fn false_cost(&self) -> f64 {
        (self.assay.sensitivity / (1.0 - self.assay.specificity)).ln()
    }

    /// Cost of a positive sample in a negative pool.
    fn missed_cost(&self) -> f64 {
        (self.assay.specificity / (1.0 - self.assay.sensitivity)).ln()
    }

    fn include_cost(&self, sample: usize) -> f64 {
        ((1.0 - self.priors[sample]) / self.priors[sample]).ln()
    }

    /// Samples worth suspecting, grouped by the positive pools they share.
    fn components(&self) -> Vec<Component> {
        let suspected: Vec<usize> = (0..self.matrix.sample_count()).filter(|sample| self.is_suspect(*sample)).collect();
        let mut groups = Groups::new(self.readings.len());
        for sample in &suspected {
            // Pools that share a suspect, positive or negative, must be judged together.
            let mut usable = self.usable_pools(*sample);
            if let Some(first) = usable.next() {
                usable.for_each(|pool| groups.join(first, pool));
            }
        }
        let mut by_root = std::collections::BTreeMap::<u32, Component>::new();
        let mut local = vec![u32::MAX; self.readings.len()];
        for (pool, reading) in self.readings.iter().enumerate() {
            let component = by_root.entry(groups.root(pool as u32)).or_default();
            let (list, cost) = match reading {
                Reading::Positive { .. } => (&mut component.positive, self.false_cost()),
                Reading::Negative => (&mut component.negative, self.missed_cost()),
                Reading::Unusable => continue,
            };
            local[pool] = list.len() as u32;
            list.push((pool as u32, cost));
        }
        for sample in 0..self.matrix.sample_count() {
            let is_suspect = suspected.binary_search(&sample).is_ok();
            let mut pools: Vec<(u32, u32)> = self.usable_pools(sample).map(|pool| (groups.root(pool), pool)).collect();
            pools.sort_unstable();
            for pools in pools.chunk_by(|a, b| a.0 == b.0) {
                let component = by_root.entry(pools[0].0).or_default();
                if is_suspect {
                    component.suspects.push(self.suspect(sample, &local));
                } else {
                    component.bystanders.push(self.bystander(sample, pools, &local));
                }
            }
        }
        by_root.into_values().collect()
    }

    fn bystander(&self, sample: usize, pools: &[(u32, u32)], local: &[u32]) -> Bystander {
        let positive = |(_, pool): &&(u32, u32)| matches!(self.readings[*pool as usize], Reading::Positive { .. });
        let (positive, negative): (Vec<_>, Vec<_>) = pools.iter().partition(positive);
        let numbers = |pools: Vec<(u32, u32)>| pools.iter().map(|(_, pool)| local[*pool as usize]).collect();
        Bystander { sample: sample as u32, positive_pools: numbers(positive), negative_pools: numbers(negative) }
    }

    fn usable_pools(&self, sample: usize) -> impl Iterator<Item = u32> {
        let usable = |pool: &u32| self.readings[*pool as usize] != Reading::Unusable;
        self.matrix.pools_of(sample).iter().copied().filter(usable)
    }

    fn is_suspect(&self, sample: usize) -> bool {
        let (mut positive, mut negative) = (0.0, 0.0);
        for pool in self.usable_pools(sample) {
            match self.readings[pool as usize] {
                Reading::Positive { .. } => positive += 1.0,
                _ => negative += 1.0,
            }
        }
        let cost = self.include_cost(sample) + negative * self.missed_cost();
        positive > 0.0 && cost - positive * self.false_cost() < 7.0
    }

    fn suspect(&self, sample: usize, local: &[u32]) -> Suspect {
        let of = |wanted_positive: bool| {
            self.usable_pools(sample)
                .filter(|pool| {
                    let positive = matches!(self.readings[*pool as usize], Reading::Positive { .. });
                    positive == wanted_positive
                })
                .map(|pool| local[pool as usize])
                .collect()
        };
        let explained = self.usable_pools(sample).filter(|pool| self.is_possible_cause(sample, *pool));
        Suspect {
            sample: sample as u32,
            include: self.include_cost(sample).max(1e-3),
            positive_pools: of(true),
            explains: explained.map(|pool| local[pool as usize]).collect(),
            negative_pools: of(false),
        }
    }

    /// Whether a sample could bring most of a positive pool's template. No pool is later than any of
    /// its members, so a member whose other pools are much later than this one is not its cause. One
    /// outlying pool is forgiven.
    fn is_possible_cause(&self, sample: usize, pool: u32) -> bool {
        let pool_cq = |pool: u32| match self.readings[pool as usize] {
            Reading::Positive { cq } => Some(cq),
            _ => None,
        };
        let Some(cq) = pool_cq(pool) else {
            return false;
        };
        let Some(cq) = cq else { return true };
        let later = self.usable_pools(sample).filter_map(pool_cq).flatten();
        later.filter(|other| *other > cq + LATEST_MEMBER).count() <= 1
    }

    /// Explains one component: writes its suspects' posteriors and multiplies its bystanders' odds.
    fn explain(&self, component: &Component, posterior: &mut [Option<f64>], odds: &mut [f64]) -> Explanations {
        let pool_cq = |(pool, _): &(u32, f64)| match self.readings[*pool as usize] {
            Reading::Positive { cq } => cq,
            _ => None,
        };
        let cq: Vec<Option<f64>> = component.positive.iter().map(pool_cq).collect();
        let with_cq = cq.iter().flatten().count() > 1;
        let mut explanations = component.explain(with_cq);
        let fits = |leaf: &Leaf| leaf.included.len() <= MAX_FITTED;
        if with_cq && explanations.leaves.iter().all(fits) {
            let model = cq::CqModel::new(component, cq);
            reweigh(&mut explanations, component, &model);
        }
        let weights = weights(&explanations.leaves);
        let mut sums = vec![0.0; component.suspects.len()];
        let mut factors = vec![0.0; component.bystanders.len()];
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let mut counted = 0.0;
        for (leaf, weight) in explanations.leaves.iter().zip(weights) {
            for index in &leaf.included {
                sums[*index as usize] += weight;
            }
            for (index, odds) in &leaf.free {
                sums[*index as usize] += weight * odds / (1.0 + odds);
            }
            if weight > NEGLIGIBLE * largest {
                counted += weight;
                self.add_bystanders(component, leaf, weight, &mut factors);
            }
        }
        for (suspect, sum) in component.suspects.iter().zip(sums) {
            posterior[suspect.sample as usize] = Some(sum.min(1.0));
        }
        for (bystander, factor) in component.bystanders.iter().zip(factors) {
            odds[bystander.sample as usize] *= factor / counted;
        }
        explanations
    }

    /// When explanations are too many to add up: each suspect's pools are weighed as if they were
    /// independent of all others, and nobody gets a lower probability than that.
    fn judge_apart(&self, component: &Component, posterior: &mut [Option<f64>]) {
        let usable = self.readings.iter().filter(|reading| **reading != Reading::Unusable).count();
        let positive = self.readings.iter().filter(|reading| matches!(reading, Reading::Positive { .. }));
        let share = (positive.count() as f64 / usable.max(1) as f64).clamp(0.01, 0.99);
        let for_positive = self.assay.sensitivity / share;
        let for_negative = (1.0 - self.assay.sensitivity) / (1.0 - share);
        for suspect in &component.suspects {
            let odds =
                (-suspect.include).exp() * for_positive.powi(suspect.positive_pools.len() as i32) * for_negative.powi(suspect.negative_pools.len() as i32);
            let found = &mut posterior[suspect.sample as usize];
            *found = found.map(|found| found.max(odds / (1.0 + odds)));
        }
    }

    /// What each bystander's own positivity would change in the likelihood of one explanation.
    fn add_bystanders(&self, component: &Component, leaf: &Leaf, weight: f64, factors: &mut [f64]) {
        let mut missed = vec![(-self.missed_cost()).exp(); component.negative.len()];
        for index in &leaf.included {
            for pool in &component.suspects[*index as usize].negative_pools {
                missed[*pool as usize] = 1.0;
            }
        }
        let mut explained = vec![1.0; component.positive.len()];
        for pool in &leaf.false_pools {
            explained[*pool as usize] = self.false_cost().exp();
        }
        for (bystander, factor) in component.bystanders.iter().zip(factors) {
            let negative = bystander.negative_pools.iter().map(|pool| missed[*pool as usize]);
            let positive = bystander.positive_pools.iter().map(|pool| explained[*pool as usize]);
            *factor += weight * negative.product::<f64>() * positive.product::<f64>();
        }
    }

    fn decide(&self, decoded: &mut Decoded, best: &[bool], options: &DecodeOptions) {
        let expected: f64 = decoded.posterior.iter().sum();
        let allowed = (1.0 - options.required_sensitivity).max(0.0) * expected.max(1.0);
        let mut rest: Vec<u32> = Vec::new();
        let mut left = 0.0;
        let alike = self.alike_and_not_needed(best);
        for (sample, posterior) in decoded.posterior.iter().enumerate() {
            let mut negatives = self.usable_pools(sample);
            let spoken_for = negatives.any(|pool| self.readings[pool as usize] == Reading::Negative);
            let evidence = self.usable_pools(sample).next().is_some();
            if evidence && best[sample] && *posterior > options.positive_above && !alike.contains(self.matrix.pools_of(sample)) {
                decoded.positive.push(sample as u32);
            } else if !spoken_for {
                decoded.retest.push(sample as u32);
            } else {
                left += posterior;
                rest.push(sample as u32);
            }
        }
        let posterior = &decoded.posterior;
        rest.sort_by(|a, b| posterior[*b as usize].total_cmp(&posterior[*a as usize]));
        for sample in rest {
            if left > allowed {
                left -= posterior[sample as usize];
                decoded.retest.push(sample);
            } else {
                decoded.negative.push(sample);
            }
        }
        decoded.retest.sort_unstable();
        decoded.negative.sort_unstable();
    }

    /// Sets of pools shared by a sample that the best explanation does without: which of those alike is positive, no pool can tell.
    fn alike_and_not_needed(&self, best: &[bool]) -> std::collections::HashSet<&[u32]> {
        (0..self.matrix.sample_count()).filter(|sample| !best[*sample]).map(|sample| self.matrix.pools_of(sample)).collect()
    }

    fn find(&self, decoded: &mut Decoded, called_false: &[bool], cut_short: bool) {
        let findings = &mut decoded.findings;
        for (pool, reading) in self.readings.iter().enumerate() {
            let members = self.matrix.members(pool).iter().copied();
            let pool = pool as u32;
            match reading {
                Reading::Unusable => findings.push(Finding::PoolUnusable { pool }),
                Reading::Positive { .. } if called_false[pool as usize] => {
                    findings.push(Finding::PoolUnexplained { pool });
                }
                Reading::Negative => {
                    let called = |sample: &u32| decoded.positive.binary_search(sample).is_ok();
                    let samples: Vec<u32> = members.filter(called).collect();
                    if !samples.is_empty() {
                        findings.push(Finding::PoolMissedPositive { pool, samples });
                    }
                }
                Reading::Positive { .. } => {}
            }
        }
        let uncertain = |sample: &&u32| decoded.posterior[**sample as usize] < CERTAIN_ENOUGH;
        for sample in decoded.positive.iter().filter(uncertain) {
            findings.push(Finding::PositiveUncertain { sample: *sample });
        }
        for sample in 0..self.matrix.sample_count() {
            if self.usable_pools(sample).next().is_none() {
                let sample = sample as u32;
                findings.push(Finding::SampleWithoutEvidence { sample });
            }
        }
        if cut_short {
            findings.push(Finding::TooManyExplanations);
        }
    }
}

/// Probabilities of the explanations, each with everything it leaves open.
fn weights(leaves: &[Leaf]) -> Vec<f64> {
    let best = leaves.first().map_or(0.0, |leaf| leaf.energy);
    let weight = |leaf: &Leaf| {
        let others: f64 = leaf.free.iter().map(|(_, odds)| (1.0 + odds).ln()).sum();
        (best - leaf.energy + others).exp()
    };
    let raw: Vec<f64> = leaves.iter().map(weight).collect();
    let total: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / total).collect()
}

/// Replaces the explanations' energies by those with Cq values.
fn reweigh(explanations: &mut Explanations, component: &Component, model: &cq::CqModel<'_>) {
    explanations.leaves.truncate(MAX_LEAVES_WITH_CQ);
    for leaf in &mut explanations.leaves {
        leaf.energy = -model.evidence(&leaf.included);
    }
    explanations.leaves.sort_by(|a, b| a.energy.total_cmp(&b.energy));
    for leaf in explanations.leaves.iter_mut().take(MAX_LEAVES_EXTENDED) {
        extend(leaf, component, model);
    }
}

/// The odds of suspects whose pools are all positive anyway, from the fit they would give.
fn extend(leaf: &mut Leaf, component: &Component, model: &cq::CqModel<'_>) {
    let mut included = leaf.included.clone();
    for (index, odds) in &mut leaf.free {
        if component.suspects[*index as usize].negative_pools.is_empty() {
            included.push(*index);
            *odds = (model.evidence(&included) + leaf.energy).exp();
            included.pop();
        }
    }
}

/// Disjoint sets of pools.
struct Groups(Vec<u32>);

impl Groups {
    fn new(pools: usize) -> Self {
        Self((0..pools as u32).collect())
    }

    fn root(&mut self, pool: u32) -> u32 {
        let mut at = pool;
        while self.0[at as usize] != at {
            self.0[at as usize] = self.0[self.0[at as usize] as usize];
            at = self.0[at as usize];
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
