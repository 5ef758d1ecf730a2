//! Ruin and recreate over vans' trips: some boxes that are near in space and time, or whole trips, are taken out and put back at the
//! cheapest place; slightly worse plans are followed for a while (record-to-record travel, Dueck 1993).

use super::plan::{Changes, Delivery, Plan, Progress, Published, Reason, Trip, Unplaced};
use super::problem::Problem;
use crate::crew::{Crew, Job};
use crate::random::Random;

const ITERATIONS_PER_ROUND: u32 = 50;
const TAKEN_MAX: usize = 12;
/// Chance of overlooking a place, so that greed does not always end in the same plan.
const BLINK_CHANCE: f64 = 0.1;
/// A plan this much dearer than the best is still followed.
const DEVIATION: f64 = 0.02;
/// Rounds without anything better after which a hand goes on from the best plan of all.
const PATIENCE: u32 = 20;

#[derive(Debug, Clone, Default)]
struct Tour {
    trips: Vec<(usize, Vec<usize>)>,
}

/// A whole plan: a tour per van and who stays behind.
#[derive(Debug, Clone, Default)]
struct State {
    tours: Vec<Tour>,
    left: Vec<usize>,
}

/// Where a van is when.
struct Timeline {
    driving: i64,
    /// (box, laboratory, minute at the intake).
    arrivals: Vec<(usize, usize, i64)>,
    /// Leaving for the trip and at the laboratory's door, per trip.
    trips: Vec<(i64, i64)>,
}

/// The problem, and what stays of a published plan.
struct Setting<'p> {
    problem: &'p Problem,
    /// No trip but those begun departs earlier.
    now: i64,
    /// Tours of the trips that have begun.
    begun: Vec<Tour>,
    /// The van and the laboratory that each box was promised.
    promised: Vec<Option<(usize, usize)>>,
    change_minutes: i64,
}

impl<'p> Setting<'p> {
    fn new(problem: &'p Problem, published: Option<&Published>) -> Self {
        let begun = vec![Tour::default(); problem.vans.len()];
        let mut setting = Self { problem, now: 0, begun, promised: vec![None; problem.boxes.len()], change_minutes: 0 };
        let Some(published) = published else { return setting };
        (setting.now, setting.change_minutes) = (published.now, published.change_minutes);
        for trip in &published.plan.trips {
            trip.boxes.iter().for_each(|one| setting.promised[*one] = Some((trip.van, trip.laboratory)));
            if trip.departs < published.now {
                setting.begun[trip.van].trips.push((trip.laboratory, trip.boxes.clone()));
            }
        }
        setting
    }

    fn has_begun(&self, one: usize) -> bool {
        self.promised[one].is_some_and(|(van, _)| self.begun[van].trips.iter().any(|(_, boxes)| boxes.contains(&one)))
    }

    /// Everything that has not begun still to be placed.
    fn start(&self) -> State {
        State { tours: self.begun.clone(), left: (0..self.problem.boxes.len()).filter(|one| !self.has_begun(*one)).collect() }
    }

    /// Promised boxes that are with another van or laboratory.
    fn moved(&self, state: &State) -> Vec<usize> {
        let trips = state.tours.iter().enumerate().flat_map(|(van, tour)| tour.trips.iter().map(move |trip| (van, trip)));
        let boxes = trips.flat_map(|(van, (laboratory, boxes))| boxes.iter().map(move |one| (*one, (van, *laboratory))));
        let mut moved: Vec<usize> = boxes.filter(|(one, place)| self.promised[*one].is_some_and(|promised| promised != *place)).map(|(one, _)| one).collect();
        moved.sort_unstable();
        moved
    }
}

/// Tubes promised and not brought, tubes not brought, minutes driven with those that changes count.
type Cost = (i64, i64, i64);

