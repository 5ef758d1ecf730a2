//! A run read: curve by curve, then the controls, then every specimen. Whatever is absent or cannot be evaluated has failed.

use std::collections::HashMap;

use baton_kit::PlateId;
use baton_pcr::rules::{
    Action, AutoverifyInput, ControlReading, RuleSet, RunVerdict, TargetReading, WellOutcome, WellReasonCode, WellResult, autoverify, interpret_repeat,
    interpret_well, judge_controls,
};
use baton_pcr::{Call, Curve, Reader, Reading, Reason, Settings};

use super::layout;
use crate::curve::decode_all;
use crate::events::{CurveStored, RunFinding, RunRead, TargetRead, TubeOutcome, TubeRead, WellCall, WellContent, WellLaid};
use crate::model::{PlateForReading, TubeForReading};

type ByWell = HashMap<u16, Vec<TargetReading>>;

/// What the engine and the rules make of a plate's curves.
pub fn read_run(plate: &PlateForReading, rules: Option<&RuleSet>, curves: &[CurveStored]) -> RunRead {
    let (readings, by_well) = read_curves(rules, curves);
    let Some(rules) = rules else { return unruled(plate, readings) };
    let verdict = judge_controls(rules, &controls_of(&plate.layout, &by_well));
    let mut findings = control_findings(plate, &verdict);
    let misplaced = if verdict.valid { None } else { misplacement(plate, rules, &by_well) };
    let known_places = misplaced.is_none();
    findings.extend(misplaced);
    findings.extend(strays(plate, &by_well));
    let wells = if known_places { specimens(plate, rules, &by_well, &verdict) } else { Vec::new() };
    RunRead {
        rules: format!("{} {}", rules.name, rules.version),
        controls_valid: verdict.valid,
        findings,
        readings,
        tubes: wells.iter().map(|well| TubeRead { tube: well.tube, result: well.outcome }).collect(),
        verify_rules: wells.first().map(|well| well.rules.clone()).unwrap_or_default(),
        calls: wells.into_iter().map(|well| well.call).collect(),
    }
}

fn read_curves(rules: Option<&RuleSet>, curves: &[CurveStored]) -> (Vec<TargetRead>, ByWell) {
    let settings = rules.map_or_else(Settings::default, RuleSet::settings);
    let mut reader = Reader::new();
    let mut by_well = ByWell::new();
    let mut readings = Vec::with_capacity(curves.len());
    for curve in decode_all(curves) {
        let reading = reader.read(&Curve { cycles: &curve.cycles, fluorescence: &curve.fluorescence }, &settings);
        readings.push(target_read(curve.well, &curve.target, &reading));
        by_well.entry(curve.well).or_default().push(TargetReading { target: curve.target, reading });
    }
    (readings, by_well)
}

/// As stored: a ten-thousandth of a cycle says no less than a curve knows, and keeps the ledger small.
fn target_read(well: u16, target: &str, reading: &Reading) -> TargetRead {
    let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
    TargetRead {
        well,
        target: target.to_owned(),
        call: name_of(&reading.call),
        p_positive: rounded(reading.p_positive),
        cq: reading.cq.map(rounded),
        reasons: reading.reasons.iter().map(|reason: &Reason| reason.code().to_owned()).collect(),
    }
}

/// The name under which a word of the engine is written.
fn name_of<T: serde::Serialize>(word: &T) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A bench plate has no assay: its curves are called, and nothing on it can be released.
fn unruled(plate: &PlateForReading, readings: Vec<TargetRead>) -> RunRead {
    let mut wells: Vec<u16> = readings.iter().map(|reading| reading.well).collect();
    wells.extend(plate.layout.iter().map(|laid| laid.well));
    wells.sort_unstable();
    wells.dedup();
    let finding = RunFinding { code: "no_assay".to_owned(), wells, seen_in: Vec::new(), target: None, matches: None };
    RunRead { rules: String::new(), controls_valid: false, findings: vec![finding], readings, tubes: Vec::new(), calls: Vec::new(), verify_rules: Vec::new() }
}

fn controls_of(layout: &[WellLaid], by_well: &ByWell) -> Vec<ControlReading> {
    let control = |laid: &WellLaid| {
        let kind = layout::kind_of(laid.content)?;
        Some(ControlReading { kind, well: laid.well.to_string(), readings: by_well.get(&laid.well).cloned().unwrap_or_default() })
    };
    layout.iter().filter_map(control).collect()
}

/// A fault of a control holds every specimen of the plate: all of them were judged by it.
fn control_findings(plate: &PlateForReading, verdict: &RunVerdict) -> Vec<RunFinding> {
    let covered: Vec<u16> = plate.layout.iter().filter(|laid| layout::kind_of(laid.content).is_none()).map(|laid| laid.well).collect();
    let finding = |found: &baton_pcr::rules::Finding| RunFinding {
        code: found.code.code().to_owned(),
        wells: covered.clone(),
        seen_in: found.wells.iter().filter_map(|well| well.parse().ok()).collect(),
        target: found.target.clone(),
        matches: None,
    };
    verdict.findings.iter().map(finding).collect()
}

