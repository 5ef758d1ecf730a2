//! A population of schedules, each the end of a tabu search, joined two by two: the way from one to another is walked part of the way and
//! searched from there (after Peng, Lü and Cheng 2015).
//!
//! A schedule's operations in the order of their starts are a sequence that keeps the order within jobs. Sorting by a weighted mean of
//! the ranks in two such sequences keeps it too, and every order on which both parents agree: a point on the way between them that
//! needs no repair.

use super::bound::lower_bound;
use super::plan::{Plan, Progress};
use super::schedule::{Layout, Schedule};
use super::shop::Shop;
use super::tabu::Tabu;
use crate::crew::{Crew, Job};
use crate::random::Random;

const POPULATION: usize = 30;
/// Iterations without anything better after which a tabu search ends; shops of many operations get fewer.
const PATIENCE: usize = 12_500;
const PATIENCE_WORK: usize = 10_000_000;
/// A hand whose search ends waits for the others at most so great a part of [`PATIENCE`].
const TURNS: u32 = 8;
/// Children in a row that changed nothing before everyone but the best is replaced by newcomers.
const STALE: usize = 60;
/// Schedules that differ in fewer neighbours on machines than this part are the same.
const SAME: f64 = 0.02;

/// Plans until `keep_going` says no, or no shorter schedule exists. It is asked once per round, in which every hand runs a part of
/// its tabu search; the plan depends on the shop, the seed, the number of hands and the number of rounds, never on timing.
pub fn solve(shop: &Shop, seed: u64, crew: &dyn Crew, keep_going: &(dyn Fn() -> bool + Sync), progress: &mut dyn FnMut(Progress)) -> Plan {
    let layout = Layout::new(shop);
    if layout.count == 0 {
        return Plan { makespan: 0, starts: vec![Vec::new(); shop.jobs.len()], machines: None, bound: 0 };
    }
    let bound = lower_bound(shop);
    let patience = (PATIENCE_WORK / layout.count.max(1)).clamp(200, PATIENCE) as u32;
    let hands = crew.hands().clamp(1, 64);
    let mut random = Random::new(seed, 0);
    let mut best = dispatch(&layout, &mut random);
    let mut searches: Vec<Tabu> = (0..hands).map(|hand| Tabu::new(&layout, Random::new(seed, 1 + hand as u64), &best)).collect();
    let mut population = Population { members: Vec::new(), stale: 0 };
    let mut rounds = 0;
    while i64::from(best.makespan) > bound && keep_going() {
        for search in searches.iter_mut().filter(|search| search.done()) {
            search.begin(population.start(&layout, &mut random));
        }
        let jobs = searches.iter_mut().map(|search| Box::new(move || search.advance(patience / TURNS, patience, bound as i32)) as Job);
        crew.run(jobs.collect());
        rounds += 1;
        for search in &searches {
            if search.best().makespan < best.makespan {
                best.clone_from(search.best());
                progress(Progress { rounds, makespan: i64::from(best.makespan), bound });
            }
            if search.done() {
                population.admit(&layout, search.best().clone());
            }
        }
    }
    best.plan(&layout, bound)
}

struct Population {
    members: Vec<Schedule>,
    stale: usize,
}

impl Population {
    /// Where the next search starts: a newcomer while there are too few, else a child of two members.
    fn start(&mut self, layout: &Layout, random: &mut Random) -> Schedule {
        if self.members.len() < POPULATION {
            return dispatch(layout, random);
        }
        let one = random.below(self.members.len());
        let other = (one + 1 + random.below(self.members.len() - 1)) % self.members.len();
        between(layout, &self.members[one], &self.members[other], random)
    }

