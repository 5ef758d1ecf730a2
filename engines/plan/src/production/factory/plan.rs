//! What the factory planner gives.

use serde::{Deserialize, Serialize};

/// Lots in the order in which they run, by stage and shift, and what is not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub lots: Vec<Lot>,
    pub short: Vec<Short>,
}

/// One product on one stage in one shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    pub stage: usize,
    pub shift: usize,
    pub product: usize,
    /// Tests begun, taken from what the stage before made.
    pub started: i64,
    /// Good ones that come out.
    pub good: i64,
}

/// Tests that are not delivered in a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    pub product: usize,
    pub shift: usize,
    pub missing: i64,
    pub reason: Reason,
}

/// Why tests are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Even begun in the first shift they are not released in time.
    LeadTime,
    /// A stage has too little time before.
    Capacity { stage: usize },
    /// A stage would have time only so early that what it makes does not keep.
    Keeping { stage: usize },
}
