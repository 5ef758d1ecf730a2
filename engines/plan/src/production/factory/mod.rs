//! The reagent factory's tactical plan in 8 h shifts: lots per stage with change-overs, yields, quarantine and expiry.
//!
//! [`Factory::validate`], [`solve`], [`check`]; [`reach`] answers "can we make so many a day?" and names what stands in the way;
//! [`compare`] holds a plan against what was made.

mod actual;
pub mod check;
mod plan;
mod problem;
mod reach;
mod solve;

pub use actual::{Actual, Comparison, Endangered, Line, compare};
pub use check::{Report, check};
pub use plan::{Lot, Plan, Reason, Short};
pub use problem::{Factory, PRODUCTS_MAX, Product, SHIFTS_MAX, STAGES_MAX, Stage, TESTS_MAX};
pub use reach::{Reach, reach};
pub use solve::solve;
