//! Rides along in every bus; shares nothing with the solver.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::problem::{Group, Problem};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub driving_minutes: i64,
    pub people_driven: i64,
    pub people_unplaced: i64,
    pub ride_minutes_max: i64,
    /// Most seats taken at once, by any bus.
    pub seats_taken_max: i64,
    /// In words; empty: the plan holds.
    pub violations: Vec<String>,
}

/// Checks a plan of a [valid](Problem::validate) problem.
#[must_use]
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let mut report = Report::default();
    let groups: BTreeMap<&str, &Group> = problem.groups.iter().map(|group| (group.id.as_str(), group)).collect();
    let mut driven: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, tour) in plan.tours.iter().enumerate() {
        if plan.tours[..at].iter().any(|other| other.bus == tour.bus) {
            report.violations.push(format!("bus {} has two tours", tour.bus));
        }
        let arrived = ride(problem, &groups, tour, &mut report);
        arrived.into_iter().for_each(|group| *driven.entry(group).or_default() += 1);
    }
    for group in &problem.groups {
        let left = plan.unplaced.iter().filter(|unplaced| unplaced.group == group.id).count();
        if left + driven.get(group.id.as_str()).copied().unwrap_or(0) != 1 {
            report.violations.push(format!("group {} is not exactly once driven or stated as unplaced", group.id));
        }
        if left > 0 { report.people_unplaced += group.people } else { report.people_driven += group.people }
    }
    if report.driving_minutes != plan.driving_minutes {
        report.violations.push(format!("drives {} minutes, not the stated {}", report.driving_minutes, plan.driving_minutes));
    }
    report
}

/// Follows a bus stop by stop; who arrived.
fn ride<'p>(problem: &Problem, groups: &BTreeMap<&str, &'p Group>, tour: &super::plan::Tour, report: &mut Report) -> Vec<&'p str> {
    let Some(bus) = problem.buses.iter().find(|bus| bus.id == tour.bus) else {
        report.violations.push(format!("{} is none of the buses", tour.bus));
        return Vec::new();
    };
    let (mut clock, mut place) = (bus.shift_starts, bus.place);
    let mut aboard: BTreeMap<&str, i64> = BTreeMap::new();
    let mut arrived = Vec::new();
    for stop in &tour.stops {
        let Some(group) = groups.get(stop.group.as_str()) else {
            report.violations.push(format!("{} is none of the groups", stop.group));
            continue;
        };
        let next = if stop.boards { group.from } else { group.to };
        report.driving_minutes += problem.minutes[place][next];
        clock += problem.minutes[place][next];
        place = next;
        if stop.boards {
            clock = clock.max(group.ready);
            aboard.insert(&group.id, clock);
        }
        if stop.minute != clock {
            report.violations.push(format!("bus {}: at group {} in minute {clock}, not {}", bus.id, group.id, stop.minute));
        }
        if stop.boards {
            clock += group.board_minutes;
        } else if let Some(boarded) = aboard.remove(group.id.as_str()) {
            let minutes = clock - boarded;
            if clock > group.due || minutes > group.ride_minutes_max {
                report.violations.push(format!("group {}: there in minute {clock} after {minutes} minutes", group.id));
            }
            report.ride_minutes_max = report.ride_minutes_max.max(minutes);
            arrived.push(group.id.as_str());
        } else {
            report.violations.push(format!("group {} leaves bus {} without having boarded", group.id, bus.id));
        }
        let taken: i64 = aboard.keys().filter_map(|id| groups.get(id)).map(|group| group.people).sum();
        report.seats_taken_max = report.seats_taken_max.max(taken);
        if taken > bus.seats {
            report.violations.push(format!("bus {}: {taken} people in {} seats", bus.id, bus.seats));
        }
    }
    if !tour.stops.is_empty() {
        report.driving_minutes += problem.minutes[place][bus.place];
        clock += problem.minutes[place][bus.place];
    }
    if clock > bus.shift_ends {
        report.violations.push(format!("bus {}: back in minute {clock}, after its shift", bus.id));
    }
    arrived
}
