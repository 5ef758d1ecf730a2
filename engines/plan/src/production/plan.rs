//! What the job shop planner gives.

use serde::{Deserialize, Serialize};

/// A schedule. As JSON: `{"makespan":…,"starts":[[…],…]}` per job in technological order, with `machines` of the same shape (from 0)
/// when there was a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub makespan: i64,
    pub starts: Vec<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machines: Option<Vec<Vec<usize>>>,
    /// No schedule is shorter than this.
    #[serde(skip)]
    pub bound: i64,
}

/// The best schedule so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub rounds: u64,
    pub makespan: i64,
    pub bound: i64,
}
