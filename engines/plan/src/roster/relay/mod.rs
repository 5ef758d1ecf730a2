//! Baton's relay: posts held around the clock, each hand-over between two named people.
//!
//! A relay is read as a roster problem whose shifts are the pairs of post and shift: skills become shifts a person never works,
//! rest becomes successions that are banned, a sick call becomes days off with everybody else's published duties pinned.
//! The overlap of a hand-over is paid to both and covers the post once.

mod problem;
mod review;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use problem::{Absence, Duty, Person, Post, Relay, RelayError, Shift, Wish, parse};
pub use review::{Broken, Review, Told, review};

use super::check;
use super::explain;
use super::problem::{self as roster, Assignment, Plan, Problem};
use super::solve::{Budget, Progress, solve};
use crate::crew::Crew;

/// A proposal: who holds what, who relieves whom, what is not held and why, what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelayPlan {
    /// The checker's objective over wishes, cover and changes.
    pub objective: u64,
    pub duties: Vec<Duty>,
    pub handovers: Vec<Handover>,
    pub unfilled: Vec<Unfilled>,
    /// Hard rules that the plan breaks, in words: who, which rule, where.
    pub broken: Vec<String>,
    /// Duties that the published roster does not have, and published ones that fell away.
    pub added: Vec<Duty>,
    pub removed: Vec<Duty>,
}

/// A post passes from one person to another. Nobody to take it: the holder holds until relieved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Handover {
    /// Minutes since midnight of day 0 when the relief begins; the overlap ends with the shift of `from`.
    pub minute: u32,
    pub overlap_minutes: u32,
    pub post: String,
    pub from: String,
    pub to: Option<String>,
}

/// A post that lacks people in a shift, and what stops each person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfilled {
    pub day: usize,
    pub shift: String,
    pub post: String,
    pub missing: u32,
    /// Person and reason, those that could step in first.
    pub reasons: Vec<(String, String)>,
}

/// Plans the relay within the budget.
///
/// # Errors
/// When the relay is not valid (see [`Relay::validate`]).
pub fn plan(relay: &Relay, seed: u64, crew: &dyn Crew, budget: Budget, progress: &mut dyn FnMut(Progress)) -> Result<RelayPlan, RelayError> {
    let mapping = Mapping::new(relay)?;
    let plan = solve(&mapping.problem, seed, crew, budget, progress);
    Ok(mapping.read_back(&plan))
}

/// The relay as a roster problem.
///
/// # Errors
/// When the relay is not valid.
pub fn as_roster(relay: &Relay) -> Result<Problem, RelayError> {
    Ok(Mapping::new(relay)?.problem)
}

struct Mapping<'a> {
    relay: &'a Relay,
    /// Post and shift of each kind of duty.
    kinds: Vec<(usize, usize)>,
    problem: Problem,
}

impl<'a> Mapping<'a> {
    fn new(relay: &'a Relay) -> Result<Self, RelayError> {
        relay.validate()?;
        let place = |id: &String| relay.shifts.iter().position(|s| s.id == *id).unwrap_or_default();
        let kinds = relay.posts.iter().enumerate().flat_map(|(post, p)| p.needs.keys().map(move |id| (post, place(id)))).collect();
        let mut mapping = Mapping { relay, kinds, problem: Problem { days: relay.days, ..Problem::default() } };
        mapping.shifts_and_cover();
        mapping.problem.staff = relay.people.iter().map(|person| mapping.employee(person)).collect();
        mapping.wishes();
        mapping.pins();
        Ok(mapping)
    }

    fn need(&self, kind: usize) -> u32 {
        let (post, shift) = self.kinds[kind];
        self.relay.posts[post].needs[&self.relay.shifts[shift].id]
    }

