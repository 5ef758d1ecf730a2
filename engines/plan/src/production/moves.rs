//! Which operations may move where, and about how long the schedule then takes.
//!
//! Within a machine: neighbourhood N7 of Zhang, Li, Guan and Rao (2007) on the blocks of one critical path, with the acyclicity
//! conditions and the estimate of Balas and Vazacopoulos (1998). To another machine: any place that cannot close a cycle
//! (Mastrolilli and Gambardella 2000).

use super::schedule::{Layout, Schedule};
use crate::routes::random::Random;

/// An operation to be put behind another (`none`: first) on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub operation: u32,
    pub machine: u32,
    pub behind: u32,
    /// Estimated longest path through what moves.
    pub estimate: i32,
}

/// Collects moves; keeps its lists between calls.
#[derive(Debug, Default)]
pub(super) struct Neighbourhood {
    pub moves: Vec<Move>,
    path: Vec<u32>,
    heads: Vec<i32>,
}

impl Neighbourhood {
    /// All moves on the blocks of one critical path, which is drawn where it forks.
    pub(super) fn collect(&mut self, layout: &Layout, schedule: &Schedule, random: &mut Random) {
        self.moves.clear();
        self.draw_path(layout, schedule, random);
        let path = std::mem::take(&mut self.path);
        for block in path.chunk_by(|one, two| schedule.machine[*one as usize] == schedule.machine[*two as usize]) {
            self.within(layout, schedule, block);
        }
        for operation in &path {
            if layout.choices[*operation as usize].len() > 1 {
                self.elsewhere(layout, schedule, *operation);
            }
        }
        self.path = path;
    }

    fn draw_path(&mut self, layout: &Layout, schedule: &Schedule, random: &mut Random) {
        self.path.clear();
        let mut ends = 0;
        let mut at = layout.none;
        for operation in layout.last.iter().filter(|last| schedule.end[**last as usize] == schedule.makespan) {
            ends += 1;
            if random.below(ends) == 0 {
                at = *operation;
            }
        }
        while at != layout.none {
            self.path.push(at);
            let start = schedule.start[at as usize];
            if start == 0 {
                break;
            }
            let (job, machine) = (layout.job_before[at as usize], schedule.before[at as usize]);
            let by_job = job != layout.none && schedule.end[job as usize] == start;
            let by_machine = machine != layout.none && schedule.end[machine as usize] == start;
            at = if by_job && (!by_machine || random.below(2) == 0) { job } else { machine };
        }
        self.path.reverse();
    }

    fn within(&mut self, layout: &Layout, schedule: &Schedule, block: &[u32]) {
        let &[first, .., last] = block else { return };
        for pair in block.windows(2) {
            let [one, two] = [pair[0], pair[1]];
            self.forward(layout, schedule, one, last);
            if one != first {
                self.backward(layout, schedule, one, first);
            }
            if two != last {
                self.forward(layout, schedule, first, two);
            }
            if one != first && two != last {
                self.backward(layout, schedule, last, one);
            }
        }
        if block.len() > 2 {
            self.backward(layout, schedule, last, first);
            self.backward(layout, schedule, last, block[block.len() - 2]);
        }
    }

    /// `one` right behind `two`, which comes later.
    fn forward(&mut self, layout: &Layout, schedule: &Schedule, one: u32, two: u32) {
        if schedule.rest[two as usize] < schedule.rest[layout.job_after[one as usize] as usize] {
            return;
        }
        let (from, to) = (one as usize, two as usize);
        self.heads.clear();
        let mut free = schedule.end[schedule.before[from] as usize];
        let mut at = schedule.after[from];
        loop {
            let start = free.max(schedule.end[layout.job_before[at as usize] as usize]);
            self.heads.push(start);
            free = start + schedule.duration[at as usize];
            if at == two {
                break;
            }
            at = schedule.after[at as usize];
        }
        let start = free.max(schedule.end[layout.job_before[from] as usize]);
        let mut rest = schedule.duration[from] + schedule.rest[layout.job_after[from] as usize].max(schedule.rest[schedule.after[to] as usize]);
        let mut estimate = start + rest;
        let mut at = two;
        for head in self.heads.iter().rev() {
            rest = schedule.duration[at as usize] + rest.max(schedule.rest[layout.job_after[at as usize] as usize]);
            estimate = estimate.max(head + rest);
            at = schedule.before[at as usize];
        }
        self.moves.push(Move { operation: one, machine: schedule.machine[from], behind: two, estimate });
    }

    /// `two` right before `one`, which comes earlier.
    fn backward(&mut self, layout: &Layout, schedule: &Schedule, two: u32, one: u32) {
        if schedule.end[one as usize] < schedule.end[layout.job_before[two as usize] as usize] {
            return;
        }
        let (from, to) = (two as usize, one as usize);
        self.heads.clear();
        let mut rest = schedule.rest[schedule.after[from] as usize];
        let mut at = schedule.before[from];
        loop {
            rest = schedule.duration[at as usize] + rest.max(schedule.rest[layout.job_after[at as usize] as usize]);
            self.heads.push(rest);
            if at == one {
                break;
            }
            at = schedule.before[at as usize];
        }
        let own = schedule.duration[from];
        let start = schedule.end[schedule.before[to] as usize].max(schedule.end[layout.job_before[from] as usize]);
        let mut estimate = start + own + rest.max(schedule.rest[layout.job_after[from] as usize]);
        let mut free = start + own;
        let mut at = one;
        for rest in self.heads.iter().rev() {
            let start = free.max(schedule.end[layout.job_before[at as usize] as usize]);
            estimate = estimate.max(start + rest);
            free = start + schedule.duration[at as usize];
            at = schedule.after[at as usize];
        }
        self.moves.push(Move { operation: two, machine: schedule.machine[from], behind: schedule.before[to], estimate });
    }

    /// To every place of the other machines where nothing before waits for what follows the operation, and the other way round.
    fn elsewhere(&mut self, layout: &Layout, schedule: &Schedule, operation: u32) {
        let at = operation as usize;
        let (job_before, job_after) = (layout.job_before[at], layout.job_after[at]);
        let (has_before, has_after) = (job_before != layout.none, job_after != layout.none);
        let (ready, due) = (schedule.end[job_before as usize], schedule.rest[job_after as usize]);
        let ready_start = schedule.start[job_before as usize];
        let due_rest = due - schedule.duration[job_after as usize];
        for (machine, duration) in layout.choices[at].iter().filter(|(machine, _)| *machine != schedule.machine[at]) {
            let (mut behind, mut next) = (layout.none, schedule.first[*machine as usize]);
            loop {
                let before_is_free = behind == layout.none || !has_after || (behind != job_after && schedule.rest[behind as usize] > due_rest);
                let next_is_free = next == layout.none || !has_before || (next != job_before && schedule.end[next as usize] > ready_start);
                if !before_is_free {
                    break;
                }
                if next_is_free {
                    let start = ready.max(schedule.end[behind as usize]);
                    let estimate = start + duration + due.max(schedule.rest[next as usize]);
                    self.moves.push(Move { operation, machine: *machine, behind, estimate });
                }
                if next == layout.none {
                    break;
                }
                (behind, next) = (next, schedule.after[next as usize]);
            }
        }
    }
}