    fn admit(&mut self, layout: &Layout, end: Schedule) {
        let growing = self.members.len() < POPULATION;
        let twin = self.members.iter().position(|member| difference(layout, member, &end) < SAME);
        let worst = (0..self.members.len()).max_by_key(|at| self.members[*at].makespan).unwrap_or(0);
        self.stale += 1;
        match twin {
            Some(at) if end.makespan < self.members[at].makespan => {
                self.members[at] = end;
                self.stale = 0;
            }
            Some(_) => {}
            None if growing => {
                self.members.push(end);
                self.stale = 0;
            }
            None if end.makespan < self.members[worst].makespan => {
                self.members[worst] = end;
                self.stale = 0;
            }
            None => {}
        }
        if self.stale >= STALE {
            self.members.sort_by_key(|member| member.makespan);
            self.members.truncate(1);
            self.stale = 0;
        }
    }
}

/// Part of the operations that stand behind different ones.
fn difference(layout: &Layout, one: &Schedule, other: &Schedule) -> f64 {
    let apart = (0..layout.count).filter(|at| one.before[*at] != other.before[*at] || one.machine[*at] != other.machine[*at]).count();
    apart as f64 / layout.count.max(1) as f64
}

/// A point on the way between two schedules, somewhere in its middle third; of machines, each operation's comes from either.
fn between(layout: &Layout, one: &Schedule, other: &Schedule, random: &mut Random) -> Schedule {
    let ranks = |schedule: &Schedule| {
        let mut sequence: Vec<u32> = schedule.sequence().to_vec();
        sequence.sort_by_key(|at| (schedule.start[*at as usize], schedule.end[*at as usize]));
        let order = if keeps_jobs(layout, &sequence) { &sequence } else { schedule.sequence() };
        let mut ranks = vec![0.0; layout.count];
        for (rank, at) in order.iter().enumerate() {
            ranks[*at as usize] = rank as f64;
        }
        ranks
    };
    let share = (1.0 + random.uniform()) / 3.0;
    let keys: Vec<f64> = ranks(one).into_iter().zip(ranks(other)).map(|(first, second)| (1.0 - share) * first + share * second).collect();
    let mut sequence: Vec<u32> = (0..layout.count as u32).collect();
    sequence.sort_by(|first, second| keys[*first as usize].total_cmp(&keys[*second as usize]));
    let choice: Vec<u32> = (0..layout.count)
        .map(|at| {
            let from = if random.chance(share) { other } else { one };
            layout.choices[at].iter().position(|(machine, _)| *machine == from.machine[at]).unwrap_or(0) as u32
        })
        .collect();
    Schedule::from_sequence(layout, &sequence, &choice)
}

/// Operations without duration may tie with their successors.
fn keeps_jobs(layout: &Layout, sequence: &[u32]) -> bool {
    let mut seen = vec![false; layout.count + 1];
    seen[layout.count] = true;
    sequence.iter().all(|at| {
        seen[*at as usize] = true;
        seen[layout.job_before[*at as usize] as usize]
    })
}

/// Jobs in a random order of turns, each operation on the machine that ends it first.
fn dispatch(layout: &Layout, random: &mut Random) -> Schedule {
    let mut turns: Vec<usize> = layout.shop.jobs.iter().enumerate().flat_map(|(job, operations)| vec![job; operations.len()]).collect();
    random.shuffle(&mut turns);
    let mut next: Vec<usize> = layout.shop.jobs.iter().scan(0, |sum, job| Some(std::mem::replace(sum, *sum + job.len()))).collect();
    let mut job_free = vec![0_i64; layout.shop.jobs.len()];
    let mut machine_free = vec![0_i64; layout.shop.machines];
    let (mut sequence, mut choice) = (Vec::with_capacity(layout.count), vec![0; layout.count]);
    for job in turns {
        let at = next[job];
        next[job] += 1;
        let ends = |(machine, duration): &(u32, i32)| machine_free[*machine as usize].max(job_free[job]) + i64::from(*duration);
        let chosen = (0..layout.choices[at].len()).min_by_key(|one| ends(&layout.choices[at][*one])).unwrap_or(0);
        let end = ends(&layout.choices[at][chosen]);
        job_free[job] = end;
        machine_free[layout.choices[at][chosen].0 as usize] = end;
        sequence.push(at as u32);
        choice[at] = chosen as u32;
    }
    Schedule::from_sequence(layout, &sequence, &choice)
}
