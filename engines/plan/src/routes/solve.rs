//! Runs the annealing on every hand of a crew and keeps the best plan.
//!
//! Many customers: the routes are cut into as many neighbourhoods as there are hands, each annealed on its own at the common
//! temperature, joined and cut differently in the next round. Few customers: every hand anneals everything from its own start, and
//! late in the budget the worse continue from the better.

use super::anneal::Search;
use super::nearness::Nearness;
use super::plan::{Plan, Progress, Unserved};
use super::problem::Problem;
use crate::crew::{Crew, Job};
use crate::random::Random;

/// From so many customers on the routes are shared out among the hands.
const SHARED_FROM: usize = 300;
/// Iterations of one round of one hand.
const ROUND: u32 = 2000;
/// First and last temperature, as a part of the mean distance between stops of the first plan.
const HOT: f64 = 0.7;
const COLD: f64 = 0.02;
/// Bounds of the lists of neighbours.
const NEAR_MAX: usize = 500;
const PLACES_MAX: usize = 60;
/// Up to so many customers a place beside any other is tried: some good plans need an odd neighbour.
const EVERY_PLACE_TO: usize = 250;
/// Few customers: from this part of the budget on, and every so many rounds, the worst hand continues from the best.
const MEET_FROM: f64 = 0.5;
const MEET_EVERY: u64 = 100;

/// Plans within a budget: `spent` says which part of it is gone (0 to 1; at 1 the planner stops), and the cooling follows it.
/// The same answers give the same plan.
pub fn solve(problem: &Problem, seed: u64, crew: &dyn Crew, spent: &(dyn Fn() -> f64 + Sync), progress: &mut dyn FnMut(Progress)) -> Plan {
    Relay::new(problem, seed, crew, spent).run(progress)
}

/// Routes of customers with what they cost; compared by vehicles over the fleet, then ticks.
#[derive(Debug, Clone, Default)]
struct Found {
    over: usize,
    cost: i64,
    routes: Vec<Vec<u32>>,
}

impl Found {
    fn better_than(&self, other: &Self) -> bool {
        (self.over, self.cost) < (other.over, other.cost)
    }
}

struct Relay<'a> {
    problem: &'a Problem,
    crew: &'a dyn Crew,
    spent: &'a (dyn Fn() -> f64 + Sync),
    random: Random,
    seed: u64,
    customers: Vec<u32>,
    unserved: Vec<Unserved>,
    fleet: usize,
    penalty: f64,
}

impl<'a> Relay<'a> {
    fn new(problem: &'a Problem, seed: u64, crew: &'a dyn Crew, spent: &'a (dyn Fn() -> f64 + Sync)) -> Self {
        let unserved = Unserved::of(problem);
        let served = |customer: &u32| unserved.iter().all(|one| one.index != *customer as usize);
        let customers: Vec<u32> = (1..=problem.customers() as u32).filter(served).collect();
        let fleet = problem.vehicles.unwrap_or(usize::MAX);
        Self { problem, crew, spent, random: Random::new(seed, 0), seed, customers, unserved, fleet, penalty: 0.0 }
    }

    fn run(mut self, progress: &mut dyn FnMut(Progress)) -> Plan {
        let places = if self.problem.customers() <= EVERY_PLACE_TO { EVERY_PLACE_TO } else { PLACES_MAX };
        let nearness = Nearness::new(self.problem, NEAR_MAX, places);
        let hands = self.crew.hands().clamp(1, 64);
        let mut searches: Vec<Search> = (0..hands).map(|hand| Search::new(self.problem, &nearness, Random::new(self.seed, 1 + hand as u64))).collect();
        let shared = hands > 1 && self.customers.len() >= SHARED_FROM;
        for search in &mut searches {
            search.build(&self.customers, self.fleet, 0);
        }
        let first = searches[0].current();
        let edge = first.cost as f64 / (first.customers + first.used).max(1) as f64;
        self.penalty = edge;
        let mut best = self.best_of(&searches[0]);
        let mut current = best.clone();
        let mut round = 0;
        while let Some(position) = Some((self.spent)()).filter(|spent| *spent < 1.0) {
            let position = position.max(0.0);
            if self.customers.is_empty() {
                break;
            }
            let temperature = edge * HOT * (COLD / HOT).powf(position);
            let found = if shared {
                self.round_shared(&mut searches, &mut current, temperature)
            } else {
                self.round_apart(&mut searches, temperature, round, position)
            };
            round += 1;
            if found.better_than(&best) {
                best = found;
                progress(Progress { rounds: round, cost: best.cost as f64 / f64::from(self.problem.ticks), routes: best.routes.len() });
            }
        }
        Plan::new(self.problem, best.routes, self.unserved)
    }