/// Plans until `keep_going` says no; it is asked once per round. The plan depends on the problem, the seed, the number of hands and the
/// number of rounds, never on timing. First as few tubes as possible stay behind, then as few minutes as possible are driven.
///
/// Planned again, trips that have begun stay, promised boxes are brought first of all, and each that changes its van or laboratory
/// counts as so many minutes.
///
/// The problem has to be [valid](Problem::validate), and the published plan one [of it](super::check::fits).
pub fn solve(
    problem: &Problem,
    published: Option<&Published>,
    seed: u64,
    crew: &dyn Crew,
    keep_going: &(dyn Fn() -> bool + Sync),
    progress: &mut dyn FnMut(Progress),
) -> Plan {
    let setting = &Setting::new(problem, published);
    let hands = crew.hands().clamp(1, 64);
    let mut searches: Vec<Search> = (0..hands).map(|hand| Search::new(setting, Random::new(seed, hand as u64))).collect();
    let (mut best_cost, mut best) = ((i64::MAX, i64::MAX, i64::MAX), setting.start());
    let mut rounds = 0;
    loop {
        for search in &searches {
            if search.best_cost < best_cost {
                (best_cost, best) = (search.best_cost, search.best.clone());
                progress(Progress { rounds, tubes_unplaced: best_cost.1, driving_minutes: best_cost.2 });
            }
        }
        if problem.boxes.is_empty() || !keep_going() {
            let mut plan = write(setting, &best);
            plan.changes = published.map(|_| changes(setting, &best));
            return plan;
        }
        for search in searches.iter_mut().filter(|search| search.stale >= PATIENCE) {
            (search.current, search.current_cost, search.stale) = (best.clone(), best_cost, 0);
        }
        let jobs: Vec<Job> = searches.iter_mut().map(|search| Box::new(move || search.round()) as Job).collect();
        crew.run(jobs);
        rounds += 1;
    }
}

struct Search<'s> {
    setting: &'s Setting<'s>,
    random: Random,
    current: State,
    current_cost: Cost,
    best: State,
    best_cost: Cost,
    stale: u32,
}

impl<'s> Search<'s> {
    fn new(setting: &'s Setting<'s>, mut random: Random) -> Self {
        let mut first = setting.start();
        recreate(setting, &mut first, &mut random);
        let cost = cost(setting, &first).unwrap_or((i64::MAX, i64::MAX, i64::MAX));
        Self { setting, random, current: first.clone(), current_cost: cost, best: first, best_cost: cost, stale: 0 }
    }

    fn round(&mut self) {
        self.stale += 1;
        for _ in 0..ITERATIONS_PER_ROUND {
            let mut trial = self.current.clone();
            self.ruin(&mut trial);
            recreate(self.setting, &mut trial, &mut self.random);
            let Some(trial_cost) = cost(self.setting, &trial) else { continue };
            let bound = self.best_cost.2.saturating_add((self.best_cost.2 as f64 * DEVIATION * self.random.uniform()) as i64);
            if trial_cost <= (self.best_cost.0, self.best_cost.1, bound) || trial_cost <= self.current_cost {
                (self.current, self.current_cost) = (trial, trial_cost);
            }
            if self.current_cost < self.best_cost {
                (self.best, self.best_cost, self.stale) = (self.current.clone(), self.current_cost, 0);
            }
        }
    }

