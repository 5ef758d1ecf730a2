//! Anytime search: rows legal from the start, annealing with priced violations, then rebuilding a few rows at a time.
//!
//! 1. Every employee gets a legal row by the labelled shortest path of [`row`], against the cover still missing.
//! 2. Simulated annealing changes a few days of one row or trades days between two; broken hard rules are priced, the price
//!    rises while the temperature falls. Rows still broken at the end are replaced by the cheapest legal ones.
//! 3. Large neighbourhoods. Groups of people, up to all of them, get rows together by column generation ([`columns`]); in
//!    between one to three rows are taken out over two to six weeks and rebuilt, the last of them exactly.
//!
//! Searchers with different seeds run side by side and meet at fixed shares of the budget, so a run is repeatable from its
//! seed and a budget of work.

mod anneal;
mod columns;
mod master;
mod model;
mod rebuild;
mod row;
mod state;
#[cfg(test)]
mod tests;

use super::problem::{Assignment, Plan, Problem};
use crate::crew::{Crew, Job};
use crate::random::Random;
use anneal::Heat;
use model::{Code, Model, OFF};
use rebuild::{Builder, Extent};
use state::State;

/// How long to search. Its end is known from the start, since the annealing cools to it.
#[derive(Clone, Copy)]
pub enum Budget<'a> {
    /// Steps of each of [`WORK_SEARCHERS`] searchers, one step being about one move of the annealing (some 10 million a
    /// second). The same seed and steps give the same plan, whoever does the work.
    Work(u64),
    /// Share of the budget that is used up, from 0 to 1, as a clock of the caller's tells; one searcher for each hand of the crew.
    Share(&'a (dyn Fn() -> f32 + Sync)),
}

/// The best legal roster so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Soft cost as the search counts it; the checker has the last word.
    pub objective: i64,
    /// Employees without a legal row.
    pub illegal_rows: usize,
    /// Steps of all searchers.
    pub work: u64,
}

/// Searches within the budget and returns the best roster met.
///
/// Rows are legal wherever a legal row was found; the checker lists what is not. A problem that is empty, too large or refers
/// to unknown people, days or shifts gets an empty plan.
pub fn solve(problem: &Problem, seed: u64, crew: &dyn Crew, budget: Budget, progress: &mut dyn FnMut(Progress)) -> Plan {
    let Some(model) = Model::new(problem) else { return Plan::default() };
    let mut search = Search { model: &model, crew, best: None };
    match budget {
        Budget::Work(limit) => search.run(seed, WORK_SEARCHERS, &|work| work as f32 / limit.max(1) as f32, progress),
        Budget::Share(share) => search.run(seed, crew.hands().clamp(1, SEARCHERS_MAX), &|_| share(), progress),
    }
    search.best.map_or_else(Plan::default, |best| plan_of(&model, &best.rows))
}

/// Searchers of a budget of work.
pub const WORK_SEARCHERS: usize = 2;
/// Searchers at most.
const SEARCHERS_MAX: usize = 64;
/// Searchers meet at these shares of the budget after the annealing, and every [`BETWEEN_MEETINGS`] of it before.
const MEETINGS: [f32; 6] = [0.45, 0.6, 0.7, 0.8, 0.9, 1.0];
const BETWEEN_MEETINGS: f32 = 0.025;
/// Share of the budget that is annealed: at least, and at most when the roster is large.
const ANNEALED: (f32, f32) = (0.25, 0.7);
/// Share of the work after the annealing that is given to groups.
const GROUPED: f32 = 0.7;
/// A group that takes less of the budget is followed by a larger one, one that takes more by a smaller one.
const GROUP_SHARE: (f32, f32) = (0.04, 0.3);
/// Moves for each cell of the roster that make an annealing long enough, and the most annealings in a round.
const MOVES_PER_CELL: f32 = 20_000.0;
const MOST_STARTS: u32 = 8;
/// Moves between two looks at the clock.
const MOVES: u64 = 2_000;
/// Temperature at the start and the end, as shares of what one missing person costs.
const TEMPERATURE: (f32, f32) = (0.2, 0.003);
/// Mean of what rebuilding may cost at its start, where a wish costs 1 to 3; falls to nothing.
const SLACK: f32 = 3.0;
/// Price of one unit of a broken hard rule, likewise.
const PRICE: (f32, f32) = (1.5, 4.0);

