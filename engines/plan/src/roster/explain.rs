//! Why a shift lacks people: everybody who is not on it, and what stops each.

use std::fmt;

use super::check::{Rule, Violation, violations_of};
use super::problem::{Plan, Problem};

/// A shift of a day with fewer people than it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub day: usize,
    pub shift: usize,
    pub missing: u32,
    /// Everybody who is not on the shift, those that could step in first.
    pub people: Vec<Candidate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub employee: usize,
    pub obstacle: Obstacle,
}

/// What keeps a person from a shift.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Nothing but cost: the objective would change by this much.
    Cost(i64),
    /// On another shift that day; moving would break no rule and change the objective by this much.
    Moving {
        from: usize,
        cost: i64,
    },
    /// Rules that would be broken, by how much, where.
    Rules(Vec<(Rule, u32, Option<usize>)>),
    Pinned,
    DayOff,
    /// The contract does not have this shift.
    NeverThisShift,
}

/// Every gap of the plan, by day and shift.
pub fn gaps(problem: &Problem, plan: &Plan) -> Vec<Gap> {
    let view = View::new(problem, plan);
    let mut gaps: Vec<Gap> = problem.cover.iter().filter_map(|cover| view.gap(cover.day, cover.shift, cover.required)).collect();
    gaps.sort_by_key(|gap| (gap.day, gap.shift));
    gaps
}

struct View<'a> {
    problem: &'a Problem,
    rows: Vec<Vec<Option<usize>>>,
    broken: Vec<Vec<Violation>>,
}

impl<'a> View<'a> {
    fn new(problem: &'a Problem, plan: &Plan) -> Self {
        let mut rows = vec![vec![None; problem.days]; problem.staff.len()];
        for a in &plan.assignments {
            if let Some(cell) = rows.get_mut(a.employee).and_then(|row| row.get_mut(a.day)) {
                *cell = Some(a.shift);
            }
        }
        let broken = rows.iter().enumerate().map(|(employee, row)| violations_of(problem, employee, row)).collect();
        View { problem, rows, broken }
    }

    fn present(&self, day: usize, shift: usize) -> u32 {
        self.rows.iter().filter(|row| row[day] == Some(shift)).count() as u32
    }

    fn gap(&self, day: usize, shift: usize, required: u32) -> Option<Gap> {
        let missing = required.saturating_sub(self.present(day, shift));
        if missing == 0 {
            return None;
        }
        let absent = (0..self.rows.len()).filter(|employee| self.rows[*employee][day] != Some(shift));
        let mut people: Vec<Candidate> = absent.map(|employee| Candidate { employee, obstacle: self.obstacle(employee, day, shift) }).collect();
        people.sort_by(|a, b| (&a.obstacle, a.employee).cmp(&(&b.obstacle, b.employee)));
        Some(Gap { day, shift, missing, people })
    }

    fn obstacle(&self, employee: usize, day: usize, shift: usize) -> Obstacle {
        let contract = &self.problem.staff[employee];
        if contract.max_shifts.get(shift) == Some(&0) {
            return Obstacle::NeverThisShift;
        }
        if contract.days_off.contains(&day) {
            return Obstacle::DayOff;
        }
        if self.problem.pins.iter().any(|pin| (pin.employee, pin.day) == (employee, day)) {
            return Obstacle::Pinned;
        }
        let mut row = self.rows[employee].clone();
        row[day] = Some(shift);
        let known = |v: &Violation| self.broken[employee].iter().any(|old| (old.rule, old.day) == (v.rule, v.day) && old.amount >= v.amount);
        let new: Vec<_> = violations_of(self.problem, employee, &row).into_iter().filter(|v| !known(v)).map(|v| (v.rule, v.amount, v.day)).collect();
        let cost = self.cost(employee, day, shift);
        match (new.is_empty(), self.rows[employee][day]) {
            (false, _) => Obstacle::Rules(new),
            (true, Some(from)) => Obstacle::Moving { from, cost },
            (true, None) => Obstacle::Cost(cost),
        }
    }

