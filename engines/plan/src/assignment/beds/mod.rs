//! Beds: who sleeps in which room of a closed loop, over nights.
//!
//! Nobody shares a room, on any night, with another gender, another cohort, people who sleep when they work, or people whose quiet
//! period is not theirs. Whoever has a room keeps it. [`parse`], [`solve`], [`check`], [`explain`].

pub mod check;
pub mod explain;
mod plan;
mod problem;
mod solve;

pub use check::{Report, check};
pub use explain::{Obstacle, Why, explain};
pub use plan::{Placement, Plan, Progress};
pub use problem::{Gender, NIGHTS_MAX, PEOPLE_MAX, Person, Problem, ROOMS_MAX, Room, Sleeps, parse};
pub use solve::solve;
