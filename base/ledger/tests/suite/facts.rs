//! Facts: never refused for what they say, written once, acknowledged when durable.

use baton_kit::{EventId, Status};
use baton_ledger::{Draft, ID_CONFLICT, Ledger, Note, Reading, Undecided};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: a_resend_has_one_effect_and_the_first_answer,
    an_id_that_names_two_things_is_refused_and_found,
    a_resend_inside_one_batch_is_seen,
    what_arrives_late_is_taken,
    many_sayers_at_once_each_count_once,
    a_history_resent_in_any_order_and_split_gives_the_same_state,
    a_caller_that_panics_does_not_stop_the_writer,
    readers_wait_for_a_bounded_time,
    ids_of_the_server_are_never_given_twice,
    a_server_is_never_device_zero,
}

fn a_resend_has_one_effect_and_the_first_answer(house: &House) {
    let mut swab = fact(id(3, 21, 1), "swab");
    swab.notes = vec![Note::new("sampled-today").with("tube", 9)];
    let ledger = house.open();
    let first = accepted(&ledger, vec![swab.clone()]).remove(0);
    house.clock.advance_to(START.plus_us(60_000_000));
    let mut resent = swab.clone();
    resent.notes.clear(); // notes are ours, not the sayer's: they make no difference
    let again = accepted(&ledger, vec![resent]).remove(0);
    drop(ledger);
    let after_restart = accepted(&house.open(), vec![swab]).remove(0);

    assert!(!first.repeated && again.repeated && after_restart.repeated);
    let on_the_wire = serde_json::to_string(&first).unwrap();
    assert!(on_the_wire.contains("sampled-today"), "{on_the_wire}");
    assert_eq!(on_the_wire, serde_json::to_string(&again).unwrap());
    assert_eq!(on_the_wire, serde_json::to_string(&after_restart).unwrap());
    assert_eq!(house.count("SELECT count(*) FROM event"), 1);
    house.assert_sound();
}

fn an_id_that_names_two_things_is_refused_and_found(house: &House) {
    let ledger = house.open();
    let first = fact(id(3, 21, 1), "tube A");
    accepted(&ledger, vec![first.clone()]);
    let another_kind = kind_of_fact(first.id, "test.other", "tube A");
    let another_time = Draft { happened: START, ..first.clone() };
    for offered in [fact(first.id, "Zhang Wei"), another_kind, another_time] {
        let answers = record(&ledger, vec![fact(id(3, 22, offered.kind.len() as u32), "before"), offered, fact(id(3, 23, 1), "after")]);
        let refusal = answers[1].as_ref().unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("id-conflict", Status::Conflict));
        assert_eq!(refusal.arguments, vec![("id", first.id.to_string())]);
        assert!(answers[0].is_ok() && answers[2].is_ok(), "the neighbours stay");
    }
    let findings = house.log(&format!("SELECT body FROM event WHERE kind = '{ID_CONFLICT}' ORDER BY ordinal"));
    assert_eq!(findings.len(), 3);
    let finding = findings[0].text(0).unwrap();
    assert!(finding.contains(&first.id.to_string()) && !finding.contains("Zhang Wei"), "{finding}");
    assert_eq!(house.log("SELECT body FROM event ORDER BY ordinal")[0].text(0).unwrap(), first.body);
    house.assert_sound();
}

fn a_resend_inside_one_batch_is_seen(house: &House) {
    let ledger = house.open();
    let (a, b) = (fact(id(1, 5, 1), "a"), fact(id(1, 5, 2), "b"));
    let answers = record(&ledger, vec![a.clone(), a.clone(), fact(a.id, "not a"), b.clone(), a]);
    let repeated: Vec<Option<bool>> = answers.iter().map(|answer| answer.as_ref().ok().map(|ack| ack.repeated)).collect();
    assert_eq!(repeated, vec![Some(false), Some(true), None, Some(false), Some(true)]);
    assert_eq!(answers[0].as_ref().unwrap().ordinal, answers[4].as_ref().unwrap().ordinal);
    assert_eq!(house.count("SELECT count(*) FROM event"), 3, "a, b and the finding");
    house.assert_sound();
}

fn what_arrives_late_is_taken(house: &House) {
    let ledger = house.open();
    for sequence in [10, 5, 11, 4] {
        let ack = accepted(&ledger, vec![fact(id(2, 9, sequence), "offline")]).remove(0);
        assert!(!ack.repeated, "{sequence}");
    }
    assert!(accepted(&ledger, vec![fact(id(2, 9, 5), "offline")])[0].repeated);
    assert_eq!(house.count("SELECT count(*) FROM event"), 4);
}

