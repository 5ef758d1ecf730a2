//! Faults of channels and single wells: dead dye, cross-talk, empty and drying wells, edges, internal control.

use super::{Plate, PlateLimits, PlateWell, Position, WellRole, centre_and_spread, finding, late_creep, median, positive_cq};
use crate::curve::Call;
use crate::repair::line;
use crate::rules::{ExpectedState, Finding, FindingCode, RuleSet, Target, TargetRole};

/// Wells needed before a pattern over the plate is judged.
const LEAST_WELLS: usize = 8;

fn positions<'a>(wells: impl IntoIterator<Item = &'a PlateWell>) -> Vec<Position> {
    wells.into_iter().map(|well| well.position).collect()
}

/// A target that is positive in no well although controls (or, for an internal control, most samples) must show it. Holds
/// every well with that target.
pub(super) fn dead_channels(rules: &RuleSet, plate: &Plate) -> Vec<Finding> {
    let dead = |target: &&Target| {
        let read: Vec<_> = plate.wells.iter().filter_map(|well| Some((well, well.reading(&target.name)?))).collect();
        let must_show = read.iter().any(|(well, _)| must_be_positive(rules, well, target));
        must_show && !read.iter().any(|(_, reading)| matches!(reading.call, Call::Positive | Call::Ambiguous))
    };
    let report = |target: &Target| {
        let wells = positions(plate.wells.iter().filter(|well| well.reading(&target.name).is_some()));
        let reason = format!("{} ({}) amplifies in none of {} wells", target.name, target.dye, wells.len());
        finding(FindingCode::DeadChannel, &wells, Some(&target.name), reason)
    };
    rules.targets.iter().filter(dead).map(report).collect()
}

fn must_be_positive(rules: &RuleSet, well: &PlateWell, target: &Target) -> bool {
    match well.role {
        WellRole::Sample => target.role == TargetRole::InternalControl,
        WellRole::Control(kind) => rules
            .controls
            .iter()
            .filter(|rule| rule.kind == kind)
            .any(|rule| rule.expect.iter().any(|e| e.target == target.name && e.state == ExpectedState::Positive)),
    }
}

/// Wells in which a faint target rises together with a strong one of another dye, always at the same small fraction.
pub(super) fn cross_talk(rules: &RuleSet, plate: &Plate) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &rules.targets {
        for victim in rules.targets.iter().filter(|victim| victim.dye != source.dye) {
            findings.extend(leak(plate, source, victim));
        }
    }
    findings
}

fn leak(plate: &Plate, source: &Target, victim: &Target) -> Option<Finding> {
    let exposed: Vec<(Position, Option<f64>)> = plate
        .wells
        .iter()
        .filter(|well| well.reading(&source.name).and_then(positive_cq).is_some())
        .filter_map(|well| {
            let copy = copied_share(well.fluorescence(&source.name)?, well.fluorescence(&victim.name)?)?;
            // A target that rises by itself hides any leak.
            (copy.share < LARGEST_LEAK).then(|| (well.position, (copy.significance > 4.0 && copy.share > 0.01).then_some(copy.share)))
        })
        .collect();
    let copies: Vec<(Position, f64)> = exposed.iter().filter_map(|(position, share)| Some((*position, (*share)?))).collect();
    let shares: Vec<f64> = copies.iter().map(|(_, share)| *share).collect();
    let (centre, spread) = centre_and_spread(&shares)?;
    if copies.len() < 3 || copies.len() * 10 < exposed.len() * 6 || spread > 0.25 * centre {
        return None;
    }
    let wells: Vec<Position> = copies.iter().map(|(position, _)| *position).collect();
    let reason = format!("{} shows {:.1} % of {} in {} wells", victim.dye, 100.0 * centre, source.dye, wells.len());
    Some(finding(FindingCode::CrossTalk, &wells, Some(&victim.name), reason))
}

/// More than this is amplification of its own, not a leak of optics.
const LARGEST_LEAK: f64 = 0.2;

/// First cycles, in which temperature and lid settle, are not compared.
const SETTLING: usize = 5;

struct Copy {
    share: f64,
    /// Share divided by its standard error.
    significance: f64,
}

/// How much of `source` is in `victim`: the last coefficient of the least-squares fit of `victim` by a parabola (its own
/// drift) and `source`. None for unequal lengths or values that are not finite.
fn copied_share(source: &[f64], victim: &[f64]) -> Option<Copy> {
    let n = source.len();
    if n != victim.len() || n < SETTLING + 12 || source.iter().chain(victim).any(|value| !value.is_finite()) {
        return None;
    }
    let (source, victim) = (without_parabola(&source[SETTLING..]), without_parabola(&victim[SETTLING..]));
    let norm: f64 = source.iter().map(|s| s * s).sum();
    let share = source.iter().zip(&victim).map(|(s, v)| s * v).sum::<f64>() / norm;
    let rest: f64 = source.iter().zip(&victim).map(|(s, v)| (v - share * s).powi(2)).sum();
    let error = (rest / (source.len() - 4) as f64 / norm).sqrt();
    (share.is_finite() && error > 0.0).then_some(Copy { share, significance: share / error })
}

/// What is left of equally spaced values after the least-squares parabola is taken out.
fn without_parabola(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let (level, slope) = line(values);
    let curved = |i: usize| (i as f64 - (n - 1.0) / 2.0).powi(2) - (n * n - 1.0) / 12.0;
    let straight: Vec<f64> = values.iter().enumerate().map(|(i, v)| v - level - slope * i as f64).collect();
    let norm: f64 = (0..values.len()).map(|i| curved(i).powi(2)).sum();
    let bend = straight.iter().enumerate().map(|(i, v)| curved(i) * v).sum::<f64>() / norm;
    straight.iter().enumerate().map(|(i, v)| v - bend * curved(i)).collect()
}

