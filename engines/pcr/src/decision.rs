//! From probabilities and features to the call and its reasons.

use crate::curve::{Call, Reason};
use crate::features::{FEATURES, feature};
use crate::model::Probabilities;
use crate::repair::Reasons;

/// The call of a set of probabilities: positive or negative must be likelier than the other two together, so that what
/// divides the networks goes to a person.
pub fn decide(probabilities: &Probabilities) -> Call {
    let [positive, _, negative] = *probabilities;
    if negative > 0.5 {
        Call::Negative
    } else if positive > 0.5 {
        Call::Positive
    } else {
        Call::Ambiguous
    }
}

/// Adds what makes the curve something other than a plain one.
pub(crate) fn explain(features: &[f64; FEATURES], call: Call, reasons: &mut Reasons) {
    let of = |name| features[feature(name)];
    let rises = call != Call::Negative;
    let weak = of("ln_signal_to_wander") < 2.5 || of("ln_bend_to_noise") < 2.0;
    reasons.add_if(call != Call::Positive && weak, Reason::LowSignal);
    reasons.add_if(call != Call::Positive && !weak && of("rate") < 0.12, Reason::Drift);
    reasons.add_if(!weak && (0.12..0.25).contains(&of("rate")), Reason::SlowRise);
    reasons.add_if(!weak && of("greatest_step") > 0.6, Reason::Jump);
    reasons.add_if(rises && of("cycles_after_turn") < 8.0, Reason::LateRise);
    reasons.add_if(rises && of("cycles_before_turn") < 8.0, Reason::ShortBaseline);
    reasons.add_if(rises && of("end_slope") > 0.35, Reason::NoPlateau);
    reasons.add_if(rises && of("drop") > 0.1, Reason::Hook);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_needs_a_majority_of_its_own() {
        assert_eq!(decide(&[0.9, 0.05, 0.05]), Call::Positive);
        assert_eq!(decide(&[0.05, 0.05, 0.9]), Call::Negative);
        assert_eq!(decide(&[0.4, 0.35, 0.25]), Call::Ambiguous);
        assert_eq!(decide(&[0.2, 0.7, 0.1]), Call::Ambiguous);
        assert_eq!(decide(&[0.3, 0.25, 0.45]), Call::Ambiguous);
    }
}
