use super::*;
use crate::infection::{EpidemicSettings, Party};
use crate::people::City;
use crate::truth::Truth;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const OPENS: Timestamp = Timestamp(1_800_000_000 * 1_000_000);

fn epidemic(seed: u64, people: u32) -> Epidemic {
    Epidemic::new(City::new(seed, people), EpidemicSettings::default())
}

fn attending(day: &Day, epidemic: &Epidemic) -> BTreeSet<u32> {
    let comes = |person: &u32| matches!(epidemic.attendance(*person), Attendance::Comes { .. });
    (0..day.people).filter(comes).collect()
}

/// What is known of the tubes and boxes while a plan is played.
#[derive(Default)]
struct Play {
    members: HashMap<u32, Vec<u32>>,
    sealed: BTreeSet<u32>,
    holder: HashMap<u32, u32>,
    offered: BTreeSet<u32>,
    arrived: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    running: BTreeMap<u32, Timestamp>,
}

/// Laws of any plan, checked by playing it: sequences have no gaps, every box has one holder, tubes are opened, filled,
/// sealed, packed, received and plated in this order and once. Gives the members of the tubes.
fn play(day: &Day) -> Result<HashMap<u32, Vec<u32>>, TestCaseError> {
    let mut clock = vec![(Timestamp(i64::MIN), 0); day.actors.len()];
    let mut play = Play::default();
    for action in &day.actions {
        let (last, next) = &mut clock[action.actor as usize];
        prop_assert!(action.at >= *last && action.sequence == *next, "{action:?}");
        (*last, *next) = (action.at, *next + 1);
        play.at_point(day, action)?;
        play.on_road(day, action)?;
        play.in_laboratory(day, action)?;
    }
    prop_assert_eq!(play.ended.len(), day.tubes.len());
    prop_assert_eq!(play.running.len(), day.plates.len());
    prop_assert!(play.offered.is_empty());
    for (tube, plan) in day.tubes.iter().enumerate() {
        prop_assert_eq!(&play.members[&(tube as u32)], &plan.members);
        prop_assert!((1..=day.settings.ratio as usize).contains(&plan.members.len()));
    }
    Ok(play.members)
}

impl Play {
    fn at_point(&mut self, day: &Day, action: &Action) -> Result<(), TestCaseError> {
        match action.act {
            Act::OpenTube { tube } => prop_assert!(self.members.insert(tube, Vec::new()).is_none()),
            Act::Register { person } => prop_assert!(person < day.people),
            Act::Swab { tube, person } => {
                prop_assert!(!self.sealed.contains(&tube));
                self.members.get_mut(&tube).expect("an open tube").push(person);
            }
            Act::UndoSwab { tube, person } => {
                prop_assert!(!self.sealed.contains(&tube));
                let members = self.members.get_mut(&tube).expect("an open tube");
                prop_assert_eq!(members.pop(), Some(person));
            }
            Act::SealTube { tube } => {
                prop_assert!(self.sealed.insert(tube));
                prop_assert_eq!(day.tubes[tube as usize].sealed_at, action.at);
            }
            _ => {}
        }
        Ok(())
    }

    fn on_road(&mut self, day: &Day, action: &Action) -> Result<(), TestCaseError> {
        match action.act {
            Act::PackBox { package } => {
                let tubes = &day.boxes[package as usize].tubes;
                prop_assert!(tubes.iter().all(|tube| self.sealed.contains(tube)));
                prop_assert!(self.holder.insert(package, action.actor).is_none());
            }
            Act::OfferBox { package } => {
                prop_assert_eq!(self.holder[&package], action.actor);
                prop_assert!(self.offered.insert(package));
            }
            Act::AcceptBox { package } => {
                prop_assert!(self.offered.remove(&package));
                prop_assert!(self.holder.insert(package, action.actor) != Some(action.actor));
            }
            _ => {}
        }
        Ok(())
    }

