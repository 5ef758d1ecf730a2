//! The words of the engine: what goes in ([`Curve`], [`Settings`]) and what comes out ([`Reading`]).

use serde::{Deserialize, Serialize};

/// One amplification curve as the instrument exported it.
///
/// The axis may start at 0, be fractional or be minutes (isothermal); it must increase. Lengths may be anything and values
/// may be NaN or negative: [`crate::read`] answers every curve.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    pub cycles: &'a [f64],
    pub fluorescence: &'a [f64],
}

/// How the reported Cq is derived. All that can be derived are stored in the [`Reading`]; this names the reported one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CqMethod {
    /// The cycle of greatest acceleration (second-derivative maximum).
    SecondDerivative,
    /// The cycle at which the curve crosses a fixed fraction of its own plateau.
    #[default]
    PlateauRelative,
    /// The cycle at which the baseline-corrected curve crosses a fluorescence the kit prescribes.
    FixedThreshold,
}

/// What an assay prescribes for reading its curves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub cq_method: CqMethod,
    /// Fraction of the plateau for [`CqMethod::PlateauRelative`], between 0.01 and 0.9; values outside are clamped.
    pub plateau_fraction: f64,
    /// Fluorescence above the baseline for [`CqMethod::FixedThreshold`], in the curve's unit.
    pub fixed_threshold: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { cq_method: CqMethod::PlateauRelative, plateau_fraction: 0.2, fixed_threshold: None }
    }
}

/// What the curve shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Amplified.
    Positive,
    /// A person must look: neither clearly amplified nor clearly flat.
    Ambiguous,
    /// Not amplified.
    Negative,
    /// Not a curve that can be judged; the reasons say why. Never to be taken for a negative.
    Unreadable,
}

/// Why a reading is not a plain one. The code is stable; words for people live with the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The axis and the fluorescence differ in length.
    LengthMismatch,
    /// Fewer than ten usable cycles.
    TooFewCycles,
    /// The axis holds a value that is not finite, or does not increase.
    AxisNotIncreasing,
    /// More than a fifth of the values, or five neighbours, are missing or not finite.
    TooManyGaps,
    /// Every value is the same.
    Constant,
    /// Missing values inside the curve were interpolated.
    GapsFilled,
    /// A jump confined to one cycle was removed.
    SpikeRepaired,
    /// The first cycles jump away from the baseline and were replaced by it.
    FirstCyclesRepaired,
    /// Several readings in a row stand at the same highest value: the detector is saturated.
    Saturated,
    /// A step between two cycles that stays (bubble, lamp, lid).
    Jump,
    /// The rise does not stand out of the noise.
    LowSignal,
    /// A steady drift, not an exponential rise.
    Drift,
    /// The rise is slower than amplification.
    SlowRise,
    /// The rise begins in the last cycles.
    LateRise,
    /// The rise begins before a baseline can be seen.
    ShortBaseline,
    /// Still rising at the last cycle: the plateau is extrapolated or not known.
    NoPlateau,
    /// Falls again after its maximum (hook effect).
    Hook,
    /// Nothing else is odd about it, but people differ about curves like this one.
    Divided,
    /// The efficiency is outside 1.5 to 2.25 per cycle.
    UnusualEfficiency,
    /// No Cq by the method asked for; another method may be reported.
    CqMethodFailed,
    /// A fixed threshold was asked for but none was given.
    ThresholdMissing,
    /// Replicates of one target differ in their call.
    ReplicatesDisagree,
    /// Replicates agree in their call but their Cq differ more than the assay allows.
    ReplicateOutlier,
}

impl Reason {
    /// The stable code, as it appears in files and messages.
    pub fn code(self) -> &'static str {
        match self {
            Reason::LengthMismatch => "length_mismatch",
            Reason::TooFewCycles => "too_few_cycles",
            Reason::AxisNotIncreasing => "axis_not_increasing",
            Reason::TooManyGaps => "too_many_gaps",
            Reason::Constant => "constant",
            Reason::GapsFilled => "gaps_filled",
            Reason::SpikeRepaired => "spike_repaired",
            Reason::FirstCyclesRepaired => "first_cycles_repaired",
            Reason::Saturated => "saturated",
            Reason::Jump => "jump",
            Reason::LowSignal => "low_signal",
            Reason::Drift => "drift",
            Reason::SlowRise => "slow_rise",
            Reason::LateRise => "late_rise",
            Reason::ShortBaseline => "short_baseline",
            Reason::NoPlateau => "no_plateau",
            Reason::Hook => "hook",
            Reason::Divided => "divided",
            Reason::UnusualEfficiency => "unusual_efficiency",
            Reason::CqMethodFailed => "cq_method_failed",
            Reason::ThresholdMissing => "threshold_missing",
            Reason::ReplicatesDisagree => "replicates_disagree",
            Reason::ReplicateOutlier => "replicate_outlier",
        }
    }

    /// True for the reasons that say the data themselves were mended before reading.
    pub fn is_repair(self) -> bool {
        matches!(self, Reason::GapsFilled | Reason::SpikeRepaired | Reason::FirstCyclesRepaired)
    }
}

/// The answer to one curve. Every number in it is finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub call: Call,
    /// Probability that people call the curve amplified, 0 to 1. 0 for an unreadable curve.
    pub p_positive: f64,
    /// Probability that people call it ambiguous, 0 to 1. The rest is the probability of "not amplified".
    pub p_ambiguous: f64,
    /// The reported Cq on the curve's own axis. Only positive and ambiguous curves have one.
    pub cq: Option<f64>,
    /// The method `cq` was derived by; differs from the one asked for when that one failed (see the reasons).
    pub cq_method: CqMethod,
    /// Second-derivative maximum.
    pub cq_sdm: Option<f64>,
    /// Crossing of the plateau fraction.
    pub cq_plateau: Option<f64>,
    /// Crossing of the fixed threshold, where one was given.
    pub cq_threshold: Option<f64>,
    /// Height of the plateau above the baseline, in the curve's unit.
    pub plateau: f64,
    /// Baseline fluorescence at the first cycle of the baseline window, in the curve's unit.
    pub baseline: f64,
    /// Amplification per cycle in the log-linear window (2 = doubling). Never to be used per well: average per target.
    pub efficiency: Option<f64>,
    /// In the order of [`Reason`].
    pub reasons: Vec<Reason>,
}

impl Reading {
    /// The answer for something that is not a readable curve.
    pub fn unreadable(reason: Reason) -> Reading {
        Reading {
            call: Call::Unreadable,
            p_positive: 0.0,
            p_ambiguous: 1.0,
            cq: None,
            cq_method: CqMethod::default(),
            cq_sdm: None,
            cq_plateau: None,
            cq_threshold: None,
            plateau: 0.0,
            baseline: 0.0,
            efficiency: None,
            reasons: vec![reason],
        }
    }

    /// How much a person's look is worth, 0 to 2, see [`crate::doubt`]; 2 for a curve that cannot be read.
    pub fn doubt(&self) -> f64 {
        let negative = (1.0 - self.p_positive - self.p_ambiguous).max(0.0);
        if self.call == Call::Unreadable { 2.0 } else { crate::doubt(&[self.p_positive, self.p_ambiguous, negative]) }
    }

    pub fn has(&self, reason: Reason) -> bool {
        self.reasons.contains(&reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_written_as_its_code() {
        for reason in [Reason::LengthMismatch, Reason::SpikeRepaired, Reason::NoPlateau, Reason::ReplicateOutlier] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
