//! One curve to one reading: repair, derivatives, baseline, decision, and only then the Cq.

use crate::curve::{Call, CqMethod, Curve, Reading, Reason, Settings};
use crate::decision::{decide, explain};
use crate::derivative::Derivatives;
use crate::efficiency;
use crate::features::{FEATURES, Shape, vector};
use crate::fit::{Sigmoid, Start, fit};
use crate::model::{Model, Probabilities};
use crate::repair::{ALL_REASONS, Reasons, Repaired, extremes};

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
        let shape = Shape::of(&self.curve, &self.tracks);
        let features = vector(&shape, &self.curve, &self.tracks);
        let probabilities = Model::builtin().probabilities(&features);
        let call = decide(&probabilities);
        explain(&features, call, &mut reasons);
        self.mark_saturation(&mut reasons);
        self.answer(&shape, probabilities, call, settings, reasons)
    }

    /// The feature vector of a curve, for training and for studying a decision; none if it cannot be read.
    pub fn features(&mut self, curve: &Curve) -> Option<[f64; FEATURES]> {
        self.curve.load(curve, &mut Reasons::default()).ok()?;
        self.tracks.fill(&self.curve.values);
        let shape = Shape::of(&self.curve, &self.tracks);
        Some(vector(&shape, &self.curve, &self.tracks))
    }

    fn answer(&self, shape: &Shape, probabilities: Probabilities, call: Call, settings: &Settings, mut reasons: Reasons) -> Reading {
        let cqs = if call == Call::Negative { Cqs::default() } else { self.cqs(shape, settings) };
        let asked = match settings.cq_method {
            CqMethod::SecondDerivative => cqs.turn,
            CqMethod::PlateauRelative => cqs.plateau,
            CqMethod::FixedThreshold => cqs.threshold,
        };
        let fixed = settings.cq_method == CqMethod::FixedThreshold;
        reasons.add_if(fixed && settings.fixed_threshold.is_none(), Reason::ThresholdMissing);
        // A curve that stays below a prescribed threshold has no Cq by the kit's own rule; nothing is put in its place.
        let fall_back = asked.is_none() && cqs.turn.is_some() && !fixed;
        reasons.add_if(asked.is_none() && cqs.turn.is_some(), Reason::CqMethodFailed);
        let usual = cqs.efficiency.is_none_or(|efficiency| (1.5..=2.25).contains(&efficiency));
        reasons.add_if(!usual, Reason::UnusualEfficiency);
        Reading {
            call,
            p_positive: probabilities[0],
            p_ambiguous: probabilities[1],
            cq: if fall_back { cqs.turn } else { asked },
            cq_method: if fall_back { CqMethod::SecondDerivative } else { settings.cq_method },
            cq_sdm: cqs.turn,
            cq_plateau: cqs.plateau,
            cq_threshold: cqs.threshold,
            plateau: shape.height,
            baseline: shape.baseline.at(shape.baseline.start),
            efficiency: cqs.efficiency,
            reasons: reasons.to_vec(&ALL_REASONS),
        }
    }

    /// Every Cq that can be derived. The model is trusted where it agrees with the derivatives taken without it.
    fn cqs(&self, shape: &Shape, settings: &Settings) -> Cqs {
        let sigmoid = self.rise(shape);
        // A Cq lies within the run: what the model makes of a rise beyond the last cycle nobody measured.
        let run = 0.0..=(self.curve.axis.len() - 1) as f64;
        let near = |index: f64, reference: f64| (index - reference).abs() < 3.0 && run.contains(&index);
        let turn = sigmoid.turn();
        let turn = if near(turn, shape.turn) { turn } else { shape.turn };
        let fraction = clamp_fraction(settings.plateau_fraction);
        let observed = shape.crossing(&self.tracks, fraction * shape.height);
        let modelled = sigmoid.crossing(fraction);
        let plateau = if near(modelled, observed.unwrap_or(turn)) { Some(modelled) } else { observed };
        let threshold = settings.fixed_threshold.filter(|threshold| threshold.is_finite() && *threshold > 0.0);
        let height = |index: usize| self.curve.values[index] - sigmoid.level - sigmoid.slope * index as f64;
        Cqs {
            turn: Some(self.on_axis(turn)),
            plateau: plateau.map(|index| self.on_axis(index)),
            threshold: threshold.and_then(|threshold| shape.crossing(&self.tracks, threshold)).map(|index| self.on_axis(index)),
            efficiency: efficiency::of_curve(height, shape.turn, self.curve.noise),
        }
    }

    /// The sigmoid through baseline and rise. What comes after the steepest point is left out: the approach to the plateau
    /// differs between chemistries and would pull at the position of the rise.
    fn rise(&self, shape: &Shape) -> Sigmoid {
        self.rise_in(shape, MOST_STEPS)
    }

    fn rise_in(&self, shape: &Shape, steps: usize) -> Sigmoid {
        let end = (shape.steepest as usize + RISE_END).min(shape.cycles);
        let start = Start {
            level: shape.baseline.level,
            slope: shape.baseline.slope,
            height: shape.height.max(self.curve.noise),
            rate: 4.0 * shape.slope / shape.height.max(self.curve.noise),
            centre: shape.steepest,
            noise: self.curve.noise.hypot(MODEL_ERROR * shape.height),
        };
        fit(&self.curve.values[..end], &start, steps)
    }

    /// From an index (with fraction) to the curve's own axis; what lies beyond its ends by a rounding is its end.
    fn on_axis(&self, index: f64) -> f64 {
        let axis = &self.curve.axis;
        let whole = (index.max(0.0) as usize).min(axis.len() - 2);
        let (from, to) = (axis[whole], axis[whole + 1]);
        (from + (index - whole as f64) * (to - from)).clamp(from, to)
    }

    /// Three or more readings in a row at exactly the same highest value.
    fn mark_saturation(&self, reasons: &mut Reasons) {
        let (_, high) = extremes(&self.curve.values);
        let clipped = self.curve.values.windows(3).any(|three| three.iter().all(|&value| value == high));
        reasons.add_if(clipped, Reason::Saturated);
    }
}

