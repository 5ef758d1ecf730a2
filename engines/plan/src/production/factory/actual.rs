//! Plan against actual: what was made so far, and what of the plan can still be delivered.

use serde::{Deserialize, Serialize};

use super::plan::{Lot, Plan};
use super::problem::Factory;
use crate::fault::{Fault, within};

/// What was made in the shifts up to and including one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actual {
    pub through_shift: usize,
    /// As they were, yields included.
    pub lots: Vec<Lot>,
}

/// Planned and made good tests of a product on a stage, through the stated shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub stage: String,
    pub product: String,
    pub planned: i64,
    pub made: i64,
}

/// Deliveries that will be missed if the rest of the plan is run with what is there, beyond those the plan missed anyway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endangered {
    pub product: String,
    pub shift: usize,
    pub missing: i64,
    pub missing_in_plan: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub lines: Vec<Line>,
    /// The stage that is farthest behind, in tests.
    pub farthest_behind: Option<String>,
    pub endangered: Vec<Endangered>,
}

/// Compares a plan with what was made. The rest of the plan is run as planned, each lot with no more than what is there for it; a lot with
/// another yield than planned counts as it came out.
///
/// # Errors
/// Naming the lot that speaks of a stage, product or shift that is not there or not over yet, or makes more than it started.
pub fn compare(factory: &Factory, plan: &Plan, actual: &Actual) -> Result<Comparison, Fault> {
    validate(factory, plan, actual)?;
    let rest = plan.lots.iter().filter(|lot| lot.shift > actual.through_shift);
    let run: Vec<Lot> = actual.lots.iter().chain(rest).cloned().collect();
    let mut comparison = Comparison::default();
    for (at, stage) in factory.stages.iter().enumerate() {
        for (number, product) in factory.products.iter().enumerate() {
            let good = |lots: &[Lot]| {
                let own = lots.iter().filter(|lot| lot.stage == at && lot.product == number && lot.shift <= actual.through_shift);
                own.map(|lot| lot.good).sum()
            };
            let (planned, made) = (good(&plan.lots), good(&actual.lots));
            comparison.lines.push(Line { stage: stage.id.clone(), product: product.id.clone(), planned, made });
        }
    }
    let behind = comparison.lines.iter().filter(|line| line.planned > line.made).max_by_key(|line| line.planned - line.made);
    comparison.farthest_behind = behind.map(|line| line.stage.clone());
    for (number, product) in factory.products.iter().enumerate() {
        let (missing, missing_in_plan) = (missing(factory, &run, actual, number), missing(factory, &plan.lots, actual, number));
        let both = missing.into_iter().zip(missing_in_plan).enumerate().filter(|(_, (now, before))| now > before);
        let endangered = |(shift, (missing, missing_in_plan))| Endangered { product: product.id.clone(), shift, missing, missing_in_plan };
        comparison.endangered.extend(both.map(endangered));
    }
    Ok(comparison)
}

fn validate(factory: &Factory, plan: &Plan, actual: &Actual) -> Result<(), Fault> {
    within("through_shift", actual.through_shift as i64, 0, factory.shifts as i64 - 1)?;
    let planned = plan.lots.iter().map(|lot| ("plan", lot, factory.shifts - 1));
    for (at, (list, lot, last)) in actual.lots.iter().map(|lot| ("actual", lot, actual.through_shift)).chain(planned).enumerate() {
        let at = if list == "plan" { at - actual.lots.len() } else { at };
        within(&format!("{list}.lots[{at}].stage"), lot.stage as i64, 0, factory.stages.len() as i64 - 1)?;
        within(&format!("{list}.lots[{at}].product"), lot.product as i64, 0, factory.products.len() as i64 - 1)?;
        within(&format!("{list}.lots[{at}].shift"), lot.shift as i64, 0, last as i64)?;
        within(&format!("{list}.lots[{at}].started"), lot.started, 0, super::problem::TESTS_MAX)?;
        within(&format!("{list}.lots[{at}].good"), lot.good, 0, lot.started)?;
    }
    Ok(())
}

/// Tests of a product: usable from, until, how many.
type Batch = (usize, usize, i64);

/// What is missing at each delivery when the lots are run one after the other with what is there.
fn missing(factory: &Factory, lots: &[Lot], actual: &Actual, product: usize) -> Vec<i64> {
    let mut there: Vec<Batch> = vec![(0, usize::MAX, i64::MAX)];
    for (at, stage) in factory.stages.iter().enumerate() {
        let mut own: Vec<&Lot> = lots.iter().filter(|lot| lot.stage == at && lot.product == product).collect();
        own.sort_by_key(|lot| lot.shift);
        let mut made = Vec::with_capacity(own.len());
        for lot in own {
            // What happened happened; what is planned needs its input.
            let had = take(&mut there, lot.shift, lot.started);
            let over = lot.shift <= actual.through_shift;
            let good = if over || had == lot.started { lot.good } else { had * stage.yield_permille / 1000 };
            let from = lot.shift + factory.lag(at);
            made.push((from, stage.keeps_shifts.map_or(usize::MAX, |keeps| from + keeps), good));
        }
        there = made;
    }
    there.push((0, usize::MAX, factory.products[product].stock));
    let demands = factory.products[product].demand.iter().enumerate();
    demands.map(|(shift, demand)| demand - take(&mut there, shift, *demand)).collect()
}

/// Takes what can be used in the shift, soonest expiring first.
fn take(there: &mut [Batch], shift: usize, wanted: i64) -> i64 {
    there.sort_unstable_by_key(|(from, until, _)| (*until, *from));
    let mut taken = 0;
    for (_, _, tests) in there.iter_mut().filter(|(from, until, _)| (*from..=*until).contains(&shift)) {
        let now = (*tests).min(wanted - taken);
        *tests -= now;
        taken += now;
    }
    taken
}
