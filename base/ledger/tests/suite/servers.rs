//! Several servers on one PostgreSQL, and a connection that is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use baton_ledger::{Conn, Ledger};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::house::*;

#[test]
fn two_servers_share_one_ledger() {
    let Some(house) = House::postgres("two_servers_share_one_ledger") else { return };
    let (one, two) = (house.open_as(7, &ROOMS), house.open_as(8, &ROOMS));
    std::thread::scope(|scope| {
        for (server, ledger) in [(1, &one), (2, &two)] {
            scope.spawn(move || {
                for n in 1..=60 {
                    accepted(ledger, vec![fact(id(1, server, n), "swab"), fact(id((2 + n % 3) as u8, server, n), "swab")]);
                    if n % 5 == 0 {
                        _ = decide_bed(ledger, id(6, server, n), "guest", 10);
                    }
                }
            });
        }
    });
    let (committed, _) = one.position().max(two.position());
    for ledger in [&one, &two] {
        assert!(ledger.wait_folded(committed, PATIENCE));
        assert_eq!(tallied(ledger, None), 240 + 10, "each once, ten beds");
    }
    assert_eq!(one.read(|tx| Ok(tx.query("SELECT problem FROM fold_trouble", &[])?)).unwrap(), vec![]);
    house.assert_sound();
    let folded = house.state_hash();
    drop((one, two));
    Ledger::rebuild(&house.place, &ROOMS, std::sync::Arc::new(baton_kit::SeededEntropy::new(3)), |_, _| {}).unwrap();
    assert_eq!(house.state_hash(), folded);
}

/// The second server's chain memory is older than what the first one folded meanwhile.
#[test]
fn servers_that_take_turns_find_no_false_break() {
    let Some(house) = House::postgres("servers_that_take_turns_find_no_false_break") else { return };
    let (one, two) = (house.open_as(7, &ROOMS), house.open_as(8, &ROOMS));
    for turn in 1..=8 {
        for (device, ledger) in [(1, &one), (2, &two)] {
            accepted(ledger, vec![fact(id(1, device, turn), "swab")]);
            decide_bed(ledger, id(1, device, 100 + turn), "guest", 99).unwrap();
        }
    }
    settle(&one);
    assert_eq!(tallied(&one, None), 32);
}

#[test]
fn an_id_said_to_two_servers_counts_once() {
    let Some(house) = House::postgres("an_id_said_to_two_servers_counts_once") else { return };
    let (one, two) = (house.open_as(7, &ROOMS), house.open_as(8, &ROOMS));
    let first = accepted(&one, vec![fact(id(1, 1, 1), "swab")]).remove(0);
    let again = accepted(&two, vec![fact(id(1, 1, 1), "swab")]).remove(0);
    assert_eq!((again.ordinal, again.repeated), (first.ordinal, true));
    assert!(record(&two, vec![fact(id(1, 1, 1), "another")])[0].is_err());
    let ids: Vec<_> = (0..20).flat_map(|_| [one.next_id(bucket(0)).unwrap(), two.next_id(bucket(0)).unwrap()]).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 40);
}

#[test]
fn a_lost_connection_is_opened_again() {
    let Some(house) = House::postgres("a_lost_connection_is_opened_again") else { return };
    let ledger = house.open();
    let subject = baton_kit::AnyId::from_raw(5).unwrap();
    let sealed = ledger.vault().seal(subject, b"x").unwrap();
    for round in 1..=5 {
        accepted(&ledger, vec![fact(id(1, 1, round), "swab")]);
        tallied(&ledger, None);
        cut_all_connections(&house);
        let answers = record(&ledger, vec![fact(id(1, 2, round), "swab"), fact(id(1, 3, round), "swab")]);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        cut_all_connections(&house);
        decide_bed(&ledger, id(2, 1, round), "guest", 99).unwrap();
        settle(&ledger);
        assert_eq!(tallied(&ledger, Some(BED_GIVEN)), i64::from(round));
    }
    cut_all_connections(&house);
    assert_eq!(ledger.vault().open(subject, &sealed).unwrap(), Some(b"x".to_vec()));
    assert_eq!(tallied(&ledger, None), 20);
    house.assert_sound();
}

#[test]
fn a_server_stops_and_decides_while_another_writes_without_end() {
    let Some(house) = House::postgres("a_server_stops_and_decides_while_another_writes_without_end") else { return };
    let (one, two) = (house.open_as(7, &ROOMS), house.open_as(8, &ROOMS));
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut written = 0;
            while !stopped.load(Ordering::SeqCst) && written < 20_000 {
                accepted(&one, (0..50).map(|n| fact(id(1, 1, written + n + 1), "swab")).collect());
                written += 50;
            }
            written
        });
        decide_bed(&two, id(2, 1, 1), "guest", 9).unwrap();
        drop(two);
        stopped.store(true, Ordering::SeqCst);
        assert!(writing.join().unwrap() < 20_000, "it stopped only when there was no more to fold");
    });
}

/// Promise 7, through any server: the same facts ten times, shuffled, split, to one server or the other, leave the state of having been said once.
#[test]
fn a_history_resent_through_two_servers_gives_the_same_state() {
    let Some(house) = House::postgres("a_history_resent_through_two_servers_gives_the_same_state") else { return };
    let facts: Vec<_> = (1..=30).map(|n| fact(id((n % 3 + 1) as u8, 1 + n % 2, n), &format!("swab {n}"))).collect();
    let once = house.open();
    accepted(&once, facts.clone());
    settle(&once);
    drop(once);
    let said_once = crate::facts::logical_state(&house);
    let tenfold: Vec<_> = (0..10).flat_map(|_| facts.clone()).collect();
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    let told = (Just(tenfold).prop_shuffle(), 1usize..40, any::<u64>());
    let result = runner.run(&told, |(sent, at_once, turns)| {
        let other = house.sister();
        let (one, two) = (other.open_as(7, &ROOMS), other.open_as(8, &ROOMS));
        for (turn, part) in sent.chunks(at_once).enumerate() {
            accepted(if turns >> (turn % 64) & 1 == 0 { &one } else { &two }, part.to_vec());
        }
        settle(&one);
        settle(&two);
        prop_assert_eq!(tallied(&one, None), 30);
        prop_assert_eq!(crate::facts::logical_state(&other), said_once);
        prop_assert_eq!(other.verify().problems, vec![]);
        Ok(())
    });
    result.unwrap();
}

/// What a restart of the server does to this house's connections.
fn cut_all_connections(house: &House) {
    let mut conn = Conn::open_postgres(house.place.database.as_ref().unwrap()).unwrap();
    let mut tx = conn.begin().unwrap();
    let mine = "SELECT CAST(count(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = $1";
    let cut = tx.one(mine, baton_ledger::params![house.application()]).unwrap().int(0).unwrap();
    assert!(cut > 0, "there was none to cut");
}
