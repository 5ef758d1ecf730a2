//! Decisions: one after the other, each on everything before it, each once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use baton_kit::{EventId, Status};
use baton_ledger::{Answer, Decide, Draft, Ledger, StoreError, Undecided, params};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: the_last_bed_is_given_once,
    a_refusal_writes_nothing,
    a_resend_gets_the_first_answer_without_deciding_again,
    the_same_id_for_another_command_is_refused,
    a_decision_sees_every_fact_before_it,
    a_rule_that_panics_is_contained,
    a_rule_that_writes_and_refuses_leaves_no_trace,
    a_job_that_fails_leaves_its_neighbours_alone,
    what_cannot_be_folded_is_not_decided,
    a_rule_answers_its_own_command_only,
    facts_and_decisions_wait_in_one_line,
    a_fact_that_fails_leaves_its_neighbours_alone,
}

fn the_last_bed_is_given_once(house: &House) {
    let ledger = house.open();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asking: Vec<_> = (1..=10)
            .map(|n| {
                scope.spawn({
                    let ledger = &ledger;
                    move || decide_bed(ledger, id(4, n, 1), &format!("guest {n}"), 2)
                })
            })
            .collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (given, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((given.len(), refused.len()), (2, 8));
    assert!(refused.iter().all(|answer| answer.as_ref().is_err_and(|refusal| refusal.code == "no-bed")));
    assert_eq!(tallied(&ledger, Some(BED_GIVEN)), 2);
    let numbers: Vec<String> = house.log("SELECT body FROM event ORDER BY ordinal").iter().map(|row| row.text(0).unwrap().to_owned()).collect();
    assert!(numbers[0].ends_with("{\"number\":1}}") && numbers[1].ends_with("{\"number\":2}}"), "{numbers:?}");
    house.assert_sound();
}

fn a_refusal_writes_nothing(house: &House) {
    let ledger = house.open();
    accepted(&ledger, vec![fact(id(4, 1, 1), "x")]);
    let before = house.verify();
    let refusal = decide_bed(&ledger, id(4, 1, 2), "guest", 0).unwrap_err();
    assert_eq!((refusal.code, refusal.arguments), ("no-bed", vec![("beds", "0".to_owned())]));
    assert_eq!(house.verify(), before);
    assert!(decide_bed(&ledger, id(4, 1, 2), "guest", 1).is_ok(), "a refused id may ask again");
}

fn a_resend_gets_the_first_answer_without_deciding_again(house: &House) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = |id: EventId| -> Decide {
        let (asked, mut rule) = (asked.clone(), bed_rule(id, &ask("guest"), 1));
        Box::new(move |tx, now| {
            asked.fetch_add(1, Ordering::SeqCst);
            rule(tx, now)
        })
    };
    let command = id(4, 1, 1);
    let ledger = house.open();
    let first = ledger.decide_now(command, ask("guest"), counted(command)).unwrap();
    house.clock.advance_to(START.plus_us(1));
    let again = ledger.decide_now(command, ask("guest"), counted(command)).unwrap();
    drop(ledger);
    let after_restart = house.open().decide_now(command, ask("guest"), counted(command)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(!first.repeated && again.repeated && after_restart.repeated);
    assert_eq!((first.ordinal, first.recorded_us, &first.body), (again.ordinal, again.recorded_us, &again.body));
    assert_eq!(again, after_restart);
    assert_eq!(house.count("SELECT count(*) FROM event"), 1);
}

fn the_same_id_for_another_command_is_refused(house: &House) {
    let ledger = house.open();
    decide_bed(&ledger, id(4, 1, 1), "Ann", 9).unwrap();
    let other = decide_bed(&ledger, id(4, 1, 1), "Anna", 9).unwrap_err();
    assert_eq!((other.code, other.status), ("id-conflict", Status::Conflict));
    accepted(&ledger, vec![fact(id(4, 1, 2), "a fact")]);
    assert_eq!(decide_bed(&ledger, id(4, 1, 2), "Ann", 9).unwrap_err().code, "id-conflict");
    assert!(record(&ledger, vec![fact(id(4, 1, 1), "a fact")])[0].is_err(), "nor is a decision's id free for a fact");
    assert_eq!(tallied(&ledger, Some(BED_GIVEN)), 1);
}

fn a_decision_sees_every_fact_before_it(house: &House) {
    let ledger = house.open();
    for round in 1..=20 {
        accepted(&ledger, vec![fact(id(2, 1, round), "came in")]);
        let own = id(2, 2, round);
        let rule: Decide = Box::new(move |tx, now| {
            let inside = tx.one("SELECT events FROM tally WHERE bucket = 2 AND kind = 'test.happened'", &[])?.int(0)?;
            let body = format!("{{\"command\":1,\"outcome\":{inside}}}");
            Ok(Draft { id: own, kind: "test.counted".to_owned(), happened: now, actor: None, body, notes: Vec::new() })
        });
        let answer = ledger.decide_now(own, "1".to_owned(), rule).unwrap();
        assert_eq!(answer.body.unwrap(), format!("{{\"command\":1,\"outcome\":{round}}}"));
        assert!(ledger.position().1 >= answer.ordinal, "a decision is folded before it is answered");
    }
}

fn a_rule_that_panics_is_contained(house: &House) {
    let ledger = house.open();
    let refusal = ledger.decide_now(id(4, 1, 1), ask("x"), Box::new(|_, _| panic!("a bug in a rule"))).unwrap_err();
    assert_eq!((refusal.code, refusal.status), ("rule-broken", Status::Broken));
    decide_bed(&ledger, id(4, 1, 2), "the next", 1).unwrap();
    assert_eq!(house.count("SELECT count(*) FROM event"), 1);
}

fn a_rule_that_writes_and_refuses_leaves_no_trace(house: &House) {
    let ledger = house.open();
    let writes_then = |end: fn() -> Result<Draft, Undecided>| -> Decide {
        Box::new(move |tx, _| {
            tx.execute("INSERT INTO bed (bucket, id, guest) VALUES (0, 1, 'nobody')", &[])?;
            end()
        })
    };
    let refusing = writes_then(|| Err(Undecided::Refused(baton_kit::Refusal::ruled("no"))));
    assert_eq!(ledger.decide_now(id(4, 1, 1), "1".to_owned(), refusing).unwrap_err().code, "no");
    let panicking = writes_then(|| panic!("after writing"));
    assert_eq!(ledger.decide_now(id(4, 1, 2), "1".to_owned(), panicking).unwrap_err().code, "rule-broken");
    decide_bed(&ledger, id(4, 1, 3), "guest", 1).unwrap();
    assert_eq!(tallied(&ledger, None), 1);
}

/// Holds the writer in a decision until everything in `submit` waits, so that it is written as one group.
fn as_one_group(ledger: &Ledger, submit: impl FnOnce()) {
    let (entered, wait_entered) = crossbeam_channel::bounded(1);
    let (release, wait_release) = crossbeam_channel::bounded(1);
    let hold: Decide = Box::new(move |_, _| {
        entered.send(()).unwrap();
        wait_release.recv().unwrap();
        Err(Undecided::Refused(baton_kit::Refusal::ruled("only-waiting")))
    });
    ledger.decide(id(0, 99, 1), "1".to_owned(), hold, |_| {}).unwrap();
    wait_entered.recv().unwrap();
    submit();
    release.send(()).unwrap();
}

fn a_job_that_fails_leaves_its_neighbours_alone(house: &House) {
    let ledger = house.open();
    let (send, answers) = crossbeam_channel::unbounded();
    as_one_group(&ledger, || {
        for n in 1..=6u32 {
            let own = id(4, n, 1);
            let rule: Decide = match n {
                2 => Box::new(|tx, _| Ok(tx.execute("SELECT no_such_column FROM tally", &[]).map(|_| unreachable!("there is none"))?)),
                4 => Box::new(|_, _| panic!("a bug")),
                5 => Box::new(|_, _| Err(Undecided::Store(StoreError::Other("lost".to_owned())))),
                _ => bed_rule(own, &ask("guest"), 100),
            };
            let send = send.clone();
            ledger.decide(own, ask("guest"), rule, move |answer| send.send((n, answer)).unwrap()).unwrap();
        }
    });
    drop(send);
    let codes: Vec<(u32, Option<&str>)> = answers.iter().map(|(n, answer)| (n, answer.err().map(|refusal| refusal.code))).collect();
    let broken = Some("store-broken");
    assert_eq!(codes, vec![(1, None), (2, broken), (3, None), (4, Some("rule-broken")), (5, broken), (6, None)]);
    assert_eq!(tallied(&ledger, Some(BED_GIVEN)), 3);
    house.assert_sound();
}

fn what_cannot_be_folded_is_not_decided(house: &House) {
    let ledger = house.open();
    for (sequence, kind) in [(1, UNREADABLE), (2, PANICKING), (3, TWICE)] {
        let own = id(4, 1, sequence);
        let rule: Decide = Box::new(move |_, now| {
            Ok(Draft { id: own, kind: kind.to_owned(), happened: now, actor: None, body: "{\"command\":1,\"outcome\":1}".to_owned(), notes: Vec::new() })
        });
        assert_eq!(ledger.decide_now(own, "1".to_owned(), rule).unwrap_err().code, "store-broken", "{kind}");
    }
    decide_bed(&ledger, id(4, 1, 9), "guest", 1).unwrap();
    assert_eq!(tallied(&ledger, None), 1);
    assert_eq!(house.count("SELECT count(*) FROM event"), 1);
    house.assert_sound();
}

fn a_rule_answers_its_own_command_only(house: &House) {
    let ledger = house.open();
    let other_id = bed_rule(id(4, 2, 2), &ask("guest"), 9);
    assert_eq!(ledger.decide_now(id(4, 1, 1), ask("guest"), other_id).unwrap_err().code, "rule-broken");
    let other_command = bed_rule(id(4, 1, 2), &ask("somebody else"), 9);
    assert_eq!(ledger.decide_now(id(4, 1, 2), ask("guest"), other_command).unwrap_err().code, "rule-broken");
    assert_eq!(house.count("SELECT count(*) FROM event"), 0);
}

fn facts_and_decisions_wait_in_one_line(house: &House) {
    let ledger = house.open();
    let (send, answers) = crossbeam_channel::unbounded();
    as_one_group(&ledger, || {
        for n in 1..=9u32 {
            let (own, send) = (id(4, n, 1), send.clone());
            if n % 3 == 0 {
                ledger.decide(own, ask("guest"), bed_rule(own, &ask("guest"), 9), move |answer| send.send(answer.unwrap().ordinal).unwrap()).unwrap();
            } else {
                ledger.record(vec![fact(own, "x")], move |mut answers| send.send(answers.remove(0).unwrap().ordinal).unwrap()).unwrap();
            }
        }
    });
    drop(send);
    assert_eq!(answers.iter().collect::<Vec<i64>>(), (1..=9).collect::<Vec<i64>>());
    house.assert_sound();
}

/// A row that nobody chained stands where bucket 3's next event belongs: that bucket cannot be written, the others can.
fn a_fact_that_fails_leaves_its_neighbours_alone(house: &House) {
    let ledger = house.open();
    let mut conn = house.place.open_ledger().unwrap();
    let mut tx = conn.begin().unwrap();
    let sql = "INSERT INTO event (bucket, ordinal, id, kind, happened_us, recorded_us, actor, body, noted, hash) VALUES (3, 2, $1, 'x', 0, 0, -1, '', '', $2)";
    tx.execute(sql, params![id(3, 77, 1), [0u8; 32].as_slice()]).unwrap();
    tx.commit().unwrap();
    let (send, answers) = crossbeam_channel::unbounded();
    as_one_group(&ledger, || {
        for (n, bucket) in [(1, 1), (2, 3), (3, 1)] {
            let send = send.clone();
            ledger.record(vec![fact(id(bucket, n, 1), "x")], move |mut answers| send.send(answers.remove(0)).unwrap()).unwrap();
        }
    });
    drop(send);
    let codes: Vec<Option<&str>> = answers.iter().map(|answer| answer.err().map(|refusal| refusal.code)).collect();
    assert_eq!(codes, vec![None, Some("store-broken"), None]);
    assert_eq!(house.count("SELECT count(*) FROM event WHERE bucket = 1"), 2);
}
