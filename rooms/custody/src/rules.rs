//! Who holds a box, and when a laboratory may admit one.

use baton_kit::{PlaceId, Refusal};

use crate::events::{AdmitBox, Taker};
use crate::model::{Contradiction, Custody, Deed, Holder, Stage, Step};

/// Above this a preserved specimen is too warm: 8.0 °C.
pub const WARMEST_TENTHS_C: i64 = 80;

/// Follows the steps of one box in the order in which they happened.
pub fn follow(steps: &[Step]) -> Custody {
    let mut ordered: Vec<&Step> = steps.iter().collect();
    ordered.sort_by_key(|step| (step.happened, step.id));
    let mut custody = Custody { stage: Stage::Unknown, holder: None, held_since: None, offer: None, sealed_count: None, findings: Vec::new() };
    for step in ordered {
        take_step(&mut custody, step);
    }
    custody
}

fn take_step(custody: &mut Custody, step: &Step) {
    match &step.deed {
        Deed::Opened => {
            if custody.stage == Stage::Unknown {
                custody.stage = Stage::Filling;
            }
            if custody.holder.is_none() {
                hold(custody, step.actor.map(Holder::Account), step);
            }
        }
        Deed::Sealed { count } => {
            custody.sealed_count = Some(*count);
            if matches!(custody.stage, Stage::Unknown | Stage::Filling) {
                custody.stage = Stage::Sealed;
            }
        }
        Deed::Offered { to, count } => offered(custody, step, *to, *count),
        Deed::Accepted { count, seal_intact, temperature_tenths_c } => {
            inspect(custody, step, *count, *seal_intact, *temperature_tenths_c);
            accepted(custody, step);
        }
        Deed::Declined => custody.offer = None,
        Deed::Admitted { laboratory, count, seal_intact, temperature_tenths_c } => {
            inspect(custody, step, *count, *seal_intact, *temperature_tenths_c);
            received(custody, step, *laboratory);
        }
        Deed::ArrivedAnyway { laboratory, count } => {
            inspect(custody, step, *count, true, None);
            find(custody, Contradiction::ArrivedUnadmitted, step);
            received(custody, step, *laboratory);
        }
        Deed::TemperatureNoted { tenths_c } => {
            if *tenths_c > WARMEST_TENTHS_C {
                find(custody, Contradiction::TooWarm, step);
            }
        }
    }
}

fn find(custody: &mut Custody, what: Contradiction, step: &Step) {
    custody.findings.push((what, step.id));
}

fn hold(custody: &mut Custody, holder: Option<Holder>, step: &Step) {
    if holder.is_some() {
        custody.holder = holder;
        custody.held_since = Some(step.happened);
    }
    custody.offer = None;
}

fn offered(custody: &mut Custody, step: &Step, to: Taker, count: i64) {
    if custody.sealed_count.is_none() {
        find(custody, Contradiction::NeverSealed, step);
    } else if custody.sealed_count != Some(count) {
        find(custody, Contradiction::CountMismatch, step);
    }
    let holds = custody.holder.is_some() && custody.holder == step.actor.map(Holder::Account);
    if !holds {
        find(custody, Contradiction::OfferedByAnother, step);
    }
    // The offerer holds until the other side accepts.
    custody.offer = Some(to);
}

fn accepted(custody: &mut Custody, step: &Step) {
    match (custody.offer, step.actor) {
        (Some(Taker::Account(to)), Some(taker)) if to == taker => {}
        (None, _) => find(custody, Contradiction::TakenUnoffered, step),
        _ => find(custody, Contradiction::TakenByAnother, step),
    }
    hold(custody, step.actor.map(Holder::Account), step);
    if custody.stage != Stage::Received {
        custody.stage = Stage::OnTheWay;
    }
}

fn received(custody: &mut Custody, step: &Step, laboratory: PlaceId) {
    hold(custody, Some(Holder::Laboratory(laboratory)), step);
    custody.stage = Stage::Received;
}

fn inspect(custody: &mut Custody, step: &Step, count: i64, seal_intact: bool, temperature_tenths_c: Option<i64>) {
    if custody.sealed_count.is_some_and(|sealed| sealed != count) {
        find(custody, Contradiction::CountMismatch, step);
    }
    if !seal_intact {
        find(custody, Contradiction::SealBroken, step);
    }
    if temperature_tenths_c.is_some_and(|tenths| tenths > WARMEST_TENTHS_C) {
        find(custody, Contradiction::TooWarm, step);
    }
}

