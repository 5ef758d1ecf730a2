//! One curve to one reading: repair, derivatives, baseline, decision, and only then the Cq.

use crate::curve::{Call, CqMethod, Curve, Reading, Reason, Settings};
use crate::decision::{Probabilities, call, explain, probabilities};
use crate::derivative::Derivatives;
use crate::features::Features;
use crate::repair::{Reasons, Repaired, extremes};

/// Reads one curve. For many curves keep a [`Reader`], which reuses its buffers.
pub fn read(curve: &Curve, settings: &Settings) -> Reading {
    Reader::new().read(curve, settings)
}

/// Reads curves one after the other without allocating per cycle. The answer depends on the curve alone, not on what was
/// read before.
#[derive(Debug, Default)]
pub struct Reader {
    curve: Repaired,
    tracks: Derivatives,
}

impl Reader {
    pub fn new() -> Reader {
        Reader::default()
    }

    /// Reads one curve. Every curve gets an answer; every number in it is finite.
    pub fn read(&mut self, curve: &Curve, settings: &Settings) -> Reading {
        let mut reasons = Reasons::default();
        if let Err(reason) = self.curve.load(curve, &mut reasons) {
            return Reading::unreadable(reason);
        }
        self.tracks.fill(&self.curve.values);
        let features = Features::of(&self.curve, &self.tracks);
        let probabilities = probabilities(&features);
        let call = call(&probabilities);
        explain(&features, call, self.curve.values.len(), &mut reasons);
        self.mark_saturation(&mut reasons);
        self.answer(&features, probabilities, call, settings, reasons)
    }

    fn answer(
        &self,
        features: &Features,
        probabilities: Probabilities,
        call: Call,
        settings: &Settings,
        mut reasons: Reasons,
    ) -> Reading {
        let amplified = call != Call::Negative;
        let fraction = clamp_fraction(settings.plateau_fraction);
        let crossing = |height: f64| self.crossing(features, height).filter(|_| amplified);
        let cq_sdm = amplified.then(|| self.on_axis(features.turn));
        let cq_plateau = crossing(fraction * features.height);
        let cq_threshold = settings
            .fixed_threshold
            .filter(|t| t.is_finite() && *t > 0.0)
            .and_then(crossing);
        let efficiency = if amplified {
            self.efficiency(features)
        } else {
            None
        };
        let asked = match settings.cq_method {
            CqMethod::SecondDerivative => cq_sdm,
            CqMethod::PlateauRelative => cq_plateau,
            CqMethod::FixedThreshold => cq_threshold,
        };
        let fixed = settings.cq_method == CqMethod::FixedThreshold;
        reasons.add_if(
            fixed && settings.fixed_threshold.is_none(),
            Reason::ThresholdMissing,
        );
        // A curve that stays below a prescribed threshold has no Cq by the kit's own rule; nothing is put in its place.
        let fall_back = amplified && asked.is_none() && !fixed;
        reasons.add_if(amplified && asked.is_none(), Reason::CqMethodFailed);
        reasons.add_if(
            efficiency.is_some_and(|e| !(1.5..=2.1).contains(&e)),
            Reason::UnusualEfficiency,
        );
        Reading {
            call,
            p_positive: probabilities.positive,
            p_ambiguous: probabilities.ambiguous,
            cq: if fall_back { cq_sdm } else { asked },
            cq_method: if fall_back {
                CqMethod::SecondDerivative
            } else {
                settings.cq_method
            },
            cq_sdm,
            cq_plateau,
            cq_threshold,
            plateau: features.height,
            baseline: features.baseline.at(features.baseline.start),
            efficiency,
            reasons: reasons.to_vec(&ALL_REASONS),
        }
    }

    /// Where the smoothed, baseline-corrected curve last rises through `height` on its way to the steepest point.
    fn crossing(&self, features: &Features, height: f64) -> Option<f64> {
        let above = |i: usize| self.tracks.smooth[i] - features.baseline.at(i) - height;
        let last = self.curve.values.len() - 1;
        let steepest = (features.steepest.round() as usize).min(last);
        let start = if above(steepest) >= 0.0 {
            (0..steepest).rev().find(|&i| above(i) < 0.0)?
        } else {
            (steepest..last).find(|&i| above(i) < 0.0 && above(i + 1) >= 0.0)?
        };
        let (below, over) = (above(start), above(start + 1));
        Some(self.on_axis(start as f64 + below / (below - over)))
    }

    /// From an index (with fraction) to the curve's own axis.
    fn on_axis(&self, index: f64) -> f64 {
        let axis = &self.curve.axis;
        let whole = (index.max(0.0) as usize).min(axis.len() - 2);
        axis[whole] + (index - whole as f64) * (axis[whole + 1] - axis[whole])
    }

    /// Amplification per cycle: slope of the logarithm over the four cycles that end at the second-derivative maximum.
    fn efficiency(&self, features: &Features) -> Option<f64> {
        let end = features.turn.round() as usize;
        let start = end.checked_sub(3)?;
        let above = |i: usize| self.curve.values[i] - features.baseline.at(i);
        if (start..=end).any(|i| above(i) < 3.0 * self.curve.noise) {
            return None;
        }
        let logs = [
            above(start).ln(),
            above(start + 1).ln(),
            above(start + 2).ln(),
            above(end).ln(),
        ];
        let (_, slope) = crate::repair::line(&logs);
        Some(slope.exp()).filter(|efficiency| (1.0..3.0).contains(efficiency))
    }

    /// Three or more readings in a row at exactly the same highest value.
    fn mark_saturation(&self, reasons: &mut Reasons) {
        let (_, high) = extremes(&self.curve.values);
        let clipped = self
            .curve
            .values
            .windows(3)
            .any(|three| three.iter().all(|&value| value == high));
        reasons.add_if(clipped, Reason::Saturated);
    }
}

fn clamp_fraction(fraction: f64) -> f64 {
    if fraction.is_finite() {
        fraction.clamp(0.01, 0.9)
    } else {
        Settings::default().plateau_fraction
    }
}

const ALL_REASONS: [Reason; 22] = [
    Reason::LengthMismatch,
    Reason::TooFewCycles,
    Reason::AxisNotIncreasing,
    Reason::TooManyGaps,
    Reason::Constant,
    Reason::GapsFilled,
    Reason::SpikeRepaired,
    Reason::FirstCyclesRepaired,
    Reason::Saturated,
    Reason::Jump,
    Reason::LowSignal,
    Reason::Drift,
    Reason::SlowRise,
    Reason::LateRise,
    Reason::ShortBaseline,
    Reason::NoPlateau,
    Reason::Hook,
    Reason::UnusualEfficiency,
    Reason::CqMethodFailed,
    Reason::ThresholdMissing,
    Reason::ReplicatesDisagree,
    Reason::ReplicateOutlier,
];
