//! Groups who want to be somewhere by a time, buses with seats and shifts.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, distinct, from_json, within};
use crate::travel::{Place, StraightLine};

/// Bounds of one problem.
pub const GROUPS_MAX: usize = 500;
pub const BUSES_MAX: usize = 100;
/// All times are whole minutes on one clock of the caller's, from 0 to this.
const MINUTES_MAX: i64 = 100_000;
const PEOPLE_MAX: i64 = 10_000;

/// Who is to be driven where, by whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Minutes from place to place, row by row; empty until the places are measured.
    #[serde(default)]
    pub minutes: Vec<Vec<i64>>,
    /// Coordinates of the places, when there is no matrix.
    #[serde(default)]
    pub places: Vec<Place>,
    #[serde(default)]
    pub straight_line: Option<StraightLine>,
    pub buses: Vec<Bus>,
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    pub id: String,
    /// Where the shift starts and ends.
    pub place: usize,
    pub shift_starts: i64,
    pub shift_ends: i64,
    pub seats: i64,
}

/// People who go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub id: String,
    pub from: usize,
    pub to: usize,
    pub people: i64,
    /// Nobody boards earlier; a bus may wait.
    pub ready: i64,
    /// Everybody is there by then.
    pub due: i64,
    /// Longest time from boarding to arrival.
    #[serde(default = "any_minutes")]
    pub ride_minutes_max: i64,
    #[serde(default)]
    pub board_minutes: i64,
}

fn any_minutes() -> i64 {
    MINUTES_MAX
}

/// Reads a problem from JSON; distances may still have to be measured.
///
/// # Errors
/// Naming the line of what is no JSON of this shape.
pub fn parse(text: &str) -> Result<Problem, Fault> {
    from_json(text)
}

impl Problem {
    /// Whether every number is within its bounds and every place is on the map.
    ///
    /// # Errors
    /// Naming the field (such as `groups[3].ready`).
    pub fn validate(&self) -> Result<(), Fault> {
        within("groups", self.groups.len() as i64, 0, GROUPS_MAX as i64)?;
        within("buses", self.buses.len() as i64, 0, BUSES_MAX as i64)?;
        crate::travel::validate(&self.minutes, MINUTES_MAX)?;
        distinct("buses", self.buses.iter().map(|bus| bus.id.as_str()))?;
        distinct("groups", self.groups.iter().map(|group| group.id.as_str()))?;
        let last = self.minutes.len() as i64 - 1;
        for (at, bus) in self.buses.iter().enumerate() {
            let field = |name: &str| format!("buses[{at}].{name}");
            within(&field("place"), bus.place as i64, 0, last)?;
            within(&field("shift_starts"), bus.shift_starts, 0, MINUTES_MAX)?;
            within(&field("shift_ends"), bus.shift_ends, bus.shift_starts, MINUTES_MAX)?;
            within(&field("seats"), bus.seats, 0, PEOPLE_MAX)?;
        }
        for (at, group) in self.groups.iter().enumerate() {
            let field = |name: &str| format!("groups[{at}].{name}");
            within(&field("from"), group.from as i64, 0, last)?;
            within(&field("to"), group.to as i64, 0, last)?;
            within(&field("people"), group.people, 1, PEOPLE_MAX)?;
            within(&field("ready"), group.ready, 0, MINUTES_MAX)?;
            within(&field("due"), group.due, group.ready, MINUTES_MAX)?;
            within(&field("ride_minutes_max"), group.ride_minutes_max, 0, MINUTES_MAX)?;
            within(&field("board_minutes"), group.board_minutes, 0, 600)?;
        }
        Ok(())
    }
}
