//! A semi-active schedule: the order of operations on every machine, with the longest paths to and from every operation.

use super::plan::Plan;
use super::shop::Shop;

/// What does not change during the search. Operations are numbered job by job; the number behind the last stands for "none".
#[derive(Debug)]
pub(super) struct Layout<'s> {
    pub shop: &'s Shop,
    pub count: usize,
    pub none: u32,
    pub job_before: Vec<u32>,
    pub job_after: Vec<u32>,
    /// Of every job its last operation.
    pub last: Vec<u32>,
    /// (machine, duration) per operation.
    pub choices: Vec<Vec<(u32, i32)>>,
}

impl<'s> Layout<'s> {
    pub(super) fn new(shop: &'s Shop) -> Self {
        let count = shop.operations();
        let none = count as u32;
        let mut layout = Self { shop, count, none, job_before: vec![none; count + 1], job_after: vec![none; count + 1], last: Vec::new(), choices: Vec::new() };
        for job in &shop.jobs {
            for (step, alternatives) in job.iter().enumerate() {
                let at = layout.choices.len();
                if step > 0 {
                    layout.job_before[at] = at as u32 - 1;
                    layout.job_after[at - 1] = at as u32;
                }
                layout.choices.push(alternatives.iter().map(|one| (one.machine as u32, one.duration)).collect());
            }
            if !job.is_empty() {
                layout.last.push(layout.choices.len() as u32 - 1);
            }
        }
        layout
    }
}

#[derive(Debug, Clone)]
pub(super) struct Schedule {
    pub machine: Vec<u32>,
    pub duration: Vec<i32>,
    pub before: Vec<u32>,
    pub after: Vec<u32>,
    /// First operation per machine.
    pub first: Vec<u32>,
    /// Start and end as early as possible.
    pub start: Vec<i32>,
    pub end: Vec<i32>,
    /// From the start of the operation to the end of everything that must follow.
    pub rest: Vec<i32>,
    pub makespan: i32,
    /// All operations, each behind those it follows, and where each stands.
    order: Vec<u32>,
    place: Vec<u32>,
    marked: Vec<bool>,
    aside: Vec<u32>,
}

impl Schedule {
    /// From a sequence of all operations that keeps the order within jobs, and the chosen alternative of each operation.
    pub(super) fn from_sequence(layout: &Layout, sequence: &[u32], choice: &[u32]) -> Self {
        let size = layout.count + 1;
        let none = layout.none;
        let mut schedule = Self {
            machine: vec![u32::MAX; size],
            duration: vec![0; size],
            before: vec![none; size],
            after: vec![none; size],
            first: vec![none; layout.shop.machines],
            start: vec![0; size],
            end: vec![0; size],
            rest: vec![0; size],
            makespan: 0,
            order: Vec::with_capacity(size),
            place: vec![0; size],
            marked: vec![false; size],
            aside: Vec::new(),
        };
        let mut last = vec![none; layout.shop.machines];
        for operation in sequence {
            let at = *operation as usize;
            let (machine, duration) = layout.choices[at][choice[at] as usize];
            (schedule.machine[at], schedule.duration[at]) = (machine, duration);
            let before = std::mem::replace(&mut last[machine as usize], *operation);
            schedule.before[at] = before;
            if before == none {
                schedule.first[machine as usize] = *operation;
            } else {
                schedule.after[before as usize] = *operation;
            }
        }
        schedule.arrange(layout);
        schedule.follow(layout, 0, layout.count - 1);
        schedule
    }

    /// Puts the operations in an order that follows every job and machine.
    fn arrange(&mut self, layout: &Layout) {
        let none = layout.none;
        let mut waits: Vec<u8> = (0..layout.count).map(|at| u8::from(layout.job_before[at] != none) + u8::from(self.before[at] != none)).collect();
        self.order.extend((0..none).filter(|at| waits[*at as usize] == 0));
        let mut done = 0;
        while done < self.order.len() {
            let at = self.order[done] as usize;
            done += 1;
            for next in [layout.job_after[at], self.after[at]].into_iter().filter(|next| *next != none) {
                waits[next as usize] -= 1;
                if waits[next as usize] == 0 {
                    self.order.push(next);
                }
            }
        }
        for (place, at) in self.order.iter().enumerate() {
            self.place[*at as usize] = place as u32;
        }
    }

    /// Computes starts from a place of the order on, and rests from another backwards.
    fn follow(&mut self, layout: &Layout, from: usize, to: usize) {
        for at in &self.order[from..] {
            let at = *at as usize;
            let start = self.end[layout.job_before[at] as usize].max(self.end[self.before[at] as usize]);
            (self.start[at], self.end[at]) = (start, start + self.duration[at]);
        }
        for at in self.order[..=to].iter().rev() {
            let at = *at as usize;
            self.rest[at] = self.duration[at] + self.rest[layout.job_after[at] as usize].max(self.rest[self.after[at] as usize]);
        }
        self.makespan = layout.last.iter().map(|at| self.end[*at as usize]).max().unwrap_or(0);
    }

