//! The independent reading of a plan: every hard rule that is broken, and what the plan costs.
//!
//! Written from the benchmark's description alone; shares no code with the solver's scoring. Every figure that is reported comes from here.

use super::problem::{Employee, Plan, Problem};

/// A hard rule of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The assignment names a person, day or shift that does not exist.
    Known,
    OneShiftPerDay,
    DayOff,
    /// A pinned cell was changed.
    Pinned,
    MustNotFollow,
    MaxShifts,
    MaxMinutes,
    MinMinutes,
    MaxConsecutive,
    MinConsecutive,
    MinDaysOff,
    MaxWeekends,
}

/// A rule broken by one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    pub employee: usize,
    /// Where: the day itself, the first day of a run, or `None` for the whole horizon.
    pub day: Option<usize>,
    /// By how much: days, shifts, minutes or weekends.
    pub amount: u32,
}

/// What the plan costs and breaks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub violations: Vec<Violation>,
    pub on_requests: u64,
    pub off_requests: u64,
    pub under_cover: u64,
    pub over_cover: u64,
}

impl Report {
    /// The weighted sum of the soft rules; lower is better. Means something only when nothing is violated.
    pub fn objective(&self) -> u64 {
        self.on_requests + self.off_requests + self.under_cover + self.over_cover
    }
}

/// Reads the plan against the problem.
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let mut report = Report::default();
    let mut duties: Vec<Vec<Vec<usize>>> = vec![vec![vec![]; problem.days]; problem.staff.len()];
    for a in &plan.assignments {
        if a.employee < problem.staff.len() && a.day < problem.days && a.shift < problem.shifts.len() {
            duties[a.employee][a.day].push(a.shift);
        } else {
            report.violations.push(Violation { rule: Rule::Known, employee: a.employee, day: Some(a.day), amount: 1 });
        }
    }
    for (employee, days) in duties.iter().enumerate() {
        let person = Person { problem, employee, contract: &problem.staff[employee], days };
        person.daily(&mut report.violations);
        person.totals(&mut report.violations);
        person.runs(&mut report.violations);
    }
    for pin in &problem.pins {
        let wanted: Vec<usize> = pin.shift.into_iter().collect();
        if duties.get(pin.employee).and_then(|days| days.get(pin.day)).is_some_and(|shifts| *shifts != wanted) {
            report.violations.push(Violation { rule: Rule::Pinned, employee: pin.employee, day: Some(pin.day), amount: 1 });
        }
    }
    soft(problem, &duties, &mut report);
    report
}

/// The hard rules that one row breaks: a shift or nothing for each day.
pub fn violations_of(problem: &Problem, employee: usize, row: &[Option<usize>]) -> Vec<Violation> {
    let days: Vec<Vec<usize>> = row.iter().map(|shift| shift.iter().copied().collect()).collect();
    let person = Person { problem, employee, contract: &problem.staff[employee], days: &days };
    let mut violations = vec![];
    person.daily(&mut violations);
    person.totals(&mut violations);
    person.runs(&mut violations);
    violations
}

fn soft(problem: &Problem, duties: &[Vec<Vec<usize>>], report: &mut Report) {
    let works = |employee: usize, day: usize, shift: usize| duties[employee][day].contains(&shift);
    report.on_requests = problem.on_requests.iter().filter(|r| !works(r.employee, r.day, r.shift)).map(|r| u64::from(r.weight)).sum();
    report.off_requests = problem.off_requests.iter().filter(|r| works(r.employee, r.day, r.shift)).map(|r| u64::from(r.weight)).sum();
    for cover in &problem.cover {
        let present = (0..problem.staff.len()).filter(|e| works(*e, cover.day, cover.shift)).count() as u64;
        let required = u64::from(cover.required);
        report.under_cover += required.saturating_sub(present) * u64::from(cover.under);
        report.over_cover += present.saturating_sub(required) * u64::from(cover.over);
    }
}

struct Person<'a> {
    problem: &'a Problem,
    employee: usize,
    contract: &'a Employee,
    days: &'a [Vec<usize>],
}