/// What an admission is judged by.
#[derive(Clone, Debug)]
pub struct AdmissionState {
    pub custody: Option<Custody>,
    /// Tubes the laboratory declared it can test in an operational day; nothing declared means nothing is admitted.
    pub declared: Option<i64>,
    /// Tubes it took on in this operational day.
    pub taken: i64,
}

/// A laboratory takes a box it was offered, up to what it declared for the day.
pub fn admit(state: &AdmissionState, command: &AdmitBox) -> Result<(), Refusal> {
    let Some(custody) = &state.custody else { return Err(Refusal::absent("box-unknown")) };
    if custody.stage == Stage::Received {
        return Err(Refusal::conflict("box-already-received"));
    }
    if custody.offer != Some(Taker::Laboratory(command.laboratory)) {
        return Err(Refusal::ruled("box-not-offered-here"));
    }
    let Some(declared) = state.declared else { return Err(Refusal::ruled("laboratory-without-capacity")) };
    let after = state.taken + i64::from(command.count);
    if after > declared {
        return Err(Refusal::ruled("laboratory-over-capacity").with("declared", declared).with("taken", state.taken).with("offered", command.count));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{AccountId, BoxId, Bucket, Device, EventId, Timestamp};
    use proptest::prelude::*;

    fn device() -> Device {
        Device::new(9).unwrap()
    }
    fn account(n: u32) -> AccountId {
        AccountId::new(Bucket::INSTALLATION, device(), n)
    }
    fn laboratory(n: u32) -> PlaceId {
        PlaceId::new(Bucket::INSTALLATION, device(), n)
    }
    fn step(n: u32, actor: u32, deed: Deed) -> Step {
        Step { id: EventId::new(Bucket::INSTALLATION, device(), n), happened: Timestamp(i64::from(n)), actor: Some(account(actor)), deed }
    }

    fn journey() -> Vec<Step> {
        vec![
            step(1, 1, Deed::Opened),
            step(2, 1, Deed::Sealed { count: 7 }),
            step(3, 1, Deed::Offered { to: Taker::Account(account(2)), count: 7 }),
            step(4, 2, Deed::Accepted { count: 7, seal_intact: true, temperature_tenths_c: Some(42) }),
            step(5, 2, Deed::Offered { to: Taker::Laboratory(laboratory(5)), count: 7 }),
            step(6, 3, Deed::Admitted { laboratory: laboratory(5), count: 7, seal_intact: true, temperature_tenths_c: None }),
        ]
    }

    #[test]
    fn a_clean_journey_has_one_holder_at_each_step() {
        let steps = journey();
        let holders: Vec<Option<Holder>> = (1..=6).map(|n| follow(&steps[..n]).holder).collect();
        let (nurse, courier) = (Some(Holder::Account(account(1))), Some(Holder::Account(account(2))));
        assert_eq!(holders, [nurse, nurse, nurse, courier, courier, Some(Holder::Laboratory(laboratory(5)))]);
        let end = follow(&steps);
        assert_eq!((end.stage, end.offer), (Stage::Received, None));
        assert!(end.findings.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_found() {
        let found = |steps: &[Step]| follow(steps).findings.into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        let mut steps = journey();
        steps[3].deed = Deed::Accepted { count: 6, seal_intact: false, temperature_tenths_c: Some(81) };
        assert_eq!(found(&steps[..4]), [Contradiction::CountMismatch, Contradiction::SealBroken, Contradiction::TooWarm]);
        let mut steps = journey();
        steps[3].actor = Some(account(8));
        assert_eq!(found(&steps[..4]), [Contradiction::TakenByAnother]);
        let mut steps = journey();
        steps.remove(2);
        assert_eq!(found(&steps[..3]), [Contradiction::TakenUnoffered]);
        let mut steps = journey();
        steps.remove(1);
        assert_eq!(found(&steps[..2]), [Contradiction::NeverSealed]);
        let warm = [step(1, 1, Deed::Opened), step(2, 1, Deed::TemperatureNoted { tenths_c: 95 })];
        assert_eq!(found(&warm), [Contradiction::TooWarm]);
        let anyway = [step(1, 1, Deed::Opened), step(2, 3, Deed::ArrivedAnyway { laboratory: laboratory(5), count: 1 })];
        assert_eq!(found(&anyway), [Contradiction::ArrivedUnadmitted]);
        let mut steps = journey();
        steps[4].actor = Some(account(1));
        assert_eq!(found(&steps[..5]), [Contradiction::OfferedByAnother]);
    }

    #[test]
    fn a_declined_offer_stays_with_the_offerer() {
        let mut steps = journey();
        steps[3] = step(4, 2, Deed::Declined);
        let custody = follow(&steps[..4]);
        assert_eq!((custody.holder, custody.offer), (Some(Holder::Account(account(1))), None));
    }

    fn command(count: u16) -> AdmitBox {
        AdmitBox { box_id: BoxId::new(Bucket::INSTALLATION, device(), 1), laboratory: laboratory(5), count, seal_intact: true, temperature_tenths_c: None }
    }

    #[test]
    fn a_laboratory_takes_what_it_declared_and_no_more() {
        // CU-5
        let offered = Some(follow(&journey()[..5]));
        let state = |declared, taken| AdmissionState { custody: offered.clone(), declared, taken };
        assert!(admit(&state(Some(100), 93), &command(7)).is_ok());
        assert_eq!(admit(&state(Some(100), 94), &command(7)).unwrap_err().code, "laboratory-over-capacity");
        assert_eq!(admit(&state(None, 0), &command(7)).unwrap_err().code, "laboratory-without-capacity");
        assert_eq!(admit(&AdmissionState { custody: None, declared: Some(9), taken: 0 }, &command(7)).unwrap_err().code, "box-unknown");
        let elsewhere = AdmissionState { custody: Some(follow(&journey()[..3])), declared: Some(100), taken: 0 };
        assert_eq!(admit(&elsewhere, &command(7)).unwrap_err().code, "box-not-offered-here");
        let done = AdmissionState { custody: Some(follow(&journey())), declared: Some(100), taken: 0 };
        assert_eq!(admit(&done, &command(7)).unwrap_err().code, "box-already-received");
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            Just(Deed::Opened),
            (0i64..4).prop_map(|count| Deed::Sealed { count }),
            (1u32..4, 0i64..4).prop_map(|(to, count)| Deed::Offered { to: Taker::Account(account(to)), count }),
            (0i64..4, any::<bool>()).prop_map(|(count, seal_intact)| Deed::Accepted { count, seal_intact, temperature_tenths_c: None }),
            Just(Deed::Declined),
            (0i64..4).prop_map(|count| Deed::Admitted { laboratory: laboratory(5), count, seal_intact: true, temperature_tenths_c: None }),
        ]
    }

    proptest! {
        /// CU-1: once opened, a box has exactly one holder whatever else is said about it.
        #[test]
        fn an_opened_box_always_has_a_holder(deeds in prop::collection::vec((deed(), 1u32..4), 0..12)) {
            let mut steps = vec![step(0, 1, Deed::Opened)];
            steps.extend(deeds.into_iter().zip(1..).map(|((deed, actor), n)| step(n, actor, deed)));
            for n in 1..=steps.len() {
                prop_assert!(follow(&steps[..n]).holder.is_some());
            }
        }

        /// CU-2: offering changes no holder.
        #[test]
        fn the_offerer_holds_until_acceptance(deeds in prop::collection::vec((deed(), 1u32..4), 0..12), to in 1u32..4) {
            let mut steps: Vec<Step> = deeds.into_iter().zip(1..).map(|((deed, actor), n)| step(n, actor, deed)).collect();
            let before = follow(&steps).holder;
            steps.push(step(99, 1, Deed::Offered { to: Taker::Account(account(to)), count: 1 }));
            prop_assert_eq!(follow(&steps).holder, before);
        }

        /// CU-3: the order in which steps arrive does not matter.
        #[test]
        fn order_of_arrival_does_not_matter(deeds in prop::collection::vec((deed(), 1u32..4), 0..10), seed: u64) {
            let steps: Vec<Step> = deeds.into_iter().zip(1..).map(|((deed, actor), n)| step(n, actor, deed)).collect();
            let mut shuffled = steps.clone();
            shuffled.sort_by_key(|s| (baton_kit::TypedId::raw(s.id) as u64).wrapping_mul(seed | 1));
            prop_assert_eq!(follow(&shuffled), follow(&steps));
        }
    }
}
