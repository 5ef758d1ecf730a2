//! A set of routes as linked stops, with what an insertion needs known at every stop: the earliest departure, the latest start of
//! service that keeps the rest of the route on time, and the driven distances around it. Every test of a place is then O(1).

use super::problem::Problem;

/// A customer on no route.
pub(super) const NOWHERE: u32 = u32::MAX;
const DEPOT: u32 = 0;

#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Customer before and after, 0 for the depot.
    pub previous: u32,
    pub next: u32,
    pub route: u32,
    /// Earliest end of service.
    pub departs: i32,
    /// Latest start of service with which everyone after is still in time.
    pub latest: i32,
    pub from_previous: i32,
    pub to_next: i32,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Route {
    pub first: u32,
    pub last: u32,
    pub load: i32,
    pub stops: u32,
}

/// Where a customer may go and what it costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub cost: i64,
    pub route: u32,
    pub after: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Tour<'p> {
    pub problem: &'p Problem,
    pub stops: Vec<Stop>,
    /// One per customer, empty ones included.
    pub routes: Vec<Route>,
    pub used: usize,
    /// Ticks driven.
    pub cost: i64,
    pub customers: usize,
}

impl<'p> Tour<'p> {
    pub(super) fn empty(problem: &'p Problem) -> Self {
        let absent = Stop { previous: DEPOT, next: DEPOT, route: NOWHERE, departs: 0, latest: 0, from_previous: 0, to_next: 0 };
        let count = problem.nodes.len();
        Self { problem, stops: vec![absent; count], routes: vec![Route::default(); count], used: 0, cost: 0, customers: 0 }
    }

    /// Takes the place of what was there.
    pub(super) fn load(&mut self, routes: &[Vec<u32>]) {
        for stop in &mut self.stops {
            stop.route = NOWHERE;
        }
        self.routes.fill(Route::default());
        (self.used, self.cost, self.customers) = (0, 0, 0);
        for (index, customers) in routes.iter().filter(|customers| !customers.is_empty()).enumerate() {
            let mut after = DEPOT;
            for customer in customers {
                self.link(*customer, index as u32, after);
                after = *customer;
            }
            self.time(index as u32);
        }
    }

    pub(super) fn listed(&self) -> Vec<Vec<u32>> {
        let used = self.routes.iter().filter(|route| route.stops > 0);
        used.map(|route| self.from(route.first).collect()).collect()
    }

    /// The customer and those after it.
    pub(super) fn from(&self, customer: u32) -> impl Iterator<Item = u32> {
        let known = |customer: u32| (customer != DEPOT).then_some(customer);
        std::iter::successors(known(customer), move |at| known(self.stops[*at as usize].next))
    }

    /// Puts a customer behind another without touching times.
    pub(super) fn link(&mut self, customer: u32, index: u32, after: u32) {
        let route = &mut self.routes[index as usize];
        let next = if after == DEPOT { route.first } else { self.stops[after as usize].next };
        self.used += usize::from(route.stops == 0);
        route.stops += 1;
        route.load += self.problem.nodes[customer as usize].demand;
        let row = self.problem.row(customer);
        let (before, behind) = (row[after as usize], row[next as usize]);
        let direct = self.problem.row(after)[next as usize];
        self.cost += i64::from(before) + i64::from(behind) - i64::from(direct);
        self.customers += 1;
        if after == DEPOT {
            route.first = customer;
        } else {
            let stop = &mut self.stops[after as usize];
            (stop.next, stop.to_next) = (customer, before);
        }
        if next == DEPOT {
            route.last = customer;
        } else {
            let stop = &mut self.stops[next as usize];
            (stop.previous, stop.from_previous) = (customer, behind);
        }
        self.stops[customer as usize] = Stop { previous: after, next, route: index, departs: 0, latest: 0, from_previous: before, to_next: behind };
    }