    /// Takes out a box and those most like it, or a whole trip.
    fn ruin(&mut self, state: &mut State) {
        let problem = self.setting.problem;
        let seed = self.random.below(problem.boxes.len());
        let mut order: Vec<usize> = (0..problem.boxes.len()).collect();
        if self.random.chance(0.3) {
            let same_trip = |trip: &&(usize, Vec<usize>)| trip.1.contains(&seed);
            order = state.tours.iter().flat_map(|tour| &tour.trips).find(same_trip).map_or(vec![seed], |trip| trip.1.clone());
        } else {
            let own = &problem.boxes[seed];
            order.sort_by_key(|other| {
                let other = &problem.boxes[*other];
                problem.minutes[own.place][other.place] + (own.ready - other.ready).abs() / 4
            });
            order.truncate(1 + self.random.below(TAKEN_MAX.min(order.len())));
        }
        order.retain(|one| !self.setting.has_begun(*one));
        for tour in &mut state.tours {
            for (_, boxes) in &mut tour.trips {
                boxes.retain(|one| !order.contains(one));
            }
            tour.trips.retain(|(_, boxes)| !boxes.is_empty());
        }
        state.left.retain(|one| !order.contains(one));
        state.left.extend(order);
        // Where a way around is shorter than the direct way, leaving out a stop can make a van late.
        for (van, tour) in state.tours.iter_mut().enumerate().filter(|(van, tour)| timeline(self.setting, *van, tour).is_none()) {
            let begun = self.setting.begun[van].trips.len();
            state.left.extend(tour.trips.drain(begun..).flat_map(|(_, boxes)| boxes));
        }
    }
}

/// Puts back who stays behind, each at its cheapest place, in a random kind of order.
fn recreate(setting: &Setting, state: &mut State, random: &mut Random) {
    let problem = setting.problem;
    let mut waiting = std::mem::take(&mut state.left);
    waiting.sort_unstable();
    match random.below(4) {
        0 => random.shuffle(&mut waiting),
        1 => waiting.sort_by_key(|one| -problem.boxes[*one].tubes),
        2 => waiting.sort_by_key(|one| problem.boxes[*one].ready),
        _ => waiting.sort_by_key(|one| problem.due(*one)),
    }
    waiting.sort_by_key(|one| setting.promised[*one].is_none());
    for one in waiting {
        match cheapest(setting, state, one, true, &mut || random.chance(BLINK_CHANCE)) {
            Some((van, tour)) => state.tours[van] = tour,
            None => state.left.push(one),
        }
    }
}

/// The tour that takes a box for the fewest more minutes of driving, with the intakes heeded or not; some places may be overlooked.
fn cheapest(setting: &Setting, state: &State, one: usize, heed_intake: bool, overlook: &mut dyn FnMut() -> bool) -> Option<(usize, Tour)> {
    let mut best: Option<(i64, usize, Tour)> = None;
    let arrivals: Vec<Vec<(usize, usize, i64)>> =
        state.tours.iter().enumerate().map(|(van, tour)| timeline(setting, van, tour).map_or(Vec::new(), |timeline| timeline.arrivals)).collect();
    for (van, tour) in state.tours.iter().enumerate() {
        let Some(before) = timeline(setting, van, tour) else { continue };
        for (laboratory, candidate) in candidates(setting, van, tour, one) {
            let Some(after) = timeline(setting, van, &candidate) else { continue };
            let moved = setting.promised[one].is_some_and(|promised| promised != (van, laboratory));
            let more = after.driving - before.driving + if moved { setting.change_minutes } else { 0 };
            if best.as_ref().is_some_and(|(known, ..)| *known <= more) || overlook() {
                continue;
            }
            let others = arrivals.iter().enumerate().filter(|(other, _)| *other != van).flat_map(|(_, arrivals)| arrivals);
            if !heed_intake || accession(setting.problem, others.chain(&after.arrivals).copied()).is_some() {
                best = Some((more, van, candidate));
            }
        }
    }
    best.map(|(_, van, tour)| (van, tour))
}

/// The box at every place of every trip that has not begun, and on a trip of its own to every laboratory; with the laboratory.
fn candidates<'a>(setting: &'a Setting, van: usize, tour: &'a Tour, one: usize) -> impl Iterator<Item = (usize, Tour)> + 'a {
    let begun = setting.begun[van].trips.len();
    let joined = tour.trips.iter().enumerate().skip(begun).flat_map(move |(trip, (laboratory, boxes))| {
        (0..=boxes.len()).map(move |at| {
            let mut longer = tour.clone();
            longer.trips[trip].1.insert(at, one);
            (*laboratory, longer)
        })
    });
    let alone = (begun..=tour.trips.len()).flat_map(move |trip| {
        (0..setting.problem.laboratories.len()).map(move |laboratory| {
            let mut longer = tour.clone();
            longer.trips.insert(trip, (laboratory, vec![one]));
            (laboratory, longer)
        })
    });
    joined.chain(alone)
}

