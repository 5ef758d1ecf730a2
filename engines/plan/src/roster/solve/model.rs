//! The problem as matrices: what the searchers read in their inner loops.

use crate::roster::problem::{Problem, bounds};

/// 0 = off, k + 1 = shift k.
pub(super) type Code = u8;
pub(super) const OFF: Code = 0;

/// The contract of one employee, counts as the search keeps them.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub max_minutes: i32,
    pub min_minutes: i32,
    pub max_run: i32,
    pub min_run: i32,
    pub min_rest: i32,
    pub max_weekends: i32,
}

/// Demand of one day and code.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Demand {
    pub required: i32,
    pub under: i32,
    pub over: i32,
}

impl Demand {
    /// Cost of one more person when `present` are there.
    #[inline]
    pub fn adding(&self, present: i32) -> i32 {
        if present < self.required { -self.under } else { self.over }
    }

    /// Cost of one person less when `present` are there.
    #[inline]
    pub fn removing(&self, present: i32) -> i32 {
        if present <= self.required { self.under } else { -self.over }
    }

    pub fn cost(&self, present: i32) -> i64 {
        let gap = i64::from(present - self.required);
        if gap < 0 { -gap * i64::from(self.under) } else { gap * i64::from(self.over) }
    }
}

#[derive(Debug)]
pub(super) struct Model {
    pub days: usize,
    pub staff: usize,
    /// Shifts and off.
    pub codes: usize,
    pub minutes: Vec<i32>,
    pub least_minutes: i32,
    /// Greatest common divisor of all lengths: minutes of a row are counted in units of it.
    pub unit: i32,
    /// Bit c of `banned_after[b]`: c must not be worked the day after b.
    pub banned_after: Vec<u64>,
    /// Employee × day: bit c = c may be worked.
    pub allowed: Vec<u64>,
    /// Employee × day × code: cost of the wishes.
    pub wishes: Vec<i32>,
    /// Day × code.
    pub demand: Vec<Demand>,
    pub limits: Vec<Limits>,
    /// Employee × code: most shifts; off is not limited.
    pub most: Vec<i32>,
    /// Prices of this many parts of a unit of cost still fit in 32 bits over a whole row.
    pub precision: i32,
    /// What one missing person typically costs: the scale of everything.
    pub scale: f32,
}

impl Model {
    /// `None` when the problem is empty or beyond [`crate::roster::problem::bounds`], or an index points nowhere.
    pub fn new(problem: &Problem) -> Option<Model> {
        let (days, staff, shifts) = (problem.days, problem.staff.len(), problem.shifts.len());
        let sizes = days > 0 && staff > 0 && days <= bounds::DAYS && staff <= bounds::STAFF && (1..=bounds::SHIFTS).contains(&shifts);
        if !sizes || days * staff * (shifts + 1) > bounds::CHOICES || !refers_to_known(problem) {
            return None;
        }
        let mut model = Model {
            days,
            staff,
            codes: shifts + 1,
            minutes: std::iter::once(0).chain(problem.shifts.iter().map(|s| s.minutes as i32)).collect(),
            least_minutes: problem.shifts.iter().map(|s| s.minutes as i32).min().unwrap_or(1).max(1),
            unit: problem.shifts.iter().fold(0, |unit, s| common_divisor(unit, s.minutes as i32)).max(1),
            banned_after: std::iter::once(0).chain(problem.shifts.iter().map(|s| s.not_followed_by.iter().fold(0, |bits, b| bits | 2 << b))).collect(),
            allowed: vec![],
            wishes: vec![0; staff * days * (shifts + 1)],
            demand: vec![Demand::default(); days * (shifts + 1)],
            limits: vec![],
            most: vec![],
            precision: 1,
            scale: 1.0,
        };
        model.read_staff(problem);
        model.read_wishes(problem);
        model.read_demand(problem);
        model.fit();
        Some(model)
    }

