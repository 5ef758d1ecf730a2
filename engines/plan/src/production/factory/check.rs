//! Runs a plan lot by lot: capacity with change-overs, what is there to be used, yields, quarantine, expiry, deliveries. Shares nothing
//! with the solver.

use super::plan::Plan;
use super::problem::Factory;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub delivered: i64,
    pub missing: i64,
    /// Released tests that nobody asked for before they were too old, and those made but never used by the next stage, per product.
    pub expired: Vec<i64>,
    /// Part of its minutes that each stage works or is changed over.
    pub busy: Vec<f64>,
    /// In words; empty: the plan can be run.
    pub violations: Vec<String>,
}

/// Tests with the shifts in which they can be used.
#[derive(Debug, Clone, Copy)]
struct Batch {
    from: usize,
    until: usize,
    tests: i64,
}

/// Checks a plan of a [valid](Factory::validate) factory.
#[must_use]
pub fn check(factory: &Factory, plan: &Plan) -> Report {
    let stages = factory.stages.len();
    let mut report = Report { delivered: 0, missing: 0, expired: vec![0; factory.products.len()], busy: Vec::new(), violations: Vec::new() };
    let known = |lot: &super::plan::Lot| lot.stage < stages && lot.shift < factory.shifts && lot.product < factory.products.len() && lot.started > 0;
    if !plan.lots.iter().all(known) {
        report.violations.push("a lot names a stage, shift or product that is not there, or starts nothing".to_owned());
        return report;
    }
    for stage in 0..stages {
        minutes(factory, plan, stage, &mut report);
    }
    for product in 0..factory.products.len() {
        let mut made: Vec<Batch> = Vec::new();
        for stage in 0..stages {
            made = run_stage(factory, plan, stage, product, made, &mut report);
        }
        deliver(factory, plan, product, made, &mut report);
    }
    report
}

fn minutes(factory: &Factory, plan: &Plan, stage: usize, report: &mut Report) {
    let own = &factory.stages[stage];
    let mut used = vec![0; factory.shifts];
    let (mut set_up_for, mut shift) = (None, 0);
    for lot in plan.lots.iter().filter(|lot| lot.stage == stage) {
        if lot.shift < shift {
            report.violations.push(format!("{}: a lot of shift {} is listed after one of shift {shift}", own.id, lot.shift));
        }
        shift = lot.shift;
        if set_up_for != Some(lot.product) {
            used[shift] += own.setup_minutes * own.machines;
        }
        set_up_for = Some(lot.product);
        let loads = (lot.started + own.load_tests - 1) / own.load_tests;
        used[shift] += loads * factory.products[lot.product].load_minutes[stage];
    }
    let mut there = 0;
    for (shift, used) in used.iter().enumerate() {
        let most = if own.closed.contains(&shift) { 0 } else { own.machines * own.minutes_per_shift };
        there += most;
        if *used > most {
            report.violations.push(format!("{}: works {used} minutes of {most} in shift {shift}", own.id));
        }
    }
    report.busy.push(if there == 0 { 0.0 } else { used.iter().sum::<i64>() as f64 / there as f64 });
}

/// Uses what the stage before made, oldest first, and returns what comes out.
fn run_stage(factory: &Factory, plan: &Plan, stage: usize, product: usize, mut before: Vec<Batch>, report: &mut Report) -> Vec<Batch> {
    let own = &factory.stages[stage];
    let mut made = Vec::new();
    for lot in plan.lots.iter().filter(|lot| lot.stage == stage && lot.product == product) {
        if stage > 0 {
            let lacking = lot.started - take(&mut before, lot.shift, lot.started);
            if lacking > 0 {
                report.violations.push(format!("{}: {lacking} tests of {} are not there in shift {}", own.id, factory.products[product].id, lot.shift));
            }
        }
        if lot.good != lot.started * own.yield_permille / 1000 {
            report.violations.push(format!("{}: {} good of {} started in shift {}", own.id, lot.good, lot.started, lot.shift));
        }
        let from = lot.shift + own.lag_shifts + if stage + 1 == factory.stages.len() { factory.quarantine_shifts } else { 0 };
        made.push(Batch { from, until: own.keeps_shifts.map_or(usize::MAX, |keeps| from + keeps), tests: lot.good });
    }
    report.expired[product] += gone(&before, factory.shifts);
    made
}

/// Takes usable tests, soonest expiring first; returns how many there were.
fn take(batches: &mut [Batch], shift: usize, wanted: i64) -> i64 {
    batches.sort_by_key(|batch| (batch.until, batch.from));
    let mut taken = 0;
    for batch in batches.iter_mut().filter(|batch| (batch.from..=batch.until).contains(&shift)) {
        let now = batch.tests.min(wanted - taken);
        batch.tests -= now;
        taken += now;
    }
    taken
}

fn gone(batches: &[Batch], shifts: usize) -> i64 {
    batches.iter().filter(|batch| batch.until < shifts).map(|batch| batch.tests).sum()
}

fn deliver(factory: &Factory, plan: &Plan, product: usize, mut released: Vec<Batch>, report: &mut Report) {
    let own = &factory.products[product];
    released.push(Batch { from: 0, until: usize::MAX, tests: own.stock });
    for (shift, demand) in own.demand.iter().enumerate() {
        let delivered = take(&mut released, shift, *demand);
        let stated: i64 = plan.short.iter().filter(|short| short.product == product && short.shift == shift).map(|short| short.missing).sum();
        if stated != demand - delivered {
            report.violations.push(format!("{}: {} missing in shift {shift}, not the stated {stated}", own.id, demand - delivered));
        }
        report.delivered += delivered;
        report.missing += demand - delivered;
    }
    report.expired[product] += gone(&released, factory.shifts);
}
