//! Weak late positives that keep suspicious company. Each pattern is tested against chance on the plate at hand.

use super::{Plate, PlateLimits, PlateWell, Position, finding, positive_cq};
use crate::rules::{Finding, FindingCode, RuleSet};

/// Late positives beside strong ones, after strong ones, or simply too many of them, per detect target.
pub(super) fn contamination(rules: &RuleSet, plate: &Plate, limits: &PlateLimits) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in rules.detect_targets() {
        let cq = |well: &PlateWell| well.reading(&target.name).and_then(positive_cq);
        let strong: Vec<Position> = plate.wells.iter().filter(|w| cq(w).is_some_and(|cq| cq <= limits.strong_cq)).map(|w| w.position).collect();
        let samples: Vec<&PlateWell> = plate.wells.iter().filter(|well| well.is_sample()).collect();
        // A late rise without a plateau is often called ambiguous; it counts here all the same.
        let weak = |well: &PlateWell| well.reading(&target.name).and_then(|reading| reading.cq);
        let late: Vec<Position> = samples.iter().filter(|w| weak(w).is_some_and(|cq| cq >= limits.late_cq)).map(|w| w.position).collect();
        let candidates: Vec<Position> = samples.iter().map(|well| well.position).filter(|position| !strong.contains(position)).collect();
        let patterns: [(FindingCode, Relation, &str); 2] = [(FindingCode::NeighbourContamination, beside, "beside"), (FindingCode::CarryOver, after, "after")];
        for (code, relation, word) in patterns {
            let exposed = |position: &&Position| strong.iter().any(|source| relation(*source, **position));
            let hit: Vec<Position> = late.iter().filter(exposed).copied().collect();
            let share = candidates.iter().filter(exposed).count() as f64 / candidates.len().max(1) as f64;
            if hit.len() >= 3 && at_least(hit.len(), late.len(), share) < 10.0 * limits.chance {
                let reason = format!("{}: {} of {} late positives stand {word} a strong one", target.name, hit.len(), late.len());
                findings.push(finding(code, &hit, Some(&target.name), reason));
            }
        }
        if late.len() >= 3 && at_least(late.len(), samples.len(), limits.late_share) < limits.chance {
            let reason = format!("{}: {} late positives in {} samples", target.name, late.len(), samples.len());
            findings.push(finding(FindingCode::LateStreak, &late, Some(&target.name), reason));
        }
    }
    findings
}

/// Whether the second position is exposed to the first.
type Relation = fn(Position, Position) -> bool;

fn beside(source: Position, well: Position) -> bool {
    source != well && source.row.abs_diff(well.row) <= 1 && source.column.abs_diff(well.column) <= 1
}

/// The next one or two wells along the row, the order in which a single channel dispenses.
fn after(source: Position, well: Position) -> bool {
    source.row == well.row && well.column > source.column && well.column - source.column <= 2
}

/// Probability of `hits` or more successes in `trials` at the given probability (binomial upper tail).
pub(super) fn at_least(hits: usize, trials: usize, probability: f64) -> f64 {
    if hits == 0 || probability >= 1.0 {
        return 1.0;
    }
    if probability <= 0.0 {
        return 0.0;
    }
    let odds = probability / (1.0 - probability);
    let mut term = (1.0 - probability).powi(trials as i32);
    let mut below = 0.0;
    for count in 0..hits.min(trials + 1) {
        below += term;
        term *= odds * (trials - count) as f64 / (count + 1) as f64;
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binomial_tail_is_exact() {
        assert!((at_least(1, 2, 0.5) - 0.75).abs() < 1e-12);
        assert!((at_least(2, 2, 0.5) - 0.25).abs() < 1e-12);
        assert!((at_least(3, 94, 0.02) - 0.290545).abs() < 1e-6);
        assert_eq!((at_least(0, 9, 0.1), at_least(10, 9, 0.1) < 1e-9), (1.0, true));
    }
}
