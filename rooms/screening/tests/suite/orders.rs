//! Any order, any repetition: once everything has arrived, the tables are the same.

use baton_ledger::Draft;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::house::*;

const PEOPLE: u32 = 8;

/// What one device does with one tube.
#[derive(Clone, Debug)]
struct Filling {
    ratio: u16,
    code: u8,
    opened: i64,
    /// Person, minutes after the opening, whether it is undone afterwards.
    scans: Vec<(u32, i64, bool)>,
    seals: Vec<(i64, u16)>,
    outcomes: Vec<Told>,
}

#[derive(Clone, Debug)]
enum Told {
    Accessioned(bool),
    Lost,
    Read(&'static str),
    Signed(&'static str),
}

fn filling() -> impl Strategy<Value = Filling> {
    let outcome = || prop_oneof![Just("negative"), Just("positive"), Just("single_target"), Just("invalid")];
    let told = prop_oneof![any::<bool>().prop_map(Told::Accessioned), Just(Told::Lost), outcome().prop_map(Told::Read), outcome().prop_map(Told::Signed)];
    (
        prop_oneof![Just(1u16), Just(5), Just(10)],
        0u8..4,
        0i64..300,
        prop::collection::vec((1..=PEOPLE, 0i64..20, prop::bool::weighted(0.2)), 0..6),
        prop::collection::vec((0i64..30, 0u16..6), 0..3),
        prop::collection::vec(told, 0..4),
    )
        .prop_map(|(ratio, code, opened, scans, seals, outcomes)| Filling { ratio, code, opened, scans, seals, outcomes })
}

/// Facts of the samplers, and what laboratories say in its own order.
fn events(fillings: &[Filling]) -> (Vec<Draft>, Vec<Draft>) {
    let (mut facts, mut decisions) = (Vec::new(), Vec::new());
    for (index, filling) in fillings.iter().enumerate() {
        let sampler = Sampler(100 + (index % 3) as u32);
        let base = 1000 * (index as u32 + 1);
        let tube = sampler.tube(base);
        facts.push(sampler.opens(base, filling.opened, &format!("T{}", filling.code), filling.ratio));
        for (n, (who, after, undone)) in (0u32..).zip(&filling.scans) {
            facts.push(sampler.samples(base + 10 + n, filling.opened + after, tube, *who));
            if *undone {
                facts.push(sampler.undoes(base + 30 + n, filling.opened + after + 1, base + 10 + n));
            }
        }
        for (n, (after, count)) in (0u32..).zip(&filling.seals) {
            facts.push(sampler.seals(base + 50 + n, filling.opened + after, tube, *count));
        }
        for (n, told_now) in (0u32..).zip(&filling.outcomes) {
            let (n, at) = (base + n, 400 + i64::from(n) * 10);
            match told_now {
                Told::Accessioned(taken) => facts.push(accessioned(n, at, tube, (!taken).then_some("leaked"))),
                Told::Lost => facts.push(told(n, at, "custody.tubes_lost", serde_json::json!({"tubes": [tube], "reason": "missing"}))),
                Told::Read(outcome) => decisions.push(read(n, at, &[(tube, outcome)])),
                Told::Signed(outcome) => decisions.push(signed(n, at, &[(tube, outcome)])),
            }
        }
    }
    (facts, decisions)
}

/// Facts in the order of `keys`, some twice; decisions among them in their own order.
fn mixed(facts: &[Draft], decisions: &[Draft], keys: &[u32]) -> Vec<Draft> {
    let key = |n: usize| keys[n % keys.len()].wrapping_mul(n as u32 * 2 + 1);
    let mut order: Vec<(u32, Draft)> = facts.iter().enumerate().map(|(n, draft)| (key(n), draft.clone())).collect();
    order.extend(facts.iter().enumerate().filter(|(n, _)| key(*n) % 4 == 0).map(|(n, draft)| (key(n).rotate_left(7), draft.clone())));
    let mut places: Vec<u32> = (0..decisions.len()).map(|n| key(n + 3)).collect();
    places.sort_unstable();
    order.extend(places.into_iter().zip(decisions.iter().cloned()));
    order.sort_by_key(|(key, _)| *key);
    order.into_iter().map(|(_, draft)| draft).collect()
}

fn folded(house: &House, drafts: Vec<Draft>) -> [u8; 32] {
    let ledger = house.open();
    found_town(&ledger, PEOPLE - 2); // two people are swabbed whom nobody knows
    open_campaign(&ledger, 5);
    for draft in drafts {
        ledger.record_now(vec![draft]).expect("the lane has room").remove(0).expect("recorded, or known already");
    }
    assert_sound(&ledger);
    drop(ledger);
    house.state_hash()
}

#[test]
fn any_order_and_any_repetition_end_in_the_same_tables() {
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let input = (prop::collection::vec(filling(), 1..6), prop::collection::vec(any::<u32>(), 16..40));
    let outcome = runner.run(&input, |(fillings, keys)| {
        let (facts, decisions) = events(&fillings);
        let straight: Vec<Draft> = facts.iter().chain(&decisions).cloned().collect();
        let one = folded(&House::embedded(), straight);
        let other = folded(&House::embedded(), mixed(&facts, &decisions, &keys));
        prop_assert_eq!(one, other);
        Ok(())
    });
    outcome.unwrap();
}