/// The controls failed where this plate has them: do they stand where another plate has them, or this one turned round?
fn misplacement(plate: &PlateForReading, rules: &RuleSet, by_well: &ByWell) -> Option<RunFinding> {
    let fits = |layout: &[WellLaid]| judge_controls(rules, &controls_of(layout, by_well)).valid;
    let all: Vec<u16> = plate.layout.iter().map(|laid| laid.well).collect();
    let found =
        |code: &str, matches: Option<PlateId>| Some(RunFinding { code: code.to_owned(), wells: all.clone(), seen_in: Vec::new(), target: None, matches });
    if let Some((other, _)) = plate.others.iter().find(|(_, layout)| fits(layout)) {
        return found("plate_swapped", Some(*other));
    }
    if fits(&layout::turned(&plate.layout, plate.plate.wells)) {
        return found("plate_swapped", None);
    }
    if controls_look_like_specimens(plate, rules, by_well) {
        return found("fingerprint_mismatch", None);
    }
    None
}

/// Every positive control shows what a negative specimen shows: no target, but human material.
fn controls_look_like_specimens(plate: &PlateForReading, rules: &RuleSet, by_well: &ByWell) -> bool {
    let mut positives = plate.layout.iter().filter(|laid| laid.content == WellContent::PositiveControl).peekable();
    let like_a_specimen = |laid: &WellLaid| by_well.get(&laid.well).is_some_and(|readings| interpret_well(rules, readings, false).is_clean_negative());
    positives.peek().is_some() && positives.all(like_a_specimen)
}

/// Amplification where nothing was laid: a pipette was a column off, or the layout is another one.
fn strays(plate: &PlateForReading, by_well: &ByWell) -> Option<RunFinding> {
    let laid = |well: u16| plate.layout.iter().any(|laid| laid.well == well);
    let amplified = |readings: &[TargetReading]| readings.iter().any(|entry| entry.reading.call == Call::Positive);
    let mut wells: Vec<u16> = by_well.iter().filter(|(well, readings)| !laid(**well) && amplified(readings)).map(|(well, _)| *well).collect();
    wells.sort_unstable();
    (!wells.is_empty()).then(|| RunFinding { code: "empty_well_amplified".to_owned(), wells: Vec::new(), seen_in: wells, target: None, matches: None })
}

struct Specimen {
    tube: baton_kit::TubeId,
    outcome: TubeOutcome,
    call: WellCall,
    rules: Vec<String>,
}

fn specimens(plate: &PlateForReading, rules: &RuleSet, by_well: &ByWell, verdict: &RunVerdict) -> Vec<Specimen> {
    let of_tube: HashMap<_, &TubeForReading> = plate.tubes.iter().map(|tube| (tube.tube, tube)).collect();
    let specimen = |laid: &WellLaid| {
        let WellContent::Tube(tube) = laid.content else { return None };
        let readings = by_well.get(&laid.well).map_or(&[] as &[TargetReading], Vec::as_slice);
        // A tube of which nothing is known is taken for a pool: then only a clean negative frees anybody.
        let known = of_tube.get(&tube).map_or(TubeForReading { tube, ratio: i64::MAX, again: false }, |known| **known);
        Some(judge(rules, laid.well, known, readings, verdict))
    };
    plate.layout.iter().filter_map(specimen).collect()
}

fn judge(rules: &RuleSet, well: u16, tube: TubeForReading, readings: &[TargetReading], run: &RunVerdict) -> Specimen {
    let interpret = if tube.again { interpret_repeat } else { interpret_well };
    let outcome = interpret(rules, readings, tube.is_pool());
    let name = well.to_string();
    let ratio = u32::try_from(tube.ratio).unwrap_or(u32::MAX);
    let verdict = autoverify(rules, &AutoverifyInput { well: &name, outcome: &outcome, readings, run, pool_ratio: ratio, circumstances: &[] });
    let call = WellCall {
        well,
        result: name_of(&outcome.result),
        reasons: outcome.reasons.iter().map(|reason| format!("{}:{}", name_of::<WellReasonCode>(&reason.code), reason.target)).collect(),
        action: name_of::<Action>(&outcome.action),
        not_passed: verdict.rules.iter().filter(|check| !check.passed).map(|check| name_of(&check.rule)).collect(),
    };
    Specimen { tube: tube.tube, outcome: tube_outcome(&outcome, tube.is_pool()), call, rules: verdict.rules.iter().map(|check| name_of(&check.rule)).collect() }
}

/// What a well says about its tube. In a pool only a clean negative is a negative.
pub fn tube_outcome(outcome: &WellOutcome, is_pool: bool) -> TubeOutcome {
    match outcome.result {
        WellResult::Detected => TubeOutcome::Positive,
        WellResult::SingleTarget | WellResult::Grey => TubeOutcome::SingleTarget,
        WellResult::Invalid => TubeOutcome::Invalid,
        WellResult::NotDetected if is_pool && !outcome.is_clean_negative() => TubeOutcome::SingleTarget,
        WellResult::NotDetected => TubeOutcome::Negative,
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
