//! Auto-verification: which negatives may be released without a person, and by which rules.

use serde::{Deserialize, Serialize};

use super::run::{RunVerdict, Scope};
use super::set::{RuleSet, TargetRole};
use super::well::{TargetReading, WellOutcome, WellResult};
use crate::curve::{Call, Reading, Reason};

/// What is known about one well at the moment of verification.
#[derive(Debug, Clone, Copy)]
pub struct AutoverifyInput<'a> {
    pub well: &'a str,
    pub outcome: &'a WellOutcome,
    pub readings: &'a [TargetReading],
    pub run: &'a RunVerdict,
    /// Specimens in the tube; 1 for a single specimen.
    pub pool_ratio: u32,
    /// Facts the laboratory checked itself (lots in date, specimen within stability, custody unbroken …): name and answer.
    pub circumstances: &'a [(&'a str, bool)],
}

/// The rules, in the order they are listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyRule {
    RunValid,
    WellNotHeld,
    CleanNegative,
    EveryTargetOnce,
    EveryCallNegative,
    ProbabilityLow,
    CurvesUnrepaired,
    InternalControlInRange,
    PoolRatioAllowed,
    /// One of the laboratory's own.
    Circumstance(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCheck {
    pub rule: VerifyRule,
    pub passed: bool,
}

/// The verdict: `release` only when every rule passed. All rules are listed, passed or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub release: bool,
    pub rules: Vec<RuleCheck>,
    pub rule_set: String,
    pub rule_version: u32,
}

/// Checks one well. Positives never pass: they are for two persons.
pub fn autoverify(rules: &RuleSet, input: &AutoverifyInput) -> Verdict {
    let held = |well: &str| input.run.findings.iter().any(|f| f.scope == Scope::Wells && f.wells.iter().any(|held| held == well));
    let mut checks = vec![
        check(VerifyRule::RunValid, input.run.valid && !input.run.findings.iter().any(|f| f.scope == Scope::Run)),
        check(VerifyRule::WellNotHeld, !held(input.well)),
        check(VerifyRule::CleanNegative, input.outcome.result == WellResult::NotDetected && input.outcome.is_clean_negative()),
        check(VerifyRule::EveryTargetOnce, every_target_once(rules, input.readings)),
        check(VerifyRule::EveryCallNegative, all(rules, input, TargetRole::Detect, |r| r.call == Call::Negative)),
        check(VerifyRule::ProbabilityLow, all(rules, input, TargetRole::Detect, |r| r.p_positive <= rules.autoverify.max_p_positive)),
        check(VerifyRule::CurvesUnrepaired, all(rules, input, TargetRole::Detect, |r| !r.reasons.iter().any(|&x| disturbs(x)))),
        check(
            VerifyRule::InternalControlInRange,
            all(rules, input, TargetRole::InternalControl, |r| {
                r.call == Call::Positive && r.cq.is_some_and(|cq| cq <= rules.autoverify.internal_control_cq_max)
            }),
        ),
        check(VerifyRule::PoolRatioAllowed, rules.pool(input.pool_ratio).is_some()),
    ];
    checks.extend(input.circumstances.iter().map(|(name, passed)| check(VerifyRule::Circumstance((*name).to_owned()), *passed)));
    Verdict { release: checks.iter().all(|check| check.passed), rules: checks, rule_set: rules.name.clone(), rule_version: rules.version }
}

fn check(rule: VerifyRule, passed: bool) -> RuleCheck {
    RuleCheck { rule, passed }
}

/// A mended curve may still be called, and a rise too slow for amplification may be called negative, but a person looks
/// before it is released: an inhibited reaction rises slowly too.
fn disturbs(reason: Reason) -> bool {
    let looks_odd = matches!(reason, Reason::Saturated | Reason::Jump | Reason::SlowRise | Reason::Drift);
    reason.is_repair() && reason != Reason::FirstCyclesRepaired || looks_odd || matches!(reason, Reason::ReplicatesDisagree | Reason::ReplicateOutlier)
}

fn every_target_once(rules: &RuleSet, readings: &[TargetReading]) -> bool {
    readings.len() == rules.targets.len() && rules.targets.iter().all(|target| readings.iter().any(|reading| reading.target == target.name))
}

/// True when every target of `role` has a reading and all its readings satisfy `condition`.
fn all(rules: &RuleSet, input: &AutoverifyInput, role: TargetRole, condition: impl Fn(&Reading) -> bool) -> bool {
    rules.targets.iter().filter(|target| target.role == role).all(|target| {
        let mut of_target = input.readings.iter().filter(|reading| reading.target == target.name).peekable();
        of_target.peek().is_some() && of_target.all(|reading| condition(&reading.reading))
    })
}