    fn shifts_and_cover(&mut self) {
        let relay = self.relay;
        let too_soon = |a: &Shift, b: &Shift| 1_440 + b.start_minute < a.start_minute + a.minutes + relay.rest_minutes.min(10_000);
        for &(post, shift) in &self.kinds {
            let own = &relay.shifts[shift];
            let bans = self.kinds.iter().enumerate().filter(|(_, (_, next))| too_soon(own, &relay.shifts[*next]));
            let not_followed_by = bans.map(|(kind, _)| kind).collect();
            self.problem.shifts.push(roster::Shift { id: format!("{}/{}", relay.posts[post].id, own.id), minutes: own.minutes, not_followed_by });
        }
        for day in 0..relay.days {
            for (kind, (post, _)) in self.kinds.iter().enumerate() {
                let post = &relay.posts[*post];
                self.problem.cover.push(roster::Cover { day, shift: kind, required: self.need(kind), under: post.under, over: post.over });
            }
        }
    }

    fn employee(&self, person: &Person) -> roster::Employee {
        let relay = self.relay;
        let absent = relay.absences.iter().any(|a| a.person == person.id);
        let able = |kind: usize| person.skills.contains(&relay.posts[self.kinds[kind].0].skill);
        let most = |kind: usize| match (able(kind), relay.fair_nights && is_night(&relay.shifts[self.kinds[kind].1])) {
            (false, _) => 0,
            (true, false) => relay.days as u32,
            (true, true) => self.even_share(kind),
        };
        roster::Employee {
            id: person.id.clone(),
            max_shifts: (0..self.kinds.len()).map(most).collect(),
            max_minutes: person.max_minutes,
            // Whoever is away owes no minutes, and what is left of a run may be short.
            min_minutes: if absent { 0 } else { person.min_minutes },
            max_consecutive: person.max_consecutive,
            min_consecutive: if absent { 1 } else { person.min_consecutive },
            min_days_off: if absent { 1 } else { person.min_days_off },
            max_weekends: person.max_weekends,
            days_off: person.days_off.clone(),
        }
    }

    /// One above the even share of a kind of duty among those who can do it.
    fn even_share(&self, kind: usize) -> u32 {
        let skill = &self.relay.posts[self.kinds[kind].0].skill;
        let able = self.relay.people.iter().filter(|p| p.skills.contains(skill)).count().max(1) as u32;
        (self.need(kind) * self.relay.days as u32).div_ceil(able) + 1
    }

    fn wishes(&mut self) {
        for (employee, person) in self.relay.people.iter().enumerate() {
            for wish in &person.wishes {
                let is_of = |kind: &usize| self.relay.shifts[self.kinds[*kind].1].id == wish.shift;
                let request = |shift: usize| roster::Request { employee, day: wish.day, shift, weight: wish.weight };
                // Wanted on whatever post: every other kind of shift, and none, would fail the wish; so the others cost.
                let kinds = (0..self.kinds.len()).filter(|kind| is_of(kind) != wish.wanted).map(request);
                self.problem.off_requests.extend(kinds);
            }
        }
    }

    fn pins(&mut self) {
        let relay = self.relay;
        if relay.published.is_empty() && relay.absences.is_empty() {
            return;
        }
        let known: BTreeMap<(&str, usize), usize> =
            relay.published.iter().filter_map(|duty| Some(((duty.person.as_str(), duty.day), self.kind_of(duty)?))).collect();
        for (employee, person) in relay.people.iter().enumerate() {
            for day in 0..relay.days {
                let duty = known.get(&(person.id.as_str(), day)).copied();
                let away = relay.absences.iter().any(|a| a.person == person.id && (a.from_day..=a.until_day).contains(&day));
                let begun = day < relay.begun_days && !relay.published.is_empty();
                if begun || away || duty.is_some() {
                    self.problem.pins.push(roster::Pin { employee, day, shift: if away && !begun { None } else { duty } });
                } else if !relay.published.is_empty() {
                    let called = (0..self.kinds.len()).map(|shift| roster::Request { employee, day, shift, weight: relay.change_weight });
                    self.problem.off_requests.extend(called);
                }
            }
        }
    }

    fn kind_of(&self, duty: &Duty) -> Option<usize> {
        self.kinds.iter().position(|(post, shift)| self.relay.posts[*post].id == duty.post && self.relay.shifts[*shift].id == duty.shift)
    }

    fn duty(&self, a: &Assignment) -> Duty {
        let (post, shift) = self.kinds[a.shift];
        let relay = self.relay;
        Duty { day: a.day, shift: relay.shifts[shift].id.clone(), post: relay.posts[post].id.clone(), person: relay.people[a.employee].id.clone() }
    }