impl Person<'_> {
    fn add(&self, to: &mut Vec<Violation>, rule: Rule, day: Option<usize>, amount: u32) {
        if amount > 0 {
            to.push(Violation { rule, employee: self.employee, day, amount });
        }
    }

    fn daily(&self, to: &mut Vec<Violation>) {
        for (day, shifts) in self.days.iter().enumerate() {
            self.add(to, Rule::OneShiftPerDay, Some(day), (shifts.len() as u32).saturating_sub(1));
            let must_be_off = self.contract.days_off.contains(&day);
            self.add(to, Rule::DayOff, Some(day), if must_be_off { shifts.len() as u32 } else { 0 });
            let tomorrow = self.days.get(day + 1).map_or(&[][..], Vec::as_slice);
            for shift in shifts {
                let banned = tomorrow.iter().filter(|next| self.problem.shifts[*shift].not_followed_by.contains(next)).count();
                self.add(to, Rule::MustNotFollow, Some(day + 1), banned as u32);
            }
        }
    }

    fn totals(&self, to: &mut Vec<Violation>) {
        let all: Vec<usize> = self.days.iter().flatten().copied().collect();
        for (shift, most) in self.contract.max_shifts.iter().enumerate() {
            let count = all.iter().filter(|own| **own == shift).count() as u32;
            self.add(to, Rule::MaxShifts, None, count.saturating_sub(*most));
        }
        let minutes: u32 = all.iter().map(|shift| self.problem.shifts[*shift].minutes).sum();
        self.add(to, Rule::MaxMinutes, None, minutes.saturating_sub(self.contract.max_minutes));
        self.add(to, Rule::MinMinutes, None, self.contract.min_minutes.saturating_sub(minutes));
        let weekends = self.days.chunks(7).filter(|week| week.iter().skip(5).any(|shifts| !shifts.is_empty())).count() as u32;
        self.add(to, Rule::MaxWeekends, None, weekends.saturating_sub(self.contract.max_weekends));
    }

    fn runs(&self, to: &mut Vec<Violation>) {
        let mut start = 0;
        for run in self.days.chunk_by(|a, b| a.is_empty() == b.is_empty()) {
            let end = start + run.len();
            let length = run.len() as u32;
            let inner = start > 0 && end < self.days.len();
            if run[0].is_empty() {
                self.add(to, Rule::MinDaysOff, Some(start), if inner { self.contract.min_days_off.saturating_sub(length) } else { 0 });
            } else {
                self.add(to, Rule::MaxConsecutive, Some(start), length.saturating_sub(self.contract.max_consecutive));
                self.add(to, Rule::MinConsecutive, Some(start), if inner { self.contract.min_consecutive.saturating_sub(length) } else { 0 });
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Assignment, Pin};
    use super::super::testing::week;
    use super::*;

    /// One row per employee: a letter per day, `-` for off.
    fn plan(rows: [&str; 3]) -> Plan {
        let mut assignments = vec![];
        for (employee, row) in rows.iter().enumerate() {
            let shifts = row.chars().enumerate().filter(|(_, c)| *c != '-');
            assignments.extend(shifts.map(|(day, c)| Assignment { employee, day, shift: usize::from(c == 'N') }));
        }
        Plan { assignments }
    }

    const LEGAL: [&str; 3] = ["-DD--DD", "DDDD---", "NNN-N--"];

    #[test]
    fn a_legal_plan_is_costed() {
        let report = check(&week(), &plan(LEGAL));
        assert_eq!(report.violations, vec![]);
        // D on day 1 has one too many; N on day 1 has no demand; all others are met.
        assert_eq!((report.on_requests, report.off_requests, report.under_cover, report.over_cover), (0, 0, 0, 1));
        assert_eq!(check(&week(), &plan(["DDD--DD", "--DD-D-", "NN--N--"])).off_requests, 2);
        let nobody = check(&week(), &Plan::default());
        assert_eq!((nobody.on_requests, nobody.under_cover), (8, 10 * 100 - 10));
    }

    #[test]
    fn every_rule_is_found_where_it_is_broken() {
        use Rule::*;
        type Case = ([&'static str; 3], Rule, usize, Option<usize>, u32);
        let cases: [Case; 10] = [
            (["-DDD-DD", LEGAL[1], LEGAL[2]], DayOff, 0, Some(3), 1),
            (["-ND--DD", LEGAL[1], LEGAL[2]], MustNotFollow, 0, Some(2), 1),
            (["NNN--NN", LEGAL[1], LEGAL[2]], MaxShifts, 0, None, 3),
            ([LEGAL[0], "DDDD-DD", LEGAL[2]], MaxMinutes, 1, None, 480),
            ([LEGAL[0], "D------", LEGAL[2]], MinMinutes, 1, None, 480),
            (["DDDDD--", LEGAL[1], LEGAL[2]], MaxConsecutive, 0, Some(0), 2),
            (["-D--DDD", LEGAL[1], LEGAL[2]], MinConsecutive, 0, Some(1), 1),
            (["DD-DD--", LEGAL[1], LEGAL[2]], MinDaysOff, 0, Some(2), 1),
            ([LEGAL[0], LEGAL[1], "NN---N-"], MaxWeekends, 2, None, 1),
            ([LEGAL[0], LEGAL[1], "N-N--NN"], MaxWeekends, 2, None, 1),
        ];
        for (rows, rule, employee, day, amount) in cases {
            let found = check(&week(), &plan(rows)).violations;
            assert!(found.contains(&Violation { rule, employee, day, amount }), "{rows:?} {rule:?}: {found:?}");
        }
    }

    #[test]
    fn doubled_unknown_and_moved_assignments_are_found() {
        let mut problem = week();
        problem.pins = vec![Pin { employee: 1, day: 0, shift: None }, Pin { employee: 1, day: 1, shift: Some(0) }];
        let mut plan = plan(LEGAL);
        plan.assignments.push(Assignment { employee: 0, day: 1, shift: 1 });
        plan.assignments.push(Assignment { employee: 9, day: 1, shift: 1 });
        let rules: Vec<Rule> = check(&problem, &plan).violations.iter().map(|v| v.rule).collect();
        assert_eq!(rules, vec![Rule::Known, Rule::OneShiftPerDay, Rule::MustNotFollow, Rule::Pinned]);
    }

    #[test]
    fn runs_at_the_ends_may_be_short_but_not_long() {
        assert_eq!(check(&week(), &plan(["D--DD-D", LEGAL[1], LEGAL[2]])).violations.iter().filter(|v| v.rule == Rule::MinConsecutive).count(), 0);
        assert_eq!(check(&week(), &plan(["-DDD---", LEGAL[1], LEGAL[2]])).violations.iter().filter(|v| v.rule == Rule::MinDaysOff).count(), 0);
        let found = check(&week(), &plan([LEGAL[0], LEGAL[1], "---NNNN"])).violations;
        assert!(found.contains(&Violation { rule: Rule::MaxConsecutive, employee: 2, day: Some(3), amount: 1 }));
    }
}
