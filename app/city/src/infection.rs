//! Who is infected and how strongly, who comes to be sampled, and with whom.
//!
//! Infection clusters: a household that is hit passes it on to its members, an enterprise that is hit to its staff. The
//! expected share of infected people is the prevalence asked for, whatever the sizes of households.

use baton_kit::time::{HOUR_US, MINUTE_US};

use crate::chance::{Chance, Purpose};
use crate::people::City;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EpidemicSettings {
    /// Expected share of infected people.
    pub prevalence: f64,
    /// Chance that a hit household's member beside the first is infected.
    pub household_attack: f64,
    /// Chance that a member of a hit enterprise is infected.
    pub workplace_attack: f64,
    /// Share of infections that come from the workplace.
    pub workplace_share: f64,
    /// Cq of a single swab: mean and standard deviation before the bounds.
    pub cq_mean: f64,
    pub cq_deviation: f64,
    /// The weakest infection there is. Above some 36 a pool of ten begins to miss people, as in life.
    pub cq_latest: f64,
    /// Share of people who never come.
    pub absent: f64,
}

impl Default for EpidemicSettings {
    fn default() -> Self {
        Self {
            prevalence: 0.004,
            household_attack: 0.4,
            workplace_attack: 0.12,
            workplace_share: 0.25,
            cq_mean: 25.5,
            cq_deviation: 4.5,
            cq_latest: 34.0,
            absent: 0.08,
        }
    }
}

/// One infected person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Infection {
    /// Cq of the earliest target when this person's swab is tested singly in the smallest tube.
    pub cq: f64,
}

/// Why somebody does not come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Absence {
    /// The whole household is away.
    Away,
    /// A medical reason, on paper.
    Exempt,
    /// Nobody knows.
    Unreached,
}

/// People who come together and want to stay together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    Household { first: u32 },
    Workmates { enterprise: u32, wave: u32 },
    Alone { person: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attendance {
    Never(Absence),
    /// Microseconds after the points open at which the party joins the queue.
    Comes {
        party: Party,
        after_us: i64,
    },
}

/// The hours during which people come, in microseconds after opening.
pub const DAY_OF_ARRIVALS_US: i64 = 12 * HOUR_US;

/// The epidemic of a city. Cheap to copy; every answer depends on seed, settings and person alone.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Epidemic {
    pub city: City,
    pub settings: EpidemicSettings,
}

impl Epidemic {
    pub fn new(city: City, settings: EpidemicSettings) -> Self {
        Self { city, settings }
    }

    /// Whether and how strongly somebody is infected.
    pub fn infection(&self, person: u32) -> Option<Infection> {
        if !self.infected_at_home(person) && !self.infected_at_work(person) {
            return None;
        }
        let EpidemicSettings { cq_mean, cq_deviation, cq_latest, .. } = self.settings;
        let mut chance = Chance::new(self.city.seed, Purpose::PersonInfection, u64::from(person));
        // Drawn anew rather than cut off, so that nobody gathers at the bounds; the last resort is the latest Cq.
        let within = (0..32).map(|_| cq_mean + cq_deviation * chance.normal()).find(|cq| (13.0..=cq_latest).contains(cq));
        Some(Infection { cq: within.unwrap_or(cq_latest) })
    }

    fn infected_at_home(&self, person: u32) -> bool {
        let household = self.city.household(person);
        let mut chance = Chance::new(self.city.seed, Purpose::HouseholdInfection, u64::from(household.first));
        let attack = self.settings.household_attack;
        // One member brings it and passes it on: 1 + (size − 1) × attack people for each hit.
        let per_hit = 1.0 + f64::from(household.size - 1) * attack;
        let prevalence = self.settings.prevalence * (1.0 - self.settings.workplace_share);
        if !chance.happens(prevalence * f64::from(household.size) / per_hit) {
            return false;
        }
        let first = household.first + chance.below(household.size);
        person == first || Chance::new(self.city.seed, Purpose::HouseholdInfection, u64::from(person) | 1 << 40).happens(attack)
    }

    fn infected_at_work(&self, person: u32) -> bool {
        /// Share of people who are employed, so that all of them together carry the workplace's share.
        const EMPLOYED: f64 = 0.64;
        let Some(enterprise) = self.city.employer(person) else {
            return false;
        };
        let attack = self.settings.workplace_attack;
        if attack <= 0.0 {
            return false;
        }
        let of_staff = self.settings.prevalence * self.settings.workplace_share / EMPLOYED;
        let seed = self.city.seed;
        Chance::new(seed, Purpose::WorkplaceInfection, u64::from(enterprise)).happens(of_staff / attack)
            && Chance::new(seed, Purpose::WorkplaceInfection, u64::from(person) | 1 << 40).happens(attack)
    }

