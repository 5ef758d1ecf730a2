//! Column generation: many rows chosen at once. The rows of a group are variables of a linear programme over the cover of a
//! window, the row search prices new ones at the duals of its optimum, and a dive fixes one row after another (Dantzig and
//! Wolfe 1960; Burke and Curtois 2014 for rosters; diving as in Joncour et al. 2010).

use std::ops::Range;

use super::master::Master;
use super::model::{Code, Model};
use super::row::{RowSearch, Wanted};
use super::state::State;
use crate::random::Random;

/// Tells whether to go on, from the steps done since the start.
pub(super) type Going<'a> = &'a dyn Fn(u64) -> bool;

/// Above every cost of a row.
const ANY: f64 = (i32::MAX / 8) as f64;
/// Labels kept per node while rows are priced: at first, and when no more are found that way.
const WIDTH: (usize, usize) = (8, 32);
/// Rows taken from one pricing.
const TAKEN: usize = 3;
/// Employees priced between two improvements of the programme.
const BATCH: usize = 4;
/// Passes over the group without much gain that end the search for columns: before the dive, and after each row fixed.
const PATIENCE: (u32, u32) = (8, 2);
/// Less than this share of the objective is no gain.
const SMALL_GAIN: f64 = 2e-4;
/// Pivots between two looks at the clock.
const PIVOTS: usize = 100;
/// So many times are pivots tried before the programme is taken as it is.
const ROUNDS_MAX: usize = 200;
/// A row with this value is taken as chosen.
const WHOLE: f64 = 0.999;

/// One row of one employee of the group.
struct Candidate {
    member: usize,
    column: usize,
    cost: f64,
    codes: Vec<Code>,
}

/// A group's rows over a window, the others fixed.
pub(super) struct Group<'a, 'm> {
    model: &'m Model,
    rows: &'a mut RowSearch<'m>,
    members: Vec<usize>,
    window: Range<usize>,
    /// Each member's row before.
    before: Vec<Vec<Code>>,
    /// Row of the programme for each day of the window × code, where there is demand.
    place: Vec<Option<u32>>,
    master: Master,
    candidates: Vec<Candidate>,
    /// Candidate of a column, if it is one.
    candidate_of: Vec<Option<usize>>,
    fixed: Vec<bool>,
    prices: Vec<i32>,
    width: usize,
    /// Dearer than any roster.
    big: f64,
    /// Cost of what the group cannot change.
    base: i64,
}

impl<'a, 'm> Group<'a, 'm> {
    /// Every member's row must be legal.
    pub fn new(state: &State<'m>, rows: &'a mut RowSearch<'m>, members: Vec<usize>, window: Range<usize>, random: &mut Random) -> Self {
        let model = state.model;
        let before: Vec<Vec<Code>> = members.iter().map(|employee| state.row(*employee).to_vec()).collect();
        let mut place = vec![None; window.len() * model.codes];
        let mut right = vec![1.0; members.len()];
        let mut slacks: Vec<(f64, Vec<(u32, f64)>)> = vec![];
        let mut others = vec![];
        let mut base = state.soft;
        for (at, place) in place.iter_mut().enumerate() {
            let (day, code) = (window.start + at / model.codes, at % model.codes);
            let demand = model.demand[day * model.codes + code];
            if code == 0 || demand.under == 0 && demand.over == 0 {
                continue;
            }
            let own = before.iter().filter(|row| row[day] as usize == code).count() as i32;
            let present = state.present[day * model.codes + code];
            base -= demand.cost(present);
            *place = Some(right.len() as u32);
            // A grain of difference between rows keeps the simplex method from standing still.
            let jitter = 1e-5 * (1.0 + random.uniform());
            let wanted = f64::from(demand.required - (present - own)) + jitter;
            let row = right.len() as u32;
            let (under, over) = ((f64::from(demand.under), vec![(row, 1.0)]), (f64::from(demand.over), vec![(row, -1.0)]));
            let missing = f64::from(own) < wanted;
            slacks.push(if missing { under.clone() } else { over.clone() });
            others.push(if missing { over } else { under });
            right.push(wanted);
        }
        let mut start: Vec<(f64, Vec<(u32, f64)>)> = vec![];
        let mut candidates = vec![];
        for (member, row) in before.iter().enumerate() {
            let cost = wishes(model, members[member], row, &window);
            base -= cost as i64;
            start.push((cost, entries(&place, model.codes, member, &row[window.clone()])));
            candidates.push(Candidate { member, column: member, cost, codes: row[window.clone()].to_vec() });
        }
        start.extend(slacks);
        let mut master = Master::new(&right, &start);
        others.into_iter().for_each(|(cost, entries)| _ = master.add(cost, entries.into_iter()));
        let mut candidate_of: Vec<Option<usize>> = (0..members.len()).map(Some).collect();
        candidate_of.resize(members.len() + 2 * (right.len() - members.len()), None);
        let fixed = vec![false; members.len()];
        let big = 100.0 * f64::from(model.scale) * window.len() as f64;
        Group { model, rows, members, window, before, place, master, candidates, candidate_of, fixed, prices: vec![], width: WIDTH.0, big, base }
    }

    pub fn work(&self) -> u64 {
        self.rows.work + self.master.work
    }

    /// Steps of the linear programme alone; those of the row search count themselves.
    pub fn master_work(&self) -> u64 {
        self.master.work
    }

