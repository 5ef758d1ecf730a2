//! What the courier planner gives.

use serde::{Deserialize, Serialize};

use super::problem::{MINUTES_MAX, Problem};

/// Trips of every van in the order driven, what becomes of every box, and why some are not placed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub driving_minutes: i64,
    pub trips: Vec<Trip>,
    pub deliveries: Vec<Delivery>,
    pub unplaced: Vec<Unplaced>,
    /// Against the published plan, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// A plan that people go by, and the minute in which it is planned again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub plan: Plan,
    /// Trips that departed before it stay as they are; no other departs earlier.
    pub now: i64,
    /// Minutes of driving that a box is worth keeping with its van and laboratory.
    pub change_minutes: i64,
}

impl Published {
    /// The plan may know fewer boxes than the problem: new ones come after those it knows.
    ///
    /// # Errors
    /// What is wrong with the plan, in words: it must hold for the vans, laboratories and boxes it knows.
    pub fn new(problem: &Problem, plan: Plan, now: i64, change_minutes: i64) -> Result<Self, String> {
        let named = plan.deliveries.iter().map(|delivery| delivery.box_).chain(plan.unplaced.iter().map(|unplaced| unplaced.box_));
        let mut known = problem.clone();
        known.boxes.truncate(named.max().map_or(0, |last| last.saturating_add(1)));
        match super::check(&known, &plan).violations.first() {
            Some(violation) => Err(format!("the published plan: {violation}")),
            None if (0..=MINUTES_MAX).contains(&now) && (0..=MINUTES_MAX).contains(&change_minutes) => Ok(Self { plan, now, change_minutes }),
            None => Err(format!("the minute or the minutes of a change are not within 0 to {MINUTES_MAX}")),
        }
    }
}

/// What a published plan promised that is otherwise now, by box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub trips_begun: usize,
    /// To another van or laboratory.
    pub moved: Vec<usize>,
    /// Promised to be brought, and not brought any more.
    pub broken: Vec<usize>,
    /// Brought, though not promised.
    pub new: Vec<usize>,
}

/// Collecting some boxes and bringing them to one laboratory. Indices are those of the problem's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    pub van: usize,
    pub boxes: Vec<usize>,
    pub laboratory: usize,
    /// The van leaves where it stands.
    pub departs: i64,
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
