//! Is the plate the way round it should be? The control wells are its fingerprint.

use super::{Plate, PlateWell, Position, WellRole};
use crate::rules::{ControlRule, Finding, FindingCode, RuleSet, Scope, fits};

/// If the controls do not show what they should, but would if the plate were turned or its columns moved, says so and
/// holds the whole run.
pub(super) fn misplaced(rules: &RuleSet, plate: &Plate) -> Option<Finding> {
    let controls: Vec<(Position, &ControlRule)> = plate
        .wells
        .iter()
        .filter_map(|well| match well.role {
            WellRole::Control(kind) => Some((well.position, rules.controls.iter().find(|rule| rule.kind == kind)?)),
            WellRole::Sample => None,
        })
        .collect();
    let in_place = |moved: &dyn Fn(Position) -> Option<Position>| {
        controls.iter().all(|(position, rule)| {
            let well = moved(*position).and_then(|place| at(plate, place));
            well.is_some_and(|well| fits(rules, rule, &well.readings))
        })
    };
    if controls.is_empty() || in_place(&Some) {
        return None;
    }
    let (rows, columns) = (plate.rows, plate.columns);
    let turned = move |p: Position| Some(Position { row: rows.checked_sub(p.row + 1)?, column: columns.checked_sub(p.column + 1)? });
    if in_place(&turned) {
        return Some(whole_run(plate, FindingCode::PlateRotated, "the controls fit a plate turned by 180°".into()));
    }
    for shift in [1i16, -1, 2, -2] {
        let shifted = move |p: Position| {
            let column = (i16::from(p.column) + shift).rem_euclid(i16::from(columns.max(1)));
            Some(Position { row: p.row, column: u8::try_from(column).ok()? })
        };
        if in_place(&shifted) {
            let reason = format!("the controls fit a plate whose columns are moved by {shift}");
            return Some(whole_run(plate, FindingCode::ColumnsShifted, reason));
        }
    }
    None
}

fn at(plate: &Plate, position: Position) -> Option<&PlateWell> {
    plate.wells.iter().find(|well| well.position == position)
}

fn whole_run(plate: &Plate, code: FindingCode, reason: String) -> Finding {
    let all: Vec<Position> = plate.wells.iter().map(|well| well.position).collect();
    Finding { scope: Scope::Run, ..super::finding(code, &all, None, reason) }
}
