//! Rooms with beds, and people who need one from a night until another.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, distinct, from_json, within};

/// Bounds of one problem.
pub const ROOMS_MAX: usize = 5000;
pub const PEOPLE_MAX: usize = 50_000;
pub const NIGHTS_MAX: u32 = 1000;

/// Who needs a bed, and what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    pub rooms: Vec<Room>,
    pub people: Vec<Person>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    pub id: String,
    pub beds: u32,
    /// Beds that nobody may have: broken, or kept free for isolation.
    #[serde(default)]
    pub blocked: u32,
    /// Only for this gender, if stated.
    #[serde(default)]
    pub gender: Option<Gender>,
    /// Only for this cohort, if stated.
    #[serde(default)]
    pub cohort: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    Female,
    Male,
}

/// When somebody sleeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sleeps {
    #[default]
    Night,
    /// On the night shift.
    Day,
}

/// Somebody who needs a bed on the nights `from..until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: String,
    pub gender: Gender,
    /// Those whom one case would send into isolation together: the same enterprise, team and case status, for instance.
    pub cohort: String,
    #[serde(default)]
    pub sleeps: Sleeps,
    #[serde(default)]
    pub from: u32,
    /// The first night away.
    pub until: u32,
    /// In the quiet period before this night: shares a room only with those whose quiet period ends on the same night.
    #[serde(default)]
    pub quiet_until: u32,
    /// The room that the person has already, and keeps.
    #[serde(default)]
    pub room: Option<String>,
}

/// Reads a problem from JSON.
///
/// # Errors
/// Naming the line of what is no JSON of this shape, or the field that is out of bounds or names an unknown room.
pub fn parse(text: &str) -> Result<Problem, Fault> {
    let problem: Problem = from_json(text)?;
    problem.validate()?;
    Ok(problem)
}

impl Room {
    /// Beds that can be given.
    #[must_use]
    pub fn free_beds(&self) -> u32 {
        self.beds.saturating_sub(self.blocked)
    }
}

impl Problem {
    /// # Errors
    /// As [`parse`].
    pub fn validate(&self) -> Result<(), Fault> {
        within("rooms", self.rooms.len() as i64, 0, ROOMS_MAX as i64)?;
        within("people", self.people.len() as i64, 0, PEOPLE_MAX as i64)?;
        distinct("rooms", self.rooms.iter().map(|room| room.id.as_str()))?;
        distinct("people", self.people.iter().map(|person| person.id.as_str()))?;
        for (at, room) in self.rooms.iter().enumerate() {
            within(&format!("rooms[{at}].beds"), i64::from(room.beds), 0, 10_000)?;
            within(&format!("rooms[{at}].blocked"), i64::from(room.blocked), 0, i64::from(room.beds))?;
        }
        let rooms: std::collections::BTreeSet<&str> = self.rooms.iter().map(|room| room.id.as_str()).collect();
        for (at, person) in self.people.iter().enumerate() {
            within(&format!("people[{at}].until"), i64::from(person.until), i64::from(person.from) + 1, i64::from(NIGHTS_MAX))?;
            within(&format!("people[{at}].quiet_until"), i64::from(person.quiet_until), 0, i64::from(NIGHTS_MAX))?;
            if let Some(room) = person.room.as_deref().filter(|room| !rooms.contains(room)) {
                return Err(Fault::new(0, format!("people[{at}].room"), format!("`{room}` is none of the rooms")));
            }
        }
        Ok(())
    }
}
