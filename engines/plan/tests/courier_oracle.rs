//! Couriers: the age of tubes at accession, intakes, several trips, reasons; against every possible plan where there are few boxes.

use std::sync::atomic::{AtomicU64, Ordering};

use baton_plan::Alone;
use baton_plan::routes::couriers::{Delivery, Laboratory, Plan, Problem, Published, Reason, Trip, TubeBox, Unplaced, Van, check, check_again, solve};
use proptest::prelude::*;

fn planned(problem: &Problem, seed: u64, hands: usize, rounds: u64) -> Plan {
    problem.validate().expect("valid");
    let asked = AtomicU64::new(0);
    let plan = solve(problem, None, seed, &Alone(hands), &|| asked.fetch_add(1, Ordering::Relaxed) < rounds, &mut |_| {});
    assert_eq!(check(problem, &plan).violations, Vec::<String>::new());
    plan
}

fn tube_box(place: usize, tubes: i64, swabbed: i64, ready: i64) -> TubeBox {
    TubeBox { id: format!("b{place}"), place, tubes, swabbed, ready, load_minutes: 5 }
}

/// Places on a line, so many minutes apart; the laboratory and the van at place 0.
fn line(places: usize, apart: i64, boxes: Vec<TubeBox>) -> Problem {
    let minutes = (0..places).map(|from| (0..places).map(|to| apart * from.abs_diff(to) as i64).collect()).collect();
    Problem {
        age_minutes_max: 360,
        minutes,
        laboratories: vec![Laboratory { id: "lab".into(), place: 0, opens: 0, closes: 1440, unload_minutes: 10, intake_per_hour: 1000 }],
        vans: vec![Van { id: "van".into(), place: 0, shift_starts: 0, shift_ends: 720, tubes_max: 100 }],
        boxes,
        ..Problem::default()
    }
}

#[test]
fn the_earliest_swab_forces_a_second_trip() {
    // The first box is as old at minute 300 as it may be; waiting for the second, ready in minute 330, would be too long.
    let problem = line(3, 20, vec![tube_box(1, 50, -60, 0), tube_box(2, 50, 200, 330)]);
    let plan = planned(&problem, 1, 1, 5);
    assert_eq!(plan.trips.iter().map(|trip| trip.boxes.clone()).collect::<Vec<_>>(), vec![vec![0], vec![1]]);
    assert_eq!(plan.driving_minutes, 40 + 80);
    assert_eq!(plan.deliveries[0], Delivery { box_: 0, laboratory: 0, accessioned: 55, age_minutes: 115 });
    let together = line(3, 20, vec![tube_box(1, 50, 60, 60), tube_box(2, 50, 200, 330)]);
    let plan = planned(&together, 1, 1, 5);
    assert_eq!((plan.trips.len(), plan.driving_minutes), (1, 80));
    assert_eq!(plan.deliveries[0].age_minutes, plan.trips[0].arrives + 10 - 60);
}

#[test]
fn an_intake_spreads_boxes_over_hours_or_sends_them_elsewhere() {
    let boxes = (0..4).map(|_| tube_box(1, 25, -190, 0)).collect();
    let mut problem = line(3, 20, boxes);
    problem.laboratories[0].intake_per_hour = 50;
    let plan = planned(&problem, 1, 1, 5);
    let hours: Vec<i64> = plan.deliveries.iter().map(|delivery| delivery.accessioned / 60).collect();
    assert_eq!(hours.iter().filter(|hour| **hour == 1).count(), 2, "{hours:?}");
    problem.laboratories[0].intake_per_hour = 25;
    let plan = planned(&problem, 1, 1, 5);
    let reasons: Vec<&Reason> = plan.unplaced.iter().map(|one| &one.reason).collect();
    assert_eq!(reasons, vec![&Reason::IntakeFull], "three hours begin before minute 170");
    problem.laboratories.push(Laboratory { id: "far".into(), place: 2, opens: 0, closes: 1440, unload_minutes: 10, intake_per_hour: 25 });
    assert_eq!(planned(&problem, 1, 1, 5).unplaced.len(), 0);
}

