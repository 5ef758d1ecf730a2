//! Beds and laboratories: against every possible plan where there are few, and proven by prices where there are many.

use baton_plan::assignment::beds::{self, Gender, Obstacle, Person, Placement, Room, Sleeps};
use baton_plan::assignment::points::{self, Laboratory, Point, Reason};
use proptest::prelude::*;

fn room(id: &str, beds: u32) -> Room {
    Room { id: id.into(), beds, ..Room::default() }
}

fn person(id: &str, gender: Gender, cohort: &str) -> Person {
    Person { id: id.into(), gender, cohort: cohort.into(), sleeps: Sleeps::Night, from: 0, until: 7, quiet_until: 0, room: None }
}

fn planned(problem: &beds::Problem, seed: u64) -> beds::Plan {
    problem.validate().expect("valid");
    let plan = beds::solve(problem, seed, &|| true, &mut |_| {});
    assert_eq!(beds::check(problem, &plan).violations, Vec::<String>::new(), "{problem:?}");
    plan
}

#[test]
fn nobody_shares_a_room_with_whom_they_must_not() {
    let own = person("a", Gender::Female, "acme");
    let alone = |other: Person| {
        let problem = beds::Problem { rooms: vec![room("r", 2)], people: vec![own.clone(), Person { id: "b".into(), ..other }] };
        let plan = planned(&problem, 1);
        let why = beds::explain(&problem, &plan);
        why.first().map(|why| *why.rooms.keys().next().expect("a reason"))
    };
    assert_eq!(alone(own.clone()), None);
    assert_eq!(alone(Person { gender: Gender::Male, ..own.clone() }), Some(Obstacle::Gender));
    assert_eq!(alone(Person { cohort: "other".into(), ..own.clone() }), Some(Obstacle::Cohort));
    assert_eq!(alone(Person { sleeps: Sleeps::Day, ..own.clone() }), Some(Obstacle::DayAndNightSleepers));
    assert_eq!(alone(Person { quiet_until: 2, ..own.clone() }), Some(Obstacle::QuietPeriod));
    assert_eq!(alone(Person { quiet_until: 2, from: 3, ..own.clone() }), None, "over before it mattered");
    let apart = Person { gender: Gender::Male, from: 7, until: 9, ..own.clone() };
    assert_eq!(alone(apart), None, "not on the same night");
    let mut full = beds::Problem { rooms: vec![room("r", 2)], people: ["a", "b", "c"].map(|id| person(id, Gender::Male, "acme")).to_vec() };
    let plan = planned(&full, 1);
    assert_eq!(beds::explain(&full, &plan)[0].rooms.keys().collect::<Vec<_>>(), [&Obstacle::NoFreeBed]);
    full.rooms[0] = Room { blocked: 1, gender: Some(Gender::Female), ..room("r", 4) };
    let plan = planned(&full, 1);
    assert_eq!(plan.unplaced.len(), 3);
    assert_eq!(beds::explain(&full, &plan)[2].nearest, [("r".to_owned(), Obstacle::Gender, "the room".to_owned())]);
}

#[test]
fn whoever_has_a_room_keeps_it_and_what_they_break_is_told_apart() {
    let mut people = vec![person("a", Gender::Female, "acme"), person("b", Gender::Male, "acme"), person("c", Gender::Female, "acme")];
    people[0].room = Some("r".into());
    people[1].room = Some("r".into());
    let problem = beds::Problem { rooms: vec![room("r", 3), room("s", 1)], people };
    let plan = planned(&problem, 1);
    assert_eq!(plan.placements[2], Placement { person: "c".into(), room: "s".into(), kept: false });
    let report = beds::check(&problem, &plan);
    assert_eq!(report.inherited, ["room r, night 0: women and men"]);
    let mut moved = plan.clone();
    moved.placements[1] = Placement { person: "b".into(), room: "s".into(), kept: false };
    let words = beds::check(&problem, &moved).violations.join("; ");
    assert_eq!(words, "b does not keep room r; room s, night 0: 2 people in 1 beds; room s, night 0: women and men");
    let mut twice = plan;
    twice.unplaced.push("c".into());
    assert_eq!(beds::check(&problem, &twice).violations, ["c is named twice"]);
}

#[test]
fn a_bed_is_given_again_when_it_is_free() {
    let mut people: Vec<Person> = (0..6).map(|at| person(&format!("p{at}"), Gender::Male, "acme")).collect();
    for (at, one) in people.iter_mut().enumerate() {
        (one.from, one.until) = (2 * at as u32, 2 * at as u32 + 2);
    }
    let problem = beds::Problem { rooms: vec![room("r", 1)], people };
    assert_eq!(planned(&problem, 1).unplaced, Vec::<String>::new());
}