    /// Moves an operation behind another (`none`: to the front) of a machine. False, and nothing is changed, when that closes a cycle.
    pub(super) fn relocate(&mut self, layout: &Layout, operation: u32, machine: u32, behind: u32) -> bool {
        let (old_machine, old_behind) = (self.machine[operation as usize], self.before[operation as usize]);
        self.link(layout, operation, machine, behind);
        let at = self.place[operation as usize] as usize;
        let after = self.after[operation as usize];
        let place = |other: u32| if other == layout.none { at } else { self.place[other as usize] as usize };
        let (behind_at, after_at) = (place(behind), place(after));
        let later = behind_at > at;
        let (from, to) = if later { (at, behind_at) } else { (after_at.min(at), at) };
        let sound = from == to || if later { self.move_later(layout, from, to) } else { self.move_earlier(layout, from, to) };
        if sound {
            self.follow(layout, from, to);
        } else {
            self.link(layout, operation, old_machine, old_behind);
        }
        sound
    }

    /// Brings the operation at `from`, and what follows it, behind the one at `to`; false when that one follows it too.
    fn move_later(&mut self, layout: &Layout, from: usize, to: usize) -> bool {
        self.aside.clear();
        self.mark(self.order[from]);
        for read in from + 1..=to {
            let at = self.order[read];
            if self.marked[layout.job_before[at as usize] as usize] || self.marked[self.before[at as usize] as usize] {
                self.mark(at);
            }
        }
        let sound = !self.marked[self.order[to] as usize];
        if sound {
            let mut write = from;
            for read in from..=to {
                let at = self.order[read];
                if !self.marked[at as usize] {
                    self.order[write] = at;
                    write += 1;
                }
            }
            self.order[write..=to].copy_from_slice(&self.aside);
        }
        self.settle(from, to);
        sound
    }

    /// Brings the operation at `to`, and what it follows, before the one at `from`; false when it follows that one too.
    fn move_earlier(&mut self, layout: &Layout, from: usize, to: usize) -> bool {
        self.aside.clear();
        self.mark(self.order[to]);
        for read in (from..to).rev() {
            let at = self.order[read];
            if self.marked[layout.job_after[at as usize] as usize] || self.marked[self.after[at as usize] as usize] {
                self.mark(at);
            }
        }
        let sound = !self.marked[self.order[from] as usize];
        if sound {
            let mut write = to + 1;
            for read in (from..=to).rev() {
                let at = self.order[read];
                if !self.marked[at as usize] {
                    write -= 1;
                    self.order[write] = at;
                }
            }
            self.aside.reverse();
            self.order[from..write].copy_from_slice(&self.aside);
        }
        self.settle(from, to);
        sound
    }

    fn mark(&mut self, at: u32) {
        self.marked[at as usize] = true;
        self.aside.push(at);
    }

    fn settle(&mut self, from: usize, to: usize) {
        for at in self.aside.drain(..) {
            self.marked[at as usize] = false;
        }
        for (place, at) in self.order[from..=to].iter().enumerate() {
            self.place[*at as usize] = (from + place) as u32;
        }
    }

    fn link(&mut self, layout: &Layout, operation: u32, machine: u32, behind: u32) {
        let none = layout.none;
        let at = operation as usize;
        self.unlink(operation, none);
        if self.machine[at] != machine {
            self.machine[at] = machine;
            self.duration[at] = layout.choices[at].iter().find(|(own, _)| *own == machine).map_or(0, |(_, duration)| *duration);
        }
        let after = if behind == none { self.first[machine as usize] } else { self.after[behind as usize] };
        (self.before[at], self.after[at]) = (behind, after);
        if behind == none {
            self.first[machine as usize] = operation;
        } else {
            self.after[behind as usize] = operation;
        }
        if after != none {
            self.before[after as usize] = operation;
        }
    }

    fn unlink(&mut self, operation: u32, none: u32) {
        let at = operation as usize;
        let (before, after) = (self.before[at], self.after[at]);
        if before == none {
            self.first[self.machine[at] as usize] = after;
        } else {
            self.after[before as usize] = after;
        }
        if after != none {
            self.before[after as usize] = before;
        }
    }

    /// Operations in an order that follows every job and machine.
    pub(super) fn sequence(&self) -> &[u32] {
        &self.order
    }

    pub(super) fn plan(&self, layout: &Layout, bound: i64) -> Plan {
        let mut at = 0;
        let mut by_job = |value: &dyn Fn(usize) -> i64| -> Vec<Vec<i64>> {
            at = 0;
            let mut row = |job: &Vec<_>| {
                at += job.len();
                (at - job.len()..at).map(value).collect()
            };
            layout.shop.jobs.iter().map(&mut row).collect()
        };
        let starts = by_job(&|operation| i64::from(self.start[operation]));
        let machines = by_job(&|operation| i64::from(self.machine[operation]));
        let machines = machines.into_iter().map(|row| row.into_iter().map(|machine| machine as usize).collect()).collect();
        Plan { makespan: i64::from(self.makespan), starts, machines: layout.shop.flexible().then_some(machines), bound }
    }
}
