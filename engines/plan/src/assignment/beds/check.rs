//! Walks through every room night by night; shares nothing with the solver.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::problem::{Person, Problem, Room};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub placed: usize,
    pub unplaced: usize,
    /// Rooms in which anybody sleeps on any night.
    pub rooms_used: usize,
    /// Nights slept in a bed, and those that could be slept in the beds there are over the nights asked for.
    pub bed_nights: u64,
    pub bed_nights_there: u64,
    /// What those who had a room before break among themselves: facts, to be settled by people.
    pub inherited: Vec<String>,
    /// In words; empty: the plan holds.
    pub violations: Vec<String>,
}

/// Checks a plan of a [valid](Problem::validate) problem.
#[must_use]
pub fn check(problem: &Problem, plan: &Plan) -> Report {
    let mut report = Report { placed: plan.placements.len(), unplaced: plan.unplaced.len(), ..Report::default() };
    let people: BTreeMap<&str, &Person> = problem.people.iter().map(|person| (person.id.as_str(), person)).collect();
    let mut sleepers: BTreeMap<&str, Vec<(&Person, bool)>> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for placement in &plan.placements {
        let Some(person) = people.get(placement.person.as_str()) else {
            report.violations.push(format!("{} is none of the people", placement.person));
            continue;
        };
        if placement.kept != (person.room.as_ref() == Some(&placement.room)) {
            report.violations.push(format!("{} is not where the plan says they were", person.id));
        }
        sleepers.entry(&placement.room).or_default().push((person, placement.kept));
    }
    for id in plan.placements.iter().map(|placement| &placement.person).chain(&plan.unplaced) {
        if !named.insert(id.as_str()) {
            report.violations.push(format!("{id} is named twice"));
        }
    }
    let placed: BTreeMap<&str, bool> = plan.placements.iter().map(|placement| (placement.person.as_str(), placement.kept)).collect();
    for person in &problem.people {
        if !named.contains(person.id.as_str()) {
            report.violations.push(format!("{} is forgotten", person.id));
        }
        if person.room.is_some() && placed.get(person.id.as_str()) != Some(&true) {
            report.violations.push(format!("{} does not keep room {}", person.id, person.room.as_deref().unwrap_or_default()));
        }
    }
    let nights = problem.people.iter().map(|person| person.from).min().unwrap_or(0)..problem.people.iter().map(|person| person.until).max().unwrap_or(0);
    for room in &problem.rooms {
        let sleepers = sleepers.remove(room.id.as_str()).unwrap_or_default();
        report.rooms_used += usize::from(!sleepers.is_empty());
        report.bed_nights_there += u64::from(room.free_beds()) * u64::from(nights.end.saturating_sub(nights.start));
        night_by_night(room, &sleepers, nights.clone(), &mut report);
    }
    report.violations.extend(sleepers.keys().map(|room| format!("{room} is none of the rooms")));
    report
}

fn night_by_night(room: &Room, sleepers: &[(&Person, bool)], nights: std::ops::Range<u32>, report: &mut Report) {
    let mut told = BTreeSet::new();
    for night in nights {
        let here: Vec<&(&Person, bool)> = sleepers.iter().filter(|(person, _)| (person.from..person.until).contains(&night)).collect();
        report.bed_nights += here.len() as u64;
        let before: Vec<&Person> = here.iter().filter(|(_, kept)| *kept).map(|(person, _)| *person).collect();
        let all: Vec<&Person> = here.iter().map(|(person, _)| *person).collect();
        let newcomers = all.len() > before.len();
        for problem in broken(room, &all, night) {
            // Told once per room, on its first night.
            if told.insert((problem.clone(), newcomers)) {
                let list = if newcomers { &mut report.violations } else { &mut report.inherited };
                list.push(format!("room {}, night {night}: {problem}", room.id));
            }
        }
    }
}

fn broken(room: &Room, here: &[&Person], night: u32) -> Vec<String> {
    let mut broken = Vec::new();
    if here.len() > room.free_beds() as usize {
        broken.push(format!("{} people in {} beds", here.len(), room.free_beds()));
    }
    let genders: BTreeSet<_> = here.iter().map(|person| person.gender).chain(if here.is_empty() { None } else { room.gender }).collect();
    let stated = room.cohort.as_deref().filter(|_| !here.is_empty());
    let cohorts: BTreeSet<&str> = here.iter().map(|person| person.cohort.as_str()).chain(stated).collect();
    let sleeps: BTreeSet<_> = here.iter().map(|person| person.sleeps).collect();
    let quiet: BTreeSet<_> = here.iter().map(|person| Some(person.quiet_until).filter(|until| night < *until)).collect();
    let mut mixed = |count: usize, words: &str| {
        if count > 1 {
            broken.push(words.to_owned());
        }
    };
    mixed(genders.len(), "women and men");
    mixed(cohorts.len(), "people of different cohorts");
    mixed(sleeps.len(), "people who sleep by day and by night");
    mixed(quiet.len(), "people whose quiet periods differ");
    broken
}
