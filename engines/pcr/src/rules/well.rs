//! One well: from the readings of its targets to a result and what to do next.

use serde::{Deserialize, Serialize};

use super::set::{Action, InternalControlRule, RuleSet, Target};
use crate::curve::{Call, Reading};

/// The reading of one target in one well (or of its replicates, see [`super::combine_replicates`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetReading {
    pub target: String,
    pub reading: Reading,
}

/// What one target shows under the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// Amplified, Cq within the cut-off.
    Positive,
    /// Amplified, Cq in the grey zone.
    Grey,
    /// Amplified, Cq beyond cut-off and grey zone. The rules call that not positive; it is not a clean negative either.
    Late,
    /// The curve is neither clearly amplified nor clearly flat, or amplified without a Cq.
    Ambiguous,
    Negative,
    /// There is a curve, but it cannot be read.
    Unreadable,
    /// No curve for a target the rules require.
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WellResult {
    Detected,
    /// Fewer positive targets than "detected" needs: inconclusive.
    SingleTarget,
    /// A grey or ambiguous target, none positive.
    Grey,
    NotDetected,
    Invalid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WellReasonCode {
    TargetPositive,
    TargetGrey,
    TargetLate,
    TargetAmbiguous,
    TargetUnreadable,
    TargetMissing,
    /// More than one reading for a target; combine replicates first.
    TargetDuplicated,
    /// A reading for a target the rule set does not know.
    TargetUnknown,
    InternalControlAbsent,
    InternalControlLate,
    InternalControlAmbiguous,
    InternalControlUnreadable,
    InternalControlMissing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WellReason {
    pub code: WellReasonCode,
    pub target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WellOutcome {
    pub result: WellResult,
    pub reasons: Vec<WellReason>,
    pub action: Action,
}

impl WellOutcome {
    /// "Not detected" with nothing to remark: the only result that frees the members of a pool.
    pub fn is_clean_negative(&self) -> bool {
        self.result == WellResult::NotDetected && self.reasons.is_empty()
    }
}

/// Applies one target's cut-off and grey zone to its reading. `None` is a missing channel.
pub fn target_state(target: &Target, reading: Option<&Reading>) -> TargetState {
    let Some(reading) = reading else {
        return TargetState::Missing;
    };
    match (reading.call, reading.cq) {
        (Call::Unreadable, _) => TargetState::Unreadable,
        (Call::Negative, _) => TargetState::Negative,
        (Call::Ambiguous, _) | (Call::Positive, None) => TargetState::Ambiguous,
        (Call::Positive, Some(cq)) => {
            let within = cq < target.cutoff_cq || (target.cutoff_inclusive && cq == target.cutoff_cq);
            let grey = target.grey_to_cq.is_some_and(|grey| cq <= grey);
            match (within, grey) {
                (true, _) => TargetState::Positive,
                (false, true) => TargetState::Grey,
                // Also reached by a Cq that is not a number.
                (false, false) => TargetState::Late,
            }
        }
    }
}

/// The result of a first test. The run must have been judged valid before ([`super::judge_controls`]).
pub fn interpret_well(rules: &RuleSet, readings: &[TargetReading], is_pool: bool) -> WellOutcome {
    interpret(rules, readings, is_pool, false)
}

/// The result of a repeat of a specimen whose first test was not clean: the same table, the next step of action.
pub fn interpret_repeat(rules: &RuleSet, readings: &[TargetReading], is_pool: bool) -> WellOutcome {
    interpret(rules, readings, is_pool, true)
}

fn interpret(rules: &RuleSet, readings: &[TargetReading], is_pool: bool, again: bool) -> WellOutcome {
    let mut reasons = strangers(rules, readings);
    let contradictory = !reasons.is_empty();
    let states: Vec<(&Target, TargetState)> = rules.targets.iter().map(|target| (target, target_state(target, find(readings, &target.name)))).collect();
    reasons.extend(states.iter().filter_map(|(target, state)| remark(target, *state)));
    let result = if contradictory { WellResult::Invalid } else { decide(rules, &states) };
    let mut outcome = WellOutcome { result, reasons, action: Action::Report };
    outcome.action = action(rules, &outcome, is_pool, again);
    outcome
}

fn find<'a>(readings: &'a [TargetReading], name: &str) -> Option<&'a Reading> {
    readings.iter().find(|entry| entry.target == name).map(|entry| &entry.reading)
}

/// Readings that make the well contradictory: unknown targets, and targets given twice.
fn strangers(rules: &RuleSet, readings: &[TargetReading]) -> Vec<WellReason> {
    let mut reasons = Vec::new();
    for (index, entry) in readings.iter().enumerate() {
        let target = entry.target.clone();
        if rules.target(&target).is_none() {
            reasons.push(WellReason { code: WellReasonCode::TargetUnknown, target });
        } else if readings[..index].iter().any(|earlier| earlier.target == target) {
            reasons.push(WellReason { code: WellReasonCode::TargetDuplicated, target });
        }
    }
    reasons
}

/// The decision table. Detect targets first only where the rule lets them stand without an internal control.
fn decide(rules: &RuleSet, states: &[(&Target, TargetState)]) -> WellResult {
    use super::set::TargetRole::{Detect, InternalControl};
    let of = |role| states.iter().filter(move |(target, _)| target.role == role).map(|(_, state)| *state);
    let positives = of(Detect).filter(|state| *state == TargetState::Positive).count();
    let control_valid = of(InternalControl).all(|state| state == TargetState::Positive);
    let stands_alone = positives > 0 && rules.internal_control == InternalControlRule::UnlessDetected;
    if !(control_valid || stands_alone) {
        return WellResult::Invalid;
    }
    if positives >= rules.detected_needs {
        return WellResult::Detected;
    }
    if positives > 0 {
        return WellResult::SingleTarget;
    }
    if of(Detect).any(|state| matches!(state, TargetState::Missing | TargetState::Unreadable)) {
        return WellResult::Invalid;
    }
    if of(Detect).any(|state| matches!(state, TargetState::Grey | TargetState::Ambiguous)) {
        return WellResult::Grey;
    }
    WellResult::NotDetected
}

/// What of a target must be said beside the result.
fn remark(target: &Target, state: TargetState) -> Option<WellReason> {
    use super::set::TargetRole::{Detect, InternalControl};
    let code = match (target.role, state) {
        (Detect, TargetState::Positive) => WellReasonCode::TargetPositive,
        (Detect, TargetState::Grey) => WellReasonCode::TargetGrey,
        (Detect, TargetState::Late) => WellReasonCode::TargetLate,
        (Detect, TargetState::Ambiguous) => WellReasonCode::TargetAmbiguous,
        (Detect, TargetState::Unreadable) => WellReasonCode::TargetUnreadable,
        (Detect, TargetState::Missing) => WellReasonCode::TargetMissing,
        (InternalControl, TargetState::Negative) => WellReasonCode::InternalControlAbsent,
        (InternalControl, TargetState::Grey | TargetState::Late) => WellReasonCode::InternalControlLate,
        (InternalControl, TargetState::Ambiguous) => WellReasonCode::InternalControlAmbiguous,
        (InternalControl, TargetState::Unreadable) => WellReasonCode::InternalControlUnreadable,
        (InternalControl, TargetState::Missing) => WellReasonCode::InternalControlMissing,
        (Detect, TargetState::Negative) | (InternalControl, TargetState::Positive) => return None,
    };
    Some(WellReason { code, target: target.name.clone() })
}

fn action(rules: &RuleSet, outcome: &WellOutcome, is_pool: bool, again: bool) -> Action {
    let actions = &rules.actions;
    if is_pool && !outcome.is_clean_negative() {
        return actions.pool_not_negative;
    }
    match (outcome.result, again) {
        (WellResult::Detected | WellResult::NotDetected, _) => Action::Report,
        (WellResult::SingleTarget, false) => actions.single_target,
        (WellResult::SingleTarget, true) => actions.single_target_again,
        (WellResult::Grey, false) => actions.grey,
        (WellResult::Grey, true) => actions.grey_again,
        (WellResult::Invalid, false) => actions.invalid,
        (WellResult::Invalid, true) => actions.invalid_again,
    }
}
