//! Adds up an assignment again and proves that none is better; shares nothing with the solver.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::problem::Problem;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub tubes_per_hour: i64,
    pub unplaced_per_hour: i64,
    pub tube_minutes: i64,
    /// Whether the plan's own prices prove that no other brings more tubes, or as many in fewer minutes.
    pub proven: bool,
    /// In words; empty: the plan holds.
    pub violations: Vec<String>,
}

/// Checks a plan of a [valid](Problem::validate) problem.
#[must_use]
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let mut report = Report { tubes_per_hour: 0, unplaced_per_hour: 0, tube_minutes: 0, proven: false, violations: Vec::new() };
    let mut left: BTreeMap<&str, i64> = problem.points.iter().map(|point| (point.id.as_str(), point.tubes_per_hour)).collect();
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    for share in &plan.shares {
        let point = problem.points.iter().find(|point| point.id == share.point);
        let laboratory = problem.laboratories.iter().find(|laboratory| laboratory.id == share.laboratory);
        let (Some(point), Some(laboratory)) = (point, laboratory) else {
            report.violations.push(format!("{} to {}: one of them is not there", share.point, share.laboratory));
            continue;
        };
        let minutes = problem.minutes[point.place][laboratory.place];
        if minutes != share.minutes || minutes > problem.minutes_max || share.tubes_per_hour <= 0 {
            report.violations.push(format!("{} to {}: {} tubes over {minutes} minutes", point.id, laboratory.id, share.tubes_per_hour));
        }
        *left.entry(&point.id).or_default() -= share.tubes_per_hour;
        *taken.entry(&laboratory.id).or_default() += share.tubes_per_hour;
        report.tubes_per_hour += share.tubes_per_hour;
        report.tube_minutes += share.tubes_per_hour * minutes;
    }
    for unplaced in &plan.unplaced {
        *left.entry(&unplaced.point).or_default() -= unplaced.tubes_per_hour;
        report.unplaced_per_hour += unplaced.tubes_per_hour;
    }
    let uneven = left.iter().filter(|(_, left)| **left != 0).map(|(point, left)| format!("{point}: {left} tubes are neither sent nor stated as unplaced"));
    report.violations.extend(uneven);
    for laboratory in &problem.laboratories {
        let tubes = taken.get(laboratory.id.as_str()).copied().unwrap_or(0);
        if tubes > laboratory.tubes_per_hour {
            report.violations.push(format!("{}: {tubes} tubes of {}", laboratory.id, laboratory.tubes_per_hour));
        }
        if !plan.loads.iter().any(|load| load.laboratory == laboratory.id && load.tubes_per_hour == tubes && load.of == laboratory.tubes_per_hour) {
            report.violations.push(format!("{}: takes {tubes} tubes, which the plan does not state", laboratory.id));
        }
    }
    if (report.tubes_per_hour, report.tube_minutes) != (plan.tubes_per_hour, plan.tube_minutes) {
        report.violations.push("the stated sums are not those of the shares".to_owned());
    }
    report.proven = report.violations.is_empty() && proven(problem, plan, &report);
    report
}

/// Weak duality: with any prices not below zero, no plan costs less than every tube's cheapest way at these prices, less what the capacities
/// fetch. A tube left behind costs more than all ways there are.
fn proven(problem: &Problem, plan: &Plan, report: &Report) -> bool {
    let behind = i128::from(problem.behind_minutes());
    let price = |id: &str| plan.loads.iter().find(|load| load.laboratory == id).map_or(0, |load| i128::from(load.price));
    let prices: Vec<i128> = problem.laboratories.iter().map(|laboratory| price(&laboratory.id)).collect();
    let mut bound = 0;
    for point in &problem.points {
        let way = |(laboratory, price): (&super::problem::Laboratory, &i128)| {
            let minutes = problem.minutes[point.place][laboratory.place];
            (minutes <= problem.minutes_max).then_some(i128::from(minutes) + price)
        };
        let cheapest = problem.laboratories.iter().zip(&prices).filter_map(way).chain([behind]).min().unwrap_or(behind);
        bound += i128::from(point.tubes_per_hour) * cheapest;
    }
    bound -= problem.laboratories.iter().zip(&prices).map(|(laboratory, price)| i128::from(laboratory.tubes_per_hour) * price).sum::<i128>();
    let cost = i128::from(report.tube_minutes) + i128::from(report.unplaced_per_hour) * behind;
    prices.iter().all(|price| *price >= 0) && bound == cost
}