    fn in_laboratory(&mut self, day: &Day, action: &Action) -> Result<(), TestCaseError> {
        match action.act {
            Act::AccessionTube { tube } => prop_assert!(self.arrived.insert(tube)),
            Act::RejectTube { tube } | Act::MissTube { tube } => {
                prop_assert!(self.ended.insert(tube))
            }
            Act::FillPlate { plate } => {
                let tubes = &day.plates[plate as usize].tubes;
                prop_assert!((1..=day.settings.plate_tubes as usize).contains(&tubes.len()));
                prop_assert!(tubes.iter().all(|tube| self.arrived.contains(tube) && self.ended.insert(*tube)));
            }
            Act::StartRun { plate } => {
                prop_assert!(self.running.insert(plate, action.at).is_none())
            }
            Act::FinishRun { plate } => prop_assert!(action.at > self.running[&plate]),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn a_day_samples_everybody_who_comes() {
    let epidemic = epidemic(1, 4_000);
    let day = Day::plan(&epidemic, DaySettings::new(OPENS));
    let members = play(&day).unwrap();
    let swabs: Vec<u32> = members.values().flatten().copied().collect();
    let sampled: BTreeSet<u32> = swabs.iter().copied().collect();
    assert_eq!(sampled, attending(&day, &epidemic));
    let again = swabs.len() - sampled.len();
    assert!((1..30).contains(&again), "{again} second visits");
    assert_eq!(sampled.len() + day.absentees(&epidemic).count(), 4_020 - absent_walk_ins(&day, &epidemic));
    assert_eq!(day.points.len(), 3);
    let average = swabs.len() as f64 / day.tubes.len() as f64;
    assert!(average > 7.0, "{average} people per tube");
}

fn absent_walk_ins(day: &Day, epidemic: &Epidemic) -> usize {
    (4_000..day.people).filter(|person| matches!(epidemic.attendance(*person), Attendance::Never(_))).count()
}

#[test]
fn households_share_a_tube() {
    let epidemic = epidemic(2, 4_000);
    let day = Day::plan(&epidemic, DaySettings { mishaps: Mishaps::NONE, ..DaySettings::new(OPENS) });
    let mut tubes_of: HashMap<Party, BTreeSet<usize>> = HashMap::new();
    for (tube, plan) in day.tubes.iter().enumerate() {
        for person in &plan.members {
            if let Attendance::Comes { party, .. } = epidemic.attendance(*person) {
                tubes_of.entry(party).or_default().insert(tube);
            }
        }
    }
    let households = tubes_of.iter().filter(|(party, _)| matches!(party, Party::Household { .. }));
    let (whole, all) = households.fold((0, 0), |(whole, all), (_, tubes)| (whole + u32::from(tubes.len() == 1), all + 1));
    assert!(whole * 10 > all * 8, "{whole} of {all} households in one tube");
}

#[test]
fn most_results_are_out_within_six_hours_of_the_swab() {
    let epidemic = epidemic(3, 30_000);
    let day = Day::plan(&epidemic, DaySettings::new(OPENS));
    let mut waits: Vec<i64> = Vec::new();
    for plate in &day.plates {
        waits.extend(plate.tubes.iter().map(|tube| plate.read_at.since(day.tubes[*tube as usize].sealed_at)));
    }
    waits.sort_unstable();
    let p90 = waits[waits.len() * 9 / 10] / MINUTE_US;
    assert!((180..360).contains(&p90), "{p90} minutes");
    let losses = day.tubes.iter().filter(|tube| tube.fate != TubeFate::Arrives).count();
    assert!((1..20).contains(&losses), "{losses} tubes of {}", day.tubes.len());
}

#[test]
fn a_follow_up_takes_everyone_singly() {
    let epidemic = epidemic(4, 25_000);
    let day = Day::plan(&epidemic, DaySettings::new(OPENS));
    let people = [24_000, 3, 4, 5, 24_001, 3, 12_000];
    let next = day.follow_up(&epidemic, &people, OPENS.plus_us(20 * HOUR_US));
    let members = play(&next).unwrap();
    assert_eq!(members.values().flatten().copied().collect::<BTreeSet<u32>>(), people.into_iter().collect());
    assert_eq!(next.tubes.len(), 6);
    assert_ne!(day.tube_key(0), next.tube_key(0));
    assert!(next.actions.iter().all(|action| action.at >= OPENS.plus_us(20 * HOUR_US)));
}

#[test]
fn the_plan_feeds_the_truth() {
    let epidemic = epidemic(5, 2_000);
    let day = Day::plan(&epidemic, DaySettings::new(OPENS));
    let mut truth = Truth::default();
    truth.record(&day);
    assert_eq!(truth.sampled(), attending(&day, &epidemic));
    assert_eq!(truth.members(day.tube_key(3)), day.tubes[3].members);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_day_is_lawful_and_repeats_itself(seed: u64, people in 1_u32..3_000, ratio in 1_u32..21, plate_tubes in 1_u32..380, mishap in 0.0..0.2_f64) {
        let epidemic = epidemic(seed, people);
        let mishaps = Mishaps { second_visit: mishap, walk_in: mishap, undo: mishap, lost: mishap, leaked: mishap };
        let day = Day::plan(&epidemic, DaySettings { opens: OPENS, ratio, plate_tubes, mishaps });
        let members = play(&day)?;
        let sampled: BTreeSet<u32> = members.values().flatten().copied().collect();
        prop_assert_eq!(sampled, attending(&day, &epidemic));
        prop_assert_eq!(&day, &Day::plan(&epidemic, day.settings));
    }
}
