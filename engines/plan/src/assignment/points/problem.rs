//! Points with tubes per hour, laboratories with a declared capacity per hour, minutes between them.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, from_json, within};
use crate::travel::{Place, StraightLine};

/// Bounds of one problem.
pub const POINTS_MAX: usize = 2000;
pub const LABORATORIES_MAX: usize = 100;
pub const TUBES_MAX: i64 = 10_000_000;
const MINUTES_MAX: i64 = 100_000;

/// What has to go where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// No tube goes farther than this.
    #[serde(default = "any_minutes")]
    pub minutes_max: i64,
    pub points: Vec<Point>,
    pub laboratories: Vec<Laboratory>,
}

fn any_minutes() -> i64 {
    MINUTES_MAX
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub id: String,
    pub place: usize,
    pub tubes_per_hour: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Laboratory {
    pub id: String,
    pub place: usize,
    /// As declared; 0: closed.
    pub tubes_per_hour: i64,
}

/// Reads a problem from JSON; distances may still have to be measured.
///
/// # Errors
/// Naming the line of what is no JSON of this shape.
pub fn parse(text: &str) -> Result<Problem, Fault> {
    from_json(text)
}

impl Problem {
    /// Minutes from a point to a laboratory, if that is near enough.
    pub(super) fn way(&self, point: usize, laboratory: usize) -> Option<i64> {
        let minutes = self.minutes[self.points[point].place][self.laboratories[laboratory].place];
        (minutes <= self.minutes_max).then_some(minutes)
    }

    /// What a tube left behind counts: more minutes than any chain of moves could save.
    pub(super) fn behind_minutes(&self) -> i64 {
        let farthest = self.minutes.iter().flatten().copied().max().unwrap_or(0).max(1);
        farthest * (2 * self.laboratories.len() as i64 + 2)
    }

    /// Whether every number is within its bounds and every place is on the map.
    ///
    /// # Errors
    /// Naming the field (such as `points[3].place`).
    pub fn validate(&self) -> Result<(), Fault> {
        within("points", self.points.len() as i64, 0, POINTS_MAX as i64)?;
        within("laboratories", self.laboratories.len() as i64, 0, LABORATORIES_MAX as i64)?;
        within("minutes_max", self.minutes_max, 0, MINUTES_MAX)?;
        crate::travel::validate(&self.minutes, MINUTES_MAX)?;
        let last = self.minutes.len() as i64 - 1;
        for (at, point) in self.points.iter().enumerate() {
            within(&format!("points[{at}].place"), point.place as i64, 0, last)?;
            within(&format!("points[{at}].tubes_per_hour"), point.tubes_per_hour, 0, TUBES_MAX)?;
        }
        for (at, laboratory) in self.laboratories.iter().enumerate() {
            within(&format!("laboratories[{at}].place"), laboratory.place as i64, 0, last)?;
            within(&format!("laboratories[{at}].tubes_per_hour"), laboratory.tubes_per_hour, 0, TUBES_MAX)?;
        }
        crate::fault::distinct("points", self.points.iter().map(|point| point.id.as_str()))?;
        crate::fault::distinct("laboratories", self.laboratories.iter().map(|laboratory| laboratory.id.as_str()))
    }
}