    /// Rows for all members whose cost in sum may be below `cutoff`; `None` when there seem to be none or time is up.
    pub fn dive(&mut self, cutoff: i64, random: &mut Random, going: Going) -> Option<Vec<Vec<Code>>> {
        let limit = (cutoff - self.base) as f64 + 0.5;
        self.generate(PATIENCE.0, going)?;
        while self.master.objective() < limit {
            let values = self.values();
            let whole: Vec<usize> = values.iter().filter(|(_, value)| *value > WHOLE).map(|(candidate, _)| *candidate).collect();
            let part = values.iter().filter(|(_, value)| *value <= WHOLE);
            let chosen = part.map(|(candidate, value)| (*candidate, value + 0.1 * random.uniform())).max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((chosen, _)) = chosen else { return Some(self.rows_of(&whole)) };
            for candidate in whole.into_iter().chain([chosen]) {
                self.fix(candidate);
            }
            self.master.find_duals();
            self.generate(PATIENCE.1, going)?;
        }
        None
    }

    /// Values of the candidates in the optimum, by candidate.
    fn values(&self) -> Vec<(usize, f64)> {
        let mut values: Vec<(usize, f64)> =
            self.master.solution().filter(|(_, value)| *value > 1e-6).filter_map(|(column, value)| Some((self.candidate_of[column]?, value))).collect();
        values.sort_unstable_by_key(|(candidate, _)| *candidate);
        values
    }

    fn rows_of(&self, chosen: &[usize]) -> Vec<Vec<Code>> {
        let mut rows = self.before.clone();
        for candidate in chosen.iter().map(|at| &self.candidates[*at]) {
            rows[candidate.member][self.window.clone()].copy_from_slice(&candidate.codes);
        }
        rows
    }

    /// Makes every other row of the candidate's employee dear.
    fn fix(&mut self, candidate: usize) {
        let member = self.candidates[candidate].member;
        if std::mem::replace(&mut self.fixed[member], true) {
            return;
        }
        for (_, other) in self.candidates.iter().enumerate().filter(|(at, other)| other.member == member && *at != candidate) {
            self.master.set_cost(other.column, other.cost + self.big);
        }
    }

    /// Solves the programme, pricing new rows in turn, until that stops helping. `None` when time is up.
    fn generate(&mut self, patience: u32, going: Going) -> Option<()> {
        self.optimise(going)?;
        let (mut still, mut known) = (0, self.master.objective());
        let free: Vec<usize> = (0..self.members.len()).filter(|member| !self.fixed[*member]).collect();
        while still < patience {
            let mut found = 0;
            for batch in free.chunks(BATCH) {
                self.price_days();
                let new: usize = batch.iter().map(|member| self.price(*member)).sum();
                found += new;
                if new > 0 {
                    self.optimise(going)?;
                }
                going(self.work()).then_some(())?;
            }
            let objective = self.master.objective();
            still = if objective < known - SMALL_GAIN * known.abs() { 0 } else { still + 1 };
            known = objective;
            if found == 0 {
                if self.width == WIDTH.1 {
                    break;
                }
                self.width = WIDTH.1;
            }
        }
        Some(())
    }

    /// Brings the programme to its optimum, or as near as can be had. `None` when time is up.
    fn optimise(&mut self, going: Going) -> Option<()> {
        for _ in 0..ROUNDS_MAX {
            if !self.master.improve(PIVOTS) {
                break;
            }
            going(self.work()).then_some(())?;
        }
        Some(())
    }

    /// What a person on each day and code is worth at the duals, the wishes apart.
    fn price_days(&mut self) {
        let model = self.model;
        self.prices.clear();
        self.prices.resize(model.days * model.codes, 0);
        let first = self.window.start * model.codes;
        for ((price, demand), place) in self.prices[first..].iter_mut().zip(&model.demand[first..]).zip(&self.place) {
            let worth = |row: u32| self.master.dual(row as usize).clamp(-f64::from(demand.over), f64::from(demand.under));
            *price = place.map_or(0, |row| (-worth(row) * f64::from(model.precision)).round() as i32);
        }
    }

    /// Adds rows of a member with negative reduced cost, and returns how many.
    fn price(&mut self, member: usize) -> usize {
        let model = self.model;
        let employee = self.members[member];
        let mut prices = self.prices.clone();
        for day in self.window.clone() {
            for code in 0..model.codes {
                prices[day * model.codes + code] += model.precision * model.wish(employee, day, code as Code);
            }
        }
        let below = (self.master.dual(member) * f64::from(model.precision)).floor().clamp(-ANY, ANY) as i32 - 1;
        let row = &self.before[member];
        let wanted = Wanted { employee, row, window: self.window.clone(), prices: &prices, codes: u64::MAX, below, width: self.width, trials: 12 };
        let rows = self.rows.cheapest(&wanted, TAKEN);
        let mut added = 0;
        for row in &rows {
            let codes = &row[self.window.clone()];
            if self.candidates.iter().any(|known| known.member == member && known.codes == codes) {
                continue;
            }
            let cost = wishes(model, employee, row, &self.window);
            let column = self.master.add(cost, entries(&self.place, model.codes, member, codes).into_iter());
            self.candidate_of.push(Some(self.candidates.len()));
            self.candidates.push(Candidate { member, column, cost, codes: codes.to_vec() });
            added += 1;
        }
        added
    }
}

fn wishes(model: &Model, employee: usize, row: &[Code], window: &Range<usize>) -> f64 {
    window.clone().map(|day| f64::from(model.wish(employee, day, row[day]))).sum()
}

fn entries(place: &[Option<u32>], codes: usize, member: usize, row: &[Code]) -> Vec<(u32, f64)> {
    let cover = row.iter().enumerate().filter_map(|(day, code)| place[day * codes + *code as usize]);
    std::iter::once(member as u32).chain(cover).map(|row| (row, 1.0)).collect()
}
