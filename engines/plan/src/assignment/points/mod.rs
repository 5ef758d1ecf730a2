//! Sampling points to laboratories: tubes per hour within declared capacity, as few minutes on the road as possible.
//!
//! [`parse`], [`solve`], [`check`]. The plan is exact: it carries a price per laboratory, and the checker proves by these
//! prices (linear programming duality) that no plan brings more tubes, or as many in fewer minutes.

pub mod check;
mod plan;
mod problem;
mod solve;

pub use check::{Report, check};
pub use plan::{Load, Plan, Reason, Share, Unplaced};
pub use problem::{LABORATORIES_MAX, Laboratory, POINTS_MAX, Point, Problem, TUBES_MAX, parse};
pub use solve::solve;