/// Wells whose baseline is under a third of the plate's in every channel.
pub(super) fn empty_wells(plate: &Plate) -> Vec<Finding> {
    let Some(first) = plate.wells.first() else { return vec![] };
    let usual: Vec<(&str, f64)> = first
        .readings
        .iter()
        .filter_map(|entry| {
            let levels: Vec<f64> = plate.wells.iter().filter_map(|well| Some(well.reading(&entry.target)?.baseline)).collect();
            let (centre, spread) = centre_and_spread(&levels)?;
            // Without a solid level (baselined exports) nothing can be said.
            (levels.len() >= LEAST_WELLS && centre > 6.0 * spread && centre > 0.0).then_some((entry.target.as_str(), centre))
        })
        .collect();
    let is_empty = |well: &&PlateWell| !usual.is_empty() && usual.iter().all(|(target, level)| well.reading(target).is_some_and(|r| r.baseline < level / 3.0));
    let report = |well: &PlateWell| {
        let reason = format!("{}: fluorescence under a third of the plate's in every channel", well.position);
        finding(FindingCode::WellEmpty, &[well.position], None, reason)
    };
    plate.wells.iter().filter(is_empty).map(report).collect()
}

/// Wells whose channels that did not amplify all creep up late, far more than the plate's.
pub(super) fn evaporated_wells(plate: &Plate) -> Vec<Finding> {
    let creeps = |well: &PlateWell| -> Vec<f64> {
        let quiet = well.readings.iter().zip(&well.fluorescence).filter(|(entry, _)| entry.reading.call == Call::Negative);
        quiet.filter_map(|(_, values)| late_creep(values)).collect()
    };
    let all: Vec<f64> = plate.wells.iter().flat_map(creeps).collect();
    let Some((centre, spread)) = centre_and_spread(&all).filter(|_| all.len() >= LEAST_WELLS) else { return vec![] };
    let limit = centre + (8.0 * spread).max(0.05);
    let dries = |well: &&PlateWell| {
        let own = creeps(well);
        own.len() >= 2 && own.iter().all(|creep| *creep > limit)
    };
    let report = |well: &PlateWell| {
        let reason = format!("{}: every quiet channel creeps up by more than {:.0} %", well.position, 100.0 * limit);
        finding(FindingCode::WellEvaporated, &[well.position], None, reason)
    };
    plate.wells.iter().filter(dries).map(report).collect()
}

/// Internal control over the plate: single wells far off, and whole edge lines off.
pub(super) fn internal_control(rules: &RuleSet, plate: &Plate, limits: &PlateLimits) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in rules.internal_controls() {
        let cqs: Vec<(Position, f64)> = plate
            .wells
            .iter()
            .filter(|well| well.role == WellRole::Sample)
            .filter_map(|well| Some((well.position, positive_cq(well.reading(&target.name)?)?)))
            .collect();
        let values: Vec<f64> = cqs.iter().map(|(_, cq)| *cq).collect();
        let Some((centre, spread)) = centre_and_spread(&values).filter(|_| cqs.len() >= LEAST_WELLS) else { continue };
        let limit = limits.internal_control_shift.max(5.0 * spread);
        findings.extend(cqs.iter().filter(|(_, cq)| cq - centre > limit).map(|(position, cq)| {
            let reason = format!("{position}: {} at {cq:.1}, plate median {centre:.1}", target.name);
            finding(FindingCode::InternalControlShift, &[*position], Some(&target.name), reason)
        }));
        findings.extend(edges(plate, target, &cqs, spread, limits));
    }
    findings
}

type Line = (&'static str, Box<dyn Fn(Position) -> bool>);

fn edges(plate: &Plate, target: &Target, cqs: &[(Position, f64)], spread: f64, limits: &PlateLimits) -> Vec<Finding> {
    let (rows, columns) = (plate.rows, plate.columns);
    let lines: [Line; 4] = [
        ("first row", Box::new(|p| p.row == 0)),
        ("last row", Box::new(move |p| p.row + 1 == rows)),
        ("first column", Box::new(|p| p.column == 0)),
        ("last column", Box::new(move |p| p.column + 1 == columns)),
    ];
    let inside = |p: Position| p.row > 0 && p.row + 1 < rows && p.column > 0 && p.column + 1 < columns;
    let select = |keep: &dyn Fn(Position) -> bool| -> Vec<f64> { cqs.iter().filter(|(position, _)| keep(*position)).map(|(_, cq)| *cq).collect() };
    let interior = select(&inside);
    let Some(middle) = median(interior.clone()).filter(|_| interior.len() >= LEAST_WELLS) else { return vec![] };
    let mut findings = Vec::new();
    for (name, on_line) in lines {
        let values = select(&on_line);
        let Some(level) = median(values.clone()).filter(|_| values.len() >= 5) else { continue };
        // Standard error of a median is 1.25 σ/√n; five of them leave a chance of one in a million.
        let error = 5.0 * 1.25 * spread * (1.0 / values.len() as f64 + 1.0 / interior.len() as f64).sqrt();
        if (level - middle).abs() > limits.edge_shift.max(error) {
            let wells: Vec<Position> = plate.wells.iter().map(|w| w.position).filter(|p| on_line(*p)).collect();
            let reason = format!("{name}: {} at {level:.2}, interior {middle:.2}", target.name);
            findings.push(finding(FindingCode::EdgeEffect, &wells, Some(&target.name), reason));
        }
    }
    findings
}
