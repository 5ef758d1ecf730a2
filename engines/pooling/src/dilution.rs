//! What pooling costs in sensitivity: real Cq distributions and two different shift models.
//!
//! A pool's Cq is that of its members' summed template, later by a shift that depends on how the
//! pool was made. A pool whose Cq lies beyond the cut-off is missed. The planner uses no run-to-run
//! noise; the simulator adds it.

use crate::field::Mixing;
use crate::population::{COUNT_CAP, Counts};
use serde::{Deserialize, Serialize};

/// Points at which a person's own Cq is integrated out (equal-probability quantiles).
pub(crate) const GRID: usize = 64;
/// Width of the Cq histogram bins used for sums of several positives.
const BIN: f64 = 0.1;
/// Two equal Cq values give a pool one cycle earlier; eight give three. Room for that.
const HEADROOM: f64 = 3.5;
const MAX_VALUES: usize = 1_000_000;
const CQ_MAX: f64 = 100.0;

/// Cq values of positive persons tested singly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CqDistribution {
    sorted: Vec<f64>,
}

impl CqDistribution {
    /// Takes 1 to a million values in (0, 100]; the message names the first value that is not.
    pub fn new(mut values: Vec<f64>) -> Result<Self, String> {
        if values.is_empty() || values.len() > MAX_VALUES {
            return Err(format!("a Cq distribution needs 1 to {MAX_VALUES} values, got {}", values.len()));
        }
        let allowed = |cq: &f64| *cq > 0.0 && *cq <= CQ_MAX;
        if let Some(at) = values.iter().position(|cq| !allowed(cq)) {
            return Err(format!("value {}: {} is not a Cq", at + 1, values[at]));
        }
        values.sort_by(f64::total_cmp);
        Ok(Self { sorted: values })
    }

    /// Share of values at or before `cq`.
    pub fn share_until(&self, cq: f64) -> f64 {
        self.sorted.partition_point(|value| *value <= cq) as f64 / self.sorted.len() as f64
    }

    /// The value below which the given share lies.
    pub fn quantile(&self, share: f64) -> f64 {
        let at = (share.clamp(0.0, 1.0) * self.sorted.len() as f64) as usize;
        self.sorted[at.min(self.sorted.len() - 1)]
    }

    fn grid(&self) -> [f64; GRID] {
        std::array::from_fn(|i| self.quantile((i as f64 + 0.5) / GRID as f64))
    }
}

/// A collection tube of the assay's kit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SwabTube {
    pub max_swabs: u32,
    pub volume_ml: f64,
}

/// How much later a pool's Cq is than that of its only positive member tested singly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mixing")]
pub enum ShiftModel {
    /// `n` swabs in one tube: every swab gives all it carries, into a larger volume.
    /// Shift = log2(tube volume ÷ single volume) + inhibitor term.
    Swab {
        single_volume_ml: f64,
        /// The kit's tubes; a pool takes the smallest one that holds it.
        tubes: Vec<SwabTube>,
        /// Extra cycles from the larger load of inhibiting matter in a shared tube.
        inhibitor_cycles: f64,
    },
    /// `n` equal volumes mixed: shift = log2(n).
    Aliquot,
}

impl ShiftModel {
    /// The operation this model is about.
    pub fn mixing(&self) -> Mixing {
        match self {
            Self::Swab { .. } => Mixing::Swab,
            Self::Aliquot => Mixing::Aliquot,
        }
    }

    /// Cycles of delay for a pool of `n` persons; `None` when no tube holds it.
    pub fn shift_cycles(&self, n: u32) -> Option<f64> {
        match self {
            _ if n <= 1 => Some(0.0),
            Self::Aliquot => Some(f64::from(n).log2()),
            Self::Swab { single_volume_ml, tubes, inhibitor_cycles } => tubes
                .iter()
                .filter(|tube| tube.max_swabs >= n)
                .min_by_key(|tube| tube.max_swabs)
                .map(|tube| (tube.volume_ml / single_volume_ml).log2() + inhibitor_cycles),
        }
    }
}

/// Cq distribution, cut-off and shift together: everything the planner knows about dilution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dilution {
    pub cq_distribution: CqDistribution,
    /// A test with a Cq later than this is negative.
    pub cutoff: f64,
    pub shift: ShiftModel,
}

impl Dilution {
    /// Share of positives that a pool of `n` would show if they were its only positive member.
    /// 0 when the pool cannot be made.
    pub fn kept(&self, n: u32) -> f64 {
        self.shift.shift_cycles(n).map_or(0.0, |shift| self.cq_distribution.share_until(self.cutoff - shift))
    }
}

/// Detection probabilities of pools, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Detection<'a> {
    dilution: &'a Dilution,
    own_cq: [f64; GRID],
    first_bin: f64,
    /// `joint[k - 2]`: distribution function of the combined Cq of `k` positives, by bin.
    joint: Vec<Vec<f64>>,
}

impl<'a> Detection<'a> {
    pub(crate) fn new(dilution: &'a Dilution) -> Self {
        let own_cq = dilution.cq_distribution.grid();
        let first_bin = own_cq[0] - HEADROOM;
        let bins = ((own_cq[GRID - 1] - first_bin) / BIN) as usize + 2;
        let mut mass = vec![0.0; bins];
        for cq in own_cq {
            spread(&mut mass, (cq - first_bin) / BIN, 1.0 / GRID as f64);
        }
        let mut joint = Vec::with_capacity(COUNT_CAP - 1);
        for _ in 2..=COUNT_CAP {
            mass = add_one_positive(&mass, &own_cq, first_bin);
            joint.push(cumulative(&mass));
        }
        Self { dilution, own_cq, first_bin, joint }
    }

