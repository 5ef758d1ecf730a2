//! The controls of a run: valid or not, and what exactly is wrong where.

use serde::{Deserialize, Serialize};

use super::set::{ControlKind, ControlRule, Expectation, ExpectedState, RuleSet};
use super::well::{TargetReading, TargetState, target_state};

/// The readings of one control well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlReading {
    pub kind: ControlKind,
    pub well: String,
    pub readings: Vec<TargetReading>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunVerdict {
    pub valid: bool,
    pub findings: Vec<Finding>,
}

/// Something a person must settle. It holds exactly what its scope says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub code: FindingCode,
    /// The wells that show the fault.
    pub wells: Vec<String>,
    pub scope: Scope,
    /// The target concerned, where it is one.
    pub target: Option<String>,
    /// One plain sentence for logs; pages word the code in three languages.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole run is held.
    Run,
    /// Only the wells named are held.
    Wells,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// Fewer control wells than the rules require.
    ControlMissing,
    /// A control well lacks a channel or its curve cannot be read.
    ControlUnevaluable,
    /// A control that must be negative shows amplification (or something like it).
    ControlContaminated,
    /// A control that must be positive is not.
    ControlFailed,
    /// A control is positive but its Cq lies outside its limits.
    ControlOutOfRange,
    /// The controls stand where they would after turning the plate by 180°.
    PlateRotated,
    /// The controls stand one or more columns off.
    ColumnsShifted,
    /// No signal of a target anywhere, although some was bound to be.
    DeadChannel,
    /// One dye's curve shows in another at a constant small fraction.
    CrossTalk,
    /// Signal in every channel creeps up late: the well dries out.
    WellEvaporated,
    /// Hardly any fluorescence in any channel.
    WellEmpty,
    /// A whole edge row or column differs from the interior.
    EdgeEffect,
    /// Weak late positives stand beside strong ones more often than chance allows.
    NeighbourContamination,
    /// Weak late positives follow strong ones in pipetting order more often than chance allows.
    CarryOver,
    /// More weak late positives in one run than its rate explains.
    LateStreak,
    /// One well's internal control comes far later than the plate's.
    InternalControlShift,
}

impl FindingCode {
    /// The stable code, as it appears in files and messages.
    pub fn code(self) -> &'static str {
        match self {
            FindingCode::ControlMissing => "control_missing",
            FindingCode::ControlUnevaluable => "control_unevaluable",
            FindingCode::ControlContaminated => "control_contaminated",
            FindingCode::ControlFailed => "control_failed",
            FindingCode::ControlOutOfRange => "control_out_of_range",
            FindingCode::PlateRotated => "plate_rotated",
            FindingCode::ColumnsShifted => "columns_shifted",
            FindingCode::DeadChannel => "dead_channel",
            FindingCode::CrossTalk => "cross_talk",
            FindingCode::WellEvaporated => "well_evaporated",
            FindingCode::WellEmpty => "well_empty",
            FindingCode::EdgeEffect => "edge_effect",
            FindingCode::NeighbourContamination => "neighbour_contamination",
            FindingCode::CarryOver => "carry_over",
            FindingCode::LateStreak => "late_streak",
            FindingCode::InternalControlShift => "internal_control_shift",
        }
    }
}

/// Judges every control the rules require. An absent or unevaluable control counts as failed.
pub fn judge_controls(rules: &RuleSet, controls: &[ControlReading]) -> RunVerdict {
    let mut findings = Vec::new();
    for rule in &rules.controls {
        let of_kind: Vec<&ControlReading> = controls.iter().filter(|control| control.kind == rule.kind).collect();
        if of_kind.len() < rule.min_wells {
            findings.push(missing(rule, &of_kind));
        }
        for control in of_kind {
            findings.extend(rule.expect.iter().filter_map(|expected| judge(rules, control, expected)));
        }
    }
    RunVerdict { valid: findings.is_empty(), findings }
}

fn missing(rule: &ControlRule, present: &[&ControlReading]) -> Finding {
    Finding {
        code: FindingCode::ControlMissing,
        wells: present.iter().map(|control| control.well.clone()).collect(),
        scope: Scope::Run,
        target: None,
        reason: format!("{:?} control: {} of {} wells present", rule.kind, present.len(), rule.min_wells),
    }
}

/// True when the well shows everything the rules expect of such a control.
pub(crate) fn fits(rules: &RuleSet, rule: &ControlRule, readings: &[TargetReading]) -> bool {
    let control = ControlReading { kind: rule.kind, well: String::new(), readings: readings.to_vec() };
    rule.expect.iter().all(|expected| judge(rules, &control, expected).is_none())
}

fn judge(rules: &RuleSet, control: &ControlReading, expected: &Expectation) -> Option<Finding> {
    let target = rules.target(&expected.target)?;
    let mut readings = control.readings.iter().filter(|entry| entry.target == expected.target);
    let reading = readings.next().map(|entry| &entry.reading);
    let state = target_state(target, reading);
    let cq = reading.and_then(|reading| reading.cq);
    let code = match (expected.state, state) {
        (_, TargetState::Missing | TargetState::Unreadable) => FindingCode::ControlUnevaluable,
        // Two readings of one channel in one well contradict each other.
        _ if readings.next().is_some() => FindingCode::ControlUnevaluable,
        (ExpectedState::Negative, TargetState::Negative) => return None,
        (ExpectedState::Negative, _) => FindingCode::ControlContaminated,
        (ExpectedState::Positive, TargetState::Positive) if within(expected, cq) => return None,
        (ExpectedState::Positive, TargetState::Positive) => FindingCode::ControlOutOfRange,
        (ExpectedState::Positive, _) => FindingCode::ControlFailed,
    };
    let shown = cq.map_or_else(String::new, |cq| format!(", Cq {cq:.2}"));
    Some(Finding {
        code,
        wells: vec![control.well.clone()],
        scope: Scope::Run,
        target: Some(expected.target.clone()),
        reason: format!("{:?} control in {}: {} should be {:?} and is {state:?}{shown}", control.kind, control.well, expected.target, expected.state),
    })
}

fn within(expected: &Expectation, cq: Option<f64>) -> bool {
    cq.is_some_and(|cq| expected.cq_min.is_none_or(|low| cq >= low) && expected.cq_max.is_none_or(|high| cq <= high))
}
