//! From features to probabilities, the call and the reasons.

use crate::curve::{Call, Reason};
use crate::features::Features;
use crate::repair::Reasons;

/// Probabilities of the three calls; they add up to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probabilities {
    pub positive: f64,
    pub ambiguous: f64,
}

/// A smooth step from 0 to 1 around `at`; `width` is the distance from 0.27 to 0.5.
fn step(value: f64, at: f64, width: f64) -> f64 {
    1.0 / (1.0 + (-(value - at) / width).exp())
}

/// Amplified means: stands out of the noise, bends upward, and rises faster than a drift can.
pub(crate) fn probabilities(features: &Features) -> Probabilities {
    let signal = step(features.signal_to_noise.max(1e-6).ln(), 20f64.ln(), 0.2);
    let bend = step(features.bend_to_noise.max(1e-6).ln(), 8f64.ln(), 0.2);
    let rate = step(features.rate, 0.22, 0.02);
    let positive = signal * bend * rate;
    Probabilities {
        positive,
        ambiguous: 2.0 * positive * (1.0 - positive) * 0.8,
    }
}

pub(crate) fn call(probabilities: &Probabilities) -> Call {
    let negative = 1.0 - probabilities.positive - probabilities.ambiguous;
    if probabilities.positive >= 0.5 {
        Call::Positive
    } else if negative >= probabilities.ambiguous && negative >= 0.5 {
        Call::Negative
    } else {
        Call::Ambiguous
    }
}

/// Adds what makes the curve something other than a plain one. `cycles` is the number of cycles read.
pub(crate) fn explain(features: &Features, call: Call, cycles: usize, reasons: &mut Reasons) {
    let rises = call != Call::Negative;
    let weak = features.signal_to_noise < 25.0 || features.bend_to_noise < 10.0;
    reasons.add_if(call != Call::Positive && weak, Reason::LowSignal);
    reasons.add_if(
        call != Call::Positive && !weak && features.rate < 0.16,
        Reason::Drift,
    );
    reasons.add_if(
        !weak && (0.16..0.25).contains(&features.rate),
        Reason::SlowRise,
    );
    reasons.add_if(
        rises && features.turn > cycles as f64 - 6.0,
        Reason::LateRise,
    );
    reasons.add_if(rises && features.baseline.length < 5, Reason::ShortBaseline);
    reasons.add_if(rises && features.end_slope > 0.35, Reason::NoPlateau);
    reasons.add_if(rises && features.drop > 0.1, Reason::Hook);
}
