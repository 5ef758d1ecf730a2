//! What is really so, held against what Baton said.

use std::collections::{BTreeMap, BTreeSet};

use crate::infection::Epidemic;
use crate::script::Day;

/// What Baton's records say of one person at the end of a day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// Reported positive.
    Positive,
    /// Reported negative.
    Negative,
    /// Held with a reason and listed to be swabbed again or repeated.
    FollowUp,
    /// Sampled, no answer yet.
    Pending,
    /// Not known as sampled.
    NotSampled,
}

/// How well the day found the infected. `infected` = `found` + `in_follow_up` + `missed`.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Score {
    /// Infected people who were really sampled.
    pub infected: u32,
    /// Of these, reported positive.
    pub found: u32,
    pub in_follow_up: u32,
    /// Neither: reported negative, or forgotten.
    pub missed: u32,
    /// Reported positive without being infected.
    #[serde(rename = "false")]
    pub false_positives: u32,
    /// Infected people who never came, for whom no laboratory can be blamed.
    pub never_sampled: u32,
    /// The first hundred who were missed, by number, with what was said of them.
    #[serde(skip)]
    pub missed_people: Vec<(u32, Standing)>,
    /// The first hundred who were called positive and are not.
    #[serde(skip)]
    pub false_people: Vec<u32>,
}

const LISTED_MAX: usize = 100;

/// Whose swab really is in which tube, whatever was scanned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Truth {
    tubes: BTreeMap<u64, Vec<u32>>,
}

impl Truth {
    /// All swabs of a day as planned.
    pub fn record(&mut self, day: &Day) {
        for (tube, plan) in day.tubes.iter().enumerate() {
            self.tubes.insert(day.tube_key(tube as u32), plan.members.clone());
        }
    }

    pub fn swabbed(&mut self, tube: u64, person: u32) {
        self.tubes.entry(tube).or_default().push(person);
    }

    /// The people whose swabs are in a tube, in the order of their swabs.
    pub fn members(&self, tube: u64) -> &[u32] {
        self.tubes.get(&tube).map_or(&[], Vec::as_slice)
    }

    pub fn tubes(&self) -> impl Iterator<Item = (u64, &[u32])> {
        self.tubes.iter().map(|(tube, members)| (*tube, members.as_slice()))
    }

    /// Everybody of whom there is a swab.
    pub fn sampled(&self) -> BTreeSet<u32> {
        self.tubes.values().flatten().copied().collect()
    }

    /// Compares with what Baton says of everybody up to `people` (roster and walk-ins).
    pub fn score(&self, epidemic: &Epidemic, people: u32, standing: impl Fn(u32) -> Standing) -> Score {
        let sampled = self.sampled();
        let mut score = Score::default();
        for person in 0..people {
            let said = standing(person);
            if epidemic.infection(person).is_none() {
                if said == Standing::Positive {
                    score.false_positives += 1;
                    note(&mut score.false_people, person);
                }
            } else if sampled.contains(&person) {
                score.infected += 1;
                match said {
                    Standing::Positive => score.found += 1,
                    Standing::FollowUp => score.in_follow_up += 1,
                    Standing::Negative | Standing::Pending | Standing::NotSampled => {
                        score.missed += 1;
                        note(&mut score.missed_people, (person, said));
                    }
                }
            } else {
                score.never_sampled += 1;
            }
        }
        score
    }
}

fn note<T>(list: &mut Vec<T>, entry: T) {
    if list.len() < LISTED_MAX {
        list.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infection::EpidemicSettings;
    use crate::people::City;

    #[test]
    fn every_infected_person_is_counted_once() {
        let epidemic = Epidemic::new(City::new(2, 3_000), EpidemicSettings { prevalence: 0.02, ..EpidemicSettings::default() });
        let infected: Vec<u32> = (0..3_000).filter(|person| epidemic.infection(*person).is_some()).collect();
        assert!(infected.len() > 8);
        let mut truth = Truth::default();
        for person in (0..3_000).filter(|person| *person != infected[0]) {
            truth.swabbed(u64::from(person / 10), person);
        }
        // A second swab of one person is no second person.
        truth.swabbed(9_999, infected[1]);
        let healthy = (0..3_000).find(|person| epidemic.infection(*person).is_none()).unwrap();
        let said = |person: u32| match person {
            _ if person == healthy || person == infected[1] => Standing::Positive,
            _ if person == infected[2] => Standing::Negative,
            _ if person == infected[3] => Standing::Pending,
            _ if infected.contains(&person) => Standing::FollowUp,
            _ => Standing::Negative,
        };
        let score = truth.score(&epidemic, 3_000, said);
        let all = infected.len() as u32;
        assert_eq!((score.infected, score.found, score.in_follow_up, score.missed), (all - 1, 1, all - 4, 2));
        assert_eq!((score.false_positives, score.never_sampled), (1, 1));
        assert_eq!(score.missed_people, [(infected[2], Standing::Negative), (infected[3], Standing::Pending)]);
        assert_eq!(score.false_people, [healthy]);
        assert_eq!(truth.members(0)[..2], if infected[0] < 2 { [1, 2] } else { [0, 1] });
    }
}
