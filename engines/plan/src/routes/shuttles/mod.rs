//! Shuttles: groups are picked up and dropped, each within its times, in buses with seats and shifts.
//!
//! [`parse`], [`solve`], [`check`]. A group is never split; who cannot be taken is listed with the reason.

pub mod check;
mod plan;
mod problem;
mod solve;

pub use check::{Report, check};
pub use plan::{Plan, Progress, Reason, Stop, Tour, Unplaced};
pub use problem::{BUSES_MAX, Bus, GROUPS_MAX, Group, Problem, parse};
pub use solve::solve;
