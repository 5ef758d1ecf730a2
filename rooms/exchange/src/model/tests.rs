use baton_kit::{Bucket, Device};

use super::*;

fn tube_id() -> TubeId {
    TubeId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), 1)
}

fn told(ordinal: i64, outcome: TubeOutcome, amended: bool) -> Told {
    let event = EventId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), ordinal as u32);
    Told { tube: tube_id(), event, ordinal, outcome, amended, happened: Timestamp(ordinal), recorded: Timestamp(ordinal), signers: Vec::new() }
}

fn unit(ratio: i64, members: i64, told: Vec<Told>) -> Unit {
    let scan = |n: u32| EventId::new(Bucket::INSTALLATION, Device::new(3).unwrap(), n);
    let swab = |n: i64| Swab { scan: scan(n as u32), person: scan(n as u32 + 100).created(), swabbed: Some(Timestamp(1)), undone: false };
    let swabs: Vec<Swab> = (1..=members).map(swab).collect();
    let mut clock = TubeClock::unknown(tube_id());
    (clock.ratio, clock.members, clock.outcome, clock.released) =
        (Some(ratio), members, told.last().map(|told| told.outcome), told.first().map(|told| told.happened));
    let first = swabs.first().copied();
    Unit { tube: Arc::new(TubeFacts { clock, assay: None, laboratory: None, told, readings: Vec::new(), swabs }), swab: first }
}

#[test]
fn a_pool_that_is_not_clean_says_nothing_of_its_people() {
    for outcome in TubeOutcome::ALL {
        let member = unit(10, 10, vec![told(1, outcome, false)]);
        let answer = member.answer(None);
        assert_eq!(answer == Answer::Negative, outcome == TubeOutcome::Negative);
        assert!(matches!(answer, Answer::Negative | Answer::Held), "{answer:?}");
        assert_eq!(Unit { swab: None, ..member }.answer(None), Answer::Pool(outcome));
    }
}

#[test]
fn an_amended_pool_takes_its_negative_back() {
    let member = unit(10, 10, vec![told(1, TubeOutcome::Negative, false), told(2, TubeOutcome::Positive, true)]);
    assert_eq!(member.answer(None), Answer::Withdrawn);
    assert_eq!(member.answer(member.tube.told.first()), Answer::Negative, "what was told then stays to be seen");
    let other = unit(10, 10, vec![told(1, TubeOutcome::Positive, false), told(2, TubeOutcome::Negative, true)]);
    assert_eq!((other.answer(other.tube.told.first()), other.answer(None)), (Answer::Held, Answer::Negative));
}

#[test]
fn nothing_is_said_before_the_release_nor_of_a_scan_taken_back() {
    assert_eq!(unit(1, 1, Vec::new()).answer(None), Answer::Waiting);
    let mut own = unit(1, 1, vec![told(1, TubeOutcome::Positive, false)]);
    assert_eq!(own.answer(None), Answer::Own(TubeOutcome::Positive));
    if let Some(swab) = &mut own.swab {
        swab.undone = true;
    }
    assert_eq!(own.answer(None), Answer::Undone);
}