    /// How the objective changes when the person takes the shift, leaving what they have that day.
    fn cost(&self, employee: usize, day: usize, shift: usize) -> i64 {
        let before = self.rows[employee][day];
        let wish = |has: Option<usize>| -> i64 {
            let at = |r: &&super::problem::Request| r.employee == employee && r.day == day;
            let on: i64 = self.problem.on_requests.iter().filter(at).filter(|r| has != Some(r.shift)).map(|r| i64::from(r.weight)).sum();
            let off: i64 = self.problem.off_requests.iter().filter(at).filter(|r| has == Some(r.shift)).map(|r| i64::from(r.weight)).sum();
            on + off
        };
        let cover = |of: usize, change: i64| -> i64 {
            let Some(cover) = self.problem.cover.iter().find(|c| (c.day, c.shift) == (day, of)) else { return 0 };
            let cost = |gap: i64| if gap < 0 { -gap * i64::from(cover.under) } else { gap * i64::from(cover.over) };
            let gap = i64::from(self.present(day, of)) - i64::from(cover.required);
            cost(gap + change) - cost(gap)
        };
        wish(Some(shift)) - wish(before) + cover(shift, 1) + before.map_or(0, |from| cover(from, -1))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Obstacle::Cost(cost) => write!(f, "could; the objective changes by {cost}"),
            Obstacle::Moving { cost, .. } => write!(f, "works another shift that day; moving changes the objective by {cost}"),
            Obstacle::Pinned => write!(f, "that day is fixed"),
            Obstacle::DayOff => write!(f, "has the day off"),
            Obstacle::NeverThisShift => write!(f, "never works this shift"),
            Obstacle::Rules(rules) => {
                for (at, (rule, amount, day)) in rules.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{rule:?} by {amount}")?;
                    day.map_or(Ok(()), |day| write!(f, " at day {day}"))?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::check;
    use super::super::problem::{Assignment, Pin};
    use super::super::solve::{Budget, solve};
    use super::super::testing::{drawn, week};
    use super::*;
    use crate::crew::Alone;

    #[test]
    fn a_gap_names_what_stops_each_person() {
        let mut problem = week();
        problem.pins = vec![Pin { employee: 1, day: 5, shift: None }];
        // Ann works days 0 and 1, Bo days 2 and 3, Cy nights 0 to 2.
        let cells = [(0, 0, 0), (0, 1, 0), (1, 2, 0), (1, 3, 0), (2, 0, 1), (2, 1, 1), (2, 2, 1)];
        let plan = Plan { assignments: cells.into_iter().map(|(employee, day, shift)| Assignment { employee, day, shift }).collect() };
        let gaps = gaps(&problem, &plan);
        let found = |day, shift| gaps.iter().find(|gap| (gap.day, gap.shift) == (day, shift)).unwrap();
        let obstacle = |day, shift, employee| found(day, shift).people.iter().find(|c| c.employee == employee).unwrap().obstacle.clone();
        assert_eq!(obstacle(2, 0, 0), Obstacle::Cost(-100));
        assert_eq!(obstacle(4, 1, 1), Obstacle::NeverThisShift);
        assert_eq!(obstacle(5, 0, 1), Obstacle::Pinned);
        assert!(matches!(obstacle(5, 0, 2), Obstacle::Rules(rules) if rules.iter().any(|r| r.0 == Rule::MaxWeekends)));
        assert!(matches!(obstacle(4, 1, 0), Obstacle::Rules(rules) if rules.iter().any(|r| (r.0, r.2) == (Rule::MinConsecutive, Some(4)))));
        assert!(!gaps.iter().any(|gap| (gap.day, gap.shift) == (3, 0)), "day 3 has enough");
        let shown: Vec<String> = found(5, 0).people.iter().map(|c| c.obstacle.to_string()).collect();
        assert!(shown.iter().all(|text| !text.is_empty()) && shown.contains(&"that day is fixed".to_owned()), "{shown:?}");
    }

    #[test]
    fn obstacles_agree_with_the_checker() {
        let mut problem = drawn(9, 14, 6);
        problem.cover.iter_mut().for_each(|cover| cover.required += 1);
        let plan = solve(&problem, 1, &Alone(1), Budget::Work(30_000), &mut |_| {});
        let before = check(&problem, &plan);
        let mut steps = 0;
        for gap in gaps(&problem, &plan) {
            for candidate in &gap.people {
                let mut changed = plan.clone();
                changed.assignments.retain(|a| (a.employee, a.day) != (candidate.employee, gap.day));
                changed.assignments.push(Assignment { employee: candidate.employee, day: gap.day, shift: gap.shift });
                let after = check(&problem, &changed);
                let change = after.objective() as i64 - before.objective() as i64;
                steps += 1;
                match candidate.obstacle {
                    Obstacle::Cost(cost) | Obstacle::Moving { cost, .. } => assert_eq!((after.violations.len(), change), (0, cost)),
                    _ => assert!(!after.violations.is_empty()),
                }
            }
        }
        assert!(steps > 5, "the drawn instance has gaps");
    }
}
