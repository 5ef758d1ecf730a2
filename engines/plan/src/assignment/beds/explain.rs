//! Why somebody has no bed: what stands in the way, room by room.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Plan;
use super::problem::{Person, Problem, Room};

/// Rooms that are named for each person; the others are counted.
const NEAREST: usize = 3;

/// What keeps a person out of a room; the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// Every bed is taken or blocked on some night.
    NoFreeBed,
    Gender,
    Cohort,
    DayAndNightSleepers,
    QuietPeriod,
    /// Nothing: the search did not get there.
    Unused,
}

/// Why a person has no bed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    pub person: String,
    /// Rooms by what keeps the person out.
    pub rooms: BTreeMap<Obstacle, usize>,
    /// Rooms with a bed free on all nights, and the person who, or statement of the room that, keeps it from being given.
    pub nearest: Vec<(String, Obstacle, String)>,
}

/// The reasons for everybody who is unplaced.
#[must_use]
pub fn explain(problem: &Problem, plan: &Plan) -> Vec<Why> {
    let people: BTreeMap<&str, &Person> = problem.people.iter().map(|person| (person.id.as_str(), person)).collect();
    let mut sleepers: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
    for placement in &plan.placements {
        sleepers.entry(&placement.room).or_default().extend(people.get(placement.person.as_str()));
    }
    let unplaced = plan.unplaced.iter().filter_map(|id| people.get(id.as_str()));
    // People who are alike are kept out by the same.
    let mut known: BTreeMap<_, Why> = BTreeMap::new();
    let alike = |person: &Person| (person.gender, person.cohort.clone(), person.sleeps, person.quiet_until, person.from, person.until);
    let mut of = |person: &&Person| known.entry(alike(person)).or_insert_with(|| why(problem, &sleepers, person)).clone();
    unplaced.map(|person| Why { person: person.id.clone(), ..of(person) }).collect()
}

fn why(problem: &Problem, sleepers: &BTreeMap<&str, Vec<&Person>>, person: &Person) -> Why {
    let mut why = Why { person: person.id.clone(), rooms: BTreeMap::new(), nearest: Vec::new() };
    for room in &problem.rooms {
        let (obstacle, who) = obstacle(room, sleepers.get(room.id.as_str()).map_or(&[], Vec::as_slice), person);
        *why.rooms.entry(obstacle).or_default() += 1;
        if obstacle != Obstacle::NoFreeBed && why.nearest.len() < NEAREST {
            why.nearest.push((room.id.clone(), obstacle, who));
        }
    }
    why
}

fn obstacle(room: &Room, sleepers: &[&Person], person: &Person) -> (Obstacle, String) {
    let there = |night: u32| sleepers.iter().filter(|other| (other.from..other.until).contains(&night)).count();
    if (person.from..person.until).any(|night| there(night) >= room.free_beds() as usize) {
        return (Obstacle::NoFreeBed, String::new());
    }
    if room.gender.is_some_and(|gender| gender != person.gender) {
        return (Obstacle::Gender, "the room".to_owned());
    }
    if room.cohort.as_ref().is_some_and(|cohort| *cohort != person.cohort) {
        return (Obstacle::Cohort, "the room".to_owned());
    }
    let quiet = |one: &Person, night: u32| Some(one.quiet_until).filter(|until| night < *until);
    let clash = |other: &Person| {
        let mut shared = person.from.max(other.from)..person.until.min(other.until);
        match () {
            () if shared.is_empty() => None,
            () if other.gender != person.gender => Some(Obstacle::Gender),
            () if other.cohort != person.cohort => Some(Obstacle::Cohort),
            () if other.sleeps != person.sleeps => Some(Obstacle::DayAndNightSleepers),
            () if shared.any(|night| quiet(other, night) != quiet(person, night)) => Some(Obstacle::QuietPeriod),
            () => None,
        }
    };
    let first = sleepers.iter().filter_map(|other| clash(other).map(|obstacle| (obstacle, other.id.clone()))).min();
    first.unwrap_or((Obstacle::Unused, String::new()))
}
