//! Run controls and auto-verification: what is absent or cannot be judged has failed, and every finding names its wells.

use baton_pcr::rules::{
    AutoverifyInput, ControlKind, ControlReading, ExpectedState, Finding, FindingCode, RuleSet, RunVerdict, Scope, TargetReading, VerifyRule, autoverify,
    interpret_well, judge_controls,
};
use baton_pcr::{Call, Reading, Reason};

fn entry(target: &str, call: Call, cq: Option<f64>) -> TargetReading {
    let reading = Reading { call, cq, reasons: vec![], ..Reading::unreadable(Reason::Constant) };
    TargetReading { target: target.to_owned(), reading }
}

/// Controls exactly as the rules want them, in wells named after their place in the rules.
fn good_controls(rules: &RuleSet) -> Vec<ControlReading> {
    let wells = rules.controls.iter().enumerate();
    wells
        .map(|(index, rule)| ControlReading {
            kind: rule.kind,
            well: format!("H{}", 10 + index),
            readings: rule
                .expect
                .iter()
                .map(|expected| match expected.state {
                    ExpectedState::Positive => entry(&expected.target, Call::Positive, Some(28.0)),
                    ExpectedState::Negative => entry(&expected.target, Call::Negative, None),
                })
                .collect(),
        })
        .collect()
}

#[test]
fn good_controls_make_a_valid_run() {
    for name in RuleSet::builtin_names() {
        let rules = RuleSet::builtin(name).unwrap();
        assert_eq!(judge_controls(&rules, &good_controls(&rules)), RunVerdict { valid: true, findings: vec![] });
    }
}

#[test]
fn a_missing_control_of_each_kind_fails_the_run() {
    for name in RuleSet::builtin_names() {
        let rules = RuleSet::builtin(name).unwrap();
        for absent in [ControlKind::NoTemplate, ControlKind::Positive, ControlKind::Extraction] {
            let controls: Vec<_> = good_controls(&rules).into_iter().filter(|c| c.kind != absent).collect();
            let verdict = judge_controls(&rules, &controls);
            assert!(!verdict.valid);
            assert_eq!(verdict.findings.len(), 1);
            assert_eq!(verdict.findings[0].code, FindingCode::ControlMissing);
        }
        assert!(!judge_controls(&rules, &[]).valid);
    }
}

/// Every control × every target it must show × every way it can differ.
#[test]
fn every_deviation_of_every_control_is_found_and_named() {
    for name in RuleSet::builtin_names() {
        let rules = RuleSet::builtin(name).unwrap();
        for (place, rule) in rules.controls.iter().enumerate() {
            for (row, expected) in rule.expect.iter().enumerate() {
                for (deviation, code) in deviations(expected.state) {
                    let mut controls = good_controls(&rules);
                    match deviation {
                        Some((call, cq)) => controls[place].readings[row] = entry(&expected.target, call, cq),
                        None => drop(controls[place].readings.remove(row)),
                    }
                    let verdict = judge_controls(&rules, &controls);
                    assert!(!verdict.valid, "{name} {:?} {}", rule.kind, expected.target);
                    assert_eq!(verdict.findings.len(), 1);
                    let finding = &verdict.findings[0];
                    assert_eq!((finding.code, finding.scope), (code, Scope::Run));
                    assert_eq!(finding.wells, [format!("H{}", 10 + place)]);
                    assert_eq!(finding.target.as_deref(), Some(expected.target.as_str()));
                }
            }
        }
    }
}

type Deviation = (Option<(Call, Option<f64>)>, FindingCode);

fn deviations(expected: ExpectedState) -> Vec<Deviation> {
    let mut list = vec![(None, FindingCode::ControlUnevaluable), (Some((Call::Unreadable, None)), FindingCode::ControlUnevaluable)];
    match expected {
        ExpectedState::Negative => list.extend([
            (Some((Call::Positive, Some(25.0))), FindingCode::ControlContaminated),
            (Some((Call::Positive, Some(39.9))), FindingCode::ControlContaminated),
            (Some((Call::Positive, Some(44.0))), FindingCode::ControlContaminated),
            (Some((Call::Ambiguous, None)), FindingCode::ControlContaminated),
        ]),
        ExpectedState::Positive => list.extend([
            (Some((Call::Negative, None)), FindingCode::ControlFailed),
            (Some((Call::Ambiguous, Some(30.0))), FindingCode::ControlFailed),
            (Some((Call::Positive, None)), FindingCode::ControlFailed),
            (Some((Call::Positive, Some(44.0))), FindingCode::ControlFailed),
        ]),
    }
    list
}

