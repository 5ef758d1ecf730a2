//! A roster under search: rows, counts, and what a change of some days of one row would cost.

use super::model::{Code, Limits, Model, OFF};

/// What a change adds to the soft cost and to the units of broken hard rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub soft: i32,
    pub hard: i32,
}

#[derive(Clone)]
pub(super) struct State<'m> {
    pub model: &'m Model,
    /// Employee × day.
    pub rows: Vec<Code>,
    /// Day × code.
    pub present: Vec<i32>,
    minutes: Vec<i32>,
    /// Employee × code.
    counts: Vec<i32>,
    weekends: Vec<i32>,
    /// Units of broken hard rules per employee.
    broken: Vec<i32>,
    pub soft: i64,
    pub hard: i64,
}

/// Units by which counts of a whole row break the contract; one unit is about one shift.
#[inline]
fn over_minutes(limits: &Limits, minutes: i32, unit: i32) -> i32 {
    let excess = (minutes - limits.max_minutes).max(limits.min_minutes - minutes);
    if excess > 0 { (excess + unit - 1) / unit } else { 0 }
}

/// Units of broken rules on runs and successions within `lo..hi` of a row; `lo` and `hi` must be borders of runs.
fn runs_broken(model: &Model, limits: &Limits, row: &[Code], lo: usize, hi: usize) -> i32 {
    let mut units = 0;
    let mut start = lo;
    while start < hi {
        let works = row[start] != OFF;
        let mut end = start + 1;
        if works {
            let mut banned = model.banned_after[row[start] as usize];
            while end < hi && row[end] != OFF {
                units += (banned >> row[end] & 1) as i32;
                banned = model.banned_after[row[end] as usize];
                end += 1;
            }
        } else {
            while end < hi && row[end] == OFF {
                end += 1;
            }
        }
        let length = (end - start) as i32;
        let inner = start > 0 && end < row.len();
        if works {
            units += (length - limits.max_run).max(0);
        }
        if inner {
            units += (if works { limits.min_run } else { limits.min_rest } - length).max(0);
        }
        start = end;
    }
    units
}

fn weekends_worked(row: &[Code], first: usize, last: usize) -> i32 {
    let mut worked = 0;
    for week in first / 7..=last / 7 {
        let saturday = 7 * week + 5;
        let works = |day: usize| row.get(day).is_some_and(|code| *code != OFF);
        worked += i32::from(works(saturday) || works(saturday + 1));
    }
    worked
}

impl<'m> State<'m> {
    pub fn new(model: &'m Model, rows: Vec<Code>) -> Self {
        let mut state = State {
            model,
            present: vec![0; model.days * model.codes],
            minutes: vec![0; model.staff],
            counts: vec![0; model.staff * model.codes],
            weekends: vec![0; model.staff],
            broken: vec![0; model.staff],
            soft: 0,
            hard: 0,
            rows,
        };
        for employee in 0..model.staff {
            state.count_row(employee);
        }
        for (demand, present) in model.demand.iter().zip(&state.present) {
            state.soft += demand.cost(*present);
        }
        for day in 0..model.days {
            // Off has no demand.
            state.soft -= model.demand[day * model.codes].cost(state.present[day * model.codes]);
        }
        state
    }

    fn count_row(&mut self, employee: usize) {
        let model = self.model;
        for day in 0..model.days {
            let code = self.rows[employee * model.days + day];
            self.present[day * model.codes + code as usize] += 1;
            self.counts[employee * model.codes + code as usize] += 1;
            self.minutes[employee] += model.minutes[code as usize];
            self.soft += i64::from(model.wish(employee, day, code));
        }
        let row = &self.rows[employee * model.days..][..model.days];
        self.weekends[employee] = weekends_worked(row, 0, model.days - 1);
        self.broken[employee] = row_broken(model, employee, row);
        self.hard += i64::from(self.broken[employee]);
    }

    pub fn row(&self, employee: usize) -> &[Code] {
        &self.rows[employee * self.model.days..][..self.model.days]
    }

    pub fn broken(&self, employee: usize) -> i32 {
        self.broken[employee]
    }

    /// Soft cost of writing `new` from day `at` into the row: wishes and, when `covers`, the cover of each day.
    /// `None` when a cell may not take its code.
    #[inline]
    pub fn soft_delta(&self, employee: usize, at: usize, new: &[Code], covers: bool) -> Option<i32> {
        let model = self.model;
        let mut soft = 0;
        for (offset, &code) in new.iter().enumerate() {
            let day = at + offset;
            let old = self.rows[employee * model.days + day];
            if old == code {
                continue;
            }
            if !model.may(employee, day, code) {
                return None;
            }
            soft += model.wish(employee, day, code) - model.wish(employee, day, old);
            if covers {
                let base = day * model.codes;
                if old != OFF {
                    soft += model.demand[base + old as usize].removing(self.present[base + old as usize]);
                }
                if code != OFF {
                    soft += model.demand[base + code as usize].adding(self.present[base + code as usize]);
                }
            }
        }
        Some(soft)
    }

