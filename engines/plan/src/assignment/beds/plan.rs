//! What the planner of beds gives.

use serde::{Deserialize, Serialize};

/// Everybody's room, those who had one included, and who has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub placements: Vec<Placement>,
    pub unplaced: Vec<String>,
}

/// A person in a room, on all the nights of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    pub person: String,
    pub room: String,
    /// Had it before.
    pub kept: bool,
}

/// The best plan so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub unplaced: u32,
    pub rooms_opened: u32,
}
