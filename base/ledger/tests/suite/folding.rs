//! The follower: every event once into every room, and nothing that is damaged.

use std::time::Duration;

use baton_kit::SeededEntropy;
use baton_ledger::{Fold, Ledger, hex};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: every_event_is_folded_exactly_once,
    an_event_a_room_cannot_fold_is_noted_and_the_rest_goes_on,
    a_passing_trouble_is_no_events_fault,
    a_rebuild_gives_the_same_bytes,
    the_same_history_has_the_same_bytes_on_every_store,
    tables_of_another_shape_are_made_anew,
    a_rebuild_beside_a_running_server_is_seen_by_it,
    nothing_damaged_is_folded,
    waiting_for_what_never_comes_ends,
}

fn every_event_is_folded_exactly_once(house: &House) {
    for round in 0..4u32 {
        let ledger = house.open();
        for sequence in 1..=25 {
            accepted(&ledger, (1..=4).map(|bucket| fact(id(bucket, round + 1, sequence), "swab")).collect());
            if sequence % 10 == 0 {
                decide_bed(&ledger, id(9, round + 1, sequence), "guest", 99).unwrap();
            }
        }
        settle(&ledger);
        let so_far = i64::from(round + 1) * 102;
        assert_eq!(tallied(&ledger, None), so_far);
        assert_eq!(ledger.position(), (so_far, so_far));
        let ordinals = ledger.read(|tx| Ok(tx.one("SELECT CAST(sum(ordinals) AS BIGINT) FROM tally", &[])?)).unwrap();
        assert_eq!(ordinals.int(0).unwrap(), so_far * (so_far + 1) / 2, "each ordinal once");
    }
}

fn an_event_a_room_cannot_fold_is_noted_and_the_rest_goes_on(house: &House) {
    let ledger = house.open();
    let kinds = ["test.happened", UNREADABLE, "test.happened", PANICKING, "test.happened", TWICE, "test.happened"];
    let drafts = kinds.iter().zip(1..).map(|(kind, n)| kind_of_fact(id(5, 1, n), kind, "x")).collect();
    accepted(&ledger, drafts);
    settle(&ledger);
    assert_eq!(tallied(&ledger, None), 7, "the sound room has them all, once");
    let folded = ledger.read(|tx| Ok(tx.query("SELECT ordinal FROM fragile ORDER BY ordinal", &[])?)).unwrap();
    assert_eq!(folded.iter().map(|row| row.int(0).unwrap()).collect::<Vec<_>>(), vec![1, 3, 5, 7], "no half-folded event");
    let trouble = ledger.read(|tx| Ok(tx.query("SELECT bucket, ordinal, room, problem FROM fold_trouble ORDER BY ordinal", &[])?)).unwrap();
    let placed: Vec<_> = trouble.iter().map(|row| (row.int(0).unwrap(), row.int(1).unwrap(), row.text(2).unwrap())).collect();
    assert_eq!(placed, vec![(5, 2, "fragile"), (5, 4, "fragile"), (5, 6, "fragile")]);
    assert_eq!(trouble[0].text(3).unwrap(), "the body makes no sense");
    assert_eq!(trouble[1].text(3).unwrap(), "a bug in a room");
    assert!(trouble[2].text(3).unwrap().to_lowercase().contains("unique"), "{trouble:?}");
}

/// Tried again until it passes: neither skipped nor blamed on the event.
fn a_passing_trouble_is_no_events_fault(house: &House) {
    let ledger = house.open();
    let crowded = kind_of_fact(id(5, 1, 2), CROWDED, &house.place.folder.display().to_string());
    accepted(&ledger, vec![fact(id(5, 1, 1), "x"), crowded, fact(id(5, 1, 3), "x")]);
    settle(&ledger);
    assert_eq!(ledger.read(|tx| Ok(tx.query("SELECT problem FROM fold_trouble", &[])?)).unwrap(), vec![]);
    assert_eq!(ledger.read(|tx| Ok(tx.one("SELECT count(*) FROM fragile", &[])?)).unwrap().int(0).unwrap(), 3);
    assert_eq!(tallied(&ledger, None), 3);
}

