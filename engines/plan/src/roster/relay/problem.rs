//! The relay's own problem: posts that are held around the clock, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::roster::problem::bounds;

/// Around-the-clock posts and the people who can hold them. Day 0 is a Monday; minutes count from local midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    pub days: usize,
    pub shifts: Vec<Shift>,
    pub posts: Vec<Post>,
    pub people: Vec<Person>,
    /// Least minutes between the end of a shift and the next day's.
    #[serde(default = "eleven_hours")]
    pub rest_minutes: u32,
    /// Whether nights are shared evenly: nobody gets more than one above the even share.
    #[serde(default)]
    pub fair_nights: bool,
    /// The roster that people know, when this is a re-plan.
    #[serde(default)]
    pub published: Vec<Duty>,
    /// Days that have begun: what is published for them stays.
    #[serde(default)]
    pub begun_days: usize,
    #[serde(default)]
    pub absences: Vec<Absence>,
    /// Cost of each duty that a re-plan gives to somebody who had the day free.
    #[serde(default = "ten")]
    pub change_weight: u32,
}

/// A stretch of the day; its last `handover_minutes` overlap with the shift that relieves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    pub id: String,
    pub start_minute: u32,
    /// Whole length, hand-over included.
    pub minutes: u32,
    #[serde(default)]
    pub handover_minutes: u32,
}

/// A place that needs people of a skill, so many in each shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    pub id: String,
    pub skill: String,
    /// People needed, by shift id.
    pub needs: BTreeMap<String, u32>,
    /// Cost of each person missing, and of each too many.
    #[serde(default = "hundred")]
    pub under: u32,
    #[serde(default = "one")]
    pub over: u32,
}

/// A person: the contract as in [`crate::roster::problem::Employee`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: String,
    pub skills: Vec<String>,
    pub max_minutes: u32,
    #[serde(default)]
    pub min_minutes: u32,
    pub max_consecutive: u32,
    #[serde(default = "one")]
    pub min_consecutive: u32,
    #[serde(default = "one")]
    pub min_days_off: u32,
    pub max_weekends: u32,
    #[serde(default)]
    pub days_off: Vec<usize>,
    #[serde(default)]
    pub wishes: Vec<Wish>,
}

/// Wants, or does not want, a shift on a day, whatever the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    pub day: usize,
    pub shift: String,
    pub wanted: bool,
    pub weight: u32,
}

/// A person on a post in a shift of a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    pub day: usize,
    pub shift: String,
    pub post: String,
    pub person: String,
}

/// Away from a day up to and including another, after a sick call for instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    pub person: String,
    pub from_day: usize,
    pub until_day: usize,
}

fn eleven_hours() -> u32 {
    660
}
fn ten() -> u32 {
    10
}
fn hundred() -> u32 {
    100
}
fn one() -> u32 {
    1
}

/// What is wrong with a relay's text, where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RelayError {
    pub field: String,
    pub problem: String,
}

/// Reads a relay from JSON.
///
/// # Errors
/// Names line and column of what is no JSON of this shape, or the field that is out of bounds or refers to something unknown.
pub fn parse(text: &str) -> Result<Relay, RelayError> {
    let relay: Relay = serde_json::from_str(text).map_err(|e| refuse(format!("line {}, column {}", e.line(), e.column()), e.to_string()))?;
    relay.validate()?;
    Ok(relay)
}

fn refuse<T: Into<String>>(field: String, problem: T) -> RelayError {
    RelayError { field, problem: problem.into() }
}

fn demand(holds: bool, field: impl FnOnce() -> String, problem: &str) -> Result<(), RelayError> {
    if holds { Ok(()) } else { Err(refuse(field(), problem)) }
}

impl Relay {
    /// # Errors
    /// As [`parse`].
    pub fn validate(&self) -> Result<(), RelayError> {
        demand((1..=bounds::DAYS).contains(&self.days), || "days".into(), "lies outside 1 to 3700")?;
        demand(self.begun_days <= self.days, || "begun_days".into(), "lies beyond the horizon")?;
        demand(self.people.len() <= bounds::STAFF && !self.people.is_empty(), || "people".into(), "are none or more than 5000")?;
        unique("shifts", self.shifts.iter().map(|s| &s.id))?;
        unique("posts", self.posts.iter().map(|p| &p.id))?;
        unique("people", self.people.iter().map(|p| &p.id))?;
        for (at, shift) in self.shifts.iter().enumerate() {
            let length = (1..=bounds::MINUTES_OF_SHIFT).contains(&shift.minutes) && shift.start_minute < 1_440;
            demand(length && shift.handover_minutes < shift.minutes, || format!("shifts[{at}]"), "has impossible minutes")?;
        }
        let kinds: usize = self.posts.iter().map(|post| post.needs.len()).sum();
        demand((1..=bounds::SHIFTS).contains(&kinds), || "posts".into(), "need no shift, or more than 60 kinds of duty in all")?;
        demand(self.people.len() * self.days * (kinds + 1) <= bounds::CHOICES, || "people".into(), "are too many for so many days and duties")?;
        for (at, post) in self.posts.iter().enumerate() {
            demand(post.needs.keys().all(|id| self.knows_shift(id)), || format!("posts[{at}].needs"), "names an unknown shift")?;
            let sizes = post.needs.values().all(|n| *n as usize <= bounds::STAFF) && post.under.max(post.over) <= bounds::WEIGHT;
            demand(sizes, || format!("posts[{at}]"), "has a number out of bounds")?;
        }
        self.validate_people()
    }

    fn validate_people(&self) -> Result<(), RelayError> {
        demand(self.change_weight <= bounds::WEIGHT, || "change_weight".into(), "is out of bounds")?;
        for (at, person) in self.people.iter().enumerate() {
            demand(person.days_off.iter().all(|day| *day < self.days), || format!("people[{at}].days_off"), "lies outside the horizon")?;
            let known = |wish: &Wish| wish.day < self.days && self.knows_shift(&wish.shift) && wish.weight <= bounds::WEIGHT;
            demand(person.wishes.iter().all(known), || format!("people[{at}].wishes"), "names an unknown day or shift, or weighs too much")?;
        }
        let people: BTreeSet<&str> = self.people.iter().map(|p| p.id.as_str()).collect();
        let mut taken = BTreeSet::new();
        for (at, duty) in self.published.iter().enumerate() {
            let post = self.posts.iter().find(|post| post.id == duty.post).is_some_and(|post| post.needs.contains_key(&duty.shift));
            demand(post && duty.day < self.days, || format!("published[{at}]"), "names an unknown day, or a shift its post does not need")?;
            demand(people.contains(duty.person.as_str()), || format!("published[{at}].person"), "is nobody of people")?;
            demand(taken.insert((&duty.person, duty.day)), || format!("published[{at}]"), "is a second duty of the person that day")?;
        }
        for (at, absence) in self.absences.iter().enumerate() {
            let span = absence.from_day <= absence.until_day && absence.until_day < self.days;
            demand(span && people.contains(absence.person.as_str()), || format!("absences[{at}]"), "names nobody of people, or no days of the horizon")?;
        }
        Ok(())
    }

    fn knows_shift(&self, id: &str) -> bool {
        self.shifts.iter().any(|shift| shift.id == id)
    }
}

fn unique<'a>(field: &str, ids: impl Iterator<Item = &'a String>) -> Result<(), RelayError> {
    let mut seen = BTreeSet::new();
    for (at, id) in ids.enumerate() {
        demand(!id.is_empty() && seen.insert(id), || format!("{field}[{at}].id"), "is empty or stands twice")?;
    }
    Ok(())
}