/// Fewest people without a bed, then fewest rooms, over all plans, judged by the checker.
fn best_beds(problem: &beds::Problem) -> (usize, usize) {
    let (rooms, people) = (problem.rooms.len(), &problem.people);
    let choices = rooms + 1;
    let mut best = (usize::MAX, usize::MAX);
    for mut code in 0..choices.pow(people.len() as u32) {
        let mut plan = beds::Plan::default();
        for person in people {
            match code % choices {
                0 => plan.unplaced.push(person.id.clone()),
                at => {
                    let room = problem.rooms[at - 1].id.clone();
                    let kept = person.room.as_ref() == Some(&room);
                    plan.placements.push(Placement { person: person.id.clone(), room, kept });
                }
            }
            code /= choices;
        }
        let report = beds::check(problem, &plan);
        if report.violations.is_empty() {
            best = best.min((report.unplaced, report.rooms_used));
        }
    }
    best
}

fn any_person() -> impl Strategy<Value = Person> {
    let words = (prop_oneof![Just(Gender::Female), Just(Gender::Male)], 0..2usize, prop_oneof![3 => Just(Sleeps::Night), 1 => Just(Sleeps::Day)]);
    (words, 0..3u32, 1..4u32, prop_oneof![2 => Just(0u32), 1 => 0..5u32], prop_oneof![4 => Just(None), 1 => (0..2usize).prop_map(Some)]).prop_map(
        |((gender, cohort, sleeps), from, nights, quiet_until, room)| Person {
            id: String::new(),
            gender,
            cohort: ["acme", "other"][cohort].into(),
            sleeps,
            from,
            until: from + nights,
            quiet_until,
            room: room.map(|room| format!("r{room}")),
        },
    )
}

fn any_beds(people: std::ops::Range<usize>, rooms: std::ops::Range<usize>) -> impl Strategy<Value = beds::Problem> {
    let room = (0..4u32, 0..2u32, prop_oneof![3 => Just(None), 1 => Just(Some(Gender::Female))]);
    (prop::collection::vec(any_person(), people), prop::collection::vec(room, rooms)).prop_map(|(mut people, rooms)| {
        people.iter_mut().enumerate().for_each(|(at, person)| person.id = format!("p{at}"));
        let rooms = rooms.into_iter().enumerate();
        let rooms = rooms.map(|(at, (beds, blocked, gender))| Room { id: format!("r{at}"), beds, blocked: blocked.min(beds), gender, cohort: None });
        beds::Problem { rooms: rooms.collect(), people }
    })
}

fn points_problem(minutes: &[Vec<i64>], tubes: &[i64], capacities: &[i64], minutes_max: i64) -> points::Problem {
    let (count, laboratories) = (tubes.len(), capacities.len());
    let size = count + laboratories;
    let way = |from: usize, to: usize| if from < count && to >= count { minutes[from][to - count] } else { 0 };
    points::Problem {
        minutes: (0..size).map(|from| (0..size).map(|to| way(from, to)).collect()).collect(),
        places: Vec::new(),
        straight_line: None,
        minutes_max,
        points: tubes.iter().enumerate().map(|(at, tubes)| Point { id: format!("p{at}"), place: at, tubes_per_hour: *tubes }).collect(),
        laboratories: capacities.iter().enumerate().map(|(at, tubes)| Laboratory { id: format!("l{at}"), place: count + at, tubes_per_hour: *tubes }).collect(),
    }
}

#[test]
fn the_laboratory_in_the_way_is_named() {
    // The near laboratory is full; the point that can go nowhere else has it, the other goes far.
    let problem = points_problem(&[vec![10, 30], vec![5, 90]], &[100, 100], &[100, 150], 60);
    let plan = points::solve(&problem);
    let report = points::check(&problem, &plan);
    assert!(report.proven && report.violations.is_empty(), "{report:?}");
    assert_eq!((plan.tubes_per_hour, plan.tube_minutes), (200, 100 * 5 + 100 * 30));
    assert!(!plan.loads[0].binding && plan.loads[0].price == 20, "one more tube near saves twenty minutes: {plan:?}");
    let mut short = problem.clone();
    short.points[1].tubes_per_hour = 130;
    let plan = points::solve(&short);
    assert!(points::check(&short, &plan).proven);
    assert_eq!((plan.loads[0].binding, plan.loads[1].binding), (true, false));
    assert_eq!(plan.unplaced[0].tubes_per_hour, 30);
    assert_eq!(plan.unplaced[0].reason, Reason::CapacityShort { full: vec!["l0".into()] });
    short.minutes_max = 4;
    assert_eq!(points::solve(&short).unplaced[1].reason, Reason::TooFar { nearest_minutes: Some(5) });
}

