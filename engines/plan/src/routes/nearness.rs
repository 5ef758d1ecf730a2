//! Who is near whom: in space, for taking neighbours out together, and in space and time, for putting them back.

use super::problem::Problem;

/// Precomputed lists of neighbours.
#[derive(Debug)]
pub(super) struct Nearness {
    /// Per customer, itself and the others by distance.
    near: Vec<u16>,
    near_width: usize,
    /// Per customer, those it may follow, and those it may precede, by [`proximity`].
    before: Vec<Vec<u16>>,
    after: Vec<Vec<u16>>,
    complete: bool,
}

/// Waiting and lateness count less and as much as driving (Vidal, Crainic, Gendreau and Prins 2013).
const WAIT_WEIGHT: f64 = 0.2;

impl Nearness {
    /// `near` and `places` bound the lists.
    pub(super) fn new(problem: &Problem, near: usize, places: usize) -> Self {
        let count = problem.customers();
        let near_width = near.min(count);
        let mut lists =
            Self { near: Vec::with_capacity(count * near_width), near_width, before: vec![Vec::new()], after: vec![Vec::new()], complete: places >= count };
        for customer in 1..=count {
            let row = problem.row(customer as u32);
            let mut order: Vec<u16> = (1..=count as u16).collect();
            order.sort_unstable_by_key(|other| (row[usize::from(*other)], usize::from(*other) != customer, *other));
            lists.near.extend(&order[..near_width]);
            order.retain(|other| usize::from(*other) != customer);
            lists.before.push(closest(&order, places, |other| proximity(problem, other, customer)));
            lists.after.push(closest(&order, places, |other| proximity(problem, customer, other)));
        }
        lists
    }

    pub(super) fn near(&self, customer: u32) -> &[u16] {
        &self.near[(customer as usize - 1) * self.near_width..][..self.near_width]
    }

    /// Whether nobody was left out of the lists.
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    pub(super) fn before(&self, customer: u32) -> &[u16] {
        &self.before[customer as usize]
    }

    pub(super) fn after(&self, customer: u32) -> &[u16] {
        &self.after[customer as usize]
    }
}

fn closest(order: &[u16], bound: usize, weight: impl Fn(usize) -> Option<f64>) -> Vec<u16> {
    let mut weighed: Vec<(f64, u16)> = order.iter().filter_map(|other| Some((weight(usize::from(*other))?, *other))).collect();
    weighed.sort_by(|one, two| one.0.total_cmp(&two.0));
    weighed.truncate(bound);
    weighed.into_iter().map(|(_, other)| other).collect()
}

/// How well one customer goes right behind another; `None` when it never can.
fn proximity(problem: &Problem, first: usize, second: usize) -> Option<f64> {
    let (from, to) = (&problem.nodes[first], &problem.nodes[second]);
    let drive = problem.distance(first, second);
    let earliest = (problem.nodes[0].open + problem.distance(0, first)).max(from.open) + from.service + drive;
    if earliest > to.close {
        return None;
    }
    let wait = (to.open - from.close - from.service - drive).max(0);
    Some(f64::from(drive) + WAIT_WEIGHT * f64::from(wait))
}
