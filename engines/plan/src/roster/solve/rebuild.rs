//! Large neighbourhoods: rows made legal from nothing, broken rows repaired, and a few rows taken out and rebuilt one after another.

use std::ops::Range;

use super::columns::{Going, Group};
use super::model::{Code, Model, OFF};
use super::row::{RowSearch, Wanted};
use super::state::State;
use crate::random::Random;

/// Above every cost of a row.
const ANY: i32 = i32::MAX / 8;
/// Shifts considered at once in a row of many kinds.
const KINDS: usize = 8;
/// Labels kept per node and minutes when a few rows are rebuilt.
const WIDTH: usize = 4;
/// Days rebuilt at once.
const SPANS: [usize; 3] = [14, 28, 42];

/// Rows of a linear programme at most: its inverse is dense.
const PROGRAMME_ROWS_MAX: usize = 1_500;

/// How many rows over how many days a group rebuilds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub members: usize,
    pub days: usize,
}

impl Extent {
    pub fn least(model: &Model) -> Extent {
        Extent { members: model.staff.min(6), days: model.days.min(28) }
    }

    /// More people first, then more days.
    pub fn larger(self, model: &Model) -> Extent {
        let Extent { members, days } = self;
        let larger = if members < model.staff {
            Extent { members: (members * 2).min(model.staff), days }
        } else {
            Extent { members, days: (days * 3 / 2).min(model.days) }
        };
        if larger.members + larger.days * (model.codes - 1) > PROGRAMME_ROWS_MAX { self } else { larger }
    }

    pub fn smaller(self, model: &Model) -> Extent {
        let least = Extent::least(model);
        if self.days > least.days {
            Extent { days: (self.days * 2 / 3).max(least.days), ..self }
        } else {
            Extent { members: (self.members / 2).max(least.members), ..self }
        }
    }
}

/// Finds rows for employees, keeping the tables of the search.
pub(super) struct Builder<'m> {
    model: &'m Model,
    pub rows: RowSearch<'m>,
    prices: Vec<i32>,
    /// Steps spent in linear programmes.
    programmes: u64,
}

impl<'m> Builder<'m> {
    pub fn new(model: &'m Model) -> Self {
        Builder { model, rows: RowSearch::new(model), prices: vec![], programmes: 0 }
    }

