//! Slack induction by string removals (Christiaens and Vanden Berghe 2020): take strings of neighbouring customers out of neighbouring
//! routes, put them back greedily while now and then overlooking a place, and accept by simulated annealing. In between, routes trade
//! parts ([`Exchange`]), accepted by the same rule.

use super::exchange::{Exchange, Parts};
use super::nearness::Nearness;
use super::problem::Problem;
use super::tour::{NOWHERE, Place, Tour};
use crate::random::Random;

/// Average number of customers taken out.
const TAKEN_MEAN: f64 = 10.0;
/// Longest string.
const STRING_MAX: f64 = 10.0;
/// Chance that a string leaves out some of its customers, and that the left-out part grows no further.
const SPLIT_CHANCE: f64 = 0.5;
const SPLIT_STOP: f64 = 0.99;
/// Chance of overlooking a place.
const BLINK_CHANCE: f64 = 0.01;

/// Trades of parts between two routes: how near the two who come together are at most, the chance that everything to the end is traded,
/// and the most stops else.
const TRADE_NEAR: usize = 20;
const TRADE_REST: f64 = 0.4;
const TRADE_MAX: usize = 8;

/// One annealing search over the customers it was given.
#[derive(Debug)]
pub(super) struct Search<'p> {
    nearness: &'p Nearness,
    random: Random,
    current: Tour<'p>,
    trial: Tour<'p>,
    best: Tour<'p>,
    customers: Vec<u32>,
    /// Routes beyond so many cost `penalty` ticks each.
    fleet: usize,
    penalty: i64,
    taken: Vec<u32>,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
}

impl<'p> Search<'p> {
    pub(super) fn new(problem: &'p Problem, nearness: &'p Nearness, random: Random) -> Self {
        let tour = Tour::empty(problem);
        Self {
            nearness,
            random,
            trial: tour.clone(),
            best: tour.clone(),
            current: tour,
            customers: Vec::new(),
            fleet: usize::MAX,
            penalty: 0,
            taken: Vec::new(),
            touched: Vec::new(),
            is_touched: vec![false; problem.nodes.len()],
        }
    }

    /// Starts from routes over some of the customers.
    pub(super) fn load(&mut self, routes: &[Vec<u32>], fleet: usize, penalty: i64) {
        self.current.load(routes);
        self.trial.copy(&self.current);
        self.best.copy(&self.current);
        self.customers.clear();
        self.customers.extend(routes.iter().flatten());
        (self.fleet, self.penalty) = (fleet, penalty);
    }

    /// Starts from nothing: customers are put in one after the other.
    pub(super) fn build(&mut self, customers: &[u32], fleet: usize, penalty: i64) {
        self.load(&[], fleet, penalty);
        self.customers.extend(customers);
        self.taken.extend(customers);
        self.refill();
        self.keep();
        self.best.copy(&self.current);
    }

    /// Changes the fleet and its penalty without starting anew.
    pub(super) fn set_fleet(&mut self, fleet: usize, penalty: i64) {
        (self.fleet, self.penalty) = (fleet, penalty);
    }

