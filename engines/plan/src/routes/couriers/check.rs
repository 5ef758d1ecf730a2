//! Follows every van and every intake minute by minute of the plan; shares nothing with the solver.

use std::collections::BTreeMap;

use super::plan::{Plan, Published, Trip};
use super::problem::Problem;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub driving_minutes: i64,
    pub tubes_delivered: i64,
    pub tubes_unplaced: i64,
    /// Of the oldest tube of all deliveries, at accession.
    pub age_minutes_max: i64,
    /// In words; empty: the plan holds.
    pub violations: Vec<String>,
}

/// Checks a plan of a [valid](Problem::validate) problem.
#[must_use]
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let mut report = Report { driving_minutes: 0, tubes_delivered: 0, tubes_unplaced: 0, age_minutes_max: 0, violations: Vec::new() };
    let mut arrived: BTreeMap<usize, (usize, i64)> = BTreeMap::new();
    if !fits(problem, plan) {
        report.violations.push("a trip names a van, laboratory or box that is not there".to_owned());
        return report;
    }
    for van in 0..problem.vans.len() {
        follow(problem, plan, van, &mut arrived, &mut report);
    }
    intake(problem, plan, &arrived, &mut report);
    let mut unplaced: Vec<usize> = plan.unplaced.iter().map(|one| one.box_).collect();
    unplaced.sort_unstable();
    for (index, one) in problem.boxes.iter().enumerate() {
        let left = unplaced.iter().filter(|unplaced| **unplaced == index).count();
        if left + usize::from(arrived.contains_key(&index)) != 1 {
            report.violations.push(format!("box {} is not exactly once brought or stated as unplaced", one.id));
        }
        report.tubes_unplaced += one.tubes * left as i64;
    }
    if report.driving_minutes != plan.driving_minutes {
        report.violations.push(format!("drives {} minutes, not the stated {}", report.driving_minutes, plan.driving_minutes));
    }
    report
}

/// Whether a plan speaks of the vans, laboratories and boxes of the problem only.
#[must_use]
pub fn fits(problem: &Problem, plan: &Plan) -> bool {
    let known =
        |trip: &Trip| trip.van < problem.vans.len() && trip.laboratory < problem.laboratories.len() && trip.boxes.iter().all(|one| *one < problem.boxes.len());
    plan.trips.iter().all(known) && plan.deliveries.iter().all(|delivery| delivery.box_ < problem.boxes.len())
}

