//! Tabu search over the moves of [`super::moves`]: the best estimate that does not undo what was just done.

use super::moves::{Move, Neighbourhood};
use super::schedule::{Layout, Schedule};
use crate::routes::random::Random;

/// Largest table of forbidden orders; beyond it pairs share entries.
const TABLE_MAX: usize = 1 << 22;

/// One hand's search with its memory.
#[derive(Debug)]
pub(super) struct Tabu<'l> {
    layout: &'l Layout<'l>,
    pub random: Random,
    neighbourhood: Neighbourhood,
    /// Until which iteration the first operation may not come before the second on their machine.
    orders: Vec<u32>,
    /// Until which iteration an operation may not go to a machine.
    assignments: Vec<u32>,
    now: u32,
    tenure: usize,
    slots: Vec<usize>,
}

impl<'l> Tabu<'l> {
    pub(super) fn new(layout: &'l Layout<'l>, random: Random) -> Self {
        let machines = layout.shop.machines.max(1);
        let assignments = if layout.shop.flexible() { (layout.count * machines).min(TABLE_MAX) } else { 0 };
        Self {
            layout,
            random,
            neighbourhood: Neighbourhood::default(),
            orders: vec![0; (layout.count * layout.count).clamp(1, TABLE_MAX)],
            assignments: vec![0; assignments],
            now: 0,
            tenure: 10 + layout.shop.jobs.len() / machines,
            slots: Vec::new(),
        }
    }

    /// Searches until so many iterations bring nothing better, or the makespan reaches the bound. Returns the best schedule.
    pub(super) fn improve(&mut self, start: Schedule, patience: u32, bound: i32) -> Schedule {
        self.orders.fill(0);
        self.assignments.fill(0);
        self.now = 1;
        let mut best = start.clone();
        let mut at = start;
        let mut last_better = self.now;
        while self.now - last_better < patience && best.makespan > bound {
            self.now += 1;
            self.neighbourhood.collect(self.layout, &at, &mut self.random);
            let Some(chosen) = self.choose(&at, best.makespan) else { break };
            self.forbid(&at, chosen);
            if !at.relocate(self.layout, chosen.operation, chosen.machine, chosen.behind) {
                self.forbid_for_good(&at, chosen);
                continue;
            }
            if at.makespan < best.makespan {
                best.clone_from(&at);
                last_better = self.now;
            }
        }
        best
    }

    /// The best allowed or record-breaking move; any move when all are forbidden.
    fn choose(&mut self, at: &Schedule, record: i32) -> Option<Move> {
        let moves = std::mem::take(&mut self.neighbourhood.moves);
        let mut chosen: Option<Move> = None;
        let mut ties = 0;
        for one in &moves {
            if chosen.is_some_and(|chosen| chosen.estimate < one.estimate) || (one.estimate >= record && self.forbidden(at, *one)) {
                continue;
            }
            ties = if chosen.is_some_and(|chosen| chosen.estimate == one.estimate) { ties + 1 } else { 1 };
            if self.random.below(ties) == 0 {
                chosen = Some(*one);
            }
        }
        if chosen.is_none() && !moves.is_empty() {
            chosen = Some(moves[self.random.below(moves.len())]);
        }
        self.neighbourhood.moves = moves;
        chosen
    }

    fn order_slot(&self, first: u32, second: u32) -> usize {
        (first as usize * self.layout.count + second as usize) % self.orders.len()
    }

    /// Visits the entries of the orders that a move within a machine makes (`made`) or unmakes, until one answers true.
    fn any_order(&self, at: &Schedule, one: Move, made: bool, mut visit: impl FnMut(usize) -> bool) -> bool {
        let none = self.layout.none;
        let forward = one.behind != none && at.start[one.behind as usize] >= at.start[one.operation as usize];
        let forward = forward && one.behind != at.before[one.operation as usize];
        let steps = if forward { &at.after } else { &at.before };
        let mut other = steps[one.operation as usize];
        while other != none && (forward || other != one.behind) {
            let slot = if forward == made { self.order_slot(other, one.operation) } else { self.order_slot(one.operation, other) };
            if visit(slot) {
                return true;
            }
            if forward && other == one.behind {
                break;
            }
            other = steps[other as usize];
        }
        false
    }

    fn assignment_slot(&self, operation: u32, machine: u32) -> usize {
        (operation as usize * self.layout.shop.machines + machine as usize) % self.assignments.len()
    }

    fn forbidden(&self, at: &Schedule, one: Move) -> bool {
        if one.machine != at.machine[one.operation as usize] {
            return self.assignments[self.assignment_slot(one.operation, one.machine)] > self.now;
        }
        self.any_order(at, one, true, |slot| self.orders[slot] > self.now)
    }

    fn forbid(&mut self, at: &Schedule, one: Move) {
        let until = self.now + (self.tenure + self.random.below(self.tenure)) as u32;
        let old = at.machine[one.operation as usize];
        if one.machine == old {
            self.write_orders(at, one, false, until);
        } else {
            let slot = self.assignment_slot(one.operation, old);
            self.assignments[slot] = until;
        }
    }

    /// A move that closed a cycle is not tried again in this search.
    fn forbid_for_good(&mut self, at: &Schedule, one: Move) {
        if one.machine == at.machine[one.operation as usize] {
            self.write_orders(at, one, true, u32::MAX);
        } else {
            let slot = self.assignment_slot(one.operation, one.machine);
            self.assignments[slot] = u32::MAX;
        }
    }

    fn write_orders(&mut self, at: &Schedule, one: Move, made: bool, until: u32) {
        let mut slots = std::mem::take(&mut self.slots);
        self.any_order(at, one, made, |slot| {
            slots.push(slot);
            false
        });
        for slot in slots.drain(..) {
            self.orders[slot] = until;
        }
        self.slots = slots;
    }
}
