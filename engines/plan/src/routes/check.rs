//! Walks a plan over the map and says what it costs and what is wrong with it. Shares no arithmetic with the solver: distances come
//! from the coordinates again.

use std::collections::HashMap;

use super::plan::Plan;
use super::problem::{Metric, Node, Problem};

/// What a walk over every route found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the file's unit.
    pub cost: f64,
    pub vehicles: usize,
    /// In words; empty: the plan can be driven.
    pub violations: Vec<String>,
}

/// Capacity, windows, the depot's closing time, the fleet, everybody once (those stated as unserved apart), the stated cost.
#[must_use]
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let by_label: HashMap<u32, usize> = problem.nodes.iter().enumerate().skip(1).map(|(index, node)| (node.label, index)).collect();
    let mut visits = vec![0_u32; problem.nodes.len()];
    let mut violations = Vec::new();
    let mut ticks = 0;
    for (number, route) in plan.routes.iter().enumerate() {
        let known: Vec<usize> = route.iter().filter_map(|label| by_label.get(label).copied()).collect();
        for label in route.iter().filter(|label| !by_label.contains_key(label)) {
            violations.push(format!("route {}: no customer {label}", number + 1));
        }
        known.iter().for_each(|index| visits[*index] += 1);
        ticks += walk(problem, number + 1, &known, &mut violations);
    }
    for (node, count) in problem.nodes.iter().zip(&visits).skip(1) {
        let unserved = plan.unserved.iter().any(|one| one.customer == node.label);
        match (count, unserved) {
            (1, false) | (0, true) => {}
            (0, false) => violations.push(format!("customer {} is not served", node.label)),
            (_, true) => violations.push(format!("customer {} is served though stated as unserved", node.label)),
            (times, false) => violations.push(format!("customer {} is served {times} times", node.label)),
        }
    }
    let vehicles = plan.routes.iter().filter(|route| !route.is_empty()).count();
    if problem.vehicles.is_some_and(|fleet| vehicles > fleet) {
        violations.push(format!("{vehicles} vehicles of {}", problem.vehicles.unwrap_or(0)));
    }
    let cost = ticks as f64 / f64::from(problem.ticks);
    if (cost - plan.cost).abs() > 1e-6 * cost.max(1.0) {
        violations.push(format!("costs {cost}, not the stated {}", plan.cost));
    }
    Report { cost, vehicles, violations }
}

/// Drives one route and returns its length.
fn walk(problem: &Problem, number: usize, route: &[usize], violations: &mut Vec<String>) -> i64 {
    let depot = &problem.nodes[0];
    let (mut clock, mut load, mut driven, mut at) = (i64::from(depot.open), 0, 0, 0);
    for stop in route.iter().copied().chain([0]) {
        let way = ticks_between(problem, at, stop);
        let node = &problem.nodes[stop];
        driven += way;
        clock = (clock + way).max(i64::from(node.open));
        if clock > i64::from(node.close) {
            violations.push(format!("route {number}: at {} in tick {clock}, which closes in {}", node.label, node.close));
        }
        load += i64::from(node.demand);
        clock += i64::from(node.service);
        at = stop;
    }
    if load > i64::from(problem.capacity) {
        violations.push(format!("route {number}: carries {load} of {}", problem.capacity));
    }
    if route.is_empty() { 0 } else { driven }
}

fn ticks_between(problem: &Problem, from: usize, to: usize) -> i64 {
    if problem.metric == Metric::Explicit {
        return i64::from(problem.distance(from, to));
    }
    let square = |one: &Node, two: &Node| (one.x - two.x).powi(2) + (one.y - two.y).powi(2);
    let squared = square(&problem.nodes[from], &problem.nodes[to]) * f64::from(problem.ticks).powi(2);
    let within = |ticks: i64| match problem.metric {
        Metric::Nearest => (ticks as f64 - 0.5).powi(2) <= squared,
        _ => (ticks as f64).powi(2) <= squared * (1.0 + 1e-14),
    };
    let mut ticks = squared.sqrt() as i64;
    while within(ticks + 1) {
        ticks += 1;
    }
    while ticks > 0 && !within(ticks) {
        ticks -= 1;
    }
    ticks
}
