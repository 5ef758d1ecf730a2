//! `verify` sees every single change made behind the ledger's back, names the first bad event, and accuses no other bucket.

use std::collections::BTreeSet;

use baton_kit::{EventId, SeededEntropy};
use baton_ledger::chain::{self, CHECKPOINT_EVERY, ChainProblem, GENESIS, Head, Verdict};
use baton_ledger::{Event, Secrets, Tx, params};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: every_single_change_is_found_and_placed,
    a_sound_ledger_is_sound,
    another_installations_signature_is_not_ours,
    a_changed_head_is_found,
    a_changed_clock_is_found,
    a_changed_mark_is_found,
    a_chain_rewritten_with_fresh_hashes_is_found,
    a_mark_does_not_pass_for_a_head,
    rows_under_no_bucket_are_found,
}

/// One event as it stands in the table.
#[derive(Clone, Copy, Debug)]
struct Place {
    bucket: i64,
    ordinal: i64,
    id: EventId,
}

#[derive(Clone, Debug)]
enum Change {
    Edit(Index, Field),
    Delete(Index),
    SwapBodies(Index, Index),
    SwapPlaces(Index, Index),
    /// Moves an event to another bucket.
    Rebucket(Index, u8),
    /// Adds a well-chained event at the end of a bucket.
    Insert(Index),
    /// Removes a bucket with its head and marks.
    DropBucket(Index),
    /// Removes everything after an event.
    Truncate(Index),
    /// The same, and sets the ledger's clock back.
    WindBack(Index),
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Id,
    Kind,
    Happened,
    Recorded,
    Actor,
    Body,
    Noted,
    Hash,
    Ordinal,
}

/// What must be among the findings.
#[derive(Debug)]
enum Expected {
    Broken(Place),
    Truncated(i64),
    Missing(i64),
    Clock,
}

const FIELDS: [Field; 9] = [Field::Id, Field::Kind, Field::Happened, Field::Recorded, Field::Actor, Field::Body, Field::Noted, Field::Hash, Field::Ordinal];

fn a_change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), proptest::sample::select(&FIELDS[..])).prop_map(|(a, field)| Change::Edit(a, field)),
        2 => at().prop_map(Change::Delete),
        1 => (at(), at()).prop_map(|(a, b)| Change::SwapBodies(a, b)),
        1 => (at(), at()).prop_map(|(a, b)| Change::SwapPlaces(a, b)),
        1 => (at(), 0u8..6).prop_map(|(a, bucket)| Change::Rebucket(a, bucket)),
        1 => at().prop_map(Change::Insert),
        1 => at().prop_map(Change::DropBucket),
        1 => at().prop_map(Change::Truncate),
        1 => at().prop_map(Change::WindBack),
    ]
}

/// A history as batches of (bucket, device); the body says which event it is.
fn a_history() -> impl Strategy<Value = Vec<Vec<(u8, u32)>>> {
    prop::collection::vec(prop::collection::vec((0u8..5, 1u32..4), 1..6), 1..9)
}

fn every_single_change_is_found_and_placed(house: &House) {
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let result = runner.run(&(a_history(), prop::collection::vec(a_change(), 40)), |(history, changes)| {
        let house = house.sister();
        write(&house, &history);
        prop_assert_eq!(house.verify().problems, vec![]);
        let places = places(&house);
        for change in changes {
            let verdict = verdict_after(&house, |tx| apply(tx, &places, &change));
            check(&change, &verdict.0, &verdict.1)?;
        }
        prop_assert_eq!(house.verify().problems, vec![], "every change was rolled back");
        Ok(())
    });
    result.unwrap();
}

fn write(house: &House, history: &[Vec<(u8, u32)>]) {
    let ledger = house.open();
    let mut sequence = 0;
    for batch in history {
        let drafts = batch.iter().map(|(bucket, device)| {
            sequence += 1;
            fact(id(*bucket, *device, sequence), &format!("event {sequence}"))
        });
        accepted(&ledger, drafts.collect());
    }
}

fn places(house: &House) -> Vec<Place> {
    let rows = house.log("SELECT bucket, ordinal, id FROM event ORDER BY ordinal");
    rows.iter().map(|row| Place { bucket: row.int(0).unwrap(), ordinal: row.int(1).unwrap(), id: row.id(2).unwrap() }).collect()
}

