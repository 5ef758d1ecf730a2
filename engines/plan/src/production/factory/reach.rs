//! "Can we reach so many a day?": the most that can be delivered every day, what stands in the way, and what would help.

use serde::Serialize;

use super::problem::Factory;
use super::solve::solve;

/// Days over which a rate has to hold.
const DAYS: usize = 7;
const SHIFTS_PER_DAY: usize = 3;
/// The most per day is found to this part.
const PRECISION: f64 = 1e-4;

/// The answer. Tests per day are those delivered over all products, in three shifts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reach {
    pub wanted_per_day: i64,
    pub reachable: bool,
    /// The most that the planner reaches every day.
    pub most_per_day: i64,
    /// The stage in the way of more.
    pub binding: usize,
    /// The most per day with one more machine, per stage.
    pub with_one_more: Vec<i64>,
}

/// Asks for a level number of tests per day, shared out to the products like their whole demand, over a week after the first goods can be
/// released. Stock and closed shifts count for nothing: it is about the rate.
///
/// The factory has to be [valid](Factory::validate), and some demand has to be there (else it is shared out evenly).
#[must_use]
pub fn reach(factory: &Factory, wanted_per_day: i64) -> Reach {
    let most_per_day = most(factory);
    let with_one_more: Vec<i64> = (0..factory.stages.len())
        .map(|stage| {
            let mut larger = factory.clone();
            larger.stages[stage].machines += 1;
            most(&larger).max(most_per_day)
        })
        .collect();
    let helps = (0..with_one_more.len()).max_by_key(|stage| (with_one_more[*stage], std::cmp::Reverse(*stage))).unwrap_or(0);
    let binding = if with_one_more[helps] > most_per_day { helps } else { narrowest(factory) };
    let reachable = wanted_per_day <= most_per_day || holds(factory, wanted_per_day);
    Reach { wanted_per_day, reachable, most_per_day: if reachable { most_per_day.max(wanted_per_day) } else { most_per_day }, binding, with_one_more }
}

/// Tests per day that a stage alone can bring to delivery, without change-overs.
fn ceiling(factory: &Factory, stage: usize) -> f64 {
    let own = &factory.stages[stage];
    let shares = shares(factory);
    let minutes_per_test: f64 =
        factory.products.iter().zip(&shares).map(|(product, share)| share * product.load_minutes[stage] as f64 / own.load_tests as f64).sum();
    let yields: f64 = factory.stages[stage..].iter().map(|stage| stage.yield_permille as f64 / 1000.0).product();
    (own.machines * own.minutes_per_shift * SHIFTS_PER_DAY as i64) as f64 / minutes_per_test * yields
}

/// The stage that alone allows the fewest tests.
pub(super) fn narrowest(factory: &Factory) -> usize {
    (0..factory.stages.len()).min_by(|one, other| ceiling(factory, *one).total_cmp(&ceiling(factory, *other))).unwrap_or(0)
}

fn shares(factory: &Factory) -> Vec<f64> {
    let demands: Vec<i64> = factory.products.iter().map(|product| product.demand.iter().sum()).collect();
    let whole: i64 = demands.iter().sum();
    let even = 1.0 / factory.products.len() as f64;
    demands.iter().map(|demand| if whole == 0 { even } else { *demand as f64 / whole as f64 }).collect()
}

fn most(factory: &Factory) -> i64 {
    let top = (0..factory.stages.len()).map(|stage| ceiling(factory, stage)).fold(f64::MAX, f64::min);
    let (mut holding, mut failing) = (0_i64, top as i64 + 1);
    while failing - holding > 1 && (failing - holding) as f64 > top * PRECISION {
        let middle = holding + (failing - holding) / 2;
        if holds(factory, middle) {
            holding = middle;
        } else {
            failing = middle;
        }
    }
    holding
}

/// Whether so many a day are delivered without anything missing.
fn holds(factory: &Factory, per_day: i64) -> bool {
    let lead = factory.lead_shifts() + SHIFTS_PER_DAY;
    let mut level = factory.clone();
    level.shifts = lead + DAYS * SHIFTS_PER_DAY;
    level.stages.iter_mut().for_each(|stage| stage.closed.clear());
    for (product, share) in level.products.iter_mut().zip(shares(factory)) {
        product.stock = 0;
        let day = (per_day as f64 * share).round() as i64;
        let in_shift = |shift: usize| day * (shift as i64 + 1) / SHIFTS_PER_DAY as i64 - day * shift as i64 / SHIFTS_PER_DAY as i64;
        product.demand = (0..level.shifts).map(|shift| if shift < lead { 0 } else { in_shift((shift - lead) % SHIFTS_PER_DAY) }).collect();
    }
    solve(&level).short.is_empty()
}