#[test]
fn a_positive_control_outside_its_limits_is_out_of_range() {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    for cq in [14.9, 35.1] {
        let mut controls = good_controls(&rules);
        controls[1].readings[0] = entry("ORF1ab", Call::Positive, Some(cq));
        let verdict = judge_controls(&rules, &controls);
        assert_eq!(verdict.findings[0].code, FindingCode::ControlOutOfRange);
        assert!(verdict.findings[0].reason.contains("H11"), "{}", verdict.findings[0].reason);
    }
}

#[test]
fn a_channel_given_twice_in_a_control_is_unevaluable() {
    let rules = RuleSet::builtin("cdc-n1-n2-rp").unwrap();
    let mut controls = good_controls(&rules);
    let double = controls[0].readings[0].clone();
    controls[0].readings.push(double);
    assert_eq!(judge_controls(&rules, &controls).findings[0].code, FindingCode::ControlUnevaluable);
}

fn negative_well() -> Vec<TargetReading> {
    let mut well = vec![entry("ORF1ab", Call::Negative, None), entry("N", Call::Negative, None), entry("IC", Call::Positive, Some(27.0))];
    well.iter_mut().for_each(|entry| entry.reading.p_positive = 0.001);
    well
}

/// The rules that fail for a well, or nothing if it is released.
fn failed(readings: &[TargetReading], run: &RunVerdict, ratio: u32, facts: &[(&str, bool)]) -> Vec<VerifyRule> {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    let outcome = interpret_well(&rules, readings, ratio > 1);
    let input = AutoverifyInput { well: "B3", outcome: &outcome, readings, run, pool_ratio: ratio, circumstances: facts };
    let verdict = autoverify(&rules, &input);
    let failed: Vec<_> = verdict.rules.iter().filter(|c| !c.passed).map(|c| c.rule.clone()).collect();
    assert_eq!(verdict.release, failed.is_empty());
    assert_eq!(verdict.rules.len(), 9 + facts.len(), "every rule is listed, passed or not");
    failed
}

#[test]
fn a_clean_negative_is_released_and_each_obstacle_names_its_rule() {
    use VerifyRule::*;
    let valid = RunVerdict { valid: true, findings: vec![] };
    let well = negative_well();
    assert_eq!(failed(&well, &valid, 10, &[("lots_in_date", true)]), []);
    assert_eq!(failed(&well, &valid, 7, &[]), [PoolRatioAllowed]);
    assert_eq!(failed(&well, &valid, 1, &[("lots_in_date", false)]), [Circumstance("lots_in_date".into())]);

    let mut uncertain = well.clone();
    uncertain[1].reading.p_positive = 0.11;
    assert_eq!(failed(&uncertain, &valid, 1, &[]), [ProbabilityLow]);
    let mut mended = well.clone();
    mended[0].reading.reasons.push(Reason::SpikeRepaired);
    assert_eq!(failed(&mended, &valid, 1, &[]), [CurvesUnrepaired]);
    let mut slow = well.clone();
    slow[0].reading.reasons.push(Reason::SlowRise);
    assert_eq!(failed(&slow, &valid, 1, &[]), [CurvesUnrepaired]);
    let mut inhibited = well.clone();
    inhibited[2].reading.cq = Some(36.0);
    assert_eq!(failed(&inhibited, &valid, 1, &[]), [InternalControlInRange]);
    assert_eq!(failed(&well[..2], &valid, 1, &[]), [CleanNegative, EveryTargetOnce, InternalControlInRange]);
}

#[test]
fn positives_and_invalid_runs_are_never_released() {
    let valid = RunVerdict { valid: true, findings: vec![] };
    let mut positive = negative_well();
    positive[0] = entry("ORF1ab", Call::Positive, Some(24.0));
    positive[1] = entry("N", Call::Positive, Some(24.0));
    let obstacles = failed(&positive, &valid, 1, &[]);
    assert!(obstacles.contains(&VerifyRule::CleanNegative) && obstacles.contains(&VerifyRule::EveryCallNegative));

    let invalid = RunVerdict { valid: false, findings: vec![] };
    assert_eq!(failed(&negative_well(), &invalid, 1, &[]), [VerifyRule::RunValid]);
}

#[test]
fn a_finding_holds_exactly_the_wells_it_names() {
    let finding =
        |well: &str| Finding { code: FindingCode::ControlFailed, wells: vec![well.to_owned()], scope: Scope::Wells, target: None, reason: String::new() };
    let here = RunVerdict { valid: true, findings: vec![finding("B3")] };
    let elsewhere = RunVerdict { valid: true, findings: vec![finding("B4")] };
    assert_eq!(failed(&negative_well(), &here, 1, &[]), [VerifyRule::WellNotHeld]);
    assert_eq!(failed(&negative_well(), &elsewhere, 1, &[]), []);
}
