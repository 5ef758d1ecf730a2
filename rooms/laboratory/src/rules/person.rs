//! What a tube's result means for one person in it.
//!
//! There is no table of people's results. A person's result follows from their tubes, so a scan that arrives late from an
//! offline device, or is taken back, can never leave a stale one behind.

use baton_pooling::{PoolDecision, PoolOutcome, decode_dorfman};

use crate::events::TubeOutcome;
use crate::model::{PersonResult, TubeClock};

/// A specimen is a person's own when nobody else's swab is in the tube, and the tube was meant for one or follows up on them.
pub fn is_own(clock: &TubeClock) -> bool {
    clock.members == 1 && (clock.ratio == Some(1) || clock.follow_up)
}

/// Never "positive" from a pool: a pool's members are held until each has an answer of their own.
pub fn result_of(clock: &TubeClock) -> PersonResult {
    match (clock.outcome, clock.released) {
        _ if clock.released.is_none() && (clock.rejected.is_some() || clock.lost.is_some()) => PersonResult::NoSpecimen,
        (None, _) => PersonResult::Pending,
        (Some(TubeOutcome::Negative), None) => PersonResult::Pending,
        (Some(outcome), None) => PersonResult::Held(outcome),
        (Some(TubeOutcome::Negative), Some(_)) if is_own(clock) => PersonResult::Negative,
        (Some(outcome), Some(_)) if is_own(clock) => PersonResult::Own(outcome),
        (Some(outcome), Some(_)) => {
            let members = vec![(); usize::try_from(clock.members.max(1)).unwrap_or(1)];
            match decode_dorfman(pool_outcome(outcome), &members) {
                PoolDecision::NegativeForAll => PersonResult::Negative,
                PoolDecision::HoldAll { .. } => PersonResult::Held(outcome),
            }
        }
    }
}

fn pool_outcome(outcome: TubeOutcome) -> PoolOutcome {
    match outcome {
        TubeOutcome::Negative => PoolOutcome::Negative,
        TubeOutcome::Positive => PoolOutcome::Positive,
        TubeOutcome::SingleTarget => PoolOutcome::SingleTarget,
        TubeOutcome::Invalid => PoolOutcome::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, Timestamp, TubeId};
    use proptest::prelude::*;

    fn clock(ratio: i64, members: i64, follow_up: bool, outcome: Option<TubeOutcome>, released: bool) -> TubeClock {
        TubeClock { ratio: Some(ratio), members, follow_up, outcome, released: released.then_some(Timestamp(9)), ..empty() }
    }

    fn empty() -> TubeClock {
        TubeClock::unknown(TubeId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), 1))
    }

    fn any_outcome() -> impl Strategy<Value = Option<TubeOutcome>> {
        (0usize..5).prop_map(|n| TubeOutcome::ALL.get(n).copied())
    }

    proptest! {
        #[test]
        fn nobody_is_positive_from_a_pool(ratio in 2i64..30, members in 2i64..30, follow_up: bool, outcome in any_outcome(), released: bool) {
            let result = result_of(&clock(ratio, members, follow_up, outcome, released));
            prop_assert!(!matches!(result, PersonResult::Own(_)));
        }

        #[test]
        fn nobody_is_negative_before_release_or_from_a_tube_that_is_not(ratio in 1i64..30, members in 1i64..30, follow_up: bool, outcome in any_outcome(), released: bool) {
            let result = result_of(&clock(ratio, members, follow_up, outcome, released));
            if result == PersonResult::Negative {
                prop_assert!(released && outcome == Some(TubeOutcome::Negative));
            }
            if matches!(result, PersonResult::Own(_)) {
                prop_assert!(released && members == 1 && (ratio == 1 || follow_up));
            }
        }
    }

    #[test]
    fn the_cases_by_name() {
        let of = |ratio, members, follow_up, outcome, released| result_of(&clock(ratio, members, follow_up, outcome, released)).name();
        assert_eq!(of(10, 10, false, Some(TubeOutcome::Negative), true), "negative");
        assert_eq!(of(10, 10, false, Some(TubeOutcome::Positive), false), "held");
        assert_eq!(of(10, 10, false, Some(TubeOutcome::Positive), true), "held");
        assert_eq!(of(10, 1, false, Some(TubeOutcome::Positive), true), "held", "one swab in a tube for ten is not a single specimen");
        assert_eq!(of(10, 1, true, Some(TubeOutcome::Positive), true), "positive");
        assert_eq!(of(1, 1, false, Some(TubeOutcome::Positive), true), "positive");
        assert_eq!(of(1, 2, false, Some(TubeOutcome::Positive), true), "held", "two swabs in a tube for one belong to nobody alone");
        assert_eq!(of(1, 1, false, Some(TubeOutcome::SingleTarget), true), "inconclusive");
        assert_eq!(of(1, 1, false, Some(TubeOutcome::Invalid), true), "invalid");
        assert_eq!(of(1, 1, false, None, false), "pending");
        let lost = TubeClock { lost: Some("missing".to_owned()), ..clock(1, 1, false, None, false) };
        assert_eq!(result_of(&lost), PersonResult::NoSpecimen);
    }
}