/// Cycles from the steepest point on that the model still sees.
const RISE_END: usize = 3;
/// What a logistic curve is off by even without noise, as a share of the height.
const MODEL_ERROR: f64 = 0.03;
/// Most fits end after four to six steps. A rise without its plateau, whose height is hardly determined, walks along a valley and
/// takes up to twenty; stopped on the way, its Cq would depend on where the walk began.
const MOST_STEPS: usize = 24;

#[derive(Default)]
struct Cqs {
    turn: Option<f64>,
    plateau: Option<f64>,
    threshold: Option<f64>,
    efficiency: Option<f64>,
}

fn clamp_fraction(fraction: f64) -> f64 {
    if fraction.is_finite() { fraction.clamp(0.01, 0.9) } else { Settings::default().plateau_fraction }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Params, axis, synthesise};

    /// Found by the fuzzer: a turn a rounding before the first cycle.
    #[test]
    fn nothing_lies_beyond_the_ends_of_the_axis() {
        let mut reader = Reader::new();
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        reader.curve.load(&Curve { cycles: &axis(40), fluorescence: &values }, &mut Reasons::default()).unwrap();
        assert_eq!((reader.on_axis(-1e-3), reader.on_axis(1e3), reader.on_axis(1.5)), (1.0, 40.0, 2.5));
    }

    #[test]
    fn a_rise_without_its_plateau_is_fitted_to_the_end() {
        let mut state = 7u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut unfinished = 0;
        for _ in 0..400 {
            let params = Params { cq: Some(30.0 + 7.0 * uniform()), efficiency: 1.6 + 0.4 * uniform(), plateau: 1000.0, noise: 5.0, ..Params::default() };
            let values = synthesise(&params, || (0..12).map(|_| uniform()).sum::<f64>() - 6.0);
            let mut reader = Reader::new();
            reader.curve.load(&Curve { cycles: &axis(40), fluorescence: &values }, &mut Reasons::default()).unwrap();
            reader.tracks.fill(&reader.curve.values);
            let shape = Shape::of(&reader.curve, &reader.tracks);
            let (usual, patient) = (reader.rise(&shape).crossing(0.2), reader.rise_in(&shape, 500).crossing(0.2));
            unfinished += usize::from((usual - patient).abs() > 0.1);
        }
        assert!(unfinished <= 4, "{unfinished} of 400");
    }
}