    fn best_of(&self, search: &Search) -> Found {
        let tour = search.best();
        Found { over: tour.used.saturating_sub(self.fleet), cost: tour.cost, routes: tour.listed() }
    }

    /// Too many vehicles become dearer until there are few enough.
    fn adapt(&mut self, used: usize) {
        self.penalty = if used > self.fleet { self.penalty * 1.05 + 1.0 } else { self.penalty * 0.995 };
    }

    fn round_apart(&mut self, searches: &mut [Search], temperature: f64, round: u64, position: f64) -> Found {
        let most = searches.iter().map(|search| search.current().used).max().unwrap_or(0);
        self.adapt(most);
        for search in searches.iter_mut() {
            search.set_fleet(self.fleet, self.penalty as i64);
        }
        run_all(self.crew, searches, temperature);
        let mut founds: Vec<Found> = searches.iter().map(|search| self.best_of(search)).collect();
        let key = |found: &Found| (found.over, found.cost);
        let best = (0..founds.len()).min_by_key(|hand| key(&founds[*hand])).unwrap_or(0);
        let worst = (0..founds.len()).max_by_key(|hand| key(&founds[*hand])).unwrap_or(0);
        if position >= MEET_FROM && round.is_multiple_of(MEET_EVERY) && key(&founds[best]) < key(&founds[worst]) {
            searches[worst].load(&founds[best].routes, self.fleet, self.penalty as i64);
        }
        founds.swap_remove(best)
    }

    fn round_shared(&mut self, searches: &mut [Search], current: &mut Found, temperature: f64) -> Found {
        self.adapt(current.routes.len());
        let parts = self.cut(std::mem::take(&mut current.routes), searches.len());
        let spare = self.fleet.saturating_sub(parts.iter().map(Vec::len).sum()) / searches.len();
        let mut over = current.over;
        for (search, part) in searches.iter_mut().zip(&parts) {
            let less = over.min(part.len().saturating_sub(1));
            over -= less;
            search.load(part, (part.len() - less).saturating_add(spare), self.penalty as i64);
        }
        run_all(self.crew, searches, temperature);
        let joined = |tours: Vec<&super::tour::Tour>| {
            let routes: Vec<Vec<u32>> = tours.iter().flat_map(|tour| tour.listed()).collect();
            Found { over: routes.len().saturating_sub(self.fleet), cost: tours.iter().map(|tour| tour.cost).sum(), routes }
        };
        *current = joined(searches.iter().map(|search| search.current()).collect());
        joined(searches.iter().map(|search| search.best()).collect())
    }

    /// Cuts the routes into parts of about as many customers, by the angle around the depot or along a line across the map.
    fn cut(&mut self, routes: Vec<Vec<u32>>, parts: usize) -> Vec<Vec<Vec<u32>>> {
        let nodes = &self.problem.nodes;
        let turn = self.random.uniform() * std::f64::consts::TAU;
        let around = self.random.chance(0.5);
        let key = |route: &Vec<u32>| {
            let (mut x, mut y) = (0.0, 0.0);
            for customer in route {
                x += nodes[*customer as usize].x - nodes[0].x;
                y += nodes[*customer as usize].y - nodes[0].y;
            }
            let count = route.len() as f64;
            if around { (y.atan2(x) + turn).rem_euclid(std::f64::consts::TAU) } else { (x * turn.cos() + y * turn.sin()) / count }
        };
        let mut keyed: Vec<(f64, Vec<u32>)> = routes.into_iter().map(|route| (key(&route), route)).collect();
        keyed.sort_by(|one, two| one.0.total_cmp(&two.0).then_with(|| one.1.cmp(&two.1)));
        let share = self.customers.len().div_ceil(parts);
        let mut cut = vec![Vec::new(); parts];
        let mut seen = 0;
        for (_, route) in keyed {
            let part = (seen + route.len() / 2) / share;
            seen += route.len();
            cut[part.min(parts - 1)].push(route);
        }
        cut
    }
}

fn run_all(crew: &dyn Crew, searches: &mut [Search], temperature: f64) {
    let jobs: Vec<Job> = searches.iter_mut().map(|search| Box::new(move || search.run(ROUND, temperature)) as Job).collect();
    crew.run(jobs);
}