    fn read_staff(&mut self, problem: &Problem) {
        for employee in &problem.staff {
            self.limits.push(Limits {
                max_minutes: count(employee.max_minutes),
                min_minutes: count(employee.min_minutes),
                max_run: count(employee.max_consecutive),
                min_run: count(employee.min_consecutive),
                min_rest: count(employee.min_days_off),
                max_weekends: count(employee.max_weekends),
            });
            self.most.push(i32::MAX);
            self.most.extend((0..self.codes - 1).map(|shift| employee.max_shifts.get(shift).map_or(count(u32::MAX), |n| count(*n))));
            let may = (0..self.codes - 1).filter(|shift| employee.max_shifts.get(*shift) != Some(&0)).fold(1_u64, |bits, shift| bits | 2 << shift);
            let day_mask = |day: usize| if employee.days_off.contains(&day) || employee.max_consecutive == 0 { 1 } else { may };
            self.allowed.extend((0..self.days).map(day_mask));
        }
        for pin in &problem.pins {
            self.allowed[pin.employee * self.days + pin.day] = pin.shift.map_or(1, |shift| 2 << shift);
        }
    }

    fn read_wishes(&mut self, problem: &Problem) {
        for r in &problem.on_requests {
            let at = (r.employee * self.days + r.day) * self.codes;
            for code in (0..self.codes).filter(|code| *code != r.shift + 1) {
                self.wishes[at + code] = self.wishes[at + code].saturating_add(weight(r.weight));
            }
        }
        for r in &problem.off_requests {
            let at = (r.employee * self.days + r.day) * self.codes + r.shift + 1;
            self.wishes[at] = self.wishes[at].saturating_add(weight(r.weight));
        }
    }

    fn read_demand(&mut self, problem: &Problem) {
        let mut unders: Vec<i32> = Vec::new();
        for c in &problem.cover {
            let demand = Demand { required: count(c.required), under: weight(c.under), over: weight(c.over) };
            self.demand[c.day * self.codes + c.shift + 1] = demand;
            if c.under > 0 {
                unders.push(demand.under);
            }
        }
        unders.sort_unstable();
        let wish = self.wishes.iter().copied().max().unwrap_or(0);
        self.scale = unders.get(unders.len() / 2).copied().unwrap_or(wish).max(1) as f32;
    }

    /// Makes weights coarser when the cost of a whole row would not fit in 32 bits. The checker keeps counting with the true ones.
    fn fit(&mut self) {
        let wish = self.wishes.iter().copied().max().unwrap_or(0);
        let worst = self.demand.iter().map(|d| d.under.max(d.over)).max().unwrap_or(0);
        let factor = (i64::from(wish) + i64::from(worst)) * self.days as i64 / i64::from(i32::MAX / 16) + 1;
        let coarser = |weight: &mut i32| *weight = (i64::from(*weight) / factor) as i32;
        self.wishes.iter_mut().for_each(coarser);
        self.demand.iter_mut().for_each(|d| [&mut d.under, &mut d.over].into_iter().for_each(coarser));
        self.scale /= factor as f32;
        let row = (i64::from(wish) + i64::from(worst)) / factor * self.days as i64;
        self.precision = (i64::from(i32::MAX / 16) / row.max(1)).clamp(1, 32) as i32;
    }

    #[inline]
    pub fn may(&self, employee: usize, day: usize, code: Code) -> bool {
        self.allowed[employee * self.days + day] >> code & 1 == 1
    }

    #[inline]
    pub fn wish(&self, employee: usize, day: usize, code: Code) -> i32 {
        self.wishes[(employee * self.days + day) * self.codes + code as usize]
    }
}

fn common_divisor(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

fn count(number: u32) -> i32 {
    number.min(bounds::COUNT) as i32
}

fn weight(number: u32) -> i32 {
    number.min(bounds::WEIGHT) as i32
}

fn refers_to_known(problem: &Problem) -> bool {
    let (days, staff, shifts) = (problem.days, problem.staff.len(), problem.shifts.len());
    let cell = |employee: usize, day: usize| employee < staff && day < days;
    problem.shifts.iter().all(|s| s.not_followed_by.iter().all(|b| *b < shifts) && s.minutes <= bounds::MINUTES_OF_SHIFT)
        && problem.on_requests.iter().chain(&problem.off_requests).all(|r| cell(r.employee, r.day) && r.shift < shifts)
        && problem.cover.iter().all(|c| c.day < days && c.shift < shifts)
        && problem.pins.iter().all(|p| cell(p.employee, p.day) && p.shift.is_none_or(|shift| shift < shifts))
}