#[test]
fn what_cannot_be_placed_is_listed_with_the_reason() {
    let reason = |problem: &Problem| planned(problem, 1, 1, 3).unplaced.first().map(|one| one.reason.clone());
    let alone = |tubes, swabbed, ready| line(3, 20, vec![tube_box(2, tubes, swabbed, ready)]);
    assert_eq!(reason(&alone(50, 0, 0)), None);
    assert_eq!(reason(&alone(101, 0, 0)), Some(Reason::LargerThanEveryVan { tubes_max: 100 }));
    assert_eq!(reason(&alone(50, -300, 0)), Some(Reason::TooOld { late_minutes: 40 + 5 + 40 + 10 - 60 }));
    assert_eq!(reason(&alone(50, 600, 700)), Some(Reason::NoShiftOrOpenLaboratory));
    let mut early = alone(50, 0, 0);
    early.laboratories[0].closes = 60;
    assert_eq!(reason(&early), Some(Reason::NoShiftOrOpenLaboratory));
    let two_trips = |apart| line(5, apart, vec![tube_box(4, 60, 0, 0), tube_box(4, 60, 0, 0)]);
    assert_eq!(reason(&two_trips(20)), None);
    assert_eq!(reason(&two_trips(25)), Some(Reason::VansBusy));
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let problem = line(3, 20, vec![tube_box(1, 50, 0, 0)]);
    let sound = planned(&problem, 1, 1, 2);
    let words = |change: &dyn Fn(&mut Plan)| {
        let mut plan = sound.clone();
        change(&mut plan);
        check(&problem, &plan).violations.join("; ")
    };
    assert_eq!(words(&|plan| plan.deliveries[0].accessioned = 54), "box b1 is accessioned before it is there; box b1 is 54 minutes old, not the stated 55");
    assert_eq!(words(&|plan| plan.driving_minutes = 39), "drives 40 minutes, not the stated 39");
    assert_eq!(words(&|plan| plan.trips[0].arrives = 44), "van van: at lab in minute 45, not 44");
    assert_eq!(words(&|plan| plan.deliveries.clear()), "box b1 is brought, but not accessioned once");
    assert_eq!(words(&|plan| plan.trips[0].van = 7), "a trip names a van, laboratory or box that is not there");
    let both = Unplaced { box_: 0, tubes: 50, reason: Reason::VansBusy };
    assert_eq!(words(&|plan| plan.unplaced.push(both.clone())), "box b1 is not exactly once brought or stated as unplaced");
    let mut strict = problem.clone();
    (strict.age_minutes_max, strict.vans[0].tubes_max, strict.vans[0].shift_ends) = (50, 40, 54);
    (strict.laboratories[0].closes, strict.laboratories[0].intake_per_hour) = (44, 49);
    assert_eq!(check(&strict, &sound).violations.len(), 5, "{:?}", check(&strict, &sound).violations);
}

fn planned_again(problem: &Problem, published: &Published) -> Plan {
    let asked = AtomicU64::new(0);
    let plan = solve(problem, Some(published), 1, &Alone(2), &|| asked.fetch_add(1, Ordering::Relaxed) < 4, &mut |_| {});
    assert_eq!(check_again(problem, published, &plan).violations, Vec::<String>::new());
    plan
}

