//! The people of a city: who they are, where they live and with whom, where they work.
//!
//! Person `k` depends on the seed, the settings and `k` alone, so half a million people are made as they are read, in
//! any order. They live in blocks of [`BLOCK`] neighbours; a block is split into households, blocks fill buildings,
//! buildings grids, grids zones.

use crate::chance::{Chance, Purpose};
use crate::documents::{self, Birth};
use crate::names;

/// Persons of one block.
pub const BLOCK: u32 = 32;
const BLOCKS_PER_BUILDING: u32 = 8;
const BUILDINGS_PER_GRID: u32 = 5;
/// People of an average zone: 500,000 in 45 zones.
const ZONE_PEOPLE: u32 = 11_111;
/// Enterprises for each hundred people: 40,000 for 500,000.
const ENTERPRISES_PER_HUNDRED: u32 = 8;

/// A seeded city. Small and cheap to copy: it holds settings, not people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct City {
    pub seed: u64,
    /// People on the roster. Persons beyond it exist too: they walk in without being on it.
    pub people: u32,
    pub zones: u32,
    /// The year in which ages are counted.
    pub year: u16,
}

/// Where somebody lives. All numbers count from 0; the building number counts within its zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Home {
    pub zone: u32,
    pub grid: u32,
    pub building: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HouseholdKind {
    Single,
    Couple,
    /// Parents with children.
    Family,
    /// Parents, a child and grandparents.
    ThreeGenerations,
    OldCouple,
    OldSingle,
    /// Workmates who share a room.
    Dormitory,
}

/// People who share a door. Its members are `first .. first + size`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Household {
    /// The first member's number, which names the household.
    pub first: u32,
    pub size: u32,
    pub kind: HouseholdKind,
}

impl Household {
    pub fn members(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.size
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DocumentKind {
    ResidentId,
    Passport,
    HongKongMacaoPermit,
    TaiwanPermit,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    pub kind: DocumentKind,
    pub number: String,
}

/// What somebody does all day; printed as the tag of the roster.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Occupation {
    Child,
    Student,
    Employee,
    Courier,
    AtHome,
    Retired,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub index: u32,
    pub name: String,
    pub female: bool,
    pub birth: Birth,
    pub document: Document,
    /// A child has a parent's; some old people have none.
    pub phone: Option<String>,
    pub household: Household,
    pub home: Home,
    pub address: String,
    pub occupation: Occupation,
    pub enterprise: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enterprise {
    pub index: u32,
    pub zone: u32,
    pub name: String,
    /// Unified social credit code.
    pub credit_code: String,
}

/// What the first look at a person gives: everything but the texts.
#[derive(Clone, Copy, Debug)]
struct Sketch {
    household: Household,
    female: bool,
    age: u32,
}

/// Where a household comes from, which decides names and papers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    Mainland,
    /// Names of two parts with a middle dot.
    Dotted,
    HongKongMacao,
    Taiwan,
    Abroad,
}

impl City {
    /// The most people one city can have with different documents.
    pub const PEOPLE_MAX: u32 = documents::PEOPLE_MAX - 100_000;

    /// A city with as many zones as its people need. At least one person, at most [`City::PEOPLE_MAX`].
    pub fn new(seed: u64, people: u32) -> Self {
        let people = people.clamp(1, Self::PEOPLE_MAX);
        let zones = ((people + ZONE_PEOPLE / 2) / ZONE_PEOPLE).max(1);
        Self { seed, people, zones, year: 2026 }
    }

    pub fn all(&self) -> impl Iterator<Item = Person> + '_ {
        (0..self.people).map(|index| self.person(index))
    }

    fn blocks_per_zone(&self) -> u32 {
        self.people.div_ceil(BLOCK).div_ceil(self.zones)
    }

    pub fn home(&self, person: u32) -> Home {
        let block = person / BLOCK;
        let zone = (block / self.blocks_per_zone()).min(self.zones - 1);
        // Who walks in from outside the roster lives in the last building.
        let local = (block - zone * self.blocks_per_zone()).min(self.blocks_per_zone() - 1);
        let building = local / BLOCKS_PER_BUILDING;
        Home { zone, grid: building / BUILDINGS_PER_GRID, building }
    }

