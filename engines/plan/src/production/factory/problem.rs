//! A reagent factory in shifts: products go through the same stages one after the other, wait for quality control, and expire.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, within};

/// Bounds of one factory.
pub const SHIFTS_MAX: usize = 1000;
pub const STAGES_MAX: usize = 20;
pub const PRODUCTS_MAX: usize = 100;
pub const TESTS_MAX: i64 = 1_000_000_000;

/// A factory and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factory {
    /// Length of the plan.
    pub shifts: usize,
    /// In the order in which every product goes through them, such as mix, fill, freeze-dry, pack.
    pub stages: Vec<Stage>,
    /// Shifts that finished goods wait for their release.
    pub quarantine_shifts: usize,
    pub products: Vec<Product>,
}

/// Equal machines that are changed over together and work in whole loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub id: String,
    pub machines: i64,
    /// Minutes of work per machine and shift.
    pub minutes_per_shift: i64,
    /// Shifts without work.
    #[serde(default)]
    pub closed: Vec<usize>,
    /// Minutes of every machine whenever another product than the last begins, be it in an earlier shift.
    pub setup_minutes: i64,
    /// Tests in one load of one machine.
    pub load_tests: i64,
    /// Shifts after that of the work from which the next stage may use what came out; 0: the same.
    pub lag_shifts: usize,
    /// Good tests out of a thousand started.
    pub yield_permille: i64,
    /// What came out can be used in so many shifts after the first in which it can; none: it keeps.
    #[serde(default)]
    pub keeps_shifts: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    pub id: String,
    /// Minutes of one load, per stage.
    pub load_minutes: Vec<i64>,
    /// Released tests in stock before the first shift.
    #[serde(default)]
    pub stock: i64,
    /// Tests to be delivered in every shift.
    pub demand: Vec<i64>,
}

impl Factory {
    /// Machine minutes of a stage in a shift.
    #[must_use]
    pub fn minutes(&self, stage: usize, shift: usize) -> i64 {
        let own = &self.stages[stage];
        if own.closed.contains(&shift) { 0 } else { own.machines * own.minutes_per_shift }
    }

    /// Shifts from the work of a stage until what came out can be used by the next stage, or delivered.
    #[must_use]
    pub fn lag(&self, stage: usize) -> usize {
        self.stages[stage].lag_shifts + if stage + 1 == self.stages.len() { self.quarantine_shifts } else { 0 }
    }

    /// Shifts from the first work to the first delivery.
    #[must_use]
    pub fn lead_shifts(&self) -> usize {
        (0..self.stages.len()).map(|stage| self.lag(stage)).sum()
    }

    /// Whether every number is within its bounds.
    ///
    /// # Errors
    /// Naming the field (such as `stages[2].load_tests`).
    pub fn validate(&self) -> Result<(), Fault> {
        within("shifts", self.shifts as i64, 1, SHIFTS_MAX as i64)?;
        within("stages", self.stages.len() as i64, 1, STAGES_MAX as i64)?;
        within("products", self.products.len() as i64, 1, PRODUCTS_MAX as i64)?;
        within("quarantine_shifts", self.quarantine_shifts as i64, 0, SHIFTS_MAX as i64)?;
        for (at, stage) in self.stages.iter().enumerate() {
            let field = |name: &str| format!("stages[{at}].{name}");
            within(&field("machines"), stage.machines, 0, 100_000)?;
            within(&field("minutes_per_shift"), stage.minutes_per_shift, 0, 100_000)?;
            within(&field("setup_minutes"), stage.setup_minutes, 0, 100_000)?;
            within(&field("load_tests"), stage.load_tests, 1, TESTS_MAX)?;
            within(&field("lag_shifts"), stage.lag_shifts as i64, 0, SHIFTS_MAX as i64)?;
            within(&field("yield_permille"), stage.yield_permille, 1, 1000)?;
            within(&field("keeps_shifts"), stage.keeps_shifts.unwrap_or(0) as i64, 0, SHIFTS_MAX as i64)?;
        }
        for (at, product) in self.products.iter().enumerate() {
            let field = |name: &str| format!("products[{at}].{name}");
            within(&field("stock"), product.stock, 0, TESTS_MAX)?;
            within(&field("demand: shifts"), product.demand.len() as i64, self.shifts as i64, self.shifts as i64)?;
            within(&field("load_minutes: stages"), product.load_minutes.len() as i64, self.stages.len() as i64, self.stages.len() as i64)?;
            for demand in &product.demand {
                within(&field("demand"), *demand, 0, TESTS_MAX)?;
            }
            for minutes in &product.load_minutes {
                within(&field("load_minutes"), *minutes, 1, 100_000)?;
            }
        }
        Ok(())
    }
}
