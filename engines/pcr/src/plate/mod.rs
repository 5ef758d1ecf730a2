//! A whole plate: what no single well can show. Every finding names the wells it holds, no more and no less.
//!
//! The signals are this engine's own design; no public oracle exists. They are tested by injecting faults into plates.

mod channels;
pub mod chart;
mod contamination;
mod layout;

use std::fmt;

use crate::curve::{Call, Reading};
use crate::rules::{ControlKind, Finding, FindingCode, RuleSet, Scope, TargetReading};

/// Place of a well, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub row: u8,
    pub column: u8,
}

impl Position {
    /// Reads "A1", "A01", "h12"; up to 26 rows and 99 columns.
    pub fn parse(text: &str) -> Option<Position> {
        let letter = *text.as_bytes().first()?;
        let digits = text.get(1..)?;
        if !letter.is_ascii_alphabetic() || digits.is_empty() || digits.len() > 2 {
            return None;
        }
        let column: u8 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
        Some(Position { row: letter.to_ascii_uppercase() - b'A', column: column.checked_sub(1)? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", char::from(b'A' + self.row.min(25)), u16::from(self.column) + 1)
    }
}

/// What should be in a well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WellRole {
    Sample,
    Control(ControlKind),
}

/// One well with everything read in it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateWell {
    pub position: Position,
    pub role: WellRole,
    pub readings: Vec<TargetReading>,
    /// The raw curves in the order of `readings`; empty where they are not kept (then drying wells and cross-talk stay
    /// unseen).
    pub fluorescence: Vec<Vec<f64>>,
}

impl PlateWell {
    pub(crate) fn reading(&self, target: &str) -> Option<&Reading> {
        self.readings.iter().find(|entry| entry.target == target).map(|entry| &entry.reading)
    }

    pub(crate) fn fluorescence(&self, target: &str) -> Option<&[f64]> {
        let index = self.readings.iter().position(|entry| entry.target == target)?;
        self.fluorescence.get(index).map(Vec::as_slice)
    }

    fn is_sample(&self) -> bool {
        self.role == WellRole::Sample
    }
}

/// A plate as loaded. Wells that were left empty on purpose are simply not listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    pub rows: u8,
    pub columns: u8,
    pub wells: Vec<PlateWell>,
}

/// Limits of the plate checks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlateLimits {
    /// A positive or ambiguous curve at or above this Cq is weak and late.
    pub late_cq: f64,
    /// A positive at or below this Cq is strong enough to contaminate.
    pub strong_cq: f64,
    /// Share of wells with a weak late positive that is usual.
    pub late_share: f64,
    /// Probability under chance below which a pattern is reported.
    pub chance: f64,
    /// Internal control: greatest deviation of one well from the plate's median, in cycles.
    pub internal_control_shift: f64,
    /// Edge against interior, in cycles of the internal control.
    pub edge_shift: f64,
}

impl Default for PlateLimits {
    fn default() -> Self {
        PlateLimits { late_cq: 33.0, strong_cq: 24.0, late_share: 0.02, chance: 0.001, internal_control_shift: 4.0, edge_shift: 0.5 }
    }
}

/// Every fault found on the plate, controls excepted ([`crate::rules::judge_controls`] judges those).
pub fn inspect(rules: &RuleSet, plate: &Plate, limits: &PlateLimits) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(layout::misplaced(rules, plate));
    findings.extend(channels::dead_channels(rules, plate));
    findings.extend(channels::cross_talk(rules, plate));
    findings.extend(channels::empty_wells(plate));
    findings.extend(channels::evaporated_wells(plate));
    findings.extend(channels::internal_control(rules, plate, limits));
    findings.extend(contamination::contamination(rules, plate, limits));
    findings
}

/// How much the raw fluorescence has risen six cycles before the end, as a share of its level in the middle of the run. A
/// well that dries out creeps up in every channel; an amplification too late to be called has not begun by then. None for curves too short or without a positive level (already baselined).
pub(crate) fn late_creep(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < 24 {
        return None;
    }
    let mean = |span: &[f64]| span.iter().sum::<f64>() / span.len() as f64;
    let before = mean(&values[n / 2..n * 2 / 3]);
    let after = mean(&values[n - 8..n - 5]);
    let share = (after - before) / before;
    (before > 0.0 && share.is_finite()).then_some(share)
}

pub(crate) fn finding(code: FindingCode, wells: &[Position], target: Option<&str>, reason: String) -> Finding {
    let mut sorted = wells.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    Finding { code, wells: sorted.iter().map(Position::to_string).collect(), scope: Scope::Wells, target: target.map(str::to_owned), reason }
}

pub(crate) fn positive_cq(reading: &Reading) -> Option<f64> {
    reading.cq.filter(|_| reading.call == Call::Positive)
}

/// Median; none for no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Median and robust standard deviation (1.4826 times the median absolute deviation).
pub(crate) fn centre_and_spread(values: &[f64]) -> Option<(f64, f64)> {
    let centre = median(values.to_vec())?;
    let spread = median(values.iter().map(|value| (value - centre).abs()).collect())?;
    Some((centre, 1.4826 * spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_and_write() {
        for (text, row, column) in [("A1", 0, 0), ("A01", 0, 0), ("h12", 7, 11), ("P24", 15, 23)] {
            assert_eq!(Position::parse(text), Some(Position { row, column }));
        }
        for text in ["", "A", "1A", "A0", "A123", "Ä1", "AA1", "A+1"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
        assert_eq!(Position { row: 7, column: 11 }.to_string(), "H12");
    }

    #[test]
    fn creep_is_a_share_of_the_level() {
        let flat = vec![100.0; 30];
        let mut creeping = flat.clone();
        creeping[20..].fill(130.0);
        assert_eq!(late_creep(&flat), Some(0.0));
        let share = late_creep(&creeping).unwrap();
        assert!((share - 0.3).abs() < 1e-12);
        assert_eq!(late_creep(&[0.0; 30]), None);
    }
}