    pub fn buildings_per_zone(&self) -> u32 {
        self.blocks_per_zone().div_ceil(BLOCKS_PER_BUILDING)
    }

    pub fn grids_per_zone(&self) -> u32 {
        self.buildings_per_zone().div_ceil(BUILDINGS_PER_GRID)
    }

    pub fn zone_code(zone: u32) -> String {
        format!("Z{:02}", zone + 1)
    }

    pub fn grid_code(home: Home) -> String {
        format!("Z{:02}-G{:02}", home.zone + 1, home.grid + 1)
    }

    pub fn building_code(home: Home) -> String {
        format!("Z{:02}-B{:03}", home.zone + 1, home.building + 1)
    }

    pub fn zone_name(zone: u32) -> String {
        let road = names::ROADS[zone as usize % names::ROADS.len()];
        match zone as usize / names::ROADS.len() {
            0 => format!("{road}园区"),
            number => format!("{road}{}期园区", number + 1),
        }
    }

    /// The household of a person, found by dealing out the households of the block from its start.
    pub fn household(&self, person: u32) -> Household {
        let end = (person / BLOCK + 1) * BLOCK;
        let mut first = person / BLOCK * BLOCK;
        loop {
            let (kind, size) = self.draw_household(first);
            let (kind, size) = if first + size > end { (HouseholdKind::Single, 1) } else { (kind, size) };
            if person < first + size {
                return Household { first, size, kind };
            }
            first += size;
        }
    }

    fn draw_household(&self, first: u32) -> (HouseholdKind, u32) {
        use HouseholdKind::{Couple, Dormitory, Family, OldCouple, OldSingle, Single, ThreeGenerations};
        const SHARES: [((HouseholdKind, u32), u32); 12] = [
            ((Single, 1), 22),
            ((Couple, 2), 18),
            ((Family, 3), 21),
            ((Family, 4), 8),
            ((ThreeGenerations, 5), 7),
            ((OldCouple, 2), 8),
            ((OldSingle, 1), 3),
            ((Dormitory, 4), 5),
            ((Dormitory, 5), 2),
            ((Dormitory, 6), 4),
            ((Dormitory, 7), 1),
            ((Dormitory, 8), 1),
        ];
        Chance::new(self.seed, Purpose::Household, u64::from(first)).weighted(&SHARES)
    }

    /// Sex and age by the place in the household; parents are of two sexes, children some 27 years younger.
    fn sketch(&self, person: u32) -> Sketch {
        let household = self.household(person);
        let place = person - household.first;
        let mut shared = Chance::new(self.seed, Purpose::City, u64::from(household.first));
        let head_female = shared.happens(0.4);
        let parent_age = shared.between(28, 47);
        let mut own = Chance::new(self.seed, Purpose::Person, u64::from(person));
        let coin = own.happens(0.5);
        let few = own.below(6);
        let (female, age) = match (household.kind, place) {
            (HouseholdKind::Single, _) => (coin, own.between(20, 55)),
            // A room is for one sex.
            (HouseholdKind::Dormitory, _) => (head_female, own.between(19, 52)),
            (HouseholdKind::OldSingle, _) => (coin, own.between(62, 91)),
            (HouseholdKind::OldCouple, 0) => (false, parent_age + 36),
            (HouseholdKind::OldCouple, _) => (true, parent_age + 32 + few),
            (_, 0) => (head_female, parent_age),
            (_, 1) => (!head_female, parent_age - 2 + few),
            (HouseholdKind::ThreeGenerations, 3) => (false, parent_age + 25 + few),
            (HouseholdKind::ThreeGenerations, 4) => (true, parent_age + 23 + few),
            _ => (coin, parent_age - 27 + few),
        };
        Sketch { household, female, age }
    }

