//! Several wells of one target and specimen to one reading.

use super::set::RuleSet;
use super::well::{TargetReading, TargetState, target_state};
use crate::curve::{Call, Reading, Reason};

/// Combines replicates of the same target. Agreement keeps the call and takes the mean Cq; disagreement (in call, or in
/// the side of the cut-off) is ambiguous; an unreadable replicate makes the whole unreadable. `None` for no reading at
/// all, for readings of different targets, and for a target the rule set does not know.
pub fn combine_replicates(rules: &RuleSet, replicates: &[TargetReading]) -> Option<TargetReading> {
    let first = replicates.first()?;
    let target = rules.target(&first.target)?;
    if replicates.iter().any(|other| other.target != first.target) {
        return None;
    }
    let states: Vec<TargetState> = replicates.iter().map(|r| target_state(target, Some(&r.reading))).collect();
    let mut combined = mean_reading(replicates);
    if let Some(unreadable) = replicates.iter().find(|r| r.reading.call == Call::Unreadable) {
        combined = Reading { p_positive: combined.p_positive, ..unreadable.reading.clone() };
    } else if states.iter().any(|state| *state != states[0]) {
        combined.call = Call::Ambiguous;
        add(&mut combined, Reason::ReplicatesDisagree);
    } else if cq_spread(replicates) > rules.replicates.max_cq_spread {
        add(&mut combined, Reason::ReplicateOutlier);
        // An outlier does not take back what every replicate shows, but a mean of such values is not a clean Cq.
        if states[0] != TargetState::Positive {
            combined.call = Call::Ambiguous;
        }
    }
    Some(TargetReading { target: first.target.clone(), reading: combined })
}

/// The first reading with the mean of every Cq, the highest probability of amplification and the reasons of all.
fn mean_reading(replicates: &[TargetReading]) -> Reading {
    let mut combined = replicates[0].reading.clone();
    let readings = || replicates.iter().map(|replicate| &replicate.reading);
    combined.cq = mean(readings().map(|r| r.cq));
    combined.cq_sdm = mean(readings().map(|r| r.cq_sdm));
    combined.cq_plateau = mean(readings().map(|r| r.cq_plateau));
    combined.cq_threshold = mean(readings().map(|r| r.cq_threshold));
    combined.efficiency = mean(readings().map(|r| r.efficiency));
    combined.p_positive = readings().map(|r| r.p_positive).fold(0.0, f64::max);
    combined.reasons = readings().flat_map(|r| r.reasons.iter().copied()).collect();
    combined.reasons.sort_unstable();
    combined.reasons.dedup();
    combined
}

fn add(reading: &mut Reading, reason: Reason) {
    reading.reasons.push(reason);
}

/// Mean of the values present.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values.flatten().fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn cq_spread(replicates: &[TargetReading]) -> f64 {
    let cqs = || replicates.iter().filter_map(|replicate| replicate.reading.cq);
    (cqs().fold(f64::NEG_INFINITY, f64::max) - cqs().fold(f64::INFINITY, f64::min)).max(0.0)
}
