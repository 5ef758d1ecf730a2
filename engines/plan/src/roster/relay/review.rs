//! A roster that exists already, read against the relay and against a set of rules: facts, each breach with its rule.

use serde::Serialize;

use super::{Duty, Mapping, Relay, RelayError, Unfilled, problem};
use crate::roster::check::{self, Rule};
use crate::roster::explain;
use crate::roster::problem::{Assignment, Plan};
use crate::roster::rules::{self, RuleSet, Zone};

/// What a roster breaks and lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    pub duties: usize,
    /// The checker's objective over wishes and cover.
    pub objective: u64,
    /// The relay's own rules: contracts, skills, rest, days off.
    pub broken: Vec<Broken>,
    /// Rules of the set, with their source.
    pub breaches: Vec<Told>,
    pub unfilled: Vec<Unfilled>,
}

/// A rule of the relay that a person's row breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub person: String,
    pub rule: &'static str,
    pub day: Option<usize>,
    pub amount: u32,
}

/// A breach of a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    pub person: String,
    pub rule: String,
    pub source: String,
    pub hard: bool,
    /// Local date of the shift, day, week or month in question.
    pub date: String,
    /// In the rule's unit: minutes, days, nights or starts.
    pub found: i64,
    pub limit: i64,
}

/// Reads a roster against the relay's contracts and a set of rules. `monday` is day 0, in days since 1970-01-01.
///
/// # Errors
/// When the relay is not valid, or a duty (`roster[3]`) names what is not there.
pub fn review(relay: &Relay, roster: &[Duty], monday: i64, utc_offset_minutes: i32, set: &RuleSet) -> Result<Review, RelayError> {
    let relay = Relay { published: Vec::new(), begun_days: 0, ..relay.clone() };
    let mapping = Mapping::new(&relay)?;
    let refuse = |at: usize, problem: String| RelayError { field: format!("roster[{at}]"), problem };
    let (mut plan, mut worked) = (Plan::default(), Vec::with_capacity(roster.len()));
    for (at, duty) in roster.iter().enumerate() {
        let Some(employee) = relay.people.iter().position(|person| person.id == duty.person) else {
            return Err(refuse(at, format!("`{}` is nobody of people", duty.person)));
        };
        let Some(kind) = mapping.kind_of(duty) else {
            return Err(refuse(at, format!("post `{}` needs nobody in shift `{}`", duty.post, duty.shift)));
        };
        if duty.day >= relay.days {
            return Err(refuse(at, format!("day {} lies outside the {} days", duty.day, relay.days)));
        }
        plan.assignments.push(Assignment { employee, day: duty.day, shift: kind });
        worked.push(hours(duty, &relay.shifts[mapping.kinds[kind].1], monday, utc_offset_minutes));
    }
    let report = check::check(&mapping.problem, &plan);
    let broken = report.violations.iter().map(|violation| Broken {
        person: relay.people.get(violation.employee).map_or_else(String::new, |person| person.id.clone()),
        rule: words(violation.rule),
        day: violation.day,
        amount: violation.amount,
    });
    let zone = Zone::fixed(utc_offset_minutes);
    let found = rules::breaches(&worked, &zone, set, &[]).map_err(|refusal| RelayError { field: "roster".into(), problem: refusal.to_string() })?;
    let source = |id: &str| set.rules.iter().find(|rule| rule.id == id).map_or_else(String::new, |rule| rule.source.clone());
    let told = |breach: rules::Breach| Told {
        date: rules::date(breach.at, &zone),
        source: source(&breach.rule),
        person: breach.person,
        rule: breach.rule,
        hard: breach.hard,
        found: breach.found,
        limit: breach.limit,
    };
    Ok(Review {
        duties: roster.len(),
        objective: report.objective(),
        broken: broken.collect(),
        breaches: found.into_iter().map(told).collect(),
        unfilled: explain::gaps(&mapping.problem, &plan).into_iter().map(|gap| mapping.unfilled(gap)).collect(),
    })
}

fn hours(duty: &Duty, shift: &problem::Shift, monday: i64, utc_offset_minutes: i32) -> rules::Duty {
    let minute = (monday + duty.day as i64) * 1_440 + i64::from(shift.start_minute) - i64::from(utc_offset_minutes);
    rules::Duty { person: duty.person.clone(), start: minute * 60_000_000, end: (minute + i64::from(shift.minutes)) * 60_000_000 }
}

fn words(rule: Rule) -> &'static str {
    match rule {
        Rule::Known => "names what is not there",
        Rule::OneShiftPerDay => "more than one duty a day",
        Rule::DayOff => "works on a day off",
        Rule::Pinned => "works while away",
        Rule::MustNotFollow => "too little rest before the next day's duty",
        Rule::MaxShifts => "more such duties than allowed, or without the skill",
        Rule::MaxMinutes => "more minutes than the contract allows",
        Rule::MinMinutes => "fewer minutes than the contract asks for",
        Rule::MaxConsecutive => "too many days in a row",
        Rule::MinConsecutive => "too few days in a row",
        Rule::MinDaysOff => "too few days off in a row",
        Rule::MaxWeekends => "too many weekends",
    }
}