    fn read_back(&self, plan: &Plan) -> RelayPlan {
        let report = check::check(&self.problem, plan);
        let duties: BTreeSet<Duty> = plan.assignments.iter().map(|a| self.duty(a)).collect();
        let published: BTreeSet<Duty> = self.relay.published.iter().cloned().collect();
        let person = |employee: usize| self.relay.people.get(employee).map_or("nobody", |p| p.id.as_str());
        let broken = report.violations.iter().map(|v| {
            let place = v.day.map_or_else(|| "in all".to_owned(), |day| format!("day {day}"));
            format!("{}: {:?} by {}, {place}", person(v.employee), v.rule, v.amount)
        });
        RelayPlan {
            objective: report.objective(),
            handovers: self.handovers(plan),
            unfilled: explain::gaps(&self.problem, plan).into_iter().map(|gap| self.unfilled(gap)).collect(),
            broken: broken.collect(),
            added: if published.is_empty() { vec![] } else { duties.difference(&published).cloned().collect() },
            removed: published.difference(&duties).cloned().collect(),
            duties: duties.into_iter().collect(),
        }
    }

    fn unfilled(&self, gap: explain::Gap) -> Unfilled {
        let (post, shift) = self.kinds[gap.shift];
        let reason = |c: explain::Candidate| (self.relay.people[c.employee].id.clone(), c.obstacle.to_string());
        Unfilled {
            day: gap.day,
            shift: self.relay.shifts[shift].id.clone(),
            post: self.relay.posts[post].id.clone(),
            missing: gap.missing,
            reasons: gap.people.into_iter().map(reason).collect(),
        }
    }

    /// For each shift of a post that follows another without a gap: who leaves, and who of the next shift relieves them. Where the
    /// next shift needs fewer people, the others leave without a relief.
    fn handovers(&self, plan: &Plan) -> Vec<Handover> {
        let mut starts: BTreeMap<(usize, u32), Vec<usize>> = BTreeMap::new();
        for a in &plan.assignments {
            let (post, shift) = self.kinds[a.shift];
            starts.entry((post, a.day as u32 * 1_440 + self.relay.shifts[shift].start_minute)).or_default().push(a.employee);
        }
        let mut relieved: BTreeMap<(usize, u32), u32> = BTreeMap::new();
        let mut handovers = vec![];
        let mut leaving = plan.assignments.clone();
        leaving.sort_by_key(|a| (a.day, a.shift, a.employee));
        for a in leaving {
            let (post, shift) = self.kinds[a.shift];
            let shift = &self.relay.shifts[shift];
            let minute = a.day as u32 * 1_440 + shift.start_minute + shift.minutes - shift.handover_minutes;
            let place = relieved.entry((post, minute)).or_default();
            if *place >= self.needed_from(post, minute) {
                continue;
            }
            let relief = starts.get(&(post, minute)).and_then(|people| people.get(*place as usize));
            *place += 1;
            handovers.push(Handover {
                minute,
                overlap_minutes: shift.handover_minutes,
                post: self.relay.posts[post].id.clone(),
                from: self.relay.people[a.employee].id.clone(),
                to: relief.map(|employee| self.relay.people[*employee].id.clone()),
            });
        }
        handovers.sort();
        handovers
    }

    /// People that the post needs in the shifts that start at the minute.
    fn needed_from(&self, post: usize, minute: u32) -> u32 {
        let starts = |shift: usize| self.relay.shifts[shift].start_minute == minute % 1_440 && minute < self.relay.days as u32 * 1_440;
        let kinds = self.kinds.iter().enumerate().filter(|(_, (of, shift))| *of == post && starts(*shift));
        kinds.map(|(kind, _)| self.need(kind)).sum()
    }
}

/// At least three hours between 23:00 and 06:00.
fn is_night(shift: &Shift) -> bool {
    let (start, end) = (i64::from(shift.start_minute), i64::from(shift.start_minute + shift.minutes));
    let within: i64 = [-60, 1_380, 2_820].into_iter().map(|from| (end.min(from + 420) - start.max(from)).max(0)).sum();
    within >= 180
}
