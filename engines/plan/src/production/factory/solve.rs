//! Capacitated lot sizing, stage by stage.
//!
//! Backwards from the deliveries, every stage makes what the next one needs as late as it can. A shift that is full pushes work into the
//! shift before; the product that begins a shift is preferred as the one that ends the shift before, so that a change-over is saved.
//! Then forwards: what was wanted is begun as far as time and what is there allow, and what did not fit is tried again in the next shift.

use std::collections::BTreeMap;

use super::plan::{Lot, Plan, Reason, Short};
use super::problem::Factory;

/// Tests wanted of a stage: the latest shift, and how many.
type Wanted = BTreeMap<usize, i64>;

/// Wants are gathered into so many shifts, so that a product runs longer between change-overs; the cycle that misses least is taken.
const CYCLES: [usize; 5] = [1, 2, 3, 6, 9];

/// Plans a [valid](Factory::validate) factory; takes no time worth a budget.
#[must_use]
pub fn solve(factory: &Factory) -> Plan {
    let missing = |plan: &Plan| plan.short.iter().map(|short| short.missing).sum::<i64>();
    let mut best = solve_with(factory, CYCLES[0]);
    for cycle in &CYCLES[1..] {
        if best.short.is_empty() {
            break;
        }
        let plan = solve_with(factory, *cycle);
        if missing(&plan) < missing(&best) {
            best = plan;
        }
    }
    best
}

fn solve_with(factory: &Factory, cycle: usize) -> Plan {
    let mut trouble = vec![BTreeMap::new(); factory.products.len()];
    let targets = backward(factory, cycle, &mut trouble);
    let (lots, short) = forward(factory, &targets, &trouble);
    Plan { lots, short }
}

/// What to begin, per stage, shift: products in order.
type Targets = Vec<Vec<Vec<(usize, i64)>>>;

fn backward(factory: &Factory, cycle: usize, trouble: &mut [BTreeMap<usize, Reason>]) -> Targets {
    let mut targets = vec![Vec::new(); factory.stages.len()];
    let mut wanted: Vec<Wanted> = factory.products.iter().map(deliveries).collect();
    for stage in (0..factory.stages.len()).rev() {
        let lag = factory.lag(stage);
        let cycle = if factory.stages[stage].setup_minutes > 0 { cycle } else { 1 };
        for (product, wanted) in wanted.iter_mut().enumerate() {
            let before = std::mem::take(wanted);
            for (shift, tests) in before {
                if shift >= lag {
                    let latest = shift - lag;
                    *wanted.entry(latest - latest % cycle).or_insert(0) += tests;
                } else {
                    trouble[product].entry(shift).or_insert(Reason::LeadTime);
                }
            }
        }
        let made = load(factory, stage, &mut wanted, trouble);
        wanted = vec![Wanted::new(); factory.products.len()];
        for (shift, lots) in made.iter().enumerate() {
            for (product, started) in lots {
                *wanted[*product].entry(shift).or_insert(0) += started;
            }
        }
        targets[stage] = made;
    }
    targets
}

/// What is asked for after the stock is used up.
fn deliveries(product: &super::problem::Product) -> Wanted {
    let mut stock = product.stock;
    let mut wanted = Wanted::new();
    for (shift, demand) in product.demand.iter().enumerate() {
        let from_stock = stock.min(*demand);
        stock -= from_stock;
        if demand > &from_stock {
            wanted.insert(shift, demand - from_stock);
        }
    }
    wanted
}

/// Fills the shifts of a stage from the last to the first.
fn load(factory: &Factory, stage: usize, wanted: &mut [Wanted], trouble: &mut [BTreeMap<usize, Reason>]) -> Vec<Vec<(usize, i64)>> {
    let own = &factory.stages[stage];
    let mut made = vec![Vec::new(); factory.shifts];
    let mut begins_after: Option<usize> = None;
    for shift in (0..factory.shifts).rev() {
        let mut room = factory.minutes(stage, shift);
        // The last of this shift first; it needs no change-over after it, and its own is charged when another precedes it.
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|product| (begins_after != Some(*product), -wanted[*product].range(shift..).map(|(_, tests)| tests).sum::<i64>()));
        let mut lots: Vec<(usize, i64)> = Vec::new();
        for product in order {
            expire(own.keeps_shifts, shift, &mut wanted[product], stage, &mut trouble[product]);
            let pending: i64 = wanted[product].range(shift..).map(|(_, tests)| tests).sum();
            let setup = if lots.is_empty() { 0 } else { own.setup_minutes * own.machines };
            let started = begin_for(pending, own.yield_permille);
            let loads = ((room - setup).max(0) / factory.products[product].load_minutes[stage]).min((started + own.load_tests - 1) / own.load_tests);
            if pending == 0 || loads == 0 {
                continue;
            }
            let started = started.min(loads * own.load_tests);
            room -= setup + loads * factory.products[product].load_minutes[stage];
            settle(&mut wanted[product], shift, started * own.yield_permille / 1000);
            lots.insert(0, (product, started));
        }
        begins_after = lots.first().map(|(product, _)| *product).or(begins_after);
        made[shift] = lots;
    }
    for (product, wanted) in wanted.iter().enumerate() {
        for shift in wanted.keys() {
            trouble[product].entry(*shift).or_insert(Reason::Capacity { stage });
        }
    }
    made
}

