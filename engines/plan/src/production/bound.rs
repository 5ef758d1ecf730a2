//! No schedule is shorter: per machine, Jackson's preemptive schedule with heads and tails of the jobs alone (Carlier 1982).

use super::shop::Shop;
use std::collections::BinaryHeap;

/// A lower bound of the makespan.
pub(super) fn lower_bound(shop: &Shop) -> i64 {
    let mut on_machine: Vec<Vec<(i64, i64, i64)>> = vec![Vec::new(); shop.machines];
    let mut bound = 0;
    for job in &shop.jobs {
        let shortest = |operation: &Vec<super::shop::Alternative>| operation.iter().map(|one| i64::from(one.duration)).min().unwrap_or(0);
        let whole: i64 = job.iter().map(shortest).sum();
        bound = bound.max(whole);
        let mut head = 0;
        for operation in job {
            let duration = shortest(operation);
            if let &[only] = operation.as_slice() {
                on_machine[only.machine].push((head, duration, whole - head - duration));
            }
            head += duration;
        }
    }
    on_machine.into_iter().map(preemptive).fold(bound, i64::max)
}

/// Of operations (head, duration, tail), always running the one with the longest tail.
fn preemptive(mut operations: Vec<(i64, i64, i64)>) -> i64 {
    operations.sort_unstable();
    let mut ready: BinaryHeap<(i64, i64)> = BinaryHeap::new();
    let (mut clock, mut bound, mut next) = (0, 0, 0);
    while next < operations.len() || !ready.is_empty() {
        if ready.is_empty() {
            clock = clock.max(operations[next].0);
        }
        while next < operations.len() && operations[next].0 <= clock {
            ready.push((operations[next].2, operations[next].1));
            next += 1;
        }
        let Some((tail, left)) = ready.pop() else { continue };
        let until = operations.get(next).map_or(i64::MAX, |operation| operation.0);
        let run = left.min(until - clock);
        clock += run;
        if run < left {
            ready.push((tail, left - run));
        } else {
            bound = bound.max(clock + tail);
        }
    }
    bound
}