/// Share of the budget used, given the steps of the searcher that asks.
type Pace<'a> = &'a (dyn Fn(u64) -> f32 + Sync);

#[derive(Debug, Clone)]
struct Best {
    illegal_rows: usize,
    soft: i64,
    rows: Vec<Code>,
}

impl Best {
    fn of(state: &State) -> Best {
        Best { illegal_rows: (0..state.model.staff).filter(|e| state.broken(*e) > 0).count(), soft: state.soft, rows: state.rows.clone() }
    }

    fn key(&self) -> (usize, i64) {
        (self.illegal_rows, self.soft)
    }
}

struct Search<'m> {
    model: &'m Model,
    crew: &'m dyn Crew,
    best: Option<Best>,
}

impl Search<'_> {
    /// Annealing and rebuilding from nothing to the end of the clock.
    fn run(&mut self, seed: u64, hands: usize, clock: Pace, progress: &mut dyn FnMut(Progress)) {
        let model = self.model;
        let seeds = (0..hands as u64).map(|at| seed.wrapping_mul(64).wrapping_add(at));
        let mut searchers: Vec<Searcher> = seeds.map(|seed| Searcher::new(model, seed)).collect();
        self.each(&mut searchers, |searcher| searcher.begin(clock));
        self.meet(&mut searchers, false, progress);
        let annealing = (1..=(ANNEALED.0 / BETWEEN_MEETINGS) as u32).map(|meeting| meeting as f32 * BETWEEN_MEETINGS);
        for until in annealing.chain(MEETINGS) {
            self.each(&mut searchers, |searcher| searcher.search(clock, until));
            let share = searchers.iter().all(|searcher| !searcher.annealing);
            self.meet(&mut searchers, share, progress);
        }
    }

    fn each<'m>(&self, searchers: &mut [Searcher<'m>], job: impl Fn(&mut Searcher<'m>) + Sync) {
        let job = &job;
        self.crew.run(searchers.iter_mut().map(|searcher| Box::new(move || job(searcher)) as Job<'_>).collect());
    }

    /// Notes the best roster; in the second phase everybody goes on from it.
    fn meet(&mut self, searchers: &mut [Searcher], share: bool, progress: &mut dyn FnMut(Progress)) {
        let own = searchers.iter().map(|s| &s.best).min_by_key(|best| best.key());
        if let Some(own) = own
            && self.best.as_ref().is_none_or(|best| own.key() < best.key())
        {
            self.best = Some(own.clone());
        }
        let Some(best) = &self.best else { return };
        if share {
            searchers.iter_mut().filter(|s| best.key() < s.best.key()).for_each(|s| s.adopt(best));
        }
        let work = searchers.iter().map(Searcher::work).sum::<u64>();
        progress(Progress { objective: best.soft, illegal_rows: best.illegal_rows, work });
    }
}

struct Searcher<'m> {
    state: State<'m>,
    best: Best,
    builder: Builder<'m>,
    random: Random,
    moves: u64,
    annealing: bool,
    extent: Extent,
    /// Steps spent on groups and on a few rows at a time, after the annealing.
    group_work: f32,
    row_work: f32,
    /// Share of the budget used before the annealing began.
    begun: f32,
    /// Share of the budget at which the annealing ends.
    annealed: f32,
    /// Annealings planned, whether from a measured pace, and which one is under way.
    starts: u32,
    counted: bool,
    start: u32,
}

impl<'m> Searcher<'m> {
    fn new(model: &'m Model, seed: u64) -> Self {
        let state = State::new(model, vec![OFF; model.staff * model.days]);
        let (builder, random) = (Builder::new(model), Random::new(seed, 0));
        Searcher {
            best: Best::of(&state),
            state,
            builder,
            random,
            moves: 0,
            annealing: true,
            begun: 0.0,
            annealed: ANNEALED.0,
            starts: 0,
            counted: false,
            start: 0,
            extent: Extent::least(model),
            group_work: 0.0,
            row_work: 0.0,
        }
    }

    fn work(&self) -> u64 {
        self.moves + self.builder.work()
    }

    fn begin(&mut self, clock: Pace) {
        self.state = self.builder.construct(&mut self.random, &|work| clock(work) < 1.0);
        self.best = Best::of(&self.state);
        self.begun = clock(self.work());
        self.annealed = self.begun + ANNEALED.0 * (1.0 - self.begun);
    }

