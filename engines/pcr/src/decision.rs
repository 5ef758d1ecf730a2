//! From probabilities and features to the call and its reasons.

use crate::curve::{Call, Reason};
use crate::features::{FEATURES, feature};
use crate::model::Probabilities;
use crate::repair::{ALL_REASONS, Reasons};

/// Least probability of "amplified" for a positive call.
const LEAST_POSITIVE: f64 = 0.25;
/// Times "amplified" must be likelier than "not amplified" for a positive call.
const LEAST_ODDS: f64 = 2.0;

/// The call of a set of probabilities. Negative must be likelier than the other two together. Positive must be clearly
/// likelier than negative: a rise without its plateau divides people into "amplified" and "ambiguous", but nobody denies
/// it, so it is called. What divides them into "amplified" and "not amplified" goes to a person.
pub fn decide(probabilities: &Probabilities) -> Call {
    let [positive, _, negative] = *probabilities;
    if negative > 0.5 {
        Call::Negative
    } else if positive > LEAST_POSITIVE && positive > LEAST_ODDS * negative {
        Call::Positive
    } else {
        Call::Ambiguous
    }
}

/// How much a person's look at a curve is worth, 0 to 1.5: sorted by it, the fewest looks find the most errors. What is left
/// to a person comes first, the most divided first (1 and more); then a call by the probability that people say the
/// opposite. What they might call *ambiguous* does not count: that is a word, not an error.
pub fn doubt(probabilities: &Probabilities) -> f64 {
    let [positive, _, negative] = *probabilities;
    match decide(probabilities) {
        Call::Positive => negative,
        Call::Negative => positive,
        Call::Ambiguous | Call::Unreadable => 1.0 + positive.min(negative),
    }
}

/// What the shape of a curve with these features says about a call, in the order of [`Reason`]: for studying a model.
pub fn reasons_of(features: &[f64; FEATURES], call: Call) -> Vec<Reason> {
    let mut reasons = Reasons::default();
    explain(features, call, &mut reasons);
    reasons.to_vec(&ALL_REASONS)
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
    reasons.add_if(call == Call::Ambiguous && reasons.is_empty(), Reason::Divided);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_call_needs_that_hardly_anyone_denies_it() {
        for (probabilities, call) in [
            ([0.9, 0.05, 0.05], Call::Positive),
            ([0.05, 0.05, 0.9], Call::Negative),
            ([0.7, 0.1, 0.2], Call::Positive),
            ([0.4, 0.55, 0.05], Call::Positive),
            ([0.4, 0.35, 0.25], Call::Ambiguous),
            ([0.55, 0.1, 0.35], Call::Ambiguous),
            ([0.2, 0.7, 0.1], Call::Ambiguous),
            ([0.3, 0.25, 0.45], Call::Ambiguous),
            ([0.25, 0.2, 0.55], Call::Negative),
        ] {
            assert_eq!(decide(&probabilities), call, "{probabilities:?}");
        }
    }

    #[test]
    fn what_is_left_to_a_person_comes_first_and_then_what_people_may_deny() {
        let queue = [[0.45, 0.1, 0.45], [0.35, 0.3, 0.35], [0.55, 0.2, 0.25], [0.13, 0.14, 0.73], [0.6, 0.39, 0.01], [0.0, 0.0, 1.0]];
        assert!(queue.map(|p| doubt(&p)).is_sorted_by(|first, next| first > next), "{:?}", queue.map(|p| doubt(&p)));
    }
}