    /// Units of broken rules that writing `new` from day `at` into the row adds. Leaves the row as it was.
    #[inline]
    pub fn hard_delta(&mut self, employee: usize, at: usize, new: &mut [Code]) -> i32 {
        let model = self.model;
        let limits = &model.limits[employee];
        let row = &mut self.rows[employee * model.days..][..model.days];
        let last = at + new.len() - 1;
        let mut lo = at.saturating_sub(1);
        while lo > 0 && (row[lo - 1] == OFF) == (row[lo] == OFF) {
            lo -= 1;
        }
        let mut hi = (last + 2).min(row.len());
        while hi < row.len() && (row[hi] == OFF) == (row[hi - 1] == OFF) {
            hi += 1;
        }
        let runs_before = runs_broken(model, limits, row, lo, hi);
        let weekends_before = weekends_worked(row, at, last);
        row[at..=last].swap_with_slice(new);
        let runs_after = runs_broken(model, limits, row, lo, hi);
        let weekends_after = weekends_worked(row, at, last);
        // `new` now holds the old codes.
        let counts = &mut self.counts[employee * model.codes..][..model.codes];
        let most = &model.most[employee * model.codes..][..model.codes];
        let mut minutes = self.minutes[employee];
        let mut units = runs_after - runs_before;
        for (old, now) in new.iter().zip(&row[at..=last]).map(|(o, n)| (*o as usize, *n as usize)) {
            minutes += model.minutes[now] - model.minutes[old];
            units -= i32::from(counts[old] > most[old]);
            counts[old] -= 1;
            units += i32::from(counts[now] >= most[now]);
            counts[now] += 1;
        }
        for (old, now) in new.iter().zip(&row[at..=last]) {
            counts[*old as usize] += 1;
            counts[*now as usize] -= 1;
        }
        row[at..=last].swap_with_slice(new);
        let unit = model.least_minutes;
        units += over_minutes(limits, minutes, unit) - over_minutes(limits, self.minutes[employee], unit);
        let weekends = self.weekends[employee];
        units += (weekends + weekends_after - weekends_before - limits.max_weekends).max(0) - (weekends - limits.max_weekends).max(0);
        units
    }

    /// Writes `new` from day `at` into the row, with the soft and hard change found before.
    pub fn apply(&mut self, employee: usize, at: usize, new: &[Code], delta: Delta) {
        let model = self.model;
        let last = at + new.len() - 1;
        let row = &mut self.rows[employee * model.days..][..model.days];
        self.weekends[employee] -= weekends_worked(row, at, last);
        for (offset, &code) in new.iter().enumerate() {
            let old = row[at + offset];
            row[at + offset] = code;
            let base = (at + offset) * model.codes;
            self.present[base + old as usize] -= 1;
            self.present[base + code as usize] += 1;
            self.counts[employee * model.codes + old as usize] -= 1;
            self.counts[employee * model.codes + code as usize] += 1;
            self.minutes[employee] += model.minutes[code as usize] - model.minutes[old as usize];
        }
        self.weekends[employee] += weekends_worked(row, at, last);
        self.broken[employee] += delta.hard;
        self.soft += i64::from(delta.soft);
        self.hard += i64::from(delta.hard);
    }

    /// Replaces a whole row. Does nothing when a cell may not take its code.
    pub fn set_row(&mut self, employee: usize, new: &[Code]) {
        let hard = row_broken(self.model, employee, new) - self.broken[employee];
        if let Some(soft) = self.soft_delta(employee, 0, new, true) {
            self.apply(employee, 0, new, Delta { soft, hard });
        }
    }

    /// Replaces a whole row by one that breaks nothing; refuses any other.
    pub fn set_legal_row(&mut self, employee: usize, new: &[Code]) -> bool {
        let hard = row_broken(self.model, employee, new);
        if hard > 0 {
            return false;
        }
        let Some(soft) = self.soft_delta(employee, 0, new, true) else { return false };
        self.apply(employee, 0, new, Delta { soft, hard: -self.broken[employee] });
        true
    }
}

/// Units of broken rules of a whole row.
pub(super) fn row_broken(model: &Model, employee: usize, row: &[Code]) -> i32 {
    let limits = &model.limits[employee];
    let mut counts = vec![0; model.codes];
    row.iter().for_each(|code| counts[*code as usize] += 1);
    let most = &model.most[employee * model.codes..][..model.codes];
    let kinds: i32 = counts.iter().zip(most).map(|(count, most)| (count - most).max(0)).sum();
    let minutes = row.iter().map(|code| model.minutes[*code as usize]).sum();
    let weekends = weekends_worked(row, 0, row.len() - 1);
    kinds + over_minutes(limits, minutes, model.least_minutes) + (weekends - limits.max_weekends).max(0) + runs_broken(model, limits, row, 0, row.len())
}
