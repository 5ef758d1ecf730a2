//! What a route planner gives.

use serde::{Deserialize, Serialize};

use super::problem::{Node, Problem};

/// Routes in the order driven. As JSON: `{"cost":…,"routes":[[…],…]}`, and `unserved` when somebody cannot be served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Total distance, in the file's unit.
    pub cost: f64,
    /// Customers as numbered in the file, the depot left out.
    pub routes: Vec<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unserved: Vec<Unserved>,
}

/// A customer that no vehicle can serve, even alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unserved {
    /// As numbered in the file.
    pub customer: u32,
    pub reason: Reason,
    #[serde(skip)]
    pub(super) index: usize,
}

/// Why nobody can serve a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The demand exceeds a vehicle's capacity.
    TooLarge,
    /// A vehicle that leaves when the depot opens arrives after the window.
    TooFar,
    /// Served at once, the vehicle is back after the depot closes.
    BackTooLate,
}

/// The best plan so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub rounds: u64,
    pub cost: f64,
    pub routes: usize,
}

impl Plan {
    pub(super) fn new(problem: &Problem, mut routes: Vec<Vec<u32>>, unserved: Vec<Unserved>) -> Self {
        let mut ticks = 0;
        routes.retain(|route| !route.is_empty());
        routes.sort_unstable();
        for route in &mut routes {
            let mut at = 0;
            for customer in route.iter_mut() {
                ticks += i64::from(problem.distance(at, *customer as usize));
                at = *customer as usize;
                *customer = problem.nodes[at].label;
            }
            ticks += i64::from(problem.distance(at, 0));
        }
        Self { cost: ticks as f64 / f64::from(problem.ticks), routes, unserved }
    }
}

impl Unserved {
    /// Everyone who cannot be served even alone.
    pub(super) fn of(problem: &Problem) -> Vec<Self> {
        let customers = problem.nodes.iter().enumerate().skip(1);
        customers.filter_map(|(index, node)| Some(Self { customer: node.label, reason: why(problem, index, node)?, index })).collect()
    }
}

fn why(problem: &Problem, index: usize, node: &Node) -> Option<Reason> {
    let drive = problem.distance(0, index);
    let starts = (problem.nodes[0].open + drive).max(node.open);
    if node.demand > problem.capacity {
        Some(Reason::TooLarge)
    } else if starts > node.close {
        Some(Reason::TooFar)
    } else if starts + node.service + drive > problem.nodes[0].close {
        Some(Reason::BackTooLate)
    } else {
        None
    }
}
