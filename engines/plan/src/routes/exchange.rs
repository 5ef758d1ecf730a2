//! Two routes trade a part each (CROSS exchange, Taillard et al. 1997): parts of a few stops, or everything to the end (2-opt\*, Potvin and
//! Rousseau 1995). Long routes need such trades: what is taken out and put back one by one finds no place while the rest stands.

use super::tour::{NOWHERE, Tour};

const DEPOT: u32 = 0;

/// How much the two routes give: so many stops each, or all that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    Stops(u32, u32),
    Rest,
}

/// A trade that keeps time and load: the stops behind `after` go behind `other_after`, and the other way round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    pub route: u32,
    pub other_route: u32,
    /// Ticks driven more.
    pub cost: i64,
    after: u32,
    other_after: u32,
    given: Part,
    got: Part,
}

/// Stops in a row, and what comes behind them. Empty: `first` is what comes behind.
#[derive(Debug, Clone, Copy)]
struct Part {
    first: u32,
    last: u32,
    next: u32,
}

impl Exchange {
    /// The trade by which `second` comes right behind `first`, when it costs less than `below` and both routes stay in time and load.
    pub(super) fn find(tour: &Tour, first: u32, second: u32, parts: Parts, below: i64) -> Option<Self> {
        let (one, two) = (&tour.stops[first as usize], &tour.stops[second as usize]);
        if one.route == two.route || one.route == NOWHERE || two.route == NOWHERE {
            return None;
        }
        let problem = tour.problem;
        let way = |from: u32, to: u32| problem.row(from)[to as usize];
        let joined = way(first, second);
        if one.departs + joined > problem.nodes[second as usize].close {
            return None;
        }
        let (given, got) = match parts {
            Parts::Rest => (rest(tour, one.next, one.route), rest(tour, second, two.route)),
            Parts::Stops(stops, other_stops) => (some(tour, one.next, stops), some(tour, second, other_stops)),
        };
        let other_after = two.previous;
        let added = if given.empty() { way(other_after, got.next) } else { way(other_after, given.first) + way(given.last, got.next) };
        let saved = one.to_next + two.from_previous + way(got.last, got.next) + if given.empty() { 0 } else { way(given.last, given.next) };
        let cost = i64::from(joined) + i64::from(way(got.last, given.next)) + i64::from(added) - i64::from(saved);
        let found = Self { route: one.route, other_route: two.route, cost, after: first, other_after, given, got };
        (cost < below && found.in_time(tour) && found.has_room(tour)).then_some(found)
    }

    fn in_time(&self, tour: &Tour) -> bool {
        in_time(tour, self.after, self.got, self.given.next) && in_time(tour, self.other_after, self.given, self.got.next)
    }

    fn has_room(&self, tour: &Tour) -> bool {
        let load = |index: u32| tour.routes[index as usize].load;
        let more = self.got.load(tour) - self.given.load(tour);
        let capacity = tour.problem.capacity;
        load(self.route) + more <= capacity && load(self.other_route) - more <= capacity
    }

    /// Carries it out.
    pub(super) fn apply(self, tour: &mut Tour, aside: &mut Vec<u32>) {
        aside.clear();
        self.given.take(tour, aside);
        let border = aside.len();
        self.got.take(tour, aside);
        let (given, got) = aside.split_at(border);
        for (part, mut after, index) in [(got, self.after, self.route), (given, self.other_after, self.other_route)] {
            for customer in part {
                tour.link(*customer, index, after);
                after = *customer;
            }
            tour.time(index);
        }
        aside.clear();
    }
}

impl Part {
    fn empty(self) -> bool {
        self.first == self.next
    }

    fn load(self, tour: &Tour) -> i32 {
        let mut load = 0;
        let mut at = self.first;
        while at != self.next {
            load += tour.problem.nodes[at as usize].demand;
            at = tour.stops[at as usize].next;
        }
        load
    }

    fn take(self, tour: &mut Tour, aside: &mut Vec<u32>) {
        let mut at = self.first;
        while at != self.next {
            let next = tour.stops[at as usize].next;
            tour.take(at);
            aside.push(at);
            at = next;
        }
    }
}

fn rest(tour: &Tour, first: u32, index: u32) -> Part {
    Part { first, last: tour.routes[index as usize].last, next: DEPOT }
}

fn some(tour: &Tour, first: u32, stops: u32) -> Part {
    let mut part = Part { first, last: DEPOT, next: first };
    for _ in 0..stops {
        if part.next == DEPOT {
            break;
        }
        part.last = part.next;
        part.next = tour.stops[part.last as usize].next;
    }
    part
}

