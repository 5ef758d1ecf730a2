//! What happens to people, told step by step.

use baton_kit::TypedId;
use baton_kit::time::{DAY_US, HOUR_US};
use baton_registry::events::{PeopleLeft, RecallLot};
use baton_screening::campaign::store::{Ask, By, Reach};
use baton_screening::events::*;
use baton_screening::model::DueState::*;
use baton_screening::store;

use crate::house::*;

const NURSE: Sampler = Sampler(100);

baton_ground::on_both_stores!(
    crate::house::House:     a_clean_pool_frees_all_its_people,
    a_pool_that_is_not_clean_holds_all_and_makes_the_list,
    a_single_positive_is_a_positive_person_and_two_in_a_single_tube_are_not,
    a_lost_tube_makes_its_people_due_again,
    a_late_scan_into_a_held_tube_is_held_too,
    an_amendment_holds_and_frees,
    a_mistaken_scan_is_undone,
    contradictions_are_found_and_go_when_settled_by_facts,
    a_recalled_or_expired_fluid_is_found_on_its_tubes,
    who_is_not_listed_counts_apart,
    people_who_come_later_leave_or_are_excused,
    a_second_round_begins_anew_and_clears_the_first,
    people_and_tubes_are_counted_apart,
    missing_people_are_listed_by_place,
);

fn a_clean_pool_frees_all_its_people(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, tube, 1), NURSE.samples(3, 3, tube, 2), NURSE.seals(4, 4, tube, 2)]);
    assert_eq!((state(&ledger, 1), state(&ledger, 2), state(&ledger, 3)), (Sampled, Sampled, Due));
    say(&ledger, vec![accessioned(1, 60, tube, None)]);
    assert_eq!(state(&ledger, 1), Pending);
    say(&ledger, vec![read(2, 100, &[(tube, "negative")])]);
    assert_eq!(state(&ledger, 1), Pending, "nothing is free before it is released");
    say(&ledger, vec![signed(3, 120, &[(tube, "negative")])]);
    assert_eq!((state(&ledger, 1), due(&ledger, 1).standing.result), (Resulted, "negative"));
    assert_eq!(findings(&ledger), Vec::<String>::new());
    assert_sound(&ledger);
    house.same_after_rebuild(ledger);
}

fn a_pool_that_is_not_clean_holds_all_and_makes_the_list(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(
        &ledger,
        vec![
            NURSE.opens(1, 1, "T1", 10),
            NURSE.samples(2, 2, tube, 1),
            NURSE.samples(3, 3, tube, 2),
            NURSE.seals(4, 4, tube, 2),
            accessioned(1, 60, tube, None),
        ],
    );
    say(&ledger, vec![read(2, 100, &[(tube, "single_target")])]);
    assert_eq!((state(&ledger, 1), state(&ledger, 2)), (Held, Held));
    assert_eq!(follow_ups(&ledger), vec![(1, "single_target".to_owned()), (2, "single_target".to_owned())]);
    say(&ledger, vec![read(3, 110, &[(tube, "negative")])]);
    assert_eq!(state(&ledger, 1), Held, "a second reading does not free: a release does");
    say(&ledger, vec![signed(4, 120, &[(tube, "positive")])]);
    assert_eq!((state(&ledger, 1), due(&ledger, 1).standing.result), (Held, ""), "a pool is nobody's positive");
    let (one, two) = (NURSE.tube(10), NURSE.tube(20));
    say(&ledger, vec![NURSE.opens(10, 130, "S1", 1), NURSE.samples(11, 131, one, 1), NURSE.opens(20, 132, "S2", 1), NURSE.samples(21, 133, two, 2)]);
    assert_eq!(state(&ledger, 1), Held, "swabbed again is not yet free");
    say(&ledger, vec![signed(5, 200, &[(one, "negative"), (two, "positive")])]);
    assert_eq!((state(&ledger, 1), due(&ledger, 1).standing.result), (Resulted, "negative"));
    assert_eq!((state(&ledger, 2), due(&ledger, 2).standing.result), (Resulted, "positive"));
    assert_eq!((follow_ups(&ledger), findings(&ledger)), (vec![], vec![]));
    assert_sound(&ledger);
}

