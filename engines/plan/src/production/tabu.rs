//! Tabu search over the moves of [`super::moves`]: the best estimate that does not undo what was just done.

use super::moves::{Move, Neighbourhood};
use super::schedule::{Layout, Schedule};
use crate::random::Random;

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
    at: Schedule,
    best: Schedule,
    now: u32,
    last_better: u32,
    done: bool,
    tenure: usize,
    slots: Vec<usize>,
}

impl<'l> Tabu<'l> {
    /// A search that still has to [`Self::begin`].
    pub(super) fn new(layout: &'l Layout<'l>, random: Random, idle: &Schedule) -> Self {
        let machines = layout.shop.machines.max(1);
        let assignments = if layout.shop.flexible() { (layout.count * machines).min(TABLE_MAX) } else { 0 };
        Self {
            layout,
            random,
            neighbourhood: Neighbourhood::default(),
            orders: vec![0; (layout.count * layout.count).clamp(1, TABLE_MAX)],
            assignments: vec![0; assignments],
            at: idle.clone(),
            best: idle.clone(),
            now: 1,
            last_better: 1,
            done: true,
            tenure: 10 + layout.shop.jobs.len() / machines,
            slots: Vec::new(),
        }
    }

    /// Starts anew from a schedule, forgetting what was forbidden.
    pub(super) fn begin(&mut self, start: Schedule) {
        self.orders.fill(0);
        self.assignments.fill(0);
        self.now = 1;
        self.last_better = self.now;
        self.best.clone_from(&start);
        self.at = start;
        self.done = false;
    }

    /// Searches on for so many iterations, or until so many in a row bring nothing better, or the makespan reaches the bound.
    pub(super) fn advance(&mut self, iterations: u32, patience: u32, bound: i32) {
        for _ in 0..iterations {
            self.done |= self.now - self.last_better >= patience || self.best.makespan <= bound;
            if self.done {
                return;
            }
            self.now += 1;
            self.neighbourhood.collect(self.layout, &self.at, &mut self.random);
            let Some(chosen) = self.choose() else {
                self.done = true;
                return;
            };
            self.forbid(chosen);
            if !self.at.relocate(self.layout, chosen.operation, chosen.machine, chosen.behind) {
                self.forbid_for_good(chosen);
                continue;
            }
            if self.at.makespan < self.best.makespan {
                self.best.clone_from(&self.at);
                self.last_better = self.now;
            }
        }
    }

    /// The best schedule since the start.
    pub(super) fn best(&self) -> &Schedule {
        &self.best
    }

    /// Whether the search came to its end.
    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// The best allowed or record-breaking move; any move when all are forbidden.
    fn choose(&mut self) -> Option<Move> {
        let record = self.best.makespan;
        let moves = std::mem::take(&mut self.neighbourhood.moves);
        let mut chosen: Option<Move> = None;
        let mut ties = 0;
        for one in &moves {
            if chosen.is_some_and(|chosen| chosen.estimate < one.estimate) || (one.estimate >= record && self.forbidden(*one)) {
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
    fn any_order(&self, one: Move, made: bool, mut visit: impl FnMut(usize) -> bool) -> bool {
        let (at, none) = (&self.at, self.layout.none);
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

    fn forbidden(&self, one: Move) -> bool {
        if one.machine != self.at.machine[one.operation as usize] {
            return self.assignments[self.assignment_slot(one.operation, one.machine)] > self.now;
        }
        self.any_order(one, true, |slot| self.orders[slot] > self.now)
    }

    fn forbid(&mut self, one: Move) {
        let until = self.now + (self.tenure + self.random.below(self.tenure)) as u32;
        let old = self.at.machine[one.operation as usize];
        if one.machine == old {
            self.write_orders(one, false, until);
        } else {
            let slot = self.assignment_slot(one.operation, old);
            self.assignments[slot] = until;
        }
    }

    /// A move that closed a cycle is not tried again in this search.
    fn forbid_for_good(&mut self, one: Move) {
        if one.machine == self.at.machine[one.operation as usize] {
            self.write_orders(one, true, u32::MAX);
        } else {
            let slot = self.assignment_slot(one.operation, one.machine);
            self.assignments[slot] = u32::MAX;
        }
    }

    fn write_orders(&mut self, one: Move, made: bool, until: u32) {
        let mut slots = std::mem::take(&mut self.slots);
        self.any_order(one, made, |slot| {
            slots.push(slot);
            false
        });
        for slot in slots.drain(..) {
            self.orders[slot] = until;
        }
        self.slots = slots;
    }
}