/// Tests to begin for so many good ones.
fn begin_for(good: i64, yield_permille: i64) -> i64 {
    (good * 1000 + yield_permille - 1) / yield_permille
}

/// Gives up what would not keep from this shift to when it is wanted.
fn expire(keeps: Option<usize>, shift: usize, wanted: &mut Wanted, stage: usize, trouble: &mut BTreeMap<usize, Reason>) {
    let Some(keeps) = keeps else { return };
    let lost = wanted.split_off(&(shift + keeps + 1));
    for late in lost.into_keys() {
        trouble.entry(late).or_insert(Reason::Keeping { stage });
    }
}

/// Crosses off what is made, the latest wanted first.
fn settle(wanted: &mut Wanted, shift: usize, mut good: i64) {
    while let Some((at, tests)) = wanted.range_mut(shift..).next_back().map(|(at, tests)| (*at, tests)) {
        let now = good.min(*tests);
        *tests -= now;
        good -= now;
        if *tests > 0 {
            return;
        }
        wanted.remove(&at);
    }
}

/// Tests of one product between two stages, oldest first: (usable from, until, tests).
type Between = Vec<(usize, usize, i64)>;

fn forward(factory: &Factory, targets: &Targets, trouble: &[BTreeMap<usize, Reason>]) -> (Vec<Lot>, Vec<Short>) {
    let mut lots = Vec::new();
    let mut between: Vec<Between> = vec![vec![(0, usize::MAX, i64::MAX)]; factory.products.len()];
    for (stage, targets) in targets.iter().enumerate() {
        let made = run(factory, stage, targets, &mut between);
        between = vec![Between::new(); factory.products.len()];
        for lot in &made {
            let from = lot.shift + factory.lag(stage);
            let until = factory.stages[stage].keeps_shifts.map_or(usize::MAX, |keeps| from + keeps);
            between[lot.product].push((from, until, lot.good));
        }
        lots.extend(made);
    }
    let mut short = Vec::new();
    for (product, own) in factory.products.iter().enumerate() {
        between[product].push((0, usize::MAX, own.stock));
        for (shift, demand) in own.demand.iter().enumerate() {
            let delivered = usable(&between[product], shift).min(*demand);
            draw(&mut between[product], shift, delivered);
            if delivered < *demand {
                let reason = why(factory, &trouble[product], shift);
                short.push(Short { product, shift, missing: demand - delivered, reason });
            }
        }
    }
    (lots, short)
}

fn usable(between: &Between, shift: usize) -> i64 {
    between.iter().filter(|(from, until, _)| (*from..=*until).contains(&shift)).fold(0, |sum, (_, _, tests)| sum.saturating_add(*tests))
}

fn draw(between: &mut Between, shift: usize, mut tests: i64) {
    between.sort_unstable_by_key(|(from, until, _)| (*until, *from));
    for (_, _, there) in between.iter_mut().filter(|(from, until, _)| (*from..=*until).contains(&shift)) {
        let now = tests.min(*there);
        *there -= now;
        tests -= now;
    }
}

fn run(factory: &Factory, stage: usize, targets: &[Vec<(usize, i64)>], between: &mut [Between]) -> Vec<Lot> {
    let own = &factory.stages[stage];
    let mut lots: Vec<Lot> = Vec::new();
    let mut late = vec![0; factory.products.len()];
    let mut set_up_for = None;
    for (shift, targets) in targets.iter().enumerate() {
        let mut room = factory.minutes(stage, shift);
        let mut order: Vec<usize> = targets.iter().map(|(product, _)| *product).collect();
        for (product, tests) in targets {
            late[*product] += tests;
        }
        order.extend((0..late.len()).filter(|product| late[*product] > 0 && !targets.iter().any(|(own, _)| own == product)));
        for product in order {
            let setup = if set_up_for == Some(product) { 0 } else { own.setup_minutes * own.machines };
            let loads = (room - setup).max(0) / factory.products[product].load_minutes[stage];
            let started = late[product].min(loads * own.load_tests).min(usable(&between[product], shift));
            if started <= 0 {
                continue;
            }
            draw(&mut between[product], shift, started);
            late[product] -= started;
            room -= setup + (started + own.load_tests - 1) / own.load_tests * factory.products[product].load_minutes[stage];
            set_up_for = Some(product);
            lots.push(Lot { stage, shift, product, started, good: started * own.yield_permille / 1000 });
        }
    }
    lots
}

/// The trouble noted for this or the nearest shift; without any, the stage that can make least.
fn why(factory: &Factory, trouble: &BTreeMap<usize, Reason>, shift: usize) -> Reason {
    if shift < factory.lead_shifts() {
        return Reason::LeadTime;
    }
    let nearest = trouble.iter().filter(|(_, reason)| **reason != Reason::LeadTime).min_by_key(|(at, _)| at.abs_diff(shift));
    nearest.map_or_else(|| Reason::Capacity { stage: super::reach::narrowest(factory) }, |(_, reason)| *reason)
}
