//! Ruin and recreate over whole rooms: people who are alike are one *class*, and rooms are filled class by class.
//!
//! A few rooms are emptied and filled again, best fit first, with chance in the order of classes and in overlooked rooms. Fewer people
//! without a bed come first, then fewer rooms opened, so that whole rooms stay free for the next cohort.

use std::collections::BTreeMap;

use super::plan::{Placement, Plan, Progress};
use super::problem::{Gender, Person, Problem, Sleeps};
use crate::random::Random;

const TRIALS_PER_ROUND: u32 = 20;
/// Rounds without anything better after which the search ends by itself.
const PATIENCE: u32 = 300;
const EMPTIED_MAX: usize = 4;
const BLINK_CHANCE: f64 = 0.1;

/// What makes people alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    gender: Gender,
    cohort: usize,
    sleeps: Sleeps,
    quiet_until: u32,
    from: u32,
    until: u32,
}

impl Class {
    /// Whether people of the two may share a room.
    fn goes_with(&self, other: &Self) -> bool {
        let (first, end) = (self.from.max(other.from), self.until.min(other.until));
        let quiet_differs = self.quiet_until != other.quiet_until && first < self.quiet_until.max(other.quiet_until);
        first >= end || ((self.gender, self.cohort, self.sleeps) == (other.gender, other.cohort, other.sleeps) && !quiet_differs)
    }
}

/// A room as it fills: how many of which class, those who stay first.
#[derive(Debug, Clone, Default)]
struct Filling {
    kept: Vec<(usize, u32)>,
    new: Vec<(usize, u32)>,
}

impl Filling {
    fn all(&self) -> impl Iterator<Item = &(usize, u32)> {
        self.kept.iter().chain(&self.new)
    }

    fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.new.is_empty()
    }
}

struct Classes<'p> {
    problem: &'p Problem,
    list: Vec<Class>,
    of_person: Vec<usize>,
    cohorts: BTreeMap<&'p str, usize>,
}

impl<'p> Classes<'p> {
    fn new(problem: &'p Problem) -> Self {
        let mut cohorts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in problem.people.iter().map(|person| person.cohort.as_str()).chain(problem.rooms.iter().filter_map(|room| room.cohort.as_deref())) {
            let next = cohorts.len();
            cohorts.entry(name).or_insert(next);
        }
        let class = |person: &Person| Class {
            gender: person.gender,
            cohort: cohorts[person.cohort.as_str()],
            sleeps: person.sleeps,
            // A quiet period that ended before the first night binds nobody.
            quiet_until: if person.quiet_until > person.from { person.quiet_until } else { 0 },
            from: person.from,
            until: person.until,
        };
        let mut list: Vec<Class> = problem.people.iter().map(class).collect();
        list.sort_unstable();
        list.dedup();
        let of_person = problem.people.iter().map(|person| list.binary_search(&class(person)).unwrap_or(0)).collect();
        Self { problem, list, of_person, cohorts }
    }

    /// How many more of a class fit into a room.
    fn room_for(&self, room: usize, filling: &Filling, class: usize) -> u32 {
        let (own, place) = (&self.list[class], &self.problem.rooms[room]);
        let stated = place.cohort.as_deref().is_none_or(|cohort| self.cohorts[cohort] == own.cohort) && place.gender.is_none_or(|gender| gender == own.gender);
        if !stated || !filling.all().all(|(other, _)| self.list[*other].goes_with(own)) {
            return 0;
        }
        // The fullest night is one on which somebody arrives.
        let starts = filling.all().map(|(other, _)| self.list[*other].from).filter(|night| (own.from..own.until).contains(night)).chain([own.from]);
        let there = |night: u32| {
            let here = filling.all().filter(|(other, _)| (self.list[*other].from..self.list[*other].until).contains(&night));
            here.map(|(_, count)| count).sum::<u32>()
        };
        place.free_beds().saturating_sub(starts.map(there).max().unwrap_or(0))
    }
}

#[derive(Debug, Clone)]
struct State {
    rooms: Vec<Filling>,
    waiting: Vec<u32>,
    unplaced: u32,
}

impl State {
    fn cost(&self) -> (u32, u32) {
        (self.unplaced, self.rooms.iter().filter(|filling| !filling.is_empty()).count() as u32)
    }
}

/// Plans until `keep_going` says no (it is asked once per round), or nothing better is found for long. The plan depends on the problem, the seed
/// and the number of rounds. The problem has to be [valid](Problem::validate).
pub fn solve(problem: &Problem, seed: u64, keep_going: &dyn Fn() -> bool, progress: &mut dyn FnMut(Progress)) -> Plan {
    let classes = Classes::new(problem);
    let mut random = Random::new(seed, 0);
    let mut current = start(&classes);
    fill(&classes, &mut current, &mut random, 0.0);
    let (mut best, mut stale) = (current.clone(), 0);
    let perfect = least(&classes, &best);
    while !problem.rooms.is_empty() && best.cost() > perfect && stale < PATIENCE && keep_going() {
        stale += 1;
        for _ in 0..TRIALS_PER_ROUND {
            let mut trial = current.clone();
            empty_some(&mut trial, &mut random);
            fill(&classes, &mut trial, &mut random, BLINK_CHANCE);
            if trial.cost() <= current.cost() {
                current = trial;
            }
            if current.cost() < best.cost() {
                (best, stale) = (current.clone(), 0);
                let (unplaced, rooms_opened) = best.cost();
                progress(Progress { unplaced, rooms_opened });
            }
        }
    }
    write(&classes, &best)
}