/// Follows a van; `None` when it carries too much, is late somewhere, or brings a box too old.
fn timeline(setting: &Setting, van: usize, tour: &Tour) -> Option<Timeline> {
    let problem = setting.problem;
    let own = &problem.vans[van];
    let mut line = Timeline { driving: 0, arrivals: Vec::new(), trips: Vec::new() };
    let (mut clock, mut place) = (own.shift_starts, own.place);
    for (number, (laboratory, boxes)) in tour.trips.iter().enumerate() {
        if number >= setting.begun[van].trips.len() {
            clock = clock.max(setting.now);
        }
        let departs = clock;
        let mut tubes = 0;
        for index in boxes {
            let one = &problem.boxes[*index];
            let minutes = problem.minutes[place][one.place];
            line.driving += minutes;
            clock = (clock + minutes).max(one.ready) + one.load_minutes;
            place = one.place;
            tubes += one.tubes;
        }
        let target = &problem.laboratories[*laboratory];
        let minutes = problem.minutes[place][target.place];
        line.driving += minutes;
        clock = (clock + minutes).max(target.opens);
        if clock > target.closes || tubes > own.tubes_max {
            return None;
        }
        line.trips.push((departs, clock));
        clock += target.unload_minutes;
        place = target.place;
        if boxes.iter().any(|index| clock > problem.due(*index)) {
            return None;
        }
        line.arrivals.extend(boxes.iter().map(|index| (*index, *laboratory, clock)));
    }
    line.driving += problem.minutes[place][own.place];
    clock += problem.minutes[place][own.place];
    (clock <= own.shift_ends).then_some(line)
}

/// Gives every box a minute of accession: per laboratory and hour, who is there and soonest too old comes first. `None` when a box
/// would be too old.
fn accession(problem: &Problem, arrivals: impl Iterator<Item = (usize, usize, i64)>) -> Option<Vec<Delivery>> {
    let mut waiting: Vec<(usize, i64, usize)> = arrivals.map(|(index, laboratory, there)| (laboratory, there, index)).collect();
    waiting.sort_unstable();
    let mut deliveries = Vec::with_capacity(waiting.len());
    for group in waiting.chunk_by(|one, two| one.0 == two.0) {
        let intake = problem.laboratories[group[0].0].intake_per_hour;
        let mut queue: std::collections::BTreeSet<(i64, usize, i64)> = std::collections::BTreeSet::new();
        let (mut next, mut hour) = (0, group[0].1.div_euclid(60));
        while next < group.len() || !queue.is_empty() {
            if queue.is_empty() {
                hour = hour.max(group[next].1.div_euclid(60));
            }
            while next < group.len() && group[next].1.div_euclid(60) <= hour {
                queue.insert((problem.due(group[next].2), group[next].2, group[next].1));
                next += 1;
            }
            let mut room = intake;
            for (due, index, there) in queue.clone() {
                let tubes = problem.boxes[index].tubes;
                let accessioned = there.max(hour * 60);
                if accessioned > due || tubes > intake {
                    return None;
                }
                if tubes <= room {
                    room -= tubes;
                    queue.remove(&(due, index, there));
                    let age_minutes = accessioned - problem.boxes[index].swabbed;
                    deliveries.push(Delivery { box_: index, laboratory: group[0].0, accessioned, age_minutes });
                }
            }
            hour += 1;
        }
    }
    Some(deliveries)
}