    /// A roster of legal rows, built one after another against the cover that is left; a row stays empty where none was found.
    pub fn construct(&mut self, random: &mut Random, going: Going) -> State<'m> {
        let model = self.model;
        let start = (0..model.staff * model.days).map(|at| if model.allowed[at] & 1 == 1 { OFF } else { model.allowed[at].trailing_zeros() as Code });
        let mut state = State::new(model, start.collect());
        let mut order: Vec<usize> = (0..model.staff).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        for employee in order {
            self.legalise(&mut state, employee, random, going);
        }
        state
    }

    /// Replaces the row by the cheapest legal one found, first with few labels, then with
    /// more, with shifts that cannot run out, and at last at any price. False when there was none, or no time.
    pub fn legalise(&mut self, state: &mut State, employee: usize, random: &mut Random, going: Going) -> bool {
        self.price(state, employee, |_| 0);
        let days = self.model.days;
        let row = state.row(employee).to_vec();
        let own = self.some_codes(employee, random);
        let loose = self.loose_codes(employee);
        for (width, codes, flat) in [(1, own, false), (4, loose, false), (16, own, false), (4, loose, true), (64, own, true)] {
            if !going(self.work()) {
                return false;
            }
            if flat {
                self.prices.fill(0);
            }
            let wanted = Wanted { employee, row: &row, window: 0..days, prices: &self.prices, codes, below: ANY, width, trials: 12 };
            if let Some(new) = self.rows.best(&wanted)
                && state.set_legal_row(employee, &new)
            {
                return true;
            }
        }
        false
    }

    /// At most [`KINDS`] shifts that the employee may work.
    fn some_codes(&self, employee: usize, random: &mut Random) -> u64 {
        let model = self.model;
        let may = model.allowed[employee * model.days..][..model.days].iter().fold(0, |all, day| all | day);
        let mut codes = may & !1;
        while codes.count_ones() as usize > KINDS {
            codes &= !(1 << random.below(64));
        }
        codes
    }

    /// Shifts whose limit cannot bind: rows of these alone never run out of one.
    fn loose_codes(&self, employee: usize) -> u64 {
        let model = self.model;
        let most = &model.most[employee * model.codes..][..model.codes];
        let enough = |code: &usize| i64::from(most[*code]) * i64::from(model.minutes[*code]) >= i64::from(model.limits[employee].max_minutes);
        let loose = (1..model.codes).filter(enough).take(KINDS);
        loose.fold(0, |codes, code| codes | 1 << code)
    }

    /// What each code costs the employee on each day, the others' rows fixed.
    fn price(&mut self, state: &State, employee: usize, mut noise: impl FnMut(usize) -> i32) {
        let model = self.model;
        self.prices.clear();
        for day in 0..model.days {
            let own = state.row(employee)[day] as usize;
            let base = day * model.codes;
            for code in 0..model.codes {
                let wish = model.wish(employee, day, code as Code);
                let cover = if code == 0 { 0 } else { model.demand[base + code].adding(state.present[base + code] - i32::from(own == code)) };
                self.prices.push(wish + cover + noise(day));
            }
        }
    }

    /// Takes the rows of a few people out over some days and rebuilds them in random order: all but the last against perturbed
    /// prices, the last exactly. Keeps the result when it costs less than `slack` more than before.
    pub fn rebuild(&mut self, state: &mut State, random: &mut Random, slack: i64) -> bool {
        let model = self.model;
        let window = self.window(state, random);
        let chosen = self.people(random);
        let before = state.soft;
        let old: Vec<Vec<Code>> = chosen.iter().map(|employee| state.row(*employee).to_vec()).collect();
        for employee in &chosen {
            self.clear(state, *employee, &window);
        }
        let codes =
            if model.codes > KINDS + 1 { random.next_u64() & random.next_u64() | random.next_u64() & random.next_u64() & random.next_u64() } else { u64::MAX };
        let amplitudes = [0, 1, 2, 3, 5, 8, 20, model.scale as usize];
        let mut rebuilt = true;
        for (at, (employee, row)) in chosen.iter().zip(&old).enumerate() {
            let is_last = at + 1 == chosen.len();
            let amplitude = if is_last { 0 } else { amplitudes[random.below(amplitudes.len())] };
            if is_last {
                self.price(state, *employee, |_| 0)
            } else {
                self.price(state, *employee, |_| random.below(amplitude + 1) as i32)
            }
            let below = if is_last {
                let emptied = self.rows.cost(*employee, &window, state.row(*employee), &self.prices);
                (before + slack - state.soft + i64::from(emptied)).min(i64::from(ANY)) as i32
            } else {
                let own = self.rows.cost(*employee, &window, row, &self.prices);
                own.saturating_add(1 + random.below(model.scale as usize + 1) as i32)
            };
            let wanted = Wanted { employee: *employee, row, window: window.clone(), prices: &self.prices, codes, below, width: WIDTH, trials: 0 };
            rebuilt = self.rows.best(&wanted).is_some_and(|new| state.set_legal_row(*employee, &new));
            if !rebuilt {
                break;
            }
        }
        if rebuilt && state.soft < before + slack {
            return true;
        }
        for (employee, row) in chosen.iter().zip(&old) {
            state.set_row(*employee, row);
        }
        false
    }

    /// Rebuilds the rows of a group over a window all at once. Keeps the result when it costs less than `slack` more than before.
    pub fn rebuild_group(&mut self, state: &mut State<'m>, extent: Extent, random: &mut Random, slack: i64, going: Going) -> bool {
        let model = self.model;
        let mut members: Vec<usize> = (0..model.staff).filter(|employee| state.broken(*employee) == 0).collect();
        random.shuffle(&mut members);
        members.truncate(extent.members);
        if members.is_empty() {
            return false;
        }
        members.sort_unstable();
        let from = random.below(model.days - extent.days + 1);
        let before = state.soft;
        let mut group = Group::new(state, &mut self.rows, members.clone(), from..from + extent.days, random);
        let programmes = self.programmes;
        let found = group.dive(before + slack, random, &|work| going(programmes + work));
        self.programmes += group.master_work();
        let Some(rows) = found else { return false };
        let old: Vec<Vec<Code>> = members.iter().map(|employee| state.row(*employee).to_vec()).collect();
        let legal = members.iter().zip(&rows).all(|(employee, row)| state.set_legal_row(*employee, row));
        if legal && state.soft < before + slack {
            return true;
        }
        members.iter().zip(&old).for_each(|(employee, row)| state.set_row(*employee, row));
        false
    }

    pub fn work(&self) -> u64 {
        self.rows.work + self.programmes
    }

    fn window(&self, state: &State, random: &mut Random) -> Range<usize> {
        let model = self.model;
        let span = SPANS[random.below(SPANS.len())].min(model.days);
        // Half of the windows hold a day where people are missing.
        let missing = |cell: &usize| {
            let demand = &model.demand[*cell];
            demand.under > 0 && state.present[*cell] < demand.required
        };
        let guided = if random.below(2) == 0 { (0..16).map(|_| random.below(model.days * model.codes)).find(missing) } else { None };
        let from = match guided {
            Some(cell) => (cell / model.codes).saturating_sub(random.below(span)).min(model.days - span),
            None => random.below(model.days - span + 1),
        };
        from..from + span
    }

    fn people(&self, random: &mut Random) -> Vec<usize> {
        let wanted = (1 + random.below(3)).min(self.model.staff);
        let mut chosen: Vec<usize> = Vec::with_capacity(wanted);
        while chosen.len() < wanted {
            let employee = random.below(self.model.staff);
            if !chosen.contains(&employee) {
                chosen.push(employee);
            }
        }
        chosen
    }

    /// Empties the window, but for cells that must be worked.
    fn clear(&self, state: &mut State, employee: usize, window: &Range<usize>) {
        let mut row = state.row(employee).to_vec();
        for day in window.clone() {
            if self.model.may(employee, day, OFF) {
                row[day] = OFF;
            }
        }
        state.set_row(employee, &row);
    }
}