fn a_single_positive_is_a_positive_person_and_two_in_a_single_tube_are_not(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 1);
    let (own, shared) = (NURSE.tube(1), NURSE.tube(10));
    say(
        &ledger,
        vec![
            NURSE.opens(1, 1, "T1", 1),
            NURSE.samples(2, 2, own, 1),
            NURSE.opens(10, 1, "T2", 1),
            NURSE.samples(11, 2, shared, 2),
            NURSE.samples(12, 3, shared, 3),
        ],
    );
    say(&ledger, vec![read(1, 100, &[(own, "positive"), (shared, "positive")])]);
    assert_eq!((state(&ledger, 1), state(&ledger, 2)), (Held, Held));
    assert_eq!(follow_ups(&ledger).len(), 2, "the person's own positive waits for its release, not for a swab");
    say(&ledger, vec![signed(2, 120, &[(own, "positive"), (shared, "positive")])]);
    assert_eq!(due(&ledger, 1).standing.result, "positive");
    assert_eq!((state(&ledger, 2), state(&ledger, 3)), (Held, Held));
    assert_eq!(findings(&ledger), vec!["tube-full"]);
    // One of the two was scanned by mistake: what is left is one person's own.
    say(&ledger, vec![NURSE.undoes(13, 130, 12)]);
    assert_eq!((due(&ledger, 2).standing.result, state(&ledger, 3)), ("positive", Due));
    assert_sound(&ledger);
}

fn a_lost_tube_makes_its_people_due_again(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let (lost, rejected, next) = (NURSE.tube(1), NURSE.tube(10), NURSE.tube(20));
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, lost, 1), NURSE.opens(10, 1, "T2", 10), NURSE.samples(11, 2, rejected, 2)]);
    say(
        &ledger,
        vec![told(1, 50, "custody.tubes_lost", serde_json::json!({"tubes": [lost], "reason": "leaked"})), accessioned(2, 60, rejected, Some("unlabelled"))],
    );
    assert_eq!((state(&ledger, 1), due(&ledger, 1).standing.reason), (Due, "leaked".to_owned()));
    assert_eq!((state(&ledger, 2), due(&ledger, 2).standing.reason), (Due, "unlabelled".to_owned()));
    assert_eq!(follow_ups(&ledger), vec![(1, "leaked".to_owned()), (2, "unlabelled".to_owned())]);
    say(&ledger, vec![NURSE.opens(20, 70, "T3", 10), NURSE.samples(21, 71, next, 1), NURSE.samples(22, 72, next, 2)]);
    assert_eq!((state(&ledger, 1), follow_ups(&ledger).len()), (Sampled, 2));
    // The lost tube is found after all and taken in.
    say(&ledger, vec![accessioned(3, 80, lost, None), signed(4, 200, &[(next, "negative")])]);
    assert_eq!((state(&ledger, 1), state(&ledger, 2), follow_ups(&ledger)), (Resulted, Resulted, vec![]));
    assert_eq!(findings(&ledger), vec!["sampled-twice"], "the lost tube was found: person 1 was swabbed twice after all");
    assert_sound(&ledger);
}

fn a_late_scan_into_a_held_tube_is_held_too(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.samples(2, 2, tube, 1)]);
    assert_eq!((state(&ledger, 1), findings(&ledger)), (Due, vec!["tube-unknown".to_owned()]));
    say(&ledger, vec![signed(1, 100, &[(tube, "positive")])]);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10)]);
    assert_eq!(state(&ledger, 1), Held);
    say(&ledger, vec![Sampler(101).samples(3, 3, tube, 4)]);
    assert_eq!(state(&ledger, 4), Held);
    assert_eq!(follow_ups(&ledger).len(), 2);
    assert_sound(&ledger);
}

fn an_amendment_holds_and_frees(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, tube, 1), signed(1, 100, &[(tube, "negative")])]);
    assert_eq!(state(&ledger, 1), Resulted);
    say(&ledger, vec![amended(2, 110, &[(tube, "invalid")])]);
    assert_eq!((state(&ledger, 1), due(&ledger, 1).standing.result, follow_ups(&ledger).len()), (Held, "", 1));
    say(&ledger, vec![amended(3, 120, &[(tube, "negative")])]);
    assert_eq!((state(&ledger, 1), follow_ups(&ledger).len()), (Resulted, 0));
    say(&ledger, vec![amended(4, 130, &[(tube, "a word of a later version")])]);
    assert_eq!(state(&ledger, 1), Held, "the unknown is never clean");
    assert_sound(&ledger);
}

fn a_mistaken_scan_is_undone(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, tube, 1), NURSE.undoes(3, 3, 2), NURSE.undoes(5, 5, 4)]);
    assert_eq!((state(&ledger, 1), findings(&ledger)), (Due, vec!["scan-unknown".to_owned()]));
    say(&ledger, vec![NURSE.samples(4, 4, tube, 2)]);
    assert_eq!((state(&ledger, 2), findings(&ledger)), (Due, vec![]));
    assert_sound(&ledger);
}