#[test]
fn the_checker_of_points_finds_what_is_wrong() {
    let problem = points_problem(&[vec![10, 30], vec![5, 90]], &[100, 100], &[100, 150], 60);
    let sound = points::solve(&problem);
    let words = |change: &dyn Fn(&mut points::Plan)| {
        let mut plan = sound.clone();
        change(&mut plan);
        let report = points::check(&problem, &plan);
        assert!(!report.proven);
        report.violations.join("; ")
    };
    assert!(words(&|plan| plan.shares[0].minutes = 1).contains("p0 to l1: 100 tubes over 30 minutes"));
    assert!(words(&|plan| plan.shares[0].laboratory = "l0".into()).contains("l0: 200 tubes of 100"));
    assert!(words(&|plan| plan.shares[0].point = "x".into()).contains("one of them is not there"));
    assert!(words(&|plan| plan.tube_minutes += 1).contains("the stated sums"));
    assert!(words(&|plan| _ = plan.shares.pop()).contains("p1: 100 tubes are neither sent nor stated"));
    // A worse plan that breaks nothing is not proven.
    assert_eq!(words(&|plan| plan.loads[1].price += 1), "");
}

/// Most tubes, then fewest minutes, over all plans.
fn best_points(problem: &points::Problem, point: usize, free: &mut Vec<i64>) -> (i64, i64) {
    let Some(own) = problem.points.get(point) else { return (0, 0) };
    let mut best = (i64::MAX, i64::MAX);
    let (one, other) = (&problem.laboratories[0], &problem.laboratories[1]);
    for first in 0..=own.tubes_per_hour.min(free[0]) {
        for second in 0..=(own.tubes_per_hour - first).min(free[1]) {
            let minutes = [one, other].map(|laboratory| problem.minutes[own.place][laboratory.place]);
            if (first > 0 && minutes[0] > problem.minutes_max) || (second > 0 && minutes[1] > problem.minutes_max) {
                continue;
            }
            (free[0], free[1]) = (free[0] - first, free[1] - second);
            let rest = best_points(problem, point + 1, free);
            (free[0], free[1]) = (free[0] + first, free[1] + second);
            best = best.min((rest.0 + own.tubes_per_hour - first - second, rest.1 + first * minutes[0] + second * minutes[1]));
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn few_beds_are_given_as_well_as_they_can_be(problem in any_beds(1..6, 2..4), seed in 0..9u64) {
        let plan = planned(&problem, seed);
        let report = beds::check(&problem, &plan);
        prop_assert_eq!((report.unplaced, report.rooms_used), best_beds(&problem));
        prop_assert_eq!(plan, planned(&problem, seed));
    }

    #[test]
    fn one_more_room_never_leaves_more_people_without_a_bed(problem in any_beds(5..40, 2..10)) {
        let before = planned(&problem, 1);
        let mut more = problem.clone();
        more.rooms.push(room("more", 3));
        prop_assert!(planned(&more, 1).unplaced.len() <= before.unplaced.len());
        prop_assert_eq!(beds::explain(&problem, &before).len(), before.unplaced.len());
        prop_assert!(beds::explain(&problem, &before).iter().all(|why| !why.rooms.contains_key(&Obstacle::Unused)));
    }

    #[test]
    fn few_points_are_assigned_as_well_as_they_can_be(
        minutes in prop::collection::vec(prop::collection::vec(0..9i64, 2), 3), tubes in prop::collection::vec(0..4i64, 3), capacities in prop::collection::vec(0..6i64, 2)
    ) {
        let problem = points_problem(&minutes, &tubes, &capacities, 6);
        let plan = points::solve(&problem);
        let report = points::check(&problem, &plan);
        prop_assert_eq!(&report.violations, &Vec::<String>::new());
        prop_assert!(report.proven);
        prop_assert_eq!((report.unplaced_per_hour, report.tube_minutes), best_points(&problem, 0, &mut capacities.clone()));
    }

    #[test]
    fn every_assignment_of_points_is_proven(
        minutes in prop::collection::vec(prop::collection::vec(0..120i64, 7), 30), tubes in prop::collection::vec(0..400i64, 30),
        capacities in prop::collection::vec(0..1500i64, 7), minutes_max in 40..130i64
    ) {
        let problem = points_problem(&minutes, &tubes, &capacities, minutes_max);
        problem.validate().expect("valid");
        let plan = points::solve(&problem);
        let report = points::check(&problem, &plan);
        prop_assert_eq!(&report.violations, &Vec::<String>::new());
        prop_assert!(report.proven);
        // Reasons: a point that finds no place sees only full laboratories.
        for unplaced in &plan.unplaced {
            if let Reason::CapacityShort { full } = &unplaced.reason {
                let is_full = |id: &String| plan.loads.iter().any(|load| load.laboratory == *id && load.tubes_per_hour == load.of && load.binding);
                prop_assert!(full.iter().all(is_full));
            }
        }
    }
}
