//! What the assignment of points gives.

use serde::{Deserialize, Serialize};

/// Who sends how much where, how full every laboratory is, and what finds no place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub tubes_per_hour: i64,
    /// Minutes on the road of all tubes of one hour.
    pub tube_minutes: i64,
    pub shares: Vec<Share>,
    pub loads: Vec<Load>,
    pub unplaced: Vec<Unplaced>,
}

/// Part of a point's tubes, or all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub point: String,
    pub laboratory: String,
    pub tubes_per_hour: i64,
    pub minutes: i64,
}

/// A laboratory's hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    pub laboratory: String,
    pub tubes_per_hour: i64,
    pub of: i64,
    /// Whether one more tube of capacity here would find a place for a tube that has none.
    pub binding: bool,
    /// Tube-minutes that one more tube of capacity here would save; beyond the cost of a tube left behind where it is binding.
    pub price: i64,
}

/// Tubes of a point that no laboratory takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    pub point: String,
    pub tubes_per_hour: i64,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The nearest laboratory is so far.
    TooFar { nearest_minutes: Option<i64> },
    /// Every laboratory within reach, and every one to which their tubes could be moved on, is full: these.
    CapacityShort { full: Vec<String> },
}