/// What `verify` says after a change, which is then taken back.
fn verdict_after<T>(house: &House, change: impl FnOnce(&mut Tx<'_>) -> T) -> (T, Verdict) {
    let key = Secrets::load(&house.place.secrets_folder()).unwrap().verifying();
    let mut conn = house.place.open_ledger().unwrap();
    let mut tx = conn.begin().unwrap();
    let changed = change(&mut tx);
    let verdict = chain::verify(&mut tx, &key, |_| {}).unwrap();
    tx.rollback().unwrap();
    (changed, verdict)
}

fn run(tx: &mut Tx<'_>, sql: &str) {
    tx.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What the finding must be, and the buckets it may accuse; nothing for a change that changes nothing.
type Outcome = Option<(Expected, BTreeSet<i64>)>;

fn apply(tx: &mut Tx<'_>, places: &[Place], change: &Change) -> Outcome {
    let last = places.len() as i64;
    let at = |index: &Index| places[index.index(places.len())];
    let successor = |place: Place| places.iter().copied().find(|p| p.bucket == place.bucket && p.ordinal > place.ordinal);
    let gone = |place: Place| successor(place).map_or(Expected::Truncated(place.bucket), Expected::Broken);
    match change {
        Change::Edit(index, field) => {
            let place = at(index);
            edit(tx, place, *field, last);
            let expected = if matches!(field, Field::Ordinal) { Expected::Missing(place.ordinal) } else { Expected::Broken(place) };
            Some((expected, BTreeSet::from([place.bucket])))
        }
        Change::Delete(index) => {
            let place = at(index);
            run(tx, &format!("DELETE FROM event WHERE ordinal = {}", place.ordinal));
            Some((gone(place), BTreeSet::from([place.bucket])))
        }
        Change::SwapBodies(a, b) | Change::SwapPlaces(a, b) if a.index(places.len()) == b.index(places.len()) => None,
        Change::SwapBodies(a, b) => {
            let (a, b) = ordered(at(a), at(b));
            swap_bodies(tx, a.ordinal, b.ordinal);
            Some((Expected::Broken(a), BTreeSet::from([a.bucket, b.bucket])))
        }
        Change::SwapPlaces(a, b) => {
            let (a, b) = ordered(at(a), at(b));
            swap_places(tx, a.ordinal, b.ordinal);
            // The later one now stands too early: nothing in its bucket is wrong before it.
            Some((Expected::Broken(Place { ordinal: a.ordinal, ..b }), BTreeSet::from([a.bucket, b.bucket])))
        }
        Change::Rebucket(index, to) => {
            let (place, to) = (at(index), i64::from(*to));
            if place.bucket == to {
                return None;
            }
            run(tx, &format!("UPDATE event SET bucket = {to} WHERE ordinal = {}", place.ordinal));
            Some((Expected::Broken(Place { bucket: to, ..place }), BTreeSet::from([place.bucket, to])))
        }
        Change::Insert(index) => {
            let place = at(index);
            insert_well_chained(tx, place.bucket, last + 1);
            Some((Expected::Truncated(place.bucket), BTreeSet::from([place.bucket])))
        }
        Change::DropBucket(index) => {
            let bucket = at(index).bucket;
            for table in ["event", "head", "checkpoint"] {
                run(tx, &format!("DELETE FROM {table} WHERE bucket = {bucket}"));
            }
            let first = places.iter().find(|place| place.bucket == bucket).unwrap();
            Some((Expected::Missing(first.ordinal), BTreeSet::from([bucket])))
        }
        Change::Truncate(index) | Change::WindBack(index) => {
            let keep = at(index).ordinal;
            if keep == last {
                return None;
            }
            let cut: BTreeSet<i64> = places.iter().filter(|place| place.ordinal > keep).map(|place| place.bucket).collect();
            run(tx, &format!("DELETE FROM event WHERE ordinal > {keep}"));
            if matches!(change, Change::Truncate(_)) {
                return Some((Expected::Missing(keep + 1), cut));
            }
            run(tx, &format!("UPDATE ledger_clock SET ordinal = {keep}"));
            Some((Expected::Clock, cut))
        }
    }
}

fn swap_bodies(tx: &mut Tx<'_>, a: i64, b: i64) {
    let both = format!("SELECT {b}, body FROM event WHERE ordinal = {a} UNION ALL SELECT {a}, body FROM event WHERE ordinal = {b}");
    run(tx, &format!("WITH two (o, body) AS ({both}) UPDATE event SET body = (SELECT body FROM two WHERE o = event.ordinal) WHERE ordinal IN ({a}, {b})"));
}

fn swap_places(tx: &mut Tx<'_>, a: i64, b: i64) {
    for (from, to) in [(a, -1), (b, a), (-1, b)] {
        run(tx, &format!("UPDATE event SET ordinal = {to} WHERE ordinal = {from}"));
    }
}

fn ordered(a: Place, b: Place) -> (Place, Place) {
    if a.ordinal < b.ordinal { (a, b) } else { (b, a) }
}

fn edit(tx: &mut Tx<'_>, place: Place, field: Field, last: i64) {
    let set = match field {
        Field::Id => format!("id = id + {}", 1_i64 << 40),
        Field::Kind => "kind = kind || 's'".to_owned(),
        Field::Happened => "happened_us = happened_us + 1".to_owned(),
        Field::Recorded => "recorded_us = recorded_us - 1".to_owned(),
        Field::Actor => "actor = 5".to_owned(),
        Field::Body => "body = body || ' '".to_owned(),
        Field::Noted => "noted = '[]'".to_owned(),
        Field::Ordinal => format!("ordinal = {}", last + 7),
        Field::Hash => {
            let hash: &[u8] = &[7; 32];
            tx.execute("UPDATE event SET hash = $1 WHERE ordinal = $2", params![hash, place.ordinal]).unwrap();
            return;
        }
    };
    run(tx, &format!("UPDATE event SET {set} WHERE ordinal = {}", place.ordinal));
}

fn insert_well_chained(tx: &mut Tx<'_>, bucket_number: i64, ordinal: i64) {
    let before = tx.one("SELECT hash FROM head WHERE bucket = $1", params![bucket_number]).unwrap();
    let mut event = Event {
        bucket: bucket(bucket_number as u8),
        ordinal,
        id: id(bucket_number as u8, 50, 1),
        kind: "test.forged".to_owned(),
        happened: START,
        recorded: START,
        actor: None,
        body: "{}".to_owned(),
        noted: String::new(),
        hash: GENESIS,
    };
    event.hash = chain::link(&before.bytes(0).unwrap().try_into().unwrap(), &event);
    let sql =
        "INSERT INTO event (bucket, ordinal, id, kind, happened_us, recorded_us, actor, body, noted, hash) VALUES ($1, $2, $3, $4, $5, $6, -1, $7, '', $8)";
    let hash: &[u8] = &event.hash;
    tx.execute(sql, params![bucket_number, ordinal, event.id, &event.kind, event.happened, event.recorded, &event.body, hash]).unwrap();
}

fn check(change: &Change, outcome: &Outcome, verdict: &Verdict) -> Result<(), TestCaseError> {
    let Some((expected, accused)) = outcome else { return Ok(()) };
    let found = verdict.problems.iter().any(|problem| match (expected, problem) {
        // An edited id is named as it stands now.
        (Expected::Broken(place), ChainProblem::Broken { bucket, ordinal, id }) => {
            i64::from(bucket.number()) == place.bucket && *ordinal == place.ordinal && (*id == place.id || matches!(change, Change::Edit(_, Field::Id)))
        }
        (Expected::Truncated(place), ChainProblem::Truncated { bucket, .. }) => i64::from(bucket.number()) == *place,
        (Expected::Missing(at), ChainProblem::Missing { ordinal }) => at == ordinal,
        (Expected::Clock, ChainProblem::Clock { .. }) => true,
        _ => false,
    });
    prop_assert!(found, "{change:?} wants {expected:?}, found {:?}", verdict.problems);
    for problem in &verdict.problems {
        if let Some(bucket) = bucket_of(problem) {
            prop_assert!(accused.contains(&bucket), "{change:?} accuses bucket {bucket}: {problem}");
        }
    }
    Ok(())
}

fn bucket_of(problem: &ChainProblem) -> Option<i64> {
    match problem {
        ChainProblem::Broken { bucket, .. }
        | ChainProblem::Checkpoint { bucket, .. }
        | ChainProblem::Truncated { bucket, .. }
        | ChainProblem::Rewritten { bucket, .. }
        | ChainProblem::Unsigned { bucket }
        | ChainProblem::Unreadable { bucket, .. } => Some(i64::from(bucket.number())),
        ChainProblem::Missing { .. } | ChainProblem::Beyond { .. } | ChainProblem::Clock { .. } | ChainProblem::NoBucket { .. } => None,
    }
}

/// Buckets 1 and 2, the first long enough to be signed twice in passing.
fn a_long_ledger(house: &House) -> i64 {
    let ledger = house.open();
    let long = u32::try_from(CHECKPOINT_EVERY * 2 + 88).unwrap();
    accepted(&ledger, (1..=long).map(|n| fact(id(1, 1, n), &format!("event {n}"))).collect());
    accepted(&ledger, vec![fact(id(2, 1, 1), "x")]);
    i64::from(long)
}

fn a_sound_ledger_is_sound(house: &House) {
    assert_eq!(house.verify().problems, vec![], "an empty one");
    let long = a_long_ledger(house);
    let verdict = house.verify();
    assert_eq!((verdict.events, verdict.buckets, verdict.problems), (long + 1, 2, vec![]));
    assert_eq!(house.count("SELECT count(*) FROM checkpoint"), 2);
}

fn another_installations_signature_is_not_ours(house: &House) {
    a_long_ledger(house);
    let other = fresh_folder();
    let key = Secrets::create(&other, &SeededEntropy::new(99)).unwrap().verifying();
    std::fs::remove_dir_all(other).unwrap();
    let mut conn = house.place.open_ledger().unwrap();
    let problems = chain::verify(&mut conn.begin_read().unwrap(), &key, |_| {}).unwrap().problems;
    for number in [1, 2] {
        assert!(problems.contains(&ChainProblem::Unsigned { bucket: bucket(number) }), "{problems:?}");
    }
    assert!(problems.iter().any(|problem| matches!(problem, ChainProblem::Clock { .. })));
}

fn problems_after(house: &House, sql: &[&str]) -> Vec<ChainProblem> {
    let (_, verdict) = verdict_after(house, |tx| sql.iter().for_each(|sql| run(tx, sql)));
    assert_ne!(verdict.problems, vec![], "{sql:?} was not found");
    verdict.problems
}

fn a_changed_head_is_found(house: &House) {
    let long = a_long_ledger(house);
    let unsigned = ChainProblem::Unsigned { bucket: bucket(2) };
    for set in [
        "ordinal = ordinal - 1",
        "count = count + 1",
        "hash = (SELECT hash FROM head WHERE bucket = 1)",
        "signature = (SELECT signature FROM head WHERE bucket = 1)",
    ] {
        let problems = problems_after(house, &[&format!("UPDATE head SET {set} WHERE bucket = 2")]);
        assert!(problems.contains(&unsigned), "{set}: {problems:?}");
    }
    assert_eq!(problems_after(house, &["DELETE FROM head WHERE bucket = 2"]), vec![unsigned]);
    let cut = problems_after(house, &[&format!("DELETE FROM event WHERE ordinal = {long}")]);
    assert!(cut.contains(&ChainProblem::Truncated { bucket: bucket(1), found: long - 1, count: long - 1, head: long, head_count: long }), "{cut:?}");
}

fn a_changed_clock_is_found(house: &House) {
    let long = a_long_ledger(house);
    let beyond = problems_after(house, &[&format!("UPDATE ledger_clock SET ordinal = {long}")]);
    assert_eq!(beyond, vec![ChainProblem::Clock { ordinal: long }, ChainProblem::Beyond { ordinal: long + 1, last: long }]);
    assert!(problems_after(house, &["UPDATE ledger_clock SET ordinal = ordinal + 1"]).contains(&ChainProblem::Missing { ordinal: long + 2 }));
    assert_eq!(problems_after(house, &["DELETE FROM ledger_clock"])[0], ChainProblem::Clock { ordinal: 0 });
    // A whole bucket at the end, with every trace of it.
    let erased = problems_after(
        house,
        &["DELETE FROM event WHERE bucket = 2", "DELETE FROM head WHERE bucket = 2", &format!("UPDATE ledger_clock SET ordinal = {long}")],
    );
    assert_eq!(erased, vec![ChainProblem::Clock { ordinal: long }]);
}

fn a_changed_mark_is_found(house: &House) {
    a_long_ledger(house);
    let mark = |after, ordinal| ChainProblem::Checkpoint { bucket: bucket(1), after, ordinal };
    let (first, second) = (CHECKPOINT_EVERY, 2 * CHECKPOINT_EVERY);
    for (sql, expected) in [
        (format!("UPDATE checkpoint SET signature = (SELECT signature FROM head WHERE bucket = 1) WHERE ordinal = {first}"), mark(0, first)),
        (format!("DELETE FROM checkpoint WHERE ordinal = {second}"), mark(first, second)),
        (format!("UPDATE checkpoint SET ordinal = ordinal + 1 WHERE ordinal = {second}"), mark(first, second)),
        (format!("UPDATE checkpoint SET ordinal = 100000 WHERE ordinal = {second}"), mark(first, second)),
        (
            format!("INSERT INTO checkpoint (bucket, ordinal, signature) SELECT 1, 100000, signature FROM checkpoint WHERE ordinal = {first}"),
            mark(second, 100_000),
        ),
    ] {
        assert_eq!(problems_after(house, &[&sql]), vec![expected], "{sql}");
    }
}

/// Somebody with the code and the database, but not the key, edits event `from` and chains all later ones anew.
fn rewrite(tx: &mut Tx<'_>, from: i64) -> Head {
    let events = tx.query("SELECT ordinal, id, kind, happened_us, recorded_us, body, noted, hash FROM event WHERE bucket = 1 ORDER BY ordinal", &[]).unwrap();
    let mut end = Head::empty(bucket(1));
    for row in events {
        let ordinal = row.int(0).unwrap();
        let body = if ordinal == from { "{\"text\":\"rewritten\"}" } else { row.text(5).unwrap() };
        let event = Event {
            bucket: bucket(1),
            ordinal,
            id: row.id(1).unwrap(),
            kind: row.text(2).unwrap().to_owned(),
            happened: row.time(3).unwrap(),
            recorded: row.time(4).unwrap(),
            actor: None,
            body: body.to_owned(),
            noted: row.text(6).unwrap().to_owned(),
            hash: GENESIS,
        };
        end = Head { bucket: bucket(1), ordinal, count: end.count + 1, hash: chain::link(&end.hash, &event) };
        if ordinal >= from {
            let hash: &[u8] = &end.hash;
            tx.execute("UPDATE event SET body = $1, hash = $2 WHERE bucket = 1 AND ordinal = $3", params![body, hash, ordinal]).unwrap();
        }
    }
    end
}

fn a_chain_rewritten_with_fresh_hashes_is_found(house: &House) {
    let long = a_long_ledger(house);
    let (first, second) = (CHECKPOINT_EVERY, 2 * CHECKPOINT_EVERY);
    let found = |from: i64, head_too: bool| {
        let (_, verdict) = verdict_after(house, |tx| {
            let end = rewrite(tx, from);
            if head_too {
                let hash: &[u8] = &end.hash;
                tx.execute("UPDATE head SET hash = $1 WHERE bucket = 1", params![hash]).unwrap();
            }
        });
        verdict.problems
    };
    let early = found(first + 44, false);
    assert_eq!(early[0], ChainProblem::Checkpoint { bucket: bucket(1), after: first, ordinal: second });
    assert_eq!(found(second + 9, false), vec![ChainProblem::Rewritten { bucket: bucket(1), after: second, ordinal: long }]);
    assert_eq!(found(second + 9, true), vec![ChainProblem::Unsigned { bucket: bucket(1) }]);
    assert_eq!(early[1], ChainProblem::Rewritten { bucket: bucket(1), after: first, ordinal: long });
}

/// Cut back to a signed mark and with that signature as the head's: still not a head.
fn a_mark_does_not_pass_for_a_head(house: &House) {
    a_long_ledger(house);
    let mark = CHECKPOINT_EVERY;
    let problems = problems_after(
        house,
        &[
            &format!(
                "UPDATE head SET ordinal = {mark}, count = {mark}, hash = (SELECT hash FROM event WHERE bucket = 1 AND ordinal = {mark}) WHERE bucket = 1"
            ),
            &format!("UPDATE head SET signature = (SELECT signature FROM checkpoint WHERE bucket = 1 AND ordinal = {mark}) WHERE bucket = 1"),
            &format!("DELETE FROM event WHERE bucket = 1 AND ordinal > {mark}"),
            &format!("DELETE FROM checkpoint WHERE bucket = 1 AND ordinal > {mark}"),
        ],
    );
    assert_eq!(problems, vec![ChainProblem::Unsigned { bucket: bucket(1) }, ChainProblem::Missing { ordinal: mark + 1 }]);
}

fn rows_under_no_bucket_are_found(house: &House) {
    a_long_ledger(house);
    let moved = problems_after(house, &["UPDATE event SET bucket = 999 WHERE bucket = 2"]);
    assert!(moved.contains(&ChainProblem::NoBucket { number: 999 }), "{moved:?}");
    let headed = problems_after(house, &["UPDATE head SET bucket = -4 WHERE bucket = 2"]);
    assert!(headed.contains(&ChainProblem::NoBucket { number: -4 }), "{headed:?}");
    let negative = problems_after(house, &["UPDATE event SET id = -1 WHERE bucket = 2"]);
    assert!(matches!(&negative[0], ChainProblem::Unreadable { bucket, ordinal: 0, .. } if bucket.number() == 2), "{negative:?}");
}

fn tables_are_sound(house: &House) -> bool {
    let entropy = std::sync::Arc::new(SeededEntropy::new(3));
    baton_ledger::Ledger::tables_are_sound(&house.place, &ROOMS, entropy, |_, _| {}).unwrap_or(false)
}

/// A bit turned in an index changes no row; what is looked up by that index is wrong all the same.
#[test]
fn an_index_that_disagrees_with_its_table_is_found() {
    let house = House::embedded();
    let ledger = house.open();
    accepted(&ledger, (1..=200).map(|n| fact(id(1, 1, n), "swab")).collect());
    settle(&ledger);
    drop(ledger);
    assert!(tables_are_sound(&house));
    let baton_ledger::Conn::Sqlite(conn) = house.place.open_ledger().unwrap() else { unreachable!("embedded") };
    let elsewhere = "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'head') WHERE name = 'event_id'";
    conn.execute_batch(&format!("PRAGMA writable_schema = ON; {elsewhere}; PRAGMA schema_version = 99")).unwrap();
    drop(conn);
    assert!(!tables_are_sound(&house), "the index of ids points elsewhere");
}

#[test]
fn a_key_that_does_not_open_is_found_and_a_destroyed_one_is_not_missed() {
    let house = House::embedded();
    let ledger = house.open();
    let [kept, destroyed] = [5, 6].map(|raw| baton_kit::AnyId::from_raw(raw).unwrap());
    _ = [kept, destroyed].map(|subject| ledger.vault().seal(subject, b"x").unwrap());
    ledger.vault().shred(destroyed).unwrap();
    accepted(&ledger, vec![fact(id(1, 1, 1), "swab")]);
    settle(&ledger);
    ledger.vault().check().unwrap();
    let vault = ledger.vault().clone();
    drop(ledger);
    assert!(tables_are_sound(&house));
    let mut keys = baton_ledger::Conn::open_sqlite(&house.place.folder.join("keys.db"), baton_ledger::door::Durability::Full).unwrap();
    let mut tx = keys.begin().unwrap();
    tx.execute("UPDATE data_key SET wrapped = CAST('damaged' AS BLOB) WHERE subject = $1", params![kept]).unwrap();
    tx.commit().unwrap();
    assert!(vault.check().unwrap_err().to_string().contains("does not open"));
    assert!(!tables_are_sound(&house));
}
