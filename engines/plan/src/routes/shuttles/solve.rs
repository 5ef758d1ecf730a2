//! Ruin and recreate (Schrimpf et al. 2000; Ropke and Pisinger 2006 for pick-up and delivery): some groups that are alike in place and time
//! are taken out and put back where they cost the fewest minutes; slightly worse plans are followed for a while (Dueck 1993).

use super::plan::{Plan, Progress, Reason, Stop, Tour, Unplaced};
use super::problem::Problem;
use crate::crew::{Crew, Job};
use crate::random::Random;

const TRIALS_PER_ROUND: u32 = 50;
const TAKEN_MAX: usize = 10;
const BLINK_CHANCE: f64 = 0.1;
const DEVIATION: f64 = 0.02;
/// Rounds without anything better after which a hand goes on from the best plan of all.
const PATIENCE: u32 = 20;

/// A group boards (`true`) or leaves.
type Visit = (usize, bool);

#[derive(Debug, Clone)]
struct State {
    tours: Vec<Vec<Visit>>,
    left: Vec<usize>,
}

/// People left, minutes driven.
type Cost = (i64, i64);

/// Plans until `keep_going` says no; it is asked once per round. The plan depends on the problem, the seed, the number of hands and the
/// number of rounds, never on timing. First as few people as possible are left, then as few minutes as possible are driven.
///
/// The problem has to be [valid](Problem::validate).
pub fn solve(problem: &Problem, seed: u64, crew: &dyn Crew, keep_going: &(dyn Fn() -> bool + Sync), progress: &mut dyn FnMut(Progress)) -> Plan {
    let mut searches: Vec<Search> = (0..crew.hands().clamp(1, 64)).map(|hand| Search::new(problem, Random::new(seed, hand as u64))).collect();
    let (mut best_cost, mut best) = (searches[0].best_cost, searches[0].best.clone());
    loop {
        for search in &searches {
            if search.best_cost < best_cost {
                (best_cost, best) = (search.best_cost, search.best.clone());
                progress(Progress { people_unplaced: best_cost.0, driving_minutes: best_cost.1 });
            }
        }
        if problem.groups.is_empty() || !keep_going() {
            return write(problem, &best);
        }
        for search in searches.iter_mut().filter(|search| search.stale >= PATIENCE) {
            (search.current, search.current_cost, search.stale) = (best.clone(), best_cost, 0);
        }
        crew.run(searches.iter_mut().map(|search| Box::new(move || search.round()) as Job).collect());
    }
}

struct Search<'p> {
    problem: &'p Problem,
    random: Random,
    current: State,
    current_cost: Cost,
    best: State,
    best_cost: Cost,
    stale: u32,
}

impl<'p> Search<'p> {
    fn new(problem: &'p Problem, mut random: Random) -> Self {
        let mut first = State { tours: vec![Vec::new(); problem.buses.len()], left: (0..problem.groups.len()).collect() };
        recreate(problem, &mut first, &mut random);
        let cost = cost(problem, &first);
        Self { problem, random, current: first.clone(), current_cost: cost, best: first, best_cost: cost, stale: 0 }
    }

    fn round(&mut self) {
        self.stale += 1;
        for _ in 0..TRIALS_PER_ROUND {
            let mut trial = self.current.clone();
            self.ruin(&mut trial);
            recreate(self.problem, &mut trial, &mut self.random);
            let trial_cost = cost(self.problem, &trial);
            let bound = self.best_cost.1 + (self.best_cost.1 as f64 * DEVIATION * self.random.uniform()) as i64;
            if trial_cost <= (self.best_cost.0, bound) || trial_cost <= self.current_cost {
                (self.current, self.current_cost) = (trial, trial_cost);
            }
            if self.current_cost < self.best_cost {
                (self.best, self.best_cost, self.stale) = (self.current.clone(), self.current_cost, 0);
            }
        }
    }

    /// Takes out a group and those most like it, or all of a bus.
    fn ruin(&mut self, state: &mut State) {
        let problem = self.problem;
        let seed = self.random.below(problem.groups.len());
        let mut out: Vec<usize> = (0..problem.groups.len()).collect();
        if self.random.chance(0.3) {
            let with = state.tours.iter().find(|tour| tour.contains(&(seed, true)));
            out = with.map_or(vec![seed], |tour| tour.iter().filter(|(_, boards)| *boards).map(|(group, _)| *group).collect());
        } else {
            let own = &problem.groups[seed];
            out.sort_by_key(|other| {
                let other = &problem.groups[*other];
                problem.minutes[own.from][other.from] + problem.minutes[own.to][other.to] + (own.ready - other.ready).abs() / 4
            });
            out.truncate(1 + self.random.below(TAKEN_MAX.min(out.len())));
        }
        for (bus, tour) in state.tours.iter_mut().enumerate() {
            tour.retain(|(group, _)| !out.contains(group));
            // Where a way around is shorter than the direct way, leaving out a stop can make a bus late.
            if follow(problem, bus, tour).is_none() {
                out.extend(tour.drain(..).filter(|(_, boards)| *boards).map(|(group, _)| group));
            }
        }
        state.left.extend(out);
        state.left.sort_unstable();
        state.left.dedup();
    }
}