/// Everybody who has a room in it, the others waiting.
fn start(classes: &Classes) -> State {
    let index: BTreeMap<&str, usize> = classes.problem.rooms.iter().enumerate().map(|(at, room)| (room.id.as_str(), at)).collect();
    let mut state = State { rooms: vec![Filling::default(); classes.problem.rooms.len()], waiting: vec![0; classes.list.len()], unplaced: 0 };
    for (person, class) in classes.problem.people.iter().zip(&classes.of_person) {
        match person.room.as_deref().and_then(|room| index.get(room)) {
            Some(room) => add(&mut state.rooms[*room].kept, *class, 1),
            None => {
                state.waiting[*class] += 1;
                state.unplaced += 1;
            }
        }
    }
    state
}

fn add(list: &mut Vec<(usize, u32)>, class: usize, count: u32) {
    match list.iter_mut().find(|(known, _)| *known == class) {
        Some((_, known)) => *known += count,
        None => list.push((class, count)),
    }
}

/// A cost that no plan can beat: everybody placed, in as few of the largest rooms as hold the fullest night.
fn least(classes: &Classes, state: &State) -> (u32, u32) {
    let kept = state.rooms.iter().filter(|filling| !filling.kept.is_empty()).count() as u32;
    let people = &classes.problem.people;
    let there = |night: u32| people.iter().filter(|person| (person.from..person.until).contains(&night)).count() as i64;
    let starts: std::collections::BTreeSet<u32> = people.iter().map(|person| person.from).collect();
    let mut need = starts.into_iter().take(50).map(there).max().unwrap_or(0);
    let mut beds: Vec<i64> = classes.problem.rooms.iter().map(|room| i64::from(room.free_beds())).collect();
    beds.sort_unstable_by_key(|beds| -beds);
    let mut rooms = 0;
    while need > 0 && rooms < beds.len() {
        need -= beds[rooms];
        rooms += 1;
    }
    (0, (rooms as u32).max(kept))
}

/// Takes those who are new out of a few rooms.
fn empty_some(state: &mut State, random: &mut Random) {
    let count = state.rooms.len();
    for _ in 0..=random.below(EMPTIED_MAX.min(count)) {
        let room = random.below(count);
        for (class, people) in std::mem::take(&mut state.rooms[room].new) {
            state.waiting[class] += people;
            state.unplaced += people;
        }
    }
}

/// Gives beds to those who wait: class after class, each time in the room that suits best.
fn fill(classes: &Classes, state: &mut State, random: &mut Random, blink: f64) {
    let mut order: Vec<usize> = (0..state.waiting.len()).filter(|class| state.waiting[*class] > 0).collect();
    if blink > 0.0 && random.chance(0.5) {
        random.shuffle(&mut order);
    } else {
        order.sort_by_key(|class| std::cmp::Reverse(state.waiting[*class]));
    }
    for class in order {
        while state.waiting[class] > 0 {
            let mut best: Option<(Suits, u32, usize)> = None;
            for room in 0..state.rooms.len() {
                let fits = classes.room_for(room, &state.rooms[room], class);
                if fits == 0 || (blink > 0.0 && random.chance(blink)) {
                    continue;
                }
                let suits = suits(&state.rooms[room], fits, state.waiting[class]);
                if best.as_ref().is_none_or(|(known, ..)| suits < *known) {
                    best = Some((suits, fits, room));
                }
            }
            let Some((_, fits, room)) = best else { break };
            let now = fits.min(state.waiting[class]);
            add(&mut state.rooms[room].new, class, now);
            state.waiting[class] -= now;
            state.unplaced -= now;
        }
    }
}

/// Less is better: rooms already open, then rooms that are filled exactly or, the larger the better, in full; else the tightest.
type Suits = (bool, bool, i64);

fn suits(filling: &Filling, fits: u32, waiting: u32) -> Suits {
    let leaves = i64::from(fits) - i64::from(waiting);
    (filling.is_empty(), leaves > 0, if leaves > 0 { leaves } else { -i64::from(fits) })
}

/// Names people: within a class in the order of the problem.
fn write(classes: &Classes, state: &State) -> Plan {
    let people = &classes.problem.people;
    let mut beds: Vec<Vec<usize>> = vec![Vec::new(); classes.list.len()];
    for (room, filling) in state.rooms.iter().enumerate() {
        for (class, count) in &filling.new {
            beds[*class].extend((0..*count).map(|_| room));
        }
    }
    beds.iter_mut().for_each(|beds| beds.reverse());
    let mut plan = Plan::default();
    for (person, class) in people.iter().zip(&classes.of_person) {
        let room = person.room.clone().or_else(|| beds[*class].pop().map(|room| classes.problem.rooms[room].id.clone()));
        match room {
            Some(room) => plan.placements.push(Placement { person: person.id.clone(), room, kept: person.room.is_some() }),
            None => plan.unplaced.push(person.id.clone()),
        }
    }
    plan
}
