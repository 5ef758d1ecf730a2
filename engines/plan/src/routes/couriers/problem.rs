//! Boxes of tubes waiting at sampling points, vans with shifts, laboratories with an intake per hour; the clock is the age of the tubes.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, within};
use crate::travel::{Place, StraightLine};

/// Bounds of one problem.
pub const BOXES_MAX: usize = 2000;
pub const VANS_MAX: usize = 200;
pub const LABORATORIES_MAX: usize = 50;
pub const PLACES_MAX: usize = 2500;
/// All times are whole minutes on one clock of the caller's, from 0 to this.
pub const MINUTES_MAX: i64 = 100_000;

/// What is to be brought where, by whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// A box's oldest swab is at most this old when the laboratory accessions it.
    pub age_minutes_max: i64,
    /// Driving minutes from place to place, row by row; both ways may differ. Empty until the places are measured.
    #[serde(default)]
    pub minutes: Vec<Vec<i64>>,
    /// Coordinates of the places, when there is no matrix.
    #[serde(default)]
    pub places: Vec<Place>,
    #[serde(default)]
    pub straight_line: Option<StraightLine>,
    pub laboratories: Vec<Laboratory>,
    pub vans: Vec<Van>,
    pub boxes: Vec<TubeBox>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Laboratory {
    pub id: String,
    pub place: usize,
    pub opens: i64,
    pub closes: i64,
    /// Minutes from a van's arrival until its boxes stand at the intake, and the van is free.
    pub unload_minutes: i64,
    /// Tubes accessioned per full hour of the clock; a box is never split.
    pub intake_per_hour: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Van {
    pub id: String,
    /// Where the shift starts and ends.
    pub place: usize,
    pub shift_starts: i64,
    pub shift_ends: i64,
    pub tubes_max: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TubeBox {
    pub id: String,
    pub place: usize,
    pub tubes: i64,
    /// The earliest swab in it.
    pub swabbed: i64,
    /// Sealed, to be collected from then on.
    pub ready: i64,
    pub load_minutes: i64,
}

impl Problem {
    /// The last minute in which a box may be accessioned.
    pub(super) fn due(&self, index: usize) -> i64 {
        self.boxes[index].swabbed + self.age_minutes_max
    }

    /// Whether every number is within its bounds and every place is on the map.
    ///
    /// # Errors
    /// Naming the field (such as `boxes[3].ready`).
    pub fn validate(&self) -> Result<(), Fault> {
        let size = self.minutes.len();
        within("boxes", self.boxes.len() as i64, 0, BOXES_MAX as i64)?;
        within("vans", self.vans.len() as i64, 0, VANS_MAX as i64)?;
        within("laboratories", self.laboratories.len() as i64, 0, LABORATORIES_MAX as i64)?;
        within("age_minutes_max", self.age_minutes_max, 0, MINUTES_MAX)?;
        crate::travel::validate(&self.minutes, MINUTES_MAX)?;
        let place = |field: String, place: usize| within(&format!("{field}.place"), place as i64, 0, size as i64 - 1);
        for (at, one) in self.laboratories.iter().enumerate() {
            let field = format!("laboratories[{at}]");
            place(field.clone(), one.place)?;
            within(&format!("{field}.opens"), one.opens, 0, MINUTES_MAX)?;
            within(&format!("{field}.closes"), one.closes, one.opens, MINUTES_MAX)?;
            within(&format!("{field}.unload_minutes"), one.unload_minutes, 0, MINUTES_MAX)?;
            within(&format!("{field}.intake_per_hour"), one.intake_per_hour, 0, 10_000_000)?;
        }
        for (at, one) in self.vans.iter().enumerate() {
            let field = format!("vans[{at}]");
            place(field.clone(), one.place)?;
            within(&format!("{field}.shift_starts"), one.shift_starts, 0, MINUTES_MAX)?;
            within(&format!("{field}.shift_ends"), one.shift_ends, one.shift_starts, MINUTES_MAX)?;
            within(&format!("{field}.tubes_max"), one.tubes_max, 0, 10_000_000)?;
        }
        for (at, one) in self.boxes.iter().enumerate() {
            let field = format!("boxes[{at}]");
            place(field.clone(), one.place)?;
            within(&format!("{field}.tubes"), one.tubes, 1, 10_000_000)?;
            within(&format!("{field}.swabbed"), one.swabbed, -MINUTES_MAX, MINUTES_MAX)?;
            within(&format!("{field}.ready"), one.ready, one.swabbed.max(0), MINUTES_MAX)?;
            within(&format!("{field}.load_minutes"), one.load_minutes, 0, MINUTES_MAX)?;
        }
        Ok(())
    }
}
