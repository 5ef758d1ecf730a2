//! Looks at a schedule alone: durations, order within jobs, one operation at a time per machine, the stated makespan.

use super::plan::Plan;
use super::shop::Shop;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub makespan: i64,
    /// In words; empty: the schedule can be run.
    pub violations: Vec<String>,
}

/// Checks a plan against its shop.
#[must_use]
pub fn check(shop: &Shop, plan: &Plan) -> Report {
    let mut violations = Vec::new();
    let mut busy: Vec<Vec<(i64, i64, usize, usize)>> = vec![Vec::new(); shop.machines];
    let mut makespan = 0;
    if plan.starts.len() != shop.jobs.len() {
        violations.push(format!("{} jobs of {}", plan.starts.len(), shop.jobs.len()));
    }
    for (number, (job, starts)) in shop.jobs.iter().zip(&plan.starts).enumerate() {
        if starts.len() != job.len() {
            violations.push(format!("job {number}: {} operations of {}", starts.len(), job.len()));
        }
        let mut free = 0;
        for (step, (alternatives, start)) in job.iter().zip(starts).enumerate() {
            let chosen = match &plan.machines {
                None => alternatives.first(),
                Some(machines) => machines.get(number).and_then(|row| row.get(step)).and_then(|chosen| alternatives.iter().find(|one| one.machine == *chosen)),
            };
            let Some(chosen) = chosen.filter(|_| plan.machines.is_some() || alternatives.len() == 1) else {
                violations.push(format!("job {number}, operation {step}: on no machine that can do it"));
                continue;
            };
            if *start < free {
                violations.push(format!("job {number}, operation {step}: starts at {start}, before {free}"));
            }
            free = start + i64::from(chosen.duration);
            makespan = makespan.max(free);
            busy[chosen.machine].push((*start, free, number, step));
        }
    }
    for (machine, times) in busy.iter_mut().enumerate() {
        times.sort_unstable();
        for pair in times.windows(2).filter(|pair| pair[1].0 < pair[0].1) {
            let ((_, end, one, _), (start, _, two, _)) = (pair[0], pair[1]);
            violations.push(format!("machine {machine}: job {two} starts at {start}, while job {one} runs until {end}"));
        }
    }
    if makespan != plan.makespan {
        violations.push(format!("takes {makespan}, not the stated {}", plan.makespan));
    }
    Report { makespan, violations }
}