    pub(super) fn current(&self) -> &Tour<'p> {
        &self.current
    }

    /// The one with the fewest vehicles over the fleet, then the cheapest, since the start.
    pub(super) fn best(&self) -> &Tour<'p> {
        &self.best
    }

    /// Ticks driven, and the penalty of vehicles that are not there.
    fn worth(&self, tour: &Tour) -> i64 {
        tour.cost + self.penalty * tour.used.saturating_sub(self.fleet) as i64
    }

    fn rank(&self, tour: &Tour) -> (usize, i64) {
        (tour.used.saturating_sub(self.fleet), tour.cost)
    }

    pub(super) fn run(&mut self, iterations: u32, temperature: f64) {
        if self.customers.is_empty() {
            return;
        }
        for _ in 0..iterations {
            self.step(temperature);
            // Taking out and putting back costs more on long routes and finds less: as many trades as a route has stops.
            for _ in 0..self.trial.customers / self.trial.used.max(1) {
                self.trade(temperature);
            }
        }
    }

    /// Tries a trade between the routes of two neighbours.
    fn trade(&mut self, temperature: f64) {
        let first = self.customers[self.random.below(self.customers.len())];
        let near = self.nearness.after(first);
        if near.is_empty() {
            return;
        }
        let second = u32::from(near[self.random.below(near.len().min(TRADE_NEAR))]);
        let rest = self.random.chance(TRADE_REST);
        let some = Parts::Stops(self.random.below(TRADE_MAX) as u32, 1 + self.random.below(TRADE_MAX) as u32);
        let parts = if rest { Parts::Rest } else { some };
        let below = (-temperature * self.random.uniform().ln()) as i64;
        let Some(found) = Exchange::find(&self.trial, first, second, parts, below) else { return };
        found.apply(&mut self.trial, &mut self.taken);
        debug_assert_eq!(self.trial.cost, self.current.cost + found.cost);
        self.touch(found.route);
        self.touch(found.other_route);
        self.keep();
        if self.rank(&self.current) < self.rank(&self.best) {
            self.best.copy(&self.current);
        }
    }

    fn step(&mut self, temperature: f64) {
        self.ruin();
        self.refill();
        let (old, new) = (self.worth(&self.current), self.worth(&self.trial));
        let bound = old as f64 - temperature * self.random.uniform().ln();
        if (new as f64) < bound {
            self.keep();
            if self.rank(&self.current) < self.rank(&self.best) {
                self.best.copy(&self.current);
            }
        } else {
            for index in self.touched.drain(..) {
                self.trial.copy_route(&self.current, index);
                self.is_touched[index as usize] = false;
            }
        }
    }

    fn keep(&mut self) {
        for index in self.touched.drain(..) {
            self.current.copy_route(&self.trial, index);
            self.is_touched[index as usize] = false;
        }
    }

    fn touch(&mut self, index: u32) {
        if !std::mem::replace(&mut self.is_touched[index as usize], true) {
            self.touched.push(index);
        }
    }

    fn ruin(&mut self) {
        let mean = self.trial.customers as f64 / self.trial.used as f64;
        let longest = STRING_MAX.min(mean);
        let most = 4.0 * TAKEN_MEAN / (1.0 + longest) - 1.0;
        let strings = (1.0 + self.random.uniform() * most) as usize;
        let seed = self.customers[self.random.below(self.customers.len())];
        let nearness = self.nearness;
        for customer in nearness.near(seed) {
            let customer = u32::from(*customer);
            let index = self.trial.stops[customer as usize].route;
            if index == NOWHERE || self.is_touched[index as usize] {
                continue;
            }
            self.take_string(customer, index, longest);
            if self.touched.len() >= strings.max(1) {
                break;
            }
        }
    }

    /// Takes a string of customers around one of them; with some chance a part in its middle stays.
    fn take_string(&mut self, customer: u32, index: u32, longest: f64) {
        self.touch(index);
        let stops = self.trial.routes[index as usize].stops as usize;
        let length = (1.0 + self.random.uniform() * longest.min(stops as f64)) as usize;
        let length = length.min(stops).max(1);
        let mut stay = 0;
        if length > 1 && length < stops && self.random.chance(SPLIT_CHANCE) {
            stay = 1;
            while length + stay < stops && !self.random.chance(SPLIT_STOP) {
                stay += 1;
            }
        }
        let window = length + stay;
        let position = self.trial.from(self.trial.routes[index as usize].first).position(|at| at == customer).unwrap_or(0);
        let least = (position + 1).saturating_sub(window);
        let most = position.min(stops - window);
        let start = least + self.random.below(most - least + 1);
        let keep_from = if stay == 0 { 0 } else { 1 + self.random.below(length - 1) };
        let mut at = self.trial.routes[index as usize].first;
        for _ in 0..start {
            at = self.trial.stops[at as usize].next;
        }
        for offset in 0..window {
            let next = self.trial.stops[at as usize].next;
            if stay == 0 || !(keep_from..keep_from + stay).contains(&offset) {
                self.trial.take(at);
                self.taken.push(at);
            }
            at = next;
        }
        self.trial.time(index);
        if self.trial.late(index) {
            self.take_rest(index);
        }
    }

    /// Distances need not be metric (truncated ones are not quite): a way without a stop may take longer than with it.
    fn take_rest(&mut self, index: u32) {
        let mut at = self.trial.routes[index as usize].first;
        while at != 0 {
            let next = self.trial.stops[at as usize].next;
            self.trial.take(at);
            self.taken.push(at);
            at = next;
        }
    }

    /// Puts everyone back in one of seven orders.
    fn refill(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        self.order(&mut taken);
        for customer in taken.drain(..) {
            let place = self.place(customer);
            self.touch(place.route);
            self.trial.put(customer, place);
        }
        self.taken = taken;
    }

    fn order(&mut self, taken: &mut [u32]) {
        let nodes = &self.trial.problem.nodes;
        let home = self.trial.problem.row(0);
        let node = |customer: &u32| &nodes[*customer as usize];
        match self.random.below(17) {
            0..4 => self.random.shuffle(taken),
            4..8 => taken.sort_unstable_by_key(|customer| (-node(customer).demand, *customer)),
            8..10 => taken.sort_unstable_by_key(|customer| (-home[*customer as usize], *customer)),
            10 => taken.sort_unstable_by_key(|customer| (home[*customer as usize], *customer)),
            11..13 => taken.sort_unstable_by_key(|customer| (node(customer).close - node(customer).open, *customer)),
            13..15 => taken.sort_unstable_by_key(|customer| (node(customer).open, *customer)),
            _ => taken.sort_unstable_by_key(|customer| (-node(customer).close, *customer)),
        }
    }

    /// The cheapest place seen; a route of its own is always one.
    fn place(&mut self, customer: u32) -> Place {
        let trial = &self.trial;
        let row = trial.problem.row(customer);
        let extra = if trial.used >= self.fleet { self.penalty } else { 0 };
        let mut best = Place { cost: 2 * i64::from(row[0]) + extra, route: NOWHERE, after: 0 };
        let nearness = self.nearness;
        for other in nearness.before(customer) {
            let stop = &trial.stops[usize::from(*other)];
            if stop.route == NOWHERE {
                continue;
            }
            let cost = i64::from(row[usize::from(*other)] + row[stop.next as usize] - stop.to_next);
            if cost < best.cost && fits(trial, customer, stop.route, u32::from(*other), stop.next) && !self.random.chance(BLINK_CHANCE) {
                best = Place { cost, route: stop.route, after: u32::from(*other) };
            }
        }
        for other in nearness.after(customer) {
            let stop = &trial.stops[usize::from(*other)];
            if stop.route == NOWHERE || (stop.previous != 0 && nearness.complete()) {
                continue;
            }
            let cost = i64::from(row[usize::from(*other)] + row[stop.previous as usize] - stop.from_previous);
            if cost < best.cost && fits(trial, customer, stop.route, stop.previous, u32::from(*other)) && !self.random.chance(BLINK_CHANCE) {
                best = Place { cost, route: stop.route, after: stop.previous };
            }
        }
        if best.route == NOWHERE {
            best.route = trial.fresh();
        }
        best
    }
}

/// Room on the vehicle, and time for the customer and everyone after.
#[inline]
fn fits(tour: &Tour, customer: u32, index: u32, after: u32, next: u32) -> bool {
    let problem = tour.problem;
    let node = &problem.nodes[customer as usize];
    if tour.routes[index as usize].load + node.demand > problem.capacity {
        return false;
    }
    let row = problem.row(customer);
    let left = if after == 0 { problem.nodes[0].open } else { tour.stops[after as usize].departs };
    let starts = (left + row[after as usize]).max(node.open);
    let due = if next == 0 { problem.nodes[0].close } else { tour.stops[next as usize].latest };
    starts <= node.close && starts + node.service + row[next as usize] <= due
}