#[test]
fn what_has_begun_stays_and_what_was_promised_comes_first() {
    // Two boxes in two trips; in minute 60 the first is on its way and a third box is reported.
    let mut problem = line(3, 20, vec![tube_box(1, 50, -60, 0), tube_box(2, 50, 200, 330)]);
    let before = planned(&problem, 1, 1, 5);
    problem.boxes.push(tube_box(1, 90, 200, 320));
    let published = Published::new(&problem, before.clone(), 60, 0).expect("fits");
    let plan = planned_again(&problem, &published);
    assert_eq!(plan.trips[0], before.trips[0]);
    let changes = plan.changes.clone().expect("counted");
    assert_eq!((changes.trips_begun, changes.moved.len(), changes.broken.len(), changes.new.len()), (2, 0, 0, 1), "{plan:?}");
    // Had the van left for the second box not yet, it would still bring that one, although the new one is larger.
    problem.vans[0].shift_ends = 430;
    let plan = planned_again(&problem, &Published::new(&problem, before.clone(), 50, 0).expect("fits"));
    assert_eq!((plan.changes.expect("counted").broken, plan.unplaced[0].box_), (vec![], 2));
    let wrong = Published::new(&problem, Plan { driving_minutes: 1, ..before.clone() }, 50, 0);
    assert_eq!(wrong.expect_err("a wrong sum"), "the published plan: drives 120 minutes, not the stated 1");
    let published = Published::new(&problem, before.clone(), 50, 0).expect("fits");
    let mut late = before;
    late.trips[0].departs = 1;
    let words = check_again(&problem, &published, &late).violations.join("; ");
    assert!(words.contains("the trip that departed in minute 0 is not as it was") && words.contains("departs in minute 1, which is past"), "{words}");
}

#[test]
fn fields_out_of_bounds_are_named() {
    let mut problem = line(2, 20, vec![tube_box(1, 0, 0, 0)]);
    assert_eq!(problem.validate().expect_err("tubes").to_string(), "boxes[0].tubes: 0 is not within 1 to 10000000");
    problem.vans[0].place = 2;
    assert_eq!(problem.validate().expect_err("place").field, "vans[0].place");
    problem.minutes[1].pop();
    assert_eq!(problem.validate().expect_err("columns").field, "minutes[1]: columns");
}

/// Every way to put the boxes from `next` on into trips; the best (tubes left, minutes driven) by the checker.
fn every_plan(problem: &Problem, tours: &mut Vec<Vec<(usize, Vec<usize>)>>, next: usize, left: &mut Vec<usize>) -> (i64, i64) {
    if next == problem.boxes.len() {
        return judged(problem, tours, left);
    }
    left.push(next);
    let mut best = every_plan(problem, tours, next + 1, left);
    left.pop();
    for van in 0..tours.len() {
        for trip in 0..tours[van].len() {
            for at in 0..=tours[van][trip].1.len() {
                tours[van][trip].1.insert(at, next);
                best = best.min(every_plan(problem, tours, next + 1, left));
                tours[van][trip].1.remove(at);
            }
        }
        for trip in 0..=tours[van].len() {
            for laboratory in 0..problem.laboratories.len() {
                tours[van].insert(trip, (laboratory, vec![next]));
                best = best.min(every_plan(problem, tours, next + 1, left));
                tours[van].remove(trip);
            }
        }
    }
    best
}

/// With intakes that are never full: everything is accessioned as soon as it is there.
fn judged(problem: &Problem, tours: &[Vec<(usize, Vec<usize>)>], left: &[usize]) -> (i64, i64) {
    let mut plan = Plan::default();
    for (van, trips) in tours.iter().enumerate() {
        let (mut clock, mut place) = (problem.vans[van].shift_starts, problem.vans[van].place);
        for (laboratory, boxes) in trips {
            let departs = clock;
            for index in boxes {
                let one = &problem.boxes[*index];
                plan.driving_minutes += problem.minutes[place][one.place];
                clock = (clock + problem.minutes[place][one.place]).max(one.ready) + one.load_minutes;
                place = one.place;
            }
            let target = &problem.laboratories[*laboratory];
            plan.driving_minutes += problem.minutes[place][target.place];
            clock = (clock + problem.minutes[place][target.place]).max(target.opens);
            place = target.place;
            plan.trips.push(Trip { van, boxes: boxes.clone(), laboratory: *laboratory, departs, arrives: clock });
            clock += target.unload_minutes;
            let delivery =
                |index: &usize| Delivery { box_: *index, laboratory: *laboratory, accessioned: clock, age_minutes: clock - problem.boxes[*index].swabbed };
            plan.deliveries.extend(boxes.iter().map(delivery));
        }
        plan.driving_minutes += problem.minutes[place][problem.vans[van].place];
    }
    plan.unplaced = left.iter().map(|index| Unplaced { box_: *index, tubes: problem.boxes[*index].tubes, reason: Reason::VansBusy }).collect();
    let report = check(problem, &plan);
    if report.violations.is_empty() { (report.tubes_unplaced, report.driving_minutes) } else { (i64::MAX, i64::MAX) }
}