fn contradictions_are_found_and_go_when_settled_by_facts(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 12);
    open_campaign(&ledger, 5);
    let (a, b) = (NURSE.tube(1), Sampler(101).tube(1));
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 5), Sampler(101).opens(1, 2, "T1", 10)]);
    assert_eq!(findings(&ledger), vec!["code-used", "ratio-exceeds"]);
    say(&ledger, (1..=6).map(|p| NURSE.samples(1 + p, i64::from(p) + 2, a, p)).collect());
    say(&ledger, vec![NURSE.samples(8, 9, a, 1), Sampler(101).samples(2, 9, b, 2), NURSE.seals(9, 6, a, 5)]);
    assert_eq!(
        findings(&ledger),
        [
            "code-used",
            "count-mismatch",
            "ratio-exceeds",
            "sampled-after-seal",
            "sampled-after-seal",
            "sampled-after-seal",
            "sampled-twice",
            "tube-full",
            "twice-in-tube"
        ]
    );
    say(&ledger, vec![NURSE.undoes(10, 10, 8), NURSE.undoes(11, 10, 7), NURSE.seals(12, 11, a, 5)]);
    assert_eq!(findings(&ledger), vec!["code-used", "ratio-exceeds", "sampled-twice", "sealed-twice"]);
    let settle = SettleFinding { subject: baton_desk::any_id(a), code: "sealed-twice".to_owned(), person: None, remark: "counted again".to_owned() };
    say(&ledger, vec![decided(id(0, 63, 40), minutes(20), &settle)]);
    assert_eq!(findings(&ledger), vec!["code-used", "ratio-exceeds", "sampled-twice"]);
    say(&ledger, vec![NURSE.samples(13, 12, a, 9)]);
    assert_eq!(
        findings(&ledger),
        ["code-used", "count-mismatch", "ratio-exceeds", "sampled-after-seal", "sampled-twice", "tube-full"],
        "what was settled stays settled"
    );
    assert_sound(&ledger);
    house.same_after_rebuild(ledger);
}

fn a_recalled_or_expired_fluid_is_found_on_its_tubes(house: &House) {
    let ledger = house.open();
    let town = found_town(&ledger, 3);
    open_campaign(&ledger, 10);
    let opened = |n, at: i64, lot| {
        let body = TubeOpened { code: format!("L{n}"), campaign: campaign_id(), point: town.point, ratio: 10, fluid_lot: lot, follow_up: false };
        fact(id(TOWN, 100, n), minutes(at), &body)
    };
    say(&ledger, vec![opened(1, 1, Some(town.lot)), opened(2, 49 * 60, Some(town.lot)), opened(3, 1, Some(id(TOWN, 60, 99).created())), opened(4, 1, None)]);
    assert_eq!(findings(&ledger), vec!["fluid-expired", "fluid-unknown"]);
    say(&ledger, vec![decided(id(0, 63, 50), minutes(5), &RecallLot { lot: town.lot, reason: "maker".to_owned() })]);
    assert_eq!(findings(&ledger), vec!["fluid-recalled", "fluid-recalled", "fluid-unknown"]);
}

fn who_is_not_listed_counts_apart(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 4);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, tube, 1), NURSE.samples(3, 3, tube, 77)]);
    let ask = Ask { campaign: campaign_id(), round: 1, reach: Reach::Everywhere, within: None };
    let total = |ledger: &baton_ledger::Ledger| ledger.read(|tx| Ok(store::total(tx, &ask)?)).unwrap();
    assert_eq!((total(&ledger).listed(), total(&ledger).came(), total(&ledger).extra), (4, 1, 1));
    assert_eq!(findings(&ledger), vec!["person-unknown"]);
    let registered = recorded(&ledger, 2, vec![77]);
    say(&ledger, vec![registered]);
    assert_eq!((total(&ledger).listed(), total(&ledger).came(), total(&ledger).extra), (5, 2, 0), "registered on the spot: on the list");
    assert_eq!(findings(&ledger), Vec::<String>::new());
    say(&ledger, vec![NURSE.samples(4, 4, tube, 78), NURSE.undoes(5, 5, 4)]);
    assert_eq!(total(&ledger).extra, 0);
    assert_sound(&ledger);
}

fn people_who_come_later_leave_or_are_excused(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 6);
    open_campaign(&ledger, 10);
    let later = recorded(&ledger, 2, vec![20]);
    let leaving = PeopleLeft { import: None, last_day: baton_kit::OperationalDay(20_001), people: vec![person(1)] };
    let excuse = ExemptPerson { campaign: campaign_id(), person: person(2), reason: "medical".to_owned(), remark: String::new() };
    say(&ledger, vec![later, fact(id(TOWN, 62, 3), minutes(5), &leaving), decided(id(0, 63, 60), minutes(6), &excuse)]);
    assert_eq!((state(&ledger, 20), state(&ledger, 1), state(&ledger, 2)), (Due, Exempt, Exempt));
    assert_eq!(due(&ledger, 1).standing.reason, "left");
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 10, "T1", 10), NURSE.samples(2, 11, tube, 2)]);
    assert_eq!(state(&ledger, 2), Sampled, "who comes although excused was swabbed");
    let back = recorded(&ledger, 4, vec![1]);
    say(&ledger, vec![back]);
    assert_eq!(state(&ledger, 1), Due);
    assert_sound(&ledger);
    house.same_after_rebuild(ledger);
}