fn many_sayers_at_once_each_count_once(house: &House) {
    const SAYERS: u32 = 8;
    const EACH: u32 = 40;
    let ledger = house.open();
    std::thread::scope(|scope| {
        for sayer in 1..=SAYERS {
            let ledger = &ledger;
            scope.spawn(move || {
                for sequence in 1..=EACH {
                    let swab = fact(id((sayer % 3) as u8, sayer, sequence), "swab");
                    accepted(ledger, vec![swab.clone()]);
                    accepted(ledger, vec![swab]);
                }
            });
        }
    });
    let all = i64::from(SAYERS * EACH);
    settle(&ledger);
    assert_eq!(tallied(&ledger, None), all);
    assert_eq!(ledger.position(), (all, all), "ordinals are dense");
    assert_eq!(house.count("SELECT count(DISTINCT id) FROM event"), all);
    house.assert_sound();
}

/// Promise 7: an offline batch sent ten times, shuffled and split gives the same state.
fn a_history_resent_in_any_order_and_split_gives_the_same_state(house: &House) {
    let history: Vec<Draft> = (1..=30).map(|n| fact(id((n % 4) as u8, 1 + n % 5, n), &format!("swab {n}"))).collect();
    let ledger = house.open();
    accepted(&ledger, history.clone());
    settle(&ledger);
    let sent_once = logical_state(house);
    let tenfold: Vec<Draft> = (0..10).flat_map(|_| history.clone()).collect();
    let shuffled = Just(tenfold).prop_shuffle();
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let result = runner.run(&(shuffled, 1usize..40), |(sent, at_once)| {
        let other = house.sister();
        let ledger = other.open();
        for batch in sent.chunks(at_once) {
            accepted(&ledger, batch.to_vec());
        }
        settle(&ledger);
        prop_assert_eq!(logical_state(&other), sent_once);
        prop_assert_eq!(other.verify().problems, vec![]);
        Ok(())
    });
    result.unwrap();
}

/// The state without what depends on the order of arrival.
pub fn logical_state(house: &House) -> [u8; 32] {
    let mut rooms = ROOMS;
    rooms[0].volatile = &["tally.ordinals"];
    Ledger::state_hash(&house.place, &rooms, true).unwrap()
}

fn a_caller_that_panics_does_not_stop_the_writer(house: &House) {
    let ledger = house.open();
    ledger.record(vec![fact(id(1, 1, 1), "x")], |_| panic!("a bug in a caller")).unwrap();
    assert!(accepted(&ledger, vec![fact(id(1, 1, 1), "x")])[0].repeated, "it was written before the caller was told");
    assert!(!accepted(&ledger, vec![fact(id(1, 1, 2), "x")])[0].repeated);
}

/// Eight may look at once; a ninth waits a few seconds and is told to come back.
fn readers_wait_for_a_bounded_time(house: &House) {
    let ledger = house.open();
    let all_reading = std::sync::Barrier::new(9);
    let refusal = std::thread::scope(|scope| {
        let (release, wait) = crossbeam_channel::bounded::<()>(0);
        for _ in 0..8 {
            let (ledger, all_reading, wait) = (&ledger, &all_reading, wait.clone());
            scope.spawn(move || {
                ledger.read(|_| {
                    all_reading.wait();
                    _ = wait.recv();
                    Ok(())
                })
            });
        }
        all_reading.wait();
        let refused = ledger.read(|_| Ok(()));
        ledger.read_for(Reading::Scans, |_| Ok(())).expect("others have connections of their own");
        ledger.read_for(Reading::LookUps, |_| Ok(())).expect("others have connections of their own");
        drop(release);
        refused.unwrap_err()
    });
    assert!(matches!(&refusal, Undecided::Refused(refusal) if refusal.code == "readers-busy" && refusal.status == Status::Full), "{refusal}");
    ledger.read(|_| Ok(())).unwrap();
}

fn ids_of_the_server_are_never_given_twice(house: &House) {
    let mut given: Vec<EventId> = Vec::new();
    for _ in 0..3 {
        let ledger = house.open();
        given.extend((0..50).map(|n| ledger.next_id(bucket(n % 2)).unwrap()));
    }
    let count = given.len();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), count);
}

/// Device 0 numbers the ledger's own findings.
fn a_server_is_never_device_zero(house: &House) {
    let refused = Ledger::open(house.place.clone(), house.surroundings(0, &ROOMS), |_, _| {});
    assert!(refused.err().is_some_and(|error| error.to_string().contains("device 0")));
}