    /// Whether somebody comes, when and with whom.
    pub fn attendance(&self, person: u32) -> Attendance {
        let household = self.city.household(person);
        let mut shared = Chance::new(self.city.seed, Purpose::Attendance, u64::from(household.first));
        let mut own = Chance::new(self.city.seed, Purpose::Attendance, u64::from(person) | 1 << 40);
        if shared.happens(self.settings.absent * 0.4) {
            return Attendance::Never(Absence::Away);
        }
        if own.happens(self.settings.absent * 0.6) {
            return Attendance::Never(if own.happens(0.25) { Absence::Exempt } else { Absence::Unreached });
        }
        let household_together = household.size > 1 && shared.happens(0.6);
        let party = match self.city.employer(person) {
            _ if household_together => Party::Household { first: household.first },
            Some(enterprise) if own.happens(0.7) => {
                let waves = self.city.expected_staff(enterprise) / 20 + 1;
                Party::Workmates { enterprise, wave: own.below(waves) }
            }
            _ => Party::Alone { person },
        };
        Attendance::Comes { party, after_us: self.arrival(party) }
    }

    /// When a party arrives: households before and after work, workmates in between, the others at any time.
    fn arrival(&self, party: Party) -> i64 {
        let (kind, key) = match party {
            Party::Household { first } => (0, u64::from(first)),
            Party::Workmates { enterprise, wave } => (1, u64::from(enterprise) << 16 | u64::from(wave)),
            Party::Alone { person } => (2, u64::from(person)),
        };
        let mut chance = Chance::new(self.city.seed, Purpose::Party, key << 2 | kind);
        // The sum of two uniform numbers peaks in the middle.
        let mut peak = |from: i64, to: i64| from + (((chance.uniform() + chance.uniform()) / 2.0) * (to - from) as f64) as i64;
        let (morning, evening) = (peak(0, 3 * HOUR_US), peak(9 * HOUR_US, DAY_OF_ARRIVALS_US));
        let (working, any) = (peak(150 * MINUTE_US, 10 * HOUR_US), peak(0, DAY_OF_ARRIVALS_US));
        match party {
            Party::Household { .. } if chance.happens(0.45) => morning,
            Party::Household { .. } => evening,
            Party::Workmates { .. } => working,
            Party::Alone { .. } => any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    fn epidemic(prevalence: f64) -> Epidemic {
        Epidemic::new(City::new(11, 60_000), EpidemicSettings { prevalence, ..EpidemicSettings::default() })
    }

    #[test]
    fn the_prevalence_is_what_was_asked_for() {
        for prevalence in [0.002, 0.02] {
            let epidemic = epidemic(prevalence);
            let infected = (0..60_000).filter(|person| epidemic.infection(*person).is_some()).count();
            let share = infected as f64 / 60_000.0;
            assert!((0.75 * prevalence..1.3 * prevalence).contains(&share), "{share} for {prevalence}");
        }
        assert!((0..5_000).all(|person| self::epidemic(0.0).infection(person).is_none()));
    }

    #[test]
    fn infection_clusters_in_households_and_enterprises() {
        let epidemic = epidemic(0.01);
        let infected: HashSet<u32> = (0..60_000).filter(|person| epidemic.infection(*person).is_some()).collect();
        let housemates: Vec<u32> = infected.iter().flat_map(|person| epidemic.city.household(*person).members().filter(move |mate| mate != person)).collect();
        let sick = housemates.iter().filter(|mate| infected.contains(mate)).count();
        let attack = sick as f64 / housemates.len() as f64;
        assert!(attack > 0.25, "{attack} of the infected's housemates, 0.01 by chance");
        let mut staff: HashMap<u32, (u32, u32)> = HashMap::new();
        for person in 0..60_000 {
            if let Some(enterprise) = epidemic.city.employer(person) {
                let count = staff.entry(enterprise).or_default();
                count.0 += 1;
                count.1 += u32::from(infected.contains(&person));
            }
        }
        let outbreaks = staff.values().filter(|(all, sick)| *all >= 20 && *sick * 14 > *all).count();
        assert!(outbreaks >= 2, "{outbreaks} enterprises with an outbreak");
    }

    #[test]
    fn loads_spread_and_keep_to_their_bound() {
        let epidemic = epidemic(0.03);
        let cqs: Vec<f64> = (0..60_000).filter_map(|person| epidemic.infection(person)).map(|infection| infection.cq).collect();
        let (low, high) = cqs.iter().fold((f64::MAX, f64::MIN), |(low, high), cq| (low.min(*cq), high.max(*cq)));
        assert!((13.0..17.0).contains(&low) && high > 33.0 && high <= 34.0, "{low} {high}");
        let mean = cqs.iter().sum::<f64>() / cqs.len() as f64;
        assert!((24.5..26.0).contains(&mean), "{mean}");
    }

    #[test]
    fn parties_arrive_as_one_and_some_never_come() {
        let epidemic = epidemic(0.0);
        let mut arrivals: HashMap<Party, (i64, u32)> = HashMap::new();
        let mut absent = 0;
        for person in 0..60_000 {
            match epidemic.attendance(person) {
                Attendance::Never(_) => absent += 1,
                Attendance::Comes { party, after_us } => {
                    assert!((0..DAY_OF_ARRIVALS_US).contains(&after_us));
                    let seen = arrivals.entry(party).or_insert((after_us, 0));
                    assert_eq!(seen.0, after_us);
                    seen.1 += 1;
                }
            }
        }
        let share = f64::from(absent) / 60_000.0;
        assert!((0.06..0.1).contains(&share), "{share} absent");
        let together: u32 = arrivals.values().filter(|(_, people)| *people > 1).map(|(_, people)| people).sum();
        assert!(together > 36_000, "{together} of 60,000 come with somebody");
    }
}