/// Whether a part can be driven behind a stop and before another.
fn in_time(tour: &Tour, after: u32, part: Part, next: u32) -> bool {
    let problem = tour.problem;
    let mut departs = if after == DEPOT { problem.nodes[0].open } else { tour.stops[after as usize].departs };
    let mut from = after;
    let mut at = part.first;
    if next == part.next && !part.empty() {
        return departs + problem.row(from)[at as usize] <= tour.stops[at as usize].latest;
    }
    while at != part.next {
        let node = &problem.nodes[at as usize];
        let starts = (departs + problem.row(from)[at as usize]).max(node.open);
        if starts > node.close {
            return false;
        }
        departs = starts + node.service;
        (from, at) = (at, tour.stops[at as usize].next);
    }
    let due = if next == DEPOT { problem.nodes[0].close } else { tour.stops[next as usize].latest };
    departs + problem.row(from)[next as usize] <= due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::routes::problem::{Metric, Node, Problem};

    fn drawn(random: &mut Random) -> Problem {
        let mut node = |label: u32| {
            let (x, y) = (random.below(40) as f64, random.below(40) as f64);
            let open = random.below(100) as i32;
            let (open, close) = if label == 0 { (0, 400) } else { (open, open + 40 + random.below(300) as i32) };
            Node { label, x, y, demand: i32::from(label > 0) * (1 + random.below(5) as i32), open, close, service: i32::from(label > 0) * 5 }
        };
        let nodes = (0..13).map(&mut node).collect();
        Problem::euclidean("drawn".to_owned(), 1, Metric::Truncated, 16, None, nodes).expect("a problem")
    }

    /// What a route costs, when it can be driven.
    fn driven(problem: &Problem, route: &[u32]) -> Option<i64> {
        let (mut clock, mut cost, mut at) = (0, 0, 0);
        for stop in route.iter().map(|customer| *customer as usize).chain([0]) {
            let way = problem.distance(at, stop);
            let starts = (clock + way).max(problem.nodes[stop].open);
            if starts > problem.nodes[stop].close {
                return None;
            }
            (clock, at) = (starts + problem.nodes[stop].service, stop);
            cost += i64::from(way);
        }
        let load: i32 = route.iter().map(|customer| problem.nodes[*customer as usize].demand).sum();
        (load <= problem.capacity).then_some(if route.is_empty() { 0 } else { cost })
    }

    fn ends(route: &[u32], from: usize, stops: Option<u32>) -> usize {
        stops.map_or(route.len(), |stops| route.len().min(from + stops as usize))
    }

    /// The two routes after a trade, without looking at time or load.
    fn traded(one: &[u32], two: &[u32], from: usize, other_from: usize, parts: Parts) -> [Vec<u32>; 2] {
        let (stops, other_stops) = if let Parts::Stops(stops, other) = parts { (Some(stops), Some(other)) } else { (None, None) };
        let (to, other_to) = (ends(one, from, stops), ends(two, other_from, other_stops));
        [[&one[..from], &two[other_from..other_to], &one[to..]].concat(), [&two[..other_from], &one[from..to], &two[other_to..]].concat()]
    }

    /// Every trade between two routes: found when and only when the routes that come out can be driven, at what they cost.
    fn try_all(problem: &Problem, routes: &[Vec<u32>]) -> (usize, usize) {
        let (mut found, mut refused) = (0, 0);
        let mut tour = Tour::empty(problem);
        for (one, two) in [(0, 1), (1, 0)] {
            for (first, second) in (0..routes[one].len()).flat_map(|first| (0..routes[two].len()).map(move |second| (first, second))) {
                for parts in [Parts::Rest, Parts::Stops(0, 1), Parts::Stops(1, 1), Parts::Stops(2, 1), Parts::Stops(1, 3)] {
                    tour.load(routes);
                    let after = traded(&routes[one], &routes[two], first + 1, second, parts);
                    let expected = driven(problem, &after[0]).zip(driven(problem, &after[1])).map(|(one, two)| one + two);
                    let exchange = Exchange::find(&tour, routes[one][first], routes[two][second], parts, i64::MAX);
                    let before = tour.cost;
                    assert_eq!(exchange.map(|exchange| before + exchange.cost), expected, "{routes:?} {first} {second} {parts:?}");
                    let Some(exchange) = exchange else {
                        refused += 1;
                        continue;
                    };
                    assert!(Exchange::find(&tour, routes[one][first], routes[two][second], parts, exchange.cost).is_none());
                    exchange.apply(&mut tour, &mut Vec::new());
                    let mut listed = after.to_vec();
                    listed.retain(|route| !route.is_empty());
                    let mut own = tour.listed();
                    own.sort();
                    listed.sort();
                    assert_eq!((own, tour.cost), (listed, before + exchange.cost));
                    assert!(!tour.late(0) && !tour.late(1));
                    found += 1;
                }
            }
        }
        (found, refused)
    }

    #[test]
    fn a_trade_is_found_when_both_routes_can_be_driven_at_what_they_cost() {
        let mut random = Random::new(7, 0);
        let (mut found, mut refused) = (0, 0);
        for _ in 0..3_000 {
            let problem = drawn(&mut random);
            let mut customers: Vec<u32> = (1..=(2 + random.below(11)) as u32).collect();
            random.shuffle(&mut customers);
            let routes = [customers.split_off(1 + random.below(customers.len() - 1)), customers].to_vec();
            if routes.iter().all(|route| driven(&problem, route).is_some()) {
                let (more, less) = try_all(&problem, &routes);
                (found, refused) = (found + more, refused + less);
            }
        }
        assert!(found > 1_000 && refused > 1_000, "{found} found, {refused} refused");
    }
}
