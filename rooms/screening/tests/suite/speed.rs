//! How long half a million people take. Run with `cargo test --release -p baton-screening -- --ignored --nocapture`.

use baton_kit::TypedId;
use baton_ledger::Draft;
use baton_screening::campaign::store::{Ask, By, Reach};
use baton_screening::store;

use crate::house::*;

#[allow(clippy::disallowed_methods)] // a measurement
fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let from = std::time::Instant::now();
    let value = work();
    println!("{name}: {:.3} s", from.elapsed().as_secs_f64());
    value
}

/// Writes the roster straight into the registry's tables: its own speed is its own concern.
fn seed(house: &House, people: i64) {
    let mut conn = match &house.place.database {
        Some(url) => baton_ledger::Conn::open_postgres(url).unwrap(),
        None => baton_ledger::Conn::open_sqlite(&house.place.folder.join("projections.db"), baton_ledger::door::Durability::Replayable).unwrap(),
    };
    let mut tx = conn.begin().unwrap();
    for n in 0..people {
        let firm = n % 40_000;
        let (zone, grid, enterprise) = (town().zone.raw() + firm % 45, town().zone.raw() + 1000 + firm % 900, town().zone.raw() + 10_000 + firm);
        let id = person(n as u32 + 1);
        tx.execute(
            "INSERT INTO person (bucket, id, state, sealed, tags, recorded_us) VALUES ($1, $2, 'active', $3, '', 0)",
            baton_ledger::params![id.bucket_number(), id, baton_ledger::Param::Bytes(&[])],
        )
        .unwrap();
        tx.execute(
            "INSERT INTO affiliation (bucket, person, from_day, to_day, present, zone, grid, enterprise, household) VALUES ($1, $2, 0, 2147483647, 1, $3, $4, $5, $6)",
            baton_ledger::params![id.bucket_number(), id, zone, grid, enterprise, n / 3 + 1],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

#[test]
#[ignore = "takes minutes; prints what it saw"]
fn half_a_million_people() {
    const PEOPLE: u32 = 500_000;
    const TUBES: u32 = 50_000;
    let house = House::embedded();
    let ledger = house.open();
    found_town(&ledger, 0);
    seed(&house, i64::from(PEOPLE));
    let mut command = campaign(10);
    command.who.places = (0..45).map(|n| baton_kit::PlaceId::from_raw(town().zone.raw() + n).unwrap()).collect();
    timed("campaign opened, 500,000 due", || say(&ledger, vec![decided(id(0, 63, 1), START, &command)]));
    let nurse = Sampler(100);
    let mut facts: Vec<Draft> = Vec::new();
    for t in 0..TUBES {
        let n = t * 20 + 1;
        facts.push(nurse.opens(n, i64::from(t % 600), &format!("T{t}"), 10));
        // Half of the round: people of the first half million only once.
        facts.extend((0..10).map(|k| nurse.samples(n + 1 + k, i64::from(t % 600) + 1, nurse.tube(n), (t * 10 + k).wrapping_mul(7919) % PEOPLE + 1)));
        facts.push(nurse.seals(n + 12, i64::from(t % 600) + 2, nurse.tube(n), 10));
    }
    println!("{} facts", facts.len());
    timed("recorded", || {
        for chunk in facts.chunks(4000) {
            ledger.record_now(chunk.to_vec()).unwrap();
        }
    });
    timed("and folded", || settle(&ledger));
    let ask = Ask { campaign: campaign_id(), round: 1, reach: Reach::Everywhere, within: None };
    for by in By::ALL {
        timed(by.name(), || ledger.read(|tx| Ok(store::coverage(tx, &ask, by, 2000)?)).unwrap());
    }
    timed("missing, a page from the middle", || ledger.read(|tx| Ok(store::missing(tx, &ask, 5_000, 100)?)).unwrap());
    timed("spots of the map", || ledger.read(|tx| Ok(baton_screening::board::store::spots(tx, &ask)?)).unwrap());
    timed("quarters", || ledger.read(|tx| Ok(baton_screening::board::store::quarters(tx, &ask)?)).unwrap());
    timed("reasons", || ledger.read(|tx| Ok(baton_screening::board::store::reasons(tx, &ask)?)).unwrap());
    let tubes: Vec<_> = (0..TUBES).map(|t| nurse.tube(t * 20 + 1)).collect();
    timed("50,000 tubes accessioned, read and signed", || {
        for (n, chunk) in (0u32..).zip(tubes.chunks(90)) {
            let outcomes: Vec<_> = chunk.iter().map(|tube| (*tube, if tube.packed().sequence() % 1000 == 1 { "positive" } else { "negative" })).collect();
            let mut drafts: Vec<Draft> = (0u32..).zip(chunk).map(|(k, tube)| accessioned(1_000_000 + n * 100 + k, 700, *tube, None)).collect();
            drafts.extend([read(2 * n, 800, &outcomes), signed(2 * n + 1, 900, &outcomes)]);
            ledger.record_now(drafts).unwrap();
        }
        settle(&ledger);
    });
    timed("tubes of a report", || ledger.read(|tx| Ok(baton_screening::report::store::tubes(tx, campaign_id(), 1, &ask.reach)?)).unwrap());
    timed("follow-ups of a report", || ledger.read(|tx| Ok(baton_screening::report::store::follow_ups(tx, &ask)?)).unwrap());
    timed("invariants", || assert_sound(&ledger));
}