/// Checks a plan made from a published one: as [`check`], and that what has begun stays, nothing new departs in the past, and the changes
/// are those stated.
#[must_use]
pub fn check_again(problem: &Problem, published: &Published, plan: &Plan) -> Report {
    let mut report = check(problem, plan);
    if !fits(problem, plan) {
        return report;
    }
    let same = |one: &&Trip, other: &&Trip| (one.van, &one.boxes, one.laboratory, one.departs) == (other.van, &other.boxes, other.laboratory, other.departs);
    let begun: Vec<&Trip> = published.plan.trips.iter().filter(|trip| trip.departs < published.now).collect();
    for trip in begun.iter().filter(|trip| !plan.trips.iter().any(|other| same(trip, &other))) {
        report.violations.push(format!("van {}: the trip that departed in minute {} is not as it was", problem.vans[trip.van].id, trip.departs));
    }
    for trip in plan.trips.iter().filter(|trip| trip.departs < published.now && !begun.iter().any(|other| same(trip, other))) {
        report.violations.push(format!("van {}: departs in minute {}, which is past", problem.vans[trip.van].id, trip.departs));
    }
    let place = |plan: &Plan, one: usize| plan.trips.iter().find(|trip| trip.boxes.contains(&one)).map(|trip| (trip.van, trip.laboratory));
    let (mut moved, mut broken, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for one in 0..problem.boxes.len() {
        match (place(&published.plan, one), place(plan, one)) {
            (Some(before), Some(now)) if before != now => moved.push(one),
            (Some(_), None) => broken.push(one),
            (None, Some(_)) => new.push(one),
            _ => {}
        }
    }
    let stated = plan.changes.clone().unwrap_or_default();
    if (begun.len(), moved, broken, new) != (stated.trips_begun, stated.moved, stated.broken, stated.new) {
        report.violations.push("the stated changes are not those against the published plan".to_owned());
    }
    report
}

fn follow(problem: &Problem, plan: &Plan, van: usize, arrived: &mut BTreeMap<usize, (usize, i64)>, report: &mut Report) {
    let own = &problem.vans[van];
    let (mut clock, mut place) = (own.shift_starts, own.place);
    let mut drive = |clock: &mut i64, place: &mut usize, to: usize| {
        let minutes = problem.minutes[*place][to];
        report.driving_minutes += minutes;
        *clock += minutes;
        *place = to;
    };
    let mut violations = Vec::new();
    let mut trips = 0;
    for trip in plan.trips.iter().filter(|trip| trip.van == van) {
        trips += 1;
        if trip.departs < clock {
            violations.push(format!("van {}: departs in minute {}, but is free only in {clock}", own.id, trip.departs));
        }
        clock = clock.max(trip.departs);
        let mut tubes = 0;
        for index in &trip.boxes {
            let one = &problem.boxes[*index];
            drive(&mut clock, &mut place, one.place);
            clock = clock.max(one.ready) + one.load_minutes;
            tubes += one.tubes;
        }
        let laboratory = &problem.laboratories[trip.laboratory];
        drive(&mut clock, &mut place, laboratory.place);
        clock = clock.max(laboratory.opens);
        if clock != trip.arrives {
            violations.push(format!("van {}: at {} in minute {clock}, not {}", own.id, laboratory.id, trip.arrives));
        }
        if clock > laboratory.closes {
            violations.push(format!("van {}: at {} in minute {clock}, after it closes", own.id, laboratory.id));
        }
        if tubes > own.tubes_max {
            violations.push(format!("van {}: carries {tubes} tubes of {}", own.id, own.tubes_max));
        }
        clock += laboratory.unload_minutes;
        for index in &trip.boxes {
            if arrived.insert(*index, (trip.laboratory, clock)).is_some() {
                violations.push(format!("box {} is collected twice", problem.boxes[*index].id));
            }
        }
    }
    if trips > 0 {
        drive(&mut clock, &mut place, own.place);
    }
    if clock > own.shift_ends {
        violations.push(format!("van {}: back in minute {clock}, after its shift", own.id));
    }
    report.violations.extend(violations);
}

fn intake(problem: &Problem, plan: &Plan, arrived: &BTreeMap<usize, (usize, i64)>, report: &mut Report) {
    let mut hours: BTreeMap<(usize, i64), i64> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for delivery in &plan.deliveries {
        let Some((laboratory, there)) = arrived.get(&delivery.box_).filter(|(laboratory, _)| *laboratory == delivery.laboratory) else {
            report.violations.push(format!("box number {} is accessioned where no van brought it", delivery.box_));
            continue;
        };
        let one = &problem.boxes[delivery.box_];
        let age = delivery.accessioned - one.swabbed;
        if delivery.accessioned < *there {
            report.violations.push(format!("box {} is accessioned before it is there", one.id));
        }
        if age > problem.age_minutes_max {
            report.violations.push(format!("box {} is {age} minutes old at accession", one.id));
        }
        if age != delivery.age_minutes {
            report.violations.push(format!("box {} is {age} minutes old, not the stated {}", one.id, delivery.age_minutes));
        }
        *hours.entry((*laboratory, delivery.accessioned.div_euclid(60))).or_default() += one.tubes;
        *seen.entry(delivery.box_).or_insert(0) += 1;
        report.age_minutes_max = report.age_minutes_max.max(age);
        report.tubes_delivered += one.tubes;
    }
    for ((laboratory, hour), tubes) in hours {
        let own = &problem.laboratories[laboratory];
        if tubes > own.intake_per_hour {
            report.violations.push(format!("{} accessions {tubes} tubes of {} in hour {hour}", own.id, own.intake_per_hour));
        }
    }
    for index in arrived.keys().filter(|index| seen.get(*index) != Some(&1)) {
        report.violations.push(format!("box {} is brought, but not accessioned once", problem.boxes[*index].id));
    }
}