fn a_history(house: &House) {
    let ledger = house.open();
    for n in 1..=40 {
        accepted(&ledger, vec![fact(id((n % 5) as u8, 1, n), &format!("早 {n}")), kind_of_fact(id(6, 2, n), "test.other", "\u{1F9EA} \\ \" \n")]);
        _ = decide_bed(&ledger, id(7, 3, n), &format!("guest {n}"), 20);
    }
    settle(&ledger);
}

fn a_rebuild_gives_the_same_bytes(house: &House) {
    a_history(house);
    let (folded, sound) = (house.state_hash(), house.verify());
    let reached = Ledger::rebuild(&house.place, &ROOMS, std::sync::Arc::new(SeededEntropy::new(3)), |_, _| {}).unwrap();
    assert_eq!(reached, 100);
    assert_eq!(house.state_hash(), folded);
    assert_eq!(house.verify(), sound, "the ledger itself is not touched");
    assert_eq!(tallied(&house.open(), None), 100);
}

/// Written down, so that both stores and every later version are held to it.
fn the_same_history_has_the_same_bytes_on_every_store(house: &House) {
    a_history(house);
    assert_eq!(hex(&house.state_hash()), "aa7ee4c5b3f194e9244b1f97f79182b78364fe7373946d204cc484896f5fd2d3");
    assert_eq!(hex(&house.verify().ledger_head), "7beffbbcf271c058e2499a5e4802c480fd98870d10cbdd7f01a3cf9bab2d4e9d");
}

fn tables_of_another_shape_are_made_anew(house: &House) {
    let ledger = house.open();
    accepted(&ledger, vec![fact(id(1, 1, 1), "x")]);
    settle(&ledger);
    drop(ledger);
    let mut rooms = ROOMS;
    let wider = rooms[1].schema.replace("text TEXT NOT NULL,", "text TEXT NOT NULL,\n  colour TEXT,");
    rooms[1] = Fold { schema: wider.leak(), ..rooms[1] };
    let ledger = house.open_as(7, &rooms);
    let rows = ledger.read(|tx| Ok(tx.query("SELECT text, colour FROM fragile", &[])?)).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(tallied(&ledger, None), 1);
}

fn a_rebuild_beside_a_running_server_is_seen_by_it(house: &House) {
    let ledger = house.open();
    accepted(&ledger, vec![fact(id(1, 1, 1), "before")]);
    settle(&ledger);
    Ledger::rebuild(&house.place, &ROOMS, std::sync::Arc::new(SeededEntropy::new(3)), |_, _| {}).unwrap();
    accepted(&ledger, vec![fact(id(1, 1, 2), "after")]);
    settle(&ledger);
    assert_eq!(tallied(&ledger, None), 2);
}

#[test]
fn a_projections_file_that_is_no_database_is_made_anew() {
    let house = House::embedded();
    a_history(&house);
    let folded = house.state_hash();
    for suffix in ["-wal", "-shm"] {
        _ = std::fs::remove_file(house.place.folder.join(format!("projections.db{suffix}")));
    }
    std::fs::write(house.place.folder.join("projections.db"), vec![b'?'; 9000]).unwrap();
    drop(house.open());
    assert_eq!(house.state_hash(), folded);
}

fn nothing_damaged_is_folded(house: &House) {
    let ledger = house.open();
    accepted(&ledger, (1..=9).map(|n| fact(id(1, 1, n), "as it was said")).collect());
    settle(&ledger);
    drop(ledger);
    house.tamper("UPDATE event SET body = '{\"text\":\"as somebody wants it\"}' WHERE ordinal = 6");
    let error = Ledger::rebuild(&house.place, &ROOMS, std::sync::Arc::new(SeededEntropy::new(3)), |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("ordinal 6"), "{error}");
    let opened = Ledger::open(house.place.clone(), house.surroundings(7, &ROOMS), |_, _| {});
    assert!(opened.is_err_and(|error| error.to_string().contains("ordinal 6")));
}

fn waiting_for_what_never_comes_ends(house: &House) {
    let ledger = house.open();
    assert!(ledger.wait_folded(0, Duration::ZERO));
    assert!(!ledger.wait_folded(1, Duration::from_millis(50)));
}
