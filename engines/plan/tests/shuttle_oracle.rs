//! Shuttles: seats, times, rides; against every possible plan where there are few groups.

use std::sync::atomic::{AtomicU64, Ordering};

use baton_plan::Alone;
use baton_plan::routes::shuttles::{Bus, Group, Plan, Problem, Reason, Stop, Tour, Unplaced, check, parse, solve};
use proptest::prelude::*;

fn planned(problem: &Problem, rounds: u64) -> Plan {
    problem.validate().expect("valid");
    let asked = AtomicU64::new(0);
    let plan = solve(problem, 1, &Alone(2), &|| asked.fetch_add(1, Ordering::Relaxed) < rounds, &mut |_| {});
    assert_eq!(check(problem, &plan).violations, Vec::<String>::new(), "{problem:?}");
    plan
}

fn group(id: &str, from: usize, to: usize, people: i64, ready: i64, due: i64) -> Group {
    Group { id: id.into(), from, to, people, ready, due, ride_minutes_max: 1000, board_minutes: 2 }
}

/// Places on a line, ten minutes apart; one bus at place 0.
fn line(groups: Vec<Group>) -> Problem {
    let minutes = (0..5_usize).map(|from| (0..5_usize).map(|to| 10 * from.abs_diff(to) as i64).collect()).collect();
    let bus = Bus { id: "bus".into(), place: 0, shift_starts: 0, shift_ends: 600, seats: 20 };
    Problem { minutes, buses: vec![bus], groups, ..Problem::default() }
}

#[test]
fn groups_share_a_bus_as_long_as_there_are_seats() {
    let together = line(vec![group("a", 0, 4, 12, 0, 100), group("b", 1, 3, 8, 0, 100)]);
    let plan = planned(&together, 5);
    assert_eq!(plan.driving_minutes, 80);
    let stops: Vec<(&str, bool, i64)> = plan.tours[0].stops.iter().map(|stop| (stop.group.as_str(), stop.boards, stop.minute)).collect();
    assert_eq!(stops, [("a", true, 0), ("b", true, 12), ("b", false, 34), ("a", false, 44)]);
    let mut crowded = together.clone();
    crowded.groups[1].people = 9;
    assert_eq!(planned(&crowded, 5).driving_minutes, 120, "one after the other: b on the way back");
}

#[test]
fn who_is_not_taken_is_listed_with_the_reason() {
    let reason = |problem: &Problem| planned(problem, 3).unplaced.first().map(|one| one.reason.clone());
    assert_eq!(reason(&line(vec![group("a", 0, 4, 12, 0, 42)])), None);
    assert_eq!(reason(&line(vec![group("a", 0, 4, 12, 0, 41)])), Some(Reason::TooFar { minutes: 42 }));
    assert_eq!(reason(&line(vec![group("a", 0, 4, 21, 0, 90)])), Some(Reason::LargerThanEveryBus { seats_max: 20 }));
    assert_eq!(reason(&line(vec![group("a", 0, 4, 12, 580, 700)])), Some(Reason::NoBusInTime));
    let both = line(vec![group("a", 0, 4, 12, 0, 45), group("b", 1, 0, 12, 0, 45)]);
    assert_eq!(reason(&both), Some(Reason::BusesBusy));
    let mut short = line(vec![group("a", 1, 4, 12, 0, 100)]);
    short.groups[0].ride_minutes_max = 31;
    assert_eq!(reason(&short), Some(Reason::TooFar { minutes: 32 }));
    assert!(parse("{\n\"buses\": 3}").expect_err("no list").to_string().starts_with("line 2, "));
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let problem = line(vec![group("a", 0, 4, 12, 0, 100), group("b", 1, 3, 8, 0, 100)]);
    let sound = planned(&problem, 5);
    let words = |change: &dyn Fn(&mut Plan)| {
        let mut plan = sound.clone();
        change(&mut plan);
        check(&problem, &plan).violations.join("; ")
    };
    assert_eq!(words(&|plan| plan.driving_minutes = 1), "drives 80 minutes, not the stated 1");
    assert_eq!(words(&|plan| plan.tours[0].stops[1].minute = 11), "bus bus: at group b in minute 12, not 11");
    assert!(words(&|plan| _ = plan.tours[0].stops.pop()).contains("group a is not exactly once driven"));
    assert!(words(&|plan| plan.tours[0].stops.swap(0, 3)).contains("group a leaves bus bus without having boarded"));
    assert!(words(&|plan| plan.tours[0].bus = "x".into()).contains("x is none of the buses"));
    let mut strict = problem.clone();
    (strict.buses[0].seats, strict.buses[0].shift_ends, strict.groups[0].due, strict.groups[1].ride_minutes_max) = (19, 83, 43, 21);
    assert_eq!(check(&strict, &sound).violations.len(), 4);
}