    /// Takes a customer off its route; the route's times are stale until [`Self::time`].
    pub(super) fn take(&mut self, customer: u32) {
        let Stop { previous, next, route: index, from_previous, to_next, .. } = self.stops[customer as usize];
        let direct = self.problem.row(previous)[next as usize];
        let route = &mut self.routes[index as usize];
        route.stops -= 1;
        route.load -= self.problem.nodes[customer as usize].demand;
        self.used -= usize::from(route.stops == 0);
        self.cost += i64::from(direct) - i64::from(from_previous) - i64::from(to_next);
        self.customers -= 1;
        if previous == DEPOT {
            route.first = next;
        } else {
            let stop = &mut self.stops[previous as usize];
            (stop.next, stop.to_next) = (next, direct);
        }
        if next == DEPOT {
            route.last = previous;
        } else {
            let stop = &mut self.stops[next as usize];
            (stop.previous, stop.from_previous) = (previous, direct);
        }
        self.stops[customer as usize].route = NOWHERE;
    }

    /// Puts a customer at a place and brings the times of the route up to date.
    pub(super) fn put(&mut self, customer: u32, place: Place) {
        self.link(customer, place.route, place.after);
        self.forward(customer);
        self.backward(customer);
    }

    /// Computes all times of a route.
    pub(super) fn time(&mut self, index: u32) {
        let Route { first, last, stops, .. } = self.routes[index as usize];
        if stops == 0 {
            return;
        }
        let mut at = first;
        while at != DEPOT {
            self.stops[at as usize].departs = self.departure(at);
            at = self.stops[at as usize].next;
        }
        at = last;
        while at != DEPOT {
            self.stops[at as usize].latest = self.latest(at);
            at = self.stops[at as usize].previous;
        }
    }

    /// Whether somebody on a route, or the depot at its end, is reached too late.
    pub(super) fn late(&self, index: u32) -> bool {
        let first = self.routes[index as usize].first as usize;
        first != 0 && self.stops[first].departs - self.problem.nodes[first].service > self.stops[first].latest
    }

    #[inline]
    fn departure(&self, customer: u32) -> i32 {
        let stop = &self.stops[customer as usize];
        let node = &self.problem.nodes[customer as usize];
        let left = if stop.previous == DEPOT { self.problem.nodes[0].open } else { self.stops[stop.previous as usize].departs };
        (left + stop.from_previous).max(node.open) + node.service
    }

    #[inline]
    fn latest(&self, customer: u32) -> i32 {
        let stop = &self.stops[customer as usize];
        let node = &self.problem.nodes[customer as usize];
        let due = if stop.next == DEPOT { self.problem.nodes[0].close } else { self.stops[stop.next as usize].latest };
        (due - stop.to_next - node.service).min(node.close)
    }

    /// From a customer on, until nothing changes.
    fn forward(&mut self, customer: u32) {
        let mut at = customer;
        while at != DEPOT {
            let departs = self.departure(at);
            let stop = &mut self.stops[at as usize];
            if stop.departs == departs && at != customer {
                return;
            }
            stop.departs = departs;
            at = stop.next;
        }
    }

    fn backward(&mut self, customer: u32) {
        let mut at = customer;
        while at != DEPOT {
            let latest = self.latest(at);
            let stop = &mut self.stops[at as usize];
            if stop.latest == latest && at != customer {
                return;
            }
            stop.latest = latest;
            at = stop.previous;
        }
    }

    /// Makes one route, and the totals, those of another tour over the same problem. Customers that both have on other routes are left alone.
    pub(super) fn copy_route(&mut self, other: &Self, index: u32) {
        let route = other.routes[index as usize];
        self.routes[index as usize] = route;
        let mut at = route.first;
        while at != DEPOT {
            self.stops[at as usize] = other.stops[at as usize];
            at = other.stops[at as usize].next;
        }
        (self.used, self.cost, self.customers) = (other.used, other.cost, other.customers);
    }

    /// Makes everything that of another tour over the same problem.
    pub(super) fn copy(&mut self, other: &Self) {
        self.stops.copy_from_slice(&other.stops);
        self.routes.copy_from_slice(&other.routes);
        (self.used, self.cost, self.customers) = (other.used, other.cost, other.customers);
    }

    /// An unused route.
    pub(super) fn fresh(&self) -> u32 {
        self.routes.iter().position(|route| route.stops == 0).map_or(0, |index| index as u32)
    }
}