fn a_second_round_begins_anew_and_clears_the_first(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 4);
    open_campaign(&ledger, 10);
    let (pool, early) = (NURSE.tube(1), NURSE.tube(10));
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, pool, 1), signed(1, 100, &[(pool, "invalid")])]);
    // Swabbed in the second round before the centre heard of that round.
    let day = DAY_US / 60_000_000;
    say(&ledger, vec![NURSE.opens(10, day + 5, "S1", 1), NURSE.samples(11, day + 6, early, 1)]);
    let next = OpenRound { campaign: campaign_id(), round: 2, opens_us: START.plus_us(DAY_US), closes_us: START.plus_us(DAY_US + 12 * HOUR_US) };
    say(&ledger, vec![decided(id(0, 63, 2), START.plus_us(DAY_US), &next)]);
    let second = |p| ledger.read(|tx| Ok(store::due(tx, campaign_id(), 2, person(p))?)).unwrap().unwrap().standing.state;
    assert_eq!((state(&ledger, 1), second(1), second(2)), (Held, Sampled, Due));
    say(&ledger, vec![signed(2, day + 100, &[(early, "negative")])]);
    assert_eq!((state(&ledger, 1), second(1)), (Resulted, Resulted));
    assert_eq!(follow_ups(&ledger), vec![]);
    assert_sound(&ledger);
}

fn people_and_tubes_are_counted_apart(house: &House) {
    let ledger = house.open();
    found_town(&ledger, 30);
    open_campaign(&ledger, 10);
    let mut facts = Vec::new();
    for (tube, people) in [(1, 1..=9), (100, 10..=12), (200, 13..=23)] {
        facts.push(NURSE.opens(tube, 1, &format!("T{tube}"), 10));
        facts.extend(people.map(|p| NURSE.samples(tube + p, 2, NURSE.tube(tube), p)));
    }
    say(&ledger, facts);
    let ask = Ask { campaign: campaign_id(), round: 1, reach: Reach::Everywhere, within: None };
    let people = ledger.read(|tx| Ok(store::total(tx, &ask)?)).unwrap().came();
    let tubes = ledger.read(|tx| Ok(tx.one("SELECT CAST(count(*) AS BIGINT) FROM tube", &[])?.int(0)?)).unwrap();
    assert_eq!((people, tubes), (23, 3));
    assert_sound(&ledger);
}

fn missing_people_are_listed_by_place(house: &House) {
    let ledger = house.open();
    let town = found_town(&ledger, 41);
    open_campaign(&ledger, 10);
    let tube = NURSE.tube(1);
    say(&ledger, vec![NURSE.opens(1, 1, "T1", 10), NURSE.samples(2, 2, tube, 1)]);
    let ask = |reach, within| Ask { campaign: campaign_id(), round: 1, reach, within };
    let list = |ask: &Ask, skip, limit| ledger.read(|tx| Ok(store::missing(tx, ask, skip, limit)?)).unwrap();
    let everybody = ask(Reach::Everywhere, None);
    assert_eq!(list(&everybody, 0, 1000).len(), 40);
    let pages: Vec<_> = (0..6).flat_map(|page| list(&everybody, page * 7, 7)).collect();
    assert_eq!(pages, list(&everybody, 0, 1000), "pages neither lose nor repeat anybody");
    assert_eq!(list(&ask(Reach::Everywhere, Some(town.grids[1])), 0, 1000).len(), 20);
    assert_eq!(list(&ask(Reach::Places(vec![town.enterprises[0]]), None), 0, 1000).len(), 20);
    assert_eq!(list(&ask(Reach::Places(vec![town.grids[0]]), Some(town.grids[1])), 0, 1000).len(), 0);
    assert_eq!(list(&ask(Reach::Places(vec![]), None), 0, 1000).len(), 0);
    let by_grid = ledger.read(|tx| Ok(store::coverage(tx, &everybody, By::Grid, 10)?)).unwrap();
    let mut by_grid: Vec<_> = by_grid.into_iter().map(|(place, counts)| (place.unwrap().raw(), counts.due, counts.sampled)).collect();
    by_grid.sort_unstable();
    assert_eq!(by_grid, vec![(town.grids[0].raw(), 20, 1), (town.grids[1].raw(), 20, 0)]);
}