    /// Probability that `k` positives together have a Cq of at most `limit`.
    fn combined_until(&self, k: usize, limit: f64) -> f64 {
        match k {
            0 => 0.0,
            1 => self.dilution.cq_distribution.share_until(limit),
            _ => {
                let cumulative = &self.joint[(k - 2).min(COUNT_CAP - 2)];
                let at = (limit - self.first_bin) / BIN;
                if at < 0.0 {
                    return 0.0;
                }
                cumulative[(at as usize).min(cumulative.len() - 1)]
            }
        }
    }

    /// Probability that a pool of `n` with `k` positives is before the cut-off.
    pub(crate) fn of_pool(&self, n: u32, k: usize) -> f64 {
        let shift = self.dilution.shift.shift_cycles(n);
        shift.map_or(0.0, |s| self.combined_until(k, self.dilution.cutoff - s))
    }

    /// The same for the pool of a positive person, at each grid point of the person's own Cq, with
    /// the number of other positives distributed as given.
    pub(crate) fn of_person(&self, n: u32, others: &Counts) -> [f64; GRID] {
        let Some(shift) = self.dilution.shift.shift_cycles(n) else {
            return [0.0; GRID];
        };
        let limit = self.dilution.cutoff - shift;
        self.own_cq.map(|own| {
            if own <= limit {
                return 1.0;
            }
            // What the others must bring so that both together reach the limit.
            let missing = limit - (1.0 - (limit - own).exp2()).log2();
            let probabilities = others.iter().enumerate().skip(1).filter(|(_, p)| **p > 0.0);
            probabilities.map(|(k, p)| p * self.combined_until(k, missing)).sum()
        })
    }
}

/// Puts mass on the two bins around a fractional position.
fn spread(mass: &mut [f64], at: f64, weight: f64) {
    let low = (at.max(0.0) as usize).min(mass.len() - 2);
    let part = (at - low as f64).clamp(0.0, 1.0);
    mass[low] += weight * (1.0 - part);
    mass[low + 1] += weight * part;
}

fn add_one_positive(mass: &[f64], own_cq: &[f64; GRID], first_bin: f64) -> Vec<f64> {
    // Earlier by log2(1 + 2^-d) than the earlier of two values that are d apart.
    let gain: Vec<f64> = (0..mass.len() + 1).map(|d| (1.0 + (-(d as f64) * BIN).exp2()).log2() / BIN).collect();
    let mut sum = vec![0.0; mass.len()];
    for (bin, weight) in mass.iter().enumerate().filter(|(_, weight)| **weight > 1e-12) {
        for cq in own_cq {
            let other = (cq - first_bin) / BIN;
            let (low, high) = (other.min(bin as f64), other.max(bin as f64));
            let apart = ((high - low) as usize).min(mass.len());
            spread(&mut sum, low - gain[apart], weight / GRID as f64);
        }
    }
    sum
}

fn cumulative(mass: &[f64]) -> Vec<f64> {
    let mut total = 0.0;
    let add = |weight: &f64| {
        total += weight;
        total.min(1.0)
    };
    mass.iter().map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dilution(cutoff: f64) -> Dilution {
        let values = (0..400).map(|i| 20.0 + f64::from(i) * 0.04).collect();
        Dilution { cq_distribution: CqDistribution::new(values).expect("valid"), cutoff, shift: ShiftModel::Aliquot }
    }

    #[test]
    fn the_two_shift_models_differ() {
        let tubes = [(5, 3.0), (10, 6.0), (20, 12.0)];
        let swab = ShiftModel::Swab {
            single_volume_ml: 3.0,
            tubes: tubes.map(|(max_swabs, volume_ml)| SwabTube { max_swabs, volume_ml }).to_vec(),
            inhibitor_cycles: 0.25,
        };
        assert_eq!(swab.shift_cycles(10), Some(1.25));
        assert_eq!(swab.shift_cycles(11), Some(2.25));
        assert_eq!(swab.shift_cycles(21), None);
        assert_eq!(ShiftModel::Aliquot.shift_cycles(16), Some(4.0));
        assert_eq!(swab.shift_cycles(1), Some(0.0));
    }

    #[test]
    fn larger_pools_keep_fewer_and_more_positives_keep_more() {
        let dilution = dilution(33.0);
        let detection = Detection::new(&dilution);
        for n in [2, 5, 10, 30] {
            assert!(dilution.kept(n + 1) <= dilution.kept(n));
            for k in 1..COUNT_CAP {
                assert!(detection.of_pool(n, k + 1) >= detection.of_pool(n, k) - 0.01);
            }
        }
    }

    #[test]
    fn two_positives_match_direct_summation() {
        let dilution = dilution(33.0);
        let detection = Detection::new(&dilution);
        let values = &dilution.cq_distribution.sorted;
        let limit = 33.0 - 8f64.log2();
        let mut until = 0usize;
        for a in values {
            let pairs = values.iter().map(|b| -((-a).exp2() + (-b).exp2()).log2());
            until += pairs.filter(|cq| *cq <= limit).count();
        }
        let share = until as f64 / (values.len() * values.len()) as f64;
        assert!((detection.of_pool(8, 2) - share).abs() < 0.01);
    }

    #[test]
    fn bad_cq_lists_are_refused_with_their_place() {
        let message = CqDistribution::new(vec![30.0, f64::NAN]).map_err(|e| e.starts_with("value 2"));
        assert_eq!(message, Err(true));
        assert!(CqDistribution::new(Vec::new()).is_err());
    }
}