/// Every order of boarding and leaving for one bus.
fn every_order(groups: &[usize], tour: &[(usize, bool)], all: &mut Vec<Vec<(usize, bool)>>) {
    let Some((first, rest)) = groups.split_first() else {
        all.push(tour.to_owned());
        return;
    };
    for boards in 0..=tour.len() {
        for leaves in boards + 1..=tour.len() + 1 {
            let mut with = tour.to_owned();
            with.insert(boards, (*first, true));
            with.insert(leaves, (*first, false));
            every_order(rest, &with, all);
        }
    }
}

/// Fewest people left, then fewest minutes driven, over all plans, judged by the checker.
fn best(problem: &Problem) -> (i64, i64) {
    let (buses, groups) = (problem.buses.len(), problem.groups.len());
    let mut best = (i64::MAX, i64::MAX);
    for code in 0..(buses + 1).pow(groups as u32) {
        let of = |group: usize| code / (buses + 1).pow(group as u32) % (buses + 1);
        let left = (0..groups).filter(|group| of(*group) == buses);
        let unplaced: Vec<Unplaced> = left.map(|group| Unplaced { group: problem.groups[group].id.clone(), people: 1, reason: Reason::BusesBusy }).collect();
        let mut plans = vec![Plan { driving_minutes: 0, tours: Vec::new(), unplaced }];
        for bus in 0..buses {
            let own: Vec<usize> = (0..groups).filter(|group| of(*group) == bus).collect();
            let mut orders = Vec::new();
            every_order(&own, &[], &mut orders);
            let with = |plan: &Plan, order: &Vec<(usize, bool)>| append(problem, plan, bus, order);
            plans = plans.iter().flat_map(|plan| orders.iter().map(|order| with(plan, order)).collect::<Vec<_>>()).collect();
        }
        for plan in plans {
            let report = check(problem, &plan);
            if report.violations.is_empty() {
                best = best.min((report.people_unplaced, report.driving_minutes));
            }
        }
    }
    best
}

fn append(problem: &Problem, plan: &Plan, bus: usize, order: &[(usize, bool)]) -> Plan {
    let mut plan = plan.clone();
    let own = &problem.buses[bus];
    let (mut clock, mut place) = (own.shift_starts, own.place);
    let mut stops = Vec::new();
    for (index, boards) in order {
        let group = &problem.groups[*index];
        let next = if *boards { group.from } else { group.to };
        plan.driving_minutes += problem.minutes[place][next];
        clock += problem.minutes[place][next];
        place = next;
        clock = if *boards { clock.max(group.ready) } else { clock };
        stops.push(Stop { group: group.id.clone(), boards: *boards, minute: clock });
        clock += if *boards { group.board_minutes } else { 0 };
    }
    if !stops.is_empty() {
        plan.driving_minutes += problem.minutes[place][own.place];
        plan.tours.push(Tour { bus: own.id.clone(), stops });
    }
    plan
}

/// No way around is shorter than the direct way (Floyd and Warshall).
fn shortest(mut minutes: Vec<Vec<i64>>) -> Vec<Vec<i64>> {
    let size = minutes.len();
    (0..size).for_each(|at| minutes[at][at] = 0);
    for via in 0..size {
        for from in 0..size {
            for to in 0..size {
                minutes[from][to] = minutes[from][to].min(minutes[from][via] + minutes[via][to]);
            }
        }
    }
    minutes
}

fn few(groups: std::ops::Range<usize>) -> impl Strategy<Value = Problem> {
    let minutes = prop::collection::vec(prop::collection::vec(1..60_i64, 4), 4);
    let group = (0..4_usize, 0..4_usize, 1..15_i64, 0..100_i64, 10..200_i64, 20..150_i64);
    (minutes, prop::collection::vec(group, groups), 1..3_usize, 60..400_i64).prop_map(|(minutes, groups, buses, shift_ends)| Problem {
        minutes: shortest(minutes),
        buses: (0..buses).map(|at| Bus { id: format!("b{at}"), place: at, shift_starts: 0, shift_ends, seats: 20 }).collect(),
        groups: groups
            .into_iter()
            .enumerate()
            .map(|(at, (from, to, people, ready, wait, ride_minutes_max))| Group { ride_minutes_max, ..group_of(at, from, to, people, ready, ready + wait) })
            .collect(),
        ..Problem::default()
    })
}

fn group_of(at: usize, from: usize, to: usize, people: i64, ready: i64, due: i64) -> Group {
    group(&format!("g{at}"), from, to, people, ready, due)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn few_groups_are_driven_optimally(problem in few(1..4)) {
        let report = check(&problem, &planned(&problem, 10));
        prop_assert_eq!((report.people_unplaced, report.driving_minutes), best(&problem));
    }

    #[test]
    fn every_plan_holds_and_repeats(problem in few(5..20)) {
        let plan = planned(&problem, 2);
        prop_assert_eq!(&plan, &planned(&problem, 2));
        let people: i64 = problem.groups.iter().map(|group| group.people).sum();
        let report = check(&problem, &plan);
        prop_assert_eq!(report.people_driven + report.people_unplaced, people);
    }
}
