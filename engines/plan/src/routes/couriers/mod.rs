//! Couriers: boxes of tubes from sampling points to laboratories, before the oldest tube is too old at accession.
//!
//! Vans make several trips within a shift and end it where it began; a laboratory accessions so many tubes per hour, whoever is soonest
//! too old first. [`Problem::validate`], [`solve`], [`check`]. What cannot be placed is listed with the reason.
//! Planned again from a [`Published`] plan, what has begun stays and what was promised comes first.

pub mod check;
mod plan;
mod problem;
mod solve;

pub use check::{Report, check, check_again, fits};
pub use plan::{Changes, Delivery, Plan, Progress, Published, Reason, Trip, Unplaced};
pub use problem::{BOXES_MAX, LABORATORIES_MAX, Laboratory, MINUTES_MAX, PLACES_MAX, Problem, TubeBox, VANS_MAX, Van};
pub use solve::solve;