fn few() -> impl Strategy<Value = Problem> {
    let minutes = proptest::collection::vec(proptest::collection::vec(5..90_i64, 5), 5);
    let boxes = proptest::collection::vec((0..5_usize, 1..60_i64, 0..200_i64, 0..150_i64), 1..=3);
    (minutes, boxes, 1..3_usize, 1..3_usize).prop_map(|(mut minutes, boxes, vans, laboratories)| {
        (0..5).for_each(|place| minutes[place][place] = 0);
        let mut problem = line(5, 1, boxes.into_iter().map(|(place, tubes, swabbed, wait)| tube_box(place, tubes, swabbed, swabbed + wait)).collect());
        problem.minutes = minutes;
        problem.vans = (0..vans).map(|at| Van { id: format!("v{at}"), place: at, shift_starts: 0, shift_ends: 500, tubes_max: 80 }).collect();
        let laboratory = problem.laboratories[0].clone();
        problem.laboratories = (0..laboratories).map(|at| Laboratory { place: 4 - at, ..laboratory.clone() }).collect();
        problem
    })
}

/// Many boxes with narrow intakes.
fn many() -> impl Strategy<Value = Problem> {
    (few(), proptest::collection::vec((0..5_usize, 1..60_i64, 0..300_i64, 0..150_i64), 5..25), 20..120_i64).prop_map(|(mut problem, boxes, intake)| {
        problem.boxes = boxes.into_iter().map(|(place, tubes, swabbed, wait)| tube_box(place, tubes, swabbed, swabbed + wait)).collect();
        problem.laboratories.iter_mut().for_each(|laboratory| laboratory.intake_per_hour = intake);
        problem
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn few_boxes_are_planned_optimally(problem in few()) {
        let plan = planned(&problem, 1, 2, 12);
        let report = check(&problem, &plan);
        let best = every_plan(&problem, &mut vec![Vec::new(); problem.vans.len()], 0, &mut Vec::new());
        prop_assert_eq!((report.tubes_unplaced, report.driving_minutes), best);
    }

    #[test]
    fn a_plan_made_again_keeps_its_promises(problem in many(), now in 0..300_i64, change_minutes in 0..30_i64) {
        let mut known = problem.clone();
        known.boxes.truncate(problem.boxes.len() / 2);
        let before = planned(&known, 4, 1, 2);
        let published = Published::new(&problem, before, now, change_minutes).expect("fits");
        let plan = planned_again(&problem, &published);
        prop_assert!(plan.changes.is_some());
        prop_assert_eq!(plan, planned_again(&problem, &published));
    }

    #[test]
    fn every_plan_holds_and_repeats(problem in many()) {
        let plan = planned(&problem, 4, 2, 2);
        prop_assert_eq!(&plan, &planned(&problem, 4, 2, 2));
        let tubes: i64 = problem.boxes.iter().map(|one| one.tubes).sum();
        let report = check(&problem, &plan);
        prop_assert_eq!(report.tubes_delivered + report.tubes_unplaced, tubes);
        prop_assert!(report.age_minutes_max <= problem.age_minutes_max);
    }
}