/// `None` when the intakes cannot take what is brought.
fn cost(setting: &Setting, state: &State) -> Option<Cost> {
    let problem = setting.problem;
    let tubes = |promised: bool| state.left.iter().filter(|one| !promised || setting.promised[**one].is_some()).map(|one| problem.boxes[*one].tubes).sum();
    let lines: Option<Vec<Timeline>> = state.tours.iter().enumerate().map(|(van, tour)| timeline(setting, van, tour)).collect();
    let lines = lines?;
    accession(problem, lines.iter().flat_map(|line| &line.arrivals).copied())?;
    let changes = if setting.change_minutes == 0 { 0 } else { setting.moved(state).len() as i64 * setting.change_minutes };
    Some((tubes(true), tubes(false), lines.iter().map(|line| line.driving).sum::<i64>() + changes))
}

fn changes(setting: &Setting, state: &State) -> Changes {
    let mut left = state.left.clone();
    left.sort_unstable();
    Changes {
        trips_begun: setting.begun.iter().map(|tour| tour.trips.len()).sum(),
        moved: setting.moved(state),
        new: (0..setting.promised.len()).filter(|one| setting.promised[*one].is_none() && !left.contains(one)).collect(),
        broken: left.into_iter().filter(|one| setting.promised[*one].is_some()).collect(),
    }
}

fn write(setting: &Setting, state: &State) -> Plan {
    let problem = setting.problem;
    let mut plan = Plan::default();
    let mut arrivals = Vec::new();
    for (van, tour) in state.tours.iter().enumerate().filter(|(_, tour)| !tour.trips.is_empty()) {
        let Some(line) = timeline(setting, van, tour) else { continue };
        plan.driving_minutes += line.driving;
        arrivals.extend(line.arrivals);
        for ((laboratory, boxes), (departs, arrives)) in tour.trips.iter().zip(&line.trips) {
            plan.trips.push(Trip { van, boxes: boxes.clone(), laboratory: *laboratory, departs: *departs, arrives: *arrives });
        }
    }
    plan.deliveries = accession(problem, arrivals.into_iter()).unwrap_or_default();
    plan.deliveries.sort_by_key(|delivery| delivery.box_);
    let mut left = state.left.clone();
    left.sort_unstable();
    plan.unplaced = left.iter().map(|one| Unplaced { box_: *one, tubes: problem.boxes[*one].tubes, reason: why(setting, state, *one) }).collect();
    plan
}

fn why(setting: &Setting, state: &State, one: usize) -> Reason {
    let problem = setting.problem;
    let tubes_max = problem.vans.iter().map(|van| van.tubes_max).max().unwrap_or(0);
    if problem.boxes[one].tubes > tubes_max {
        return Reason::LargerThanEveryVan { tubes_max };
    }
    let late_minutes = soonest(setting, one).map_or(0, |soonest| soonest - problem.due(one));
    if late_minutes > 0 {
        return Reason::TooOld { late_minutes };
    }
    let nothing = State { tours: setting.begun.clone(), left: Vec::new() };
    if cheapest(setting, &nothing, one, false, &mut || false).is_none() {
        return Reason::NoShiftOrOpenLaboratory;
    }
    if cheapest(setting, state, one, false, &mut || false).is_some() { Reason::IntakeFull } else { Reason::VansBusy }
}

/// When the box could stand at an intake if nothing else had to be brought.
fn soonest(setting: &Setting, one: usize) -> Option<i64> {
    let problem = setting.problem;
    let own = &problem.boxes[one];
    let way = |van: &super::problem::Van, laboratory: &super::problem::Laboratory| {
        let collected = (van.shift_starts.max(setting.now) + problem.minutes[van.place][own.place]).max(own.ready) + own.load_minutes;
        (collected + problem.minutes[own.place][laboratory.place]).max(laboratory.opens) + laboratory.unload_minutes
    };
    problem.vans.iter().flat_map(|van| problem.laboratories.iter().map(move |laboratory| way(van, laboratory))).min()
}