    /// Goes on until the share of the budget is used.
    fn search(&mut self, clock: Pace, until: f32) {
        loop {
            let share = clock(self.work());
            if share >= until {
                return;
            }
            if share < self.annealed {
                self.count_starts(share);
                let place = (share - self.begun) / (self.annealed - self.begun) * self.starts as f32;
                if place as u32 != self.start {
                    self.start = place as u32;
                    self.settle(clock);
                    let moves = self.moves;
                    self.state = self.builder.construct(&mut self.random, &|work| clock(moves + work) < 1.0);
                }
                self.cool(place.fract());
            } else {
                if std::mem::take(&mut self.annealing) {
                    self.settle(clock);
                    self.state = State::new(self.state.model, self.best.rows.clone());
                }
                let slack = 1 + (-self.random.uniform_f32().ln() * SLACK * (1.0 - share) / (1.0 - self.annealed)) as i64;
                if self.group_work <= GROUPED * (self.group_work + self.row_work) {
                    self.rebuild_group(clock, slack);
                } else {
                    let before = self.builder.work();
                    self.builder.rebuild(&mut self.state, &mut self.random, slack);
                    self.row_work += (self.builder.work() - before) as f32;
                }
            }
            self.note();
        }
    }

    /// Rebuilds a group of rows; the next group is larger or smaller, depending on how much of the budget this one took.
    fn rebuild_group(&mut self, clock: Pace, slack: i64) {
        if self.state.hard > 0 {
            self.settle(clock);
        }
        let (model, moves, before, share) = (self.state.model, self.moves, self.builder.work(), clock(self.work()));
        let going = |work: u64| clock(moves + work) < 1.0;
        self.builder.rebuild_group(&mut self.state, self.extent, &mut self.random, slack, &going);
        self.group_work += (self.builder.work() - before) as f32;
        let took = clock(self.work()) - share;
        if took > GROUP_SHARE.1 {
            self.extent = self.extent.smaller(model);
        } else if took < GROUP_SHARE.0 {
            self.extent = self.extent.larger(model);
        }
    }

    fn cool(&mut self, share: f32) {
        let between = |(from, to): (f32, f32)| self.state.model.scale * from * (to / from).powf(share);
        let heat = Heat { temperature: between(TEMPERATURE), price: between(PRICE) };
        anneal::sweep(&mut self.state, &mut self.random, heat, MOVES);
        self.moves += MOVES;
    }

    /// Several short annealings from different starts beat one long one, once each is long enough: how many fit, or how much
    /// of the budget one needs, is known when a hundredth of the budget is used.
    fn count_starts(&mut self, share: f32) {
        let used = share - self.begun;
        if self.counted || self.starts > 0 && used < 0.01 {
            return;
        }
        self.starts = 1;
        self.counted = used >= 0.01;
        if self.counted {
            // Share of the budget that one annealing needs.
            let one = MOVES_PER_CELL * self.state.rows.len() as f32 * used / self.moves.max(1) as f32;
            let part = one.clamp(ANNEALED.0, ANNEALED.1) * (1.0 - self.begun);
            self.annealed = self.begun + part;
            self.starts = ((part / one) as u32).clamp(1, MOST_STARTS);
        }
    }

    /// Ends an annealing: broken rows are replaced by the cheapest legal ones.
    fn settle(&mut self, clock: Pace) {
        let moves = self.moves;
        for employee in 0..self.state.model.staff {
            if self.state.broken(employee) > 0 {
                self.builder.legalise(&mut self.state, employee, &mut self.random, &|work| clock(moves + work) < 1.0);
            }
        }
        self.note();
    }

    fn note(&mut self) {
        // Broken rows are counted only when that can matter.
        let legal = self.state.hard == 0;
        if if legal { (0, self.state.soft) < self.best.key() } else { self.best.illegal_rows > 0 && Best::of(&self.state).key() < self.best.key() } {
            self.best = Best::of(&self.state);
        }
    }

    fn adopt(&mut self, best: &Best) {
        self.state = State::new(self.state.model, best.rows.clone());
        self.best = best.clone();
        self.annealing = false;
    }
}

fn plan_of(model: &Model, rows: &[Code]) -> Plan {
    let cells = rows.iter().enumerate().filter(|(_, code)| **code != OFF);
    let assignments = cells.map(|(at, code)| Assignment { employee: at / model.days, day: at % model.days, shift: *code as usize - 1 }).collect();
    Plan { assignments }
}