    fn origin(&self, household: Household) -> Origin {
        const SHARES: [(Origin, u32); 5] =
            [(Origin::Mainland, 9_730), (Origin::Dotted, 60), (Origin::HongKongMacao, 50), (Origin::Taiwan, 50), (Origin::Abroad, 110)];
        Chance::new(self.seed, Purpose::Document, u64::from(household.first)).weighted(&SHARES)
    }

    fn birth(&self, person: u32, age: u32) -> Birth {
        let mut chance = Chance::new(self.seed, Purpose::Person, u64::from(person) | 1 << 40);
        let year = self.year - age as u16;
        let month = chance.between(1, 12) as u8;
        let day = chance.between(1, u32::from(Birth::days_in_month(year, month))) as u8;
        Birth { year, month, day }
    }

    fn surname(&self, person: u32) -> &'static str {
        names::surname(&mut Chance::new(self.seed, Purpose::Name, u64::from(person)))
    }

    /// Children and the grandfather bear the father's surname.
    fn name(&self, person: u32, sketch: Sketch, birth_year: u16) -> String {
        let mut chance = Chance::new(self.seed, Purpose::Name, u64::from(person) | 1 << 40);
        match self.origin(sketch.household) {
            Origin::Abroad => return names::latin(&mut chance),
            Origin::Dotted => return names::dotted(&mut chance),
            Origin::Mainland | Origin::HongKongMacao | Origin::Taiwan => {}
        }
        let place = person - sketch.household.first;
        let family = matches!(sketch.household.kind, HouseholdKind::Family | HouseholdKind::ThreeGenerations);
        let head = sketch.household.first;
        let bearer = match place {
            2 | 3 if family => head + u32::from(self.sketch(head).female),
            _ => person,
        };
        format!("{}{}", self.surname(bearer), names::given(&mut chance, sketch.female, birth_year))
    }

    fn document(&self, person: u32, sketch: Sketch, birth: Birth) -> Document {
        let seed = self.seed;
        let (kind, number) = match self.origin(sketch.household) {
            Origin::Mainland | Origin::Dotted => (DocumentKind::ResidentId, documents::resident_number(seed, person, birth, sketch.female)),
            Origin::HongKongMacao => {
                (DocumentKind::HongKongMacaoPermit, documents::hong_kong_macao_permit(seed, person, sketch.household.first.is_multiple_of(4)))
            }
            Origin::Taiwan => (DocumentKind::TaiwanPermit, documents::taiwan_permit(seed, person)),
            Origin::Abroad => {
                let letters = ["P", "TK", "M", "C", "AE"][sketch.household.first as usize % 5];
                (DocumentKind::Passport, documents::passport_number(seed, person, letters))
            }
        };
        Document { kind, number }
    }

    fn occupation(&self, person: u32, sketch: Sketch) -> Occupation {
        let mut chance = Chance::new(self.seed, Purpose::Employment, u64::from(person));
        match sketch.age {
            0..6 => Occupation::Child,
            6..19 => Occupation::Student,
            19..61 if sketch.household.kind == HouseholdKind::Dormitory => Occupation::Employee,
            19..61 if chance.happens(0.02) => Occupation::Courier,
            19..61 if chance.happens(0.92) => Occupation::Employee,
            19..61 => Occupation::AtHome,
            _ => Occupation::Retired,
        }
    }

    /// The enterprise somebody works for. Workmates who share a room have one employer.
    pub fn employer(&self, person: u32) -> Option<u32> {
        let sketch = self.sketch(person);
        self.employer_of(person, sketch)
    }

    fn employer_of(&self, person: u32, sketch: Sketch) -> Option<u32> {
        if self.occupation(person, sketch) != Occupation::Employee {
            return None;
        }
        let shared = sketch.household.kind == HouseholdKind::Dormitory;
        let key = if shared { sketch.household.first } else { person };
        let u = Chance::new(self.seed, Purpose::Enterprise, u64::from(key)).uniform();
        let here = self.enterprises_per_zone();
        // A power law: the largest enterprise holds some 7 % of its zone, half of all have fewer than ten people.
        let rank = (f64::from(here) * u * u * u.sqrt()) as u32;
        Some(self.home(person).zone * here + rank.min(here - 1))
    }

    fn enterprises_per_zone(&self) -> u32 {
        (self.people * ENTERPRISES_PER_HUNDRED).div_ceil(100 * self.zones).max(1)
    }

    pub fn enterprises(&self) -> u32 {
        self.enterprises_per_zone() * self.zones
    }

    pub fn enterprise(&self, index: u32) -> Enterprise {
        Enterprise {
            index,
            zone: (index / self.enterprises_per_zone()).min(self.zones - 1),
            name: names::enterprise(self.seed, index),
            credit_code: documents::credit_code(self.seed, index),
        }
    }

    /// How many people an enterprise may be expected to have; workmates go to be sampled in waves of about twenty.
    pub(crate) fn expected_staff(&self, index: u32) -> u32 {
        let here = f64::from(self.enterprises_per_zone());
        let rank = f64::from(index % self.enterprises_per_zone());
        // The inverse of the law above, with some 62 % of the people employed.
        let share = |rank: f64| (rank / here).powf(0.4);
        let zone_people = f64::from(self.people) / f64::from(self.zones);
        (zone_people * 0.62 * (share(rank + 1.0) - share(rank))) as u32
    }

    fn phone(&self, person: u32, sketch: Sketch) -> Option<String> {
        let own = documents::phone(self.seed, person);
        let mut chance = Chance::new(self.seed, Purpose::Person, u64::from(person) | 1 << 41);
        match sketch.age {
            0..12 => Some(documents::phone(self.seed, sketch.household.first)),
            70.. if chance.happens(0.15) => None,
            _ if chance.happens(0.01) => None,
            _ => Some(own),
        }
    }

    fn address(&self, household: Household, home: Home) -> String {
        let road = names::ROADS[(home.zone * 7 + home.grid) as usize % names::ROADS.len()];
        let lane = 100 + home.grid * 20 + home.zone;
        // A household's place among the 256 people of its building gives a door nobody else has.
        let door = household.first % (BLOCK * BLOCKS_PER_BUILDING);
        let (floor, unit) = (door / 8 + 1, door % 8 + 1);
        format!("临江市{road}路{lane}弄{}号{floor:02}{unit:02}室", home.building + 1)
    }

    /// Everything about one person.
    pub fn person(&self, index: u32) -> Person {
        let sketch = self.sketch(index);
        let birth = self.birth(index, sketch.age);
        let home = self.home(index);
        Person {
            index,
            name: self.name(index, sketch, birth.year),
            female: sketch.female,
            birth,
            document: self.document(index, sketch, birth),
            phone: self.phone(index, sketch),
            household: sketch.household,
            home,
            address: self.address(sketch.household, home),
            occupation: self.occupation(index, sketch),
            enterprise: self.employer_of(index, sketch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, HashMap, HashSet};

    #[test]
    fn half_a_million_people_live_in_45_zones_of_40_000_enterprises() {
        let city = City::new(1, 500_000);
        assert_eq!(city.zones, 45);
        assert!((40_000..40_100).contains(&city.enterprises()), "{}", city.enterprises());
        assert_eq!(city.home(499_999).zone, 44);
        let small = City::new(1, 4_000);
        assert_eq!((small.zones, small.enterprises(), small.grids_per_zone(), small.buildings_per_zone()), (1, 320, 4, 16));
    }

    #[test]
    fn a_person_is_the_same_in_every_city_of_the_seed_but_for_places() {
        let (small, large) = (City::new(4, 4_000), City::new(4, 500_000));
        for index in [0, 17, 3_999] {
            let (one, other) = (small.person(index), large.person(index));
            assert_eq!((one.name, one.document, one.household), (other.name, other.document, other.household));
        }
        assert_ne!(small.person(5).document, City::new(5, 4_000).person(5).document);
    }

    #[test]
    fn documents_differ_and_every_kind_occurs() {
        let city = City::new(2, 20_000);
        let mut numbers = HashSet::new();
        let mut kinds: HashMap<DocumentKind, u32> = HashMap::new();
        for person in city.all() {
            *kinds.entry(person.document.kind).or_default() += 1;
            assert!(numbers.insert(person.document.number));
        }
        assert!(kinds[&DocumentKind::ResidentId] > 19_000, "{kinds:?}");
        assert_eq!(kinds.len(), 4, "{kinds:?}");
    }

    #[test]
    fn doors_belong_to_one_household() {
        let city = City::new(2, 12_000);
        let mut doors: HashMap<String, u32> = HashMap::new();
        for person in city.all() {
            let first = person.household.first;
            assert_eq!(*doors.entry(person.address).or_insert(first), first);
        }
        let average = 12_000.0 / doors.len() as f64;
        assert!((2.0..3.2).contains(&average), "{average} people per household");
    }

    #[test]
    fn families_are_plausible() {
        let city = City::new(3, 6_000);
        let mut families = 0;
        for person in city.all().filter(|person| person.household.kind == HouseholdKind::Family) {
            let place = person.index - person.household.first;
            if place != 2 {
                continue;
            }
            families += 1;
            let parents = [city.person(person.household.first), city.person(person.household.first + 1)];
            assert_ne!(parents[0].female, parents[1].female);
            assert!(parents.iter().all(|parent| parent.birth.year + 18 <= person.birth.year), "{person:?}");
            let father = if parents[0].female { &parents[1] } else { &parents[0] };
            if city.origin(person.household) == Origin::Abroad || city.origin(person.household) == Origin::Dotted {
                continue;
            }
            assert_eq!(father.name.chars().next(), person.name.chars().next());
        }
        assert!(families > 300);
    }

    #[test]
    fn enterprises_are_mostly_small_and_some_are_large() {
        let city = City::new(6, 11_111);
        let mut staff: BTreeMap<u32, u32> = BTreeMap::new();
        for enterprise in city.all().filter_map(|person| person.enterprise) {
            *staff.entry(enterprise).or_default() += 1;
        }
        let largest = *staff.values().max().unwrap();
        let small = staff.values().filter(|count| **count < 15).count();
        let employed: u32 = staff.values().sum();
        assert!(largest > 300, "{largest}");
        assert!(small * 10 > staff.len() * 7, "{small} of {}", staff.len());
        assert!((0.55..0.75).contains(&(f64::from(employed) / 11_111.0)), "{employed}");
        assert!(city.expected_staff(0) > 300 && city.expected_staff(800) < 10);
        let room: Vec<Person> = city.all().filter(|person| person.household.kind == HouseholdKind::Dormitory).take(4).collect();
        assert!(room.iter().all(|mate| mate.enterprise.is_some() && mate.enterprise == room[0].enterprise));
    }

    proptest! {
        #[test]
        fn households_part_a_block(seed: u64, block in 0_u32..100_000) {
            let city = City::new(seed, 4_000);
            let mut next = block * BLOCK;
            while next < (block + 1) * BLOCK {
                let household = city.household(next);
                prop_assert_eq!(household.first, next);
                for member in household.members() {
                    prop_assert_eq!(city.household(member), household);
                }
                next += household.size;
            }
            prop_assert_eq!(next, (block + 1) * BLOCK);
        }

        #[test]
        fn any_person_of_any_city_can_be_made(seed: u64, people in 1_u32..City::PEOPLE_MAX, at in 0.0..1.0_f64) {
            let city = City::new(seed, people);
            let person = city.person((f64::from(people) * at) as u32);
            prop_assert!(!person.name.is_empty());
            prop_assert!((1930..=2026).contains(&person.birth.year), "{:?}", person.birth);
            prop_assert!(person.home.zone < city.zones && person.home.grid < city.grids_per_zone());
            prop_assert!(person.enterprise.is_none_or(|enterprise| city.enterprise(enterprise).zone == person.home.zone));
            prop_assert!(person.document.kind != DocumentKind::ResidentId || person.document.number.len() == 18);
        }
    }
}