fn recreate(problem: &Problem, state: &mut State, random: &mut Random) {
    let mut waiting = std::mem::take(&mut state.left);
    waiting.sort_unstable();
    match random.below(4) {
        0 => random.shuffle(&mut waiting),
        1 => waiting.sort_by_key(|group| -problem.groups[*group].people),
        2 => waiting.sort_by_key(|group| problem.groups[*group].due),
        _ => waiting.sort_by_key(|group| problem.groups[*group].due - problem.groups[*group].ready),
    }
    for group in waiting {
        match cheapest(problem, &state.tours, group, &mut || random.chance(BLINK_CHANCE)) {
            Some((bus, tour)) => state.tours[bus] = tour,
            None => state.left.push(group),
        }
    }
}

/// The bus and tour that take a group for the fewest more minutes; some places may be overlooked.
fn cheapest(problem: &Problem, tours: &[Vec<Visit>], group: usize, overlook: &mut dyn FnMut() -> bool) -> Option<(usize, Vec<Visit>)> {
    let mut best: Option<(i64, usize, Vec<Visit>)> = None;
    for (bus, tour) in tours.iter().enumerate() {
        let Some(before) = follow(problem, bus, tour) else { continue };
        for boards in 0..=tour.len() {
            let mut with = tour.clone();
            with.insert(boards, (group, true));
            for leaves in boards + 1..=with.len() {
                with.insert(leaves, (group, false));
                let more = follow(problem, bus, &with).map(|driving| driving - before);
                let better = more.filter(|more| best.as_ref().is_none_or(|(known, ..)| more < known));
                if let Some(more) = better.filter(|_| !overlook()) {
                    best = Some((more, bus, with.clone()));
                }
                with.remove(leaves);
            }
        }
    }
    best.map(|(_, bus, tour)| (bus, tour))
}

/// Minutes driven; `None` when somebody is late or rides too long, seats lack, or the shift is over.
fn follow(problem: &Problem, bus: usize, tour: &[Visit]) -> Option<i64> {
    let mut told = |_, _, _| ();
    follow_and_tell(problem, bus, tour, &mut told)
}

fn follow_and_tell(problem: &Problem, bus: usize, tour: &[Visit], tell: &mut dyn FnMut(usize, bool, i64)) -> Option<i64> {
    let own = &problem.buses[bus];
    let (mut clock, mut place, mut driving, mut taken) = (own.shift_starts, own.place, 0, 0);
    let mut boarded: Vec<(usize, i64)> = Vec::new();
    for (index, boards) in tour {
        let group = &problem.groups[*index];
        let next = if *boards { group.from } else { group.to };
        driving += problem.minutes[place][next];
        clock += problem.minutes[place][next];
        place = next;
        if *boards {
            clock = clock.max(group.ready);
            tell(*index, true, clock);
            boarded.push((*index, clock));
            clock += group.board_minutes;
            taken += group.people;
            if taken > own.seats || clock > group.due {
                return None;
            }
        } else {
            tell(*index, false, clock);
            let at = boarded.iter().position(|(other, _)| other == index)?;
            let (_, since) = boarded.swap_remove(at);
            taken -= group.people;
            if clock > group.due || clock - since > group.ride_minutes_max {
                return None;
            }
        }
    }
    driving += problem.minutes[place][own.place];
    (clock + problem.minutes[place][own.place] <= own.shift_ends).then_some(driving)
}

fn cost(problem: &Problem, state: &State) -> Cost {
    let people = state.left.iter().map(|group| problem.groups[*group].people).sum();
    (people, state.tours.iter().enumerate().filter_map(|(bus, tour)| follow(problem, bus, tour)).sum())
}

fn write(problem: &Problem, state: &State) -> Plan {
    let mut plan = Plan::default();
    for (bus, tour) in state.tours.iter().enumerate().filter(|(_, tour)| !tour.is_empty()) {
        let mut stops = Vec::new();
        let mut tell = |group: usize, boards, minute| stops.push(Stop { group: problem.groups[group].id.clone(), boards, minute });
        plan.driving_minutes += follow_and_tell(problem, bus, tour, &mut tell).unwrap_or(0);
        plan.tours.push(Tour { bus: problem.buses[bus].id.clone(), stops });
    }
    for group in &state.left {
        let own = &problem.groups[*group];
        plan.unplaced.push(Unplaced { group: own.id.clone(), people: own.people, reason: why(problem, state, *group) });
    }
    plan
}

fn why(problem: &Problem, state: &State, group: usize) -> Reason {
    let own = &problem.groups[group];
    let seats_max = problem.buses.iter().map(|bus| bus.seats).max().unwrap_or(0);
    if own.people > seats_max {
        return Reason::LargerThanEveryBus { seats_max };
    }
    let minutes = own.board_minutes + problem.minutes[own.from][own.to];
    if own.ready + minutes > own.due || minutes > own.ride_minutes_max {
        return Reason::TooFar { minutes };
    }
    let nothing = vec![Vec::new(); problem.buses.len()];
    if cheapest(problem, &nothing, group, &mut || false).is_none() {
        return Reason::NoBusInTime;
    }
    debug_assert!(state.left.contains(&group));
    Reason::BusesBusy
}
