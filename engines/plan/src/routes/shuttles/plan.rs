//! What the shuttle planner gives.

use serde::{Deserialize, Serialize};

/// A tour per bus that drives, and who is not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub driving_minutes: i64,
    pub tours: Vec<Tour>,
    pub unplaced: Vec<Unplaced>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tour {
    pub bus: String,
    pub stops: Vec<Stop>,
}

/// A group boards, or leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub group: String,
    pub boards: bool,
    /// When boarding begins, or when the group is there.
    pub minute: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    pub group: String,
    pub people: i64,
    pub reason: Reason,
}

/// Why a group is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// More people than any bus has seats.
    LargerThanEveryBus { seats_max: i64 },
    /// Driven alone and at once they would be late, or ride too long.
    TooFar { minutes: i64 },
    /// No bus can be there, and back within its shift, in their times, even for them alone.
    NoBusInTime,
    /// Every bus that could take them is busy with others.
    BusesBusy,
}

/// The best plan so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub people_unplaced: i64,
    pub driving_minutes: i64,
}
