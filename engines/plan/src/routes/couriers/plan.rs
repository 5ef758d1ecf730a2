//! What the courier planner gives.

use serde::{Deserialize, Serialize};

/// Trips of every van in the order driven, what becomes of every box, and why some are not placed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub driving_minutes: i64,
    pub trips: Vec<Trip>,
    pub deliveries: Vec<Delivery>,
    pub unplaced: Vec<Unplaced>,
}

/// Collecting some boxes and bringing them to one laboratory. Indices are those of the problem's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    pub van: usize,
    pub boxes: Vec<usize>,
    pub laboratory: usize,
    /// At the laboratory's door, open.
    pub arrives: i64,
}

/// A box accessioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    #[serde(rename = "box")]
    pub box_: usize,
    pub laboratory: usize,
    pub accessioned: i64,
    /// Of the oldest tube, at accession.
    pub age_minutes: i64,
}

/// A box that stays behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    #[serde(rename = "box")]
    pub box_: usize,
    pub tubes: i64,
    pub reason: Reason,
}

/// Why a box stays behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It holds more tubes than any van takes.
    LargerThanEveryVan { tubes_max: i64 },
    /// Brought alone and at once it would be too old by so many minutes.
    TooOld { late_minutes: i64 },
    /// No shift, or no laboratory's hours, leave time to bring it, even alone.
    NoShiftOrOpenLaboratory,
    /// A van could bring it, but every intake is full until it is too old.
    IntakeFull,
    /// Every van that could bring it in time is busy with other boxes.
    VansBusy,
}

/// The best plan so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub rounds: u64,
    pub tubes_unplaced: i64,
    pub driving_minutes: i64,
}
